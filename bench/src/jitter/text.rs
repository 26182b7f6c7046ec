//! A case for people.

use std::fmt::Write;

use super::advice::{Counts, Culprit};
use super::case::{Case, Row};
use super::distribution::Distribution;
use super::picture::picture;
use super::verdict::{FIGURES, figure_of, spread};
use crate::report::colour::{BOLD, Colour, DIM, GREEN, RED, YELLOW};
use crate::report::numbers::figure;
use crate::report::wrap::wrapped;
use crate::requirement::State;

/// Culprits that are told; `--json` has all.
const TOLD: usize = 10;

/// The report on a case, several lines with a newline each.
#[must_use]
pub fn report(case: &Case, colour: Colour) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(text, "{}  {}", colour.paint(BOLD, &case.title.to_string()), case.what());
    let conditions = format!(
        "in ns · core {} · {} turns each · missed: times that had passed when it got there",
        case.core, case.rounds
    );
    let _ = writeln!(text, "  {}", colour.paint(DIM, &conditions));
    write_rows(&mut text, case, colour);
    for verdict in case.verdicts() {
        let (code, word) = match verdict.state {
            State::Met => (GREEN, "met"),
            State::Missed => (RED, "MISSED"),
            State::Unverified => (YELLOW, "not verified"),
        };
        let reached = verdict.reached.map_or(String::new(), |ratio| format!(" ({}×)", figure(ratio)));
        let _ = writeln!(text, "  must reach {}: {}{reached}", verdict.requirement, colour.paint(code, word));
    }
    let _ = writeln!(text, "{}", wrapped("  path: ", case.path()));
    for line in &case.tier {
        let _ = writeln!(text, "{}", wrapped("  tier: ", line));
    }
    write_picture(&mut text, case, "how late, in logarithms of counts", Row::late, colour);
    write_gaps(&mut text, case, colour);
    write_culprits(&mut text, case, colour);
    text
}

/// How each contestant is set up, a line each.
#[must_use]
pub fn configurations(case: &Case) -> String {
    case.rows.iter().fold(String::new(), |mut text, row| {
        let head = format!("  {}: ", row.description.name);
        let _ = writeln!(text, "{}", wrapped(&head, &row.description.configuration));
        text
    })
}

fn write_rows(text: &mut String, case: &Case, colour: Colour) {
    let headings = FIGURES
        .map(|(name, _)| name.to_owned())
        .into_iter()
        .chain(["p99 of turns", "missed", "samples", "cores"].map(str::to_owned))
        .collect::<Vec<_>>();
    let rows: Vec<Option<Vec<String>>> = case.rows.iter().map(cells).collect();
    let width_of = |column: usize| {
        let cells = rows.iter().flatten().map(|cells| cells[column].chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width_of).collect();
    let names = case.rows.iter().map(|row| row.description.name.chars().count()).max().unwrap_or(0);
    let line = |name: &str, cells: &[String]| {
        cells
            .iter()
            .zip(&widths)
            .fold(format!("  {name:names$}"), |line, (cell, width)| format!("{line}  {cell:>width$}"))
    };
    let _ = writeln!(text, "{}", colour.paint(DIM, &line("", &headings)));
    for (row, cells) in case.rows.iter().zip(&rows) {
        let name = &row.description.name;
        let _ = match (&row.turns, cells) {
            (Err(why), _) => writeln!(text, "  {name:names$}  {}", colour.paint(YELLOW, why)),
            (Ok(_), Some(cells)) => writeln!(text, "{}", line(name, cells)),
            (Ok(_), None) => writeln!(text, "  {name:names$}  {}", colour.paint(DIM, "gaps only, below")),
        };
    }
}

/// The figures of who was late; nothing of who only has gaps.
fn cells(row: &Row) -> Option<Vec<String>> {
    let late = row.late();
    if late.total() == 0 {
        return None;
    }
    let shown = |value: Option<f64>| value.map_or("–".to_owned(), figure);
    let mut cells: Vec<String> = FIGURES.iter().map(|(_, share)| shown(figure_of(&late, *share))).collect();
    let turns = spread(row, Some(0.99));
    cells.push(turns.map_or("–".to_owned(), |(low, high)| format!("{}–{}", figure(low), figure(high))));
    cells.push(figure(row.missed() as f64));
    cells.push(figure(late.total() as f64));
    cells.push(row.description.cores_used.to_string());
    Some(cells)
}

fn write_picture(
    text: &mut String,
    case: &Case,
    what: &str,
    of: impl Fn(&Row) -> Distribution,
    colour: Colour,
) {
    let all: Vec<(&str, Distribution)> =
        case.rows.iter().map(|row| (row.description.name.as_str(), of(row))).collect();
    let named: Vec<(&str, &Distribution)> =
        all.iter().filter(|(_, one)| one.total() > 0).map(|(name, one)| (*name, one)).collect();
    let picture = picture(&named, colour);
    if !picture.is_empty() {
        let _ = write!(text, "  {}\n{picture}", colour.paint(DIM, what));
    }
}

fn write_gaps(text: &mut String, case: &Case, colour: Colour) {
    let mut any = false;
    for row in &case.rows {
        let (Some(gaps), Some(change)) = (row.gaps(), row.change()) else { continue };
        any = true;
        let name = &row.description.name;
        let seconds = change.seconds.max(f64::MIN_POSITIVE);
        let longest = figure(gaps.lengths.max_ns() / 1e3);
        let _ = write!(
            text,
            "  gaps of {name}: {} of 1 µs and more, the longest {longest} µs",
            figure(gaps.lengths.total() as f64)
        );
        if let Some(p50_ns) = gaps.lengths.at(0.5) {
            let _ = write!(text, ", half of them up to {} µs", figure(p50_ns / 1e3));
        }
        if let Some(lost_ns) = gaps.lost_ns {
            let _ = write!(text, "; {} % of the time", figure(lost_ns as f64 / seconds / 1e7));
        }
        if let Some(look_ns) = gaps.look_ns {
            let _ = write!(text, "; a look at the clock every {look_ns} ns otherwise");
        }
        text.push('\n');
    }
    if any {
        let of = |row: &Row| row.gaps().map(|gaps| gaps.lengths).unwrap_or_default();
        write_picture(text, case, "gaps of the time-stamp counter, in logarithms of counts", of, colour);
    }
}

/// What was counted while each of them ran, beside each other, and what to do about it.
fn write_culprits(text: &mut String, case: &Case, colour: Colour) {
    let measured: Vec<(&Row, Vec<Culprit>)> =
        case.rows.iter().filter(|row| !row.turns().is_empty()).map(|row| (row, case.culprits(row))).collect();
    let mut all: Vec<&Culprit> = Vec::new();
    for culprit in measured.iter().flat_map(|(_, culprits)| culprits) {
        if !all.iter().any(|known| known.name == culprit.name) {
            all.push(culprit);
        }
    }
    if measured.is_empty() {
        return;
    }
    if all.is_empty() {
        let _ = writeln!(text, "  on core {} nothing happened that Linux counts", case.core);
        return;
    }
    let title = format!("on core {}, as Linux counts it; of gaps, what it can be behind at most", case.core);
    let _ = writeln!(text, "  {}", colour.paint(DIM, &title));
    let told = &all[..all.len().min(TOLD)];
    let names = told.iter().map(|culprit| culprit.name.chars().count()).max().unwrap_or(0);
    let cells = |name: &str| -> Vec<String> {
        let of_row = |(_, culprits): &(&Row, Vec<Culprit>)| {
            culprits.iter().find(|one| one.name == name).map_or("–".to_owned(), amount)
        };
        measured.iter().map(of_row).collect()
    };
    let headings: Vec<String> = measured.iter().map(|(row, _)| row.description.name.clone()).collect();
    let lines: Vec<Vec<String>> = told.iter().map(|culprit| cells(&culprit.name)).collect();
    let width = |column: usize| {
        lines.iter().chain([&headings]).map(|cells| cells[column].chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headings.len()).map(width).collect();
    let line = |name: &str, cells: &[String]| {
        cells
            .iter()
            .zip(&widths)
            .fold(format!("    {name:names$}"), |line, (cell, width)| format!("{line}  {cell:>width$}"))
    };
    let _ = writeln!(text, "{}", colour.paint(DIM, &line("", &headings)));
    for (culprit, cells) in told.iter().zip(&lines) {
        let _ = writeln!(text, "{}", line(&culprit.name, cells));
    }
    if all.len() > TOLD {
        let _ = writeln!(text, "    and {} more, which --json has", all.len() - TOLD);
    }
    for culprit in told {
        let what = if culprit.what.is_empty() { String::new() } else { format!("{}. ", culprit.what) };
        let head = format!("    {}: ", culprit.name);
        let _ = writeln!(text, "{}", wrapped(&head, &format!("{what}{}.", culprit.advice)));
    }
}

fn amount(culprit: &Culprit) -> String {
    let Culprit { count, unit, per_second, of_gaps_at_most, .. } = culprit;
    let amount = match unit {
        Counts::Events => format!("{}/s", figure(*per_second)),
        Counts::HostEvents => format!("{} on the host", figure(*count as f64)),
        Counts::Microseconds => format!("{} ms", figure(*count as f64 / 1e3)),
    };
    let share =
        of_gaps_at_most.map_or(String::new(), |share| format!(" ≤ {} %", figure((share * 100.0).round())));
    amount + &share
}

#[cfg(test)]
mod tests {
    use super::super::case::tests::{case, row};
    use super::super::counters::{Change, Counted};
    use super::*;

    #[test]
    fn everything_that_a_reader_needs_is_there() {
        let mut case = case();
        case.rows.push(row("oslat", Err("not installed: `apt-get install rt-tests`")));
        if let Ok(turns) = &mut case.rows[0].turns {
            turns[0].change = Change {
                seconds: 5.0,
                interrupts: vec![Counted {
                    label: "36".to_owned(),
                    what: "virtio1-req.0".to_owned(),
                    count: 25,
                }],
                ..Change::default()
            };
        }
        let text = report(&case, Colour::Off);
        for part in [
            "jitter/isolated/sleeping/antagonist  how late a program is that sleeps until each 100 µs",
            "antagonist on core 0, the timekeeper's, which it shares",
            "p99.99",
            "100,001",
            "10,007–30,000",
            "must reach p50 below cyclictest: met",
            "must reach max below cyclictest: MISSED (2.2",
            "not installed: `apt-get install rt-tests`",
            "path: on it, ours: a look of the idle core",
            "tier: no tick",
            "20 µs  ",
            "█",
            "gaps of ours: 20 of 1 µs and more, the longest 5 µs",
            "on core 1, as Linux counts it",
            "ours cyclictest 36 4.17/s ≤ 100 % –",
            "36: virtio1-req.0. a device's:",
            "echo 0 > /proc/irq/36/smp_affinity_list",
        ] {
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let wanted = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains(&wanted), "'{part}' is missing in\n{text}");
        }
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn of_many_culprits_the_first_are_told() {
        let mut case = case();
        let line = |number: u64| Counted { label: number.to_string(), what: String::new(), count: number };
        let change = Change { seconds: 1.0, interrupts: (20..40).map(line).collect(), ..Change::default() };
        if let Ok(turns) = &mut case.rows[0].turns {
            turns[0].change = change;
        }
        assert!(report(&case, Colour::Off).contains("and 10 more, which --json has"));
    }
}
