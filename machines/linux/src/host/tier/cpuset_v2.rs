//! Isolation by the unified hierarchy (kernel documentation: cgroup-v2.rst, "Cpuset").
//!
//! A machine's group lies directly below the root and is *threaded*: its threads belong to a process of the root group.
//! So the threads of one process can be on isolated cores and on Linux's, on every kernel that knows isolated
//! partitions (6.0). Everything else that runs is kept off the cores by the kernel itself; before 6.2 it forgets narrower
//! affinities in doing so, so these are noted and set again.

use std::path::{Path, PathBuf};

use super::cpuset::{
    CpusetError, Record, group_of, narrow_thread, note_affinities, orphaned_groups, restore_affinity,
};
use super::journal::{Claim, CpusetChanges, Journal};
use crate::host::core_set::CoreSet;
use crate::host::facts::KernelVersion;
use crate::host::files::{FileError, read_short, write_short};
use crate::host::process_id::threads_of;

/// What to do where the kernel has no isolated partitions.
pub(super) const NEEDS_PARTITIONS: &str =
    "isolated partitions need Linux 6.0; or isolate the cores at boot (isolcpus=)";

/// The tree.
#[derive(Clone, Debug)]
pub struct Version2 {
    mount: PathBuf,
}

impl Version2 {
    pub(super) fn at(mount: PathBuf) -> Self {
        Self { mount }
    }

    pub(super) fn mount(&self) -> &Path {
        &self.mount
    }

    pub(super) fn reconcile(
        &self,
        journal: &mut Journal,
        record: &mut Record<'_>,
    ) -> Result<(), CpusetError> {
        let claims: Vec<_> = journal.claims.iter().filter(|claim| claim.wants_cpuset).cloned().collect();
        let orphans = orphaned_groups(&self.mount, &claims);
        let is_new = |claim: &&Claim| !self.mount.join(group_of(claim)).exists();
        if !orphans.is_empty() || claims.iter().any(|claim| is_new(&claim)) {
            self.note_affinities(journal, record)?;
        }
        for group in orphans {
            remove(&group)?;
        }
        let claimed = claims.iter().fold(CoreSet::new(), |all, claim| all.union(&claim.cores));
        let result = if claims.is_empty() {
            self.restore(journal);
            Ok(())
        } else {
            self.enable_controller(journal, record)?;
            claims.iter().filter(is_new).try_for_each(|claim| self.make_group(claim))
        };
        journal.moved_threads.iter().for_each(|moved| restore_affinity(moved, &claimed));
        if claims.is_empty() {
            journal.moved_threads.clear();
        }
        result
    }

    /// Notes affinities that the kernel is about to forget: before 6.2 every narrow one, and those that leave out cores
    /// isolated by the boot line, which it then opens to everybody.
    fn note_affinities(&self, journal: &mut Journal, record: &mut Record<'_>) -> Result<(), CpusetError> {
        let isolated = read_short(Path::new("/sys/devices/system/cpu/isolated")).unwrap_or_default();
        if KernelVersion::running().remembers_affinity() && isolated.is_empty() {
            return Ok(());
        }
        let online = read_cores(Path::new("/sys/devices/system/cpu/online"))?;
        // What a thread is kept off by groups that are there already is not its own choice.
        let groups = orphaned_groups(&self.mount, &[]).into_iter();
        let taken = groups.filter_map(|group| read_cores(&group.join("cpuset.cpus")).ok());
        let free = taken.fold(online, |free, cores| free.without(&cores));
        let narrow = all_threads().into_iter().filter_map(|thread| narrow_thread(thread, &free)).collect();
        Ok(note_affinities(journal, record, narrow)?)
    }

    fn enable_controller(&self, journal: &mut Journal, record: &mut Record<'_>) -> Result<(), FileError> {
        let file = self.mount.join("cgroup.subtree_control");
        if journal.cpusets.is_none() {
            let is_enabled = read_short(&file)?.split(' ').any(|controller| controller == "cpuset");
            journal.cpusets =
                Some(CpusetChanges { enabled_controller: !is_enabled, ..CpusetChanges::default() });
            record(journal)?;
        }
        // Enabling it again changes nothing.
        write_short(&file, "+cpuset")
    }

    fn make_group(&self, claim: &Claim) -> Result<(), CpusetError> {
        let group = self.mount.join(group_of(claim));
        std::fs::create_dir(&group).map_err(|error| FileError::new("make the cgroup", &group, error))?;
        write_short(&group.join("cgroup.type"), "threaded")?;
        write_short(&group.join("cpuset.cpus"), &claim.cores.to_string())?;
        let partition = group.join("cpuset.cpus.partition");
        write_short(&partition, "isolated").map_err(|error| CpusetError::new(error, NEEDS_PARTITIONS))?;
        // The kernel takes the word and says afterwards whether it could keep it.
        let state = read_short(&partition)?;
        if state == "isolated" {
            return Ok(());
        }
        Err(CpusetError::new(
            format!("the kernel does not isolate cores {}: {state}", claim.cores),
            "choose cores with --cores that no other partition has, and leave Linux at least one",
        ))
    }

    fn restore(&self, journal: &mut Journal) {
        if journal.cpusets.take().is_some_and(|changes| changes.enabled_controller) {
            // Refused when somebody else uses it by now: then it is theirs.
            let _ = write_short(&self.mount.join("cgroup.subtree_control"), "-cpuset");
        }
    }

    pub(super) fn free(&self, process: i32) -> Result<(), FileError> {
        write_short(&self.mount.join("cgroup.procs"), &process.to_string())
    }

    pub(super) fn enter(&self, claim: &Claim, thread: i32) -> Result<(), FileError> {
        write_short(&self.mount.join(group_of(claim)).join("cgroup.threads"), &thread.to_string())
    }

    pub(super) fn take_back(&self, thread: i32) -> Result<(), FileError> {
        write_short(&self.mount.join("cgroup.threads"), &thread.to_string())
    }
}

fn read_cores(path: &Path) -> Result<CoreSet, CpusetError> {
    let text = read_short(path)?;
    CoreSet::parse_list(&text).map_err(|error| CpusetError::new(error, format!("look at {}", path.display())))
}

/// All threads of the host.
fn all_threads() -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes.flat_map(threads_of).collect()
}

/// Gives a group's cores back to Linux and removes it. In two steps, because the kernel finishes a removal in the
/// background, some milliseconds after the call.
fn remove(group: &Path) -> Result<(), FileError> {
    write_short(&group.join("cpuset.cpus.partition"), "member")?;
    std::fs::remove_dir(group).map_err(|error| FileError::new("remove the cgroup", group, error))
}
