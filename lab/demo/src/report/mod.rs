//! What came of a demonstration, for people and programs.

mod html;
mod text;

pub use html::html;
pub use text::text;

use hallows_lab::report::{Curve, Plot, Scale, Unit};

use crate::demonstration::Report;
use crate::{PERCENTILES, QUICK, SLOW};

/// One line of JSON: the report, and what it says of rivals that are better.
///
/// # Panics
/// Never: all that a report has can be written.
#[must_use]
#[expect(clippy::expect_used, reason = "numbers and texts can always be written")]
pub fn json(report: &Report) -> String {
    #[derive(serde::Serialize)]
    struct Whole<'r> {
        #[serde(flatten)]
        report: &'r Report,
        /// `null`: ours was not measured, and nothing is compared.
        rivals_better: Option<Vec<crate::Loss>>,
    }
    serde_json::to_string(&Whole { report, rivals_better: crate::losses(report) }).expect("numbers and texts")
}

/// What is said where there is no curve.
const NO_CURVE: &str =
    "There is no curve: nothing was answered, or the generator was late itself at every point.";

/// Latencies over load, a plot for each percentile of quick requests that somebody has, and the median of slow ones. Points of a late generator are left out.
fn plots(report: &Report) -> Vec<Plot> {
    let classes = PERCENTILES
        .iter()
        .map(|percentile| (QUICK, percentile))
        .chain(PERCENTILES.first().map(|median| (SLOW, median)));
    let plots = classes.map(|(class, (name, of))| {
        let curves = report.participants.iter().map(|participant| {
            let used = participant.points.iter().filter(|point| point.kept_up);
            let value =
                |point: &crate::Point| of(&point.classes.iter().find(|one| one.class == class)?.latency_ns);
            Curve {
                name: participant.name.clone(),
                is_model: false,
                points: used.filter_map(|point| Some((point.offered_per_second, value(point)?))).collect(),
            }
        });
        Plot {
            title: format!("{class} requests: {name} over load"),
            across: "requests offered in a second".to_owned(),
            scale: Scale::Logarithmic,
            unit: Unit::Nanoseconds,
            curves: curves.collect(),
            bound: None,
        }
    });
    plots.filter(|plot| plot.curves.iter().any(|curve| !curve.points.is_empty())).collect()
}

/// What a reader must know before he believes a figure.
fn notes(report: &Report) -> Vec<String> {
    let mut notes = vec![
        report.environment.clone(),
        report.placement.clone()
            + "; that no thread of a contender may run elsewhere was read from Linux when it was ready",
        report.setting.clone(),
        format!(
            "Everybody runs all the time, one is asked at a time, {} turns of each at each load, there and back. A latency counts from when its request was due (open loop), over TCP on \
             127.0.0.1. Answers are compared byte by byte. A percentile is given only where 100 samples lie beyond it (–: there are too few; give it more --seconds). The generator's own lateness \
             is in all latencies; where it was late by more than 0.2 ms at p99 and by more than a tenth of the p99 that it measured, or away for more than 80 % of the time, the point is marked with ! and not used.",
            report.rounds
        ),
    ];
    let slow: Vec<String> = report
        .participants
        .iter()
        .filter_map(|one| {
            let alone = hallows_load::duration::shown(one.slow_alone_ns?);
            Some(format!("{}: {}, {alone} alone", one.name, one.slow_request))
        })
        .collect();
    if !slow.is_empty() {
        notes.push(format!("What is slow: {}. memcached has no command that goes through all keys: it is asked for many at once instead, which is not the same.", slow.join("; ")));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration::tests::report;

    #[test]
    fn plots_have_what_was_measured_in_time_and_nothing_else() {
        let mut report = report();
        let titles = |report: &Report| plots(report).into_iter().map(|plot| plot.title).collect::<Vec<_>>();
        assert_eq!(
            titles(&report),
            [
                "quick requests: p50 over load",
                "quick requests: p99 over load",
                "quick requests: p99.9 over load",
                "slow requests: p50 over load"
            ]
        );
        assert_eq!(plots(&report)[2].curves[0].points, [(2_000.0, 990_000.0)]);
        report.participants.iter_mut().for_each(|one| one.points[1].kept_up = false);
        assert_eq!(titles(&report).len(), 3);
    }

    #[test]
    fn json_has_everything_in_one_line() {
        let line = json(&report());
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert!(!line.contains('\n'));
        assert_eq!(value["participants"][1]["points"][0]["classes"][0]["latency_ns"]["p50"], 50_000.0);
        assert_eq!(value["rivals_better"][0]["rival"], "redis");
        assert_eq!(value["participants"][0]["tools"][0]["said"]["Ok"], "9 GETs/s");
    }
}
