//! One turn of one contestant: how long it may measure, where, and how.

use std::num::NonZeroU32;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{self, Clock};
use crate::cores::Cores;
use crate::error::BenchError;
use crate::samples::Samples;

/// A tenth of a turn warms caches, branch predictors and page tables and is not measured.
const WARM_UP_FRACTION: u32 = 10;

/// How clock reads are spread over operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampling {
    /// A sample is one operation, clock reads included.
    Single,
    /// A sample is the mean of this many operations between two clock reads: for operations that cost about as much as
    /// reading the clock. Percentiles are then those of means, which hides single slow operations.
    MeanOf(NonZeroU32),
}

impl Sampling {
    /// 32 operations: the clock's share falls below a nanosecond, and a slow operation is still seen.
    pub const BATCH: Self = Self::MeanOf(NonZeroU32::new(32).unwrap());

    /// Operations between two clock reads.
    #[must_use]
    pub const fn operations(self) -> u32 {
        match self {
            Self::Single => 1,
            Self::MeanOf(operations) => operations.get(),
        }
    }
}

/// What a contestant is given for one turn.
#[derive(Clone, Copy, Debug)]
pub struct Turn<'a> {
    /// Where to run: everything of one core on the first, the other side on the second.
    pub cores: &'a Cores,
    /// The run's clock.
    pub clock: &'a Clock,
    /// How to sample.
    pub sampling: Sampling,
    /// How long to measure.
    pub budget: Duration,
    /// More samples than this are not wanted, even if time is left.
    pub sample_limit: usize,
}

impl Turn<'_> {
    /// Repeats `operation` for the turn: first unmeasured, then timed as [`Turn::sampling`] says.
    ///
    /// # Errors
    /// The first error of the operation.
    #[inline]
    pub fn measure(
        &self,
        mut operation: impl FnMut() -> Result<(), BenchError>,
    ) -> Result<Samples, BenchError> {
        let operations = self.sampling.operations();
        let budget_ticks = self.clock.ticks(self.budget);

        let warm_until = clock::glance() + budget_ticks / u64::from(WARM_UP_FRACTION);
        for _ in 0..self.sample_limit {
            for _ in 0..operations {
                operation()?;
            }
            if clock::glance() >= warm_until {
                break;
            }
        }

        let mut ticks = self.sample_buffer();
        let until = clock::glance() + budget_ticks;
        while ticks.len() < self.sample_limit {
            let begin = clock::begin();
            for _ in 0..operations {
                operation()?;
            }
            let end = clock::end();
            ticks.push(end - begin);
            if end >= until {
                break;
            }
        }
        Ok(self.per_operation(ticks))
    }

    /// Samples from ticks that one [`Sampling::operations`]-long batch each took.
    #[must_use]
    pub fn per_operation(&self, ticks: Vec<u64>) -> Samples {
        Samples::scaled(ticks, self.clock.nanoseconds(1) / f64::from(self.sampling.operations()))
    }

    /// Samples from ticks that one operation each took, whatever the sampling: latencies between two events.
    #[must_use]
    pub fn single(&self, ticks: Vec<u64>) -> Samples {
        Samples::scaled(ticks, self.clock.nanoseconds(1))
    }

    /// Room for the turn's samples, touched, so that pushing one neither allocates nor faults.
    #[must_use]
    pub fn sample_buffer(&self) -> Vec<u64> {
        let mut buffer = vec![1; self.sample_limit];
        buffer.clear();
        buffer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn<'a>(cores: &'a Cores, clock: &'a Clock, sampling: Sampling, sample_limit: usize) -> Turn<'a> {
        Turn { cores, clock, sampling, budget: Duration::from_secs(3600), sample_limit }
    }

    #[test]
    fn a_turn_warms_up_then_takes_as_many_samples_as_are_wanted() {
        let (cores, clock) = (Cores::default_pair().expect("cores"), Clock::calibrate().expect("clock"));
        let mut calls = 0;
        let samples = turn(&cores, &clock, Sampling::BATCH, 10)
            .measure(|| {
                calls += 1;
                Ok(())
            })
            .expect("no error");
        assert_eq!(samples.len(), 10);
        assert_eq!(calls, 2 * 10 * 32);
    }

    #[test]
    fn a_turn_ends_when_its_time_is_up() {
        let (cores, clock) = (Cores::default_pair().expect("cores"), Clock::calibrate().expect("clock"));
        let turn = Turn { budget: Duration::ZERO, ..turn(&cores, &clock, Sampling::Single, 1_000) };
        assert_eq!(turn.measure(|| Ok(())).expect("no error").len(), 1);
    }

    #[test]
    fn an_error_ends_the_turn() {
        let (cores, clock) = (Cores::default_pair().expect("cores"), Clock::calibrate().expect("clock"));
        let result =
            turn(&cores, &clock, Sampling::Single, 5).measure(|| Err(BenchError::Wrong("no".to_owned())));
        assert!(result.is_err());
    }

    #[test]
    fn a_batch_is_divided_by_its_operations() {
        let (cores, clock) = (Cores::default_pair().expect("cores"), Clock::calibrate().expect("clock"));
        let turn = turn(&cores, &clock, Sampling::BATCH, 5);
        let (batch, single): (Vec<f64>, Vec<f64>) =
            (turn.per_operation(vec![3_200]).values().collect(), turn.single(vec![100]).values().collect());
        assert!((batch[0] - single[0]).abs() < 1e-9);
    }
}
