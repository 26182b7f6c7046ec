//! Preemption words: "stop now" is one store, from anywhere.
//!
//! The engine lets a program's checks read the word of the thread that runs it: with wasmtime, the instance's epoch pointer is
//! redirected to it, and a word that is not zero makes the next check call back.

#[cfg(not(counted))]
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering;

#[cfg(counted)]
use crate::sync::AtomicU64;

/// The word of one thread of execution, alone on its cache line: a program reads it at every loop.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct PreemptionWord(AtomicU64);

impl PreemptionWord {
    /// What the word holds when the thread should stop: any value but zero would do.
    pub const STOP: u64 = 1 << 40;

    /// Asks the thread to stop at its next check.
    pub fn stop(&self) {
        // Release: who takes it away sees why it was asked.
        self.0.store(Self::STOP, Ordering::Release);
    }

    /// Lets it run again.
    pub fn clear(&self) {
        // An exchange, Acquire: either it takes a stop away, and what its sender did before is seen by whoever looks next; or the stop comes
        // later and stays. A store would let the caller look before it is made, and take away the only stop of a kill.
        self.0.swap(0, Ordering::Acquire);
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
