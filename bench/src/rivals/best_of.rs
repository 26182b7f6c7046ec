//! Several configurations of one rival, of which the best on this machine takes part: the fastest, unless it is said what counts.
//!
//! What is best known differs by machine: real-time priority makes tails short everywhere, but on some kernels
//! costs a tenth of the median. We would not win against the worse of two.

use crate::bench::BoxedContestant;
use crate::contestant::{Contestant, Description};
use crate::error::BenchError;
use crate::requirement::Statistic;
use crate::samples::{Collected, Samples};
use crate::turn::Turn;

/// A trial is this fraction of a turn.
const TRIAL_FRACTION: u32 = 5;

/// Tries each candidate once, then plays the one with the lowest figure, mostly the median.
pub struct BestOf<'a> {
    candidates: Vec<BoxedContestant<'a>>,
    counts: Statistic,
    /// What the trials gave, for the description.
    tried: Option<String>,
}

impl<'a> BestOf<'a> {
    /// A rival that chooses among these; the first one until it has chosen. At least one must be given.
    #[must_use]
    pub fn new(candidates: Vec<BoxedContestant<'a>>) -> Self {
        Self::by(Statistic::P50, candidates)
    }

    /// The same where another figure than the median counts.
    #[must_use]
    pub fn by(counts: Statistic, candidates: Vec<BoxedContestant<'a>>) -> Self {
        Self { candidates, counts, tried: None }
    }

    fn choose(&mut self, turn: &Turn<'_>) -> Result<(), BenchError> {
        let trial = Turn { budget: turn.budget / TRIAL_FRACTION, ..*turn };
        let mut reached = Vec::new();
        for candidate in &mut self.candidates {
            let mut collected = Collected::new();
            collected.add(&candidate.turn(&trial)?)?;
            reached.extend(collected.figures().map(|figures| self.counts.of(&figures)));
        }
        let texts: Vec<String> = reached.iter().map(|figure| format!("{figure:.0}")).collect();
        let best = (0..reached.len()).min_by(|a, b| reached[*a].total_cmp(&reached[*b])).unwrap_or(0);
        self.candidates.swap(0, best);
        // The others end, with their threads and processes.
        self.candidates.truncate(1);
        self.tried = Some(texts.join(", "));
        Ok(())
    }
}

impl Contestant for BestOf<'_> {
    fn describe(&self) -> Description {
        let mut description = self.candidates[0].describe();
        if let Some(tried) = &self.tried {
            description.configuration +=
                &format!("; the fastest of several ({} of the trials: {tried})", self.counts);
        }
        description
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        if self.tried.is_none() && self.candidates.len() > 1 {
            self.choose(turn)?;
        }
        self.candidates[0].turn(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play;
    use super::*;
    use crate::contestant::FromClosure;
    use crate::turn::Sampling;

    #[test]
    fn the_fastest_candidate_plays_and_says_that_it_was_chosen() {
        let candidate = |configuration: &str, value: u64| -> BoxedContestant<'_> {
            Box::new(FromClosure::new("rival", configuration, 1, move |_: &Turn<'_>| {
                Ok(Samples::in_units(vec![value]))
            }))
        };
        let mut best = BestOf::new(vec![candidate("a", 30), candidate("b", 10), candidate("c", 20)]);
        assert_eq!(best.describe().configuration, "a");
        for _ in 0..2 {
            let samples = play(&mut best, Sampling::Single, 1).expect("a turn");
            assert_eq!(samples.values().collect::<Vec<_>>(), [10.0]);
        }
        assert_eq!(
            best.describe().configuration,
            "b; the fastest of several (p50 of the trials: 30, 10, 20)"
        );
    }

    #[test]
    fn another_figure_than_the_median_may_count() {
        let candidate = |configuration: &str, slow: u64| -> BoxedContestant<'_> {
            Box::new(FromClosure::new("rival", configuration, 1, move |_: &Turn<'_>| {
                Ok(Samples::in_units([vec![200 - slow; 98], vec![slow; 2]].concat()))
            }))
        };
        let mut best = BestOf::by(Statistic::P99, vec![candidate("quick", 190), candidate("even", 110)]);
        play(&mut best, Sampling::Single, 1).expect("a turn");
        assert_eq!(
            best.describe().configuration,
            "even; the fastest of several (p99 of the trials: 190, 110)"
        );
    }

    #[test]
    fn a_candidate_that_fails_fails_the_rival() {
        let broken =
            FromClosure::new("rival", "", 1, |_: &Turn<'_>| Err(BenchError::Wrong("broken".to_owned())));
        let fine = FromClosure::new("rival", "", 1, |_: &Turn<'_>| Ok(Samples::in_units(vec![1])));
        assert!(play(&mut BestOf::new(vec![Box::new(fine), Box::new(broken)]), Sampling::Single, 1).is_err());
    }
}
