//! The benches of threads of one program: an uncontended lock, starting and joining, turns by a condition.

use super::{Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::Bench;
use crate::requirement::Requirement;
use crate::rivals::{StdThreads, ThreadsDo, faster_priority};
use crate::samples::Unit;
use crate::turn::Sampling;

fn threads<'a>(
    ours: Place<'a>,
    does: ThreadsDo,
    (variant, what): (&'static str, &'static str),
    (path, why): (&'static str, &'static str),
    times: f64,
) -> Bench<'a> {
    Bench {
        name: "threads",
        variant: Some(variant),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::BATCH,
        turn_budget: SHORT_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: why,
        requirements: vec![Requirement::AtMostTimes(does.name(), times)],
        published: &[],
        ours,
        rivals: vec![faster_priority(move |priority| StdThreads::new(does, priority))],
    }
}

pub(super) fn mutex(ours: Place<'_>) -> Bench<'_> {
    threads(
        ours,
        ThreadsDo::HoldALock,
        ("mutex", "holding a lock that nobody else wants, adding to what it guards, letting go of it"),
        (
            "on it: one compare-exchange and one exchange of a word in the program's memory, and the bounds of that. Not on it: the \
             kernel, which learns of no lock that nobody waits for",
            "it is not: both make the same two atomic operations. std's also looks whether its thread panics",
        ),
        2.0,
    )
}

pub(super) fn spawn_join(ours: Place<'_>) -> Bench<'_> {
    threads(
        ours,
        ThreadsDo::StartAndJoin,
        ("spawn-join", "starting a thread that does nothing and waiting until it is over, on one core"),
        (
            "on it: the thread's stack out of the program's heap, its record in the kernel and its share of the budget, an instance of the \
             program over the same memory, two switches, the end of all that. Not on it: waking another core",
            "each thread of Linux's gets a stack by system calls, with a guard, and its own task; the end of each is told by a \
             futex",
        ),
        1.0,
    )
}

pub(super) fn condvar(ours: Place<'_>) -> Bench<'_> {
    threads(
        ours,
        ThreadsDo::ExchangeTurns,
        (
            "condvar",
            "giving a turn to another thread and getting it back, by a lock and a condition, on one core",
        ),
        (
            "on it: for each way a lock, a notification, a wait that leaves the core, a switch. Not on it: waking another core",
            "each wait and each notification that finds somebody is a system call, and each switch goes through Linux's scheduler",
        ),
        1.0,
    )
}
