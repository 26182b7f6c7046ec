//! `hallows ps`: what running machines do.

use std::io::{self, Write};

use hallows_abi::Printable;
use hallows_linux::host::control::client::{self, RunningMachine};
use hallows_linux::host::control::protocol::{
    CellStatus, MachineStatus, Request, Response, TimeStatus, TimekeeperState,
};
use hallows_linux::host::cores::TimekeeperPlace;
use hallows_linux::machine::plan::ClassPlan;

use super::show::{duration, size, state};
use super::stop::{directory, machine, refused};
use crate::cli::Ps;
use crate::failure::{Failure, SOFTWARE};

/// Asks and prints.
///
/// # Errors
/// When a machine does not answer, or nobody reads the output.
pub fn ps(options: Ps, output: &mut impl Write) -> Result<(), Failure> {
    let machines = match options.which.machine {
        Some(_) => vec![machine(options.which)?],
        None => client::list(&directory()?).map_err(refused)?,
    };
    if machines.is_empty() && !options.json {
        return writeln!(output, "no machine is running; `hallows run calculator` boots one").map_err(broken);
    }
    for machine in machines {
        let status = match client::ask(&machine, &Request::Ps).map_err(refused)? {
            Response::Machine(status) => status,
            Response::Failed { error } => return Err(Failure::other(SOFTWARE, error)),
            other => return Err(Failure::other(SOFTWARE, format!("the machine answered {other:?}"))),
        };
        if options.json {
            let line = serde_json::json!({ "pid": machine.pid, "machine": status });
            writeln!(output, "{line}").map_err(broken)?;
        } else {
            show(&machine, &status, output).map_err(broken)?;
        }
    }
    Ok(())
}

fn broken(error: io::Error) -> Failure {
    Failure::other(SOFTWARE, format!("cannot write: {error}"))
}

/// The machine itself: tier, cores, memory, timekeeper.
pub fn heading(machine: &RunningMachine, status: &MachineStatus) -> String {
    let memory = &status.memory;
    let timekeeper = &status.timekeeper;
    format!(
        "machine {}: tier {}, programs on cores {}, up {:.1} s, {} of {} memory in use, {} taken from Linux{}\n\
         timekeeper on core {}{}: {}, takes {:.1} % of it now and has taken {:.1} % since boot; woken {} times\n",
        machine.pid,
        status.tier,
        status.cores,
        status.uptime_ns as f64 / 1e9,
        size(memory.used_bytes),
        size(memory.budget_bytes),
        size(memory.populated_bytes),
        if memory.is_locked { " and locked where programs have it" } else { ", not locked" },
        timekeeper.core,
        match timekeeper.place {
            TimekeeperPlace::OwnCore => " (Linux's)",
            TimekeeperPlace::WithPrograms => " (the programs')",
        },
        match timekeeper.state {
            TimekeeperState::Sleeping => "sleeping",
            TimekeeperState::Spinning => "spinning",
        },
        timekeeper.percent_now,
        timekeeper.percent_since_boot,
        timekeeper.wakeups,
    )
}

fn show(machine: &RunningMachine, status: &MachineStatus, output: &mut impl Write) -> io::Result<()> {
    output.write_all(heading(machine, status).as_bytes())?;
    writeln!(
        output,
        "{:>5}  {:<20} {:<10} {:>4} {:>10} {:>9} {:>9} {:>8}  NOTE",
        "CELL", "NAME", "STATE", "CORE", "CPU", "MEMORY", "LIMIT", "RESTARTS"
    )?;
    for cell in &status.cells {
        let line = format!(
            "{:>5}  {:<20} {:<10} {:>4} {:>9.3}s {:>9} {:>9} {:>8}  {}",
            cell.cell,
            Printable(&cell.name).to_string(),
            state(cell.state),
            cell.core.map_or_else(|| "-".to_owned(), |core| core.to_string()),
            cell.cpu_ns as f64 / 1e9,
            size(cell.memory_bytes),
            size(cell.memory_limit_bytes),
            cell.restarts,
            note(&status.cells, cell),
        );
        writeln!(output, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Others notice if a program runs on for so long after it was asked to stop: ten quanta.
const LONG_STRETCH_NS: u64 = 50_000;

/// What has become of a cell's time budget, whom it waits for, and how it last failed.
pub fn note<'a>(cells: impl IntoIterator<Item = &'a CellStatus>, cell: &CellStatus) -> String {
    let waits_for = cell.waits_for.map(|number| {
        let server = cells.into_iter().find(|cell| cell.cell == number);
        format!(
            "waits for {}",
            server.map_or_else(|| number.to_string(), |server| Printable(&server.name).to_string())
        )
    });
    let failed = cell.last_fault.as_ref().map(|fault| format!("last fault: {}", Printable(fault)));
    let class = match cell.class {
        ClassPlan::Latency => None,
        ClassPlan::Batch => Some("batch".to_owned()),
        ClassPlan::RealTime if cell.missed_deadlines == 0 => Some("real-time".to_owned()),
        ClassPlan::RealTime => Some(format!("real-time, missed {} deadlines", cell.missed_deadlines)),
    };
    let stretch = (cell.longest_stretch_ns >= LONG_STRETCH_NS)
        .then(|| format!("ran on for {} when asked to stop", duration(cell.longest_stretch_ns)));
    class
        .into_iter()
        .chain(stretch)
        .chain(cell.time.map(|time| budget(&time)))
        .chain(waits_for)
        .chain(failed)
        .collect::<Vec<_>>()
        .join("; ")
}

/// A time budget in a few words: used, of how much in which period, what it owes, how often it stood still.
fn budget(time: &TimeStatus) -> String {
    let debt = if time.debt_ns > 0 { format!(", owes {}", duration(time.debt_ns)) } else { String::new() };
    format!(
        "time {} of {} in {}{debt}, throttled {} times",
        duration(time.used_ns),
        duration(time.budget_ns),
        duration(time.period_ns),
        time.throttlings
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_budget_is_told_in_a_few_words() {
        let time = TimeStatus {
            budget_ns: 200_000,
            period_ns: 1_000_000,
            used_ns: 200_000,
            debt_ns: 0,
            throttled: true,
            throttlings: 12,
        };
        assert_eq!(budget(&time), "time 200us of 200us in 1ms, throttled 12 times");
        let indebted = TimeStatus { used_ns: 1_500, debt_ns: 2_340_000, ..time };
        assert_eq!(budget(&indebted), "time 1.5us of 200us in 1ms, owes 2.3ms, throttled 12 times");
    }
}
