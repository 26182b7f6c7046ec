//! Which tier a machine would reach, without taking any step towards it.
//!
//! The rules are those of [`claim`](super::claim): the same obstacles, the same settings, the same remedies. What only trying can tell
//! (an interrupt whose driver keeps it on its core) is not foreseen.

use super::boot;
use super::cpuset::{self, CpusetError};
use super::means::{Access, CpusetMeans, Means};
use super::obstacle::{self, Caller, obstacle};
use super::report::{Outcome, StepName, Tier, TierReport};
use super::{TierLimit, idle, placement};
use crate::host::quantity::ByteSize;

/// Said of a step that root may take, seen by somebody else.
const HIDDEN: &str = "; whether this host lets root, only root can see";

/// What to do where the kernel's files are closed even to root.
const CLOSED_REMEDY: &str =
    "in a container: start it with the host's /proc and /sys writable (`--privileged`), or run outside";

/// What a claim by `caller` for a machine with so much memory would report. For another caller than this process's own, it is what can be known.
pub fn forecast(means: &Means, caller: Caller, budget: ByteSize) -> TierReport {
    let programs = means.choice.programs.clone();
    let is_booted = boot::is_booted(&programs, &means.topology);
    let mut report = TierReport {
        tier: if is_booted { Tier::Booted } else { Tier::Shared },
        programs,
        housekeeping: means.choice.housekeeping.clone(),
        steps: Vec::new(),
        took_ns: 0,
    };
    boot::record(&mut report, &means.topology, |_| means.siblings.clone());
    report.set(StepName::Memory, means.rights.lock.outcome(budget.0));
    if let Some(obstacle) = obstacle(&means.choice, TierLimit::Best, caller) {
        obstacle::record(&mut report, &obstacle);
        return report;
    }
    if !is_booted {
        match cores(&means.cpuset) {
            Ok(how) => {
                report.tier = Tier::Isolated;
                report.set(StepName::Cores, Outcome::done(how));
            }
            Err(error) => report.set(StepName::Cores, Outcome::missing(error.why, error.remedy)),
        }
    }
    for absent in &means.absent {
        report.set(absent.step, Outcome::not_needed(&*absent.why));
    }
    for step in [StepName::Interrupts, StepName::Workqueues, StepName::Watchdog, StepName::Throttling] {
        let all = means.settings.iter().filter(|(name, _)| *name == step).map(|(_, access)| access);
        let all: Vec<_> = all.collect();
        if !all.is_empty() {
            report.set(step, settings(&all));
        }
    }
    report.set(
        StepName::IdleStates,
        outcome(&means.idle, "/dev/cpu_dma_latency can hold it off", idle::REMEDY),
    );
    report.set(
        StepName::Scheduling,
        outcome(&means.rights.real_time, "SCHED_FIFO is allowed", placement::REMEDY),
    );
    report
}

fn cores(cpuset: &Result<CpusetMeans, CpusetError>) -> Result<String, CpusetError> {
    let tree = cpuset.as_ref().map_err(Clone::clone)?;
    match (&tree.obstacle, &tree.access) {
        (Some(obstacle), _) => Err(obstacle.clone()),
        (None, Access::Open) => Ok(cpuset::ISOLATED.to_owned()),
        (None, Access::Hidden) => Ok(format!("{}{HIDDEN}", cpuset::ISOLATED)),
        (None, Access::Closed { why }) => Err(CpusetError::new(
            format!("the cgroup tree at {} is closed to changes: {why}", tree.mount),
            CLOSED_REMEDY,
        )),
    }
}

fn settings(all: &[&Access]) -> Outcome {
    let count = all.len();
    let closed = all.iter().find_map(|access| match access {
        Access::Closed { why } => Some(why),
        Access::Open | Access::Hidden => None,
    });
    if let Some(why) = closed {
        return Outcome::missing(format!("closed to changes: {why}"), CLOSED_REMEDY);
    }
    let hidden = if all.contains(&&Access::Hidden) { HIDDEN } else { "" };
    Outcome::done(format!("{count} setting{} can be changed{hidden}", if count == 1 { "" } else { "s" }))
}

fn outcome(access: &Access, how: &str, remedy: &str) -> Outcome {
    match access {
        Access::Open => Outcome::done(how),
        Access::Hidden => Outcome::done(format!("{how}{HIDDEN}")),
        Access::Closed { why } => Outcome::missing(why, remedy),
    }
}
