//! Quanta with two queues: who comes is before who was preempted.

use std::collections::VecDeque;

use super::{Job, Policy};

/// The kernel's run queue of one priority; see `kernel/src/runqueue.rs`.
#[derive(Debug)]
pub(super) struct Quantum {
    quantum_ns: u64,
    fresh: VecDeque<Job>,
    preempted: VecDeque<Job>,
    fresh_in_a_row: u32,
}

/// So many who came in a row go before one who was preempted, as in the kernel.
const FRESH_IN_A_ROW: u32 = 64;

impl Quantum {
    pub(super) fn new(quantum_ns: u64) -> Self {
        let (fresh, preempted) = Default::default();
        Self { quantum_ns: quantum_ns.max(1), fresh, preempted, fresh_in_a_row: 0 }
    }
}

impl Policy for Quantum {
    fn arrived(&mut self, job: Job) {
        self.fresh.push_back(job);
    }

    fn stopped(&mut self, job: Job) {
        self.preempted.push_back(job);
    }

    fn pick(&mut self, _core: u32) -> Option<(Job, u64)> {
        let has_turn = self.fresh_in_a_row >= FRESH_IN_A_ROW && !self.preempted.is_empty();
        let fresh = if has_turn { None } else { self.fresh.pop_front() };
        self.fresh_in_a_row = if fresh.is_some() { self.fresh_in_a_row + 1 } else { 0 };
        fresh.or_else(|| self.preempted.pop_front()).map(|job| (job, self.quantum_ns))
    }

    fn waits(&self, _core: u32) -> bool {
        !self.fresh.is_empty() || !self.preempted.is_empty()
    }
}
