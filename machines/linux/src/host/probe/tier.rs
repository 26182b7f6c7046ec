//! The tier that a machine would reach, what is missing for the next one, and the steps that change the host.

use super::finding::{Finding, Thing, Topic};
use super::steps::Forecasts;
use crate::host::tier::boot::boot_line;
use crate::host::tier::{Access, Caller, Means, Outcome, StepName, Tier};

const TIER: Thing = Thing::new(
    Topic::Tier,
    "tier",
    "The tier says what Linux still does on the programs' cores: everything, its own chores, or next to nothing.",
);
const CPUSET: Thing = Thing::new(
    Topic::Tier,
    "cpusets",
    "Cpusets keep other processes off the programs' cores while a machine runs.",
);
/// Steps whose findings belong here.
const STEPS: [(StepName, Thing); 3] = [
    (
        StepName::Interrupts,
        Thing::new(
            Topic::Tier,
            "interrupts",
            "Each interrupt of a device takes microseconds from the program below it.",
        ),
    ),
    (
        StepName::Workqueues,
        Thing::new(
            Topic::Tier,
            "kernel work",
            "Linux does work that it put off on any core that it may use.",
        ),
    ),
    (
        StepName::Watchdog,
        Thing::new(
            Topic::Tier,
            "watchdog",
            "The lock-up watchdog wakes each of its cores every few seconds.",
        ),
    ),
];

/// What decides the tier.
#[derive(Clone, Debug)]
pub(super) struct TierFacts {
    /// What there is to reach one.
    pub(super) means: Means,
    /// What comes of it.
    pub(super) forecasts: Forecasts,
}

pub(super) fn judge(facts: &TierFacts) -> Vec<Finding> {
    let steps = STEPS.iter().filter_map(|(name, thing)| facts.forecasts.finding(*name, *thing, ""));
    [tier(facts), cpuset(facts)].into_iter().chain(steps).collect()
}

fn tier(facts: &TierFacts) -> Finding {
    let Forecasts { own, root } = &facts.forecasts;
    let found = format!("{} on core {}", own.tier, own.programs);
    if own.tier == Tier::Booted {
        return TIER.pass(found);
    }
    if own.tier == Tier::Isolated {
        return TIER.warn(format!("{found}; for booted the boot line is missing"), boot_line(&own.programs));
    }
    let missing = |outcome: Option<&Outcome>| match outcome {
        Some(Outcome::Missing { why, remedy }) => (why.clone(), remedy.clone()),
        _ => ("what it needs".to_owned(), boot_line(&own.programs)),
    };
    let (why, remedy) = missing(own.outcome(StepName::Cores));
    if own == root || root.tier > Tier::Shared {
        let better = if root.tier > Tier::Shared { root.tier } else { Tier::Isolated };
        return TIER.warn(format!("{found}; for {better}: {why}"), remedy);
    }
    let (too, more) = missing(root.outcome(StepName::Cores));
    if (&why, &remedy) == (&too, &more) {
        return TIER.warn(format!("{found}; for isolated: {why}"), remedy);
    }
    TIER.warn(
        format!("{found}; for isolated: {why}, and to root, too: {too}"),
        format!("{remedy}; and {more}"),
    )
}

fn cpuset(facts: &TierFacts) -> Finding {
    let tree = match &facts.means.cpuset {
        Ok(tree) => tree,
        Err(error) => return CPUSET.warn(&error.why, &error.remedy),
    };
    let found = format!("version {} at {}", tree.version, tree.mount);
    match (&tree.obstacle, &tree.access) {
        (Some(obstacle), _) => CPUSET.warn(format!("{found}; {}", obstacle.why), &obstacle.remedy),
        (None, Access::Closed { why }) => CPUSET.warn(
            format!("{found}, closed to changes: {why}"),
            "in a container, give it a writable cgroup tree of the host; else isolate cores at boot",
        ),
        (None, Access::Hidden) if facts.means.rights.caller == Caller::Ordinary => {
            CPUSET.pass(format!("{found}; whether it takes changes, only root can see"))
        }
        (None, Access::Open | Access::Hidden) => CPUSET.pass(found),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;
    use crate::host::core_set::CoreSet;
    use crate::host::cores::{CoreRequest, Topology, choose};
    use crate::host::facts::KernelVersion;
    use crate::host::memory::LockMeans;
    use crate::host::quantity::ByteSize;
    use crate::host::tier::{CpusetMeans, Rights, forecast};

    fn facts(online: &str, isolated: &str, caller: Caller, access: Access) -> TierFacts {
        let set = |text| CoreSet::parse_list(text).unwrap();
        let topology = Topology {
            online: set(online),
            allowed: set(online),
            isolated: set(isolated),
            tickless: set(isolated),
        };
        let choice = choose(&CoreRequest::default(), &topology, CoreSet::from).unwrap();
        let means = Means {
            siblings: choice.programs.clone(),
            choice,
            topology,
            kernel: KernelVersion { major: 6, minor: 12 },
            cpuset: Ok(CpusetMeans {
                version: 2,
                mount: "/sys/fs/cgroup".to_owned(),
                access: access.clone(),
                obstacle: None,
            }),
            settings: vec![(StepName::Interrupts, access.clone())],
            absent: Vec::new(),
            idle: access.clone(),
            rights: Rights {
                caller,
                real_time: access,
                lock: LockMeans { limit: None, has_capability: false },
            },
        };
        let of = |caller| forecast(&means, caller, ByteSize(1 << 28));
        let forecasts = Forecasts { own: of(caller), root: of(Caller::Root) };
        TierFacts { means, forecasts }
    }

    fn judged(facts: &TierFacts) -> (Verdict, String, Option<String>) {
        let finding = judge(facts).remove(0);
        (finding.verdict, finding.found, finding.fix)
    }

    #[test]
    fn an_ordinary_user_is_told_that_root_is_what_is_missing() {
        let (verdict, found, fix) = judged(&facts("0-3", "", Caller::Ordinary, Access::Hidden));
        assert_eq!(verdict, Verdict::Warn);
        assert_eq!(found, "shared on core 3; for isolated: only root may change the host");
        assert_eq!(fix.unwrap(), "run as root (`sudo hallows …`)");
    }

    #[test]
    fn root_is_told_the_boot_line() {
        let (verdict, found, fix) = judged(&facts("0-3", "", Caller::Root, Access::Open));
        assert_eq!(
            (verdict, found.as_str()),
            (Verdict::Warn, "isolated on core 3; for booted the boot line is missing")
        );
        assert_eq!(fix.unwrap(), "boot Linux with `isolcpus=3 nohz_full=3 rcu_nocbs=3`");
    }

    #[test]
    fn roots_in_a_closed_container_are_told_so() {
        let closed = Access::Closed { why: "Read-only file system".to_owned() };
        let facts = facts("0-3", "", Caller::Root, closed);
        let (verdict, found, fix) = judged(&facts);
        assert_eq!(verdict, Verdict::Warn);
        assert!(
            found.starts_with("shared on core 3; for isolated: the cgroup tree at /sys/fs/cgroup"),
            "{found}"
        );
        assert!(fix.unwrap().contains("container"));
        assert!(judge(&facts)[1..].iter().all(|finding| finding.verdict == Verdict::Warn));
    }

    #[test]
    fn cores_of_the_boot_line_are_the_best_tier_for_everybody() {
        for caller in [Caller::Root, Caller::Ordinary] {
            let (verdict, found, _) = judged(&facts("0-3", "2-3", caller, Access::Hidden));
            assert_eq!((verdict, found.as_str()), (Verdict::Pass, "booted on core 2-3"));
        }
    }

    #[test]
    fn linuxs_only_core_cannot_be_taken() {
        let (_, found, fix) = judged(&facts("0", "", Caller::Root, Access::Open));
        assert!(found.contains("Linux must keep one"), "{found}");
        assert_eq!(fix.unwrap(), "give fewer with --cores");
    }
}
