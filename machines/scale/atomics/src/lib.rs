//! Atomics and spin locks that tell, before each access, what is about to be touched: what the kernel is built on in the machine that counts cache
//! lines, in place of the processor's own (`kernel/src/sync.rs`).
//!
//! Who listens may stop the calling fiber there and let others go on first, so accesses of many cores follow each other in virtual time. With nobody
//! to listen they are what they stand for, and a look at a thread-local variable.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic;
use std::sync::atomic::Ordering;

/// How something is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read.
    Load,
    /// Written, whatever was there.
    Store,
    /// Read and written at once, or written so that nothing behind it comes before: a locked instruction on x86.
    Exchange,
    /// All of it is plain memory behind a lock that was just taken.
    Plain,
    /// A lock is taken by another: the caller waits before it tries again.
    Wait,
}

/// What is about to be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The first byte.
    pub address: usize,
    /// How many.
    pub bytes: usize,
    /// How.
    pub access: Access,
}

/// Who listens.
pub type Listener = fn(Touch);

thread_local! {
    static LISTENER: Cell<Option<Listener>> = const { Cell::new(None) };
}

/// From here on this host thread's touches are told to somebody else, or to nobody. Who listened before.
pub fn listen(listener: Option<Listener>) -> Option<Listener> {
    LISTENER.replace(listener)
}

#[inline]
fn tell<T>(what: &T, access: Access) {
    tell_of(address_of(what), size_of::<T>(), access);
}

#[inline]
fn tell_of(address: usize, bytes: usize, access: Access) {
    if let Some(listener) = LISTENER.get() {
        listener(Touch { address, bytes, access });
    }
}

fn address_of<T>(what: &T) -> usize {
    std::ptr::from_ref(what).addr()
}

/// How a store of that order is made: on x86 a sequentially consistent one is an exchange.
const fn of_store(order: Ordering) -> Access {
    if matches!(order, Ordering::SeqCst) { Access::Exchange } else { Access::Store }
}

macro_rules! counted {
    ($($(#[$doc:meta])* $name:ident: $value:ty),*) => { $(
        $(#[$doc])*
        #[derive(Default)]
        #[repr(transparent)]
        pub struct $name(atomic::$name);

        #[expect(missing_docs, reason = "as those of the standard library")]
        impl $name {
            #[must_use]
            pub const fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            #[inline]
            pub fn load(&self, order: Ordering) -> $value {
                tell(self, Access::Load);
                self.0.load(order)
            }

            #[inline]
            pub fn store(&self, value: $value, order: Ordering) {
                tell(self, of_store(order));
                self.0.store(value, order);
            }

            #[inline]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.swap(value, order)
            }

            #[inline]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                tell(self, Access::Exchange);
                self.0.compare_exchange(current, new, success, failure)
            }

            /// Never fails without a reason: what happens is a function of what happened before.
            #[inline]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            #[inline]
            pub fn fetch_add(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.fetch_add(value, order)
            }

            #[inline]
            pub fn fetch_sub(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.fetch_sub(value, order)
            }

            #[inline]
            pub fn fetch_or(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.fetch_or(value, order)
            }

            #[inline]
            pub fn fetch_and(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.fetch_and(value, order)
            }

            #[inline]
            pub fn fetch_min(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.fetch_min(value, order)
            }

            #[inline]
            pub fn fetch_max(&self, value: $value, order: Ordering) -> $value {
                tell(self, Access::Exchange);
                self.0.fetch_max(value, order)
            }

            #[inline]
            pub fn fetch_update(
                &self,
                set_order: Ordering,
                fetch_order: Ordering,
                change: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                tell(self, Access::Exchange);
                self.0.fetch_update(set_order, fetch_order, change)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    )* };
}

counted! {
    /// 8 bits.
    AtomicU8: u8,
    /// 32 bits.
    AtomicU32: u32,
    /// 64 bits.
    AtomicU64: u64
}

/// A spin lock. All of what it protects counts as touched by who takes it: plain memory, which nobody can listen to.
#[derive(Debug, Default)]
pub struct SpinMutex<T>(spin::mutex::SpinMutex<T>);

impl<T> SpinMutex<T> {
    /// Not taken.
    pub const fn new(value: T) -> Self {
        Self(spin::mutex::SpinMutex::new(value))
    }

    /// Waits until it is free.
    pub fn lock(&self) -> SpinMutexGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            tell_of(self.word(), 1, Access::Wait);
        }
    }

    /// Takes it if it is free.
    pub fn try_lock(&self) -> Option<SpinMutexGuard<'_, T>> {
        tell_of(self.word(), 1, Access::Exchange);
        let guard = self.0.try_lock()?;
        tell(&*guard, Access::Plain);
        Some(SpinMutexGuard { word: self.word(), guard })
    }

    /// Where its own word is: at its front, since what it protects stands last, as it may have no size that is known.
    fn word(&self) -> usize {
        address_of(self)
    }
}

/// A lock that is held.
pub struct SpinMutexGuard<'g, T> {
    word: usize,
    guard: spin::mutex::SpinMutexGuard<'g, T>,
}

impl<T> Deref for SpinMutexGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for SpinMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for SpinMutexGuard<'_, T> {
    fn drop(&mut self) {
        // The word is written behind this, when the guard inside is dropped.
        tell_of(self.word, 1, Access::Store);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    thread_local! {
        static HEARD: RefCell<Vec<Touch>> = const { RefCell::new(Vec::new()) };
    }

    fn heard(work: impl FnOnce()) -> Vec<Touch> {
        let before = listen(Some(|touch| HEARD.with_borrow_mut(|heard| heard.push(touch))));
        work();
        listen(before);
        HEARD.take()
    }

    #[test]
    fn every_access_is_told_with_its_place_and_its_kind() {
        let (word, byte) = (AtomicU64::new(1), AtomicU8::new(0));
        let heard = heard(|| {
            word.load(Ordering::Relaxed);
            word.store(2, Ordering::Release);
            word.store(3, Ordering::SeqCst);
            assert_eq!(word.fetch_add(1, Ordering::Relaxed), 3);
            assert_eq!(byte.compare_exchange(1, 2, Ordering::AcqRel, Ordering::Relaxed), Err(0));
        });
        let (at, other) = (address_of(&word), address_of(&byte));
        let expected = [
            (at, 8, Access::Load),
            (at, 8, Access::Store),
            (at, 8, Access::Exchange),
            (at, 8, Access::Exchange),
            (other, 1, Access::Exchange),
        ];
        let expected = expected.map(|(address, bytes, access)| Touch { address, bytes, access });
        assert_eq!(heard, expected);
    }

    #[test]
    fn a_lock_is_its_word_and_all_that_it_protects() {
        let lock = SpinMutex::new([0_u64; 20]);
        let mut inside = 0;
        let heard = heard(|| {
            let guard = lock.lock();
            inside = address_of(&*guard);
            assert!(lock.try_lock().is_none());
        });
        let kinds: Vec<_> = heard.iter().map(|touch| (touch.bytes, touch.access)).collect();
        let exchange = (1, Access::Exchange);
        assert_eq!(kinds, [exchange, (160, Access::Plain), exchange, (1, Access::Store)]);
        assert_eq!(heard[1].address, inside);
        // The word is outside of what is protected, at the front.
        assert!(heard[0].address < inside && inside - heard[0].address <= 8);
        assert!(lock.try_lock().is_some());
    }

    #[test]
    fn with_nobody_to_listen_nothing_is_told() {
        listen(None);
        AtomicU32::new(0).fetch_or(1, Ordering::Relaxed);
        assert_eq!(heard(|| ()), []);
    }
}
