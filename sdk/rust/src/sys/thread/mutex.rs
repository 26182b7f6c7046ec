//! A lock that threads wait for without a core.
//!
//! One word: free, held, or held and perhaps waited for (Drepper, "Futexes are tricky", 2011, the third mutex).

use core::cell::UnsafeCell;
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicU32, Ordering};

use super::{Patience, notify, wait_by};
use crate::Deadline;

const FREE: u32 = 0;
const HELD: u32 = 1;
const WAITED_FOR: u32 = 2;

/// Looks at a lock that is held before its thread leaves its core: some 100 ns, as most are held for less.
const LOOKS: u32 = 100;

/// A value that one thread uses at a time.
///
/// Who waits gives his core to others. It is fair to nobody: whoever comes by when it is free has it. It is not to be locked twice by one thread,
/// which would wait for itself. A thread that traps ends its cell, so no lock is left behind by one.
///
/// ```no_run
/// use hallows_sdk::thread::Mutex;
///
/// static COUNT: Mutex<u32> = Mutex::new(0);
///
/// *COUNT.lock() += 1;
/// ```
pub struct Mutex<T: ?Sized> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the lock lets one thread at a time to the value, which may be sent to it.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: it owns the value.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}

impl<T> Mutex<T> {
    /// Around a value, free.
    pub const fn new(value: T) -> Self {
        Self { state: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// The value, which nobody else can use any more.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the value is free, and holds it as long as what this returns.
    ///
    /// Natively a program that is being ended still gets it when it is free; it must return from its functions, and so give back what it holds.
    ///
    /// # Panics
    ///
    /// In a passive server's handler, where nobody waits, if it is held.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.acquire();
        MutexGuard { mutex: self }
    }

    /// Holds the value if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.try_acquire().then(|| MutexGuard { mutex: self })
    }

    /// The value, which nobody else knows.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[inline]
    fn try_acquire(&self) -> bool {
        // Acquire: what the last holder did is seen.
        self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[inline]
    fn acquire(&self) {
        if !self.try_acquire() {
            self.wait();
        }
    }

    #[cold]
    fn wait(&self) {
        let mut state = self.look();
        if state == FREE && self.try_acquire() {
            return;
        }
        loop {
            // Whoever has waited does not know whether others do: it says so.
            if state != WAITED_FOR && self.state.swap(WAITED_FOR, Ordering::Acquire) == FREE {
                return;
            }
            let waited = wait_by(&self.state, WAITED_FOR, Patience::Endless, Deadline::NEVER);
            assert!(waited.is_ok(), "a thread cannot wait for a lock here: {waited:?}");
            state = self.look();
        }
    }

    /// Its state, after a while if it is held and nobody waits.
    fn look(&self) -> u32 {
        let mut looks = LOOKS;
        loop {
            let state = self.state.load(Ordering::Relaxed);
            if state != HELD || looks == 0 {
                return state;
            }
            core::hint::spin_loop();
            looks -= 1;
        }
    }

    #[inline]
    fn release(&self) {
        // Release: the next holder sees what was done.
        if self.state.swap(FREE, Ordering::Release) == WAITED_FOR {
            notify(&raw const self.state, 1);
        }
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Some(value) => formatter.debug_tuple("Mutex").field(&&*value).finish(),
            None => formatter.write_str("Mutex(held)"),
        }
    }
}

/// The value of a [`Mutex`], held. It is free again when this is dropped.
pub struct MutexGuard<'m, T: ?Sized> {
    mutex: &'m Mutex<T>,
}

// SAFETY: whoever has a reference to it has one to the value.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// Does something with the value free, and holds it again.
    pub(crate) fn while_free<R>(&mut self, body: impl FnOnce() -> R) -> R {
        self.mutex.release();
        let result = body();
        self.mutex.acquire();
        result
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread holds it.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as above, and the guard is borrowed exclusively.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
