//! What a cell's calls cost, for `top`: how many it made and answered, and how long a sample of them took.
//!
//! A call pays for two counters and a branch. Counters have one writer at a time (the cell's own thread, or who holds its monitor), so
//! they are plain loads and stores. Only a call that is due reads the clock: each at first, then ever fewer while they come so fast that
//! the samples lie closer than [`CLOSEST_NS`], and more again when they lie further apart than [`FURTHEST_NS`]. A sample stands for
//! as many calls as were let pass since the last one.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::lock::{Lock, Token, level};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use crate::{Engine, Kernel, Machine};

/// Samples that lie closer than this become fewer, in ns: a sample costs about 0.2 µs, so they cost 2 in 1,000.
const CLOSEST_NS: u64 = 100_000;
/// Samples that lie further apart than this become more, in ns: a second of any busy program has a thousand.
const FURTHEST_NS: u64 = 1_000_000;
/// The most calls that one sample stands for.
const WIDEST_GAP: u32 = 1 << 16;

/// Parts of each power of two: a value is told to a quarter of it, at worst 25 % too high.
const PARTS: u32 = 4;
/// Buckets up to 2^36 ns, more than a minute; what is longer counts as that.
const BUCKETS: usize = (36 * PARTS) as usize;

/// Durations, by how long they were: parts of powers of two.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Histogram([u64; BUCKETS]);

impl Histogram {
    const EMPTY: Self = Self([0; BUCKETS]);

    fn bucket(ns: u64) -> usize {
        if ns < u64::from(PARTS) {
            return usize::try_from(ns).unwrap_or(0);
        }
        let exponent = ns.ilog2();
        let part = ns >> (exponent - PARTS.ilog2()) & u64::from(PARTS - 1);
        let bucket = u64::from((exponent - 1) * PARTS) + part;
        usize::try_from(bucket).unwrap_or(BUCKETS).min(BUCKETS - 1)
    }

    /// The longest duration that a bucket counts, in ns.
    fn longest_ns(bucket: usize) -> u64 {
        let next = bucket as u64 + 1;
        if next <= u64::from(PARTS) {
            return next - 1;
        }
        let (exponent, part) = (next / u64::from(PARTS) + 1, next % u64::from(PARTS));
        ((u64::from(PARTS) + part) << (exponent - u64::from(PARTS.ilog2()))) - 1
    }

    fn add(&mut self, ns: u64, count: u64) {
        if let Some(bucket) = self.0.get_mut(Self::bucket(ns)) {
            *bucket = bucket.saturating_add(count);
        }
    }

    fn picture(&self) -> Vec<(u64, u64)> {
        let used = self.0.iter().enumerate().filter(|(_, count)| **count > 0);
        used.map(|(bucket, count)| (Self::longest_ns(bucket), *count)).collect()
    }
}

/// Both sides of a cell's calls.
#[derive(Debug)]
struct Latencies {
    made: Histogram,
    answered: Histogram,
}

/// One cell's counts.
#[derive(Debug)]
pub struct Tally {
    made: AtomicU64,
    answered: AtomicU64,
    /// The count of calls made at which the next one is sampled.
    due: AtomicU64,
    gap: AtomicU32,
    /// When the last sample was taken, in ns.
    sampled_ns: AtomicU64,
    /// Made with the first sample: most cells of a machine never exist, and many never call.
    latencies: Lock<{ level::LEAF }, Option<Box<Latencies>>>,
}

/// A cell's calls since it was made, over all of its lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallPicture {
    /// Calls of endpoints that it made.
    pub made: u64,
    /// Messages that it answered: as a passive server on its callers' threads, as an active one on its own.
    pub answered: u64,
    /// How long calls that it made took, from call to return, estimated from samples: the longest duration that a bucket counts, in
    /// ns, and how many. In ascending order, without empty ones.
    pub made_ns: Vec<(u64, u64)>,
    /// The same of calls that it answered, as its callers saw them.
    pub answered_ns: Vec<(u64, u64)>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            made: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            due: AtomicU64::new(1),
            gap: AtomicU32::new(1),
            sampled_ns: AtomicU64::new(0),
            latencies: Lock::new(None),
        }
    }
}

impl Tally {
    // All orders are relaxed: counts, which guard nothing.

    /// Of a new cell.
    pub fn reset(&self, token: &mut Token<'static, { level::NONE }>) {
        self.made.store(0, Ordering::Relaxed);
        self.answered.store(0, Ordering::Relaxed);
        self.due.store(1, Ordering::Relaxed);
        self.gap.store(1, Ordering::Relaxed);
        self.sampled_ns.store(0, Ordering::Relaxed);
        *self.latencies.lock(token).0 = None;
    }

    /// The cell makes a call. Whether it is to be sampled.
    #[inline]
    pub fn makes(&self) -> bool {
        let made = self.made.load(Ordering::Relaxed) + 1;
        self.made.store(made, Ordering::Relaxed);
        made >= self.due.load(Ordering::Relaxed)
    }

    /// The cell has answered a message.
    #[inline]
    pub fn answers(&self) {
        self.answered.store(self.answered.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    /// A call is sampled now: says how many it stands for, and which is the next.
    fn sample(&self, now_ns: u64) -> u64 {
        let gap = self.gap.load(Ordering::Relaxed);
        let apart_ns = now_ns.saturating_sub(self.sampled_ns.load(Ordering::Relaxed));
        let next = match apart_ns {
            ..CLOSEST_NS => gap.saturating_mul(2).min(WIDEST_GAP),
            CLOSEST_NS..=FURTHEST_NS => gap,
            _ => (gap / 2).max(1),
        };
        self.gap.store(next, Ordering::Relaxed);
        self.sampled_ns.store(now_ns, Ordering::Relaxed);
        self.due.store(self.made.load(Ordering::Relaxed) + u64::from(next), Ordering::Relaxed);
        u64::from(gap)
    }
}

/// A call that is being sampled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    began_ns: u64,
    stands_for: u64,
}

impl<E: Engine> Kernel<E> {
    /// Begins a sample of a cell's call.
    #[cold]
    pub(crate) fn begin_sample(&self, cell: u32) -> Sample {
        let began_ns = self.machine.now().0;
        Sample { began_ns, stands_for: self.cells.at(cell).tally.sample(began_ns) }
    }

    /// The sampled call of a cell to a server has returned.
    #[cold]
    pub(crate) fn end_sample(
        &self,
        token: &mut Token<'static, { level::NONE }>,
        cell: u32,
        server: u32,
        sample: Sample,
    ) {
        let took_ns = self.machine.now().0.saturating_sub(sample.began_ns);
        self.keep_sample(token, cell, |latencies| latencies.made.add(took_ns, sample.stands_for));
        self.keep_sample(token, server, |latencies| latencies.answered.add(took_ns, sample.stands_for));
    }

    fn keep_sample(
        &self,
        token: &mut Token<'static, { level::NONE }>,
        cell: u32,
        keep: impl FnOnce(&mut Latencies),
    ) {
        let (mut latencies, _) = self.cells.at(cell).tally.latencies.lock(token);
        keep(latencies.get_or_insert_with(|| {
            Box::new(Latencies { made: Histogram::EMPTY, answered: Histogram::EMPTY })
        }));
    }

    /// A cell's calls.
    pub fn picture_calls(&self, cell: crate::CellId) -> CallPicture {
        let tally = &self.cells.at(cell.0).tally;
        let mut token = Token::at_entry();
        let (latencies, _) = tally.latencies.lock(&mut token);
        let picture = |side: fn(&Latencies) -> &Histogram| {
            latencies.as_deref().map_or_else(Vec::new, |both| side(both).picture())
        };
        CallPicture {
            made: tally.made.load(Ordering::Relaxed),
            answered: tally.answered.load(Ordering::Relaxed),
            made_ns: picture(|both| &both.made),
            answered_ns: picture(|both| &both.answered),
        }
    }
}

#[cfg(all(test, not(loom)))]
#[expect(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{BUCKETS, Histogram, PARTS, Tally, WIDEST_GAP};
    use crate::sync::Ordering;

    #[test]
    fn every_duration_is_told_to_a_quarter() {
        let mut before = None;
        for bucket in 0..BUCKETS {
            let longest = Histogram::longest_ns(bucket);
            assert_eq!(Histogram::bucket(longest), bucket, "{longest}");
            assert_eq!(Histogram::bucket(longest + 1), (bucket + 1).min(BUCKETS - 1), "{longest}");
            if let Some(before) = before.filter(|before| *before >= u64::from(PARTS)) {
                assert!(longest > before && longest <= before + before / 4 + 1, "{before} {longest}");
            }
            before = Some(longest);
        }
        assert!(before.unwrap_or(0) > 60_000_000_000);
        assert_eq!(Histogram::bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn slow_calls_are_all_sampled_and_fast_ones_ever_less() {
        let tally = Tally::default();
        let mut now_ns = 0;
        let mut run = |calls: u64, apart_ns: u64| {
            (0..calls)
                .filter(|_| {
                    now_ns += apart_ns;
                    let due = tally.makes();
                    if due {
                        tally.sample(now_ns);
                    }
                    due
                })
                .count()
        };
        assert_eq!(run(100, 2_000_000), 100);
        let of_a_million = run(1_000_000, 50);
        assert!((200..2_000).contains(&of_a_million), "{of_a_million}");
        // A slow client is seen again within the calls that were to be let pass, and wholly soon.
        run(50_000, 2_000_000);
        assert_eq!(run(100, 2_000_000), 100);
        assert!(tally.gap.load(Ordering::Relaxed) <= WIDEST_GAP);
    }

    #[test]
    fn samples_stand_for_all_calls() {
        let tally = Tally::default();
        let (mut counted, calls) = (0, 200_000);
        for call in 0..calls {
            if tally.makes() {
                counted += tally.sample(call * 50);
            }
        }
        assert!((calls - counted) < 10_000 && counted <= calls, "{counted}");
    }

    #[test]
    fn a_histogram_shows_what_was_added() {
        let mut histogram = Histogram::EMPTY;
        histogram.add(50, 2);
        histogram.add(u64::MAX, 1);
        let shown = histogram.picture();
        assert_eq!(shown.len(), 2);
        assert_eq!((shown[0].0, shown[0].1, shown[1].1), (55, 2, 1));
    }
}
