//! `hallows demo`: what it is good for, beside Linux's own servers.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use hallows_bench::report::colour::Colour;
use hallows_demo::report::{html, json, text};
use hallows_demo::{Asked, DemoError, Observer, Own, Placement, Plan, contenders, demonstrate};
use hallows_load::{Data, LoadError, Protocol};

use crate::cli::{Demo, Tail};
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::jitter::stops::Stops;
use crate::ours::key_values;
use crate::systems;

/// Runs a demonstration.
///
/// # Errors
/// When what is asked makes no sense, nobody can be measured, or a signal wants an end.
pub fn demo(command: &Demo) -> Result<u8, Failure> {
    match command {
        Demo::Tail(options) => tail(options),
    }
}

fn tail(options: &Tail) -> Result<u8, Failure> {
    let cores = options.cores.as_ref().map(|cores| cores.iter().map(|core| core.0 as usize).collect());
    let asked = Asked {
        contenders: cores,
        generator: options.generator_core,
        neighbour: options.neighbour.map(|neighbour| neighbour.0),
    };
    let placement = Placement::of(&asked).map_err(failure)?;
    let all =
        contenders(ours(&placement), &options.with, &options.contenders, &placement).map_err(failure)?;
    let plan = Plan {
        data: Data { keys: options.keys, value_bytes: options.value_bytes },
        slow: options.slow / 100.0,
        connections: options.connections,
        depth: options.pipeline,
        arrivals: options.arrivals,
        loads: options.loads.clone(),
        requests: options.requests,
        seconds: options.seconds,
        rounds: options.rounds,
        seed: options.seed,
        placement,
        tools: !options.no_tools,
    };
    plan.check().map_err(failure)?;
    // Written before anything is measured: what was measured is not lost.
    if let Some(path) = &options.html {
        write(path, "")?;
    }
    let stops =
        Stops::take().map_err(|error| Failure::other(SOFTWARE, format!("cannot take signals: {error}")))?;
    let stop = || stops.come().is_some();
    let done = demonstrate(&plan, &all, &command_line(), &mut Observer { tell: &mut tell, stop: &stop });
    clear();
    if let Some(signal) = stops.come() {
        let code = u8::try_from(128 + signal).unwrap_or(u8::MAX);
        return Err(Failure::other(code, "interrupted; all that was started has been ended"));
    }
    let report = done.map_err(failure)?;
    if let Some(path) = &options.html {
        write(path, &html(&report))?;
    }
    let said = if options.json { json(&report) + "\n" } else { text(&report, Colour::for_stdout()) };
    match io::stdout().lock().write_all(said.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::other(SOFTWARE, error)),
        _ => Ok(0),
    }
}

/// How ours is started: a machine of this executable on the contenders' cores, the first of them for what looks after time, if there are several.
fn ours(placement: &Placement) -> Result<Own, String> {
    if systems::text(key_values::SYSTEM).is_none() {
        return Err(format!(
            "this build of hallows has no system '{}' (hallows list); bring a server of your own with --with NAME=COMMAND",
            key_values::SYSTEM
        ));
    }
    let executable =
        std::env::current_exe().map_err(|error| format!("this executable cannot be found: {error}"))?;
    let (housekeeping, programs) = match placement.contenders.split_first() {
        Some((first, rest)) if !rest.is_empty() => (*first, rest.to_vec()),
        _ => (placement.contenders[0], placement.contenders.clone()),
    };
    let programs: Vec<_> = programs.iter().map(ToString::to_string).collect();
    let words = std::iter::once(executable.display().to_string()).chain(key_values::arguments(
        "{port}",
        &programs.join(","),
        &housekeeping.to_string(),
    ));
    Ok(Own { name: "ours".to_owned(), words: words.collect(), protocol: Protocol::Resp })
}

/// This command, as it was typed.
fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let joined = shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "));
    format!("hallows {joined}")
}

fn failure(error: DemoError) -> Failure {
    let code = match &error {
        DemoError::Argument(_) | DemoError::Load(LoadError::Argument(_)) => USAGE,
        _ => SOFTWARE,
    };
    Failure::other(code, error)
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))
}

/// Says on a terminal what is being done.
fn tell(step: &str) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K{step}");
    }
}

/// Takes that away.
fn clear() {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
