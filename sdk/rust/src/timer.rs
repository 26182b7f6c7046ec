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
        self.arm_with_slack(first, period, Duration::ZERO)
    }

    /// The same, and each time it may fire later by `slack`: those whose times can be one are one, so that the machine wakes once for them. SEND.
    ///
    /// # Errors
    ///
    /// As [`Self::arm`].
    pub fn arm_with_slack(
        self,
        first: Deadline,
        period: Option<Duration>,
        slack: Duration,
    ) -> Result<(), Error> {
        let ns = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        // Zero would mean "once": a period is never shorter than the clock's unit.
        let every_ns = period.map_or(0, |period| ns(period).max(1));
        let arm = OnTimer::Arm { at_ns: first.nanoseconds(), every_ns, slack_ns: ns(slack) };
        operate(self.handle(), arm).map(|_| ())
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
