//! The benches of preemption, quanta and idleness.

use std::time::Duration;

use hallows_bench_kernels::Loop;

use super::{Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::Bench;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{LinuxSlices, Tgkill, ThreadSwitch, faster_priority};
use crate::samples::Unit;
use crate::turn::Sampling;

/// Some 6 µs pass between two remote preemptions; a p99.9 wants thousands of them.
const REMOTE_TURN: Duration = Duration::from_millis(300);
/// What the quantum bench's programs are.
const SPINNING_PROGRAMS: usize = 100;
/// Linux gives slices of milliseconds: a hundred threads need this long to have several turns each.
const QUANTUM_TURN: Duration = Duration::from_millis(1_500);
/// How long an idle machine is watched.
const IDLE_WATCH: Duration = Duration::from_secs(10);

pub(super) fn preempt(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "preempt",
        variant: None,
        what: "suspend a spinning program and resume one",
        unit: Unit::Nanoseconds,
        sampling: Sampling::BATCH,
        turn_budget: SHORT_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: the program's check finds its preemption word set, the switch from its stack to the scheduler's and \
               the switch back. Not on it: the asking, which preempt-remote measures",
        why_rival_is_slow: "a thread switch enters the kernel, takes the run queue's lock, picks a thread, exchanges \
            kernel stacks and registers and leaves the kernel again. Ours exchanges stacks within a program",
        requirements: vec![
            Requirement::AtMost(Statistic::P50, 120.0),
            Requirement::TimesFasterThan("thread-switch-yield", 6.0),
        ],
        published: &[],
        ours,
        rivals: vec![faster_priority(ThreadSwitch::new)],
    }
}

fn preempt_remote(kind: Loop, ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "preempt-remote",
        variant: Some(kind.name()),
        what: "from asking on one core to stopped on another",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: REMOTE_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: a store that the other core sees, the way of its program to the next check, leaving the program. \
               Not on it: deciding to ask, which happens every 5 to 7 µs, the default quantum and a little. Both cores' time-stamp counters are used; the head of the report has their \
               offset",
        why_rival_is_slow: "a signal to a running thread is a system call and an interrupt sent to its core (in a virtual \
            machine with the hypervisor's help), which enters the kernel there and builds a signal frame. Ours is one \
            store that the program itself looks for",
        requirements: match kind {
            // The table gives this loop a bound of its own; read as p99.9, like the others' bound.
            Loop::BulkMemory => vec![Requirement::AtMost(Statistic::P99_9, 50_000.0)],
            Loop::Arithmetic | Loop::MemoryBound => vec![
                Requirement::AtMost(Statistic::P50, 400.0),
                Requirement::AtMost(Statistic::P99_9, 20_000.0),
            ],
        },
        published: &[],
        ours,
        rivals: vec![Box::new(Tgkill::new(kind))],
    }
}

pub(super) fn preempt_remote_arithmetic(ours: Place<'_>) -> Bench<'_> {
    preempt_remote(Loop::Arithmetic, ours)
}

pub(super) fn preempt_remote_memory_bound(ours: Place<'_>) -> Bench<'_> {
    preempt_remote(Loop::MemoryBound, ours)
}

pub(super) fn preempt_remote_bulk_memory(ours: Place<'_>) -> Bench<'_> {
    preempt_remote(Loop::BulkMemory, ours)
}

pub(super) fn quantum(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "quantum",
        variant: None,
        what: "length of a program's uninterrupted run: 5 µs asked, 100 spinning programs on one core",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: QUANTUM_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: 3,
        path: "on it: the whole time between being switched in and being switched out, as the program itself can see it \
               by the time-stamp counter. Not on it: the switch",
        why_rival_is_slow: "Linux ends a slice at a timer tick, every 1 to 10 ms as it was built; shorter ticks would cost \
            every program an interrupt each. Ours is stopped by a store from the timekeeper's core, which is counted as a \
            busy core here",
        requirements: vec![Requirement::AtMost(Statistic::P99, 10_000.0)],
        published: &[],
        ours,
        rivals: vec![Box::new(LinuxSlices::new(SPINNING_PROGRAMS))],
    }
}

pub(super) fn idle(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "idle",
        variant: None,
        what: "wake-ups of all threads of an idle machine in 10 s",
        unit: Unit::WakeUps,
        sampling: Sampling::Single,
        turn_budget: IDLE_WATCH,
        sample_limit: 1,
        rounds: 1,
        path: "on it: voluntary and involuntary context switches of every thread of the machine's process, from /proc. Not \
               on it: interrupts of Linux's own on these cores",
        why_rival_is_slow: "",
        requirements: vec![Requirement::AtMost(Statistic::Max, 0.0)],
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}
