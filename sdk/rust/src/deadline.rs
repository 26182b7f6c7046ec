//! Deadlines: until when a call waits.

use core::time::Duration;

use hallows_abi::{Error, NO_DEADLINE};

use crate::process;

/// A point in time on the machine's monotonic clock, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(u64);

impl Deadline {
    /// Never: wait as long as it takes.
    pub const NEVER: Self = Self(NO_DEADLINE);
    /// Long ago: take what is there, do not wait.
    pub const PASSED: Self = Self(0);

    /// At this time, in nanoseconds of the machine's clock. Later than the clock can count is [`Self::NEVER`].
    #[must_use]
    pub const fn at(nanoseconds: u64) -> Self {
        Self(if nanoseconds < NO_DEADLINE { nanoseconds } else { NO_DEADLINE })
    }

    /// So long after now. Reads the clock; in a loop, read it once with [`process::now`] and add.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn after(duration: Duration) -> Result<Self, Error> {
        Ok(Self::at(process::now()?).plus(duration))
    }

    /// So much later.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self::at(self.0.saturating_add(nanoseconds))
    }

    /// In nanoseconds of the machine's clock.
    #[must_use]
    pub const fn nanoseconds(self) -> u64 {
        self.0
    }

    /// As the calls take it; never negative.
    #[inline]
    pub(crate) const fn argument(self) -> i64 {
        self.0.cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::Deadline;

    #[test]
    fn a_deadline_later_than_the_clock_can_count_is_never() {
        assert_eq!(Deadline::at(u64::MAX), Deadline::NEVER);
        assert_eq!(Deadline::at(5).plus(Duration::MAX), Deadline::NEVER);
        assert_eq!(Deadline::NEVER.plus(Duration::from_nanos(1)), Deadline::NEVER);
        assert_eq!(Deadline::NEVER.argument(), i64::MAX);
    }

    #[test]
    fn time_is_added_in_nanoseconds() {
        assert_eq!(Deadline::at(5).plus(Duration::from_micros(1)).nanoseconds(), 1_005);
    }
}
