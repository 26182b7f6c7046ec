//! Shortest remaining time first (Schrage, "A Proof of the Optimality of the Shortest Remaining Processing Time Discipline", 1968).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Job, Policy};

/// All that wait, by what is left.
#[derive(Debug, Default)]
pub(super) struct Shortest(BinaryHeap<Reverse<(u64, usize, u8)>>);

impl Shortest {
    fn put(&mut self, job: Job) {
        self.0.push(Reverse((job.left_ns, job.number, job.class)));
    }
}

impl Policy for Shortest {
    fn arrived(&mut self, job: Job) {
        self.put(job);
    }

    fn stopped(&mut self, job: Job) {
        self.put(job);
    }

    fn pick(&mut self, _core: u32) -> Option<(Job, u64)> {
        self.0.pop().map(|Reverse((left_ns, number, class))| (Job { number, left_ns, class }, left_ns))
    }

    fn waits(&self, _core: u32) -> bool {
        false
    }

    fn interrupts(&self, running: &[Job]) -> Option<u32> {
        let Reverse((shortest, ..)) = self.0.peek()?;
        let (core, longest) = running.iter().enumerate().max_by_key(|(_, job)| job.left_ns)?;
        (longest.left_ns > *shortest).then_some(core as u32)
    }
}
