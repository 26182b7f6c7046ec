//! For how long who serves something of Linux's looks for more before Linux is to tell it. Looking costs its core, being told some microseconds of two
//! threads of Linux's, or milliseconds where others keep their core busy.

use std::time::Duration;

use hallows_sdk::process;

/// The longest time, in microseconds.
const MOST_US: u64 = 1_000_000;

/// A time to look for, and until when that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    length_ns: u64,
    /// In the machine's nanoseconds, once somebody has looked in vain.
    until: Option<u64>,
}

impl Look {
    /// From a number of microseconds.
    ///
    /// # Errors
    ///
    /// What it should be.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.parse().map(Duration::from_micros) {
            Ok(length) if length <= Duration::from_micros(MOST_US) => {
                Ok(Self { length_ns: u64::try_from(length.as_nanos()).unwrap_or(u64::MAX), until: None })
            }
            _ => Err(format!("it is a number of microseconds, at most {MOST_US}")),
        }
    }

    /// There was something: the time begins anew.
    pub const fn found(&mut self) {
        self.until = None;
    }

    /// Whether who has looked in vain looks on.
    pub fn goes_on(&mut self) -> bool {
        self.length_ns > 0 && process::now().is_ok_and(|now| self.goes_on_at(now))
    }

    fn goes_on_at(&mut self, now: u64) -> bool {
        now < *self.until.get_or_insert(now.saturating_add(self.length_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_nothing_was_found_for_so_long() {
        let mut look = Look::parse("2").unwrap();
        assert!(look.goes_on_at(100) && look.goes_on_at(2_099) && !look.goes_on_at(2_100));
        look.found();
        assert!(look.goes_on_at(5_000) && !look.goes_on_at(7_000));
        assert_eq!(Look::parse("0"), Ok(Look::default()));
        for wrong in ["", "-1", "1.5", "1000001", "18446744073709551616"] {
            assert!(Look::parse(wrong).is_err(), "{wrong}");
        }
    }
}
