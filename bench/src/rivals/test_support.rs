//! Short turns for the rivals' tests: a number of samples, not a time.

use std::time::Duration;

use crate::clock::Clock;
use crate::contestant::Contestant;
use crate::cores::{Core, Cores};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::{Sampling, Turn};

/// Gives `contestant` a turn of exactly this many samples on the first two cores.
pub(super) fn play(
    contestant: &mut dyn Contestant,
    sampling: Sampling,
    sample_limit: usize,
) -> Result<Samples, BenchError> {
    let cores = Cores::default_pair().expect("cores");
    let clock = Clock::calibrate().expect("clock");
    // So long that only the number of samples ends the turn.
    let turn =
        Turn { cores: &cores, clock: &clock, sampling, budget: Duration::from_secs(600), sample_limit };
    contestant.turn(&turn)
}

/// Plays two turns, as a run does, and checks that each has all its samples and none is zero.
pub(super) fn play_twice(contestant: &mut dyn Contestant, sampling: Sampling, sample_limit: usize) {
    for _ in 0..2 {
        let samples = play(contestant, sampling, sample_limit).expect("a turn");
        assert_eq!(samples.len(), sample_limit);
        assert!(samples.values().all(|value| value > 0.0));
    }
}

/// Whether this machine has a second core: who needs it is told so in words, and that is tested too.
pub(super) fn has_second_core() -> bool {
    Cores::default_pair().expect("cores").second().is_ok()
}

/// Checks that a contestant for two cores refuses one core with advice.
pub(super) fn refuses_one_core(contestant: &mut dyn Contestant) {
    let first: Core = Cores::default_pair().expect("cores").first();
    let cores = Cores::parse(&first.to_string()).expect("it is allowed");
    let clock = Clock::calibrate().expect("clock");
    let turn = Turn {
        cores: &cores,
        clock: &clock,
        sampling: Sampling::Single,
        budget: Duration::ZERO,
        sample_limit: 1,
    };
    let error = contestant.turn(&turn).expect_err("one core is not enough").to_string();
    assert!(error.contains("--cores"), "{error}");
}
