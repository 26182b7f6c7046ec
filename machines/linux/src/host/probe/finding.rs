//! What was found: one thing each, with a verdict, why it matters and what to do.

use std::fmt;

use serde::Serialize;

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Kernel version and what it has.
    Kernel,
    /// What programs are compiled for; virtual or not.
    Processor,
    /// Cores, hardware threads, memory nodes, the boot line.
    Cores,
    /// How well cores can be taken from Linux.
    Tier,
    /// Sleep states and frequency.
    Power,
    /// Real-time priority.
    Scheduling,
    /// How much, locked or not, huge pages.
    Memory,
    /// Clocks and timers.
    Time,
    /// The walls around a machine.
    Jail,
    /// Interfaces and sockets past the network stack.
    Network,
    /// NVMe devices and asynchronous files.
    Storage,
    /// Devices behind a memory wall of their own.
    Iommu,
    /// Graphics processors.
    Gpu,
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Kernel => "kernel",
            Self::Processor => "processor",
            Self::Cores => "cores",
            Self::Tier => "tier",
            Self::Power => "power",
            Self::Scheduling => "scheduling",
            Self::Memory => "memory",
            Self::Time => "time",
            Self::Jail => "jail",
            Self::Network => "network",
            Self::Storage => "storage",
            Self::Iommu => "iommu",
            Self::Gpu => "gpu",
        })
    }
}

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As good as it gets.
    Pass,
    /// Something is slower, weaker or not there; `hallows` runs.
    Warn,
    /// `hallows` cannot run.
    Fail,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub topic: Topic,
    /// Which thing.
    pub name: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What there is.
    pub found: String,
    /// Why that matters, in one sentence.
    pub why: &'static str,
    /// What would change it: always there unless it passes.
    pub fix: Option<String>,
}

/// A thing before its verdict: what it is, and why it matters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thing {
    topic: Topic,
    name: &'static str,
    why: &'static str,
}

impl Thing {
    pub(super) const fn new(topic: Topic, name: &'static str, why: &'static str) -> Self {
        Self { topic, name, why }
    }

    pub(super) fn pass(self, found: impl Into<String>) -> Finding {
        self.finding(Verdict::Pass, found.into(), None)
    }

    pub(super) fn warn(self, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.finding(Verdict::Warn, found.into(), Some(fix.into()))
    }

    pub(super) fn fail(self, found: impl Into<String>, fix: impl Into<String>) -> Finding {
        self.finding(Verdict::Fail, found.into(), Some(fix.into()))
    }

    fn finding(self, verdict: Verdict, found: String, fix: Option<String>) -> Finding {
        let Self { topic, name, why } = self;
        Finding { topic, name, verdict, found, why, fix }
    }
}
