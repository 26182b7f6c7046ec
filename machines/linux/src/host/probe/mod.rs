//! What this host offers a machine, and what would make it offer more: `hallows probe`.
//!
//! Three parts that know nothing of each other: `asked` is what calls and instructions answer, `read` is what the kernel's files
//! say, and a file for each topic turns these facts into [`Finding`]s. The last is a pure function, and files are read below a root
//! path, so hosts that are not here are tested as well as this one. Nothing is changed, and no privilege is needed.
//!
//! A finding fails only where `hallows` cannot run.

mod asked;
mod cores;
mod finding;
mod gpu;
mod iommu;
mod jail;
mod kernel;
mod memory;
mod network;
mod pci;
mod power;
mod processor;
mod read;
mod scheduling;
mod steps;
mod storage;
#[cfg(test)]
mod tests;
mod tier;
mod time;

use std::path::Path;

use hallows_artifact::CpuFeatures;
use serde::Serialize;

use self::asked::Asked;
pub use self::finding::{Finding, Topic, Verdict};
use self::read::Facts;
use super::quantity::ByteSize;
use super::tier::StepName;

/// Everything that was found.
#[derive(Clone, Debug, Serialize)]
pub struct ProbeReport {
    /// How many findings pass.
    pub pass: usize,
    /// How many warn.
    pub warn: usize,
    /// How many fail.
    pub fail: usize,
    /// All of them, topic after topic.
    pub findings: Vec<Finding>,
}

impl ProbeReport {
    fn of(findings: Vec<Finding>) -> Self {
        let count = |verdict| findings.iter().filter(|finding| finding.verdict == verdict).count();
        Self { pass: count(Verdict::Pass), warn: count(Verdict::Warn), fail: count(Verdict::Fail), findings }
    }
}

/// Looks at this host, for a machine whose programs are compiled for `features` and whose budget is `budget`. Takes milliseconds.
pub fn probe(features: CpuFeatures, budget: ByteSize) -> ProbeReport {
    let asked = Asked::ask(features, budget);
    ProbeReport::of(judge(&Facts::read(Path::new("/"), &asked)))
}

fn judge(facts: &Facts) -> Vec<Finding> {
    let mut findings = kernel::judge(&facts.release);
    findings.extend(processor::judge(&facts.processor));
    findings.extend(cores::judge(&facts.cores));
    findings.extend(power::judge(&facts.power));
    findings.extend(memory::judge(&facts.memory));
    findings.extend(time::judge(&facts.time));
    findings.extend(jail::judge(facts.jail));
    findings.extend(network::judge(&facts.network));
    findings.extend(storage::judge(&facts.storage));
    findings.extend(iommu::judge(&facts.iommu));
    findings.extend(gpu::judge(&facts.gpu));
    if let (Ok(cores), Some(tier)) = (&facts.cores, &facts.tier) {
        findings.extend(tier::judge(tier));
        let steps = [
            (StepName::Siblings, cores::HARDWARE_THREADS, String::new()),
            (StepName::Tick, cores::TICK, cores.boot_line_in_words()),
            (StepName::IdleStates, power::IDLE_STATES, facts.power.idle_in_words()),
            (StepName::Scheduling, scheduling::PRIORITY, facts.scheduling.limit_in_words()),
            (StepName::Throttling, scheduling::THROTTLING, facts.scheduling.runtime_in_words()),
            (StepName::Memory, memory::LOCKED, String::new()),
        ];
        let step = |(name, thing, found): &(_, _, String)| tier.forecasts.finding(*name, *thing, found);
        findings.extend(steps.iter().filter_map(step));
    }
    // Stable: within a topic they stay as they came.
    findings.sort_by_key(|finding| finding.topic);
    findings
}
