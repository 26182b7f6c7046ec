//! Curves as a picture: one file, nothing from elsewhere, readable on light and dark.

use std::fmt::Write;

use super::plot::{Plot, Span, Unit};
use crate::sweep::Report;

/// The picture and its drawing area.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 56.0;
/// Colours that are told apart by nearly everybody (Okabe and Ito, "Color Universal Design", 2008).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#a0522d"];
/// The least between two names at the right.
const LINE: f64 = 16.0;

/// The picture of a sweep's slowdowns, as a file of its own. Without curves it says so.
#[must_use]
pub fn svg(report: &Report) -> String {
    let plot = Plot::of_slowdowns(report);
    let title = format!("{} ({} arrivals): {}", report.service, report.arrivals, plot.title);
    picture(
        &Plot { title, ..plot },
        " xmlns=\"http://www.w3.org/2000/svg\" font-family=\"system-ui, sans-serif\" font-size=\"13\"",
        "<style>svg { background: #fff; color: #222 } text { fill: currentColor } \
         @media (prefers-color-scheme: dark) { svg { background: #16181d; color: #ddd } }</style>\n",
    )
}

/// The picture of a plot, as a part of a page, which gives it its looks.
#[must_use]
pub fn svg_in_page(plot: &Plot) -> String {
    picture(plot, "", "")
}

fn picture(plot: &Plot, attributes: &str, style: &str) -> String {
    let mut out = format!(
        "<svg{attributes} viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">\n{style}\
         <title>{title}</title>\n<text x=\"{LEFT}\" y=\"30\" font-size=\"15\">{title}</text>\n",
        title = escaped(&plot.title)
    );
    // Writing to a String cannot fail, here and below.
    match plot.span() {
        Some(span) => draw(&mut out, plot, &span),
        None => _ = writeln!(out, "<text x=\"{LEFT}\" y=\"{TOP}\">nothing was measured</text>"),
    }
    out += "</svg>\n";
    out
}

fn draw(out: &mut String, plot: &Plot, span: &Span) {
    let x = |at: f64| LEFT + span.across(at) * (WIDTH - LEFT - RIGHT);
    let y = |value: f64| HEIGHT - BOTTOM - span.up(value) * (HEIGHT - TOP - BOTTOM);
    let right = WIDTH - RIGHT;
    let times = if plot.unit == Unit::Times { "×" } else { "" };
    for decade in span.decades.0..=span.decades.1 {
        let (value, height) = (plot.unit.axis(10f64.powi(decade)), y(10f64.powi(decade)));
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{height:.1}\" y2=\"{height:.1}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>"
        );
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}{times}</text>",
            LEFT - 8.0,
            height + 4.0
        );
    }
    if let Some(bound) = plot.bound.map(y) {
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bound:.1}\" y2=\"{bound:.1}\" stroke=\"currentColor\" stroke-dasharray=\"2 4\"/>"
        );
    }
    let mut marks: Vec<f64> =
        plot.curves.iter().flat_map(|curve| curve.points.iter().map(|(at, _)| *at)).collect();
    marks.sort_by(f64::total_cmp);
    marks.dedup();
    // As many as have room.
    let step = marks.len().div_ceil(10).max(1);
    for at in marks.iter().step_by(step) {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{at}</text>",
            x(*at),
            HEIGHT - BOTTOM + 20.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        (LEFT + right) / 2.0,
        HEIGHT - 12.0,
        escaped(&plot.across)
    );
    let mut names: Vec<(f64, &str, &str)> = Vec::new();
    for (curve, colour) in plot.curves.iter().zip(COLOURS.iter().cycle()) {
        if curve.points.is_empty() {
            continue;
        }
        let points: Vec<String> =
            curve.points.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let dash = if curve.is_model { " stroke-dasharray=\"6 4\"" } else { "" };
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            points.join(" ")
        );
        if !curve.is_model {
            for (at, value) in &curve.points {
                let _ = writeln!(
                    out,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"><title>{}: {} at {at}</title></circle>",
                    x(*at),
                    y(*value),
                    escaped(&curve.name),
                    plot.unit.exact(*value)
                );
            }
        }
        if let Some((_, last)) = curve.points.last() {
            names.push((y(*last), &curve.name, colour));
        }
    }
    // Names beside the ends of their curves, moved apart where they would touch.
    names.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = TOP;
    for (wanted, name, colour) in names {
        let height = wanted.max(free);
        free = height + LINE;
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{:.1}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>",
            right + 10.0,
            height - 5.0
        );
        let _ =
            writeln!(out, "<text x=\"{}\" y=\"{:.1}\">{}</text>", right + 26.0, height + 4.0, escaped(name));
    }
}

/// A text as HTML and in quoted attributes.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::tests::report;

    #[test]
    fn the_picture_has_every_curve_and_nothing_from_elsewhere() {
        let mut report = report();
        report.service = "trace:<a&\"b\">".to_owned();
        let picture = svg(&report);
        assert_eq!(picture.matches("<polyline").count(), 3);
        assert_eq!(picture.matches("stroke-dasharray=\"6 4\"").count(), 1, "models are dashed");
        assert!(picture.contains("trace:&lt;a&amp;&quot;b&quot;&gt;") && !picture.contains("<a&"));
        assert!(!picture.replace("http://www.w3.org/2000/svg", "").contains("http"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }

    #[test]
    fn without_curves_the_picture_says_so() {
        let mut report = report();
        report.participants.clear();
        assert!(svg(&report).contains("nothing was measured"));
    }
}
