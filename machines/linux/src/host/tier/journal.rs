//! The journal: what was changed on the host, on whose behalf, and how it was before.
//!
//! It lies in root's runtime directory, which is emptied at boot, as are the changes themselves. A lock beside it makes
//! every change one step for all machines of the host.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use serde::{Deserialize, Serialize};

use super::settings::Setting;
use crate::host::core_set::CoreSet;
use crate::host::files::{FileError, read_short};
use crate::host::process_id::ProcessId;

/// Everything that was changed and not yet put back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// The boot that it is about; another boot has undone everything.
    pub boot_id: String,
    /// Machines that have cores now.
    pub claims: Vec<Claim>,
    /// Changed settings.
    pub settings: Vec<Setting>,
    /// Changes of the cpuset tree.
    pub cpusets: Option<CpusetChanges>,
    /// Threads whose affinity was narrower than the whole host when they were moved.
    pub moved_threads: Vec<MovedThread>,
}

/// The cores of one machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its parent process: the claim holds while this lives.
    pub parent: ProcessId,
    /// The machine process; outlives its parent by microseconds at most, but cores are not given away before it is gone.
    pub machine: Option<ProcessId>,
    /// Cores of programs.
    pub cores: CoreSet,
    /// Whether they are to be taken out of Linux's scheduling by a cpuset (not those that the boot line isolated).
    pub wants_cpuset: bool,
}

/// How the cpuset tree was before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CpusetChanges {
    /// Version 1: `cpuset.sched_load_balance` of the root set.
    pub root_load_balance: Option<String>,
    /// Version 2: the root group's children had no cpuset controller before.
    pub enabled_controller: bool,
}

/// A thread that was moved off the programs' cores, with the affinity that it had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedThread {
    /// The thread.
    pub thread: ProcessId,
    /// Where it was allowed to run.
    pub affinity: CoreSet,
}

impl Journal {
    /// Cores of all machines.
    pub fn claimed(&self) -> CoreSet {
        self.claims.iter().fold(CoreSet::new(), |all, claim| all.union(&claim.cores))
    }

    /// Whether nothing is left to put back.
    pub fn is_settled(&self) -> bool {
        self.claims.is_empty()
            && self.settings.is_empty()
            && self.cpusets.is_none()
            && self.moved_threads.is_empty()
    }
}

/// The journal's file, locked against all other processes until dropped.
#[derive(Debug)]
pub struct JournalFile {
    directory: PathBuf,
    boot_id: String,
    _lock: File,
}

impl JournalFile {
    /// Waits for the lock. Holders keep it for milliseconds.
    ///
    /// # Errors
    /// When the directory cannot be written to.
    pub fn lock(directory: &Path) -> Result<Self, FileError> {
        let path = directory.join("host.lock");
        let failed = |error: rustix::io::Errno| FileError::new("lock", &path, error.into());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let lock = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
        loop {
            match flock(&lock, FlockOperation::LockExclusive) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other.map_err(failed)?,
            }
        }
        let boot_id = read_short(Path::new("/proc/sys/kernel/random/boot_id"))?;
        Ok(Self { directory: directory.to_owned(), boot_id, _lock: lock.into() })
    }

    /// Whether there is anything to put back, without locking.
    pub fn exists(directory: &Path) -> bool {
        journal_path(directory).exists()
    }

    /// The journal; an empty one when there is none, or when it is about another boot.
    ///
    /// # Errors
    /// When it cannot be read or is no journal: somebody then has to look at it.
    pub fn load(&self) -> Result<Journal, FileError> {
        let path = journal_path(&self.directory);
        let empty = Journal { boot_id: self.boot_id.clone(), ..Journal::default() };
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(empty),
            Err(error) => return Err(FileError::new("read", &path, error)),
        };
        let journal: Journal = serde_json::from_slice(&text)
            .map_err(|error| FileError::new("understand", &path, error.into()))?;
        Ok(if journal.boot_id == self.boot_id { journal } else { empty })
    }

    /// Replaces the journal, all or nothing, and has it on storage before returning. A settled one is removed.
    ///
    /// # Errors
    /// When the directory cannot be written to; the host must not be changed then.
    pub fn save(&self, journal: &Journal) -> Result<(), FileError> {
        let path = journal_path(&self.directory);
        let failed = |error| FileError::new("write", &path, error);
        if journal.is_settled() {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
                _ => Ok(()),
            };
        }
        let text = serde_json::to_vec_pretty(journal).map_err(|error| failed(error.into()))?;
        let new = self.directory.join("host.json.new");
        let mut file = File::create(&new).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&new, &path).map_err(failed)?;
        File::open(&self.directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

fn journal_path(directory: &Path) -> PathBuf {
    directory.join("host.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::Scratch;

    fn journal() -> Journal {
        let claim = Claim {
            parent: ProcessId::own(),
            machine: None,
            cores: "1-2".parse().unwrap(),
            wants_cpuset: true,
        };
        Journal { claims: vec![claim], ..Journal::default() }
    }

    #[test]
    fn a_journal_is_found_again_and_goes_when_settled() {
        let scratch = Scratch::new("journal");
        let file = JournalFile::lock(scratch.path()).unwrap();
        let mut journal = Journal { boot_id: file.boot_id.clone(), ..journal() };
        file.save(&journal).unwrap();
        assert!(JournalFile::exists(scratch.path()));
        assert_eq!(file.load().unwrap(), journal);
        journal.claims.clear();
        file.save(&journal).unwrap();
        assert!(!JournalFile::exists(scratch.path()));
        assert!(file.load().unwrap().is_settled());
    }

    #[test]
    fn a_journal_of_another_boot_counts_for_nothing() {
        let scratch = Scratch::new("journal-boot");
        let file = JournalFile::lock(scratch.path()).unwrap();
        file.save(&Journal { boot_id: "another".into(), ..journal() }).unwrap();
        assert!(file.load().unwrap().is_settled());
    }

    #[test]
    fn a_broken_journal_is_an_error_and_stays() {
        let scratch = Scratch::new("journal-broken");
        std::fs::write(scratch.path().join("host.json"), "{").unwrap();
        let error = JournalFile::lock(scratch.path()).unwrap().load().unwrap_err();
        assert!(error.to_string().contains("host.json"), "{error}");
        assert!(JournalFile::exists(scratch.path()));
    }
}
