//! Short locks between programs' cores and the cleaner.

use spin::{Mutex, MutexGuard};

use crate::platform::platform;

/// Locks. Whoever waits long lets the host run others: the holder may be a thread that the host has stopped.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let mut looks = 0;
    loop {
        if let Some(guard) = mutex.try_lock() {
            return guard;
        }
        looks += 1;
        platform().relax(looks);
    }
}
