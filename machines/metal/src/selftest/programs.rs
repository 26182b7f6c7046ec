//! Checks of kernel and engine on this machine: calls, traps, interruption, isolation.

use alloc::{format, string::String, vec::Vec};

use hallows_artifact::{Artifact, CpuFeatures, Platform, SealKey, Settings};
use hallows_kernel::{CellId, CellState};

use super::{Outcome, ensure, words};
use crate::{
    arch::clock,
    drive,
    image::Image,
    system::{Made, Serving, System},
};

/// The example program that serves, and the one that calls it.
const SERVER: &str = "calculator";
const CLIENT: &str = "calculator-client";

/// What the client says last; it has a line for each of its seven questions before.
const CLIENT_IS_CONTENT: &str = "answers, all of them right";

/// Drives the kernel until a cell is over, and gives what was logged meanwhile.
fn run_until_dead(system: &System, cell: CellId) -> Vec<String> {
    drive::run(system.kernel(), |kernel| kernel.state(cell) == CellState::Dead);
    system.kernel().machine.take_lines()
}

/// Makes a cell that serves nothing, starts it, and runs until it is over.
fn run_alone(system: &System, program: &str) -> Result<Vec<String>, String> {
    let made = system.make_cell(program, program, Serving::Nothing)?;
    system.start(made.cell, &[], &[])?;
    let lines = run_until_dead(system, made.cell);
    system.destroy(&made);
    Ok(lines)
}

pub fn a_program_computes(system: &System) -> Outcome {
    let lines = run_alone(system, "arithmetic")?;
    // An orderly end is not worth a line.
    ensure!(lines.is_empty(), "it ended with {lines:?}");
    Ok(String::from("floats, vectors, tables, data, growth"))
}

pub fn every_trap_ends_its_cell(system: &System) -> Outcome {
    let cases = [
        ("out-of-bounds", "accessed memory out of bounds"),
        ("unreachable", "reached an unreachable instruction"),
        ("divide-by-zero", "made an arithmetic error"),
        ("stack-overflow", "overflowed its stack"),
        ("null-call", "made a bad indirect call"),
    ];
    // Twice, because a trap that leaves something behind shows only then.
    for round in 0..2 {
        for (program, message) in cases {
            let lines = run_alone(system, program)?;
            let told = lines.first().is_some_and(|line| line.contains(program) && line.contains(message));
            ensure!(told && lines.len() == 1, "{program} in round {round} ended with {lines:?}");
            let lines = run_alone(system, "arithmetic")?;
            ensure!(lines.is_empty(), "after {program}, a sound program ended with {lines:?}");
        }
    }
    Ok(format!("{} kinds, twice", cases.len()))
}

pub fn a_passive_server_is_called(system: &System) -> Outcome {
    call_a_server(system, Serving::Passive)
}

pub fn an_active_server_is_called(system: &System) -> Outcome {
    call_a_server(system, Serving::Active)
}

fn call_a_server(system: &System, serving: Serving) -> Outcome {
    // Questions in a round of the client's, and rounds: enough that a slip in the hundredth call shows.
    const QUESTIONS: u64 = 7;
    const ROUNDS: u64 = 1000;
    let server = system.make_cell(SERVER, SERVER, serving)?;
    let client = system.make_cell(CLIENT, CLIENT, Serving::Nothing)?;
    system.start(server.cell, &[], &[])?;
    system.start(client.cell, &[&format!("rounds={ROUNDS}")], &[("calc", &server)])?;
    let start_ns = clock::now_ns();
    let lines = run_until_dead(system, client.cell);
    let nanoseconds = (clock::now_ns() - start_ns) / (QUESTIONS * ROUNDS);
    let content = lines.last().is_some_and(|line| line.contains(CLIENT_IS_CONTENT));
    ensure!(content, "the client ended with {lines:?}");
    ensure!(system.kernel().is_live(server.cell), "the server is over");
    system.destroy(&client);
    system.destroy(&server);
    Ok(format!("{} calls, {nanoseconds} ns each under emulation", QUESTIONS * ROUNDS))
}

pub fn an_endless_loop_shares_and_is_killed(system: &System) -> Outcome {
    let spin = system.make_cell("spin", "spin", Serving::Nothing)?;
    system.start(spin.cell, &[], &[])?;
    let neighbour = call_a_server(system, Serving::Passive)?;
    ensure!(system.kernel().is_live(spin.cell), "the loop ended by itself");
    system.kill(spin.cell);
    let lines = run_until_dead(system, spin.cell);
    ensure!(lines.iter().any(|line| line.contains("was killed")), "it ended with {lines:?}");
    system.destroy(&spin);
    Ok(format!("beside it: {neighbour}"))
}

/// Two programs that compute in floating point take turns, by the timer.
pub fn interrupts_bend_no_sum(system: &System) -> Outcome {
    let names = ["sum one", "sum two"];
    let sums: Vec<Made> =
        names.iter().map(|name| system.make_cell(name, "sum", Serving::Nothing)).collect::<Result<_, _>>()?;
    let switches = || system.kernel().picture_cores().iter().map(|core| core.switches).sum::<u64>();
    let before = switches();
    for made in &sums {
        system.start(made.cell, &[], &[])?;
    }
    let mut lines = Vec::new();
    for made in &sums {
        lines.extend(run_until_dead(system, made.cell));
        system.destroy(made);
    }
    let switches = switches() - before;
    ensure!(lines.is_empty(), "they ended with {lines:?}");
    ensure!(switches >= 10, "they were switched only {switches} times");
    Ok(format!("{switches} switches"))
}

pub fn a_damaged_archive_is_refused(image: Image) -> Outcome {
    let artifact = image.file("programs/arithmetic").map_err(words)?;
    let key: [u8; 32] = image.file("seal.key").map_err(words)?.try_into().map_err(words)?;
    let settings = Settings::new(Platform::Metal, CpuFeatures::BASELINE).map_err(words)?;
    let program = Artifact::inspect(artifact).map_err(words)?.header().program;
    let open = |bytes: &[u8], key: [u8; 32]| {
        Artifact::open(bytes, &SealKey::from_bytes(key), program, &settings).map(|_| ()).map_err(words)
    };
    open(artifact, key)?;
    let mut damaged = artifact.to_vec();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    ensure!(open(&damaged, key).is_err(), "a changed bit went unnoticed");
    ensure!(open(&artifact[..middle], key).is_err(), "half an artefact was taken for one");
    ensure!(open(artifact, [7; 32]).is_err(), "a foreign seal was accepted");
    let missing = image.file("programs/nonsense");
    ensure!(missing.is_err(), "a file that is not there was found");
    Ok(String::from("a changed bit, half an artefact, a foreign seal"))
}
