//! Percentiles, as far as there are enough samples for them.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Latencies are told apart to a thousandth.
const DIGITS: u8 = 3;
/// A percentile needs at least so many samples beyond it: 10⁶ samples for p99.99.
pub const BEYOND: f64 = 100.0;

/// An empty histogram, which grows with what is recorded.
#[must_use]
#[expect(clippy::unwrap_used, reason = "3 digits are as many as a histogram may have")]
pub fn histogram() -> Histogram<u64> {
    Histogram::new(DIGITS).unwrap()
}

/// The value that so many percent have at most; `None` if there are too few samples for that.
#[must_use]
pub fn percentile(histogram: &Histogram<u64>, percent: f64) -> Option<f64> {
    // Rounding may have taken a bit of the last sample that is needed.
    let beyond = histogram.len() as f64 * (100.0 - percent) / 100.0 + 1e-6;
    (beyond >= BEYOND).then(|| histogram.value_at_percentile(percent) as f64)
}

/// Some percentiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half are at most this.
    pub p50: Option<f64>,
    /// 99 % are.
    pub p99: Option<f64>,
    /// 99.9 % are.
    pub p99_9: Option<f64>,
    /// 99.99 % are.
    pub p99_99: Option<f64>,
    /// All are.
    pub max: Option<f64>,
    /// The mean.
    pub mean: Option<f64>,
}

impl Percentiles {
    /// Of what was recorded in units of 1/`part`.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>, part: f64) -> Self {
        let some = |value: f64| (!histogram.is_empty()).then_some(value / part);
        let at = |percent| percentile(histogram, percent).map(|value| value / part);
        Self {
            p50: some(histogram.value_at_percentile(50.0) as f64),
            p99: at(99.0),
            p99_9: at(99.9),
            p99_99: at(99.99),
            max: some(histogram.max() as f64),
            mean: some(histogram.mean()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_given_from_a_hundred_samples_beyond_it_on() {
        let mut some = histogram();
        let none = Percentiles::of(&some, 1.0);
        assert_eq!((none.p50, none.p99, none.max), (None, None, None));
        some.record_n(1_000, 9_900).expect("it grows");
        some.record_n(2_000_000, 99).expect("it grows");
        let few = Percentiles::of(&some, 1.0);
        assert!(few.p50.is_some() && few.max.is_some());
        assert_eq!((few.p99, few.p99_9), (None, None));
        some.record(2_000_000).expect("it grows");
        let enough = Percentiles::of(&some, 1_000.0);
        assert!(enough.p99.is_some_and(|value| (0.99..1.01).contains(&value)), "{enough:?}");
        assert!(enough.max.is_some_and(|value| (1_999.0..2_002.0).contains(&value)), "{enough:?}");
        assert_eq!(enough.p99_9, None);
    }
}
