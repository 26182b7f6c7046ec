//! Makes the host agree with the journal: for a new claim, for an ended one, and for what a killed machine left.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use super::cpuset::{CpusetError, CpusetTree, machine_of_group};
use super::journal::{Claim, Journal, JournalFile};
use super::report::StepName;
use super::settings::{Absent, Applied, survey};
use crate::host::core_locks;
use crate::host::core_set::CoreSet;
use crate::host::facts::KernelVersion;
use crate::host::files::FileError;
use crate::host::process_id::ProcessId;
use crate::host::runtime_dir::RuntimeDir;

/// How long a machine whose parent was killed may take to die of the kernel's SIGKILL.
const ORPHAN_GRACE: Duration = Duration::from_secs(5);

/// The host, as far as machines change it.
#[derive(Clone, Debug)]
pub(super) struct HostState {
    /// Directory of the journal.
    pub(super) directory: PathBuf,
    /// `/`, or a copy of the kernel's files for tests.
    pub(super) root: PathBuf,
    pub(super) online: CoreSet,
    pub(super) kernel: KernelVersion,
}

/// How one round of making the host agree with the journal went.
#[derive(Debug, Default)]
pub(super) struct Agreement {
    /// Settings per step: how many have their value, and what was refused.
    pub(super) settings: Vec<(StepName, Result<Applied, FileError>)>,
    /// Steps without a setting on this host.
    pub(super) absent: Vec<Absent>,
    /// The cpuset tree, unless there was nothing to do.
    pub(super) cpusets: Option<Result<(), CpusetError>>,
    /// Machines that were found dead.
    pub(super) dead: Vec<Claim>,
}

/// What was put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreReport {
    /// Pids of machines that had been killed without putting things back.
    pub dead_machines: Vec<i32>,
    /// Settings that have their original value again.
    pub restored: usize,
    /// Settings that somebody else has changed meanwhile; they stay.
    pub left_alone: usize,
    /// What could not be put back; it stays in the journal, and the next start tries again.
    pub failures: Vec<String>,
}

/// Why nothing could be put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Left by root's machine, found by somebody else.
    #[error("a machine of root was killed and has left changes on this host; run `sudo hallows restore`")]
    NeedsRoot,
    /// The journal could not be read or written.
    #[error(transparent)]
    Journal(#[from] FileError),
}

impl HostState {
    /// One step under the journal's lock: `change` edits the claims, then the host is made to agree. `machine` is a
    /// process that is just starting and not to be moved yet.
    ///
    /// # Errors
    /// When the journal cannot be read or written: then nothing was changed.
    pub(super) fn update(
        &self,
        machine: Option<i32>,
        change: impl FnOnce(&mut Journal),
    ) -> Result<Agreement, FileError> {
        let file = JournalFile::lock(&self.directory)?;
        let mut journal = file.load()?;
        let dead = end_dead_claims(&mut journal);
        change(&mut journal);
        self.agree(&file, &mut journal, machine, dead)
    }

    fn agree(
        &self,
        file: &JournalFile,
        journal: &mut Journal,
        machine: Option<i32>,
        dead: Vec<Claim>,
    ) -> Result<Agreement, FileError> {
        let claimed = journal.claimed();
        let mut agreement = Agreement { dead, ..Agreement::default() };
        if !claimed.is_empty() {
            let (settings, absent) = survey(&self.root, &claimed, self.kernel, &journal.settings);
            journal.settings.extend(settings);
            agreement.absent = absent;
            for setting in &mut journal.settings {
                setting.intend(&claimed, &self.online.without(&claimed));
            }
        }
        file.save(journal)?;
        self.agree_settings(journal, &mut agreement);
        self.agree_cpusets(file, journal, machine, &mut agreement)?;
        file.save(journal)?;
        Ok(agreement)
    }

    fn agree_settings(&self, journal: &mut Journal, agreement: &mut Agreement) {
        let restores = journal.claims.is_empty();
        if restores {
            // What was changed last is put back first.
            journal.settings.reverse();
        }
        journal.settings.retain(|setting| {
            let result = if restores { setting.restore() } else { setting.apply() };
            let is_over = matches!(result, Ok(Applied::Gone)) || (restores && result.is_ok());
            agreement.settings.push((setting.step, result));
            !is_over
        });
    }

    fn agree_cpusets(
        &self,
        file: &JournalFile,
        journal: &mut Journal,
        machine: Option<i32>,
        agreement: &mut Agreement,
    ) -> Result<(), FileError> {
        let wants = |journal: &Journal| journal.claims.iter().any(|claim| claim.wants_cpuset);
        if !wants(journal) && journal.cpusets.is_none() {
            return Ok(());
        }
        let mut record = |journal: &mut Journal| file.save(journal);
        let result = CpusetTree::find(&self.root)
            .and_then(|tree| tree.reconcile(journal, &mut record, machine).map(|()| tree));
        let Err(error) = result else {
            agreement.cpusets = Some(Ok(()));
            return Ok(());
        };
        // The newest claim is the one that does not fit; the others had agreed before.
        let newest = journal.claims.iter_mut().rev().find(|claim| claim.wants_cpuset);
        if let Some(newest) = newest {
            newest.wants_cpuset = false;
            file.save(journal)?;
            if let Ok(tree) = CpusetTree::find(&self.root) {
                // A second failure stays in the journal; the first one is what the user has to know.
                let _ = tree.reconcile(journal, &mut |journal| file.save(journal), machine);
            }
        }
        agreement.cpusets = Some(Err(error));
        Ok(())
    }
}

/// Takes the claims of machines whose parent is gone out of the journal, after making sure that the machines are too.
fn end_dead_claims(journal: &mut Journal) -> Vec<Claim> {
    let lives = |claim: &Claim| claim.parent.is_alive() || core_locks::are_elsewhere(&claim.cores);
    let (alive, dead): (Vec<_>, Vec<_>) = journal.claims.drain(..).partition(lives);
    journal.claims = alive;
    dead.iter().filter_map(|claim| claim.machine).for_each(end_orphan);
    dead
}

/// The kernel kills a machine when its parent ends; this waits for it, and helps in case the kernel was not asked to.
fn end_orphan(machine: ProcessId) {
    let Some(pidfd) = machine.open() else { return };
    let _ = pidfd_send_signal(&pidfd, Signal::KILL);
    let timeout = Timespec { tv_sec: ORPHAN_GRACE.as_secs().cast_signed(), tv_nsec: 0 };
    let _ = poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout));
}

impl Agreement {
    /// As a report of what was put back.
    pub(super) fn into_restore_report(self) -> RestoreReport {
        let mut report = RestoreReport {
            dead_machines: self.dead.iter().map(|claim| claim.parent.pid).collect(),
            ..RestoreReport::default()
        };
        for (_, result) in self.settings {
            match result {
                Ok(Applied::Done | Applied::Gone) => report.restored += 1,
                Ok(Applied::ChangedByOthers) => report.left_alone += 1,
                Err(error) => report.failures.push(error.to_string()),
            }
        }
        if let Some(Err(error)) = self.cpusets {
            report.failures.push(error.why);
        }
        report
    }
}

/// Puts back what killed machines have left, if there is anything: at the start of every machine, and for
/// `hallows restore`. Costs one failed `stat` when there is nothing. `None`: there was nothing.
///
/// # Errors
/// See [`RestoreError`].
pub fn restore_leftovers(
    directory: &RuntimeDir,
    online: &CoreSet,
    kernel: KernelVersion,
) -> Result<Option<RestoreReport>, RestoreError> {
    if !rustix::process::geteuid().is_root() {
        // Root's directory is closed to others, but that it holds a journal can be seen from the groups it made.
        return if left_by_root(Path::new("/")) { Err(RestoreError::NeedsRoot) } else { Ok(None) };
    }
    if !JournalFile::exists(directory.path()) {
        return Ok(None);
    }
    let state = HostState {
        directory: directory.path().to_owned(),
        root: "/".into(),
        online: online.clone(),
        kernel,
    };
    let agreement = state.update(None, |_| {})?;
    let had_nothing = agreement.dead.is_empty()
        && agreement.settings.iter().all(|(_, result)| matches!(result, Ok(Applied::Done)))
        && !matches!(agreement.cpusets, Some(Err(_)));
    Ok(if had_nothing { None } else { Some(agreement.into_restore_report()) })
}

/// Whether a group of a machine is there whose parent process is not.
fn left_by_root(root: &Path) -> bool {
    let mounts = ["sys/fs/cgroup/cpuset", "sys/fs/cgroup"];
    let groups =
        mounts.iter().filter_map(|mount| std::fs::read_dir(root.join(mount)).ok()).flatten().flatten();
    groups
        .filter_map(|group| machine_of_group(group.file_name().to_str()?))
        .any(|pid| !root.join("proc").join(pid.to_string()).exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::files::read_short;
    use crate::host::test_support::Scratch;

    const KERNEL: KernelVersion = KernelVersion { major: 6, minor: 1 };

    /// A host with one interrupt and the throttling setting, no cpusets.
    fn host(name: &str) -> (Scratch, HostState) {
        let scratch = Scratch::new(name);
        let root = scratch.path().join("root");
        for (file, text) in
            [("proc/irq/9/smp_affinity_list", "0-3\n"), ("proc/sys/kernel/sched_rt_runtime_us", "950000\n")]
        {
            std::fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            std::fs::write(root.join(file), text).unwrap();
        }
        let directory = scratch.path().join("runtime");
        std::fs::create_dir(&directory).unwrap();
        let online = CoreSet::parse_list("0-3").unwrap();
        (scratch, HostState { directory, root, online, kernel: KERNEL })
    }

    fn claim(parent: ProcessId, cores: &str) -> Claim {
        Claim { parent, machine: None, cores: cores.parse().unwrap(), wants_cpuset: false }
    }

    fn interrupt(state: &HostState) -> String {
        read_short(&state.root.join("proc/irq/9/smp_affinity_list")).unwrap()
    }

    /// A process that has ended: its number exists or not, its start time does not fit.
    fn dead() -> ProcessId {
        ProcessId { start_ticks: 1, ..ProcessId::own() }
    }

    #[test]
    fn machines_come_and_go_in_any_order_and_the_last_restores() {
        let (_scratch, state) = host("state-order");
        let (first, second) =
            (ProcessId::own(), ProcessId::of(std::os::unix::process::parent_id().cast_signed()).unwrap());
        state.update(None, |journal| journal.claims.push(claim(first, "3"))).unwrap();
        assert_eq!(interrupt(&state), "0-2");
        state.update(None, |journal| journal.claims.push(claim(second, "1-2"))).unwrap();
        assert_eq!(interrupt(&state), "0");
        state.update(None, |journal| journal.claims.retain(|claim| claim.parent != first)).unwrap();
        assert_eq!(interrupt(&state), "0,3");
        state.update(None, |journal| journal.claims.clear()).unwrap();
        assert_eq!(interrupt(&state), "0-3");
        assert!(!JournalFile::exists(&state.directory));
    }

    #[test]
    fn the_journal_is_written_before_the_host_is_changed() {
        let (_scratch, state) = host("state-before");
        // A journal that cannot be written: its place is taken by a directory.
        std::fs::create_dir(state.directory.join("host.json.new")).unwrap();
        state.update(None, |journal| journal.claims.push(claim(ProcessId::own(), "3"))).unwrap_err();
        assert_eq!(interrupt(&state), "0-3");
    }

    #[test]
    fn a_killed_machine_is_found_and_its_changes_are_undone() {
        let (_scratch, state) = host("state-killed");
        let file = JournalFile::lock(&state.directory).unwrap();
        let mut journal = file.load().unwrap();
        journal.claims.push(claim(dead(), "2"));
        state.agree(&file, &mut journal, None, Vec::new()).unwrap();
        drop(file);
        assert_eq!(interrupt(&state), "0-1,3");
        let agreement = state.update(None, |_| {}).unwrap();
        let report = agreement.into_restore_report();
        assert_eq!(report.dead_machines, [ProcessId::own().pid]);
        assert_eq!((report.restored, report.failures.len()), (2, 0));
        assert_eq!(interrupt(&state), "0-3");
    }

    #[test]
    fn what_cannot_be_put_back_stays_in_the_journal() {
        let (_scratch, state) = host("state-stuck");
        state.update(None, |journal| journal.claims.push(claim(ProcessId::own(), "3"))).unwrap();
        // A file that can be neither read nor written: its place is taken by a directory.
        let path = state.root.join("proc/irq/9/smp_affinity_list");
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let report = state.update(None, |journal| journal.claims.clear()).unwrap().into_restore_report();
        assert_eq!(report.failures.len(), 1, "{report:?}");
        assert!(JournalFile::exists(&state.directory));
        std::fs::remove_dir(&path).unwrap();
        std::fs::write(&path, "0-2\n").unwrap();
        state.update(None, |_| {}).unwrap();
        assert_eq!(interrupt(&state), "0-3");
        assert!(!JournalFile::exists(&state.directory));
    }

    #[test]
    fn an_orphaned_machine_is_ended_before_its_cores_are_given_away() {
        let mut orphan = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let (_scratch, state) = host("state-orphan");
        let file = JournalFile::lock(&state.directory).unwrap();
        let mut journal = file.load().unwrap();
        let machine = ProcessId::of(orphan.id().cast_signed());
        journal.claims.push(Claim { machine, ..claim(dead(), "2") });
        file.save(&journal).unwrap();
        drop(file);
        state.update(None, |_| {}).unwrap();
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(orphan.try_wait().unwrap().and_then(|status| status.signal()), Some(9));
    }
}
