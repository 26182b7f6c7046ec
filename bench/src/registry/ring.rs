//! The benches of rings: entries between two programs without a message, beside a queue inside of one program and a pipe.

use super::{Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::{Bench, BoxedContestant};
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{PipeStream, Placement, Spsc, faster_priority};
use crate::samples::Unit;
use crate::turn::Sampling;

const WHY_PIPES_ARE_SLOW: &str = "each batch costs the pipe four system calls and four copies (into and out of the kernel, \
    both ways), and its sides wait for each other in the scheduler. A ring's batch is stores to memory that both sides see, \
    and one look whether the other side sleeps";

fn ring<'a>(
    variant: &'static str,
    what: &'static str,
    path: &'static str,
    ours: Place<'a>,
    placement: Placement,
) -> Bench<'a> {
    let rivals: Vec<BoxedContestant<'a>> = vec![
        Box::new(Spsc::new(placement)),
        faster_priority(move |priority| PipeStream::new(placement, priority)),
    ];
    Bench {
        name: "ring",
        variant: Some(variant),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::BATCH,
        turn_budget: SHORT_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: WHY_PIPES_ARE_SLOW,
        requirements: vec![Requirement::AtMost(Statistic::P50, 15.0)],
        published: &[],
        ours,
        rivals,
    }
}

pub(super) fn cross_core(ours: Place<'_>) -> Bench<'_> {
    ring(
        "cross-core",
        "an entry of 32 bytes, put by one side or taken by the other, in a stream of batches of 32, of which three stay under way; two cells on two cores \
         that are awake. Half of the time from exchange to exchange (a submission there, a completion back): the slower \
         side's time for each of its two entries",
        "on it: putting and taking entries, indices checked against a peer that is not trusted, lines that move between \
         the cores, a fence for each batch (in a cell, a kernel call), looking whether the other side sleeps. Not on it: \
         payload (nobody touches any), waking a sleeper, what an operation would do. rtrb trusts both its sides, has no \
         fence and cannot sleep",
        ours,
        Placement::CrossCore,
    )
}

pub(super) fn same_core(ours: Place<'_>) -> Bench<'_> {
    ring(
        "same-core",
        "an entry of 32 bytes, put by one side or taken by the other, in batches of 32; two cells on one core. A quarter of \
         the time of an exchange, which is two entries with two sides each",
        "on it: what the stream across cores has but for moving lines, and for each batch both sides' falling asleep, two \
         notifications, two switches. Not on it: payload, what an operation would do. The rival spsc-one-thread is one \
         thread that plays both sides in turn: no wall, no switch, no sleep",
        ours,
        Placement::SameCore,
    )
}
