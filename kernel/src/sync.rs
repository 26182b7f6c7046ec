//! The atomics and spin locks that the kernel is built on: the processor's, loom's when a test explores their orders, or those that tell a simulated
//! machine which cache lines are touched (`machines/scale`).

#[cfg(not(any(loom, counted)))]
pub use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(counted)]
pub use core::sync::atomic::{Ordering, fence};
#[cfg(counted)]
pub use hallows_counted_atomics::{AtomicU8, AtomicU32, AtomicU64, SpinMutex, SpinMutexGuard};
#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(counted))]
pub use spin::mutex::{SpinMutex, SpinMutexGuard};

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
