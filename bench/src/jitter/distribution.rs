//! Times by how often they were measured.

use hdrhistogram::Histogram;

use crate::samples::{Figures, quantiles};

/// Digits that are kept: an error below 0.1 %.
const SIGNIFICANT_DIGITS: u8 = 3;
/// A percentile is not given where fewer samples lie beyond it: it would be one sample's accident.
const LEAST_BEYOND: f64 = 5.0;

/// Times in nanoseconds.
#[derive(Clone, Debug)]
pub struct Distribution {
    histogram: Histogram<u64>,
    /// The histogram knows it to three digits only.
    max_ns: u64,
}

impl Distribution {
    /// Of these times, each with how often it was measured.
    #[must_use]
    pub fn of(counts: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let mut all = Self::default();
        for (time_ns, count) in counts {
            all.add(time_ns, count);
        }
        all
    }

    /// Counts a time so often.
    pub fn add(&mut self, time_ns: u64, count: u64) {
        // None at all would count as the longest all the same.
        if count > 0 {
            // Cannot fail: a resizing histogram takes every u64.
            let _ = self.histogram.record_n(time_ns, count);
            self.max_ns = self.max_ns.max(time_ns);
        }
    }

    /// With all of another one.
    pub fn merge(&mut self, other: &Self) {
        let _ = self.histogram.add(&other.histogram);
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    /// How many were measured.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.histogram.len()
    }

    /// The longest, in ns; 0 of none.
    #[must_use]
    pub fn max_ns(&self) -> f64 {
        self.max_ns as f64
    }

    /// What this share of the times is at most, in ns; `None` where too few lie beyond it to say.
    #[must_use]
    pub fn at(&self, share: f64) -> Option<f64> {
        let beyond = self.histogram.len() as f64 * (1.0 - share);
        // A hair's breadth for what a decimal fraction is in binary.
        (beyond + 1e-6 >= LEAST_BEYOND)
            .then(|| self.histogram.value_at_quantile(share).min(self.max_ns) as f64)
    }

    /// How many are longer than `above_ns` and no longer than `up_to_ns`.
    #[must_use]
    pub fn count_between(&self, above_ns: u64, up_to_ns: u64) -> u64 {
        let recorded = self.histogram.iter_recorded();
        let inside = recorded
            .filter(|step| (above_ns + 1..=up_to_ns).contains(&step.value_iterated_to().min(self.max_ns)));
        inside.map(|step| step.count_at_value()).sum()
    }

    /// The longest time of each class that has any, in ns, and how many.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let max_ns = self.max_ns;
        self.histogram
            .iter_recorded()
            .map(move |step| (step.value_iterated_to().min(max_ns), step.count_at_value()))
    }

    /// The figures of a bench's report, with these medians of turns; `None` without times.
    #[must_use]
    pub fn figures(&self, turn_medians: Vec<f64>) -> Option<Figures> {
        let at = |share| self.histogram.value_at_quantile(share).min(self.max_ns) as f64;
        (self.total() > 0).then(|| Figures {
            p50: at(0.5),
            p99: at(0.99),
            p99_9: at(0.999),
            max: self.max_ns(),
            samples: self.total(),
            turn_medians,
            quantiles: quantiles(at),
        })
    }
}

impl Default for Distribution {
    fn default() -> Self {
        let histogram =
            Histogram::new(SIGNIFICANT_DIGITS).unwrap_or_else(|_| unreachable!("0 to 5 digits are valid"));
        Self { histogram, max_ns: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_given_where_enough_samples_lie_beyond() {
        let times = Distribution::of([(100, 98_000), (200, 1_989), (1_000, 10), (70_000, 1)]);
        assert_eq!((times.total(), times.max_ns()), (100_000, 70_000.0));
        assert_eq!((times.at(0.5), times.at(0.99)), (Some(100.0), Some(200.0)));
        assert_eq!(times.at(0.9999), Some(1_000.0), "10 samples lie beyond");
        assert_eq!(times.at(0.999_99), None, "one");
        assert_eq!(Distribution::default().at(0.5), None);
        assert_eq!(times.figures(vec![100.0]).map(|figures| figures.quantiles.len()), Some(21));
        assert!(Distribution::default().figures(Vec::new()).is_none());
    }

    #[test]
    fn ranges_add_up_to_all() {
        let mut times = Distribution::of([(0, 1), (10, 3), (11, 5)]);
        times.merge(&Distribution::of([(5_000_000, 2)]));
        assert_eq!(times.count_between(0, 10), 3);
        assert_eq!(times.count_between(10, 11), 5);
        assert_eq!(times.count_between(11, u64::MAX), 2);
        assert_eq!(times.counts().map(|(_, count)| count).sum::<u64>(), 11);
        assert_eq!(times.counts().last(), Some((5_000_000, 2)));
    }
}
