//! Isolation by the `cpuset` hierarchy of cgroup version 1 (kernel documentation: cgroup-v1/cpusets.rst).
//!
//! Tree while machines run: `/` without load balancing; `/hallows-linux` with Linux's cores and everything that runs
//! on them; `/hallows-PID` with a machine's cores, exclusive and without load balancing.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::cpuset::{
    CpusetError, GROUP_PREFIX, Record, group_of, narrow_thread, note_affinities, orphaned_groups,
    restore_affinity,
};
use super::journal::{Claim, CpusetChanges, Journal};
use crate::host::core_set::CoreSet;
use crate::host::files::{FileError, read_all, read_short, write_short};
use crate::host::process_id::threads_of;

/// The tree.
#[derive(Clone, Debug)]
pub struct Version1 {
    mount: PathBuf,
}

/// Rounds of moving what runs to Linux's cores. A round misses what is forked during it and what is just ending; the
/// former is caught by the next round, the latter is gone soon.
const MOVING_ROUNDS: usize = 8;
/// How long ending threads may keep a set alive. Freeing the memory of a large process takes a good part of a second
/// on a busy host. What is not removed then stays in the journal, for the next start.
const REMOVAL_PATIENCE: Duration = Duration::from_secs(5);
/// Pause between two looks: short beside the time that anybody waits for, long beside what a look costs.
const REMOVAL_PAUSE: Duration = Duration::from_millis(1);

impl Version1 {
    pub(super) fn at(mount: PathBuf) -> Self {
        Self { mount }
    }

    pub(super) fn mount(&self) -> &Path {
        &self.mount
    }

    fn linux_group(&self) -> PathBuf {
        self.mount.join(format!("{GROUP_PREFIX}linux"))
    }

    pub(super) fn reconcile(
        &self,
        journal: &mut Journal,
        record: &mut Record<'_>,
        machine: Option<i32>,
    ) -> Result<(), CpusetError> {
        let claims: Vec<_> = journal.claims.iter().filter(|claim| claim.wants_cpuset).cloned().collect();
        if claims.is_empty() {
            return self.restore(journal, record);
        }
        self.note_changes(journal, record)?;
        // Sets of machines that are gone go first: an exclusive set's cores cannot be in another set.
        self.remove_orphans(&claims)?;
        let claimed = claims.iter().fold(CoreSet::new(), |all, claim| all.union(&claim.cores));
        let all = self.cores_of(&self.mount)?;
        self.make_group(&self.linux_group(), &all.without(&claimed))?;
        for claim in &claims {
            self.make_claim_group(claim)?;
        }
        write_short(&self.mount.join("cpuset.sched_load_balance"), "0")?;
        self.move_everything(journal, record, machine, &all)?;
        journal.moved_threads.iter().for_each(|moved| restore_affinity(moved, &claimed));
        Ok(())
    }

    fn note_changes(&self, journal: &mut Journal, record: &mut Record<'_>) -> Result<(), FileError> {
        if journal.cpusets.is_none() {
            let original = read_short(&self.mount.join("cpuset.sched_load_balance"))?;
            journal.cpusets =
                Some(CpusetChanges { root_load_balance: Some(original), ..CpusetChanges::default() });
            record(journal)?;
        }
        Ok(())
    }

    fn cores_of(&self, group: &Path) -> Result<CoreSet, CpusetError> {
        let text = read_short(&group.join("cpuset.cpus"))?;
        CoreSet::parse_list(&text).map_err(|error| CpusetError::new(error, "look at this file"))
    }

    /// Makes a set, or gives an existing one these cores. Memory nodes are those of the root set.
    fn make_group(&self, group: &Path, cores: &CoreSet) -> Result<(), CpusetError> {
        match std::fs::create_dir(group) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(FileError::new("make the cpuset", group, error).into());
            }
            _ => {}
        }
        write_short(&group.join("cpuset.mems"), &read_short(&self.mount.join("cpuset.mems"))?)?;
        write_short(&group.join("cpuset.cpus"), &cores.to_string())?;
        Ok(())
    }

    fn make_claim_group(&self, claim: &Claim) -> Result<(), CpusetError> {
        let group = self.mount.join(group_of(claim));
        if group.exists() {
            return Ok(());
        }
        self.make_group(&group, &claim.cores)?;
        let exclusive = write_short(&group.join("cpuset.cpu_exclusive"), "1");
        exclusive.map_err(|error| self.sharer_of(&claim.cores).unwrap_or_else(|| error.into()))?;
        write_short(&group.join("cpuset.sched_load_balance"), "0")?;
        Ok(())
    }

    /// Whether somebody else's set has one of the cores: then they cannot be exclusive.
    pub(super) fn sharer_of(&self, cores: &CoreSet) -> Option<CpusetError> {
        let entries = std::fs::read_dir(&self.mount).ok()?.flatten().map(|entry| entry.path());
        let other = entries.filter(|path| path.is_dir()).find(|group| {
            let is_ours =
                group.file_name().is_some_and(|name| name.to_string_lossy().starts_with(GROUP_PREFIX));
            !is_ours && self.cores_of(group).is_ok_and(|others| !others.intersection(cores).is_empty())
        })?;
        Some(CpusetError::new(
            format!("the cpuset {} also has these cores", other.display()),
            "take them out of it (its file cpuset.cpus), or choose others with --cores",
        ))
    }

    /// Moves everything that can be moved from the root set to Linux's cores, noting affinities before.
    fn move_everything(
        &self,
        journal: &mut Journal,
        record: &mut Record<'_>,
        machine: Option<i32>,
        all: &CoreSet,
    ) -> Result<(), CpusetError> {
        let starting: BTreeSet<i32> = machine.map(threads_of).unwrap_or_default().into_iter().collect();
        let mut immovable = BTreeSet::new();
        for _ in 0..MOVING_ROUNDS {
            let mut waiting: Vec<_> = self
                .threads_in(&self.mount)?
                .into_iter()
                .filter(|thread| !starting.contains(thread) && !immovable.contains(thread))
                .collect();
            let narrow: Vec<_> = waiting.iter().filter_map(|thread| narrow_thread(*thread, all)).collect();
            let bound =
                |thread: &i32| narrow.iter().any(|narrow| narrow.thread.pid == *thread && narrow.is_bound);
            immovable.extend(waiting.iter().copied().filter(bound));
            waiting.retain(|thread| !immovable.contains(thread));
            if waiting.is_empty() {
                return Ok(());
            }
            note_affinities(journal, record, narrow)?;
            for thread in waiting {
                if self.leave(thread).is_err() {
                    // Bound for good, or ended.
                    immovable.insert(thread);
                }
            }
        }
        Ok(())
    }

    fn threads_in(&self, group: &Path) -> Result<Vec<i32>, FileError> {
        let text = read_all(&group.join("tasks"))?;
        Ok(text.lines().filter_map(|line| line.parse().ok()).collect())
    }

    fn remove_orphans(&self, claims: &[Claim]) -> Result<(), CpusetError> {
        orphaned_groups(&self.mount, claims).iter().try_for_each(|group| self.empty_and_remove(group))
    }

    fn restore(&self, journal: &mut Journal, record: &mut Record<'_>) -> Result<(), CpusetError> {
        let Some(changes) = journal.cpusets.clone() else { return Ok(()) };
        self.remove_orphans(&[])?;
        if let Some(original) = changes.root_load_balance {
            write_short(&self.mount.join("cpuset.sched_load_balance"), &original)?;
        }
        let linux = self.linux_group();
        if linux.exists() {
            self.note_own_affinities(journal, record, &linux)?;
            self.empty_and_remove(&linux)?;
        }
        let none = CoreSet::new();
        journal.moved_threads.iter().for_each(|moved| restore_affinity(moved, &none));
        journal.moved_threads.clear();
        journal.cpusets = None;
        Ok(())
    }

    /// Notes threads that have narrowed their affinity while they were in Linux's set: kernels before 6.2 forget it
    /// when a thread changes sets.
    fn note_own_affinities(
        &self,
        journal: &mut Journal,
        record: &mut Record<'_>,
        linux: &Path,
    ) -> Result<(), CpusetError> {
        let cores = self.cores_of(linux)?;
        let threads = self.threads_in(linux)?;
        let narrow = threads.into_iter().filter_map(|thread| narrow_thread(thread, &cores)).collect();
        Ok(note_affinities(journal, record, narrow)?)
    }

    /// Moves all threads of a set to the root set and removes the set.
    ///
    /// A thread that is just ending can be neither moved nor waited for (version 1 has no event for it), and keeps the
    /// set from being removed. So this looks again until [`REMOVAL_PATIENCE`] is over.
    fn empty_and_remove(&self, group: &Path) -> Result<(), CpusetError> {
        let deadline = Instant::now() + REMOVAL_PATIENCE;
        loop {
            for thread in self.threads_in(group)? {
                // It may have ended.
                let _ = self.free_thread(thread);
            }
            match std::fs::remove_dir(group) {
                Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {
                    std::thread::sleep(REMOVAL_PAUSE);
                }
                Err(error) => return Err(FileError::new("remove the cpuset", group, error).into()),
                Ok(()) => return Ok(()),
            }
        }
    }

    fn free_thread(&self, thread: i32) -> Result<(), FileError> {
        write_short(&self.mount.join("tasks"), &thread.to_string())
    }

    pub(super) fn free(&self, process: i32) -> Result<(), FileError> {
        write_short(&self.mount.join("cgroup.procs"), &process.to_string())
    }

    pub(super) fn enter(&self, claim: &Claim, thread: i32) -> Result<(), FileError> {
        write_short(&self.mount.join(group_of(claim)).join("tasks"), &thread.to_string())
    }

    pub(super) fn leave(&self, thread: i32) -> Result<(), FileError> {
        write_short(&self.linux_group().join("tasks"), &thread.to_string())
    }
}
