//! Curves as a picture: requests done over cores beside what cores without costs would do; below it slowdowns over load.

use std::fmt::Write;

use super::{curves, machines, rate};
use crate::sweep::Report;

/// One of the two pictures, as large as the laboratory's, and its drawing area.
const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 190.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 56.0;
/// Told apart by nearly everybody (Okabe and Ito, "Color Universal Design", 2008).
const COLOURS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a7a", "#a0522d"];

/// The picture.
#[must_use]
pub fn svg(report: &Report) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n",
        2.0 * HEIGHT
    );
    throughput(&mut out, report);
    let _ = write!(
        out,
        "<svg y=\"{HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\">\n{}</svg>\n",
        slowdowns(report)
    );
    out += "</svg>\n";
    out
}

fn slowdowns(report: &Report) -> String {
    hallows_lab::report::svg(&curves::of(report))
}

/// Where a value is between two others on a logarithmic scale.
fn along(value: f64, (least, most): (f64, f64)) -> f64 {
    if most > least { (value / least).ln() / (most / least).ln() } else { 0.5 }
}

fn throughput(out: &mut String, report: &Report) {
    let title =
        format!("{}, {}: requests done in a second, over cores (dashed: ideal)", report.service, report.skew);
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        out,
        "<text x=\"{LEFT}\" y=\"30\" font-size=\"15\" fill=\"currentColor\">{}</text>",
        escaped(&title)
    );
    let machines = machines(report);
    let (Some(first), Some(last)) = (machines.first(), machines.last()) else { return };
    let spans = (f64::from(*first), f64::from(*last));
    let rates = || report.points.iter().flat_map(|point| [point.done_per_second, point.ideal_per_second]);
    let high = rates().fold(1.0, f64::max);
    let low = rates().filter(|rate| *rate > 0.0).fold(high, f64::min);
    let right = WIDTH - RIGHT;
    let x = |cores: u32| LEFT + along(f64::from(cores), spans) * (right - LEFT);
    let y = |rate: f64| HEIGHT - BOTTOM - along(rate.max(low), (low, high)) * (HEIGHT - TOP - BOTTOM);
    for cores in &machines {
        let _ = writeln!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"currentColor\">{cores}</text>",
            x(*cores),
            HEIGHT - BOTTOM + 20.0
        );
    }
    for value in [low, (low * high).sqrt(), high] {
        let height = y(value);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{right}\" y1=\"{height:.1}\" y2=\"{height:.1}\" stroke=\"currentColor\" stroke-opacity=\"0.2\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"currentColor\">{}</text>",
            LEFT - 8.0,
            height + 4.0,
            rate(value)
        );
    }
    let mut loads: Vec<f64> = report.points.iter().map(|point| point.load).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    for (place, load) in loads.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let points = || report.points.iter().filter(|point| point.load == *load);
        for (dash, value) in [
            ("", points().map(|point| (point.cores, point.done_per_second)).collect::<Vec<_>>()),
            (
                " stroke-dasharray=\"6 4\"",
                points().map(|point| (point.cores, point.ideal_per_second)).collect(),
            ),
        ] {
            let line: Vec<_> =
                value.iter().map(|(cores, rate)| format!("{:.1},{:.1}", x(*cores), y(*rate))).collect();
            let _ = writeln!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
                line.join(" ")
            );
        }
        let height = TOP + 18.0 * place as f64;
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{height}\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"currentColor\">load {load}</text>",
            right + 10.0,
            right + 26.0,
            height + 9.0
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn the_picture_has_a_curve_and_its_ideal_for_each_load_and_each_machine() {
        let mut report = report();
        report.service = "trace:<a&\"b\">".to_owned();
        let picture = svg(&report);
        // Two loads over cores, and two machines over loads.
        assert_eq!(picture.matches("<polyline").count(), 8);
        assert!(picture.contains("trace:&lt;a&amp;&quot;b&quot;&gt;") && !picture.contains("<a&"));
        assert!(!picture.replace("http://www.w3.org/2000/svg", "").contains("http"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }
}
