//! The atomics that the kernel is built on: the processor's, or loom's when a test explores their orders.

#[cfg(not(loom))]
pub use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};

/// A store to what others exchange. Loom lets an exchange read what was there before a store that it comes behind, as no processor does and
/// the memory model forbids; so its tests swap.
#[inline(always)]
pub fn store_beside_exchanges(atomic: &AtomicU64, value: u64, order: Ordering) {
    #[cfg(loom)]
    atomic.swap(value, order);
    #[cfg(not(loom))]
    atomic.store(value, order);
}

/// Loom takes a sequentially consistent access for an acquire-release one and knows the total order only of fences, so its
/// tests put one beside each access that relies on that order. Elsewhere the access itself is enough.
#[inline(always)]
pub fn beside_sequentially_consistent_access() {
    #[cfg(loom)]
    fence(Ordering::SeqCst);
}
