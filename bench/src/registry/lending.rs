//! The benches of cores that pools lend to each other.

use std::time::Duration;

use super::{Place, ROUNDS, SAMPLE_LIMIT};
use crate::bench::Bench;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::WokenOver;
use crate::samples::Unit;
use crate::turn::Sampling;

/// Some 30 µs pass between two samples; a p99 wants thousands of them.
const TURN: Duration = Duration::from_millis(400);

pub(super) fn lent(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "lend",
        variant: Some("lent"),
        what: "from a message's sending to its receiver's first instruction on another pool's idle core",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: the message, the 5 µs that its receiver waits at home before a core is borrowed, the look of the idle core \
               that finds it. Not on it: waking a core that Linux let sleep",
        why_rival_is_slow: "",
        requirements: vec![Requirement::AtMost(Statistic::P99, 10_000.0)],
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}

pub(super) fn taken_back(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "lend",
        variant: Some("taken-back"),
        what: "from a message's sending to its receiver's first instruction, on a core that is lent to a loop",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: the message, asking the guest to stop, the way of its loop to the next check, its return to a queue of its pool, the \
               switch to the receiver. Not on it: a guest in the middle of a long copy of memory, which preempt-remote measures",
        why_rival_is_slow: "a wake-up across cores is a system call and an interrupt (in a virtual machine with the hypervisor's \
            help), then a switch of threads in the kernel there. Ours is a store that the guest itself looks for",
        requirements: vec![Requirement::AtMost(Statistic::P99, 5_000.0)],
        published: &[],
        ours,
        rivals: vec![Box::new(WokenOver)],
    }
}
