//! Timers: signal a notification at a time.

use core::time::Duration;

use hallows_abi::{Error, OnTimer};

use crate::operation::operate;
use crate::rights::CanSend;
use crate::{Deadline, Object, Timer};

/// ```
/// # use hallows_sdk::{Deadline, Error, Timer, rights};
/// fn soon(timer: Timer<rights!(SEND)>) -> Result<(), Error> {
///     timer.arm(Deadline::at(5_000), None)
/// }
/// ```
///
/// ```compile_fail,E0599
/// # use hallows_sdk::{Deadline, Error, Timer, rights};
/// fn soon(timer: Timer<rights!(TRANSFER)>) -> Result<(), Error> {
///     timer.arm(Deadline::at(5_000), None)
/// }
/// ```
impl<R: CanSend> Timer<R> {
    /// Fires at a time, then again after every period. SEND. It replaces what was armed before.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn arm(self, first: Deadline, period: Option<Duration>) -> Result<(), Error> {
        // Zero would mean "once": a period is never shorter than the clock's unit.
        let every_ns = period.map_or(0, |period| u64::try_from(period.as_nanos()).unwrap_or(u64::MAX).max(1));
        operate(self.handle(), OnTimer::Arm { at_ns: first.nanoseconds(), every_ns }).map(|_| ())
    }

    /// Does not fire any more. SEND.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn disarm(self) -> Result<(), Error> {
        operate(self.handle(), OnTimer::Disarm).map(|_| ())
    }
}
