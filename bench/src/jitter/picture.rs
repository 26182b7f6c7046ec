//! Histograms beside each other, for a terminal: a line for each length, a bar for each contestant.

use std::fmt::Write;

use super::distribution::Distribution;
use crate::report::colour::{Colour, DIM};
use crate::report::numbers::figure;

/// The longest bar, in characters.
const WIDTH: usize = 24;
/// Room for the largest count behind it.
const COUNT: usize = 11;
/// Lengths up to which a line goes: 1, 2 and 5 of each power of ten from here on.
const FIRST_NS: u64 = 10;
/// Parts of a character, from an eighth to all of it.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A picture of some distributions, with a newline at the end of each line; nothing if all are empty.
///
/// A bar is as long as the logarithm of its count: one sample of a million must be seen.
pub(super) fn picture(named: &[(&str, &Distribution)], colour: Colour) -> String {
    let lines = lines(named);
    let largest = lines.iter().flat_map(|(_, counts)| counts).copied().max().unwrap_or(0);
    let mut text = String::new();
    if largest == 0 {
        return text;
    }
    let column = WIDTH + 1 + COUNT;
    let mut heading = format!("  {:>12}", "up to");
    for (name, _) in named {
        let name: String = name.chars().take(column).collect();
        let _ = write!(heading, "  {name:column$}");
    }
    let _ = writeln!(text, "{}", colour.paint(DIM, heading.trim_end()));
    for (up_to_ns, counts) in lines {
        let mut line = format!("  {:>12}", length(up_to_ns));
        for count in counts {
            let count_text = if count == 0 { String::new() } else { figure(count as f64) };
            let drawn = format!("{} {count_text}", bar(count, largest));
            let _ = write!(line, "  {drawn:column$}");
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The lines from the first to the last that has anything: the longest time of each, and how many each distribution has.
fn lines(named: &[(&str, &Distribution)]) -> Vec<(u64, Vec<u64>)> {
    let mut bounds = vec![0];
    let mut power = FIRST_NS;
    while bounds.last().is_some_and(|bound| named.iter().any(|(_, one)| one.max_ns() > *bound as f64)) {
        bounds.extend([power, 2 * power, 5 * power]);
        power = power.saturating_mul(10);
    }
    let of = |above_ns: u64, up_to_ns: u64| {
        // What took no time at all is in the first line.
        let zeros = |one: &Distribution| {
            if above_ns == 0 {
                one.counts().filter(|(time, _)| *time == 0).map(|(_, count)| count).sum()
            } else {
                0
            }
        };
        let counts: Vec<u64> =
            named.iter().map(|(_, one)| one.count_between(above_ns, up_to_ns) + zeros(one)).collect();
        (up_to_ns, counts)
    };
    let mut lines: Vec<(u64, Vec<u64>)> = bounds.windows(2).map(|pair| of(pair[0], pair[1])).collect();
    let is_empty = |line: &(u64, Vec<u64>)| line.1.iter().all(|count| *count == 0);
    while lines.last().is_some_and(is_empty) {
        lines.pop();
    }
    let first = lines.iter().position(|line| !is_empty(line)).unwrap_or(lines.len());
    lines.split_off(first)
}

/// A bar for a count. Even a single one is seen.
fn bar(count: u64, largest: u64) -> String {
    if count == 0 {
        return String::new();
    }
    let part = (count as f64).ln_1p() / (largest as f64).ln_1p();
    let eighths = ((part * (WIDTH * 8) as f64).round() as usize).clamp(1, WIDTH * 8);
    let mut bar = "█".repeat(eighths / 8);
    bar.extend(EIGHTHS.get((eighths % 8).wrapping_sub(1)));
    bar
}

/// A length with the unit that it reads best in.
pub(super) fn length(time_ns: u64) -> String {
    match time_ns {
        0..1_000 => format!("{time_ns} ns"),
        1_000..1_000_000 => format!("{} µs", time_ns / 1_000),
        1_000_000..1_000_000_000 => format!("{} ms", time_ns / 1_000_000),
        _ => format!("{} s", time_ns / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_each_length_and_a_bar_for_each_contestant() {
        let ours = Distribution::of([(0, 3), (9_500, 1_000_000), (4_000_000, 1)]);
        let other = Distribution::of([(21_000, 999)]);
        let text = picture(&[("ours", &ours), ("cyclictest", &other)], Colour::Off);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("up to  ours") && lines[0].contains("cyclictest"), "{text}");
        // From 10 ns to 5 ms: 1, 2, 5 of six powers of ten.
        assert_eq!(lines.len(), 1 + 18, "{text}");
        let find = |bound: &str| {
            let is =
                |line: &&str| line.trim_start().starts_with(&format!("{bound}  ")) || line.trim() == bound;
            let found = lines.iter().copied().find(is);
            found.unwrap_or_else(|| panic!("no {bound} in\n{text}"))
        };
        assert!(find("10 µs").ends_with(&format!("{} 1,000,000", "█".repeat(WIDTH))), "{text}");
        assert!(find("50 µs").ends_with("999"), "{text}");
        assert!(find("5 ms").contains("▏") || find("5 ms").contains('█'), "one of a million is seen: {text}");
        assert_eq!(find("2 µs").trim(), "2 µs");
        assert!(find("10 ns").ends_with(" 3"), "{text}");
    }

    #[test]
    fn bars_grow_with_counts_and_never_beyond_their_room() {
        let lengths: Vec<usize> =
            [1, 2, 10, 1_000, 99_999, 100_000].map(|count| bar(count, 100_000).chars().count()).to_vec();
        assert!(lengths.is_sorted() && lengths[5] == WIDTH, "{lengths:?}");
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(1, 1).chars().count(), WIDTH);
    }

    #[test]
    fn nothing_gives_no_picture() {
        assert_eq!(picture(&[("ours", &Distribution::default())], Colour::On), "");
    }
}
