//! `hallows stop`, `hallows kill`, `hallows restore`: ending things and putting things back.

use hallows_linux::host::control::client::{self, ControlError, RunningMachine};
use hallows_linux::host::control::protocol::{CellSelector, Request, Response};
use hallows_linux::host::cores::Topology;
use hallows_linux::host::facts::HostFacts;
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::tier::{RestoreReport, restore_leftovers};

use crate::cli::{Kill, Stop, Which};
use crate::failure::{Failure, SOFTWARE, USAGE};

/// The machine that is meant.
pub(super) fn machine(which: Which) -> Result<RunningMachine, Failure> {
    client::choose(&directory()?, which.machine).map_err(refused)
}

pub(super) fn directory() -> Result<RuntimeDir, Failure> {
    RuntimeDir::of_this_user().map_err(|error| Failure::other(SOFTWARE, error))
}

pub(super) fn refused(error: ControlError) -> Failure {
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
    let cell = match options.cell.parse() {
        Ok(number) => CellSelector::Number(number),
        Err(_) => CellSelector::Name(options.cell.clone()),
    };
    client::ask(&machine, &Request::Kill { cell }).map_err(refused).and_then(done)
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
pub(super) fn restored(report: &RestoreReport) -> Vec<String> {
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

fn done(response: Response) -> Result<(), Failure> {
    match response {
        Response::Failed { error } => Err(Failure::other(USAGE, error)),
        _ => Ok(()),
    }
}
