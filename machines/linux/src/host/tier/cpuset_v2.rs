//! Isolation by the unified hierarchy (kernel documentation: cgroup-v2.rst, "Cpuset").
//!
//! A machine's group lies directly below the root and is *threaded*: its threads belong to a process of the root group.
//! So the threads of one process can be on isolated cores and on Linux's, on every kernel that knows isolated
//! partitions (6.0). Everything else that runs is kept off the cores by the kernel itself.

use std::path::PathBuf;

use super::cpuset::{CpusetError, Record, group_of, orphaned_groups};
use super::journal::{Claim, CpusetChanges, Journal};
use crate::host::files::{FileError, read_short, write_short};

/// The tree.
#[derive(Clone, Debug)]
pub struct Version2 {
    mount: PathBuf,
}

impl Version2 {
    pub(super) fn at(mount: PathBuf) -> Self {
        Self { mount }
    }

    pub(super) fn reconcile(
        &self,
        journal: &mut Journal,
        record: &mut Record<'_>,
    ) -> Result<(), CpusetError> {
        let claims: Vec<_> = journal.claims.iter().filter(|claim| claim.wants_cpuset).cloned().collect();
        for group in orphaned_groups(&self.mount, &claims) {
            std::fs::remove_dir(&group)
                .map_err(|error| FileError::new("remove the cgroup", &group, error))?;
        }
        if claims.is_empty() {
            return self.restore(journal);
        }
        self.enable_controller(journal, record)?;
        claims.iter().try_for_each(|claim| self.make_group(claim))
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
        if group.exists() {
            return Ok(());
        }
        std::fs::create_dir(&group).map_err(|error| FileError::new("make the cgroup", &group, error))?;
        write_short(&group.join("cgroup.type"), "threaded")?;
        write_short(&group.join("cpuset.cpus"), &claim.cores.to_string())?;
        let partition = group.join("cpuset.cpus.partition");
        write_short(&partition, "isolated").map_err(|error| {
            CpusetError::new(
                error,
                "isolated partitions need Linux 6.0; or isolate the cores at boot (isolcpus=)",
            )
        })?;
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

    fn restore(&self, journal: &mut Journal) -> Result<(), CpusetError> {
        let Some(changes) = &journal.cpusets else { return Ok(()) };
        if changes.enabled_controller {
            // Refused when somebody else uses it by now: then it is theirs.
            let _ = write_short(&self.mount.join("cgroup.subtree_control"), "-cpuset");
        }
        journal.cpusets = None;
        Ok(())
    }

    pub(super) fn free(&self, process: i32) -> Result<(), FileError> {
        write_short(&self.mount.join("cgroup.procs"), &process.to_string())
    }

    pub(super) fn enter(&self, claim: &Claim, thread: i32) -> Result<(), FileError> {
        write_short(&self.mount.join(group_of(claim)).join("cgroup.threads"), &thread.to_string())
    }
}
