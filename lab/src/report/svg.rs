//! Curves as a picture: one file, nothing from elsewhere, readable on light and dark.

use std::fmt::Write;

use super::curves::Curves;
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

/// The picture. Without curves it says so.
#[must_use]
pub fn svg(report: &Report) -> String {
    let title = format!(
        "{} ({} arrivals): slowdown, p{}, over load",
        report.service, report.arrivals, report.bound.percent
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<style>svg {{ background: #fff; color: #222 }} text {{ fill: currentColor }} \
         @media (prefers-color-scheme: dark) {{ svg {{ background: #16181d; color: #ddd }} }}</style>\n\
         <title>{title}</title>\n<text x=\"{LEFT}\" y=\"30\" font-size=\"15\">{title}</text>\n",
        title = escaped(&title)
    );
    // Writing to a String cannot fail, here and below.
    match Curves::of(report) {
        Some(curves) => draw(&mut out, report, &curves),
        None => _ = writeln!(out, "<text x=\"{LEFT}\" y=\"{TOP}\">nothing was measured</text>"),
    }
    out += "</svg>\n";
    out
}

fn draw(out: &mut String, report: &Report, curves: &Curves<'_>) {
    let x = |load: f64| LEFT + curves.across(load) * (WIDTH - LEFT - RIGHT);
    let y = |slowdown: f64| HEIGHT - BOTTOM - curves.up(slowdown) * (HEIGHT - TOP - BOTTOM);
    let right = WIDTH - RIGHT;
    for decade in curves.decades.0..=curves.decades.1 {
        let (value, height) = (10f64.powi(decade), y(10f64.powi(decade)));
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{height:.1}\" y2=\"{height:.1}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>"
        );
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}×</text>",
            LEFT - 8.0,
            height + 4.0
        );
    }
    let bound = y(report.bound.slowdown);
    let _ = writeln!(
        out,
        "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bound:.1}\" y2=\"{bound:.1}\" stroke=\"currentColor\" stroke-dasharray=\"2 4\"/>"
    );
    let mut loads: Vec<f64> =
        curves.curves.iter().flat_map(|curve| curve.points.iter().map(|(load, _)| *load)).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    // As many as have room.
    let step = loads.len().div_ceil(10).max(1);
    for load in loads.iter().step_by(step) {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{load}</text>",
            x(*load),
            HEIGHT - BOTTOM + 20.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">load (1: all the time of the core)</text>",
        (LEFT + right) / 2.0,
        HEIGHT - 12.0
    );
    let mut names: Vec<(f64, &str, &str)> = Vec::new();
    for (curve, colour) in curves.curves.iter().zip(COLOURS.iter().cycle()) {
        let points: Vec<String> = curve
            .points
            .iter()
            .map(|(load, slowdown)| format!("{:.1},{:.1}", x(*load), y(*slowdown)))
            .collect();
        let dash = if curve.is_model { " stroke-dasharray=\"6 4\"" } else { "" };
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
            points.join(" ")
        );
        if !curve.is_model {
            for (load, slowdown) in &curve.points {
                let _ = writeln!(
                    out,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"><title>{}: {slowdown:.2}× at {load}</title></circle>",
                    x(*load),
                    y(*slowdown),
                    escaped(curve.name)
                );
            }
        }
        if let Some((_, last)) = curve.points.last() {
            names.push((y(*last), curve.name, colour));
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

fn escaped(text: &str) -> String {
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
