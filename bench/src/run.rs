//! Runs a bench: everybody in turns, so that what changes on the machine changes for all.

use std::time::Duration;

use crate::bench::{Bench, BoxedContestant};
use crate::clock::Clock;
use crate::contestant::Description;
use crate::cores::Cores;
use crate::outcome::{Entry, Outcome};
use crate::samples::Collected;
use crate::turn::{Sampling, Turn};

/// What `hallows bench` may change about all benches of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The cores for ours and rivals alike.
    pub cores: Cores,
    /// Turns for everybody, instead of each bench's own number.
    pub rounds: Option<u32>,
    /// Length of a turn, instead of each bench's own.
    pub turn_budget: Option<Duration>,
    /// How to sample, instead of each bench's own way.
    pub sampling: Option<Sampling>,
}

impl Plan {
    /// Every bench as it is defined, on these cores.
    #[must_use]
    pub fn on(cores: Cores) -> Self {
        Self { cores, rounds: None, turn_budget: None, sampling: None }
    }
}

/// A turn that is about to start, for whoever shows progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// [`Bench::title`].
    pub bench: String,
    /// Whose turn.
    pub contestant: String,
    /// Which turn, from 1.
    pub round: u32,
    /// Of how many.
    pub rounds: u32,
}

/// Measures a bench: ours, then each rival, then ours again, for as many rounds as wanted.
///
/// A contestant that fails sits out the rest; the others go on, and the outcome says why.
pub fn run(bench: &mut Bench<'_>, plan: &Plan, clock: &Clock, mut progress: impl FnMut(Progress)) -> Outcome {
    let rounds = plan.rounds.unwrap_or(bench.rounds).max(1);
    let turn = Turn {
        cores: &plan.cores,
        clock,
        sampling: plan.sampling.unwrap_or(bench.sampling),
        budget: plan.turn_budget.unwrap_or(bench.turn_budget),
        sample_limit: bench.sample_limit,
    };
    let title = bench.title();

    let mut ours = bench.ours.as_mut().map(Participant::new);
    let mut rivals: Vec<Participant<'_, '_>> = bench.rivals.iter_mut().map(Participant::new).collect();
    for round in 1..=rounds {
        for participant in ours.iter_mut().chain(&mut rivals) {
            if participant.failure.is_some() {
                continue;
            }
            let contestant = participant.description.name.clone();
            progress(Progress { bench: title.clone(), contestant, round, rounds });
            participant.play(&turn);
        }
    }
    let ours = ours.map(Participant::finish);
    let rivals = rivals.into_iter().map(Participant::finish).collect();
    Outcome::judge(bench, &turn, rounds, ours, rivals)
}

/// A contestant during a run.
struct Participant<'r, 'a> {
    contestant: &'r mut BoxedContestant<'a>,
    description: Description,
    collected: Collected,
    failure: Option<String>,
}

impl<'r, 'a> Participant<'r, 'a> {
    fn new(contestant: &'r mut BoxedContestant<'a>) -> Self {
        let description = contestant.describe();
        Self { contestant, description, collected: Collected::new(), failure: None }
    }

    fn play(&mut self, turn: &Turn<'_>) {
        let result = self.contestant.turn(turn).and_then(|samples| self.collected.add(&samples));
        self.failure = result.err().map(|error| error.to_string());
    }

    fn finish(self) -> Entry {
        // Described again: some know their configuration only after the first turn.
        let description = self.contestant.describe();
        let result = match (self.failure, self.collected.figures()) {
            (None, Some(figures)) => Ok(figures),
            (failure, _) => Err(failure.unwrap_or_else(|| "it had no turn".to_owned())),
        };
        Entry { description, result, remark: self.contestant.remark() }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::contestant::FromClosure;
    use crate::error::BenchError;
    use crate::requirement::{Requirement, Statistic};
    use crate::samples::{Samples, Unit};

    fn bench(ours: Option<BoxedContestant<'_>>, rivals: Vec<BoxedContestant<'_>>) -> Outcome {
        let requirements =
            vec![Requirement::AtMost(Statistic::P50, 10.0), Requirement::TimesFasterThan("slow", 5.0)];
        let mut bench = Bench {
            name: "example",
            variant: None,
            what: "",
            unit: Unit::WakeUps,
            sampling: Sampling::Single,
            turn_budget: Duration::ZERO,
            sample_limit: 1,
            rounds: 3,
            path: "",
            why_rival_is_slow: "",
            requirements,
            published: &[],
            ours,
            rivals,
        };
        let clock = Clock::calibrate().expect("clock");
        run(&mut bench, &Plan::on(Cores::default_pair().expect("cores")), &clock, |_| ())
    }

    #[test]
    fn everybody_takes_turns_and_who_fails_sits_out() {
        let order = RefCell::new(String::new());
        let player = |name: &'static str, value: u64, fails_in_turn: usize| -> BoxedContestant<'_> {
            let order = &order;
            let mut turns = 0;
            Box::new(FromClosure::new(name, "", 1, move |_: &Turn<'_>| {
                order.borrow_mut().push_str(&name[..1]);
                turns += 1;
                if turns == fails_in_turn {
                    return Err(BenchError::Wrong("broken".to_owned()));
                }
                Ok(Samples::in_units(vec![value + turns as u64]))
            }))
        };
        let outcome = bench(Some(player("ours", 7, 0)), vec![player("slow", 48, 0), player("broken", 1, 2)]);
        assert_eq!(*order.borrow(), "osbosbos");
        assert!(outcome.met, "{:?}", outcome.verdicts);
        assert_eq!(outcome.rivals[1].entry.result, Err("wrong result: broken".to_owned()));
        let medians = outcome.ours.expect("played").result.expect("measured").turn_medians;
        for (median, expected) in medians.iter().zip([8.0, 9.0, 10.0]) {
            assert!((median / expected - 1.0).abs() < 1e-3, "{medians:?}");
        }
        let ratio = outcome.rivals[0].ratio.as_ref().expect("both measured");
        // 50 / 9, and the turns' own: 49/8, 50/9, 51/10.
        assert!((ratio.ratio - 50.0 / 9.0).abs() < 0.01, "{ratio:?}");
        assert!((ratio.spread[0] - 5.1).abs() < 0.01 && (ratio.spread[1] - 6.125).abs() < 0.01, "{ratio:?}");
    }

    #[test]
    fn without_ours_nothing_is_met() {
        let rival = FromClosure::new("slow", "", 1, |_: &Turn<'_>| Ok(Samples::in_units(vec![50])));
        let outcome = bench(None, vec![Box::new(rival)]);
        assert!(!outcome.met && outcome.ours.is_none());
        assert!(outcome.rivals[0].entry.result.is_ok());
    }
}
