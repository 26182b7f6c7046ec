//! Several configurations of one rival, of which the fastest on this machine takes part.
//!
//! What is best known differs by machine: real-time priority makes tails short everywhere, but on some kernels
//! costs a tenth of the median. We would not win against the worse of two.

use crate::bench::BoxedContestant;
use crate::contestant::{Contestant, Description};
use crate::error::BenchError;
use crate::samples::{Collected, Samples};
use crate::turn::Turn;

/// A trial is this fraction of a turn.
const TRIAL_FRACTION: u32 = 5;

/// Tries each candidate once, then plays the one with the lowest median.
pub struct BestOf<'a> {
    candidates: Vec<BoxedContestant<'a>>,
    /// What the trials gave, for the description.
    tried: Option<String>,
}

impl<'a> BestOf<'a> {
    /// A rival that chooses among these; the first one until it has chosen. At least one must be given.
    #[must_use]
    pub fn new(candidates: Vec<BoxedContestant<'a>>) -> Self {
        Self { candidates, tried: None }
    }

    fn choose(&mut self, turn: &Turn<'_>) -> Result<(), BenchError> {
        let trial = Turn { budget: turn.budget / TRIAL_FRACTION, ..*turn };
        let mut medians = Vec::new();
        for candidate in &mut self.candidates {
            let mut collected = Collected::new();
            collected.add(&candidate.turn(&trial)?)?;
            medians.extend(collected.figures().map(|figures| figures.p50));
        }
        let texts: Vec<String> = medians.iter().map(|median| format!("{median:.0}")).collect();
        let best = (0..medians.len()).min_by(|a, b| medians[*a].total_cmp(&medians[*b])).unwrap_or(0);
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
            description.configuration.push_str("; the fastest of several (medians of the trials: ");
            description.configuration.push_str(tried);
            description.configuration.push(')');
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
            "b; the fastest of several (medians of the trials: 30, 10, 20)"
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
