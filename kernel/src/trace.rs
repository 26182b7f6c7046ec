//! Trace records: each core notes what happens on it in a ring of its own, 32 bytes a record, without a clock.

use alloc::boxed::Box;

use hallows_abi::{TraceKind, TraceRecord};

use crate::sync::{AtomicU64, Ordering};

/// One core's ring. Only that core writes.
#[derive(Debug)]
pub struct TraceRing {
    records: Box<[[AtomicU64; 4]]>,
    /// Number of the next record.
    next: AtomicU64,
    /// The timekeeper's last clock reading, in ns.
    stamp: AtomicU64,
}

impl TraceRing {
    /// Room for the last `records` records (rounded up to a power of two).
    pub fn new(records: u32) -> Self {
        let records =
            (0..records.next_power_of_two()).map(|_| core::array::from_fn(|_| AtomicU64::new(u64::MAX)));
        Self { records: records.collect(), next: AtomicU64::new(0), stamp: AtomicU64::new(0) }
    }

    /// The timekeeper looked at the clock.
    pub fn stamp(&self, now_ns: u64) {
        self.stamp.store(now_ns, Ordering::Relaxed);
    }

    /// Notes something. By the ring's core only.
    #[inline]
    pub fn record(&self, kind: TraceKind, thread: u32, object: u32, value: u64) {
        let sequence = self.next.load(Ordering::Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "the ring has at most 2^32 records")]
        let place = sequence as usize & (self.records.len() - 1);
        let Some([first, second, third, fourth]) = self.records.get(place) else { return };
        // The sequence is written last and checked twice by readers: a record that is being overwritten is not mistaken for one.
        first.store(u64::MAX, Ordering::Relaxed);
        crate::sync::fence(Ordering::Release);
        second.store(self.stamp.load(Ordering::Relaxed), Ordering::Relaxed);
        third.store(u64::from(thread) << 32 | u64::from(object), Ordering::Relaxed);
        fourth.store((kind as u64) << 48 | value & ((1 << 48) - 1), Ordering::Relaxed);
        first.store(sequence, Ordering::Release);
        self.next.store(sequence + 1, Ordering::Release);
    }

    /// The record of that number, if it is still there. By anyone.
    #[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
    pub fn read(&self, sequence: u64) -> Option<TraceRecord> {
        let [first, second, third, fourth] =
            self.records.get(sequence as usize & (self.records.len() - 1))?;
        if first.load(Ordering::Acquire) != sequence {
            return None;
        }
        let (stamp_ns, who, what) =
            (second.load(Ordering::Relaxed), third.load(Ordering::Relaxed), fourth.load(Ordering::Relaxed));
        crate::sync::fence(Ordering::Acquire);
        if first.load(Ordering::Relaxed) != sequence {
            return None;
        }
        Some(TraceRecord {
            sequence,
            stamp_ns,
            kind: kind(what >> 48)?,
            thread: (who >> 32) as u32,
            object: who as u32,
            value: what & ((1 << 48) - 1),
        })
    }

    /// How many records were made.
    pub fn made(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }
}

fn kind(number: u64) -> Option<TraceKind> {
    use TraceKind as K;
    [
        K::Resume,
        K::Suspend,
        K::Enter,
        K::Leave,
        K::Send,
        K::Answer,
        K::Preempt,
        K::Steal,
        K::Fault,
        K::Kill,
        K::Start,
        K::Revoke,
        K::Idle,
        K::Post,
        K::Circle,
    ]
    .into_iter()
    .find(|kind| *kind as u64 == number)
}
