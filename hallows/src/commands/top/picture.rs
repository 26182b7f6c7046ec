//! Rates as a table: plain, or on the whole terminal.

use std::fmt::Write;

use hallows_abi::Printable;
use hallows_linux::host::control::client::RunningMachine;
use hallows_linux::host::control::protocol::TimekeeperState;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Clear, Paragraph, Row, Table};

use super::rates::{CellRates, Rates};
use crate::cli::SortBy;
use crate::commands::show::{count, latency, size, state};

/// The columns: heading, width in characters, whether it is a number.
const COLUMNS: [(&str, u16, bool); 12] = [
    ("CELL", 5, true),
    ("NAME", 20, false),
    ("STATE", 10, false),
    ("CORE", 4, true),
    ("CPU%", 6, true),
    ("MEMORY", 8, true),
    ("CALLS/S", 8, true),
    ("ANSW/S", 8, true),
    ("P50", 8, true),
    ("P99", 8, true),
    ("RESTARTS", 8, true),
    ("FAULTS", 6, true),
];

const HELP: &str = "\
c  by processor time      s  by calls in a second
m  by memory              r  by restarts
n  by name                h  this help, on and off
q  end

CALLS/S are made, ANSW/S given. P50 and P99: half, and 99 of 100, of
the calls that a cell answered took no longer, as its callers saw
them; of a cell that only calls, of those that it made. They are
estimated from samples, to a quarter.";

/// How it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// Sorted by.
    pub sort: SortBy,
    /// With its help.
    pub help: bool,
}

fn fields(cell: &CellRates) -> [String; 12] {
    let dash = || "-".to_owned();
    [
        cell.cell.to_string(),
        Printable(&cell.name).to_string().chars().take(20).collect(),
        state(cell.state).to_owned(),
        cell.core.clone().unwrap_or_else(dash),
        format!("{:.1}", cell.percent),
        size(cell.memory_bytes),
        count(cell.calls_per_second),
        count(cell.answers_per_second),
        cell.p50_ns.map_or_else(dash, latency),
        cell.p99_ns.map_or_else(dash, latency),
        cell.restarts.to_string(),
        cell.faults.to_string(),
    ]
}

fn aligned(fields: &[String]) -> Vec<String> {
    let columns = fields.iter().zip(COLUMNS);
    let padded = columns.map(|(field, (_, width, is_number))| {
        let width = usize::from(width);
        if is_number { format!("{field:>width$}") } else { format!("{field:<width$}") }
    });
    padded.collect()
}

fn headings() -> Vec<String> {
    aligned(&COLUMNS.map(|(heading, ..)| heading.to_owned()))
}

/// The lines above the table.
fn summary(machine: &RunningMachine, rates: &Rates) -> Vec<String> {
    let memory = &rates.memory;
    let timekeeper = match rates.timekeeper {
        TimekeeperState::Sleeping => "sleeps",
        TimekeeperState::Spinning => "spins",
    };
    let mut lines = vec![format!(
        "machine {}: up {:.0} s, {} cells, {} calls/s, {} of {} memory, timekeeper {timekeeper} ({:.1} %)",
        machine.pid,
        rates.uptime_ns as f64 / 1e9,
        rates.cells.len(),
        count(rates.calls_per_second),
        size(memory.used_bytes),
        size(memory.budget_bytes),
        rates.timekeeper_percent,
    )];
    lines.extend(rates.cores.iter().map(|core| {
        format!(
            "core {:>3}: {:>5.1} % awake, {} waiting, {} switches/s, {}{}",
            core.core,
            core.percent,
            core.waiting,
            count(core.switches_per_second),
            if core.loans_per_second > 0.0 {
                format!("lent {} times/s, ", count(core.loans_per_second))
            } else {
                String::new()
            },
            core.running.as_ref().map_or_else(|| "idle".to_owned(), |cell| format!("runs {cell}")),
        )
    }));
    lines
}

/// As text.
pub fn plain(machine: &RunningMachine, rates: &Rates, sort: SortBy) -> String {
    let mut text = String::new();
    for line in summary(machine, rates) {
        let _ = writeln!(text, "{line}");
    }
    let rows = rates.sorted(sort).into_iter().map(|cell| aligned(&fields(cell)));
    for row in std::iter::once(headings()).chain(rows) {
        let _ = writeln!(text, "{}", row.join(" ").trim_end());
    }
    text
}

/// On the whole terminal.
pub fn draw(frame: &mut Frame<'_>, machine: &RunningMachine, rates: &Rates, shown: Shown) {
    let lines = summary(machine, rates);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let [top, middle, bottom] =
        Layout::vertical([Constraint::Length(height), Constraint::Min(1), Constraint::Length(1)])
            .areas(frame.area());
    frame.render_widget(Paragraph::new(lines.into_iter().map(Line::from).collect::<Vec<_>>()), top);
    let reversed = Style::new().add_modifier(Modifier::REVERSED);
    let rows = rates.sorted(shown.sort).into_iter().map(|cell| Row::new(aligned(&fields(cell))));
    let table = Table::new(rows, COLUMNS.map(|(_, width, _)| Constraint::Length(width)))
        .header(Row::new(headings()).style(reversed));
    frame.render_widget(table, middle);
    frame.render_widget(
        Line::from("h help  q end  sort: c cpu, s calls, m memory, r restarts, n name").style(reversed),
        bottom,
    );
    if shown.help {
        frame.render_widget(Clear, middle);
        frame.render_widget(Paragraph::new(HELP), middle);
    }
}
