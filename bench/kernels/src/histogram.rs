//! Counts of times by length, small enough for a cell: what `hallows bench jitter` measures goes into one of these, on both sides.
//!
//! Log-linear, as HdrHistogram (Tene 2012): times below 256 ns each for themselves, above that 128 classes between each power of two and the next, so
//! that what is read is too long by less than one part in 128.

use alloc::vec;
use alloc::vec::Vec;

/// Classes between a power of two and the next.
const CLASSES: u64 = 128;
/// Times of 2^40 ns, 18 minutes, and more are one class.
const HIGHEST_POWER: u32 = 40;

/// Counts of times in nanoseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    counts: Vec<u64>,
    max_ns: u64,
    total: u64,
}

impl Histogram {
    /// Without any; allocates all that it ever needs, 34 KiB.
    #[must_use]
    pub fn new() -> Self {
        Self { counts: vec![0; class(u64::MAX) + 1], max_ns: 0, total: 0 }
    }

    /// Counts a time.
    #[inline]
    pub fn add(&mut self, time_ns: u64) {
        if let Some(count) = self.counts.get_mut(class(time_ns)) {
            *count += 1;
        }
        self.max_ns = self.max_ns.max(time_ns);
        self.total += 1;
    }

    /// How many were counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The longest, to the nanosecond.
    #[must_use]
    pub fn max_ns(&self) -> u64 {
        self.max_ns
    }

    /// Every class that has any: the longest time of it in ns (of the last one that was counted, no longer than it), and how many.
    pub fn counts(&self) -> impl Iterator<Item = (u64, u64)> {
        let counted = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        counted.map(|(class, count)| (longest_ns(class).min(self.max_ns), *count))
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}

/// The class of a time.
fn class(time_ns: u64) -> usize {
    let time_ns = time_ns.min((1 << HIGHEST_POWER) - 1);
    // Times up to 2 * CLASSES are their own class; then each power of two has CLASSES more.
    let power = time_ns.max(1).ilog2().saturating_sub(CLASSES.ilog2());
    let class = u64::from(power) * CLASSES + (time_ns >> power);
    class as usize
}

/// The longest time of a class.
fn longest_ns(class: usize) -> u64 {
    let class = class as u64;
    let power = (class / CLASSES).saturating_sub(1);
    ((class - power * CLASSES + 1) << power) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_in_a_class_that_is_too_long_by_less_than_one_in_128() {
        for time_ns in (0..5_000).chain((0..4_000).map(|step| step * step * 37)) {
            let longest = longest_ns(class(time_ns));
            assert!(longest >= time_ns && longest - time_ns <= time_ns / 128, "{time_ns}: {longest}");
        }
        assert_eq!([0, 1, 255, 256].map(|time_ns| longest_ns(class(time_ns))), [0, 1, 255, 257]);
    }

    #[test]
    fn neighbouring_classes_leave_no_gap() {
        for number in 0..class(u64::MAX) {
            assert_eq!(class(longest_ns(number)), number);
            assert_eq!(class(longest_ns(number) + 1), number + 1);
        }
    }

    #[test]
    fn what_is_counted_is_there_and_the_longest_exactly() {
        let mut histogram = Histogram::new();
        for time_ns in [5, 5, 300, 1_000_003, u64::MAX] {
            histogram.add(time_ns);
        }
        let counts: Vec<(u64, u64)> = histogram.counts().collect();
        assert_eq!(counts[..2], [(5, 2), (301, 1)]);
        assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), histogram.total());
        let mut small = Histogram::new();
        small.add(1_000_003);
        assert_eq!(small.counts().collect::<Vec<_>>(), [(1_000_003, 1)]);
        assert_eq!(small.max_ns(), 1_000_003);
    }
}
