//! What came out of a bench: figures, ratios, verdicts.

use crate::bench::Bench;
use crate::contestant::Description;
use crate::published::Published;
use crate::requirement::{State, Verdict};
use crate::samples::{Figures, Unit, smallest_and_largest};
use crate::turn::{Sampling, Turn};

/// From this ratio on a report must say why the rival is slow: large wins need a reason, or they are a mistake.
const EXPLAIN_FROM: f64 = 10.0;

/// A contestant and what it reached, or why it did not.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who.
    pub description: Description,
    /// The figures in the bench's unit, or why there are none.
    pub result: Result<Figures, String>,
    /// What its turns have shown beside them.
    pub remark: Option<String>,
}

/// How many times ours a rival's median is.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratio {
    /// Rival's p50 over ours, of all turns.
    pub ratio: f64,
    /// Smallest and largest ratio of a pair of neighbouring turns.
    pub spread: [f64; 2],
}

/// A rival with its ratio to ours, if both have figures.
#[derive(Clone, Debug, PartialEq)]
pub struct RivalEntry {
    /// The rival itself.
    pub entry: Entry,
    /// Its median over ours.
    pub ratio: Option<Ratio>,
}

/// All of a bench that a report needs.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// As in [`Bench`].
    pub name: &'static str,
    /// As in [`Bench`].
    pub variant: Option<&'static str>,
    /// As in [`Bench`].
    pub title: String,
    /// As in [`Bench`].
    pub what: &'static str,
    /// As in [`Bench`].
    pub unit: Unit,
    /// As in [`Bench`].
    pub path: &'static str,
    /// How it was sampled.
    pub sampling: Sampling,
    /// Turns that everybody had.
    pub rounds: u32,
    /// The cores, as text.
    pub cores: String,
    /// Counter ticks in a nanosecond: turns our figures into cycles.
    pub cycles_per_ns: f64,
    /// What an empty interval measures, in nanoseconds; it is in every sample once.
    pub clock_cost_ns: f64,
    /// Ours, if it was given.
    pub ours: Option<Entry>,
    /// The rivals.
    pub rivals: Vec<RivalEntry>,
    /// Every requirement, checked.
    pub verdicts: Vec<Verdict>,
    /// Whether all of them hold.
    pub met: bool,
    /// Why rivals are slow, if ours wins by more than ten times.
    pub why: Option<&'static str>,
    /// Figures of others.
    pub published: &'static [Published],
}

impl Outcome {
    /// Compares and checks what was measured.
    #[must_use]
    pub fn judge(
        bench: &Bench<'_>,
        turn: &Turn<'_>,
        rounds: u32,
        ours: Option<Entry>,
        rivals: Vec<Entry>,
    ) -> Self {
        let our_figures = ours.as_ref().and_then(|entry| entry.result.as_ref().ok());
        let figures_of = |name: &str| {
            rivals
                .iter()
                .find(|entry| entry.description.name == name)
                .and_then(|entry| entry.result.as_ref().ok())
        };
        let verdicts: Vec<Verdict> = bench
            .requirements
            .iter()
            .map(|requirement| requirement.check(our_figures, figures_of, bench.unit))
            .collect();
        let rivals: Vec<RivalEntry> = rivals
            .iter()
            .map(|entry| {
                let ratio =
                    our_figures.zip(entry.result.as_ref().ok()).and_then(|(ours, rival)| ratio(ours, rival));
                RivalEntry { entry: entry.clone(), ratio }
            })
            .collect();
        let wins_hugely =
            rivals.iter().filter_map(|rival| rival.ratio.as_ref()).any(|r| r.ratio > EXPLAIN_FROM);
        Self {
            name: bench.name,
            variant: bench.variant,
            title: bench.title(),
            what: bench.what,
            unit: bench.unit,
            path: bench.path,
            sampling: turn.sampling,
            rounds,
            cores: turn.cores.to_string(),
            cycles_per_ns: turn.clock.cycles(1.0),
            clock_cost_ns: turn.clock.read_cost_ns(),
            met: our_figures.is_some() && verdicts.iter().all(|verdict| verdict.state == State::Met),
            ours,
            rivals,
            verdicts,
            why: (wins_hugely && !bench.why_rival_is_slow.is_empty()).then_some(bench.why_rival_is_slow),
            published: bench.published,
        }
    }
}

/// `None` if ours is zero, which no ratio can express.
fn ratio(ours: &Figures, rival: &Figures) -> Option<Ratio> {
    if ours.p50 <= 0.0 || ours.turn_medians.contains(&0.0) {
        return None;
    }
    let pairs = ours.turn_medians.iter().zip(&rival.turn_medians);
    let (low, high) = smallest_and_largest(pairs.map(|(ours, rival)| rival / ours));
    Some(Ratio { ratio: rival.p50 / ours.p50, spread: [low, high] })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::Clock;
    use crate::cores::Cores;
    use crate::published::ROUND_TRIPS;
    use crate::requirement::{Requirement, Statistic};

    fn entry(name: &str, result: Result<f64, &str>) -> Entry {
        let description =
            Description { name: name.to_owned(), configuration: "as it is".to_owned(), cores_used: 1 };
        let result = result.map_err(str::to_owned).map(|p50| Figures {
            p50,
            p99: 2.0 * p50,
            p99_9: 3.0 * p50,
            max: 4.0 * p50,
            samples: 10,
            turn_medians: vec![0.9 * p50, p50],
            quantiles: vec![[0.0, 0.8 * p50], [0.5, p50], [0.99, 2.0 * p50], [1.0, 4.0 * p50]],
        });
        Entry { description, result, remark: (name == "pipe").then(|| "half of it was lost".to_owned()) }
    }

    /// Ours at 40.1 ns, a pipe at 2 µs, another rival without figures; 2.5 cycles in a nanosecond.
    pub(crate) fn outcome() -> Outcome {
        let cores = Cores::default_pair().expect("cores");
        let clock = Clock::calibrate().expect("clock");
        let bench = Bench {
            name: "example",
            variant: Some("one"),
            what: "the operation",
            unit: Unit::Nanoseconds,
            sampling: Sampling::BATCH,
            turn_budget: Duration::ZERO,
            sample_limit: 1,
            rounds: 2,
            path: "the path",
            why_rival_is_slow: "system calls",
            requirements: vec![
                Requirement::AtMost(Statistic::P50, 70.0),
                Requirement::TimesFasterThan("other", 5.0),
            ],
            published: ROUND_TRIPS,
            ours: None,
            rivals: Vec::new(),
        };
        let turn = Turn {
            cores: &cores,
            clock: &clock,
            sampling: bench.sampling,
            budget: bench.turn_budget,
            sample_limit: bench.sample_limit,
        };
        let rivals = vec![entry("pipe", Ok(2_000.0)), entry("other", Err("not installed"))];
        let judged = Outcome::judge(&bench, &turn, 2, Some(entry("ours", Ok(40.1))), rivals);
        Outcome { cores: "0,1".to_owned(), cycles_per_ns: 2.5, clock_cost_ns: 20.0, ..judged }
    }

    #[test]
    fn a_win_of_more_than_ten_times_is_explained_and_a_smaller_one_is_not() {
        assert_eq!(outcome().why, Some("system calls"));
        let figures = |p50: f64| entry("", Ok(p50)).result.expect("figures");
        let close = ratio(&figures(40.0), &figures(399.0)).expect("not zero");
        assert!(close.ratio < EXPLAIN_FROM && (close.spread[0] - 9.975).abs() < 1e-9);
    }

    #[test]
    fn nothing_divides_by_a_zero_of_ours() {
        let zero = Figures { turn_medians: vec![0.0], ..entry("", Ok(0.0)).result.expect("figures") };
        assert_eq!(ratio(&zero, &zero), None);
    }
}
