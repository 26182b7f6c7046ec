//! Clocks and timers: what reading the time costs, and how late a timer is.

use super::finding::{Finding, Thing, Topic};
use crate::host::timer::clock::TSC_SOURCES;

const COUNTER: Thing = Thing::new(
    Topic::Time,
    "counter",
    "With a time-stamp counter of one rate a machine reads the time without asking the kernel.",
);
const CLOCK_SOURCE: Thing = Thing::new(
    Topic::Time,
    "clock source",
    "A kernel that does not trust the counter answers with a slow device, and a machine then asks it each time.",
);
const CLOCK_COST: Thing = Thing::new(
    Topic::Time,
    "clock_gettime",
    "Where the time costs a system call, every deadline and every measurement pays it.",
);
const TIMERS: Thing = Thing::new(
    Topic::Time,
    "timers",
    "Without high-resolution timers a sleeping timekeeper wakes at the next tick, milliseconds late.",
);
const SLACK: Thing = Thing::new(
    Topic::Time,
    "timer slack",
    "Linux wakes ordinary threads late by this much; a machine's threads ask for 1 ns.",
);

/// Above this, reading the clock is a system call: the fast way takes 20 to 50 ns, a call at least 70 and with a device below it far more.
const FAST_NS: u64 = 150;
/// Coarsest resolution that still is of a high-resolution timer; the tick of any kernel is a million.
const FINE_NS: u64 = 1_000;

/// Clocks and timers.
#[derive(Clone, Debug)]
pub(super) struct TimeFacts {
    /// Whether the processor says that its counter runs at one rate always.
    pub(super) has_invariant_tsc: bool,
    /// Whether Linux runs in a virtual machine.
    pub(super) is_virtual: bool,
    /// The kernel's clock source.
    pub(super) source: Option<String>,
    /// Those that it could use.
    pub(super) sources: Vec<String>,
    /// What one `clock_gettime` costs, measured, in nanoseconds.
    pub(super) clock_cost_ns: u64,
    /// Resolution of timers, in nanoseconds.
    pub(super) resolution_ns: u64,
    /// Devices that make timer interrupts.
    pub(super) devices: Vec<String>,
    /// How late Linux may wake this process's threads, in nanoseconds.
    pub(super) slack_ns: Option<u64>,
}

pub(super) fn judge(facts: &TimeFacts) -> Vec<Finding> {
    vec![counter(facts), source(facts), cost(facts), timers(facts), slack(facts)]
}

fn counter(facts: &TimeFacts) -> Finding {
    match (facts.has_invariant_tsc, facts.is_virtual) {
        (true, _) => COUNTER.pass("invariant TSC"),
        (false, true) => COUNTER.warn(
            "no invariant TSC",
            "have the hypervisor show it (QEMU: `-cpu host,+invtsc,migratable=no`)",
        ),
        (false, false) => COUNTER.warn("no invariant TSC", "use a processor from 2009 or later"),
    }
}

fn source(facts: &TimeFacts) -> Finding {
    let Some(source) = &facts.source else {
        return CLOCK_SOURCE
            .warn("/sys does not say", "mount /sys: hallows reads there what the kernel uses");
    };
    if TSC_SOURCES.contains(&source.as_str()) {
        return CLOCK_SOURCE.pass(source);
    }
    let better = TSC_SOURCES.iter().find(|known| facts.sources.iter().any(|source| source == *known));
    let fix = match better {
        Some(better) => {
            format!(
                "echo {better} | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource"
            )
        }
        None => "boot Linux with `tsc=reliable`, if the kernel log does not say why it gave the counter up"
            .to_owned(),
    };
    CLOCK_SOURCE.warn(source, fix)
}

fn cost(facts: &TimeFacts) -> Finding {
    let found = format!("{} ns", facts.clock_cost_ns);
    if facts.clock_cost_ns <= FAST_NS {
        CLOCK_COST.pass(found)
    } else {
        CLOCK_COST.warn(
            format!("{found}: a system call, or a busy host"),
            "see the clock source; measure again when nothing else runs",
        )
    }
}

fn timers(facts: &TimeFacts) -> Finding {
    let devices =
        if facts.devices.is_empty() { String::new() } else { format!(" by {}", facts.devices.join(", ")) };
    let found = format!("resolution {} ns{devices}", facts.resolution_ns);
    if facts.resolution_ns <= FINE_NS {
        TIMERS.pass(found)
    } else {
        TIMERS.warn(found, "boot Linux without `highres=off`, or a kernel with CONFIG_HIGH_RES_TIMERS")
    }
}

fn slack(facts: &TimeFacts) -> Finding {
    match facts.slack_ns {
        Some(slack) => SLACK.pass(format!("{slack} ns for this process")),
        None => SLACK.pass("the kernel does not say"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts() -> TimeFacts {
        TimeFacts {
            has_invariant_tsc: true,
            is_virtual: false,
            source: Some("tsc".to_owned()),
            sources: vec!["tsc".to_owned(), "hpet".to_owned()],
            clock_cost_ns: 25,
            resolution_ns: 1,
            devices: vec!["lapic-deadline".to_owned()],
            slack_ns: Some(50_000),
        }
    }

    #[test]
    fn a_good_clock_passes() {
        assert!(judge(&facts()).iter().all(|finding| finding.verdict == Verdict::Pass));
    }

    #[test]
    fn a_clock_on_a_device_is_told_how_to_get_back_to_the_counter() {
        let hpet = TimeFacts { source: Some("hpet".to_owned()), clock_cost_ns: 1_400, ..facts() };
        let found = judge(&hpet);
        assert_eq!([found[1].verdict, found[2].verdict], [Verdict::Warn, Verdict::Warn]);
        assert!(found[1].fix.as_ref().unwrap().starts_with("echo tsc |"));
        let lost = TimeFacts { sources: vec!["hpet".to_owned()], ..hpet };
        assert!(judge(&lost)[1].fix.as_ref().unwrap().contains("tsc=reliable"));
    }

    #[test]
    fn timers_of_a_tick_and_a_counter_that_changes_its_rate_are_told() {
        let old = TimeFacts { has_invariant_tsc: false, resolution_ns: 4_000_000, ..facts() };
        let found = judge(&old);
        assert_eq!([found[0].verdict, found[3].verdict], [Verdict::Warn, Verdict::Warn]);
    }
}
