//! A clock's line, published by one thread and read by all without a lock: a sequence lock.
//!
//! Readers never write, so the words stay in every core's cache; a reader that meets a writer reads again. After
//! H.-J. Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012.

use std::sync::atomic::{AtomicU64, Ordering};

use super::scale::Scale;
use super::words::Cell64;

/// A [`Scale`] that one thread at a time may replace.
#[derive(Debug)]
pub struct PublishedScale<Cell = AtomicU64> {
    /// Even: the fields belong together. Odd: a writer is at work.
    version: Cell,
    base_ticks: Cell,
    base_ns: Cell,
    ns_per_tick_q32: Cell,
}

impl<Cell: Cell64> PublishedScale<Cell> {
    /// Publishes a first line.
    pub fn new(scale: Scale) -> Self {
        Self {
            version: Cell::new(0),
            base_ticks: Cell::new(scale.base_ticks),
            base_ns: Cell::new(scale.base_ns),
            ns_per_tick_q32: Cell::new(scale.ns_per_tick_q32),
        }
    }

    /// The line that was published last.
    #[inline]
    pub fn read(&self) -> Scale {
        loop {
            if let Some(scale) = self.try_read() {
                return scale;
            }
            std::hint::spin_loop();
        }
    }

    /// One attempt to read; `None` when it met the writer.
    #[inline]
    fn try_read(&self) -> Option<Scale> {
        // Acquire: the fields must be read after the version.
        let before = self.version.load(Ordering::Acquire);
        // Relaxed: torn combinations are found by the version.
        let scale = Scale {
            base_ticks: self.base_ticks.load(Ordering::Relaxed),
            base_ns: self.base_ns.load(Ordering::Relaxed),
            ns_per_tick_q32: self.ns_per_tick_q32.load(Ordering::Relaxed),
        };
        // The fence keeps the fields' loads before the second look at the version, which then needs no order.
        Cell::fence(Ordering::Acquire);
        (before.is_multiple_of(2) && self.version.load(Ordering::Relaxed) == before).then_some(scale)
    }

    /// Publishes another line. The caller makes sure that no other thread does so at the same time.
    pub(super) fn write(&self, scale: Scale) {
        // Relaxed: only this thread writes the version.
        let version = self.version.load(Ordering::Relaxed);
        self.version.store(version + 1, Ordering::Relaxed);
        // The fence keeps the odd version before the fields; a reader that sees a new field also sees the odd version.
        Cell::fence(Ordering::Release);
        self.base_ticks.store(scale.base_ticks, Ordering::Relaxed);
        self.base_ns.store(scale.base_ns, Ordering::Relaxed);
        self.ns_per_tick_q32.store(scale.ns_per_tick_q32, Ordering::Relaxed);
        // Release: who sees the even version sees the fields.
        self.version.store(version + 2, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: u64) -> Scale {
        Scale { base_ticks: number, base_ns: number, ns_per_tick_q32: number }
    }

    #[test]
    fn no_interleaving_reads_half_of_one_line_and_half_of_another() {
        // A reader that meets the writer loops; two preemptions are enough to meet it anywhere, and keep the model small.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(|| {
            let published =
                loom::sync::Arc::new(PublishedScale::<loom::sync::atomic::AtomicU64>::new(line(1)));
            let writer = loom::thread::spawn({
                let published = published.clone();
                move || published.write(line(2))
            });
            let scale = read_within(&published, 3);
            if let Some(scale) = scale {
                assert!(scale == line(1) || scale == line(2), "{scale:?}");
            }
            writer.join().unwrap();
            assert_eq!(read_within(&published, 1), Some(line(2)));
        });
    }

    /// As [`PublishedScale::read`], with bounded attempts: loom cannot explore an unbounded spin.
    fn read_within(
        published: &PublishedScale<loom::sync::atomic::AtomicU64>,
        attempts: usize,
    ) -> Option<Scale> {
        (0..attempts).find_map(|_| published.try_read())
    }
}
