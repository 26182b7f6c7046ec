//! The bench of wake-ups, in the shape of schbench.

use std::time::Duration;

use super::{Place, ROUNDS, SAMPLE_LIMIT};
use crate::bench::{Bench, BoxedContestant};
use crate::cores::Priority;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{BestOf, Placement, WokenWorkers};
use crate::samples::Unit;
use crate::turn::Sampling;

/// A worker is woken every 120 µs or so, on a slow host every 200: thousands of samples in all turns, also of one worker.
const TURN: Duration = Duration::from_millis(500);
/// What counts: our p99 beside each rival's.
const MOST: f64 = 0.1;

/// Threads at a priority, with their messenger where their p99 is lower.
fn rival<'a>(workers: usize, priority: Priority) -> BoxedContestant<'a> {
    let candidate =
        |messenger| -> BoxedContestant<'a> { Box::new(WokenWorkers::new(workers, messenger, priority)) };
    Box::new(BestOf::by(
        Statistic::P99,
        vec![candidate(Placement::SameCore), candidate(Placement::CrossCore)],
    ))
}

pub(super) fn wakeup(workers: usize, ours: Place<'_>) -> Bench<'_> {
    let (variant, what) = if workers == 1 {
        ("one-worker", "from when a messenger begins to wake a worker until that runs, one worker on a core")
    } else {
        (
            "four-workers",
            "from when a messenger begins to wake workers until one of them runs, four workers on a core",
        )
    };
    Bench {
        name: "wakeup",
        variant: Some(variant),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: waking all that have asked at that moment, the messenger's falling asleep, the scheduler's decision, waiting for whoever runs, the \
               switch, a reading of the clock (of ours two kernel calls, of the rivals none). Not on it: the worker's asking, the messenger's \
               waking up (which waits for workers of its priority with the rivals, where they share a core), the worker's pause of 100 µs, its work \
               (a multiplication of matrices, ten microseconds and more, which others may have to wait for). Ours has messenger and workers on the first \
               core and its timekeeper on the second, which is counted; the rivals have their messenger on either, whichever gives the lower p99",
        why_rival_is_slow: "a wake-up is a system call and a switch of threads in the kernel (across cores also an interrupt, in a virtual machine with the \
            hypervisor's help), and who is woken waits until a thread that works is done, or its slice of 100 µs and more is over. Ours is a switch of \
            stacks, and who works is stopped after 5 µs for whoever has just been woken",
        requirements: ["futex-workers-fair", "futex-workers-fifo"]
            .map(|rival| Requirement::AtMostTimesAt(Statistic::P99, rival, MOST))
            .to_vec(),
        published: &[],
        ours,
        rivals: vec![rival(workers, Priority::Ordinary), rival(workers, Priority::RealtimeIfAllowed)],
    }
}
