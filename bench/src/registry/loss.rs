//! The benches of what preemption costs those that compute.

use std::time::Duration;

use hallows_bench_kernels::Kernel;

use super::{Beside, LOSS_KERNELS, SAMPLE_LIMIT};
use crate::bench::{Bench, BoxedContestant};
use crate::contestant::Renamed;
use crate::requirement::Requirement;
use crate::rivals::{ComputingThreads, Sharing};
use crate::samples::Unit;
use crate::turn::Sampling;

/// Runs take milliseconds: dozens in a turn.
const TURN: Duration = Duration::from_millis(100);
/// Many short turns instead of few long ones: what is sought is less than what a host's speed changes by from one second to the next.
const ROUNDS: u32 = 20;
/// What may be lost while two programs compete, in per cent.
const MOST_TOGETHER: f64 = 5.0;
/// And while nobody waits.
const MOST_ALONE: f64 = 0.5;
/// The variants in which nobody waits, in the order of [`LOSS_KERNELS`].
const ALONE: [&str; LOSS_KERNELS.len()] = ["sha-256-alone", "json-parse-alone", "hash-table-alone"];

/// What both have in common: ours beside the same without, under a name that says without what.
fn loss<'a>(
    what: &'static str,
    path: &'static str,
    without: &'static str,
    places: Beside<'a>,
    most: f64,
) -> Bench<'a> {
    let rival = places
        .without
        .map(|contestant| -> BoxedContestant<'a> { Box::new(Renamed::new(without, contestant)) });
    Bench {
        name: "preemption-loss",
        variant: None,
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: "the rival is the same code, or the same source compiled natively: if it is slow by ten times, one of the two did not do its work",
        requirements: vec![Requirement::AtMostPercentAbove(without, most)],
        published: &[],
        ours: places.ours,
        rivals: rival.into_iter().collect(),
    }
}

/// Two programs of a kernel that share a core.
fn together<'a>((kernel, places): (Kernel, Beside<'a>)) -> Bench<'a> {
    let mut bench = loss(
        "a run of a kernel by one of two cells that share a core, 5 µs at a time: half of the time until both are done",
        "on it: being stopped every 5 µs, a switch each time, caches and predictors that the other has used meanwhile, a timekeeper that looks at the core \
         all the time. Not on it: preemption checks, which one-after-another has as well: there the same two cells of the same machine run one after the \
         other, each until it is done, while nobody waits. What Linux loses is linux-threads beside linux-one-after-another",
        "one-after-another",
        places,
        MOST_TOGETHER,
    );
    bench.variant = Some(kernel.name());
    for sharing in [Sharing::Together, Sharing::InTurn] {
        bench.rivals.push(Box::new(ComputingThreads::new(kernel, sharing)));
    }
    bench
}

/// One that nobody wants to have its core from.
fn alone<'a>((variant, places): (&'static str, Beside<'a>)) -> Bench<'a> {
    let mut bench = loss(
        "a run of a kernel by a cell while nobody waits for its core",
        "on it: the timekeeper's looks, one in a millisecond, and the cache lines that they take from the core. Not on it: preemption checks, which \
         without-timekeeper has as well: there the same cell of the same machine runs while nobody looks, and nothing could stop it",
        "without-timekeeper",
        places,
        MOST_ALONE,
    );
    bench.variant = Some(variant);
    bench
}

pub(super) fn benches<'a>(
    shared: [Beside<'a>; LOSS_KERNELS.len()],
    unshared: [Beside<'a>; LOSS_KERNELS.len()],
) -> impl Iterator<Item = Bench<'a>> {
    LOSS_KERNELS.into_iter().zip(shared).map(together).chain(ALONE.into_iter().zip(unshared).map(alone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_without_a_neighbour_are_named_after_their_kernels() {
        assert_eq!(LOSS_KERNELS.map(|kernel| format!("{}-alone", kernel.name())), ALONE);
    }
}
