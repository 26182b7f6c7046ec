//! What became of a server's calls in a stretch of time.

use crate::objective::Objective;

/// Counts of a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// How long it was, in ns.
    pub span_ns: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Of how many it is known how long they took.
    pub timed: u64,
    /// How many of those took longer than the objective's bound.
    pub beyond: u64,
    /// And by how much, all together: in quarters of a doubling of the bound.
    pub excess: u64,
}

/// A machine times some ten thousand calls in a second, and takes each for those around it: that many really tell something.
const TIMED_IN_A_SECOND: u64 = 10_000;

impl Window {
    /// What lies between two moments: of each how many calls there were, and how many of those took how long at most, in ns.
    pub fn between(
        objective: Objective,
        span_ns: u64,
        answered: (u64, u64),
        before: &[(u64, u64)],
        after: &[(u64, u64)],
    ) -> Self {
        let bound_ns = match objective {
            Objective::Tail { bound_ns, .. } => bound_ns,
            Objective::Throughput => u64::MAX,
        };
        let count = |buckets: &[(u64, u64)], least_ns: u64| -> u64 {
            buckets.iter().filter(|(most_ns, _)| *most_ns > least_ns).map(|(_, calls)| calls).sum()
        };
        let new = |least_ns| count(after, least_ns).saturating_sub(count(before, least_ns));
        let (estimated, beyond) = (new(0), new(bound_ns));
        let excess = |buckets: &[(u64, u64)]| -> u64 {
            let late = buckets.iter().filter(|(most_ns, _)| *most_ns > bound_ns);
            late.map(|(most_ns, calls)| calls.saturating_mul(quarters(*most_ns, bound_ns))).sum()
        };
        let excess = excess(after).saturating_sub(excess(before));
        // Estimates are scaled down to what they are made of.
        let most = (span_ns.saturating_mul(TIMED_IN_A_SECOND) / 1_000_000_000).max(1);
        let timed = estimated.min(most);
        let real = |count| if estimated == 0 { 0 } else { scale(count, timed, estimated) };
        let answered = answered.1.saturating_sub(answered.0);
        Self { span_ns, answered, timed, beyond: real(beyond), excess: real(excess) }
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            span_ns: self.span_ns.saturating_add(other.span_ns),
            answered: self.answered.saturating_add(other.answered),
            timed: self.timed.saturating_add(other.timed),
            beyond: self.beyond.saturating_add(other.beyond),
            excess: self.excess.saturating_add(other.excess),
        }
    }

    /// Calls answered in a second.
    #[must_use]
    pub fn rate(&self) -> u64 {
        scale(self.answered, 1_000_000_000, self.span_ns.max(1))
    }
}

/// How often a bound has to be doubled to reach a duration beyond it, in quarters: at least one.
fn quarters(duration_ns: u64, bound_ns: u64) -> u64 {
    let parts = duration_ns.saturating_mul(4) / bound_ns.max(1);
    let doublings = parts.max(4).ilog2() - 2;
    // Within a doubling, in equal parts.
    let rest = (parts >> doublings).saturating_sub(4);
    (u64::from(doublings) * 4 + rest).max(1)
}

/// `value * by / of`, rounded.
fn scale(value: u64, by: u64, of: u64) -> u64 {
    let of = u128::from(of.max(1));
    u64::try_from((u128::from(value) * u128::from(by) + of / 2) / of).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: Objective = Objective::Tail { beyond: 10_000, bound_ns: 1_000 };

    #[test]
    fn a_window_counts_what_is_new() {
        let before = [(500, 90), (2_000, 10)];
        let after = [(500, 180), (900, 5), (2_000, 25)];
        let window = Window::between(TAIL, 1_000_000_000, (100, 210), &before, &after);
        assert_eq!(
            window,
            Window { span_ns: 1_000_000_000, answered: 110, timed: 110, beyond: 15, excess: 60 }
        );
        assert_eq!(window.rate(), 110);
        // A cell that was made anew counts from 0.
        let reborn = Window::between(TAIL, 1_000, (210, 4), &after, &before);
        assert_eq!((reborn.answered, reborn.timed, reborn.beyond), (0, 0, 0));
    }

    #[test]
    fn estimates_are_worth_what_they_are_made_of() {
        let after = [(500, 900_000), (2_000, 100_000)];
        let window = Window::between(TAIL, 20_000_000, (0, 1_000_000), &[], &after);
        assert_eq!((window.timed, window.beyond, window.answered), (200, 20, 1_000_000));
    }

    #[test]
    fn excess_is_counted_in_quarters_of_doublings() {
        let of = |duration_ns| quarters(duration_ns, 1_000);
        assert_eq!([1_001, 1_250, 1_500, 2_000, 3_000, 4_000, 8_000].map(of), [1, 1, 2, 4, 6, 8, 12]);
        assert!(of(u64::MAX) < 300 && quarters(7, 0) > 0);
    }
}
