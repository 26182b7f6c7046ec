//! What a monitor is shown: statistics for a live view, one cell in all its parts, faults.

use serde::{Deserialize, Serialize};

use super::protocol::{CellStatus, MemoryStatus, TimekeeperState};
use crate::host::core_set::CoreId;

/// Counters of a machine at a moment; two of them make rates. Nothing waits for them to be taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Nanoseconds since boot of the machine: when this was taken.
    pub uptime_ns: u64,
    /// Its memory.
    pub memory: MemoryStatus,
    /// What its timekeeper does.
    pub timekeeper: TimekeeperState,
    /// Processor time of the timekeeper since boot, in ns.
    pub timekeeper_ns: u64,
    /// Its cores, those of programs first.
    pub cores: Vec<CoreStatistics>,
    /// Its cells.
    pub cells: Vec<CellStatistics>,
}

/// One core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoreStatistics {
    /// Which of Linux's.
    pub core: CoreId,
    /// Processor time that Linux gave to it since boot, in ns: with the looking for work before it sleeps.
    pub cpu_ns: u64,
    /// The number of the cell that runs there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<u64>,
    /// Threads that wait for it.
    pub waiting: u32,
    /// Switches to a thread since boot.
    pub switches: u64,
    /// How often it was lent to a thread of another pool.
    #[serde(default)]
    pub loans: u64,
}

/// One cell, with what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellStatistics {
    /// What `ps` shows.
    #[serde(flatten)]
    pub status: CellStatus,
    /// Its calls since it was made.
    pub calls: CallStatistics,
    /// How many of its lives ended by a fault.
    pub faults: u64,
    /// The endpoints that it serves, as `CELL.ENDPOINT`.
    pub serves: Vec<String>,
    /// It is a part of the system, as its supervisor: it is not ended alone.
    pub is_system: bool,
}

/// Calls of a cell since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStatistics {
    /// Calls of endpoints that it made.
    pub made: u64,
    /// Messages that it answered.
    pub answered: u64,
    /// How long the calls took that it made, estimated from samples: the longest duration of a bucket in ns, and how many; ascending.
    pub made_ns: Histogram,
    /// The same of calls that it answered, as their callers saw it.
    pub answered_ns: Histogram,
}

/// Durations: the longest of each bucket in ns, and how many it has. Ascending, without empty buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram(pub Vec<(u64, u64)>);

impl Histogram {
    /// What came since an earlier one of the same.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let before = |longest: u64| {
            let found = earlier.0.binary_search_by_key(&longest, |(longest, _)| *longest);
            found.ok().and_then(|place| earlier.0.get(place)).map_or(0, |(_, count)| *count)
        };
        let newer = self.0.iter().map(|(longest, count)| (*longest, count.saturating_sub(before(*longest))));
        Self(newer.filter(|(_, count)| *count > 0).collect())
    }

    /// The duration that this share of all did not exceed, in ns, to a quarter of it; nothing if there are none.
    #[must_use]
    pub fn quantile_ns(&self, share: f64) -> Option<u64> {
        let all: u64 = self.0.iter().map(|(_, count)| *count).fold(0, u64::saturating_add);
        let wanted = (all as f64 * share).ceil() as u64;
        let mut seen = 0_u64;
        self.0.iter().find_map(|(longest, count)| {
            seen = seen.saturating_add(*count);
            (seen >= wanted.max(1)).then_some(*longest)
        })
    }
}

/// One cell in all its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// What it does and has done.
    #[serde(flatten)]
    pub cell: CellStatistics,
    /// What it was started with.
    pub arguments: Vec<String>,
    /// Its capabilities, as many as an answer has room for.
    pub capabilities: Vec<CapabilityStatus>,
    /// How many it has.
    pub capability_count: u64,
    /// Its faults that are still remembered, oldest first.
    pub recent_faults: Vec<FaultRecord>,
}

/// A capability of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapabilityStatus {
    /// The number that the program knows it by.
    pub handle: u32,
    /// The name that it was granted under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The kind of its object: `endpoint`, `notification`, `timer`, `budget`, `region`, `cell`, `program`.
    pub kind: String,
    /// Which object of that kind: what it leads to by name, where that is known, else its number.
    pub object: String,
    /// The rights: `send`, `receive`, `transfer`, `manage`, `read`, `write`, `watch`.
    pub rights: Vec<String>,
    /// What a server sees of who sends; 0: none.
    pub badge: u64,
    /// Its object has ended.
    pub stale: bool,
}

/// A fault that ended a life of a cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRecord {
    /// Counts the machine's faults, from 1.
    pub sequence: u64,
    /// Nanoseconds since boot of the machine.
    pub uptime_ns: u64,
    /// The cell's number.
    pub cell: u64,
    /// Its name.
    pub name: String,
    /// The life that ended, from 1.
    pub life: u64,
    /// Why.
    pub reason: String,
    /// The functions that led to it, innermost first.
    pub backtrace: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn quantiles_come_from_the_bucket_that_reaches_them() {
        let histogram = Histogram(vec![(55, 98), (1_023, 1), (u64::MAX, 1)]);
        let quantile = |share| histogram.quantile_ns(share);
        assert_eq!((quantile(0.0), quantile(0.5), quantile(0.98)), (Some(55), Some(55), Some(55)));
        assert_eq!((quantile(0.99), quantile(1.0)), (Some(1_023), Some(u64::MAX)));
        assert_eq!(Histogram::default().quantile_ns(0.5), None);
    }

    #[test]
    fn a_difference_has_only_what_is_new() {
        let earlier = Histogram(vec![(55, 98), (1_023, 1)]);
        let later = Histogram(vec![(40, 2), (55, 100), (1_023, 1)]);
        assert_eq!(later.since(&earlier), Histogram(vec![(40, 2), (55, 2)]));
        // Of a cell whose place another has taken since, nothing is counted twice or below zero.
        assert_eq!(earlier.since(&later), Histogram(Vec::new()));
    }
}
