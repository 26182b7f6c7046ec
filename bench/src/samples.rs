//! Samples of one turn, and what they amount to.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::error::BenchError;

/// Histograms hold thousandths of the unit, so that a 4 ns call has four digits.
const THOUSANDTHS: f64 = 1_000.0;
/// Digits that a histogram keeps: an error below 0.1 %, far below the spread between turns.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Shares of the samples that tell a distribution: the middle evenly, then ever more of the tail.
const SHARES: [f64; 21] = [
    0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999,
    0.9995, 0.9999, 1.0,
];

/// What a bench counts; less is better for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanoseconds,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// Wake-ups (context switches).
    #[serde(rename = "wake-ups")]
    WakeUps,
    /// System calls.
    #[serde(rename = "calls")]
    Calls,
}

impl Unit {
    /// The word behind a figure.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nanoseconds => "ns",
            Self::Bytes => "bytes",
            Self::WakeUps => "wake-ups",
            Self::Calls => "calls",
        }
    }
}

/// The samples of one turn: raw counts and what one of them is worth.
#[derive(Clone, Debug)]
pub struct Samples {
    raw: Vec<u64>,
    /// Units per raw count.
    scale: f64,
}

impl Samples {
    /// Samples that are already in the bench's unit.
    #[must_use]
    pub fn in_units(values: Vec<u64>) -> Self {
        Self { raw: values, scale: 1.0 }
    }

    /// Samples in some smaller count, `scale` units each; [`crate::Turn`] makes those of the clock.
    #[must_use]
    pub fn scaled(raw: Vec<u64>, scale: f64) -> Self {
        Self { raw, scale }
    }

    /// The share of each of so many parts: where one sample is the time of several sides, one side's.
    #[must_use]
    pub fn shared_by(self, parts: u32) -> Self {
        Self { scale: self.scale / f64::from(parts), ..self }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The samples in units.
    pub fn values(&self) -> impl Iterator<Item = f64> {
        self.raw.iter().map(|raw| *raw as f64 * self.scale)
    }
}

/// The samples of several turns, with each turn's median kept apart.
pub struct Collected {
    all: Histogram<u64>,
    turn_medians: Vec<f64>,
}

impl Collected {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self { all: empty_histogram(), turn_medians: Vec::new() }
    }

    /// Adds a turn.
    ///
    /// # Errors
    /// [`BenchError::Wrong`] if the turn has no samples: a contestant that measured nothing.
    pub fn add(&mut self, turn: &Samples) -> Result<(), BenchError> {
        if turn.is_empty() {
            return Err(BenchError::Wrong("a turn ended without a sample".to_owned()));
        }
        let mut histogram = empty_histogram();
        for value in turn.values() {
            // Cannot fail: a resizing histogram takes every u64.
            let _ = histogram.record((value * THOUSANDTHS).round() as u64);
        }
        self.turn_medians.push(at(&histogram, 0.5));
        let _ = self.all.add(&histogram);
        Ok(())
    }

    /// The figures of all turns; `None` before the first.
    #[must_use]
    pub fn figures(&self) -> Option<Figures> {
        (!self.turn_medians.is_empty()).then(|| Figures {
            p50: at(&self.all, 0.5),
            p99: at(&self.all, 0.99),
            p99_9: at(&self.all, 0.999),
            max: self.all.max() as f64 / THOUSANDTHS,
            samples: self.all.len(),
            turn_medians: self.turn_medians.clone(),
            quantiles: quantiles(|share| at(&self.all, share)),
        })
    }
}

impl Default for Collected {
    fn default() -> Self {
        Self::new()
    }
}

/// What a contestant reached, in the bench's unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Median of all samples.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p99_9: f64,
    /// Worst sample.
    pub max: f64,
    /// How many samples.
    pub samples: u64,
    /// Each turn's median, in the order of the turns.
    pub turn_medians: Vec<f64>,
    /// The distribution of all samples: shares of them, and what they are at most.
    pub quantiles: Vec<[f64; 2]>,
}

impl Figures {
    /// Smallest and largest median of a turn.
    #[must_use]
    pub fn spread(&self) -> (f64, f64) {
        smallest_and_largest(self.turn_medians.iter().copied())
    }
}

/// The shares that tell a distribution, each with what `at` says of it.
pub(crate) fn quantiles(at: impl Fn(f64) -> f64) -> Vec<[f64; 2]> {
    SHARES.map(|share| [share, at(share)]).to_vec()
}

/// Both ends of some figures (infinities if there are none).
pub(crate) fn smallest_and_largest(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

fn at(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    // The histogram answers with its bucket's upper end, which may lie above the largest sample.
    histogram.value_at_quantile(quantile).min(histogram.max()) as f64 / THOUSANDTHS
}

fn empty_histogram() -> Histogram<u64> {
    Histogram::new(SIGNIFICANT_DIGITS).unwrap_or_else(|_| unreachable!("0 to 5 digits are valid"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_samples() {
        let mut collected = Collected::new();
        collected.add(&Samples::in_units((1..=500).collect())).expect("samples");
        collected.add(&Samples::in_units((501..=1_000).collect())).expect("samples");
        let figures = collected.figures().expect("two turns");
        let near =
            |value: f64, expected: f64| assert!((value / expected - 1.0).abs() < 2e-3, "{value} {expected}");
        near(figures.p50, 500.0);
        near(figures.p99, 990.0);
        near(figures.p99_9, 999.0);
        near(figures.max, 1_000.0);
        near(figures.quantiles[7][1], 500.0);
        near(figures.quantiles[20][1], 1_000.0);
        assert!(figures.quantiles.is_sorted_by(|one, next| one[0] < next[0] && one[1] <= next[1]));
        near(figures.spread().0, 250.0);
        near(figures.spread().1, 750.0);
        assert_eq!(figures.samples, 1_000);
    }

    #[test]
    fn fractions_of_the_unit_survive() {
        let mut collected = Collected::new();
        collected.add(&Samples::scaled(vec![118], 1.0 / 32.0)).expect("samples");
        assert!((collected.figures().expect("one turn").p50 - 3.687).abs() < 0.005);
    }

    #[test]
    fn zero_is_a_figure_and_nothing_is_not() {
        let mut collected = Collected::new();
        assert!(collected.figures().is_none());
        assert!(collected.add(&Samples::in_units(Vec::new())).is_err());
        collected.add(&Samples::in_units(vec![0])).expect("a sample");
        assert_eq!(collected.figures().expect("one turn").max, 0.0);
    }
}
