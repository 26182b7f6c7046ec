//! The command: boots machines on cores taken from Linux, and talks to those that run.

mod cli;
mod commands;
mod compile;
mod embedded;
mod failure;
mod ours;
mod planner;
mod system;
mod systems;
mod unix;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use hallows_linux::host::child::machine_process;
use hallows_linux::machine::process;

use crate::cli::{Arguments, Command};
use crate::failure::{Failure, SOFTWARE, USAGE};

/// The machine could not be started.
const NOT_STARTED: u8 = 71;

fn main() -> ExitCode {
    // The machine process is this executable again; it reads no command line.
    if let Some(inherited) = machine_process() {
        let ended = inherited.map_err(|error| error.to_string()).and_then(|inherited| {
            process::run(inherited, embedded::NATIVES).map_err(|error| error.to_string())
        });
        return match ended {
            Ok(code) => ExitCode::from(code),
            Err(error) => {
                eprintln!("hallows: {error}");
                ExitCode::from(NOT_STARTED)
            }
        };
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors, and go where they can be piped.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    match act(arguments.command) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code)
        }
    }
}

fn act(command: Command) -> Result<u8, Failure> {
    let mut output = io::stdout().lock();
    let mut code = 0;
    let done = match command {
        Command::Run(options) => {
            drop(output);
            return commands::run::run(options);
        }
        Command::Bench(options) => {
            drop(output);
            return commands::bench::bench(&options);
        }
        Command::Interface(command) => {
            commands::interface::interface(&command, &mut output).map(|ended| code = ended)
        }
        Command::Probe(options) => commands::probe::probe(options, &mut output).map(|ended| code = ended),
        Command::Ps(options) => commands::ps::ps(options, &mut output),
        Command::Stop(options) => commands::stop::stop(options),
        Command::Kill(options) => commands::stop::kill(&options),
        Command::Restore => commands::stop::restore(),
        Command::Completions(options) => commands::manual::completions(options, &mut output)
            .map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}"))),
        Command::Man(options) => commands::manual::man(&options, &mut output),
        Command::List(options) => commands::list::list(options, &mut output)
            .map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}"))),
    };
    done?;
    output.flush().map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))?;
    Ok(code)
}
