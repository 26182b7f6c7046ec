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
use crate::ours::lab::Says;
use crate::ours::of_lab;

/// What a simulated core costs where ours is modelled, in ns: to go on with another program, and to stop one; what `preempt` measures on a
/// processor of 2025, halved.
const SWITCH_NS: u64 = 30;

/// Loads of a core that works here.
const LOADS: [f64; 10] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9];
/// Requests at each.
const REQUESTS: usize = 400_000;
/// Loads of simulated cores: where they still keep up, and one where they cannot.
const SIMULATED_LOADS: [f64; 4] = [0.5, 0.8, 0.9, 1.1];
/// Requests at each: as many as p99.9 needs.
const SIMULATED_REQUESTS: usize = 120_000;

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
    if !options.simulate.is_empty() {
        return simulate(options, &cores);
    }
    let plan = Plan {
        service: options.service.clone(),
        arrivals: options.arrivals,
        loads: options.loads.clone().unwrap_or_else(|| LOADS.to_vec()),
        requests: options.requests.unwrap_or(REQUESTS),
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
    say(&if options.json { json(&report) + "\n" } else { text(&report, "ours", Colour::for_stdout()) })
}

/// Has our kernel work on machines of many simulated cores.
fn simulate(options: &Lab, cores: &Cores) -> Result<u8, Failure> {
    let plan = hallows_scale::Plan {
        service: options.service.clone(),
        arrivals: options.arrivals,
        skew: options.skew,
        cores: options.simulate.clone(),
        loads: options.loads.clone().unwrap_or_else(|| SIMULATED_LOADS.to_vec()),
        requests: options.requests.unwrap_or(SIMULATED_REQUESTS),
        quantum_ns: options.quantum * 1_000,
        seed: options.seed,
    };
    plan.check().map_err(Failure::usage)?;
    if let Some(path) = &options.svg {
        write(path, "")?;
    }
    let calibration = match options.transfer {
        Some(nanoseconds) => hallows_scale::Calibration::with_transfer(f64::from(nanoseconds)),
        None => hallows_scale::calibrate(cores).map_err(|error| Failure::other(SOFTWARE, error))?,
    };
    let report = hallows_scale::sweep(&plan, calibration, |progress| {
        if io::stderr().is_terminal() {
            let hallows_scale::Progress { cores, load, done, of } = progress;
            let _ = write!(io::stderr(), "\r\x1b[K{done} of {of}: {cores} cores at load {load}");
        }
    });
    clear();
    if let Some(path) = &options.svg {
        write(path, &hallows_scale::svg(&report))?;
    }
    let text = || hallows_scale::text(&report, Colour::for_stdout());
    say(&if options.json { hallows_scale::json(&report) + "\n" } else { text() })
}

fn say(report: &str) -> Result<u8, Failure> {
    match io::stdout().lock().write_all(report.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::other(SOFTWARE, error)),
        _ => Ok(0),
    }
}

fn contender(which: LabContender, options: &Lab) -> Result<Box<dyn Contender>, Failure> {
    let ours = |says| of_lab(options.quantum * 1_000, &options.service, says);
    Ok(match which {
        LabContender::Ours => Box::new(ours(Says::Nothing)?),
        LabContender::OursDeclared => Box::new(ours(Says::Times)?),
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
