//! Time budgets of cells: so much processor time in each period, and no more.

/// How much processor time a cell's thread may use in each period. The rest of the period it stands still, also when nobody else wants its
/// core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBudget {
    /// Time in each period, in ns: at most the period.
    pub budget_ns: u64,
    /// The period, in ns.
    pub period_ns: u64,
}

impl TimeBudget {
    /// The longest budget: 16.7 seconds.
    pub const MOST_BUDGET_NS: u64 = ((1 << 24) - 1) * 1_000;
    /// The longest period: 71 minutes.
    pub const MOST_PERIOD_NS: u64 = ((1 << 32) - 1) * 1_000;

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
    fn a_budget_has_some_time_and_no_more_than_its_period() {
        let valid = |budget_ns, period_ns| TimeBudget { budget_ns, period_ns }.is_valid();
        assert!(valid(1_000, 1_000) && valid(200_000, 1_000_000));
        assert!(valid(TimeBudget::MOST_BUDGET_NS, TimeBudget::MOST_PERIOD_NS));
        assert!(!valid(0, 0) && !valid(0, 1_000) && !valid(2_000, 1_000) && !valid(5_000, 0));
        assert!(!valid(TimeBudget::MOST_BUDGET_NS + 1, TimeBudget::MOST_PERIOD_NS));
        assert!(!valid(1_000, TimeBudget::MOST_PERIOD_NS + 1));
    }

    #[test]
    fn shares_are_compared_and_not_numbers() {
        let (fifth, quarter) =
            (TimeBudget { budget_ns: 200, period_ns: 1_000 }, TimeBudget { budget_ns: 5, period_ns: 20 });
        assert!(quarter.is_more_than(fifth) && !fifth.is_more_than(quarter) && !fifth.is_more_than(fifth));
    }
}
