//! Cores reserved for short requests: each class has cores by its part of all work, and those of longer classes may be used by shorter ones.

use std::collections::VecDeque;

use super::{Job, Policy};
use crate::schedule::Request;

/// See the module's description.
#[derive(Debug)]
pub(super) struct Reserved {
    /// A queue for each class.
    queues: Vec<VecDeque<Job>>,
    /// Classes from the shortest on.
    order: Vec<usize>,
    /// How many classes, in that order, each core runs.
    runs: Vec<usize>,
}

impl Reserved {
    /// By what the requests of each class take together, which DARC measures as it goes.
    pub(super) fn new(classes: usize, requests: &[Request], cores: u32) -> Self {
        let mut work = vec![(0.0, 0u64); classes];
        for request in requests {
            if let Some((sum, count)) = work.get_mut(usize::from(request.class)) {
                *sum += request.service_ns as f64;
                *count += 1;
            }
        }
        let mut order: Vec<usize> = (0..classes).collect();
        let mean = |class: &usize| work[*class].0 / work[*class].1.max(1) as f64;
        order.sort_by(|one, other| mean(one).total_cmp(&mean(other)));
        let all: f64 = work.iter().map(|(sum, _)| sum).sum();
        let mut runs = Vec::new();
        for (place, class) in order.iter().enumerate() {
            let share = work[*class].0 / all.max(1.0) * f64::from(cores);
            let reserved = (share.round() as usize).max(1);
            runs.extend(std::iter::repeat_n(place + 1, reserved));
        }
        // Rounding may have given too few or too many: the longest class takes or loses them, and the last core runs all.
        runs.resize(cores as usize, classes);
        if let Some(last) = runs.last_mut() {
            *last = classes;
        }
        Self { queues: vec![VecDeque::new(); classes], order, runs }
    }
}

impl Policy for Reserved {
    fn arrived(&mut self, job: Job) {
        if let Some(queue) = self.queues.get_mut(usize::from(job.class)) {
            queue.push_back(job);
        }
    }

    fn stopped(&mut self, job: Job) {
        if let Some(queue) = self.queues.get_mut(usize::from(job.class)) {
            queue.push_front(job);
        }
    }

    fn pick(&mut self, core: u32) -> Option<(Job, u64)> {
        let classes = self.order.iter().take(*self.runs.get(core as usize)?);
        let class = classes.copied().find(|class| !self.queues[*class].is_empty())?;
        self.queues[class].pop_front().map(|job| (job, job.left_ns))
    }

    fn waits(&self, _core: u32) -> bool {
        false
    }
}
