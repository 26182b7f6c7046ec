//! An outcome as a table for people.

use std::fmt::Write;

use super::colour::{BOLD, Colour, DIM, GREEN, RED, YELLOW};
use super::json::our_cycles;
use super::numbers::figure;
use super::wrap::wrapped;
use crate::outcome::{Entry, Outcome, Ratio};
use crate::requirement::State;
use crate::samples::Unit;
use crate::turn::Sampling;

/// Columns behind the name.
const HEADINGS: [&str; 7] = ["p50", "p99", "p99.9", "max", "p50 of turns", "ours is faster", "cores"];

/// The report on an outcome, several lines with a newline each.
#[must_use]
pub fn table(outcome: &Outcome, colour: Colour) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "{}  {}", colour.paint(BOLD, &outcome.title), outcome.what);
    let _ = writeln!(text, "  {}", colour.paint(DIM, &conditions(outcome)));

    let rows: Vec<(&Entry, Option<&Ratio>)> = outcome
        .ours
        .iter()
        .map(|ours| (ours, None))
        .chain(outcome.rivals.iter().map(|rival| (&rival.entry, rival.ratio.as_ref())))
        .collect();
    write_rows(&mut text, &rows, colour);

    for (entry, _) in &rows {
        if let Some(remark) = &entry.remark {
            let _ = writeln!(text, "{}", wrapped(&format!("  {}: ", entry.description.name), remark));
        }
    }
    if outcome.ours.is_none() {
        let _ = writeln!(text, "  {}", colour.paint(YELLOW, "ours: not measured in this run"));
    }
    for verdict in &outcome.verdicts {
        let (code, word) = match verdict.state {
            State::Met => (GREEN, "met"),
            State::Missed => (RED, "MISSED"),
            State::Unverified => (YELLOW, "not verified"),
        };
        let reached = verdict.reached.map_or(String::new(), |value| format!(" ({})", figure(value)));
        let _ = writeln!(text, "  must reach {}: {}{reached}", verdict.requirement, colour.paint(code, word));
    }
    for published in outcome.published {
        let ours =
            our_cycles(outcome).map_or(String::new(), |cycles| format!("; ours here: {}", figure(cycles)));
        let cycles = figure(f64::from(published.cycles));
        let line =
            format!("{} {cycles} cycles{ours} ({}; {})", published.name, published.what, published.source);
        let _ = writeln!(text, "{}", wrapped("  published: ", &line));
    }
    let _ = writeln!(text, "{}", wrapped("  path: ", outcome.path));
    if let Some(why) = outcome.why {
        let _ = writeln!(text, "{}", wrapped("  why the rival is slow: ", why));
    }
    text
}

/// How each contestant is set up, a line each.
#[must_use]
pub fn configurations(outcome: &Outcome) -> String {
    let entries = outcome.ours.iter().chain(outcome.rivals.iter().map(|rival| &rival.entry));
    entries.fold(String::new(), |mut text, entry| {
        let head = format!("  {}: ", entry.description.name);
        let _ = writeln!(text, "{}", wrapped(&head, &entry.description.configuration));
        text
    })
}

fn conditions(outcome: &Outcome) -> String {
    let sampling = match outcome.sampling {
        _ if outcome.unit != Unit::Nanoseconds => String::new(),
        Sampling::Single => {
            format!(
                " · each sample is one operation; {} ns of it are the clock's",
                figure(outcome.clock_cost_ns)
            )
        }
        Sampling::MeanOf(operations) => {
            format!(
                " · each sample is the mean of {operations} operations, so p99 and p99.9 are of such means"
            )
        }
    };
    format!("in {} · cores {} · {} turns each{sampling}", outcome.unit.name(), outcome.cores, outcome.rounds)
}

fn write_rows(text: &mut String, rows: &[(&Entry, Option<&Ratio>)], colour: Colour) {
    let name_width = rows.iter().map(|(entry, _)| entry.description.name.chars().count()).max().unwrap_or(0);
    let cells: Vec<Option<[String; 7]>> = rows.iter().map(|(entry, ratio)| cells(entry, *ratio)).collect();
    let mut widths = HEADINGS.map(|heading| heading.chars().count());
    for row in cells.iter().flatten() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }

    let mut heading = format!("  {:name_width$}", "");
    for (title, width) in HEADINGS.iter().zip(widths) {
        let _ = write!(heading, "  {title:>width$}");
    }
    let _ = writeln!(text, "{}", colour.paint(DIM, &heading));
    for ((entry, _), row) in rows.iter().zip(&cells) {
        let name = &entry.description.name;
        let mut line = format!("  {name:name_width$}");
        match (row, &entry.result) {
            (Some(row), _) => {
                for (cell, width) in row.iter().zip(widths) {
                    let _ = write!(line, "  {cell:>width$}");
                }
            }
            (None, Err(why)) => line.push_str(&format!("  {}", colour.paint(YELLOW, why))),
            (None, Ok(_)) => {}
        }
        let _ = writeln!(text, "{line}");
    }
}

fn cells(entry: &Entry, ratio: Option<&Ratio>) -> Option<[String; 7]> {
    let figures = entry.result.as_ref().ok()?;
    let (low, high) = figures.spread();
    let ratio = ratio.map_or(String::new(), |ratio| {
        format!("{}× ({}–{})", figure(ratio.ratio), figure(ratio.spread[0]), figure(ratio.spread[1]))
    });
    Some([
        figure(figures.p50),
        figure(figures.p99),
        figure(figures.p99_9),
        figure(figures.max),
        format!("{}–{}", figure(low), figure(high)),
        ratio,
        entry.description.cores_used.to_string(),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::tests::outcome;

    #[test]
    fn everything_that_a_reader_needs_is_in_the_table() {
        let text = table(&outcome(), Colour::Off);
        for part in [
            "example/one  the operation",
            "the mean of 32 operations",
            "cores 0,1",
            "40.1",
            "2,000",
            "49.9×",
            "not installed",
            "\n  pipe: half of it was lost\n",
            "must reach p50 ≤ 70 ns: met (40.1)",
            "faster than other: not verified",
            "published: seL4 1,294 cycles",
            "ours here: 100",
            "path: the path",
            "why the rival is slow: system calls",
        ] {
            assert!(text.contains(part), "'{part}' is missing in\n{text}");
        }
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn colour_adds_escapes_and_changes_no_word() {
        let (plain, coloured) = (table(&outcome(), Colour::Off), table(&outcome(), Colour::On));
        let mut stripped = String::new();
        for (index, part) in coloured.split('\x1b').enumerate() {
            stripped.push_str(if index == 0 {
                part
            } else {
                part.split_once('m').expect("an escape ends").1
            });
        }
        assert_ne!(plain, coloured);
        assert_eq!(plain, stripped);
    }
}
