//! Tables of what a machine answers, for people. Whatever text is in them, programs may have chosen it: it is shown, and drives no terminal.

use std::fmt::Write;

use hallows_abi::Printable;
use hallows_linux::host::control::inspection::{
    CellStatistics, FaultRecord, Histogram, Inspection, Statistics,
};

use crate::commands::ps::note;
use crate::commands::show::{count, duration, latency, size, state};

/// The cells, one a line.
pub fn cells(statistics: &Statistics) -> String {
    let mut text = format!(
        "{:>5}  {:<20} {:<10} {:>4} {:>10} {:>9} {:>8} {:>8} {:>8} {:>6}  {}\n",
        "CELL", "NAME", "STATE", "CORE", "CPU", "MEMORY", "CALLS", "ANSWERS", "RESTARTS", "FAULTS", "NOTE"
    );
    for CellStatistics { status, calls, faults, is_system, .. } in &statistics.cells {
        let said = note(statistics.cells.iter().map(|cell| &cell.status), status);
        let system = if *is_system { "part of the system" } else { "" };
        let both = if said.is_empty() || system.is_empty() { "" } else { "; " };
        let line = format!(
            "{:>5}  {:<20} {:<10} {:>4} {:>9.3}s {:>9} {:>8} {:>8} {:>8} {:>6}  {system}{both}{said}",
            status.cell,
            shown(&status.name),
            state(status.state),
            status.core.map_or_else(|| "-".to_owned(), |core| core.to_string()),
            status.cpu_ns as f64 / 1e9,
            size(status.memory_bytes),
            count(calls.made as f64),
            count(calls.answered as f64),
            status.restarts,
            faults,
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// Endpoints, one a line.
pub fn endpoints(endpoints: &[String]) -> String {
    if endpoints.is_empty() {
        return "nobody here serves any\n".to_owned();
    }
    endpoints.iter().map(|endpoint| format!("{}\n", Printable(endpoint))).collect()
}

/// One cell.
pub fn inspection(inspection: &Inspection) -> String {
    let Inspection { cell, arguments, capability_count, recent_faults, .. } = inspection;
    let CellStatistics { status, calls, faults, serves, is_system } = cell;
    let mut text = format!("cell {} ({}): {}", status.cell, Printable(&status.name), state(status.state));
    if *is_system {
        text += ", a part of the system";
    }
    text += "\n";
    let none = || "-".to_owned();
    let list = |items: &[String]| if items.is_empty() { none() } else { items.join(", ") };
    let mut row = |what: &str, value: String| {
        let _ = writeln!(text, "  {what:<12} {}", Printable(&value));
    };
    row("arguments", list(arguments));
    row("serves", list(serves));
    row("core", status.core.map_or_else(none, |core| core.to_string()));
    row("time", format!("{} of processor time", duration(status.cpu_ns)));
    row("memory", format!("{} of at most {}", size(status.memory_bytes), size(status.memory_limit_bytes)));
    row("calls", format!("{} made{}", calls.made, latencies(&calls.made_ns)));
    row("answers", format!("{} given{}", calls.answered, latencies(&calls.answered_ns)));
    row(
        "lives",
        format!("{}, of which {faults} ended by a fault", status.restarts + u64::from(status.core.is_some())),
    );
    let said = note([], status);
    if !said.is_empty() {
        row("note", said);
    }
    let _ = writeln!(text, "  {capability_count} capabilities:");
    text += &capabilities(inspection);
    if !recent_faults.is_empty() {
        text += "  last faults:\n";
        recent_faults.iter().for_each(|one| text += &fault(one));
    }
    text
}

fn latencies(histogram: &Histogram) -> String {
    match (histogram.quantile_ns(0.5), histogram.quantile_ns(0.99)) {
        (Some(half), Some(most)) => {
            format!(", half of them within {}, 99 of 100 within {}", latency(half), latency(most))
        }
        _ => String::new(),
    }
}

/// As [`Printable`], and a text, which takes the width of a column.
fn shown(text: &str) -> String {
    Printable(text).to_string()
}

/// The capabilities of a cell, one a line.
pub fn capabilities(inspection: &Inspection) -> String {
    let mut text =
        format!("{:>8}  {:<14} {:<13} {:<22} {:<22} RIGHTS\n", "HANDLE", "NAME", "KIND", "OBJECT", "BADGE");
    for capability in &inspection.capabilities {
        let line = format!(
            "{:>8}  {:<14} {:<13} {:<22} {:<22} {}{}",
            capability.handle,
            shown(capability.name.as_deref().unwrap_or("-")),
            shown(&capability.kind),
            shown(&capability.object),
            capability.badge,
            shown(&capability.rights.join(" ")),
            if capability.stale { " (its object has ended)" } else { "" },
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let listed = inspection.capabilities.len() as u64;
    if listed < inspection.capability_count {
        let _ = writeln!(text, "{:>8}  and {} more", "", inspection.capability_count - listed);
    }
    text
}

/// A fault, with where it was.
pub fn fault(fault: &FaultRecord) -> String {
    let FaultRecord { uptime_ns, cell, name, life, reason, backtrace, .. } = fault;
    let mut text = format!(
        "{:>10.3}s  cell {cell} ({}), life {life}: {}\n",
        *uptime_ns as f64 / 1e9,
        Printable(name),
        Printable(reason)
    );
    for frame in backtrace {
        let _ = writeln!(text, "               {}", Printable(frame));
    }
    text
}

/// The answer to a message: its length and time, then as text if it is some, else in digits, sixteen bytes a line.
pub fn answer(hex: &str, took_ns: u64) -> String {
    let digit =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0);
    let bytes: Vec<u8> =
        hex.as_bytes().chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    let mut text = format!("{} bytes after {}\n", bytes.len(), latency(took_ns));
    let printable = |text: &str| text.chars().all(|character| !character.is_control() || character == '\n');
    match std::str::from_utf8(&bytes) {
        Ok("") => {}
        Ok(said) if printable(said) => {
            let _ = writeln!(text, "{said}");
        }
        _ => {
            for row in hex.as_bytes().chunks(32) {
                let pairs = row.chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
                let _ = writeln!(text, "0x {}", pairs.collect::<Vec<_>>().join(" "));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{FaultRecord, answer, fault};

    #[test]
    fn a_fault_drives_no_terminal_whatever_the_machine_says() {
        let record = FaultRecord {
            sequence: 1,
            uptime_ns: 1_000_000_000,
            cell: 7,
            name: "a\u{1b}c".to_owned(),
            life: 2,
            reason: "reached\nforged".to_owned(),
            backtrace: vec!["f\u{9b}2J + 0x1".to_owned()],
        };
        let expected =
            "     1.000s  cell 7 (a\\u{1b}c), life 2: reached\\nforged\n               f\\u{9b}2J + 0x1\n";
        assert_eq!(fault(&record), expected);
    }

    #[test]
    fn an_answer_is_text_where_it_is_some() {
        assert_eq!(answer("", 51), "0 bytes after 51ns\n");
        assert_eq!(answer("6869", 1_500), "2 bytes after 1.5us\nhi\n");
        assert_eq!(answer("0500000000000000", 51), "8 bytes after 51ns\n0x 05 00 00 00 00 00 00 00\n");
        assert_eq!(answer(&"ff".repeat(17), 51).lines().count(), 3);
    }
}
