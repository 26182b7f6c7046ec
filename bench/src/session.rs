//! A whole `hallows bench`: runs the chosen benches and writes a report on each as soon as it is done.

use std::io::{self, IsTerminal, Write};

use crate::bench::Bench;
use crate::clock::Clock;
use crate::environment::Environment;
use crate::error::BenchError;
use crate::report::colour::Colour;
use crate::report::{json, text};
use crate::run::{Plan, Progress, run};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// A head and a table for each bench.
    Table(Colour),
    /// The same, and how each contestant is set up.
    Detailed(Colour),
}

/// Runs the benches one after another; progress goes to standard error if that is a terminal.
///
/// Returns whether all of them were met.
///
/// # Errors
/// If the clock is unfit, `/proc` unreadable, or `output` refuses. A contestant's error is part of its report.
pub fn session(
    benches: Vec<Bench<'_>>,
    plan: &Plan,
    format: Format,
    output: &mut dyn Write,
) -> Result<bool, BenchError> {
    let written = "write a report";
    let clock = Clock::calibrate()?;
    if format != Format::Json {
        let environment = Environment::observe(&plan.cores, &clock)?;
        write!(output, "{environment}").map_err(BenchError::system(written))?;
    }
    let mut all_met = true;
    for mut bench in benches {
        let outcome = run(&mut bench, plan, &clock, show);
        hide();
        all_met &= outcome.met;
        let report = match format {
            Format::Json => json::line(&outcome) + "\n",
            Format::Table(colour) => format!("\n{}", text::table(&outcome, colour)),
            Format::Detailed(colour) => {
                format!("\n{}{}", text::table(&outcome, colour), text::configurations(&outcome))
            }
        };
        output
            .write_all(report.as_bytes())
            .and_then(|()| output.flush())
            .map_err(BenchError::system(written))?;
    }
    Ok(all_met)
}

/// Rewrites one line: erase it, then say whose turn it is.
fn show(progress: Progress) {
    if io::stderr().is_terminal() {
        let Progress { bench, contestant, round, rounds } = progress;
        eprint!("\r\x1b[K{bench}: {contestant}, turn {round} of {rounds}");
    }
}

fn hide() {
    if io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
}
