//! `hallows stop`, `hallows kill`, `hallows restore`: ending things and putting things back.

use std::time::Duration;

use hallows_linux::host::control::client::{self, Connection, ControlError, RunningMachine};
use hallows_linux::host::control::protocol::{CellSelector, Request, Response};
use hallows_linux::host::cores::Topology;
use hallows_linux::host::facts::HostFacts;
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::tier::{RestoreReport, restore_leftovers};

use super::show::plain;
use crate::cli::{Kill, Restart, Stop, Which};
use crate::failure::{Failure, SOFTWARE, USAGE};

/// How long an answer may take that waits for cells to end and to run again: twice the machine's own patience, and some.
pub const LONGEST_CHANGE: Duration = Duration::from_secs(20);

/// The machine that is meant.
///
/// # Errors
/// When there is none, or it is not clear which.
pub fn machine(which: Which) -> Result<RunningMachine, Failure> {
    client::choose(&directory()?, which.machine).map_err(refused)
}

/// The folder of sockets and journal.
///
/// # Errors
/// When it cannot be made.
pub fn directory() -> Result<RuntimeDir, Failure> {
    RuntimeDir::of_this_user().map_err(|error| Failure::other(SOFTWARE, error))
}

/// A machine that cannot be asked, as a failure.
pub fn refused(error: ControlError) -> Failure {
    Failure::other(USAGE, error)
}

/// Ends a machine and waits for it.
///
/// # Errors
/// When there is no such machine, or it does not answer.
pub fn stop(options: Stop) -> Result<(), Failure> {
    let machine = machine(options.which)?;
    client::stop(&machine, None).map_err(refused).and_then(done)
}

/// Kills a cell.
///
/// # Errors
/// When there is no such machine or cell.
pub fn kill(options: &Kill) -> Result<(), Failure> {
    let machine = machine(options.which)?;
    client::ask(&machine, &Request::Kill { cell: cell(&options.cell) }).map_err(refused).and_then(done)
}

/// Begins a new life of a cell.
///
/// # Errors
/// When there is no such machine or cell, or it does not start.
pub fn restart(options: &Restart) -> Result<(), Failure> {
    let machine = machine(options.which)?;
    let request = Request::Restart { cell: cell(&options.cell) };
    let mut connection = Connection::open(&machine).map_err(refused)?;
    connection.ask_for(&request, &[], Some(LONGEST_CHANGE)).map_err(refused).and_then(done)
}

/// A cell by its number or its name.
pub fn cell(text: &str) -> CellSelector {
    text.parse().map_or_else(|_| CellSelector::Name(text.to_owned()), CellSelector::Number)
}

/// Puts back what killed machines left behind.
///
/// # Errors
/// When something cannot be put back.
pub fn restore() -> Result<(), Failure> {
    let directory = directory()?;
    let topology = Topology::read().map_err(|error| Failure::other(SOFTWARE, error))?;
    match restore_leftovers(&directory, &topology.online, HostFacts::read().kernel_version()) {
        Ok(Some(report)) => {
            for line in restored(&report) {
                println!("{line}");
            }
        }
        Ok(None) => println!("nothing to put back: no killed machine has left anything changed"),
        Err(error) => return Err(Failure::other(SOFTWARE, error)),
    }
    Ok(())
}

/// What was put back, for people; nothing if there is nothing to tell.
pub fn restored(report: &RestoreReport) -> Vec<String> {
    let mut lines = Vec::new();
    if report.restored > 0 {
        lines.push(format!("{} settings of this host have their old values again", report.restored));
    }
    if report.left_alone > 0 {
        lines
            .push(format!("{} settings were changed by somebody else meanwhile and stay", report.left_alone));
    }
    lines.extend(
        report
            .failures
            .iter()
            .map(|failure| format!("not put back: {failure} (`hallows restore` tries again)")),
    );
    lines
}

/// What came of a request that has nothing to show.
///
/// # Errors
/// What the machine says.
pub fn done(response: Response) -> Result<(), Failure> {
    match response {
        Response::Failed { error } => Err(Failure::other(USAGE, plain(&error))),
        _ => Ok(()),
    }
}
