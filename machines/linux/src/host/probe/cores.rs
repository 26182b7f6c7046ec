//! Cores: how many a machine could have, and how they hang together.

use super::finding::{Finding, Thing, Topic};
use crate::host::core_set::CoreSet;
use crate::host::cores::{CoreChoice, CoreError, Topology, TopologyError};

const CORES: Thing = Thing::new(
    Topic::Cores,
    "cores",
    "Programs want cores of their own, and the timekeeper one of Linux's beside them to keep time within microseconds.",
);
const NODES: Thing = Thing::new(
    Topic::Cores,
    "memory nodes",
    "A core reaches another node's memory more slowly, so a machine's cores should share one node.",
);
pub(super) const HARDWARE_THREADS: Thing = Thing::new(
    Topic::Cores,
    "hardware threads",
    "A hardware thread that stays with Linux slows the program beside it, and shares its caches with it.",
);
pub(super) const TICK: Thing = Thing::new(
    Topic::Cores,
    "boot line",
    "Only the boot line keeps Linux's periodic tick and its callbacks off a core: isolcpus=, nohz_full=, rcu_nocbs=.",
);

/// Why a machine can have no cores.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoCores {
    #[error(transparent)]
    Topology(#[from] TopologyError),
    #[error(transparent)]
    Choice(#[from] CoreError),
}

/// The cores of this host, and those that a machine would get.
#[derive(Clone, Debug)]
pub(super) struct CoresFacts {
    /// What the host has.
    pub(super) topology: Topology,
    /// What a machine gets that is not told otherwise.
    pub(super) choice: CoreChoice,
    /// The cores of each memory node.
    pub(super) nodes: Vec<(u32, CoreSet)>,
    /// Cores without callbacks (`rcu_nocbs=`).
    pub(super) no_callbacks: CoreSet,
}

impl CoresFacts {
    /// What the boot line says of cores, in a few words.
    pub(super) fn boot_line_in_words(&self) -> String {
        let words = |name: &str, cores: &CoreSet| {
            if cores.is_empty() { format!("no {name}") } else { format!("{name}={cores}") }
        };
        let Topology { isolated, tickless, .. } = &self.topology;
        let options = [("isolcpus", isolated), ("nohz_full", tickless), ("rcu_nocbs", &self.no_callbacks)];
        options.map(|(name, cores)| words(name, cores)).join(", ")
    }
}

pub(super) fn judge(facts: &Result<CoresFacts, NoCores>) -> Vec<Finding> {
    match facts {
        Ok(facts) => vec![cores(facts), nodes(facts)],
        Err(error @ NoCores::Topology(TopologyError::Affinity(_))) => {
            vec![CORES.fail(error.to_string(), "boot Linux with `nr_cpus=1024`")]
        }
        Err(error @ NoCores::Topology(_)) => {
            vec![CORES.fail(error.to_string(), "mount /sys: hallows reads there which cores there are")]
        }
        Err(error @ NoCores::Choice(_)) => vec![CORES.fail(
            error.to_string(),
            "give this process a core: `taskset`, cpuset.cpus of its control group, `--cpuset-cpus` of its container",
        )],
    }
}

fn cores(facts: &CoresFacts) -> Finding {
    let CoresFacts { topology: Topology { online, allowed, .. }, choice, .. } = facts;
    let closed = if allowed == online { String::new() } else { format!(", of {online} that are online") };
    let found = format!("{allowed}{closed}; programs on {} if not told otherwise", choice.programs);
    if allowed.len() > 1 {
        return CORES.pass(found);
    }
    let fix = if online.len() > 1 {
        "let this process use more of them (`taskset`, cpuset, container)"
    } else {
        "give this host another core; with one, quanta are at least 1 ms"
    };
    CORES.warn(format!("only {found}"), fix)
}

fn nodes(facts: &CoresFacts) -> Finding {
    let of_programs =
        facts.nodes.iter().filter(|(_, cores)| !cores.intersection(&facts.choice.programs).is_empty());
    let of_programs: Vec<_> = of_programs.collect();
    let all: Vec<_> = facts.nodes.iter().map(|(node, cores)| format!("node {node}: {cores}")).collect();
    match &of_programs[..] {
        [] => NODES.pass("one, or this kernel tells none"),
        [_] => NODES.pass(all.join("; ")),
        [(_, first), ..] => NODES.warn(
            format!("{}; programs' cores {} lie on several", all.join("; "), facts.choice.programs),
            format!("`hallows run --cores {} …`", first.intersection(&facts.choice.programs)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;
    use crate::host::cores::{CoreRequest, choose};

    fn set(text: &str) -> CoreSet {
        CoreSet::parse_list(text).unwrap()
    }

    fn facts(online: &str, allowed: &str, isolated: &str) -> Result<CoresFacts, NoCores> {
        let topology = Topology {
            online: set(online),
            allowed: set(allowed),
            isolated: set(isolated),
            tickless: CoreSet::new(),
        };
        let choice = choose(&CoreRequest::default(), &topology, CoreSet::from)?;
        let nodes = vec![(0, set("0-3")), (1, set("4-7"))];
        Ok(CoresFacts { topology, choice, nodes, no_callbacks: CoreSet::new() })
    }

    #[test]
    fn no_core_fails_one_warns_and_more_pass() {
        let verdict = |online, allowed| judge(&facts(online, allowed, ""))[0].verdict;
        assert_eq!(verdict("0-7", ""), Verdict::Fail);
        assert_eq!(verdict("0", "0"), Verdict::Warn);
        assert_eq!(verdict("0-7", "3"), Verdict::Warn);
        assert_eq!(verdict("0-7", "2-3"), Verdict::Pass);
    }

    #[test]
    fn programs_across_nodes_are_told_which_cores_share_one() {
        let nodes = judge(&facts("0-7", "0-7", "2-5")).remove(1);
        assert_eq!(nodes.verdict, Verdict::Warn);
        assert_eq!(nodes.fix.unwrap(), "`hallows run --cores 2-3 …`");
        assert_eq!(judge(&facts("0-7", "0-7", "4-5"))[1].verdict, Verdict::Pass);
    }

    #[test]
    fn the_boot_line_is_told_option_by_option() {
        let facts = facts("0-7", "0-7", "2-3").unwrap();
        assert_eq!(facts.boot_line_in_words(), "isolcpus=2-3, no nohz_full, no rcu_nocbs");
    }
}
