//! Takes cores out of Linux's scheduling through the cpuset tree, in whichever version the host has.
//!
//! Version 2 has a name for it: a group whose `cpuset.cpus.partition` is `isolated`. Version 1 needs three things: an
//! exclusive set with the cores and `sched_load_balance` off, the same switch off in the root set, and a set with the
//! other cores that takes in everything else that runs.

use std::path::{Path, PathBuf};

use super::cpuset_v1::Version1;
use super::cpuset_v2::{self, Version2};
use super::journal::{Claim, Journal, MovedThread};
use crate::host::core_set::CoreSet;
use crate::host::facts::KernelVersion;
use crate::host::files::{FileError, read_all};
use crate::host::process_id::{ProcessId, Stat};

/// Prefix of every group that this program makes, so that left-over ones can be found.
pub(super) const GROUP_PREFIX: &str = "hallows-";

/// How a cpuset gives a machine its cores.
pub(super) const ISOLATED: &str = "a cpuset of their own, out of load balancing";

/// Why cores could not be isolated by a cpuset, and what would change that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpusetError {
    /// The reason.
    pub why: String,
    /// What to do.
    pub remedy: String,
}

impl CpusetError {
    pub(super) fn new(why: impl ToString, remedy: impl Into<String>) -> Self {
        Self { why: why.to_string(), remedy: remedy.into() }
    }
}

impl From<FileError> for CpusetError {
    fn from(error: FileError) -> Self {
        Self::new(
            error,
            "in a container, give it a writable cgroup tree of the host; else choose other cores or isolate them at boot",
        )
    }
}

/// Writes a record of what is about to happen to the journal.
pub(super) type Record<'a> = dyn FnMut(&mut Journal) -> Result<(), FileError> + 'a;

/// The cpuset tree of this host.
#[derive(Clone, Debug)]
pub enum CpusetTree {
    /// The `cpuset` hierarchy of cgroup version 1.
    V1(Version1),
    /// The unified hierarchy, with the cpuset controller.
    V2(Version2),
}

impl CpusetTree {
    /// Finds it among the mounts (proc_pid_mountinfo(5)).
    ///
    /// # Errors
    /// When there is none.
    pub fn find(root: &Path) -> Result<Self, CpusetError> {
        let mounts = read_all(&root.join("proc/self/mountinfo"))?;
        let below = |mount: PathBuf| root.join(mount.strip_prefix("/").unwrap_or(&mount));
        if let Some(mount) = find_mount(&mounts, "cgroup", "cpuset").map(below) {
            return Ok(Self::V1(Version1::at(mount)));
        }
        if let Some(mount) = find_mount(&mounts, "cgroup2", "").map(below) {
            let controllers = read_all(&mount.join("cgroup.controllers"))?;
            if controllers.split_whitespace().any(|controller| controller == "cpuset") {
                return Ok(Self::V2(Version2::at(mount)));
            }
        }
        Err(CpusetError::new(
            "no mounted cgroup tree has the cpuset controller",
            "mount one: `mount -t cgroup2 none /sys/fs/cgroup`",
        ))
    }

    /// What is known to keep it from isolating these cores, as far as that shows without a change.
    pub(super) fn obstacle(&self, cores: &CoreSet, kernel: KernelVersion) -> Option<CpusetError> {
        match self {
            Self::V1(tree) => tree.sharer_of(cores),
            Self::V2(_) => (!kernel.has_isolated_partitions()).then(|| {
                CpusetError::new(
                    "this kernel's cpusets know no isolated partitions",
                    cpuset_v2::NEEDS_PARTITIONS,
                )
            }),
        }
    }

    /// Its version and where it is mounted.
    pub(super) fn place(&self) -> (u32, &Path) {
        match self {
            Self::V1(tree) => (1, tree.mount()),
            Self::V2(tree) => (2, tree.mount()),
        }
    }

    /// Makes the tree agree with the journal's claims, except that `machine`, which is just starting, is not moved yet.
    /// Restores the tree when no claim wants a cpuset.
    pub(super) fn reconcile(
        &self,
        journal: &mut Journal,
        record: &mut Record<'_>,
        machine: Option<i32>,
    ) -> Result<(), CpusetError> {
        match self {
            Self::V1(tree) => tree.reconcile(journal, record, machine),
            Self::V2(tree) => tree.reconcile(journal, record),
        }
    }

    /// Lets a process that has just started use the cores of all groups, until its threads are placed.
    pub(super) fn free(&self, process: i32) -> Result<(), FileError> {
        match self {
            Self::V1(tree) => tree.free(process),
            Self::V2(tree) => tree.free(process),
        }
    }

    /// Moves a thread to the isolated cores of a claim.
    pub(super) fn enter(&self, claim: &Claim, thread: i32) -> Result<(), FileError> {
        match self {
            Self::V1(tree) => tree.enter(claim, thread),
            Self::V2(tree) => tree.enter(claim, thread),
        }
    }

    /// Moves a thread that was moved to isolated cores back to Linux's.
    pub(super) fn take_back(&self, thread: i32) -> Result<(), FileError> {
        match self {
            Self::V1(tree) => tree.leave(thread),
            Self::V2(tree) => tree.take_back(thread),
        }
    }

    /// Moves a thread to Linux's cores.
    pub(super) fn leave(&self, thread: i32) -> Result<(), FileError> {
        match self {
            Self::V1(tree) => tree.leave(thread),
            // In version 2 being outside the isolated group is enough.
            Self::V2(_) => Ok(()),
        }
    }
}

/// Mount point of the first mount of a type whose options name a controller (any, when it is empty).
fn find_mount(mountinfo: &str, kind: &str, controller: &str) -> Option<PathBuf> {
    mountinfo.lines().find_map(|line| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut filesystem = filesystem.split(' ');
        let (actual, options) = (filesystem.next()?, filesystem.nth(1).unwrap_or_default());
        let has_controller = controller.is_empty() || options.split(',').any(|option| option == controller);
        (actual == kind && has_controller).then(|| PathBuf::from(mount.split(' ').nth(4).unwrap_or_default()))
    })
}

/// Name of a claim's group.
pub(super) fn group_of(claim: &Claim) -> String {
    format!("{GROUP_PREFIX}{}", claim.parent.pid)
}

/// Pid of the machine's parent that a group's name tells; `None` for groups of others.
pub(crate) fn machine_of_group(name: &str) -> Option<i32> {
    name.strip_prefix(GROUP_PREFIX)?.parse().ok()
}

/// Groups in a tree that carry our prefix and a pid but belong to no claim: their machines are gone.
pub(super) fn orphaned_groups(mount: &Path, claims: &[Claim]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(mount).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            entry
                .file_name()
                .to_str()
                .and_then(machine_of_group)
                .is_some_and(|pid| !claims.iter().any(|claim| claim.wants_cpuset && claim.parent.pid == pid))
        })
        .map(|entry| entry.path())
        .collect()
}

/// Affinity of a thread; `None` when it has ended.
pub(super) fn affinity_of(thread: i32) -> Option<CoreSet> {
    let thread = rustix::thread::Pid::from_raw(thread)?;
    rustix::thread::sched_getaffinity(Some(thread)).ok().map(|affinity| CoreSet::from_cpu_set(&affinity))
}

/// Gives a thread the affinity that it had, as far as that is not `claimed`, if it still is that thread.
pub(super) fn restore_affinity(moved: &MovedThread, claimed: &CoreSet) {
    let wanted = moved.affinity.without(claimed);
    if let Some(thread) = rustix::thread::Pid::from_raw(moved.thread.pid)
        && !wanted.is_empty()
        && moved.thread.is_alive()
        && affinity_of(moved.thread.pid).is_some_and(|affinity| affinity != wanted)
    {
        // It may refuse (a kernel thread bound for good) or end just now; both leave nothing to restore.
        let _ = rustix::thread::sched_setaffinity(Some(thread), &wanted.to_cpu_set());
    }
}

/// The kernel's mark of threads that are bound to their cores for good (`PF_NO_SETAFFINITY`, include/linux/sched.h).
const BOUND_FOR_GOOD: u64 = 0x0400_0000;

/// A thread that may not run on all cores of a set.
pub(super) struct NarrowThread {
    pub(super) thread: ProcessId,
    pub(super) affinity: CoreSet,
    pub(super) is_bound: bool,
}

/// A thread, if it may not run on all of `cores`.
pub(super) fn narrow_thread(thread: i32, cores: &CoreSet) -> Option<NarrowThread> {
    let affinity = affinity_of(thread)?;
    if cores.is_subset(&affinity) {
        return None;
    }
    let stat = Stat::read(thread)?;
    let is_bound = stat.flags & BOUND_FOR_GOOD != 0;
    Some(NarrowThread {
        thread: ProcessId { pid: thread, start_ticks: stat.start_ticks },
        affinity,
        is_bound,
    })
}

/// Notes affinities that are about to be overridden.
pub(super) fn note_affinities(
    journal: &mut Journal,
    record: &mut Record<'_>,
    narrow: Vec<NarrowThread>,
) -> Result<(), FileError> {
    let known = journal.moved_threads.len();
    for NarrowThread { thread, affinity, is_bound } in narrow {
        if !is_bound && !journal.moved_threads.iter().any(|moved| moved.thread == thread) {
            journal.moved_threads.push(MovedThread { thread, affinity });
        }
    }
    if journal.moved_threads.len() > known { record(journal) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
24 1 0:22 / /sys rw,nosuid - sysfs sysfs rw\n\
30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
31 24 0:27 / /sys/fs/cgroup/cpuset rw shared:10 - cgroup cgroup rw,cpuset\n\
32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn mounts_are_found_by_type_and_controller() {
        assert_eq!(find_mount(MOUNTS, "cgroup", "cpuset"), Some("/sys/fs/cgroup/cpuset".into()));
        assert_eq!(find_mount(MOUNTS, "cgroup", "cpu"), Some("/sys/fs/cgroup/cpu,cpuacct".into()));
        assert_eq!(find_mount(MOUNTS, "cgroup2", ""), Some("/sys/fs/cgroup/unified".into()));
        assert_eq!(find_mount(MOUNTS, "cgroup", "memory"), None);
    }

    #[test]
    fn only_groups_of_dead_machines_are_orphans() {
        use crate::host::test_support::Scratch;
        let scratch = Scratch::new("orphans");
        for name in ["hallows-1", "hallows-2", "hallows-linux", "other-3"] {
            std::fs::create_dir(scratch.path().join(name)).unwrap();
        }
        let claim = Claim {
            parent: ProcessId { pid: 2, start_ticks: 0 },
            machine: None,
            cores: CoreSet::new(),
            wants_cpuset: true,
        };
        assert_eq!(orphaned_groups(scratch.path(), &[claim]), [scratch.path().join("hallows-1")]);
    }
}
