//! The benches of starting and keeping: programs, cells, the machine itself.

use std::num::NonZeroU32;
use std::time::Duration;

use super::{Place, ROUNDS, SAMPLE_LIMIT};
use crate::bench::{Bench, BoxedContestant};
use crate::requirement::{Requirement, Statistic};
use crate::rivals::{PosixSpawn, Program, Starts, WasmtimeRun};
use crate::samples::Unit;
use crate::turn::Sampling;

/// Linux starts a process in some hundred microseconds: a thousand samples and more.
const SPAWN_TURN: Duration = Duration::from_millis(400);
/// Lives per sample of the sustained rate: so many that stock, cleaning and reuse are all in it.
const SUSTAINED_LIVES: NonZeroU32 = NonZeroU32::new(100).unwrap();
/// A boot takes milliseconds; thirty give a median.
const BOOTS: usize = 30;
/// Long enough for that many.
const BOOT_TURN: Duration = Duration::from_secs(2);
/// 64 KiB.
const CELL_LIMIT_BYTES: f64 = 65_536.0;
/// 10 ms.
const BOOT_LIMIT_NS: f64 = 10_000_000.0;

const WHY_PROCESSES_START_SLOWLY: &str = "a process gets an address space of its own: page tables, mappings, page faults \
    for its first instructions, credentials, a process number, accounting; and all of it is taken down again. Ours \
    takes a prepared slot from stock, and its isolation was paid for when it was compiled";

/// The fastest process that there can be, which the requirement is about, and an ordinary one for orientation.
fn spawning_rivals<'a>(starts: Starts) -> Vec<BoxedContestant<'a>> {
    vec![
        Box::new(PosixSpawn::new(starts, Program::Bare)),
        Box::new(PosixSpawn::new(starts, Program::WithLibc)),
    ]
}

pub(super) fn spawn(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "spawn",
        variant: None,
        what: "from asking for a warm program, from stock, to its first call",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: SPAWN_TURN,
        sample_limit: SAMPLE_LIMIT,
        rounds: ROUNDS,
        path: "on it: taking an instance from stock (or making one, where the cleaner did not keep up), its capabilities, \
               budget and stack, entering the program, its first call. Not on it: loading and compiling (the program is \
               warm), making and dropping instances and cleaning slots on the second core: bursts of 64 starts wait for the \
               stock between them (the sustained figure waits for nothing)",
        why_rival_is_slow: WHY_PROCESSES_START_SLOWLY,
        requirements: vec![
            Requirement::AtMost(Statistic::P50, 5_000.0),
            Requirement::TimesFasterThan("posix-spawn-static", 100.0),
        ],
        published: &[],
        ours,
        rivals: spawning_rivals(Starts::UntilFirstInstruction),
    }
}

pub(super) fn spawn_sustained(ours: Place<'_>) -> Bench<'_> {
    Bench {
        variant: Some("sustained"),
        what: "a whole life of a warm program, start to cleaned slot, one after another on one core",
        sampling: Sampling::MeanOf(SUSTAINED_LIVES),
        path: "on it: everything of a start, the program's end, cleaning its slot for the next one. Not on it: loading and \
               compiling",
        requirements: vec![Requirement::PerSecond(50_000.0)],
        rivals: spawning_rivals(Starts::Sustained),
        ..spawn(ours)
    }
}

pub(super) fn cells(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "cells",
        variant: None,
        what: "memory of each of 10,000 cells alive at once, beside the cell's own linear memory",
        unit: Unit::Bytes,
        sampling: Sampling::Single,
        turn_budget: Duration::from_secs(1),
        sample_limit: 1,
        rounds: 3,
        path: "on it: kernel objects, capability space, instance, stack and slot bookkeeping, as resident memory gained \
               divided by cells. Not on it: pages of the programs' own memories",
        why_rival_is_slow: "",
        requirements: vec![Requirement::AtMost(Statistic::Max, CELL_LIMIT_BYTES)],
        published: &[],
        ours,
        rivals: Vec::new(),
    }
}

pub(super) fn boot(ours: Place<'_>) -> Bench<'_> {
    Bench {
        name: "boot",
        variant: None,
        what: "from starting the process to the first call of the first program, cache warm",
        unit: Unit::Nanoseconds,
        sampling: Sampling::Single,
        turn_budget: BOOT_TURN,
        sample_limit: BOOTS,
        rounds: 3,
        path: "on it: fork and exec, claiming cores, booting kernel and engine, loading the program from the warm cache, its \
               first byte through a pipe. Not on it: compiling; populating memory, which goes on in the background",
        why_rival_is_slow: "the command is a large executable that sets up a general WASI host, in a process that Linux \
            has to make first",
        requirements: vec![Requirement::AtMost(Statistic::P50, BOOT_LIMIT_NS)],
        published: &[],
        ours,
        rivals: vec![Box::new(WasmtimeRun::default())],
    }
}
