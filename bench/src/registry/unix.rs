//! The benches of Unix programs: calls of WASI, whole commands on files, computing, starting.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::{Bench, BoxedContestant};
use crate::coreutils::Task;
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{ClockGettime, NativeCoreutils, StaticHello, WasmtimeRun, WriteNull};
use crate::samples::Unit;
use crate::turn::Sampling;

/// So many that the program's own reading of the clock vanishes.
const CALLS: NonZeroU32 = NonZeroU32::new(1_000).unwrap();
/// Whole commands take a tenth of a second to seconds: at least one a turn.
const COMMAND_TURN: Duration = Duration::from_secs(1);
/// Enough of the quick ones.
const COMMANDS: usize = 10;
/// Fewer turns, since each takes long.
const COMMAND_ROUNDS: u32 = 3;
/// A start takes milliseconds; thirty give a median.
const STARTS: usize = 30;
/// 20 ms.
const START_LIMIT_NS: f64 = 20_000_000.0;

const WHY_LINUX_IS_SLOW: &str = "the rival enters Linux for what ours does in its own process: a call of WASI is a function \
    of this executable, and a service on the same core is called without a change of privilege";

fn wasi_call<'a>(
    variant: &'static str,
    what: &'static str,
    path: &'static str,
    ours: Place<'a>,
    rival: (&'static str, BoxedContestant<'a>),
) -> Bench<'a> {
    let (name, rival) = rival;
    Bench {
        name: "wasi-call",
        variant: Some(variant),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::MeanOf(CALLS),
        turn_budget: SHORT_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path,
        why_rival_is_slow: WHY_LINUX_IS_SLOW,
        requirements: vec![Requirement::AtMostTimes(name, 1.0)],
        published: &[],
        ours,
        rivals: vec![rival],
    }
}

pub(super) fn wasi_call_clock(ours: Place<'_>) -> Bench<'_> {
    wasi_call(
        "clock",
        "clock_time_get of the monotonic clock by a WASI program under `hallows run`",
        "on it: leaving the program, WASI's function, reading the clock, storing the time in the program's memory, the loop \
         around it. Not on it: starting the program; a message",
        ours,
        ("clock-gettime", Box::new(ClockGettime)),
    )
}

pub(super) fn wasi_call_write_null(ours: Place<'_>) -> Bench<'_> {
    wasi_call(
        "write-null",
        "fd_write of one byte to an output that is /dev/null, by a WASI program under `hallows run`",
        "on it: leaving the program, WASI's function, its table of descriptors, a protected call to the null console with \
         the byte, the loop around it. Not on it: starting the program; system calls; switches of threads",
        ours,
        ("write-null", Box::new(WriteNull)),
    )
}

/// A whole command of coreutils.
fn command<'a>(name: &'static str, task: Task, what: &'static str, most: f64, ours: Place<'a>) -> Bench<'a> {
    Bench {
        name,
        variant: Some(task.name()),
        what,
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: COMMAND_TURN,
        sample_limit: COMMANDS,
        rounds: COMMAND_ROUNDS,
        path: "on it: the whole command, from starting the process until it has ended: boot, loading the program from the warm \
               cache, its files by messages to the host service, computing. Not on it: compiling; disks (all is in the page \
               cache)",
        why_rival_is_slow: "a sandbox cannot beat native code of the same source by ten times: one of the two did not do \
            its work",
        requirements: vec![Requirement::AtMostTimes("coreutils-native", most)],
        published: &[],
        ours,
        rivals: vec![Box::new(NativeCoreutils::new(task))],
    }
}

fn files<'a>(task: Task, what: &'static str, ours: Place<'a>) -> Bench<'a> {
    command("unix-files", task, what, 1.5, ours)
}

pub(super) fn wc_small(ours: Place<'_>) -> Bench<'_> {
    files(Task::WcSmall, "whole command: `wc` of 10,000 files of 2 KiB", ours)
}

pub(super) fn sha256sum_small(ours: Place<'_>) -> Bench<'_> {
    files(Task::Sha256Small, "whole command: `sha256sum` of 10,000 files of 2 KiB", ours)
}

pub(super) fn wc_large(ours: Place<'_>) -> Bench<'_> {
    files(
        Task::WcLarge,
        "whole command: `wc` of one file of 256 MiB (not of 1 GB, so that the bench stays short)",
        ours,
    )
}

pub(super) fn sha256sum_large(ours: Place<'_>) -> Bench<'_> {
    files(
        Task::Sha256Large,
        "whole command: `sha256sum` of one file of 256 MiB (not of 1 GB, so that the bench stays short)",
        ours,
    )
}

pub(super) fn sort(ours: Place<'_>) -> Bench<'_> {
    command(
        "unix-compute",
        Task::Sort,
        "whole command: `sort -n` of 30 MB of numbers (not of 100 MB, so that the bench stays short)",
        1.6,
        ours,
    )
}

pub(super) fn run(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "unix-run",
        variant: None,
        what: "whole command: `hallows run` of a WASI program that says hello, cache warm, until it has ended",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: COMMAND_TURN,
        sample_limit: STARTS,
        rounds: COMMAND_ROUNDS,
        path: "on it: fork and exec, booting kernel, engine and the host service, loading the program from the warm cache, its \
               life, the machine's end. Not on it: compiling",
        why_rival_is_slow: "the command is a large executable that sets up a general WASI host, in a process that Linux \
            has to make first",
        requirements: vec![Requirement::AtMost(Statistic::P50, START_LIMIT_NS)],
        published: &[],
        ours,
        rivals: vec![Box::new(WasmtimeRun::until_end()), Box::new(StaticHello)],
    }
}
