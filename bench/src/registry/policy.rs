//! The benches of policies in WebAssembly.

use super::{Beside, Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::{Bench, BoxedContestant};
use crate::contestant::Renamed;
use crate::requirement::{Requirement, Statistic};
use crate::samples::Unit;
use crate::turn::Sampling;

fn policy<'a>(
    variant: &'static str,
    what: &'static str,
    requirement: Requirement,
    places: Beside<'a>,
) -> Bench<'a> {
    let linked = places
        .without
        .map(|contestant| -> BoxedContestant<'a> { Box::new(Renamed::new("linked-in", contestant)) });
    Bench {
        name: "policy",
        variant: Some(variant),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::BATCH,
        turn_budget: SHORT_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: what is seen of a thread put into registers, every step, the answer. Not on it: looking at the thread, and putting \
               it into a queue",
        why_rival_is_slow: "the rival is the same in native code: it is the quicker one, and is trusted with the machine",
        requirements: vec![requirement],
        published: &[],
        ours: places.ours,
        rivals: linked.into_iter().collect(),
    }
}

pub(super) fn short(places: Beside<'_>) -> Bench<'_> {
    policy(
        "short",
        "a policy in WebAssembly says where a thread is put: a division",
        Requirement::AtMost(Statistic::P50, 20.0),
        places,
    )
}

pub(super) fn longest(ours: Place<'_>) -> Bench<'_> {
    policy(
        "longest",
        "the same, as many steps as a policy may have: 256",
        Requirement::AtMost(Statistic::P50, 2_000.0),
        Beside { ours, without: None },
    )
}
