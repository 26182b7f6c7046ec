//! Preemption words: "stop now" is one store, from anywhere.
//!
//! The engine lets a program's checks read the word of the thread that runs it: with wasmtime, the instance's epoch pointer is
//! redirected to it, and a word that is not zero makes the next check call back.

#[cfg(not(counted))]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering;

#[cfg(counted)]
use crate::sync::AtomicU64;

/// The word of one thread of execution, on a cache line of its own: a program reads it at every loop.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct PreemptionWord {
    word: AtomicU64,
    /// How long the thread's present work was seen to run until it was asked to stop, in ns: here, since who asks has the line by then. By the timekeeper,
    /// and by the thread itself where new work begins: what the two do at the same moment counts for one or the other.
    ran_ns: AtomicU64,
}

impl PreemptionWord {
    /// What the word holds when the thread should stop: any value but zero would do.
    pub const STOP: u64 = 1 << 40;

    /// Asks the thread to stop at its next check.
    pub fn stop(&self) {
        // Release: who takes it away sees why it was asked.
        self.word.store(Self::STOP, Ordering::Release);
    }

    /// The same, after it has run for so long.
    pub(crate) fn stop_after(&self, ran_ns: u64) {
        self.ran_ns.store(self.ran_ns().saturating_add(ran_ns), Ordering::Relaxed);
        self.stop();
    }

    pub(crate) fn ran_ns(&self) -> u64 {
        self.ran_ns.load(Ordering::Relaxed)
    }

    /// New work begins.
    pub(crate) fn begin_work(&self) {
        // Most of it is not stopped: a load is cheaper than a store.
        if self.ran_ns() != 0 {
            self.ran_ns.store(0, Ordering::Relaxed);
        }
    }

    /// Lets it run again.
    pub fn clear(&self) {
        // An exchange, Acquire: either it takes a stop away, and what its sender did before is seen by whoever looks next; or the stop comes
        // later and stays. A store would let the caller look before it is made, and take away the only stop of a kill.
        self.word.swap(0, Ordering::Acquire);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Relaxed) != 0
    }

    /// The word itself, for the engine to point checks at.
    #[must_use]
    pub const fn as_atomic(&self) -> &AtomicU64 {
        &self.word
    }
}
