//! Sleep states and frequency: how long an idle core takes to be back at full speed.

use std::collections::BTreeSet;

use super::finding::{Finding, Thing, Topic};

pub(super) const IDLE_STATES: Thing = Thing::new(
    Topic::Power,
    "idle states",
    "A core in a deep sleep state takes tens to hundreds of microseconds to wake.",
);
const FREQUENCY: Thing = Thing::new(
    Topic::Power,
    "frequency",
    "A governor that saves power lowers an idle core's clock, and takes milliseconds to raise it again.",
);

/// One sleep state of a core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdleState {
    /// As the driver calls it.
    pub(super) name: String,
    /// How long waking from it takes, in microseconds.
    pub(super) latency_us: u64,
}

/// Sleep states and frequency of the programs' cores.
#[derive(Clone, Debug, Default)]
pub(super) struct PowerFacts {
    /// The driver of sleep states; `None` or `none` without one.
    pub(super) idle_driver: Option<String>,
    /// States that are not switched off.
    pub(super) states: Vec<IdleState>,
    /// Frequency governors of the allowed cores; empty where Linux does not set frequencies.
    pub(super) governors: BTreeSet<String>,
}

impl PowerFacts {
    /// The sleep states in a few words.
    pub(super) fn idle_in_words(&self) -> String {
        let driver = self.idle_driver.as_deref().unwrap_or("none");
        match self.states.iter().max_by_key(|state| state.latency_us) {
            None => format!("driver {driver}, no sleep states"),
            Some(deepest) => {
                format!("driver {driver}, deepest {} with {} us to wake", deepest.name, deepest.latency_us)
            }
        }
    }
}

pub(super) fn judge(facts: &PowerFacts) -> Vec<Finding> {
    let governors: Vec<_> = facts.governors.iter().map(String::as_str).collect();
    vec![match governors[..] {
        [] => FREQUENCY.pass("not set by Linux here"),
        ["performance"] => FREQUENCY.pass("governor performance"),
        _ => FREQUENCY.warn(
            format!("governor {}", governors.join(", ")),
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        ),
    }]
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn judged(governors: &[&str]) -> Verdict {
        let governors = governors.iter().map(|name| (*name).to_owned()).collect();
        judge(&PowerFacts { governors, ..PowerFacts::default() })[0].verdict
    }

    #[test]
    fn one_core_that_saves_power_is_enough_for_a_warning() {
        assert_eq!(judged(&["performance"]), Verdict::Pass);
        assert_eq!(judged(&["performance", "powersave"]), Verdict::Warn);
        assert_eq!(judged(&[]), Verdict::Pass);
    }

    #[test]
    fn the_deepest_state_is_named() {
        let state = |name: &str, latency_us| IdleState { name: name.to_owned(), latency_us };
        let states = vec![state("POLL", 0), state("C6", 133), state("C1", 2)];
        let facts = PowerFacts { idle_driver: Some("intel_idle".into()), states, ..PowerFacts::default() };
        assert_eq!(facts.idle_in_words(), "driver intel_idle, deepest C6 with 133 us to wake");
    }
}
