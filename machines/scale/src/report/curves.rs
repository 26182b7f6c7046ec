//! Slowdowns over load, a curve for each machine beside ideal processor sharing: drawn as those of the laboratory.

use hallows_lab as lab;

use crate::sweep::Report;

use super::machines;

/// The laboratory's report with these curves. The bound is where its bench has it.
pub(super) fn of(report: &Report) -> lab::Report {
    let mut participants = Vec::new();
    for cores in machines(report) {
        participants.push(participant(report, cores, format!("{cores} cores"), lab::Kind::Measured));
        participants.push(participant(report, cores, format!("ideal-{cores}"), lab::Kind::Model));
    }
    lab::Report {
        service: report.service.clone(),
        arrivals: format!("{}, {}", report.arrivals, report.skew),
        requests: report.requests,
        rounds: 1,
        seed: report.seed,
        bound: lab::Bound { percent: 99.9, slowdown: 50.0 },
        own_times: None,
        participants,
    }
}

fn participant(report: &Report, cores: u32, name: String, kind: lab::Kind) -> lab::Participant {
    let points = report.points.iter().filter(|point| point.cores == cores).map(|point| lab::Point {
        load: point.load,
        offered_per_second: point.offered_per_second,
        done_per_second: point.done_per_second,
        unfinished: point.unfinished,
        generator_late_ns: 0.0,
        generator_taken: 0.0,
        classes: Vec::new(),
        slowdown: if kind == lab::Kind::Model { point.ideal_slowdown[2] } else { point.slowdown[2] },
        slowdown_spread: None,
    });
    lab::Participant {
        points: points.collect(),
        name,
        configuration: String::new(),
        cores_used: 0,
        kind,
        capacity: None,
        failed: None,
    }
}
