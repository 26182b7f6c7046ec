//! Steps that only the boot line or the choice of cores can take: isolation at boot, the tick, sibling threads.

use super::report::{Outcome, StepName, TierReport};
use crate::host::core_set::{CoreId, CoreSet};
use crate::host::cores::Topology;

/// Whether the boot line isolated all of the programs' cores.
pub fn is_booted(programs: &CoreSet, topology: &Topology) -> bool {
    programs.is_subset(&topology.isolated)
}

/// What to do for cores that Linux leaves alone from the start.
pub fn boot_line(programs: &CoreSet) -> String {
    format!("boot Linux with `isolcpus={programs} nohz_full={programs} rcu_nocbs={programs}`")
}

/// Records what the boot line and the choice of cores give.
pub(super) fn record(report: &mut TierReport, topology: &Topology, siblings: impl Fn(CoreId) -> CoreSet) {
    let programs = report.programs.clone();
    if is_booted(&programs, topology) {
        report.set(StepName::Cores, Outcome::done("isolcpus= of the boot line"));
    }
    let ticking = programs.without(&topology.tickless);
    let tick = if ticking.is_empty() {
        Outcome::done("nohz_full= of the boot line")
    } else {
        Outcome::missing(
            format!("the kernel's periodic tick interrupts core {ticking}"),
            boot_line(&programs),
        )
    };
    report.set(StepName::Tick, tick);
    let beside =
        programs.iter().fold(CoreSet::new(), |all, core| all.union(&siblings(core))).without(&programs);
    let siblings = if beside.is_empty() {
        Outcome::not_needed("no other hardware thread shares these cores")
    } else {
        Outcome::missing(
            format!("hardware threads {beside} share the programs' cores and stay with Linux"),
            format!("give them too: `--cores {}`", programs.union(&beside)),
        )
    };
    report.set(StepName::Siblings, siblings);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::tier::report::Tier;

    fn set(text: &str) -> CoreSet {
        CoreSet::parse_list(text).unwrap()
    }

    fn recorded(isolated: &str, tickless: &str, siblings: impl Fn(CoreId) -> CoreSet) -> TierReport {
        let mut report = TierReport {
            tier: Tier::Shared,
            programs: set("2-3"),
            housekeeping: set("0"),
            steps: Vec::new(),
            took_ns: 0,
        };
        let topology = Topology {
            online: set("0-3"),
            allowed: set("0-3"),
            isolated: set(isolated),
            tickless: set(tickless),
        };
        record(&mut report, &topology, siblings);
        report
    }

    #[test]
    fn a_boot_line_that_covers_all_cores_counts_and_one_that_does_not_is_named() {
        let full = recorded("2-3", "2-3", CoreSet::from);
        assert!(matches!(full.outcome(StepName::Cores), Some(Outcome::Done { .. })));
        assert!(matches!(full.outcome(StepName::Tick), Some(Outcome::Done { .. })));
        let part = recorded("2", "2", CoreSet::from);
        assert_eq!(part.outcome(StepName::Cores), None);
        let Some(Outcome::Missing { why, remedy }) = part.outcome(StepName::Tick) else { panic!("{part:?}") };
        assert!(why.ends_with("core 3") && remedy.contains("nohz_full=2-3"), "{why} {remedy}");
    }

    #[test]
    fn siblings_that_stay_with_linux_are_named() {
        let report = recorded("", "", |core| CoreSet::from_iter([core, CoreId((core.0 + 2) % 4)]));
        let Some(Outcome::Missing { remedy, .. }) = report.outcome(StepName::Siblings) else {
            panic!("{report:?}")
        };
        assert_eq!(remedy, "give them too: `--cores 0-3`");
    }
}
