//! The benches of calls between programs, and into the kernel.

use super::{Beside, Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::{Bench, BoxedContestant};
use crate::contestant::Renamed;
use crate::published::ROUND_TRIPS;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{
    ComposedComponents, Futex, GetParent, IndirectCall, Isolation, Pipe, Placement, SharedMemorySpin,
    faster_priority,
};
use crate::samples::Unit;
use crate::turn::Sampling;

const WHY_PROCESSES_ARE_SLOW: &str = "each message there and back costs the rival at least four system calls (write and \
    read, or wake and wait, on both sides) and two switches of process: privilege changes, scheduler, address space, and \
    cold predictors after each. Ours crosses no privilege boundary and enters no scheduler: the wall was built by the \
    compiler, so a call stays a call";
const WHY_SLEEPING_CORES_ARE_SLOW: &str = "the rival's answering process sleeps: an interrupt must be sent to its core, \
    which leaves its idle state (in a virtual machine: the hypervisor too), enters the scheduler and switches to it, and \
    all of that again on the way back";

/// What the benches of calls share.
fn call<'a>(name: &'static str, what: &'static str, path: &'static str, ours: Place<'a>) -> Bench<'a> {
    Bench {
        name,
        variant: None,
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::BATCH,
        turn_budget: SHORT_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: WHY_PROCESSES_ARE_SLOW,
        requirements: Vec::new(),
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}

/// The rivals of both calls on one core.
fn same_core_rivals<'a>() -> Vec<BoxedContestant<'a>> {
    vec![
        faster_priority(|priority| Pipe::new(Placement::SameCore, Isolation::Threads, priority)),
        faster_priority(|priority| Futex::new(Placement::SameCore, Isolation::Threads, priority)),
        faster_priority(|priority| Pipe::new(Placement::SameCore, Isolation::Processes, priority)),
        faster_priority(|priority| Futex::new(Placement::SameCore, Isolation::Processes, priority)),
        Box::new(ComposedComponents::default()),
        Box::new(IndirectCall),
    ]
}

pub(super) fn protected_call(ours: Place<'_>) -> Bench<'_> {
    Bench {
        requirements: vec![
            Requirement::AtMost(Statistic::P50, 70.0),
            Requirement::AtMost(Statistic::P99, 150.0),
            Requirement::TimesFasterThan("pipe-same-core", 35.0),
        ],
        published: ROUND_TRIPS,
        rivals: same_core_rivals(),
        ..call(
            "protected-call",
            "round trip with 64 bytes each way to a passive server in another cell, same core",
            "on it: leaving and entering WebAssembly on both sides, the capability's look-up, rights and generation check, \
             the deadline, one copy of 64 bytes each way from memory to memory, the server's activation. Not on it: \
             scheduler, allocation, system calls",
            ours,
        )
    }
}

pub(super) fn active_call(ours: Place<'_>) -> Bench<'_> {
    Bench {
        requirements: vec![
            Requirement::AtMost(Statistic::P50, 200.0),
            Requirement::AtMost(Statistic::P99, 400.0),
            Requirement::TimesFasterThan("futex-same-core", 12.0),
        ],
        published: ROUND_TRIPS,
        rivals: same_core_rivals(),
        ..call(
            "active-call",
            "round trip with 64 bytes each way to an active server in another cell, same core",
            "on it: what a protected call has, and the message's queueing, two switches of fiber with the scheduler's \
             decision, and room for the answer. Not on it: system calls, allocation from the host",
            ours,
        )
    }
}

fn cross_core_rivals<'a>() -> Vec<BoxedContestant<'a>> {
    vec![
        faster_priority(|priority| Pipe::new(Placement::CrossCore, Isolation::Threads, priority)),
        faster_priority(|priority| Futex::new(Placement::CrossCore, Isolation::Threads, priority)),
    ]
}

pub(super) fn cross_core_call_awake(ours: Place<'_>) -> Bench<'_> {
    let mut rivals: Vec<BoxedContestant<'_>> = vec![Box::new(SharedMemorySpin)];
    rivals.extend(cross_core_rivals());
    Bench {
        variant: Some("awake"),
        requirements: vec![Requirement::AtMostTimes("shm-spin-cross-core", 2.0)],
        why_rival_is_slow: WHY_SLEEPING_CORES_ARE_SLOW,
        rivals,
        ..call(
            "cross-core-call",
            "round trip with 64 bytes each way to an active server on another core, both cores awake",
            "on it: what an active call has, and two transfers of cache lines between the cores each way. Not on it: \
             waking a sleeping core, system calls",
            ours,
        )
    }
}

pub(super) fn cross_core_call_parked(ours: Place<'_>) -> Bench<'_> {
    Bench {
        variant: Some("parked"),
        sampling: Sampling::Single,
        requirements: vec![Requirement::AtMostTimes("futex-cross-core", 1.0)],
        why_rival_is_slow: WHY_SLEEPING_CORES_ARE_SLOW,
        rivals: cross_core_rivals(),
        ..call(
            "cross-core-call",
            "round trip with 64 bytes each way to an active server on another core that sleeps",
            "on it: everything of the awake case, and waking the sleeping core through Linux. Not on it: how long it \
             slept before",
            ours,
        )
    }
}

pub(super) fn null_call(ours: Place<'_>) -> Bench<'_> {
    Bench {
        requirements: vec![Requirement::TimesFasterThan("getppid", 6.0)],
        why_rival_is_slow: "the processor changes its privilege level twice, and the kernel saves and restores registers \
            and speculation barriers around a function of a few instructions. Ours is a function call",
        rivals: vec![Box::new(GetParent)],
        ..call(
            "null-call",
            "kernel call from a program that looks up a capability and does nothing",
            "on it: leaving and entering WebAssembly, the handle's decoding, look-up and generation check. Not on it: \
             anything that the call would do",
            ours,
        )
    }
}

fn stub_call<'a>(
    variant: &'static str,
    what: &'static str,
    Beside { ours, without }: Beside<'a>,
) -> Bench<'a> {
    let raw =
        without.map(|contestant| -> BoxedContestant<'a> { Box::new(Renamed::new("raw-call", contestant)) });
    Bench {
        variant: Some(variant),
        requirements: vec![Requirement::AtMostAbove("raw-call", 20.0)],
        why_rival_is_slow: "the rival is the same call without stubs: if it is slow, one of the two did not do its work",
        rivals: raw.into_iter().collect(),
        ..call(
            "stub-call",
            what,
            "on it: everything of a protected call; on both sides, putting and taking every field, finding the function by \
             its tag, and the answer's status. raw-call has none of these: its server says back the bytes where they lie",
            ours,
        )
    }
}

pub(super) fn stub_call_record(places: Beside<'_>) -> Bench<'_> {
    stub_call(
        "record",
        "protected call through stubs, a record of ten fields in 64 bytes there and back",
        places,
    )
}

pub(super) fn stub_call_bytes(places: Beside<'_>) -> Bench<'_> {
    stub_call("bytes", "protected call through stubs, a list of bytes in 64 bytes there and back", places)
}
