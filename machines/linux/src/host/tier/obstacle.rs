//! What keeps a claim from changing the host at all, known before anything is tried.

use super::claim::TierLimit;
use super::cpuset::CpusetError;
use super::report::{Outcome, StepName, Tier, TierReport};
use crate::host::cores::CoreChoice;

/// Who claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Root, as far as this process's user says; a container may have taken rights from it.
    Root,
    /// Anybody else.
    Ordinary,
}

impl Caller {
    /// Who this process is.
    pub fn own() -> Self {
        if rustix::process::geteuid().is_root() { Self::Root } else { Self::Ordinary }
    }
}

/// Steps that change the host, so that an obstacle keeps all of them from being taken.
const STEPS: [StepName; 7] = [
    StepName::Cores,
    StepName::Interrupts,
    StepName::Workqueues,
    StepName::Watchdog,
    StepName::IdleStates,
    StepName::Scheduling,
    StepName::Throttling,
];

/// Why nothing beyond affinity is to be tried.
pub(super) fn obstacle(choice: &CoreChoice, limit: TierLimit, caller: Caller) -> Option<CpusetError> {
    if limit == TierLimit::SharedOnly {
        return Some(CpusetError::new("tier shared was asked for", "leave out `--tier shared`"));
    }
    if caller == Caller::Ordinary {
        return Some(CpusetError::new("only root may change the host", "run as root (`sudo hallows …`)"));
    }
    if choice.linux.is_empty() {
        return Some(CpusetError::new(
            "all cores of the host were given to programs, and Linux must keep one",
            "give fewer with --cores",
        ));
    }
    None
}

/// Records that an obstacle kept all steps that change the host from being taken. Cores that the boot line isolated need none.
pub(super) fn record(report: &mut TierReport, obstacle: &CpusetError) {
    let is_booted = report.tier == Tier::Booted;
    for name in STEPS.into_iter().filter(|name| *name != StepName::Cores || !is_booted) {
        report.set(name, Outcome::missing(&*obstacle.why, &*obstacle.remedy));
    }
}
