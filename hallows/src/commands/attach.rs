//! `hallows`, `hallows attach`, `hallows detach`: monitors of machines.

use std::io::Write;

use hallows_linux::host::control::client;
use hallows_linux::host::control::protocol::{Request, Response};

use super::launch::{self, Launched};
use super::stop::{machine, refused};
use crate::cli::{Attach, Detach, MachineOptions};
use crate::failure::{Failure, SOFTWARE};
use crate::monitor::{self, Ownership};
use crate::unix::Directory;

/// Boots the default system and opens its monitor; the exit code.
///
/// # Errors
/// When it does not boot, or no longer answers.
pub fn open(options: &MachineOptions, directories: &[Directory]) -> Result<u8, Failure> {
    match launch::default_system(options, directories)? {
        Launched::Running(machine, said, leash) => {
            let _ = std::io::stderr().write_all(said.as_bytes());
            monitor::run(&machine, Ownership::Owner, || leash.let_go())
        }
        Launched::Ended(code) => Ok(code),
    }
}

/// Opens the monitor of a machine that runs; the exit code.
///
/// # Errors
/// When there is none, or it no longer answers.
pub fn attach(options: Attach) -> Result<u8, Failure> {
    monitor::run(&machine(options.which)?, Ownership::Guest, || {})
}

/// Detaches all monitors of a machine.
///
/// # Errors
/// When there is no such machine, or it does not answer.
pub fn detach(options: Detach, output: &mut impl Write) -> Result<(), Failure> {
    let machine = machine(options.which)?;
    match client::ask(&machine, &Request::Detach { monitor: None }).map_err(refused)? {
        Response::Detached { monitors } => {
            let what = match monitors {
                0 => "no monitor was attached".to_owned(),
                1 => "1 monitor detached".to_owned(),
                several => format!("{several} monitors detached"),
            };
            writeln!(output, "{what}; machine {} goes on", machine.pid)
                .map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))
        }
        Response::Failed { error } => Err(Failure::other(SOFTWARE, error)),
        other => Err(Failure::other(SOFTWARE, format!("the machine answered {other:?}"))),
    }
}
