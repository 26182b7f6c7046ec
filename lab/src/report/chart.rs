//! Curves in a terminal: a letter for each point.

use super::plot::Plot;
use crate::sweep::Report;

/// Characters across and lines up.
const WIDTH: usize = 64;
const HEIGHT: usize = 18;

/// The chart of a sweep's slowdowns, a line at a time; `None` if there is nothing to draw.
#[must_use]
pub fn chart(report: &Report) -> Option<Vec<String>> {
    chart_of(&Plot::of_slowdowns(report))
}

/// The chart of a plot, a line at a time; `None` if there is nothing to draw.
#[must_use]
pub fn chart_of(plot: &Plot) -> Option<Vec<String>> {
    let span = plot.span()?;
    let mut grid = vec![[' '; WIDTH]; HEIGHT];
    let line = |value: f64| HEIGHT - 1 - (span.up(value) * (HEIGHT - 1) as f64).round() as usize;
    if let Some(bound) = plot.bound {
        grid[line(bound)].fill('·');
    }
    let letters = letters(plot.curves.iter().map(|curve| curve.name.as_str()));
    for (curve, letter) in plot.curves.iter().zip(&letters) {
        for (at, value) in &curve.points {
            let column = (span.across(*at) * (WIDTH - 1) as f64).round() as usize;
            let place = &mut grid[line(*value)][column];
            *place = if matches!(place, ' ' | '·') { *letter } else { '+' };
        }
    }
    let bound = if plot.bound.is_some() { "; dots: the bound" } else { "" };
    let mut lines = vec![format!("{} ('+': several{bound})", plot.title)];
    let decades = span.decades.0..=span.decades.1;
    for (row, characters) in grid.iter().enumerate() {
        let mark = decades.clone().find(|decade| line(10f64.powi(*decade)) == row);
        let mark = mark.map_or(String::new(), |decade| plot.unit.axis(10f64.powi(decade)));
        let text: String = characters.iter().collect();
        lines.push(format!("{mark:>9} │{}", text.trim_end()));
    }
    lines.push(format!("{:>9} └{}", "", "─".repeat(WIDTH)));
    let (least, most) = span.ends();
    let (least, most) = (format!("{least}"), format!("{most}"));
    lines.push(format!("{:>11}{least}{most:>width$}", "", width = WIDTH.saturating_sub(least.len())));
    let names: Vec<_> = plot
        .curves
        .iter()
        .zip(&letters)
        .filter(|(curve, _)| !curve.points.is_empty())
        .map(|(curve, letter)| format!("{letter} {}", curve.name))
        .collect();
    lines.push(format!("{:>11}{}", "", names.join("   ")));
    Some(lines)
}

/// A letter for each name: one that it has, if nobody else has taken it.
fn letters<'n>(names: impl Iterator<Item = &'n str>) -> Vec<char> {
    let mut taken = Vec::new();
    for name in names {
        let own =
            name.chars().flat_map(|one| [one, one.to_ascii_uppercase()]).filter(char::is_ascii_alphabetic);
        let letter = own.chain('0'..='9').find(|letter| !taken.contains(letter)).unwrap_or('?');
        taken.push(letter);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::tests::report;

    #[test]
    fn every_curve_has_its_letter_at_its_points_and_axes_say_what_they_span() {
        let lines = chart(&report()).expect("a chart");
        let all = lines.join("\n");
        for expected in ["p99.9", "o ours", "f fcfs", "F fcfs-model", "1000", "0.2", "0.8"] {
            assert!(all.contains(expected), "{expected}\n{all}");
        }
        assert_eq!(lines.len(), HEIGHT + 4);
        // High slowdowns are above low ones.
        let row = |letter| {
            lines
                .iter()
                .skip(1)
                .position(|line| line.split_once('│').is_some_and(|(_, text)| text.contains(letter)))
        };
        assert!(row('f') < row('o'), "{all}");
    }

    #[test]
    fn letters_are_never_the_same() {
        let names = ["ab", "ab", "ab", "ab", "b", "1"];
        let letters = letters(names.into_iter());
        assert_eq!(letters, ['a', 'A', 'b', 'B', '0', '1']);
    }
}
