//! An outcome as one line of JSON.
//!
//! `{"bench","unit","ours":{"p50","p99","p99.9","max"},"rivals":[{"name","p50","p99",…}],"path","met"}` and more fields;
//! who has no figures has `"unavailable": why` in their place. Figures are in `unit`.

use serde::Serialize;

use super::numbers::rounded;
use crate::outcome::{Entry, Outcome};
use crate::published::Published;
use crate::requirement::Verdict;
use crate::samples::Unit;
use crate::turn::Sampling;

/// The line for an outcome, without its newline.
#[must_use]
pub fn line(outcome: &Outcome) -> String {
    line_from(outcome, None)
}

/// The line for an outcome, with what a reader must know of the machine that it was measured on.
#[must_use]
pub fn line_from(outcome: &Outcome, environment: Option<&str>) -> String {
    let rivals = outcome
        .rivals
        .iter()
        .map(|rival| Rival {
            contestant: contestant(&rival.entry),
            ratio: rival.ratio.as_ref().map(|ratio| rounded(ratio.ratio)),
            ratio_spread: rival.ratio.as_ref().map(|ratio| ratio.spread.map(rounded)),
        })
        .collect();
    let line = Line {
        bench: outcome.name,
        variant: outcome.variant,
        unit: outcome.unit,
        ours: outcome.ours.as_ref().map(contestant),
        ours_p50_cycles: (!outcome.published.is_empty()).then(|| our_cycles(outcome)).flatten(),
        rivals,
        path: outcome.path,
        met: outcome.met,
        requirements: outcome
            .verdicts
            .iter()
            .map(|verdict| Verdict { reached: verdict.reached.map(rounded), ..verdict.clone() })
            .collect(),
        why: outcome.why,
        what: outcome.what,
        sampling: outcome.sampling,
        rounds: outcome.rounds,
        cores: &outcome.cores,
        clock_cost_ns: rounded(outcome.clock_cost_ns),
        published: outcome.published,
        environment,
    };
    // Cannot fail: no maps with odd keys, no foreign types.
    serde_json::to_string(&line).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}

/// Our median in counter cycles, to stand beside what others published.
pub(super) fn our_cycles(outcome: &Outcome) -> Option<f64> {
    let figures = outcome.ours.as_ref()?.result.as_ref().ok()?;
    Some((figures.p50 * outcome.cycles_per_ns).round())
}

#[derive(Serialize)]
struct Line<'a> {
    bench: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    variant: Option<&'a str>,
    unit: Unit,
    ours: Option<Contestant<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ours_p50_cycles: Option<f64>,
    rivals: Vec<Rival<'a>>,
    path: &'a str,
    met: bool,
    requirements: Vec<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    what: &'a str,
    sampling: Sampling,
    rounds: u32,
    cores: &'a str,
    clock_cost_ns: f64,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    published: &'a [Published],
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
}

#[derive(Serialize)]
struct Rival<'a> {
    #[serde(flatten)]
    contestant: Contestant<'a>,
    /// Times our median.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio_spread: Option<[f64; 2]>,
}

#[derive(Serialize)]
struct Contestant<'a> {
    name: &'a str,
    #[serde(flatten)]
    figures: Option<Figures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unavailable: Option<&'a str>,
    configuration: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remark: Option<&'a str>,
    cores_used: u32,
}

#[derive(Serialize)]
struct Figures {
    p50: f64,
    p99: f64,
    #[serde(rename = "p99.9")]
    p99_9: f64,
    max: f64,
    samples: u64,
    /// Smallest and largest median of a turn.
    p50_spread: [f64; 2],
    /// Shares of the samples, and what they are at most.
    quantiles: Vec<[f64; 2]>,
}

fn contestant(entry: &Entry) -> Contestant<'_> {
    let figures = entry.result.as_ref().ok().map(|figures| {
        let (low, high) = figures.spread();
        Figures {
            p50: rounded(figures.p50),
            p99: rounded(figures.p99),
            p99_9: rounded(figures.p99_9),
            max: rounded(figures.max),
            samples: figures.samples,
            p50_spread: [rounded(low), rounded(high)],
            quantiles: figures.quantiles.iter().map(|[share, value]| [*share, rounded(*value)]).collect(),
        }
    });
    Contestant {
        name: &entry.description.name,
        figures,
        unavailable: entry.result.as_ref().err().map(String::as_str),
        configuration: &entry.description.configuration,
        remark: entry.remark.as_deref(),
        cores_used: entry.description.cores_used,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::outcome::tests::outcome;

    #[test]
    fn the_line_has_the_promised_shape() {
        let text = line(&outcome());
        assert!(!text.contains('\n'));
        let value: Value = serde_json::from_str(&text).expect("valid JSON");
        assert_eq!(value["bench"], "example");
        assert_eq!(value["unit"], "ns");
        let ours = &value["ours"];
        assert_eq!([&ours["p50"], &ours["p99"], &ours["p99.9"], &ours["max"]], [40.1, 80.2, 120.3, 160.4]);
        let rivals = value["rivals"].as_array().expect("a list");
        assert_eq!(rivals[0]["name"], "pipe");
        assert_eq!(rivals[0]["p50"], 2_000.0);
        assert_eq!(rivals[0]["p99"], 4_000.0);
        assert_eq!(rivals[0]["ratio"], 49.88);
        assert_eq!(rivals[1]["unavailable"], "not installed");
        assert!(rivals[1].get("p50").is_none());
        assert_eq!(rivals[0]["remark"], "half of it was lost");
        assert!(rivals[1].get("remark").is_none());
        assert_eq!(value["path"], "the path");
        assert_eq!(value["met"], false);
        assert_eq!(
            value["requirements"][0],
            json!({"requirement": "p50 ≤ 70 ns", "reached": 40.1, "state": "met"})
        );
        assert_eq!(value["requirements"][1]["state"], "unverified");
        assert_eq!(value["sampling"], json!({"mean-of": 32}));
        assert_eq!(value["ours_p50_cycles"], 100.0);
        assert_eq!(value["published"][0]["name"], "seL4");
    }
}
