//! Time budgets of cells: so much processor time in each period, and no more.

/// How much processor time a cell's thread may use in each period. The rest of the period it stands still, also when nobody else wants its
/// core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBudget {
    /// Time in each period, in ns: at least 1 µs, at most the period.
    pub budget_ns: u64,
    /// The period, in ns.
    pub period_ns: u64,
}

/// Where an argument has the budget: 24 bits, in µs.
const BUDGET_SHIFT: u32 = 8;
const MOST_BUDGET_US: u64 = (1 << 24) - 1;
/// Where it has the period: 32 bits, in µs.
const PERIOD_SHIFT: u32 = 32;
const MOST_PERIOD_US: u64 = (1 << 32) - 1;

impl TimeBudget {
    /// The longest budget: 16.7 seconds.
    pub const MOST_BUDGET_NS: u64 = MOST_BUDGET_US * 1_000;
    /// The longest period: 71 minutes.
    pub const MOST_PERIOD_NS: u64 = MOST_PERIOD_US * 1_000;

    /// Its form in argument c of [`Code::CreateCell`](crate::Code::CreateCell), in whole µs; `None` if it does not fit. The low 8 bits are
    /// free.
    #[must_use]
    pub const fn to_argument(self) -> Option<u64> {
        let (budget_us, period_us) = (self.budget_ns / 1_000, self.period_ns / 1_000);
        if budget_us == 0 || budget_us > MOST_BUDGET_US || period_us > MOST_PERIOD_US {
            return None;
        }
        Some(budget_us << BUDGET_SHIFT | period_us << PERIOD_SHIFT)
    }

    /// From that form: `None` if there is none, which is all zeroes. Not checked.
    #[must_use]
    pub const fn from_argument(argument: u64) -> Option<Self> {
        let (budget_us, period_us) = (argument >> BUDGET_SHIFT & MOST_BUDGET_US, argument >> PERIOD_SHIFT);
        if budget_us == 0 && period_us == 0 {
            return None;
        }
        Some(Self { budget_ns: budget_us * 1_000, period_ns: period_us * 1_000 })
    }

    /// Whether it is one at all: some time, and no more than there is.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.budget_ns > 0
            && self.budget_ns <= self.period_ns
            && self.budget_ns <= Self::MOST_BUDGET_NS
            && self.period_ns <= Self::MOST_PERIOD_NS
    }

    /// Whether it is a larger share of the time than another.
    #[must_use]
    pub const fn is_more_than(self, other: Self) -> bool {
        self.budget_ns as u128 * other.period_ns as u128 > other.budget_ns as u128 * self.period_ns as u128
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_an_argument_comes_back_from_it() {
        for (budget_us, period_us) in [(1, 1), (200, 1_000), (MOST_BUDGET_US, MOST_PERIOD_US)] {
            let time = TimeBudget { budget_ns: budget_us * 1_000, period_ns: period_us * 1_000 };
            assert!(time.is_valid());
            let argument = time.to_argument();
            assert_eq!(argument.map(|argument| argument & 0xff), Some(0));
            assert_eq!(argument.and_then(|argument| TimeBudget::from_argument(argument | 1)), Some(time));
        }
        assert_eq!(TimeBudget::from_argument(1), None);
    }

    #[test]
    fn what_does_not_fit_is_not_cut() {
        for (budget_ns, period_ns) in [
            (999, 1_000),
            (TimeBudget::MOST_BUDGET_NS + 1_000, u64::MAX),
            (1_000, TimeBudget::MOST_PERIOD_NS + 1_000),
        ] {
            assert_eq!(TimeBudget { budget_ns, period_ns }.to_argument(), None);
        }
        // A budget without a period is seen, and is not valid.
        let time = TimeBudget::from_argument(5 << BUDGET_SHIFT);
        assert!(time.is_some_and(|time| !time.is_valid()));
    }

    #[test]
    fn shares_are_compared_and_not_numbers() {
        let (fifth, quarter) =
            (TimeBudget { budget_ns: 200, period_ns: 1_000 }, TimeBudget { budget_ns: 5, period_ns: 20 });
        assert!(quarter.is_more_than(fifth) && !fifth.is_more_than(quarter) && !fifth.is_more_than(fifth));
    }
}
