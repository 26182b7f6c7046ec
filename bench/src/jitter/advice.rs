//! The culprits that can be seen, and what to do about each.
//!
//! Counts stand beside gaps; that one was the cause of the other is not said. What can be said is an upper limit: something that happened 30 times is behind 30 gaps at most.

use serde::Serialize;

use super::case::How;
use super::counters::{Change, Counted, ThreadChange};

/// Something that takes a core away from who runs there, as often as it was counted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Culprit {
    /// Linux's name for it.
    pub name: String,
    /// What it is.
    pub what: String,
    /// How often; of times, in microseconds.
    pub count: u64,
    /// What is counted.
    pub unit: Counts,
    /// The same in each second.
    pub per_second: f64,
    /// The part of all gaps that it can be behind at most, if gaps were measured and events were counted; of times, of the time that was lost in gaps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_gaps_at_most: Option<f64>,
    /// What to do about it.
    pub advice: String,
}

/// What a culprit's count counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// Events on the core.
    Events,
    /// Events of the whole host.
    HostEvents,
    /// Microseconds of the core.
    Microseconds,
}

/// What is measured beside the counters.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// How the program is there in time: each wake-up of one that sleeps takes an interrupt.
    pub how: How,
    /// The core, and a core of Linux's to move things to.
    pub core: usize,
    /// See `core`.
    pub other_core: usize,
    /// Gaps, and how long they were together in ns; of a program that spins.
    pub gaps: Option<(u64, u64)>,
    /// What was counted.
    pub change: &'a Change,
}

/// All culprits, those that happened most often first; then times.
#[must_use]
pub fn culprits(seen: &Seen<'_>) -> Vec<Culprit> {
    let change = seen.change;
    let mut culprits: Vec<Culprit> = Vec::new();
    culprits.extend(change.interrupts.iter().map(|one| interrupt(seen, one)));
    culprits.extend(change.soft_interrupts.iter().map(|one| soft_interrupt(seen, one)));
    if let Some(count) = change.system_management.filter(|count| *count > 0) {
        let advice = "the firmware takes the core, and Linux cannot refuse: turn off in its set-up what needs it (USB legacy emulation, power \
                      capping, memory scrubbing, error reporting)";
        culprits.push(events(seen, "SMI", "system management interrupts", count, advice.to_owned()));
    }
    let involuntary: u64 = here(seen).map(|thread| thread.involuntary).sum();
    if involuntary > 0 {
        let advice = format!(
            "Linux ran another thread on core {}: take the core from it (as root: tier `isolated`; at boot: `isolcpus=`), or give the program real-time \
             priority",
            seen.core
        );
        culprits.push(events(
            seen,
            "context switches",
            "involuntary ones of the program's thread",
            involuntary,
            advice,
        ));
    }
    culprits.sort_by_key(|culprit| std::cmp::Reverse(culprit.count));
    culprits.extend(times(seen));
    culprits.extend(change.host.iter().map(|one| of_host(seen, one)));
    culprits
}

/// The threads of the program that is measured: those that are on the core and nowhere else.
fn here<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a ThreadChange> {
    let core = seen.core;
    seen.change.threads.iter().filter(move |thread| thread.is_on(core))
}

fn culprit(seen: &Seen<'_>, name: &str, what: &str, count: u64, unit: Counts, advice: String) -> Culprit {
    let at_most = seen.gaps.and_then(|(gaps, lost_ns)| {
        let (share, of) = match unit {
            Counts::Events => (count as f64, gaps as f64),
            Counts::Microseconds => (count as f64 * 1e3, lost_ns as f64),
            Counts::HostEvents => return None,
        };
        (of > 0.0).then(|| (share / of).min(1.0))
    });
    Culprit {
        name: name.to_owned(),
        what: what.to_owned(),
        count,
        unit,
        per_second: if seen.change.seconds > 0.0 { count as f64 / seen.change.seconds } else { 0.0 },
        of_gaps_at_most: at_most,
        advice,
    }
}

fn events(seen: &Seen<'_>, name: &str, what: &str, count: u64, advice: String) -> Culprit {
    culprit(seen, name, what, count, Counts::Events, advice)
}

/// What stands in `/proc/interrupts`.
fn interrupt(seen: &Seen<'_>, counted: &Counted) -> Culprit {
    let Counted { label, what, count } = counted;
    let (core, other) = (seen.core, seen.other_core);
    let advice = match label.as_str() {
        "LOC" => format!(
            "boot with `nohz_full={core} isolcpus={core} rcu_nocbs={core}`: no periodic tick while one thread runs; other timers leave with the threads that set them"
        ),
        "RES" | "CAL" => format!(
            "other cores ask core {core} for something: keep threads that share memory or files with it off (tier `isolated`), and stop what asks all cores \
             (profilers, module loading, `perf`, frequency governors)"
        ),
        "TLB" => "memory that threads of this core also use was unmapped or protected elsewhere: keep processes with threads on both sides from unmapping \
                  (`munmap`, `madvise`), stop transparent huge pages and balancing of memory (`kernel.numa_balancing=0`)"
            .to_owned(),
        "NMI" | "PMI" => "counters of the processor interrupt: `sysctl kernel.nmi_watchdog=0`, and end `perf`".to_owned(),
        "IWI" | "RTR" => "the kernel puts off work to the core: it comes with tracing, `perf` and printing; stop these".to_owned(),
        "MCE" | "MCP" => format!(
            "errors of memory are polled for: write 0 to /sys/devices/system/machinecheck/machinecheck{core}/check_interval; if they are events, look at the memory"
        ),
        "TRM" | "THR" => "the processor is too hot or over its limit of power: cool it, or lower its clock for good (`cpupower frequency-set`)".to_owned(),
        "DFR" => "errors of memory were found later: look at the memory (`rasdaemon`)".to_owned(),
        "HYP" | "HVS" | "HRE" | "HVC" => {
            "the hypervisor sends events to this core: give the virtual machine devices of its own (passed through), and bind events of the others elsewhere".to_owned()
        }
        "PIN" | "NPI" | "PIW" => format!("virtual machines of this host run on core {core}: pin their processors to others (`virsh vcpupin`)"),
        "SPU" | "ERR" | "MIS" => "hardware interrupts that nobody asked for: look for a driver or firmware that is wrong (`dmesg`)".to_owned(),
        number if number.parse::<u32>().is_ok() => format!(
            "a device's: `echo {other} > /proc/irq/{number}/smp_affinity_list` (root; tier `isolated` does it where the driver lets it), and stop `irqbalance`, which undoes it; \
             of queues a core, `isolcpus=managed_irq,domain,{core}` at boot"
        ),
        _ => "not known to this program; see Documentation/filesystems/proc.rst of Linux".to_owned(),
    };
    let is_wake_up = matches!(label.as_str(), "LOC" | "RES" | "CAL");
    let advice = if seen.how == How::Sleeping && is_wake_up {
        format!("among them are those that wake the program itself, one a period; of the rest: {advice}")
    } else {
        advice
    };
    events(seen, label, what, *count, advice)
}

/// What stands in `/proc/softirqs`: work that is put off to the end of an interrupt.
fn soft_interrupt(seen: &Seen<'_>, counted: &Counted) -> Culprit {
    let core = seen.core;
    let advice = match counted.label.as_str() {
        "TIMER" | "HRTIMER" => format!(
            "timers that threads on core {core} have set, or that it had before: take the core from Linux (tier `isolated`), at boot `nohz_full={core}`"
        ),
        "NET_RX" | "NET_TX" => format!(
            "packets: keep the network device's interrupts off core {core}, and take it out of /sys/class/net/*/queues/*/rps_cpus and xps_cpus"
        ),
        "BLOCK" | "IRQ_POLL" => format!(
            "storage: keep its interrupts off core {core}; write 2 to /sys/block/*/queue/rq_affinity, so that who asked finishes it"
        ),
        "SCHED" => format!(
            "the scheduler looks for work for core {core}: out of load balancing it does not (tier `isolated`, or `isolcpus=`)"
        ),
        "RCU" => format!(
            "the kernel frees what it no longer needs: boot with `rcu_nocbs={core}`, which has threads elsewhere do that"
        ),
        "TASKLET" | "HI" => format!("a driver's put-off work: keep its interrupts off core {core}"),
        _ => "not known to this program".to_owned(),
    };
    events(seen, &format!("softirq {}", counted.label), "put-off work", counted.count, advice)
}

/// Times of the core that somebody else had.
fn times(seen: &Seen<'_>) -> Vec<Culprit> {
    let change = seen.change;
    let mut times = Vec::new();
    let mut add = |name, what, count: u64, advice: &str| {
        if count > 0 {
            times.push(culprit(seen, name, what, count, Counts::Microseconds, advice.to_owned()));
        }
    };
    let waited_ns: u64 = here(seen).filter_map(|thread| thread.waited_ns).sum();
    // On Linux's core; who spins does not need it.
    let timekeeper =
        change.threads.iter().filter(|thread| thread.name == "timekeeper" && seen.how == How::Sleeping);
    let timekeeper_ns: u64 = timekeeper.filter_map(|thread| thread.waited_ns).sum();
    add(
        "steal time",
        "time that the hypervisor gave to others",
        change.steal_ms * 1_000,
        "pin the virtual machine's processors to cores that nobody else has (`virsh vcpupin`, `emulatorpin`), or rent dedicated cores; steps of 10 ms",
    );
    add(
        "waiting",
        "time that the program's thread could run and did not",
        waited_ns / 1_000,
        "somebody else ran on its core. Ordinary threads: take the core from Linux. Of real-time threads that compute: Linux's throttling \
         (`sysctl kernel.sched_rt_runtime_us=-1`) or fair server (write 0 to /sys/kernel/debug/sched/fair_server/cpu*/runtime)",
    );
    add(
        "timekeeper",
        "time that the timekeeper could run and did not, while the program waited for it",
        timekeeper_ns / 1_000,
        "others ran on its core: give it one where nobody else does (`--housekeeping`), or real-time priority (root, above tier `shared`)",
    );
    add(
        "interrupt time",
        "time in interrupts and soft interrupts",
        change.interrupts_ms * 1_000,
        "see each of them; steps of 10 ms, and none where the kernel does not account for it",
    );
    times
}

/// What stops threads on all cores for a while, as Linux counts it for the whole host.
fn of_host(seen: &Seen<'_>, counted: &Counted) -> Culprit {
    let (what, advice) = match counted.label.as_str() {
        "thp_collapse_alloc" => (
            "pages collapsed by khugepaged",
            "`echo never > /sys/kernel/mm/transparent_hugepage/enabled`, or 0 to khugepaged/defrag",
        ),
        "compact_stall" => (
            "memory compacted by who wanted some",
            "`sysctl vm.compaction_proactiveness=0`, and memory that is taken at the start",
        ),
        "numa_pages_migrated" => ("pages moved between nodes of memory", "`sysctl kernel.numa_balancing=0`"),
        _ => (
            "pages moved",
            "compaction or balancing moves them, and unmaps them on all cores: lock memory, stop transparent huge pages",
        ),
    };
    culprit(seen, &counted.label, what, counted.count, Counts::HostEvents, advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(label: &str, count: u64) -> Counted {
        Counted { label: label.to_owned(), what: "what it is".to_owned(), count }
    }

    fn thread(name: &str, cores: &str, involuntary: u64) -> ThreadChange {
        let waited_ns = Some(involuntary * 100_000);
        ThreadChange { name: name.to_owned(), cores: cores.to_owned(), voluntary: 0, involuntary, waited_ns }
    }

    fn change() -> Change {
        Change {
            seconds: 10.0,
            interrupts: vec![counted("LOC", 10_000), counted("36", 5)],
            soft_interrupts: vec![counted("RCU", 200)],
            steal_ms: 30,
            interrupts_ms: 0,
            host: vec![counted("thp_collapse_alloc", 3)],
            system_management: Some(2),
            threads: vec![thread("core-1", "1", 40), thread("timekeeper", "0", 9), thread("cleaner", "0", 5)],
        }
    }

    fn seen(change: &Change, how: How) -> Seen<'_> {
        let gaps = (how == How::Spinning).then_some((1_000, 60_000_000));
        Seen { how, core: 1, other_core: 0, gaps, change }
    }

    #[test]
    fn each_culprit_says_how_often_and_what_to_do() {
        let change = change();
        let culprits = culprits(&seen(&change, How::Spinning));
        let names: Vec<&str> = culprits.iter().map(|one| one.name.as_str()).collect();
        let expected = [
            "LOC",
            "softirq RCU",
            "context switches",
            "36",
            "SMI",
            "steal time",
            "waiting",
            "thp_collapse_alloc",
        ];
        assert_eq!(names, expected);
        for (place, part) in [
            (0, "nohz_full=1"),
            (1, "rcu_nocbs=1"),
            (2, "isolcpus="),
            (3, "echo 0 > /proc/irq/36/smp_affinity_list"),
            (4, "firmware"),
            (5, "vcpupin"),
            (6, "fair_server"),
            (7, "transparent_hugepage"),
        ] {
            assert!(culprits[place].advice.contains(part), "{:?}", culprits[place]);
        }
        assert_eq!(culprits[0].per_second, 1_000.0);
        assert_eq!((culprits[2].count, culprits[6].count), (40, 4_000), "of the thread on the core alone");
    }

    #[test]
    fn a_share_is_an_upper_limit_of_events_and_of_times_and_none_of_what_is_the_whole_hosts() {
        let change = change();
        let culprits = culprits(&seen(&change, How::Spinning));
        let share = |name: &str| culprits.iter().find(|one| one.name == name).expect(name).of_gaps_at_most;
        assert_eq!(share("LOC"), Some(1.0), "ten of them for each gap, and no more than all gaps");
        assert_eq!(share("softirq RCU"), Some(0.2));
        assert_eq!(share("steal time"), Some(0.5), "30 of 60 ms");
        assert_eq!(share("thp_collapse_alloc"), None);
    }

    #[test]
    fn wake_ups_of_a_sleeping_program_are_no_culprits_of_their_own() {
        let change = change();
        let culprits = culprits(&seen(&change, How::Sleeping));
        assert!(culprits[0].advice.starts_with("among them are those that wake the program itself"));
        assert!(culprits.iter().all(|one| one.of_gaps_at_most.is_none()));
        // Who sleeps waits for the timekeeper.
        assert!(culprits.iter().any(|one| one.name == "timekeeper" && one.count == 900));
    }

    #[test]
    fn nothing_happened_and_nobody_is_accused() {
        let change = Change { seconds: 1.0, system_management: Some(0), ..Change::default() };
        assert_eq!(culprits(&seen(&change, How::Spinning)), []);
    }

    #[test]
    fn what_is_not_known_is_named_all_the_same() {
        let change = Change { seconds: 1.0, interrupts: vec![counted("XYZ", 1)], ..Change::default() };
        let culprits = culprits(&seen(&change, How::Spinning));
        assert!(culprits[0].name == "XYZ" && culprits[0].advice.contains("not known"));
    }
}
