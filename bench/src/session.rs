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
    session_with_lines(benches, plan, format, output, &mut |_| ())
}

/// [`session`], which also hands on each report as a line of JSON without its newline: what [`crate::report::html::page`] is made from.
///
/// # Errors
/// As [`session`].
pub fn session_with_lines(
    benches: Vec<Bench<'_>>,
    plan: &Plan,
    format: Format,
    output: &mut dyn Write,
    lines: &mut dyn FnMut(&str),
) -> Result<bool, BenchError> {
    let written = "write a report";
    let clock = Clock::calibrate()?;
    let environment = Environment::observe(&plan.cores, &clock)?;
    if format != Format::Json {
        write!(output, "{environment}").map_err(BenchError::system(written))?;
    }
    let environment = environment.to_string().trim().replace('\n', " · ");
    let mut all_met = true;
    for mut bench in benches {
        let outcome = run(&mut bench, plan, &clock, show);
        hide();
        all_met &= outcome.met;
        let line = json::line_from(&outcome, Some(&environment));
        lines(&line);
        let report = match format {
            Format::Json => line + "\n",
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
