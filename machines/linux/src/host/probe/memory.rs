//! Memory: how much there is for a machine, and how Linux hands it out.

use super::finding::{Finding, Thing, Topic};
use crate::host::memory::Available;
use crate::host::quantity::ByteSize;

const AMOUNT: Thing = Thing::new(
    Topic::Memory,
    "available",
    "A machine takes its whole budget from Linux in the background, so it must be there.",
);
const ADDRESS_SPACE: Thing = Thing::new(
    Topic::Memory,
    "address space",
    "A machine reserves terabytes of address space, of which it touches little.",
);
const OVERCOMMIT: Thing = Thing::new(
    Topic::Memory,
    "overcommit",
    "Where Linux counts every promise, memory that is reserved and not used may be refused.",
);
const HUGE_PAGES: Thing = Thing::new(
    Topic::Memory,
    "huge pages",
    "Devices driven by programs will want buffers in huge pages; nothing uses them yet.",
);
const TRANSPARENT: Thing = Thing::new(
    Topic::Memory,
    "transparent huge",
    "The first touch of a huge page zeroes 2 MiB, which is longer than a quantum, so programs' memory asks for none.",
);
pub(super) const LOCKED: Thing = Thing::new(
    Topic::Memory,
    "locked",
    "Memory that is not locked may be swapped out or moved while a program runs.",
);

/// Less than this and no example runs: the supervisor has 4 MiB, and the machine's own threads and code need as much again.
const LEAST: ByteSize = ByteSize(16 << 20);

/// What a process can address with four levels of page tables. A machine reserves more than half of it, so a limit below this is too low.
const ALL_ADDRESSES: ByteSize = ByteSize(1 << 47);

/// A pool of huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HugePool {
    /// Size of a page.
    pub(super) page: ByteSize,
    /// Pages that were set aside.
    pub(super) total: u64,
    /// Those that nobody has.
    pub(super) free: u64,
}

/// Memory, as a machine asks for it.
#[derive(Clone, Debug)]
pub(super) struct MemoryFacts {
    /// What there is, or why that cannot be read.
    pub(super) available: Result<Available, String>,
    /// The budget that a machine has without `--memory`.
    pub(super) budget: ByteSize,
    /// RLIMIT_AS; `None` without a limit.
    pub(super) address_space: Option<ByteSize>,
    /// `vm.overcommit_memory`.
    pub(super) overcommit: Option<u64>,
    /// Pools of huge pages.
    pub(super) pools: Vec<HugePool>,
    /// Whether programs get transparent huge pages: `always`, `madvise` or `never`.
    pub(super) transparent: Option<String>,
}

pub(super) fn judge(facts: &MemoryFacts) -> Vec<Finding> {
    vec![amount(facts), address_space(facts), overcommit(facts), huge_pages(facts), transparent(facts)]
}

fn amount(facts: &MemoryFacts) -> Finding {
    let available = match &facts.available {
        Ok(available) => available,
        Err(error) => return AMOUNT.fail(error, "mount /proc: hallows reads there what Linux has"),
    };
    let most = available.most();
    let found = match &available.group {
        Some((left, file)) if *left < available.host => {
            format!("{left} by the control group limit {}, {} on the host", file.display(), available.host)
        }
        _ => format!("{most}"),
    };
    let free = if most < available.host { "raise that limit" } else { "free some, or add some" };
    if most < LEAST {
        return AMOUNT.fail(found, format!("{free}: a machine needs at least {LEAST}"));
    }
    match available.check(facts.budget) {
        Ok(()) => AMOUNT.pass(found),
        Err(_) => AMOUNT.warn(
            format!("{found}; a machine has {} if not told otherwise", facts.budget),
            format!("{free}, or ask for less: `hallows run --memory {}M …`", (most.0 >> 20) / 2),
        ),
    }
}

fn address_space(facts: &MemoryFacts) -> Finding {
    match facts.address_space.filter(|limit| *limit < ALL_ADDRESSES) {
        None => ADDRESS_SPACE.pass("no limit"),
        Some(limit) => {
            ADDRESS_SPACE.fail(format!("RLIMIT_AS is {limit}"), "`ulimit -v unlimited` before the start")
        }
    }
}

fn overcommit(facts: &MemoryFacts) -> Finding {
    match facts.overcommit {
        Some(2) => OVERCOMMIT.warn("vm.overcommit_memory = 2", "sudo sysctl vm.overcommit_memory=0"),
        Some(mode) => OVERCOMMIT.pass(format!("vm.overcommit_memory = {mode}")),
        None => {
            OVERCOMMIT.pass("vm.overcommit_memory cannot be read; Linux's default lets memory be reserved")
        }
    }
}

fn huge_pages(facts: &MemoryFacts) -> Finding {
    let pools: Vec<_> = facts
        .pools
        .iter()
        .map(|pool| format!("{}: {} of {} free", pool.page, pool.free, pool.total))
        .collect();
    if facts.pools.is_empty() {
        return HUGE_PAGES
            .warn("this kernel has none", "boot a kernel with CONFIG_HUGETLBFS, if devices shall be used");
    }
    if facts.pools.iter().any(|pool| pool.free > 0) {
        return HUGE_PAGES.pass(pools.join(", "));
    }
    HUGE_PAGES.warn(
        pools.join(", "),
        "sudo sysctl vm.nr_hugepages=64 (2 MiB each); for pages of 1 GiB boot with `hugepagesz=1G hugepages=1`",
    )
}

fn transparent(facts: &MemoryFacts) -> Finding {
    TRANSPARENT.pass(facts.transparent.as_deref().unwrap_or("this kernel has none"))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn facts(host: u64, group: Option<u64>) -> MemoryFacts {
        let group = group.map(|left| (ByteSize(left), "/sys/fs/cgroup/x/memory.max".into()));
        MemoryFacts {
            available: Ok(Available { host: ByteSize(host), group }),
            budget: ByteSize(256 << 20),
            address_space: None,
            overcommit: Some(0),
            pools: vec![HugePool { page: ByteSize(2 << 20), total: 4, free: 0 }],
            transparent: Some("madvise".to_owned()),
        }
    }

    fn verdicts(facts: &MemoryFacts) -> Vec<Verdict> {
        judge(facts).iter().map(|finding| finding.verdict).collect()
    }

    #[test]
    fn too_little_memory_fails_and_less_than_the_default_warns_with_what_to_ask_for() {
        assert_eq!(verdicts(&facts(8 << 20, None))[0], Verdict::Fail);
        let little = judge(&facts(8 << 30, Some(100 << 20))).remove(0);
        assert_eq!(little.verdict, Verdict::Warn);
        assert!(little.found.contains("/sys/fs/cgroup/x/memory.max"), "{little:?}");
        assert!(little.fix.unwrap().contains("--memory 50M"));
        assert_eq!(verdicts(&facts(8 << 30, None))[0], Verdict::Pass);
    }

    #[test]
    fn a_limit_of_the_address_space_fails_and_strict_overcommit_warns() {
        let unlimited = MemoryFacts { address_space: Some(ALL_ADDRESSES), ..facts(8 << 30, None) };
        assert_eq!(verdicts(&unlimited)[1], Verdict::Pass);
        let limited = MemoryFacts {
            address_space: Some(ByteSize(8 << 30)),
            overcommit: Some(2),
            ..facts(8 << 30, None)
        };
        assert_eq!(verdicts(&limited)[1..3], [Verdict::Fail, Verdict::Warn]);
    }

    #[test]
    fn huge_pages_count_only_when_some_are_free() {
        let mut facts = facts(8 << 30, None);
        assert_eq!(verdicts(&facts)[3], Verdict::Warn);
        facts.pools[0].free = 1;
        assert_eq!(verdicts(&facts)[3], Verdict::Pass);
    }
}
