//! A case as one line of JSON: the fields of every bench's line, so that pages are made of it too, and what only jitter has.

use serde::Serialize;

use super::NAME;
use super::advice::Culprit;
use super::case::{Beside, Case, How, Row};
use super::counters::Change;
use super::verdict::{figure_of, spread};
use crate::report::numbers::rounded;
use crate::requirement::Verdict;
use crate::turn::Sampling;

/// The line for a case, without its newline. `clock_cost_ns`: what an empty interval measures; `environment`: what the machine is.
#[must_use]
pub fn line(case: &Case, clock_cost_ns: f64, environment: &str) -> String {
    let (ours, others): (Vec<_>, Vec<_>) = case.rows.iter().partition(|row| row.description.name == "ours");
    let ours = ours.first().copied();
    let rivals = others.into_iter().map(|row| rival(case, ours, row)).collect();
    let line = Line {
        bench: NAME,
        variant: case.title.variant(),
        unit: "ns",
        ours: ours.map(|row| contestant(case, row)),
        rivals,
        path: case.path(),
        met: case.is_met(),
        requirements: case
            .verdicts()
            .into_iter()
            .map(|verdict| Verdict { reached: verdict.reached.map(rounded), ..verdict })
            .collect(),
        what: case.what(),
        sampling: Sampling::Single,
        rounds: case.rounds,
        cores: format!("{},{}", case.other_core.min(case.core), case.other_core.max(case.core)),
        clock_cost_ns: rounded(clock_cost_ns),
        environment,
        tier: &case.title.tier,
        tier_notes: &case.tier,
        how: case.title.how,
        beside: case.title.beside,
        period_ns: case.period_ns,
        core: case.core.0,
        other_core: case.other_core.0,
        antagonist_core: case.antagonist.map(|core| core.0),
    };
    // Cannot fail: no maps with odd keys, no foreign types.
    serde_json::to_string(&line).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

#[derive(Serialize)]
struct Line<'a> {
    bench: &'a str,
    variant: String,
    unit: &'a str,
    ours: Option<Contestant<'a>>,
    rivals: Vec<Rival<'a>>,
    path: &'a str,
    met: bool,
    requirements: Vec<Verdict>,
    what: String,
    sampling: Sampling,
    rounds: u32,
    cores: String,
    clock_cost_ns: f64,
    environment: &'a str,
    tier: &'a str,
    tier_notes: &'a [String],
    how: How,
    beside: Beside,
    period_ns: u64,
    core: usize,
    other_core: usize,
    antagonist_core: Option<usize>,
}

#[derive(Serialize)]
struct Rival<'a> {
    #[serde(flatten)]
    contestant: Contestant<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
}

#[derive(Serialize)]
struct Contestant<'a> {
    name: &'a str,
    #[serde(flatten)]
    figures: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<&'a str>,
    configuration: &'a str,
    cores_used: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    gaps: Option<Gaps>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<Change>,
    culprits: Vec<Culprit>,
}

#[derive(Serialize)]
struct Figures {
    p50: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p99_9: f64,
    /// Not where too few samples lie beyond it.
    #[serde(rename = "p99.99")]
    p99_99: Option<f64>,
    max: f64,
    samples: u64,
    p50_spread: [f64; 2],
    quantiles: Vec<[f64; 2]>,
    missed: u64,
    /// The longest time of a class in ns, and how many.
    histogram: Vec<(u64, u64)>,
}

#[derive(Serialize)]
struct Gaps {
    count: u64,
    max: f64,
    lost_ns: Option<u64>,
    look_ns: Option<u64>,
    histogram: Vec<(u64, u64)>,
}

fn rival<'a>(case: &Case, ours: Option<&Row>, row: &'a Row) -> Rival<'a> {
    let p50 = |row: &Row| figure_of(&row.late(), Some(0.5)).filter(|p50| *p50 > 0.0);
    let ratio = ours.and_then(p50).zip(p50(row)).map(|(ours, rival)| rounded(rival / ours));
    Rival { contestant: contestant(case, row), ratio }
}

fn contestant<'a>(case: &Case, row: &'a Row) -> Contestant<'a> {
    let late = row.late();
    let medians = row.turns().iter().filter_map(|turn| turn.late.at(0.5)).collect();
    let spread = spread(row, Some(0.5)).unwrap_or_default();
    let figures = late.figures(medians).map(|figures| Figures {
        p50: rounded(figures.p50),
        p99: rounded(figures.p99),
        p99_9: rounded(figures.p99_9),
        p99_99: late.at(0.9999).map(rounded),
        max: rounded(figures.max),
        samples: figures.samples,
        p50_spread: [rounded(spread.0), rounded(spread.1)],
        quantiles: figures.quantiles.iter().map(|[share, value]| [*share, rounded(*value)]).collect(),
        missed: row.missed(),
        histogram: late.counts().collect(),
    });
    let why = match &row.turns {
        Err(why) => Some(why.as_str()),
        Ok(_) if figures.is_none() => Some("it measures gaps only"),
        Ok(_) => None,
    };
    Contestant {
        name: &row.description.name,
        figures,
        unavailable: why,
        configuration: &row.description.configuration,
        cores_used: row.description.cores_used,
        gaps: row.gaps().map(|gaps| Gaps {
            count: gaps.lengths.total(),
            max: rounded(gaps.lengths.max_ns()),
            lost_ns: gaps.lost_ns,
            look_ns: gaps.look_ns,
            histogram: gaps.lengths.counts().collect(),
        }),
        counted: row.change(),
        culprits: case.culprits(row),
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::tests::{case, row};
    use super::*;
    use crate::report::html::page;

    #[test]
    fn a_line_has_what_a_program_needs() {
        let mut case = case();
        case.rows.push(row("oslat", Err("not installed")));
        let line = line(&case, 21.0, "a machine");
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["variant"], "isolated/sleeping/antagonist");
        assert_eq!(value["ours"]["samples"], 100_001);
        let p99_99 = value["ours"]["p99.99"].as_f64().expect("a figure");
        assert!((30_000.0..30_050.0).contains(&p99_99), "of the class that 30,000 is in: {p99_99}");
        assert_eq!(value["ours"]["missed"], 4);
        assert_eq!(value["ours"]["gaps"]["count"], 20);
        assert!(value["ours"]["histogram"].as_array().is_some_and(|counts| counts.len() == 4), "{value}");
        assert_eq!(value["rivals"][1]["unavailable"], "not installed");
        assert_eq!((&value["met"], &value["antagonist_core"]), (&false.into(), &0.into()));
        assert!(value["requirements"][3]["state"] == "missed" && value["rivals"][0]["ratio"].is_f64());
    }

    #[test]
    fn pages_are_made_of_it() {
        let page = page(&line(&case(), 21.0, "a machine")).expect("a page");
        for part in ["jitter/isolated/sleeping/antagonist", "<svg", "cyclictest", "p99 below cyclictest"] {
            assert!(page.contains(part), "{part} is not in\n{page}");
        }
    }
}
