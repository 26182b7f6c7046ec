//! Timers: signal a notification at a time.

use core::time::Duration;

use hallows_abi::{Code, Error};

use crate::operation::operate;
use crate::{Deadline, Object, Timer};

impl Timer {
    /// Fires at a time, then again after every period. SEND. It replaces what was armed before.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn arm(self, first: Deadline, period: Option<Duration>) -> Result<(), Error> {
        // Zero would mean "once": a period is never shorter than the clock's unit.
        let every = period.map_or(0, |period| u64::try_from(period.as_nanos()).unwrap_or(u64::MAX).max(1));
        operate(self.handle(), Code::Arm, [first.nanoseconds(), every, 0]).map(|_| ())
    }

    /// Does not fire any more. SEND.
    ///
    /// # Errors
    ///
    /// [`Error::NoRight`], [`Error::BadHandle`].
    pub fn disarm(self) -> Result<(), Error> {
        operate(self.handle(), Code::Disarm, [0; 3]).map(|_| ())
    }
}
