//! `hallows lab`: tails under load.

use std::fs;
use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use hallows_bench::Cores;
use hallows_bench::report::colour::Colour;
use hallows_lab::report::{json, svg, text};
use hallows_lab::rivals::{Fcfs, Policy, Threads, TokioTasks};
use hallows_lab::{Bound, Contender, Costs, LabError, Model, Plan, Progress, sweep};

use crate::cli::{Lab, LabContender};
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::ours::of_lab;

/// What a simulated core costs where ours is modelled, in ns: to go on with another program, and to stop one; what `preempt` measures on a
/// processor of 2025, halved.
const SWITCH_NS: u64 = 30;

/// Runs a sweep.
///
/// # Errors
/// When what is asked makes no sense, or the host is unfit.
pub fn lab(options: &Lab) -> Result<u8, Failure> {
    let cores = match &options.cores {
        Some(cores) => Cores::parse(&cores.to_string()),
        None => Cores::default_pair(),
    }
    .map_err(|error| Failure::other(USAGE, error))?;
    let plan = Plan {
        service: options.service.clone(),
        arrivals: options.arrivals,
        loads: options.loads.clone(),
        requests: options.requests,
        rounds: options.rounds,
        seed: options.seed,
        worker: cores.first(),
        housekeeping: cores.second().map_err(|error| Failure::other(USAGE, error))?,
        bound: Bound { percent: options.percentile, slowdown: options.slowdown },
        costs: Costs { quantum_ns: options.quantum * 1_000, start_ns: SWITCH_NS, stop_ns: SWITCH_NS },
    };
    plan.check().map_err(failure)?;
    let models = models(&options.models)?;
    // Written before anything is measured: what was measured is not lost.
    if let Some(path) = &options.svg {
        write(path, "")?;
    }
    let asked =
        if options.contenders.is_empty() { LabContender::value_variants() } else { &options.contenders };
    let mut contenders = asked.iter().map(|one| contender(*one, options)).collect::<Result<Vec<_>, _>>()?;
    let report = sweep(&plan, &mut contenders, &models, tell).map_err(failure)?;
    clear();
    if let Some(path) = &options.svg {
        write(path, &svg(&report))?;
    }
    let mut output = io::stdout().lock();
    let written = if options.json {
        writeln!(output, "{}", json(&report))
    } else {
        output.write_all(text(&report, "ours", Colour::for_stdout()).as_bytes())
    };
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::other(SOFTWARE, error)),
        _ => Ok(0),
    }
}

fn contender(which: LabContender, options: &Lab) -> Result<Box<dyn Contender>, Failure> {
    Ok(match which {
        LabContender::Ours => Box::new(of_lab(options.quantum * 1_000, &options.service)?),
        LabContender::Fcfs => Box::new(Fcfs),
        LabContender::Tokio => Box::new(TokioTasks),
        LabContender::ThreadsFair => Box::new(Threads(Policy::Fair)),
        LabContender::ThreadsFifo => Box::new(Threads(Policy::Fifo)),
        LabContender::ThreadsRr => Box::new(Threads(Policy::RoundRobin)),
    })
}

/// The models of a list.
fn models(list: &str) -> Result<Vec<Model>, Failure> {
    if list == "none" {
        return Ok(Vec::new());
    }
    list.split(',').map(|name| name.parse().map_err(failure)).collect()
}

fn failure(error: LabError) -> Failure {
    let code = if matches!(error, LabError::Bench(_)) { SOFTWARE } else { USAGE };
    Failure::other(code, error)
}

fn write(path: &std::path::Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))
}

/// Says on a terminal what is being done.
fn tell(progress: &Progress<'_>) {
    if io::stderr().is_terminal() {
        let Progress { name, load, round, done, of } = progress;
        let _ = write!(io::stderr(), "\r\x1b[K{done} of {of}: {name} at load {load}, round {round}");
    }
}

/// Takes that away.
fn clear() {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
