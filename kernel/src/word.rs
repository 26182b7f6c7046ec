//! Preemption words: "stop now" is one store, from anywhere.
//!
//! The engine lets a program's checks read the word of the thread that runs it: with wasmtime, the instance's epoch pointer is
//! redirected to it, and a word at or above the deadline that the engine set makes the next check call back.

use core::sync::atomic::{AtomicU64, Ordering};

/// The word of one thread of execution, alone on its cache line: a program reads it at every loop.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct PreemptionWord(AtomicU64);

impl PreemptionWord {
    /// What the word holds when the thread should stop: above every deadline that the engine sets.
    pub const STOP: u64 = 1 << 40;

    /// Asks the thread to stop at its next check.
    pub fn stop(&self) {
        // Relaxed: the check that sees it calls into the kernel, which takes locks before it acts on anything.
        self.0.store(Self::STOP, Ordering::Relaxed);
    }

    /// Lets it run again.
    pub fn clear(&self) {
        // Relaxed: as above; a stop that is lost to this store is stored again by the timekeeper's next tick.
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The word itself, for the engine to point checks at.
    #[must_use]
    pub const fn as_atomic(&self) -> &AtomicU64 {
        &self.0
    }
}
