//! What a bench must reach, as data that can be checked and printed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::report::numbers::figure;
use crate::samples::{Figures, Unit};

/// Which of our figures a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// Median.
    P50,
    /// 99th percentile.
    P99,
    /// 99.9th percentile.
    P99_9,
    /// Worst sample.
    Max,
}

impl Statistic {
    /// That figure.
    #[must_use]
    pub const fn of(self, figures: &Figures) -> f64 {
        match self {
            Self::P50 => figures.p50,
            Self::P99 => figures.p99,
            Self::P99_9 => figures.p99_9,
            Self::Max => figures.max,
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::P50 => "p50",
            Self::P99 => "p99",
            Self::P99_9 => "p99.9",
            Self::Max => "max",
        })
    }
}

/// One thing that must hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Requirement {
    /// A figure of ours is at most this, in the bench's unit.
    AtMost(Statistic, f64),
    /// A rival's median is at least this many times ours.
    TimesFasterThan(&'static str, f64),
    /// Our median is at most this many times a rival's.
    AtMostTimes(&'static str, f64),
    /// A figure of ours is at most this many times the same of a rival's.
    AtMostTimesAt(Statistic, &'static str, f64),
    /// Our median is at most this much above a rival's, in the bench's unit.
    AtMostAbove(&'static str, f64),
    /// Our median is at most this many per cent above a rival's.
    AtMostPercentAbove(&'static str, f64),
    /// At least this many per second; the bench counts nanoseconds for each.
    PerSecond(f64),
}

impl Requirement {
    /// The text of a report: `p50 ≤ 70 ns`.
    #[must_use]
    pub fn describe(&self, unit: Unit) -> String {
        let unit = unit.name();
        match self {
            Self::AtMost(statistic, limit) => format!("{statistic} ≤ {} {unit}", figure(*limit)),
            Self::TimesFasterThan(rival, factor) => format!("≥ {factor}× faster than {rival}"),
            Self::AtMostTimes(rival, factor) => format!("≤ {factor}× {rival}"),
            Self::AtMostTimesAt(statistic, rival, factor) => format!("{statistic} ≤ {factor}× {rival}"),
            Self::AtMostPercentAbove(rival, percent) => format!("≤ {percent} % above {rival}"),
            Self::AtMostAbove(rival, distance) => format!("≤ {} {unit} above {rival}", figure(*distance)),
            Self::PerSecond(rate) => format!("≥ {} per second", figure(*rate)),
        }
    }

    /// The rival that ours is compared with, if it is with one.
    #[must_use]
    pub const fn rival(&self) -> Option<&'static str> {
        match self {
            Self::AtMost(..) | Self::PerSecond(_) => None,
            Self::TimesFasterThan(rival, _)
            | Self::AtMostTimes(rival, _)
            | Self::AtMostTimesAt(_, rival, _)
            | Self::AtMostAbove(rival, _)
            | Self::AtMostPercentAbove(rival, _) => Some(rival),
        }
    }

    /// Checks it against the figures of all turns. `rival` gives a rival's figures by its name.
    #[must_use]
    pub fn check<'a>(
        &self,
        ours: Option<&Figures>,
        rival: impl Fn(&str) -> Option<&'a Figures>,
        unit: Unit,
    ) -> Verdict {
        let reached = ours.and_then(|ours| match self {
            Self::AtMost(statistic, limit) => {
                let value = statistic.of(ours);
                Some((value, value <= *limit))
            }
            Self::TimesFasterThan(name, factor) => {
                let ratio = rival(name)?.p50 / ours.p50;
                Some((ratio, ratio >= *factor))
            }
            Self::AtMostTimes(name, factor) => {
                let ratio = ours.p50 / rival(name)?.p50;
                Some((ratio, ratio <= *factor))
            }
            Self::AtMostTimesAt(statistic, name, factor) => {
                let ratio = statistic.of(ours) / statistic.of(rival(name)?);
                Some((ratio, ratio <= *factor))
            }
            Self::AtMostPercentAbove(name, percent) => {
                let above = (ours.p50 / rival(name)?.p50 - 1.0) * 100.0;
                Some((above, above <= *percent))
            }
            Self::AtMostAbove(name, distance) => {
                let above = ours.p50 - rival(name)?.p50;
                Some((above, above <= *distance))
            }
            Self::PerSecond(rate) => {
                let reached = 1e9 / ours.p50;
                Some((reached, reached >= *rate))
            }
        });
        Verdict {
            requirement: self.describe(unit),
            reached: reached.map(|(value, _)| value),
            state: match reached {
                Some((_, true)) => State::Met,
                Some((_, false)) => State::Missed,
                None => State::Unverified,
            },
        }
    }
}

/// What became of a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It holds.
    Met,
    /// It does not.
    Missed,
    /// A figure that it needs is missing, so nobody knows: not met.
    Unverified,
}

/// A checked requirement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What was required.
    pub requirement: String,
    /// What was reached: a figure in the bench's unit, a ratio or a rate.
    pub reached: Option<f64>,
    /// Whether that is enough.
    pub state: State,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(p50: f64) -> Figures {
        Figures {
            p50,
            p99: 2.0 * p50,
            p99_9: 3.0 * p50,
            max: 4.0 * p50,
            samples: 1,
            turn_medians: vec![p50],
            quantiles: Vec::new(),
        }
    }

    fn state(requirement: Requirement, ours: f64) -> State {
        let pipe = figures(2_000.0);
        requirement
            .check(Some(&figures(ours)), |name| (name == "pipe").then_some(&pipe), Unit::Nanoseconds)
            .state
    }

    #[test]
    fn limits_are_inclusive_and_each_statistic_is_its_own() {
        assert_eq!(state(Requirement::AtMost(Statistic::P50, 70.0), 70.0), State::Met);
        assert_eq!(state(Requirement::AtMost(Statistic::P50, 70.0), 70.1), State::Missed);
        assert_eq!(state(Requirement::AtMost(Statistic::P99, 150.0), 75.0), State::Met);
        assert_eq!(state(Requirement::AtMost(Statistic::P99, 150.0), 76.0), State::Missed);
        assert_eq!(state(Requirement::AtMost(Statistic::P99_9, 150.0), 51.0), State::Missed);
        assert_eq!(state(Requirement::AtMost(Statistic::Max, 150.0), 38.0), State::Missed);
    }

    #[test]
    fn ratios_are_taken_of_medians() {
        assert_eq!(state(Requirement::TimesFasterThan("pipe", 20.0), 100.0), State::Met);
        assert_eq!(state(Requirement::TimesFasterThan("pipe", 20.0), 101.0), State::Missed);
        assert_eq!(state(Requirement::AtMostTimes("pipe", 1.5), 3_000.0), State::Met);
        assert_eq!(state(Requirement::AtMostTimes("pipe", 1.5), 3_001.0), State::Missed);
    }

    #[test]
    fn distances_are_between_medians() {
        assert_eq!(state(Requirement::AtMostAbove("pipe", 20.0), 2_020.0), State::Met);
        assert_eq!(state(Requirement::AtMostAbove("pipe", 20.0), 2_020.1), State::Missed);
        assert_eq!(state(Requirement::AtMostAbove("pipe", 20.0), 1.0), State::Met);
        assert_eq!(state(Requirement::AtMostAbove("futex", 20.0), 1.0), State::Unverified);
    }

    #[test]
    fn a_statistic_is_compared_with_the_same_of_the_rival() {
        // The rival's p99 is 4,000, its p99.9 6,000; ours are twice and three times the median.
        assert_eq!(state(Requirement::AtMostTimesAt(Statistic::P99, "pipe", 0.1), 200.0), State::Met);
        assert_eq!(state(Requirement::AtMostTimesAt(Statistic::P99, "pipe", 0.1), 200.1), State::Missed);
        assert_eq!(state(Requirement::AtMostTimesAt(Statistic::P99_9, "pipe", 0.5), 1_000.0), State::Met);
        assert_eq!(state(Requirement::AtMostTimesAt(Statistic::P99, "futex", 0.1), 1.0), State::Unverified);
    }

    #[test]
    fn what_is_lost_is_a_share_of_the_rivals_median() {
        assert_eq!(state(Requirement::AtMostPercentAbove("pipe", 5.0), 2_099.9), State::Met);
        assert_eq!(state(Requirement::AtMostPercentAbove("pipe", 5.0), 2_100.1), State::Missed);
        assert_eq!(state(Requirement::AtMostPercentAbove("pipe", 0.5), 1_000.0), State::Met);
        assert_eq!(state(Requirement::AtMostPercentAbove("futex", 5.0), 1.0), State::Unverified);
        let pipe = figures(2_000.0);
        let verdict = Requirement::AtMostPercentAbove("pipe", 5.0).check(
            Some(&figures(2_060.0)),
            |_| Some(&pipe),
            Unit::Nanoseconds,
        );
        assert!(verdict.reached.is_some_and(|percent| (percent - 3.0).abs() < 1e-9), "{verdict:?}");
        assert_eq!(verdict.requirement, "≤ 5 % above pipe");
    }

    #[test]
    fn rates_are_the_inverse_of_times() {
        assert_eq!(state(Requirement::PerSecond(50_000.0), 20_000.0), State::Met);
        assert_eq!(state(Requirement::PerSecond(50_000.0), 20_001.0), State::Missed);
    }

    #[test]
    fn what_cannot_be_checked_is_not_met() {
        assert_eq!(state(Requirement::TimesFasterThan("futex", 1.0), 1.0), State::Unverified);
        let verdict = Requirement::AtMost(Statistic::P50, 1.0).check(None, |_| None, Unit::Bytes);
        assert_eq!((verdict.state, verdict.reached), (State::Unverified, None));
        assert_eq!(verdict.requirement, "p50 ≤ 1 bytes");
    }
}
