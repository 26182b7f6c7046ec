//! Quantities as people read them, the same in every command.

use std::fmt::Write;

use hallows_abi::Printable;
use hallows_linux::host::control::protocol::CellState;

/// A time in the largest unit that leaves a number of at least one.
pub fn duration(nanoseconds: u64) -> String {
    let mut value = nanoseconds as f64 / 1_000.0;
    let mut unit = 0;
    let units = ["us", "ms", "s"];
    while value >= 1_000.0 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    // No zeroes behind a whole number: it reads as it was written.
    let text = format!("{value:.1}");
    format!("{}{}", text.strip_suffix(".0").unwrap_or(&text), units[unit])
}

/// Bytes in the largest unit that leaves a number of at least one.
pub fn size(bytes: u64) -> String {
    let units = ["B", "K", "M", "G", "T"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{value:.1}{}", units[unit]) }
}

/// A latency in three digits: `51ns`, `3.2us`, `12ms`.
pub fn latency(nanoseconds: u64) -> String {
    if nanoseconds < 1_000 { format!("{nanoseconds}ns") } else { duration(nanoseconds) }
}

/// A count in three digits and a thousand's letter: `950`, `12.5k`, `3.1M`.
pub fn count(value: f64) -> String {
    let units = ["", "k", "M", "G"];
    let (mut value, mut unit) = (value, 0);
    while value >= 1_000.0 && unit + 1 < units.len() {
        value /= 1_000.0;
        unit += 1;
    }
    if unit == 0 && (value.fract() == 0.0 || value >= 100.0) {
        format!("{value:.0}")
    } else {
        format!("{value:.1}{}", units[unit])
    }
}

/// A text of several lines that comes from a machine, with nothing in it that a terminal obeys but the ends of lines, and tabulators.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for part in text.split_inclusive(['\n', '\t']) {
        let end = part.len() - usize::from(part.ends_with(['\n', '\t']));
        let (words, end) = part.split_at(end);
        let _ = write!(shown, "{}{end}", Printable(words));
    }
    shown
}

/// What a cell does, in a word.
pub const fn state(state: CellState) -> &'static str {
    match state {
        CellState::Running => "running",
        CellState::Ready => "ready",
        CellState::Waiting => "waiting",
        CellState::Throttled => "throttled",
        CellState::Restarting => "restarting",
        CellState::Ended => "ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_keep_their_lines_and_drive_no_terminal() {
        assert_eq!(plain("one\n\ttwo\nthree"), "one\n\ttwo\nthree");
        assert_eq!(plain("a\u{1b}[2J\r\n\u{9b}"), "a\\u{1b}[2J\\r\n\\u{9b}");
        assert_eq!(plain(""), "");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(0), "0B");
        assert_eq!(size(1023), "1023B");
        assert_eq!(size(1536), "1.5K");
        assert_eq!(size(256 << 20), "256.0M");
    }

    #[test]
    fn counts_and_latencies_are_short() {
        let counts = [0.0, 0.5, 7.0, 123.4, 1_000.0, 12_500.0, 3_100_000.0].map(count);
        assert_eq!(counts, ["0", "0.5", "7", "123", "1.0k", "12.5k", "3.1M"]);
        assert_eq!([51, 999, 3_200, 12_000_000].map(latency), ["51ns", "999ns", "3.2us", "12ms"]);
    }
}
