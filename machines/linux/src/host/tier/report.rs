//! What was reached and what was not, for people and as JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::host::core_set::CoreSet;

/// How well a machine's cores are its own; see the [module](super).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Pinned threads on cores that Linux uses too.
    Shared,
    /// Cores taken out of Linux's scheduling while the machine runs.
    Isolated,
    /// Cores that the boot line took out of Linux's scheduling.
    Booted,
}

impl fmt::Display for Tier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Shared => "shared",
            Self::Isolated => "isolated",
            Self::Booted => "booted",
        })
    }
}

/// A step towards cores of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// No other process runs on the programs' cores.
    Cores,
    /// No periodic tick while one thread runs.
    Tick,
    /// No sibling hardware thread of a program's core belongs to Linux.
    Siblings,
    /// Device interrupts go to Linux's cores.
    Interrupts,
    /// Unbound kernel work goes to Linux's cores.
    Workqueues,
    /// The kernel's lock-up watchdog leaves the programs' cores alone.
    Watchdog,
    /// Idle cores stay in states from which they wake in no time.
    IdleStates,
    /// Machine threads run before ordinary ones.
    Scheduling,
    /// Real-time threads are not stopped for 50 ms in every second.
    Throttling,
    /// Memory is locked.
    Memory,
}

impl fmt::Display for StepName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Cores => "cores to itself",
            Self::Tick => "no tick",
            Self::Siblings => "whole cores",
            Self::Interrupts => "interrupts moved away",
            Self::Workqueues => "kernel work moved away",
            Self::Watchdog => "watchdog moved away",
            Self::IdleStates => "no deep sleep",
            Self::Scheduling => "real-time priority",
            Self::Throttling => "no real-time throttling",
            Self::Memory => "memory locked",
        })
    }
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It is so.
    Done {
        /// In which way.
        how: String,
    },
    /// It is not so.
    Missing {
        /// Why.
        why: String,
        /// What would change that.
        remedy: String,
    },
    /// It makes no difference here.
    NotNeeded {
        /// Why.
        why: String,
    },
}

impl Outcome {
    pub(crate) fn done(how: impl Into<String>) -> Self {
        Self::Done { how: how.into() }
    }

    pub(crate) fn missing(why: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Missing { why: why.into(), remedy: remedy.into() }
    }

    pub(crate) fn not_needed(why: impl Into<String>) -> Self {
        Self::NotNeeded { why: why.into() }
    }
}

/// A step and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// How it went.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The tier that a machine reached, and every step towards it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TierReport {
    /// What was reached.
    pub tier: Tier,
    /// Cores of programs.
    pub programs: CoreSet,
    /// Cores of timekeeper and cleaner.
    pub housekeeping: CoreSet,
    /// Every step that has been tried, in the order of [`StepName`].
    pub steps: Vec<Step>,
    /// How long the claim took, in nanoseconds; the machine boots meanwhile.
    pub took_ns: u64,
}

impl TierReport {
    /// Records how a step went, in place of what was known of it before.
    pub fn set(&mut self, name: StepName, outcome: Outcome) {
        self.steps.retain(|step| step.name != name);
        let place = self.steps.partition_point(|step| step.name < name);
        self.steps.insert(place, Step { name, outcome });
    }

    /// How a step went, if it was tried.
    pub fn outcome(&self, name: StepName) -> Option<&Outcome> {
        self.steps.iter().find(|step| step.name == name).map(|step| &step.outcome)
    }

    /// The report for people: the tier with what it consists of, then what is missing, steps with the same reason
    /// and remedy in one line.
    pub fn lines(&self) -> Vec<String> {
        let done: Vec<_> =
            self.steps.iter().filter(|step| matches!(step.outcome, Outcome::Done { .. })).collect();
        let done = done.iter().map(|step| step.name.to_string()).collect::<Vec<_>>().join(", ");
        let what = if done.is_empty() { "pinned threads".to_owned() } else { done };
        let mut lines = vec![format!("tier {}: {what}", self.tier)];
        let mut reasons: Vec<(&str, &str, Vec<String>)> = Vec::new();
        for step in &self.steps {
            let Outcome::Missing { why, remedy } = &step.outcome else { continue };
            match reasons.iter_mut().find(|reason| reason.0 == why && reason.1 == remedy) {
                Some(reason) => reason.2.push(step.name.to_string()),
                None => reasons.push((why, remedy, vec![step.name.to_string()])),
            }
        }
        lines.extend(
            reasons
                .iter()
                .map(|(why, remedy, names)| format!("missing: {}: {why}; {remedy}", names.join(", "))),
        );
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> TierReport {
        let mut report = TierReport {
            tier: Tier::Isolated,
            programs: "1".parse().unwrap(),
            housekeeping: "0".parse().unwrap(),
            steps: Vec::new(),
            took_ns: 5,
        };
        report.set(StepName::Memory, Outcome::missing("not root", "use sudo"));
        report.set(StepName::Interrupts, Outcome::missing("not root", "use sudo"));
        report.set(StepName::Cores, Outcome::done("cpuset"));
        report.set(StepName::Throttling, Outcome::not_needed("fair server"));
        report
    }

    #[test]
    fn missing_steps_with_one_reason_share_a_line() {
        assert_eq!(
            report().lines(),
            [
                "tier isolated: cores to itself",
                "missing: interrupts moved away, memory locked: not root; use sudo"
            ]
        );
    }

    #[test]
    fn a_later_outcome_replaces_an_earlier_one() {
        let mut report = report();
        report.set(StepName::Memory, Outcome::done("all"));
        assert_eq!(report.outcome(StepName::Memory), Some(&Outcome::done("all")));
        assert_eq!(report.steps.len(), 4);
        assert!(report.steps.is_sorted_by_key(|step| step.name));
    }

    #[test]
    fn the_json_form_reads_back() {
        let text = serde_json::to_string(&report()).unwrap();
        assert!(text.contains(r#"{"name":"cores","outcome":"done","how":"cpuset"}"#), "{text}");
        assert_eq!(serde_json::from_str::<TierReport>(&text).unwrap(), report());
    }
}
