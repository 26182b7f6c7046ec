//! From counter ticks to nanoseconds and back by multiply and shift, as the kernel's own clocks do it.

/// A line through one moment: at tick `base_ticks` it was `base_ns`, and every tick since is `ns_per_tick_q32` / 2³² ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The counter at the base moment.
    pub base_ticks: u64,
    /// The time at the base moment, in nanoseconds.
    pub base_ns: u64,
    /// Nanoseconds per tick in units of 2⁻³²: relative error at 1 to 8 GHz at most 2⁻²⁹, two nanoseconds in a second.
    pub ns_per_tick_q32: u64,
}

/// A counter value and the time at (nearly) the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The counter.
    pub ticks: u64,
    /// The time in nanoseconds.
    pub ns: u64,
}

impl Scale {
    /// The line through two moments; `None` unless both counter and time moved forwards.
    pub fn through(first: Moment, second: Moment) -> Option<Self> {
        let ticks = second.ticks.checked_sub(first.ticks).filter(|ticks| *ticks > 0)?;
        let ns = second.ns.checked_sub(first.ns).filter(|ns| *ns > 0)?;
        let ns_per_tick_q32 = u64::try_from((u128::from(ns) << 32) / u128::from(ticks)).ok()?;
        (ns_per_tick_q32 > 0).then_some(Self {
            base_ticks: second.ticks,
            base_ns: second.ns,
            ns_per_tick_q32,
        })
    }

    /// The time at a counter value; before the base moment it stands still.
    #[inline]
    pub fn ns_at(&self, ticks: u64) -> u64 {
        self.base_ns.saturating_add(self.ns_of(ticks.saturating_sub(self.base_ticks)))
    }

    /// The counter value at a time; before the base moment it stands still.
    #[inline]
    pub fn ticks_at(&self, ns: u64) -> u64 {
        self.base_ticks.saturating_add(self.ticks_of(ns.saturating_sub(self.base_ns)))
    }

    /// The length of `ticks` in nanoseconds (rounded down).
    #[inline]
    pub fn ns_of(&self, ticks: u64) -> u64 {
        let ns = (u128::from(ticks) * u128::from(self.ns_per_tick_q32)) >> 32;
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// The length of `ns` nanoseconds in ticks (rounded up: who waits that many ticks has waited long enough).
    pub fn ticks_of(&self, ns: u64) -> u64 {
        let ticks = (u128::from(ns) << 32).div_ceil(u128::from(self.ns_per_tick_q32));
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// The line that goes on from here without a jump at another rate.
    pub fn continued(&self, ticks: u64, ns_per_tick_q32: u64) -> Self {
        Self { base_ticks: ticks, base_ns: self.ns_at(ticks), ns_per_tick_q32: ns_per_tick_q32.max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment { ticks: 1_000_000, ns: 5_000 };

    fn gigahertz(rate: f64) -> Scale {
        let ticks = START.ticks + (rate * 1e9) as u64;
        Scale::through(START, Moment { ticks, ns: START.ns + 1_000_000_000 }).unwrap()
    }

    #[test]
    fn a_second_of_ticks_is_a_second_at_any_usual_rate() {
        for rate in [1.0, 2.596, 3.7, 5.8] {
            let scale = gigahertz(rate);
            let ns = scale.ns_of((rate * 1e9) as u64);
            assert!((999_999_998..=1_000_000_000).contains(&ns), "{rate} GHz: {ns}");
        }
    }

    #[test]
    fn waiting_the_ticks_of_a_time_is_waiting_long_enough() {
        let scale = gigahertz(2.596);
        for ns in [1, 7, 999, 5_000, 1_000_000_007, 86_400_000_000_000] {
            assert!(scale.ns_of(scale.ticks_of(ns)) + 1 >= ns);
            let ticks = scale.ticks_at(scale.base_ns + ns);
            assert!(scale.ns_at(ticks).abs_diff(scale.base_ns + ns) <= 1);
        }
    }

    #[test]
    fn years_do_not_overflow() {
        let scale = gigahertz(4.0);
        let century_ns = 100 * 365 * 86_400 * 1_000_000_000;
        assert!(scale.ns_of(scale.ticks_of(century_ns)).abs_diff(century_ns) <= 1);
        assert_eq!(scale.ns_at(0), scale.base_ns);
        assert!(scale.ns_at(u64::MAX) > century_ns);
    }

    #[test]
    fn a_clock_that_did_not_move_gives_no_line() {
        assert_eq!(Scale::through(START, START), None);
        assert_eq!(Scale::through(START, Moment { ns: START.ns + 5, ..START }), None);
        assert_eq!(Scale::through(START, Moment { ticks: START.ticks + 5, ..START }), None);
    }

    #[test]
    fn a_change_of_rate_makes_no_jump() {
        let scale = gigahertz(2.0);
        let ticks = scale.base_ticks + 123_456_789;
        let faster = scale.continued(ticks, scale.ns_per_tick_q32 * 2);
        assert_eq!(faster.ns_at(ticks), scale.ns_at(ticks));
        assert_eq!(faster.ns_of(1000), scale.ns_of(1000) * 2);
    }
}
