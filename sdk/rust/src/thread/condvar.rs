//! A condition that threads wait for.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use hallows_abi::Error;

use super::MutexGuard;
use crate::Deadline;
use crate::sys::thread::{Patience, Waited, notify, wait_by};

/// What threads wait by until a value that a [`Mutex`](super::Mutex) guards is as they need it.
///
/// ```no_run
/// use hallows_sdk::thread::{Condvar, Mutex};
///
/// static READY: Mutex<bool> = Mutex::new(false);
/// static CHANGED: Condvar = Condvar::new();
///
/// // In one thread:
/// *READY.lock() = true;
/// CHANGED.notify_all();
///
/// # fn wait() -> Result<(), hallows_sdk::Error> {
/// // In others:
/// CHANGED.wait_while(&mut READY.lock(), |ready| !*ready)?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
pub struct Condvar {
    /// Changes with every notification.
    notified: AtomicU32,
}

impl Condvar {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Self { notified: AtomicU32::new(0) }
    }

    /// Lets others have the value until somebody notifies, and holds it again. It may also return for no reason: look at the value.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`], [`Error::NotInHandler`]. The value is held in any case.
    pub fn wait<T: ?Sized>(&self, guard: &mut MutexGuard<'_, T>) -> Result<(), Error> {
        self.wait_until(guard, Deadline::NEVER).map(|_| ())
    }

    /// The same until a deadline: false if that was why it returned.
    ///
    /// # Errors
    ///
    /// As [`Self::wait`].
    pub fn wait_until<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Deadline,
    ) -> Result<bool, Error> {
        // Relaxed: looked at with the value held, and who has changed the value since has changed it behind that.
        let before = self.notified.load(Ordering::Relaxed);
        let waited = guard.while_free(|| wait_by(&self.notified, before, Patience::UntilKilled, deadline))?;
        Ok(waited == Waited::Woken)
    }

    /// Waits as long as the value is so.
    ///
    /// # Errors
    ///
    /// As [`Self::wait`].
    pub fn wait_while<T: ?Sized>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        mut is_so: impl FnMut(&mut T) -> bool,
    ) -> Result<(), Error> {
        while is_so(guard) {
            self.wait(guard)?;
        }
        Ok(())
    }

    /// Wakes one of those that wait, the longest first.
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all of them.
    pub fn notify_all(&self) {
        self.notify(u32::MAX);
    }

    fn notify(&self, most: u32) {
        self.notified.fetch_add(1, Ordering::Relaxed);
        notify(&raw const self.notified, most);
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Condvar")
    }
}
