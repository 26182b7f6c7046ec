//! The report for people.

use std::fmt::Write;

use hallows_bench::report::colour::{BOLD, Colour, DIM, GREEN, RED, YELLOW};

use super::{curves, machines, rate};
use crate::sweep::{Point, Report};

/// So much of what cores without costs would do is well.
const WELL: f64 = 0.95;
/// A line that is on its way for more of the time is what all wait for.
const SATURATED: f64 = 0.8;
/// So many fields are named, those with the most transfers.
const MOST_FIELDS: usize = 6;
/// What is touched less often than once in so many requests is not on their path.
const SELDOM: f64 = 0.01;

/// The report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        out,
        "{}  {} arrivals, {} over cores, {} requests at each load, a quantum of {} us, seed {}\n",
        colour.paint(BOLD, &report.service),
        report.arrivals,
        report.skew,
        report.requests,
        report.quantum_ns as f64 / 1e3,
        report.seed
    );
    for cores in machines(report) {
        let points: Vec<_> = report.points.iter().filter(|point| point.cores == cores).collect();
        let head = format!("{cores} cores, and one that looks after time");
        let _ = writeln!(out, "{}", colour.paint(BOLD, &head));
        table(&mut out, &points, colour);
        if let Some(point) = points.last() {
            lines(&mut out, point, colour);
        }
        out.push('\n');
    }
    if let Some(chart) = hallows_lab::report::chart(&curves::of(report)) {
        chart.iter().for_each(|line| _ = writeln!(out, "{line}"));
        out.push('\n');
    }
    costs(&mut out, report, colour);
    out
}

fn table(out: &mut String, points: &[&Point], colour: Colour) {
    let head = [
        "load",
        "offered",
        "done",
        "of ideal",
        "p99",
        "p99.9",
        "slowdown",
        "ideal",
        "kernel",
        "lines",
        "waiting",
        "transfers",
        "switches",
        "look",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    for point in points {
        let time = |ns: Option<f64>| ns.map_or_else(|| "–".to_owned(), |ns| format!("{:.1} us", ns / 1e3));
        let times = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.1}×"));
        rows.push([
            point.load.to_string(),
            rate(point.offered_per_second),
            rate(point.done_per_second),
            format!("{:.1} %", point.efficiency * 100.0),
            time(point.latency_ns[1]),
            time(point.latency_ns[2]),
            times(point.slowdown[2]),
            times(point.ideal_slowdown[2]),
            format!("{:.0} ns", point.kernel_ns),
            format!("{:.0} ns", point.transfers_ns),
            format!("{:.0} ns", point.queues_ns + point.locks_ns),
            format!("{:.2}", point.transfers_per_request),
            format!("{:.2}", point.switches_per_request),
            time(point.look_ns),
        ]);
    }
    let widths: Vec<usize> = (0..head.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}"));
        let line = format!("  {}", cells.collect::<Vec<_>>().join("  "));
        let efficiency =
            number.checked_sub(1).and_then(|place| points.get(place)).map(|point| point.efficiency);
        let line = match efficiency {
            None => colour.paint(DIM, &line),
            Some(efficiency) if efficiency < WELL => colour.paint(RED, &line),
            Some(_) => line,
        };
        let _ = writeln!(out, "{line}");
    }
    for point in points.iter().filter(|point| point.unfinished > 0) {
        let text = format!("  at load {} {} requests were not done", point.load, point.unfinished);
        let _ = writeln!(out, "{}", colour.paint(YELLOW, &text));
    }
}

/// What moved at the highest load, and whether anything is saturated.
fn lines(out: &mut String, point: &Point, colour: Colour) {
    let mut fields: Vec<_> = point.by_field.iter().collect();
    fields.sort_by(|one, other| other.1[0].total_cmp(&one.1[0]));
    let named: Vec<_> = fields
        .iter()
        .filter(|(_, counts)| counts[0] >= SELDOM)
        .take(MOST_FIELDS)
        .map(|(name, counts)| format!("{name} {:.2}", counts[0]))
        .collect();
    let named = if named.is_empty() { "none".to_owned() } else { named.join(", ") };
    let _ = writeln!(out, "  transfers for each request at load {}: {named}", point.load);
    let busy = format!(
        "  busiest line: {}, on its way for {:.0} % of the time",
        point.busiest_line,
        point.busiest_line_busy * 100.0
    );
    let code = if point.busiest_line_busy >= SATURATED { RED } else { GREEN };
    let _ = writeln!(out, "{}", colour.paint(code, &busy));
}

fn costs(out: &mut String, report: &Report, colour: Colour) {
    let found = &report.calibration;
    let ns = |ps: u64| ps as f64 / 1e3;
    let measured = if found.request_accesses > 0.0 {
        format!(
            "Measured on this host: one way of a line between two cores that write it in turns {:.0} ns, which is two transfers; a request without \
             work on one core {:.0} ns with {:.0} accesses; the clock {:.0} ns. ",
            found.one_way_ns, found.request_ns, found.request_accesses, found.clock_ns
        )
    } else {
        "Costs were given, not measured. ".to_owned()
    };
    let text = format!(
        "{measured}Charged: {:.1} ns for a cache line from another core, {:.2} ns for an access with the instructions around it. 'lines' and \
         'waiting': what of a request's core goes there, beside its own time. 'look': from one look of the timekeeper at all cores to the next; a program runs at \
         least that long.\nSimulated: the kernel's code decides and touches memory as on a machine; caches are without end, programs touch \
         no memory, and no core is further away than another.",
        ns(found.costs.transfer_ps),
        ns(found.costs.access_ps)
    );
    let _ = writeln!(out, "{}", colour.paint(DIM, &text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    #[test]
    fn the_report_has_every_machine_what_is_shared_and_what_was_charged() {
        let text = text(&report(), Colour::Off);
        for expected in [
            "exponential:8us  poisson arrivals, zipf:0.5 over cores",
            "64 cores, and one that looks after time",
            "256 cores, and",
            "80.0 %",
            "58 M/s",
            "core.waiting 1.50, plan 0.50",
            "busiest line: plan, on its way for 95 % of the time",
            "at load 0.9 1 requests were not done",
            "60.0 ns for a cache line",
            "i ideal-64",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains('\x1b'));
    }
}
