//! The pictures: SVG in the page's own colours.

use std::fmt::Write;

use super::escaped;
use super::record::{Figures, Line};
use crate::report::numbers::figure;

/// Width of a picture in its own units; the page scales it.
const WIDTH: f64 = 960.0;
/// Where names end and the scale begins.
const LEFT: f64 = 220.0;
/// Where the scale ends; medians stand behind it.
const RIGHT: f64 = 860.0;
const ROW: f64 = 30.0;
const TOP: f64 = 12.0;
/// Room below the rows for the scale's numbers.
const AXIS: f64 = 34.0;
/// Names longer than this would run into the scale.
const LONGEST_NAME: usize = 30;
/// Height of the distribution's plot.
const PLOT: f64 = 260.0;
/// Lines of different look; more contestants than that repeat them.
const LOOKS: usize = 6;

/// A scale from figures to a length: logarithmic, as contestants differ by thousands; straight if a figure is zero.
struct Scale {
    low: f64,
    high: f64,
    is_logarithmic: bool,
    from: f64,
    to: f64,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let (low, high) = finite
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        let is_logarithmic = low > 0.0;
        let (low, high) =
            if is_logarithmic { (low / 1.15, high * 1.15) } else { (0.0, high.max(1.0) * 1.05) };
        Self { low, high, is_logarithmic, from, to }
    }

    fn at(&self, value: f64) -> f64 {
        let part = if self.is_logarithmic {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + part.clamp(0.0, 1.0) * (self.to - self.from)
    }

    /// Figures to write beside it: 1, 2, 5 of each power of ten, fewer where they would not fit.
    fn marks(&self) -> Vec<f64> {
        if !self.is_logarithmic {
            return (0..=5).map(|part| self.high / 1.05 * f64::from(part) / 5.0).collect();
        }
        let decades = (self.high / self.low).log10();
        let steps: &[f64] = match decades {
            decades if decades < 1.5 => &[1.0, 2.0, 3.0, 5.0, 7.0],
            decades if decades < 3.0 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let all = (first..=last).flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)));
        all.filter(|mark| (self.low..=self.high).contains(mark)).collect()
    }
}

/// Every contestant on one scale.
pub(super) fn overview(line: &Line) -> String {
    let rows: Vec<(&str, Option<&Figures>, &str)> = line
        .contestants()
        .map(|(one, _)| {
            (one.name.as_str(), one.figures.as_ref(), one.unavailable.as_deref().unwrap_or("no figures"))
        })
        .collect();
    let all = rows.iter().filter_map(|(_, figures, _)| *figures);
    let values = all.flat_map(|figures| {
        [figures.p50_spread[0], figures.p50_spread[1], figures.p50, figures.p99, figures.p99_9, figures.max]
    });
    let scale = Scale::over(values, LEFT, RIGHT);
    let bottom = TOP + ROW * rows.len() as f64;
    let mut svg =
        begin(bottom + AXIS, &format!("{}: ours beside its rivals, in {}", line.title(), line.unit));
    for mark in scale.marks() {
        let x = scale.at(mark);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        );
        let _ = writeln!(
            svg,
            "<text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            bottom + 16.0,
            figure(mark)
        );
    }
    let _ = writeln!(
        svg,
        "<text class=\"unit\" x=\"{RIGHT}\" y=\"{:.1}\">{}</text>",
        bottom + 30.0,
        escaped(&line.unit)
    );
    for (number, (name, figures, why)) in rows.iter().enumerate() {
        let y = TOP + ROW * (number as f64 + 0.5);
        let look = if line.ours.is_some() && number == 0 { "ours" } else { "rival" };
        let _ = writeln!(
            svg,
            "<g class=\"{look}\"><text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 12.0,
            y + 4.5,
            short(name)
        );
        match figures {
            Some(figures) => row(&mut svg, &scale, y, name, figures),
            None => {
                let _ = writeln!(
                    svg,
                    "<text class=\"absent\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    LEFT + 6.0,
                    y + 4.5,
                    escaped(why)
                );
            }
        }
        svg += "</g>\n";
    }
    svg + "</svg>\n"
}

fn row(svg: &mut String, scale: &Scale, y: f64, name: &str, figures: &Figures) {
    let [low, high] = figures.p50_spread.map(|value| scale.at(value));
    let (p50, p99, p99_9, max) =
        (scale.at(figures.p50), scale.at(figures.p99), scale.at(figures.p99_9), scale.at(figures.max));
    let _ = writeln!(
        svg,
        "<title>{}: p50 {}, p99 {}, p99.9 {}, max {}</title>",
        escaped(name),
        figure(figures.p50),
        figure(figures.p99),
        figure(figures.p99_9),
        figure(figures.max)
    );
    let _ = writeln!(svg, "<line class=\"tail\" x1=\"{p50:.1}\" y1=\"{y}\" x2=\"{max:.1}\" y2=\"{y}\"/>");
    for (x, half) in [(p99, 6.0), (p99_9, 4.5), (max, 3.0)] {
        let _ = writeln!(
            svg,
            "<line class=\"tick\" x1=\"{x:.1}\" y1=\"{:.1}\" x2=\"{x:.1}\" y2=\"{:.1}\"/>",
            y - half,
            y + half
        );
    }
    let _ = writeln!(
        svg,
        "<rect class=\"spread\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"8\" rx=\"2\"/>",
        low.min(p50),
        y - 4.0,
        (high.max(p50) - low.min(p50)).max(2.0)
    );
    let _ = writeln!(svg, "<circle class=\"median\" cx=\"{p50:.1}\" cy=\"{y}\" r=\"5\"/>");
    let _ = writeln!(
        svg,
        "<text class=\"value\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        WIDTH - 4.0,
        y + 4.5,
        figure(figures.p50)
    );
}

/// What share of the samples is at most how much: the share in nines, so that the tail has room. `None` where the report has no distribution.
pub(super) fn distribution(line: &Line) -> Option<String> {
    let curves: Vec<(usize, &str, &Figures)> = line
        .contestants()
        .enumerate()
        .filter_map(|(number, (one, _))| Some((number, one.name.as_str(), one.figures.as_ref()?)))
        .filter(|(_, _, figures)| figures.quantiles.len() > 1 && figures.samples > 1)
        .collect();
    if curves.is_empty() {
        return None;
    }
    let values = curves.iter().flat_map(|(_, _, figures)| figures.quantiles.iter().map(|[_, value]| *value));
    let bottom = TOP + PLOT;
    let scale = Scale::over(values, bottom, TOP);
    let (left, right) = (96.0, 720.0);
    // Nines: 90 % is one, 99 % two. Beyond five are a handful of samples.
    let across =
        |share: f64| left + (-(1.0 - share).max(1e-5).log10() / 5.0).clamp(0.0, 1.0) * (right - left);
    let mut svg =
        begin(bottom + AXIS, &format!("{}: what share of the samples is at most how much", line.title()));
    for (share, name) in [
        (0.0, "0 %"),
        (0.5, "50 %"),
        (0.9, "90 %"),
        (0.99, "99 %"),
        (0.999, "99.9 %"),
        (0.9999, "99.99 %"),
        (1.0, "all"),
    ] {
        let x = across(share);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\"/>"
        );
        let _ = writeln!(svg, "<text class=\"mark\" x=\"{x:.1}\" y=\"{:.1}\">{name}</text>", bottom + 16.0);
    }
    for mark in scale.marks() {
        let y = scale.at(mark);
        let _ =
            writeln!(svg, "<line class=\"grid\" x1=\"{left}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>");
        let _ = writeln!(
            svg,
            "<text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            left - 8.0,
            y + 4.0,
            figure(mark)
        );
    }
    for (number, _, figures) in &curves {
        let points: Vec<String> = figures
            .quantiles
            .iter()
            .map(|[share, value]| format!("{:.1},{:.1}", across(*share), scale.at(*value)))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline class=\"curve {}\" points=\"{}\"/>",
            look(line, *number),
            points.join(" ")
        );
    }
    for (place, (number, name, _)) in curves.iter().enumerate() {
        let y = TOP + 10.0 + 22.0 * place as f64;
        let _ = writeln!(
            svg,
            "<line class=\"curve {}\" x1=\"{:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\"/>",
            look(line, *number),
            right + 18.0,
            right + 46.0
        );
        let _ = writeln!(
            svg,
            "<text class=\"key\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            right + 54.0,
            y + 4.5,
            short(name)
        );
    }
    Some(svg + "</svg>\n")
}

/// The look of a contestant's line.
fn look(line: &Line, number: usize) -> String {
    if line.ours.is_some() && number == 0 { "ours".to_owned() } else { format!("look{}", number % LOOKS) }
}

fn begin(height: f64, label: &str) -> String {
    format!("<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{}\">\n", escaped(label))
}

/// A name that fits.
fn short(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return escaped(name);
    }
    let begin: String = name.chars().take(LONGEST_NAME - 1).collect();
    escaped(&begin) + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_keeps_order_and_stays_inside() {
        for values in [vec![3.0, 40.0, 2_000_000.0], vec![0.0, 5.0], vec![7.0], vec![]] {
            let scale = Scale::over(values.iter().copied(), 100.0, 200.0);
            let places: Vec<f64> = values.iter().map(|value| scale.at(*value)).collect();
            assert!(
                places.is_sorted() && places.iter().all(|place| (100.0..=200.0).contains(place)),
                "{places:?}"
            );
            let marks = scale.marks();
            assert!(marks.len() <= 12 && marks.is_sorted(), "{marks:?}");
            assert!(values.len() < 2 || marks.len() >= 2, "{marks:?}");
        }
    }

    #[test]
    fn a_scale_that_grows_upwards_turns_the_values_around() {
        let scale = Scale::over([1.0, 100.0].into_iter(), 200.0, 100.0);
        assert!(scale.at(1.0) > scale.at(10.0) && scale.at(10.0) > scale.at(100.0));
    }
}
