//! First come, first served.

use std::collections::VecDeque;

use super::{Job, Policy};

/// One queue for all cores.
#[derive(Debug, Default)]
pub(super) struct Fcfs(VecDeque<Job>);

impl Policy for Fcfs {
    fn arrived(&mut self, job: Job) {
        self.0.push_back(job);
    }

    fn stopped(&mut self, job: Job) {
        self.0.push_front(job);
    }

    fn pick(&mut self, _core: u32) -> Option<(Job, u64)> {
        self.0.pop_front().map(|job| (job, job.left_ns))
    }

    fn waits(&self, _core: u32) -> bool {
        false
    }
}
