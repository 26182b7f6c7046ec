//! A periodic program that notes how late it is: the same source for a cell of ours and for a thread of Linux.
//!
//! Two ways to be there in time. *Sleeping*: something else wakes it. *Spinning*: it looks at the clock all the time, as `oslat` of rt-tests does, and every
//! stretch between two looks that is longer than a look's own time was taken away from it. Periods that have passed when it gets there are left out, as `cyclictest`
//! does; how many there should have been is known.

use crate::histogram::Histogram;

/// A stretch between two looks at the clock of this and more is a gap: a look costs some tens of nanoseconds, the shortest interrupt about a microsecond.
pub const GAP_NS: u64 = 1_000;

/// When a periodic program is to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// The first time, by the clock that it is measured with, in ns.
    pub first_ns: u64,
    /// How far the next ones are apart, in ns; not 0.
    pub period_ns: u64,
    /// How many.
    pub count: u64,
}

/// What became of them.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// How late it was each time, in ns.
    pub late: Histogram,
    /// Lengths of all gaps, in ns; none of a program that sleeps.
    pub gaps: Histogram,
    /// How long all gaps together were, in ns.
    pub lost_ns: u64,
    /// How often it looked at the clock.
    pub looks: u64,
    /// How long it spun, gaps included, in ns.
    pub spun_ns: u64,
}

impl Record {
    /// The mean time between two looks without what was lost in gaps, in ns; `None` if it never spun.
    #[must_use]
    pub fn look_ns(&self) -> Option<u64> {
        self.spun_ns.saturating_sub(self.lost_ns).checked_div(self.looks)
    }
}

impl Periods {
    /// Those that have not passed at `now_ns`: the time of the first of them, if it is one of ours.
    fn after(&self, now_ns: u64) -> Option<u64> {
        let passed = now_ns.checked_sub(self.first_ns).map_or(0, |late_ns| late_ns / self.period_ns + 1);
        (passed < self.count).then(|| self.first_ns + passed * self.period_ns)
    }

    /// Sleeps until each: `sleep` returns some time after the one that it is given, by which `now` tells how late.
    ///
    /// # Errors
    /// Those of `now` and `sleep`.
    pub fn sleep<Error>(
        &self,
        mut now: impl FnMut() -> Result<u64, Error>,
        mut sleep: impl FnMut(u64) -> Result<(), Error>,
    ) -> Result<Record, Error> {
        let mut record = Record::default();
        let mut due = self.after(now()?);
        while let Some(due_ns) = due {
            sleep(due_ns)?;
            let now_ns = now()?;
            record.late.add(now_ns.saturating_sub(due_ns));
            due = self.after(now_ns.max(due_ns));
        }
        Ok(record)
    }

    /// Looks at the clock until each. It is oslat's loop: a reading, a subtraction, a comparison, and seldom more.
    ///
    /// # Errors
    /// Those of `now`.
    pub fn spin<Error>(&self, mut now: impl FnMut() -> Result<u64, Error>) -> Result<Record, Error> {
        let mut record = Record::default();
        let began_ns = now()?;
        let (mut last_ns, mut due) = (began_ns, self.after(began_ns));
        while let Some(due_ns) = due {
            loop {
                let now_ns = now()?;
                let gap_ns = now_ns.saturating_sub(last_ns);
                last_ns = now_ns;
                record.looks += 1;
                if gap_ns >= GAP_NS {
                    record.gaps.add(gap_ns);
                    record.lost_ns += gap_ns;
                }
                if now_ns >= due_ns {
                    record.late.add(now_ns - due_ns);
                    due = self.after(now_ns);
                    break;
                }
            }
        }
        record.spun_ns = last_ns.saturating_sub(began_ns);
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use core::convert::Infallible;

    use alloc::vec::Vec;

    use super::*;

    const PERIODS: Periods = Periods { first_ns: 1_000_000, period_ns: 100_000, count: 10 };

    #[test]
    fn a_sleeper_is_as_late_as_it_is_woken_and_leaves_out_what_has_passed() {
        let (time_ns, mut asked) = (Cell::new(0), Vec::new());
        let record = PERIODS
            .sleep(
                || Ok::<u64, Infallible>(time_ns.get()),
                |due_ns| {
                    asked.push(due_ns);
                    // The third sleep lasts over the fourth and the fifth time.
                    time_ns.set(due_ns + if asked.len() == 3 { 250_000 } else { 2_000 });
                    Ok(())
                },
            )
            .expect("no errors");
        let expected = [0, 1, 2, 5, 6, 7, 8, 9].map(|number| 1_000_000 + number * 100_000);
        assert_eq!(asked, expected);
        assert_eq!((record.late.total(), record.late.max_ns()), (8, 250_000));
        assert_eq!(record.look_ns(), None);
    }

    #[test]
    fn a_spinner_sees_every_gap_and_is_late_by_those_in_which_it_was_to_be_there() {
        let mut time_ns = 900_000;
        // A look takes 50 ns. Two gaps: of 3 µs in the middle of a period, of 150 µs over two times.
        let look = || {
            time_ns += match time_ns {
                1_050_000 => 3_000,
                1_190_000 => 150_000,
                _ => 50,
            };
            Ok::<u64, Infallible>(time_ns)
        };
        let record = PERIODS.spin(look).expect("no errors");
        assert_eq!(record.gaps.counts().map(|(_, count)| count).collect::<Vec<_>>(), [1, 1]);
        assert_eq!((record.gaps.max_ns(), record.lost_ns), (150_000, 153_000));
        // The times at 1,200,000 and 1,300,000 lie in the second gap: it comes to the first of them late, and the second is left out.
        assert_eq!((record.late.total(), record.late.max_ns()), (9, 140_000));
        assert_eq!(record.look_ns(), Some(49), "{record:?}");
    }

    #[test]
    fn who_begins_late_takes_the_times_that_are_left_and_who_begins_after_them_takes_none() {
        assert_eq!(PERIODS.after(0), Some(1_000_000));
        assert_eq!(PERIODS.after(1_000_000), Some(1_100_000));
        assert_eq!(PERIODS.after(1_899_999), Some(1_900_000));
        assert_eq!(PERIODS.after(1_900_000), None);
        let record = PERIODS.spin(|| Ok::<u64, Infallible>(2_000_000)).expect("no errors");
        assert_eq!((record.late.total(), record.looks), (0, 0));
    }
}
