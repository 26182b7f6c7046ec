//! RustHallows as a library: an executable of your own that *is* an operating system for your application.
//!
//! ```no_run
//! use hallows::{Access, Machine};
//!
//! fn main() -> Result<(), hallows::Error> {
//!     // First of all: the machine is this executable again, and this is where it begins.
//!     hallows::init(&[]);
//!     let ended = Machine::linux()
//!         .cores("1-3")
//!         .memory("2G")
//!         .program("search.wasm")
//!         .arguments(["--index", "/data/index"])
//!         .directory("/srv/index", "/data", Access::ReadOnly)
//!         .run()?;
//!     println!("{ended}");
//!     Ok(())
//! }
//! ```
//!
//! A machine is two processes: yours, which stays the parent (terminal, signals, puts the host back), and a fresh execution of the same
//! executable, which is the machine. So `main` runs twice. [`init`] tells the two apart: in the machine process it runs the machine and never
//! returns, so nothing behind it runs twice; in yours it returns at once. [`Machine::run`] refuses to start anything where [`init`] was not
//! called.
//!
//! The guide, with programs of your own linked in, is `docs/embedding.md`. The command `hallows` is this library, too: [`command`].

mod artifacts;
mod cli;
mod commands;
mod compile;
mod embedded;
mod embedding;
mod failure;
mod jitter;
mod monitor;
mod network;
mod ours;
mod payload;
mod planner;
mod policies;
mod process;
mod system;
mod systems;
mod unix;

/// The examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../docs/embedding.md")]
struct Guide;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Arguments, Command};
use crate::failure::{Failure, SOFTWARE, USAGE};

pub use embedding::{Access, Ended, Error, ErrorKind, Machine, Program, Tier};
pub use hallows_kernel::{Candidate, Policy};
pub use hallows_sdk::native::NativeProgram;
pub use process::{init, init_with};

/// The command `hallows`, from its arguments to its exit code. Call it first thing in `main`.
///
/// In an executable that `hallows build` made, it runs the application that the executable carries.
#[must_use]
pub fn command() -> ExitCode {
    init(&[]);
    let done = match payload::carried() {
        Ok(None) => match Arguments::try_parse() {
            Ok(Arguments { command: Some(command), .. }) => act(command),
            Ok(Arguments { machine, directories, .. }) => commands::attach::open(&machine, &directories),
            Err(error) => {
                // Help and version are no errors, and go where they can be piped.
                let _ = error.print();
                return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
            }
        },
        Ok(Some(application)) => application.run(std::env::args_os()),
        Err(failure) => Err(failure),
    };
    match done {
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
        Command::Attach(options) => {
            drop(output);
            return commands::attach::attach(options);
        }
        Command::Top(options) => {
            drop(output);
            return commands::top::top(options).map(|()| 0);
        }
        Command::Run(options) => {
            drop(output);
            return commands::run::run(options);
        }
        Command::Build(options) => commands::build::build(&options, &mut output),
        Command::Bench(options) => {
            drop(output);
            return commands::bench::bench(&options);
        }
        Command::Lab(options) => {
            drop(output);
            return commands::lab::lab(&options);
        }
        Command::Demo(command) => {
            drop(output);
            return commands::demo::demo(&command);
        }
        Command::Interface(command) => {
            commands::interface::interface(&command, &mut output).map(|ended| code = ended)
        }
        Command::Policy(command) => commands::policy::policy(&command, &mut output),
        Command::Probe(options) => commands::probe::probe(options, &mut output).map(|ended| code = ended),
        Command::Paths(options) => commands::paths::paths(&options, &mut output).map(|ended| code = ended),
        Command::Ps(options) => commands::ps::ps(options, &mut output),
        Command::Stop(options) => commands::stop::stop(options),
        Command::Kill(options) => commands::stop::kill(&options),
        Command::Restart(options) => commands::stop::restart(&options),
        Command::Detach(options) => commands::attach::detach(options, &mut output),
        Command::Restore => commands::stop::restore(),
        Command::New(options) => commands::new::new(&options, &mut output),
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
