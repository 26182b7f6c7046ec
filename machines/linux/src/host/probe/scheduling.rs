//! Real-time priority: whether the machine's threads may run before ordinary ones, and stay.

use super::finding::{Thing, Topic};

pub(super) const PRIORITY: Thing = Thing::new(
    Topic::Scheduling,
    "real-time priority",
    "A machine's threads with real-time priority run before every ordinary thread of their core.",
);
pub(super) const THROTTLING: Thing = Thing::new(
    Topic::Scheduling,
    "throttling",
    "A kernel without a fair server, or with groups of real-time threads, stops those that never sleep for 50 ms of every second.",
);

/// What Linux allows real-time threads.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SchedulingFacts {
    /// RLIMIT_RTPRIO: the highest priority without the right to any; `None` without a limit.
    pub(super) priority_limit: Option<u64>,
    /// `kernel.sched_rt_runtime_us`: what real-time threads may take of each period, in microseconds; -1 is all.
    pub(super) runtime_us: Option<i64>,
}

impl SchedulingFacts {
    /// The limit, in a few words.
    pub(super) fn limit_in_words(&self) -> String {
        match self.priority_limit {
            Some(limit) => format!("RLIMIT_RTPRIO is {limit}"),
            None => "RLIMIT_RTPRIO is unlimited".to_owned(),
        }
    }

    /// The throttling, in a few words.
    pub(super) fn runtime_in_words(&self) -> String {
        match self.runtime_us {
            Some(-1) => "kernel.sched_rt_runtime_us is -1: none".to_owned(),
            Some(runtime) => format!("kernel.sched_rt_runtime_us is {runtime}"),
            None => "kernel.sched_rt_runtime_us is not there".to_owned(),
        }
    }
}
