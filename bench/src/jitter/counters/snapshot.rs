//! All counters at one moment, and what two moments differ in.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use serde::Serialize;

use super::core_time::{self, CoreTime, TICKS_PER_SECOND};
use super::table::{self, Line};
use super::threads::{self, ThreadCounters};
use crate::cores::Core;
use crate::jitter::counters::system_management;

/// Counters of the whole host (`/proc/vmstat`) of what stops threads on all cores.
const HOST: [&str; 4] = ["thp_collapse_alloc", "compact_stall", "numa_pages_migrated", "pgmigrate_success"];

/// All counters at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    taken: Instant,
    interrupts: BTreeMap<String, Line>,
    soft_interrupts: BTreeMap<String, Line>,
    time: Option<CoreTime>,
    host: BTreeMap<&'static str, u64>,
    system_management: Option<u64>,
    threads: BTreeMap<u32, ThreadCounters>,
}

/// Something that was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Linux's name for it.
    pub label: String,
    /// What Linux says that it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub what: String,
    /// So often.
    pub count: u64,
}

/// What happened to a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ThreadChange {
    /// Its name.
    pub name: String,
    /// The cores that it may run on, as Linux writes them.
    pub cores: String,
    /// How often it gave up its core.
    pub voluntary: u64,
    /// How often its core was taken away from it by the scheduler.
    pub involuntary: u64,
    /// How long it could run and did not, in ns.
    pub waited_ns: Option<u64>,
}

/// What two moments differ in, or several such pairs together.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Change {
    /// How long that was, in seconds.
    pub seconds: f64,
    /// Interrupts on the core, without those that did not come.
    pub interrupts: Vec<Counted>,
    /// Soft interrupts on the core, likewise.
    pub soft_interrupts: Vec<Counted>,
    /// Time that the hypervisor took from the core, in ms, in steps of 10.
    pub steal_ms: u64,
    /// Time of the core in interrupts and soft interrupts, in ms, in steps of 10.
    pub interrupts_ms: u64,
    /// What was counted for the whole host.
    pub host: Vec<Counted>,
    /// System management interrupts of the core; `None` where nobody can tell.
    pub system_management: Option<u64>,
    /// The threads of the process.
    pub threads: Vec<ThreadChange>,
}

impl Snapshot {
    /// Of a core and the threads of a process. What cannot be read is not there.
    #[must_use]
    pub fn take(core: Core, process: u32) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let host = read("/proc/vmstat");
        let host = HOST.into_iter().filter_map(|name| {
            let count = host.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
            Some((name, count.parse().ok()?))
        });
        Self {
            taken: Instant::now(),
            interrupts: table::of_core(&read("/proc/interrupts"), core),
            soft_interrupts: table::of_core(&read("/proc/softirqs"), core),
            time: core_time::of_core(&read("/proc/stat"), core),
            host: host.collect(),
            system_management: system_management::of_core(core),
            threads: threads::of_process(process),
        }
    }

    /// What has happened from this moment to a later one. Threads that began or ended in between are left out.
    #[must_use]
    pub fn until(&self, later: &Self) -> Change {
        let time = |of: fn(&CoreTime) -> u64| match (&self.time, &later.time) {
            (Some(before), Some(after)) => of(after).saturating_sub(of(before)) * 1_000 / TICKS_PER_SECOND,
            _ => 0,
        };
        let threads = later.threads.iter().filter_map(|(number, after)| {
            let before = self.threads.get(number)?;
            let waited = before.waited_ns.zip(after.waited_ns);
            Some(ThreadChange {
                name: after.name.clone(),
                cores: after.cores.clone(),
                voluntary: after.voluntary.saturating_sub(before.voluntary),
                involuntary: after.involuntary.saturating_sub(before.involuntary),
                waited_ns: waited.map(|(before, after)| after.saturating_sub(before)),
            })
        });
        let host = later.host.iter().filter_map(|(name, after)| {
            let count = after.saturating_sub(*self.host.get(name)?);
            (count > 0).then(|| Counted { label: (*name).to_owned(), what: String::new(), count })
        });
        Change {
            seconds: later.taken.saturating_duration_since(self.taken).as_secs_f64(),
            interrupts: counted(&self.interrupts, &later.interrupts),
            soft_interrupts: counted(&self.soft_interrupts, &later.soft_interrupts),
            steal_ms: time(|time| time.steal),
            interrupts_ms: time(|time| time.interrupts + time.soft_interrupts),
            host: host.collect(),
            system_management: self
                .system_management
                .zip(later.system_management)
                .map(|(before, after)| after.wrapping_sub(before)),
            threads: threads.collect(),
        }
    }
}

fn counted(before: &BTreeMap<String, Line>, after: &BTreeMap<String, Line>) -> Vec<Counted> {
    let lines = after.iter().filter_map(|(label, line)| {
        // A line that was not there had no counts.
        let count = line.count.saturating_sub(before.get(label).map_or(0, |line| line.count));
        (count > 0).then(|| Counted { label: label.clone(), what: line.what.clone(), count })
    });
    let mut lines: Vec<Counted> = lines.collect();
    lines.sort_by(|one, other| other.count.cmp(&one.count).then(one.label.cmp(&other.label)));
    lines
}

impl Change {
    /// Adds what happened in another turn. Threads are those of the same name on the same cores.
    pub fn add(&mut self, other: &Self) {
        self.seconds += other.seconds;
        self.steal_ms += other.steal_ms;
        self.interrupts_ms += other.interrupts_ms;
        add_counted(&mut self.interrupts, &other.interrupts);
        add_counted(&mut self.soft_interrupts, &other.soft_interrupts);
        add_counted(&mut self.host, &other.host);
        self.system_management =
            self.system_management.zip(other.system_management).map(|(one, other)| one + other);
        for thread in &other.threads {
            match self.threads.iter_mut().find(|known| known.is_like(thread)) {
                Some(known) => {
                    known.voluntary += thread.voluntary;
                    known.involuntary += thread.involuntary;
                    known.waited_ns = known.waited_ns.zip(thread.waited_ns).map(|(one, other)| one + other);
                }
                None => self.threads.push(thread.clone()),
            }
        }
    }
}

impl ThreadChange {
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.cores == other.cores
    }

    /// Whether it was on this core and no other.
    #[must_use]
    pub fn is_on(&self, core: usize) -> bool {
        self.cores == core.to_string()
    }
}

fn add_counted(all: &mut Vec<Counted>, more: &[Counted]) {
    for one in more {
        match all.iter_mut().find(|known| known.label == one.label) {
            Some(known) => known.count += one.count,
            None => all.push(one.clone()),
        }
    }
    all.sort_by(|one, other| other.count.cmp(&one.count).then(one.label.cmp(&other.label)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[(&str, u64)]) -> BTreeMap<String, Line> {
        let line = |(label, count): &(&str, u64)| {
            ((*label).to_owned(), Line { count: *count, what: "device".to_owned() })
        };
        lines.iter().map(line).collect()
    }

    fn snapshot(interrupts: &[(&str, u64)], steal: u64, threads: &[(u32, u64)]) -> Snapshot {
        let thread = |(number, involuntary): &(u32, u64)| {
            let name = format!("core-{number}");
            let counters =
                ThreadCounters { name, involuntary: *involuntary, waited_ns: Some(1), ..Default::default() };
            (*number, counters)
        };
        Snapshot {
            taken: Instant::now(),
            interrupts: lines(interrupts),
            soft_interrupts: BTreeMap::new(),
            time: Some(CoreTime { steal, ..CoreTime::default() }),
            host: BTreeMap::from([("compact_stall", steal)]),
            system_management: None,
            threads: threads.iter().map(thread).collect(),
        }
    }

    #[test]
    fn only_what_happened_is_told_the_most_frequent_first() {
        let before = snapshot(&[("24", 7), ("LOC", 100), ("RES", 3)], 5, &[(1, 4), (2, 0)]);
        let after = snapshot(&[("24", 7), ("30", 2), ("LOC", 350), ("RES", 4)], 8, &[(1, 9), (3, 1)]);
        let change = before.until(&after);
        let labels: Vec<_> = change.interrupts.iter().map(|one| (one.label.as_str(), one.count)).collect();
        assert_eq!(labels, [("LOC", 250), ("30", 2), ("RES", 1)]);
        assert_eq!((change.steal_ms, change.host[0].count), (30, 3));
        assert_eq!((change.threads.len(), change.threads[0].involuntary), (1, 5));
        assert_eq!(change.system_management, None);
    }

    #[test]
    fn turns_add_up() {
        let none = snapshot(&[], 0, &[(1, 0)]);
        let mut all = none.until(&snapshot(&[("LOC", 10)], 1, &[(1, 2)]));
        all.add(&none.until(&snapshot(&[("RES", 30), ("LOC", 5)], 1, &[(1, 3)])));
        let labels: Vec<_> = all.interrupts.iter().map(|one| (one.label.as_str(), one.count)).collect();
        assert_eq!(labels, [("RES", 30), ("LOC", 15)]);
        assert_eq!((all.steal_ms, all.threads.len(), all.threads[0].involuntary), (20, 1, 5));
    }

    #[test]
    fn this_host_counts_what_happens() {
        let core = crate::cores::Cores::default_pair().expect("cores").first();
        let before = Snapshot::take(core, std::process::id());
        // Each of these sleeps ends by a timer interrupt, on this core.
        crate::cores::on_core(core, crate::cores::Priority::Ordinary, || {
            (0..20).for_each(|_| std::thread::sleep(std::time::Duration::from_millis(2)));
        })
        .expect("a thread");
        let change = before.until(&Snapshot::take(core, std::process::id()));
        assert!(change.seconds > 0.0 && !change.interrupts.is_empty(), "{change:?}");
    }
}
