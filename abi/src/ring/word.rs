//! The words that a ring is made of, and the fence between a store and a later load.

use core::sync::atomic::{AtomicU64, Ordering};

/// Eight bytes of memory that somebody else may change at any time; in memory they are little-endian.
///
/// A trait, so that a model checker explores the very code that runs.
pub trait Word {
    /// Its value: an index or a sleep word that another side stored, and everything that this side stored before it.
    fn acquire(&self) -> u64;
    /// Stores an index: whoever acquires it sees everything stored before.
    fn release(&self, value: u64);
    /// Its value, in no order with anything.
    fn get(&self) -> u64;
    /// Stores it, in no order with anything.
    fn set(&self, value: u64);
}

impl Word for AtomicU64 {
    // A cell has no atomic instructions: the compiler makes plain ones of these, after which nothing but a call keeps its back end from
    // moving them. Once a batch, a call costs nothing that counts. The processor (x86) keeps loads in order, and stores.
    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn acquire(&self) -> u64 {
        u64::from_le(self.load(Ordering::Acquire))
    }

    #[cfg_attr(target_arch = "wasm32", inline(never))]
    #[cfg_attr(not(target_arch = "wasm32"), inline)]
    fn release(&self, value: u64) {
        self.store(value.to_le(), Ordering::Release);
    }

    #[inline]
    fn get(&self) -> u64 {
        // Relaxed: entries are ordered by the index that is stored after them and loaded before them.
        u64::from_le(self.load(Ordering::Relaxed))
    }

    #[inline]
    fn set(&self, value: u64) {
        // Relaxed: as above; the sleep words are ordered by fences.
        self.store(value.to_le(), Ordering::Relaxed);
    }
}

/// What keeps a load behind an earlier store, which no acquire and no release does.
///
/// Each side stores (an index; that it sleeps) and then loads what the other stores (whether it sleeps; the index). Without a fence
/// between the two both may load what was there before, and one sleeps on work that nobody tells it of.
pub trait Fence {
    /// Everything stored before it is seen by others before anything after it is loaded (C++'s `atomic_thread_fence(seq_cst)`).
    ///
    /// Whether it has taken out of this side's bell that the peer rang, as a fence does that is a call of the kernel: no wait brings that any more.
    fn full(&self) -> bool;
}

/// The processor's own fence. Cells have none: theirs is a call of the kernel (the SDK's `ring`).
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessorFence;

#[cfg(not(target_arch = "wasm32"))]
impl Fence for ProcessorFence {
    #[inline]
    fn full(&self) -> bool {
        core::sync::atomic::fence(Ordering::SeqCst);
        false
    }
}
