//! The benches of Unix programs: calls of WASI, whole commands on files, computing, starting.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Place, ROUNDS, SAMPLE_LIMIT, SHORT_TURN};
use crate::bench::{Bench, BoxedContestant};
use crate::coreutils::Task;
use crate::requirement::Requirement;
use crate::rivals::{ClockGettime, NativeCoreutils, NativeProgram, StaticHello, WasmtimeRun, WriteNull};
use crate::samples::Unit;
use crate::turn::Sampling;
use crate::unix_programs::Script;

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
/// How many times as long as the native program what computes may take.
const COMPUTE_MOST: f64 = 1.6;
/// A start may take 10 ms more than the rival's.
const START_MORE_NS: f64 = 10_000_000.0;

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

/// A whole command, beside the same natively.
fn command<'a>(
    (name, variant): (&'static str, &'static str),
    what: &'static str,
    most: f64,
    ours: Place<'a>,
    (rival_name, rival): (&'static str, BoxedContestant<'a>),
) -> Bench<'a> {
    Bench {
        name,
        variant: Some(variant),
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
        requirements: vec![Requirement::AtMostTimes(rival_name, most)],
        published: &[],
        ours,
        rivals: vec![rival],
    }
}

fn files<'a>(task: Task, what: &'static str, ours: Place<'a>) -> Bench<'a> {
    command(("unix-files", task.name()), what, 1.5, ours, coreutils(task))
}

fn coreutils<'a>(task: Task) -> (&'static str, BoxedContestant<'a>) {
    ("coreutils-native", Box::new(NativeCoreutils::new(task)))
}

pub(super) fn wc_small(ours: Place<'_>) -> Bench<'_> {
    files(Task::WcSmall, "whole command: `wc` of 10,000 files of 2 KiB", ours)
}

pub(super) fn sort_small(ours: Place<'_>) -> Bench<'_> {
    files(Task::SortSmall, "whole command: `sort` of all lines of 10,000 files of 2 KiB", ours)
}

pub(super) fn sha256sum_small(ours: Place<'_>) -> Bench<'_> {
    files(Task::Sha256Small, "whole command: `sha256sum` of 10,000 files of 2 KiB", ours)
}

pub(super) fn wc_large(ours: Place<'_>) -> Bench<'_> {
    files(
        Task::WcLarge,
        "whole command: `wc` of one file of 1 GiB (or of as many MiB as HALLOWS_BENCH_LARGE_MB says)",
        ours,
    )
}

pub(super) fn sha256sum_large(ours: Place<'_>) -> Bench<'_> {
    files(
        Task::Sha256Large,
        "whole command: `sha256sum` of one file of 1 GiB (or of as many MiB as HALLOWS_BENCH_LARGE_MB says)",
        ours,
    )
}

pub(super) fn sort(ours: Place<'_>) -> Bench<'_> {
    command(
        ("unix-compute", Task::Sort.name()),
        "whole command: `sort -n` of 100 MB of numbers (or of as many MB as HALLOWS_BENCH_SORT_MB says)",
        COMPUTE_MOST,
        ours,
        coreutils(Task::Sort),
    )
}

pub(super) fn script(script: Script, ours: Place<'_>) -> Bench<'_> {
    let what = match script {
        Script::LuaNBody => "whole command: Lua, floating-point numbers in tables (planets, 100,000 steps)",
        Script::LuaTrees => "whole command: Lua, binary trees made, walked and dropped",
        Script::LuaWords => "whole command: Lua, strings, patterns, sorting, errors that are caught",
        Script::SqliteMemory => "whole command: SQLite's shell, 200,000 rows put in and asked for, in memory",
        Script::SqliteFile => "whole command: SQLite's shell, 200,000 rows put in and asked for, in a file",
        Script::QuickJs => "whole command: QuickJS, objects, maps, sorting, JSON, errors that are caught",
    };
    let rival: BoxedContestant<'_> = Box::new(NativeProgram::new(script));
    command(("unix-compute", script.name()), what, COMPUTE_MOST, ours, ("native", rival))
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
        requirements: vec![Requirement::AtMostAbove("wasmtime-run", START_MORE_NS)],
        published: &[],
        ours,
        rivals: vec![Box::new(WasmtimeRun::until_end()), Box::new(StaticHello)],
    }
}
