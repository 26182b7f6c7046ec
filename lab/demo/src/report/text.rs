//! The report for a terminal.

use std::fmt::Write;

use hallows_bench::report::colour::{BOLD, Colour, DIM, GREEN, RED, YELLOW};
use hallows_bench::report::wrap::wrapped;
use hallows_lab::report::{aligned, chart_of};
use hallows_load::duration::shown;

use super::{NO_CURVE, notes, plots};
use crate::demonstration::{Participant, Report};
use crate::{PERCENTILES, Point, losses};

/// From so many cores' worth of time on, what the others used is worth a word.
const NOISY: f64 = 0.02;

/// The report.
#[must_use]
pub fn text(report: &Report, colour: Colour) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(out, "{}  {:.0} s\n", colour.paint(BOLD, &report.command), report.seconds);
    for load in &report.loads {
        at_load(&mut out, report, *load, colour);
    }
    let plots = plots(report);
    if plots.is_empty() {
        let _ = writeln!(out, "{}\n", colour.paint(YELLOW, NO_CURVE));
    }
    for plot in plots {
        chart_of(&plot).into_iter().flatten().for_each(|line| _ = writeln!(out, "{line}"));
        out.push('\n');
    }
    summary(&mut out, report, colour);
    rivals(&mut out, report, colour);
    let _ = writeln!(out, "{}", colour.paint(BOLD, "commands"));
    for participant in &report.participants {
        let version =
            if participant.version.is_empty() { String::new() } else { format!(": {}", participant.version) };
        let _ = writeln!(out, "{}", wrapped("  ", &format!("{}{version}", participant.name)));
        let _ = writeln!(out, "{}", wrapped("    ", &participant.command));
        for tool in &participant.tools {
            let said = tool.said.as_ref().unwrap_or_else(|why| why);
            let _ = writeln!(out, "{}", wrapped("    ", &format!("{}: {said}", tool.command)));
        }
    }
    out.push('\n');
    if !report.absent.is_empty() {
        let _ = writeln!(out, "{}", colour.paint(YELLOW, "not here"));
        report.absent.iter().for_each(|line| _ = writeln!(out, "{}", wrapped("  ", line)));
        out.push('\n');
    }
    notes(report).iter().for_each(|note| _ = writeln!(out, "{}", colour.paint(DIM, &wrapped("", note))));
    out
}

/// All that happened at one load.
fn at_load(out: &mut String, report: &Report, load: f64, colour: Colour) {
    let points: Vec<_> = report.participants.iter().filter_map(|one| Some((one, one.at(load)?))).collect();
    if points.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", colour.paint(BOLD, &format!("{load} requests/s")));
    let head =
        ["", "class", "p50", "p99", "p99.9", "p99.99", "max", "done/s", "cores", "per core-s", "late p99"];
    let mut rows = vec![head.map(str::to_owned)];
    points.iter().for_each(|(participant, point)| rows.extend(cells(participant, point)));
    for (number, line) in aligned(&rows, 2).into_iter().enumerate() {
        let _ = writeln!(out, "  {}", if number == 0 { colour.paint(DIM, &line) } else { line });
    }
    for (participant, point) in points {
        for remark in remarks(participant, point) {
            let _ = writeln!(out, "  {}", colour.paint(YELLOW, &remark));
        }
    }
    out.push('\n');
}

/// A row for each class.
fn cells(participant: &Participant, point: &Point) -> Vec<[String; 11]> {
    let time = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), shown);
    let rows = point.classes.iter().enumerate().map(|(number, class)| {
        let [p50, p99, p99_9, p99_99] = PERCENTILES.map(|(_, of)| time(of(&class.latency_ns)));
        let first = |text: String| if number == 0 { text } else { String::new() };
        [
            first(format!("{}{}", participant.name, if point.kept_up { "" } else { "!" })),
            class.class.clone(),
            p50,
            p99,
            p99_9,
            p99_99,
            time(class.latency_ns.max),
            first(format!("{:.0}", point.done_per_second)),
            first(format!("{:.2}", point.cores_busy)),
            first(
                point
                    .requests_per_core_second
                    .map_or_else(|| "–".to_owned(), |requests| format!("{requests:.0}")),
            ),
            first(shown(point.generator_late_ns.p99 as f64)),
        ]
    });
    rows.collect()
}

/// What is not as it should be at a point.
pub(super) fn remarks(participant: &Participant, point: &Point) -> Vec<String> {
    let name = &participant.name;
    let mut remarks = Vec::new();
    if !point.kept_up {
        remarks.push(format!(
            "{name}!: the generator was late itself, by {} at p99, and away for {:.0} % of the time: this point is not used",
            shown(point.generator_late_ns.p99 as f64),
            point.generator_away * 100.0
        ));
    }
    if point.unfinished > 0 {
        remarks.push(format!(
            "{name} left {} of {} requests without an answer in time; it was not offered more",
            point.unfinished, point.due
        ));
    }
    if let Some(wrong) = &point.first_wrong {
        remarks.push(format!("{name} gave {} wrong answers, the first {wrong}", point.wrong));
    }
    if point.others_busy >= NOISY {
        remarks.push(format!("while {name} was asked, the others used {:.2} cores", point.others_busy));
    }
    remarks
}

/// What each can at most.
fn summary(out: &mut String, report: &Report, colour: Colour) {
    let _ = writeln!(
        out,
        "{}",
        colour.paint(
            BOLD,
            "each at most, in a closed loop of the same requests; a slow request alone; where it broke"
        )
    );
    let head = ["", "requests/s", "slow alone", "broke at"].map(str::to_owned);
    let row = |one: &Participant| {
        [
            one.name.clone(),
            one.capacity_per_second.map_or_else(|| "–".to_owned(), |most| format!("{most:.0}")),
            one.slow_alone_ns.map_or_else(|| "–".to_owned(), shown),
            one.broke_at.map_or_else(|| "at none of these".to_owned(), |load| format!("{load}/s")),
        ]
    };
    let rows: Vec<_> = std::iter::once(head).chain(report.participants.iter().map(row)).collect();
    aligned(&rows, 1).into_iter().for_each(|line| _ = writeln!(out, "  {line}"));
    for participant in &report.participants {
        if let Some(failed) = &participant.failed {
            let _ = writeln!(
                out,
                "{}",
                colour.paint(YELLOW, &wrapped(&format!("  {}: ", participant.name), failed))
            );
        }
        if let Some(point) = participant.points.last() {
            let threads: Vec<_> = point
                .cores_busy_by_thread
                .iter()
                .take(6)
                .map(|(name, busy)| format!("{name} {busy:.2}"))
                .collect();
            let _ = writeln!(
                out,
                "{}",
                colour.paint(
                    DIM,
                    &format!(
                        "  {}: cores by thread at {}/s: {}",
                        participant.name,
                        point.offered_per_second,
                        threads.join(", ")
                    )
                )
            );
        }
    }
    out.push('\n');
}

/// Where a rival is better.
fn rivals(out: &mut String, report: &Report, colour: Colour) {
    let Some(losses) = losses(report) else {
        let _ = writeln!(out, "{}\n", colour.paint(YELLOW, "ours was not measured: nothing is compared"));
        return;
    };
    if losses.is_empty() {
        let _ = writeln!(out, "{}\n", colour.paint(GREEN, "nowhere was a rival better than ours"));
        return;
    }
    let _ = writeln!(out, "{}", colour.paint(RED, "where a rival was better than ours"));
    let head = ["load", "figure", "rival", "its", "ours"].map(str::to_owned);
    let rows = losses.into_iter().map(|loss| {
        [
            loss.load.map_or_else(|| "–".to_owned(), |load| format!("{load}/s")),
            loss.figure,
            loss.rival,
            loss.theirs,
            loss.ours,
        ]
    });
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    aligned(&rows, 3).into_iter().for_each(|line| _ = writeln!(out, "  {line}"));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration::tests::report;

    #[test]
    fn the_report_has_loads_curves_commands_and_where_rivals_are_better() {
        let mut report = report();
        report.participants[0].points[1].kept_up = false;
        report.participants[0].points[0].first_wrong = Some("to GET of key 7: '-ERR'".to_owned());
        report.participants[0].points[0].wrong = 4;
        report.participants[0].points[0].others_busy = 0.5;
        let text = text(&report, Colour::Off);
        for part in [
            "hallows demo tail",
            "1000 requests/s",
            "redis  quick  50.0 us   300 us      –       –  1.00 ms    1000",
            "ours!: the generator was late itself, by 40.0 us at p99, and away for 30 % of the time: this point is not used",
            "redis left 3 of 20000 requests without an answer",
            "ours gave 4 wrong answers, the first to GET of key 7: '-ERR'",
            "while ours was asked, the others used 0.50 cores",
            "quick requests: p99 over load",
            "where a rival was better than ours",
            "redis-benchmark -p 7: 9 GETs/s",
            "taskset -c 0,1 redis --port 7",
            "apt-get install valkey",
            "every contender has 2 cores",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn without_ours_nothing_is_said_of_better_rivals() {
        let mut report = report();
        report.participants.remove(0);
        assert!(text(&report, Colour::Off).contains("ours was not measured"));
        report.participants[0].points.clear();
        assert!(text(&report, Colour::Off).contains(NO_CURVE));
    }
}
