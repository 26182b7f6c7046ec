//! The report for people.

use std::fmt::Write;

use hallows_bench::report::colour::{BOLD, Colour, DIM, GREEN, RED, YELLOW};

use super::chart::chart;
use super::table::aligned;
use crate::sweep::{Kind, Participant, Point, Report};
use hallows_load::duration::shown;

/// Columns of the tables of a load.
const HEAD: [&str; 8] = ["", "class", "p50", "p99", "p99.9", "p99.99", "slowdown", "done/s"];

/// From this part of the time on, what the host takes is worth a word: p99.9 has it in it.
const NOISY: f64 = 0.0005;

/// The report. `ours`: the name of the one that the others are compared with, if it took part.
#[must_use]
pub fn text(report: &Report, ours: &str, colour: Colour) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail, here and below.
    let _ = writeln!(
        out,
        "{}  {} arrivals, {} × {} requests at each load, seed {}\n",
        colour.paint(BOLD, &report.service),
        report.arrivals,
        report.rounds,
        report.requests,
        report.seed
    );
    if let Some(own) = &report.own_times {
        let _ = writeln!(
            out,
            "A GET takes {}, a SCAN {}: measured on the core that works, in native code and when nothing else runs. Loads and slowdowns count from that.\n",
            shown(own.get_ns as f64),
            shown(own.scan_ns as f64)
        );
    }
    let mut loads: Vec<f64> =
        report.participants.iter().flat_map(|one| one.points.iter().map(|point| point.load)).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    for load in &loads {
        table(&mut out, report, *load, colour);
    }
    if let Some(lines) = chart(report) {
        lines.iter().for_each(|line| _ = writeln!(out, "{line}"));
        out.push('\n');
    }
    capacities(&mut out, report, ours, colour);
    lost(&mut out, report, ours, &loads, colour);
    if report.own_times.is_some() {
        dearer(&mut out, report, colour);
    }
    for participant in &report.participants {
        let _ = writeln!(
            out,
            "{}",
            colour.paint(
                DIM,
                &format!("{}: {}{}", participant.name, participant.configuration, cores(participant))
            )
        );
    }
    let work = match report.own_times {
        None => "cache misses of the work (it has no memory)",
        Some(_) => "a disk, and requests that write (a store is only read)",
    };
    let note = format!(
        "Not on the path of any: a network, a scheduler's choice between cores, {work}. A latency counts from when its request was to come. A \
         percentile is given only where 100 samples are beyond it."
    );
    let _ = writeln!(out, "{}", colour.paint(DIM, &note));
    out
}

/// What operations on a store take everybody who was measured, beside their own times: how much dearer the work is where it runs.
fn dearer(out: &mut String, report: &Report, colour: Colour) {
    let Some(load) =
        report.participants.iter().flat_map(|one| &one.points).map(|point| point.load).reduce(f64::min)
    else {
        return;
    };
    let lines: Vec<_> = report
        .participants
        .iter()
        .filter(|one| one.kind == Kind::Measured)
        .filter_map(|one| {
            let classes = at(one, load)?.classes.iter().skip(1);
            let times: Vec<_> = classes
                .filter_map(|class| Some(format!("{} {:.2}×", class.class, class.slowdown.p50?)))
                .collect();
            Some(format!("  {:<14} {}", one.name, times.join(", ")))
        })
        .collect();
    if !lines.is_empty() {
        let head = format!(
            "half of the requests at load {load}, as multiples of their own times: what the work costs where it runs, and what comes with it"
        );
        let _ = writeln!(out, "{}", colour.paint(BOLD, &head));
        lines.iter().for_each(|line| _ = writeln!(out, "{line}"));
        out.push('\n');
    }
}

fn cores(participant: &Participant) -> String {
    match participant.cores_used {
        0 => String::new(),
        1 => "; 1 core".to_owned(),
        cores => format!("; {cores} cores, with the one that requests come from"),
    }
}

fn at(participant: &Participant, load: f64) -> Option<&Point> {
    participant.points.iter().find(|point| point.load == load)
}

/// All that happened at one load.
fn table(out: &mut String, report: &Report, load: f64, colour: Colour) {
    let points: Vec<_> = report.participants.iter().filter_map(|one| Some((one, at(one, load)?))).collect();
    let Some((_, first)) = points.first() else { return };
    let _ = writeln!(
        out,
        "{}",
        colour.paint(BOLD, &format!("load {load}: {:.0} requests/s", first.offered_per_second))
    );
    let mut rows = vec![HEAD.map(str::to_owned)];
    for (participant, point) in &points {
        for (place, class) in point.classes.iter().enumerate() {
            let time = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), shown);
            let latency = &class.latency_ns;
            // The spread is that of all requests.
            let slowdown = match (place, point.slowdown, point.slowdown_spread) {
                (0, Some(slowdown), Some((least, most))) => format!("{slowdown:.1}× ({least:.1}–{most:.1})"),
                // Too few in each round.
                (0, Some(slowdown), None) => format!("{slowdown:.1}×"),
                (0, ..) => "–".to_owned(),
                _ => {
                    class.slowdown.p99_9.map_or_else(|| "–".to_owned(), |slowdown| format!("{slowdown:.1}×"))
                }
            };
            let done = match (place, participant.kind) {
                (0, Kind::Measured) => format!("{:.0}", point.done_per_second),
                _ => String::new(),
            };
            rows.push([
                if place == 0 { participant.name.clone() } else { String::new() },
                class.class.clone(),
                time(latency.p50),
                time(latency.p99),
                time(latency.p99_9),
                time(latency.p99_99),
                slowdown,
                done,
            ]);
        }
    }
    for (number, line) in aligned(&rows, 2).into_iter().enumerate() {
        let _ = writeln!(out, "  {}", if number == 0 { colour.paint(DIM, &line) } else { line });
    }
    let taken = points.iter().map(|(_, point)| point.generator_taken).fold(0.0, f64::max);
    if taken >= NOISY {
        let text = format!(
            "  this host took the generator's core away for up to {:.1} % of the time; it does so to the other core as well",
            taken * 100.0
        );
        let _ = writeln!(out, "{}", colour.paint(YELLOW, &text));
    }
    for (participant, point) in points {
        if point.unfinished > 0 {
            let text = format!("  {} left {} requests undone", participant.name, point.unfinished);
            let _ = writeln!(out, "{}", colour.paint(YELLOW, &text));
        }
    }
    out.push('\n');
}

/// Who gets how far within the bound.
fn capacities(out: &mut String, report: &Report, ours: &str, colour: Colour) {
    let bound = &report.bound;
    let _ = writeln!(
        out,
        "{}",
        colour.paint(
            BOLD,
            &format!("highest load with a slowdown of at most {}× at p{}", bound.slowdown, bound.percent)
        )
    );
    let own = report.participants.iter().find(|one| one.name == ours).and_then(|one| one.capacity);
    for participant in &report.participants {
        let load = participant.capacity.map_or_else(|| "none of these".to_owned(), |load| load.to_string());
        let beside = match (own, participant.capacity) {
            (Some(own), Some(other)) if participant.name != ours => {
                format!("  {ours} reaches {:.2}×", own / other)
            }
            _ => String::new(),
        };
        let _ = writeln!(out, "  {:<14} {load}{beside}", participant.name);
        if let Some(failed) = &participant.failed {
            let _ = writeln!(out, "  {:<14} {}", "", colour.paint(YELLOW, failed));
        }
    }
    out.push('\n');
}

/// Whether a participant is ours, or ours in another way, whose name goes on behind a hyphen.
fn is_ours(name: &str, ours: &str) -> bool {
    name.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Where a rival is better than ours.
fn lost(out: &mut String, report: &Report, ours: &str, loads: &[f64], colour: Colour) {
    let Some(own) = report.participants.iter().find(|one| one.name == ours) else { return };
    let mut lines = Vec::new();
    for load in loads {
        let Some(mine) = at(own, *load) else { continue };
        let is_rival = |one: &&Participant| one.kind == Kind::Measured && !is_ours(&one.name, ours);
        for rival in report.participants.iter().filter(is_rival) {
            let Some(other) = at(rival, *load) else { continue };
            for (mine, other) in mine.classes.iter().zip(&other.classes) {
                let figures = |one: &crate::figures::ClassFigures| {
                    [
                        ("p50", one.latency_ns.p50),
                        ("p99", one.latency_ns.p99),
                        ("p99.9", one.latency_ns.p99_9),
                    ]
                };
                for ((name, mine_ns), (_, other_ns)) in figures(mine).into_iter().zip(figures(other)) {
                    if let (Some(mine_ns), Some(other_ns)) = (mine_ns, other_ns)
                        && other_ns < mine_ns
                    {
                        lines.push(format!(
                            "  load {load}, {}, {name}: {} {}, {ours} {}",
                            mine.class,
                            rival.name,
                            shown(other_ns),
                            shown(mine_ns)
                        ));
                    }
                }
            }
        }
    }
    let (head, code) = if lines.is_empty() {
        (format!("nowhere was a rival better than {ours}"), GREEN)
    } else {
        (format!("where a rival was better than {ours}"), RED)
    };
    let _ = writeln!(out, "{}", colour.paint(code, &head));
    lines.iter().for_each(|line| _ = writeln!(out, "{line}"));
    out.push('\n');
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::figures::ClassFigures;
    use crate::key_value::OwnTimes;
    use crate::sweep::Bound;
    use hallows_load::percentiles::Percentiles;

    fn point(load: f64, slowdown: f64) -> Point {
        let percentiles = |value| Percentiles {
            p50: Some(value),
            p99: Some(value * 2.0),
            p99_9: Some(value * 3.0),
            p99_99: None,
            max: Some(value * 4.0),
            mean: Some(value),
        };
        let class = |name: &str| ClassFigures {
            class: name.to_owned(),
            samples: 1_000,
            latency_ns: percentiles(slowdown * 100.0),
            slowdown: percentiles(slowdown),
        };
        Point {
            load,
            offered_per_second: load * 1e6,
            done_per_second: load * 1e6,
            unfinished: u64::from(slowdown > 900.0),
            generator_late_ns: 100.0,
            generator_taken: 0.02,
            classes: ["all", "short", "long"].map(class).to_vec(),
            slowdown: Some(slowdown),
            slowdown_spread: Some((slowdown * 0.9, slowdown * 1.1)),
        }
    }

    pub(in crate::report) fn report() -> Report {
        let participant = |name: &str, kind, slowdowns: [f64; 2], capacity| Participant {
            name: name.to_owned(),
            configuration: format!("how {name} is set up"),
            cores_used: if kind == Kind::Measured { 2 } else { 0 },
            kind,
            points: vec![point(0.2, slowdowns[0]), point(0.8, slowdowns[1])],
            capacity,
            failed: None,
        };
        Report {
            service: "bimodal:0.995:500ns:500us".to_owned(),
            arrivals: "poisson".to_owned(),
            requests: 1_000,
            rounds: 2,
            seed: 1,
            bound: Bound { percent: 99.9, slowdown: 50.0 },
            own_times: None,
            participants: vec![
                participant("ours", Kind::Measured, [2.0, 20.0], Some(0.8)),
                participant("fcfs", Kind::Measured, [1.0, 950.0], Some(0.2)),
                participant("fcfs-model", Kind::Model, [1.0, 300.0], Some(0.2)),
            ],
        }
    }

    #[test]
    fn the_report_has_loads_capacities_and_where_rivals_are_better() {
        let text = text(&report(), "ours", Colour::Off);
        for expected in [
            "bimodal:0.995:500ns:500us",
            "load 0.2: 200000 requests/s",
            "20.0× (18.0–22.0)",
            "away for up to 2.0 % of the time",
            "fcfs left 1 requests undone",
            "fcfs           0.2  ours reaches 4.00×",
            "where a rival was better than ours",
            "load 0.2, short, p99.9: fcfs 300 ns, ours 600 ns",
            "how fcfs is set up; 2 cores",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("load 0.8, short"), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn requests_to_a_store_come_with_what_they_take_natively_and_what_they_take_where_they_run() {
        let mut report = report();
        let without = text(&report, "ours", Colour::Off);
        assert!(without.contains("it has no memory") && !without.contains("their own times"), "{without}");
        report.own_times = Some(OwnTimes { get_ns: 400, scan_ns: 345_678 });
        let text = text(&report, "ours", Colour::Off);
        for expected in [
            "A GET takes 400 ns, a SCAN 346 us: measured",
            "half of the requests at load 0.2, as multiples of their own times",
            "  ours           short 2.00×, long 2.00×",
            "a disk, and requests that write",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(!text.contains("fcfs-model     short") && !text.contains("it has no memory"), "{text}");
    }

    #[test]
    fn who_is_never_beaten_is_told_so() {
        let mut report = report();
        let better = report.participants.remove(1);
        assert!(text(&report, "ours", Colour::Off).contains("nowhere was a rival better than ours"));
        // Ours in another way is no rival; who only begins with the same letters is.
        report.participants.insert(1, Participant { name: "ours-declared".to_owned(), ..better.clone() });
        assert!(text(&report, "ours", Colour::Off).contains("nowhere was a rival better than ours"));
        report.participants.insert(1, Participant { name: "oursler".to_owned(), ..better });
        assert!(text(&report, "ours", Colour::Off).contains("load 0.2, short, p99.9: oursler 300 ns"));
    }

    #[test]
    fn json_has_the_same_in_one_line() {
        let line = crate::report::json(&report());
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["participants"][1]["points"][1]["slowdown"], 950.0);
        assert_eq!(value["participants"][2]["kind"], "model");
        assert!(!line.contains('\n'));
    }
}
