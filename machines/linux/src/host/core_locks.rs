//! Locks that keep two machines from wanting the same core.
//!
//! One file per core in a directory that all users share, locked with `flock`: exclusively for a core that runs
//! programs, shared for a housekeeping core (which several machines may use). The kernel drops the locks when the
//! parent process ends, however it ends. The files stay: unlinking a lock file that somebody else is just opening
//! would give both of them a lock.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::core_set::{CoreId, CoreSet};
use super::cores::CoreChoice;
use super::files::{FileError, read_all};
use super::process_id::command_of;
use super::runtime_dir::shared_lock_dir;

/// The locks of one machine, held until dropped.
#[derive(Debug)]
pub struct CoreLocks {
    _files: Vec<File>,
}

/// What a lock is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    Programs,
    Housekeeping,
}

/// Why the cores could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum CoreLockError {
    /// Another machine has a core.
    #[error(
        "core {core} is in use by {owner}; choose others with --cores, or end that machine with `hallows stop`"
    )]
    Taken {
        /// The core.
        core: CoreId,
        /// Who has it.
        owner: Owner,
    },
    /// The lock files could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// A holder of a lock, as far as the kernel names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The holder's process; `None` when it lives in another pid namespace.
    pub pid: Option<i32>,
}

impl std::fmt::Display for Owner {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => {
                write!(
                    formatter,
                    "process {pid} ({})",
                    command_of(pid).as_deref().unwrap_or("ended just now")
                )
            }
            None => write!(formatter, "a process in another pid namespace (container)"),
        }
    }
}

impl CoreLocks {
    /// Locks the cores of a choice: programs' cores for this machine alone, housekeeping cores together with others.
    ///
    /// # Errors
    /// [`CoreLockError::Taken`] names the other machine's process.
    pub fn take(choice: &CoreChoice) -> Result<Self, CoreLockError> {
        Self::take_in(&shared_lock_dir()?, &choice.programs, &choice.housekeeping)
    }

    fn take_in(directory: &Path, programs: &CoreSet, housekeeping: &CoreSet) -> Result<Self, CoreLockError> {
        let mut files = Vec::new();
        // Lowest core first, and never waiting: two machines that want overlapping sets cannot block each other.
        for core in programs.union(housekeeping).iter() {
            let purpose = if programs.contains(core) { Use::Programs } else { Use::Housekeeping };
            files.push(lock(directory, core, purpose)?);
        }
        Ok(Self { _files: files })
    }
}

/// Whether a process that this namespace of processes cannot see, as that of another container, runs programs on one of these cores. No look at its
/// number tells that it lives.
pub fn are_elsewhere(cores: &CoreSet) -> bool {
    shared_lock_dir().is_ok_and(|directory| are_elsewhere_in(&directory, cores))
}

fn are_elsewhere_in(directory: &Path, cores: &CoreSet) -> bool {
    // Shared, and given back at once: who has the core for programs does not share it.
    let lock = |core| lock(directory, core, Use::Housekeeping);
    cores
        .iter()
        .any(|core| matches!(lock(core), Err(CoreLockError::Taken { owner: Owner { pid: None }, .. })))
}

fn lock(directory: &Path, core: CoreId, purpose: Use) -> Result<File, CoreLockError> {
    let path = directory.join(format!("core-{core}"));
    let file = open(&path)?;
    let operation = match purpose {
        Use::Programs => FlockOperation::NonBlockingLockExclusive,
        Use::Housekeeping => FlockOperation::NonBlockingLockShared,
    };
    match rustix::fs::flock(&file, operation) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(CoreLockError::Taken { core, owner: Owner { pid: holder(&file) } })
        }
        Err(error) => Err(FileError::new("lock", &path, error.into()).into()),
    }
}

/// Opens a lock file, which may belong to another user: reading is enough to lock it.
fn open(path: &Path) -> Result<File, FileError> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let failed = |error: io::Error| FileError::new("open the lock", path, error);
    // Twice at most: the file never disappears once it is there.
    match rustix::fs::open(path, flags, Mode::empty()) {
        Err(rustix::io::Errno::NOENT) => {}
        other => return other.map(File::from).map_err(|error| failed(error.into())),
    }
    match rustix::fs::open(path, flags | OFlags::CREATE | OFlags::EXCL, Mode::from_raw_mode(0o444)) {
        Ok(file) => {
            let file = File::from(file);
            // Against the creator's umask, for all users.
            file.set_permissions(Permissions::from_mode(0o444)).map_err(failed)?;
            Ok(file)
        }
        Err(rustix::io::Errno::EXIST) => {
            rustix::fs::open(path, flags, Mode::empty()).map(File::from).map_err(|error| failed(error.into()))
        }
        Err(error) => Err(failed(error.into())),
    }
}

/// Who holds a lock on `file`, from `/proc/locks` (proc(5)): the kernel knows better than a pid written into the file.
fn holder(file: &File) -> Option<i32> {
    let metadata = rustix::fs::fstat(file).ok()?;
    let (major, minor) = (rustix::fs::major(metadata.st_dev), rustix::fs::minor(metadata.st_dev));
    let place = format!("{major:02x}:{minor:02x}:{}", metadata.st_ino);
    find_holder(&read_all(&PathBuf::from("/proc/locks")).ok()?, &place)
}

fn find_holder(locks: &str, place: &str) -> Option<i32> {
    let held = locks.lines().find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        // A waiter's line has an arrow before the kind; it is not a holder.
        (fields.next()? == "FLOCK").then_some(())?;
        let pid = fields.nth(2)?;
        (fields.next()? == place).then(|| pid.parse::<i32>().ok())?
    })?;
    // 0 and -1 stand for processes that this pid namespace cannot see.
    (held > 0).then_some(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::Scratch;

    fn set(text: &str) -> CoreSet {
        CoreSet::parse_list(text).unwrap()
    }

    #[test]
    fn a_core_with_programs_belongs_to_one_machine_and_the_error_names_it() {
        let scratch = Scratch::new("locks-exclusive");
        let first = CoreLocks::take_in(scratch.path(), &set("1-2"), &set("0")).unwrap();
        let error = CoreLocks::take_in(scratch.path(), &set("2-3"), &set("0")).unwrap_err();
        let own = std::process::id();
        assert!(error.to_string().starts_with(&format!("core 2 is in use by process {own} (")), "{error}");
        drop(first);
        CoreLocks::take_in(scratch.path(), &set("2-3"), &set("0")).unwrap();
    }

    #[test]
    fn a_housekeeping_core_is_shared_but_not_given_to_programs() {
        let scratch = Scratch::new("locks-shared");
        let _first = CoreLocks::take_in(scratch.path(), &set("1"), &set("0")).unwrap();
        let _second = CoreLocks::take_in(scratch.path(), &set("2"), &set("0")).unwrap();
        assert!(matches!(
            CoreLocks::take_in(scratch.path(), &set("0"), &set("0")),
            Err(CoreLockError::Taken { core: CoreId(0), .. })
        ));
    }

    #[test]
    fn a_core_of_a_process_that_is_out_of_sight_is_seen_to_be_taken() {
        const NAME: &str =
            "host::core_locks::tests::a_core_of_a_process_that_is_out_of_sight_is_seen_to_be_taken";
        const LOCKS: &str = "HALLOWS_TEST_LOCKS";
        if let Some(directory) = std::env::var_os(LOCKS) {
            // In a namespace of its own, from which the other process of this test is not seen.
            let taken = ["1-2", "0,3"].map(|cores| are_elsewhere_in(Path::new(&directory), &set(cores)));
            println!("elsewhere: {taken:?}");
            return;
        }
        let scratch = Scratch::new("locks-elsewhere");
        let _own = CoreLocks::take_in(scratch.path(), &set("1-2"), &set("0")).unwrap();
        assert!(!are_elsewhere_in(scratch.path(), &set("0-3")), "this process is in sight");
        let looked = std::process::Command::new("unshare")
            .args(["--pid", "--fork", "--mount-proc"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(LOCKS, scratch.path())
            .output();
        // Only root makes such a namespace without more.
        if let Ok(looked) = looked
            && looked.status.success()
        {
            let said = String::from_utf8_lossy(&looked.stdout);
            assert!(said.contains("elsewhere: [true, false]"), "{said}");
        }
    }

    #[test]
    fn a_failed_start_keeps_no_lock() {
        let scratch = Scratch::new("locks-partial");
        let _second = CoreLocks::take_in(scratch.path(), &set("2"), &set("0")).unwrap();
        assert!(CoreLocks::take_in(scratch.path(), &set("1-2"), &set("0")).is_err());
        CoreLocks::take_in(scratch.path(), &set("1"), &set("0")).unwrap();
    }

    #[test]
    fn holders_are_told_from_waiters_and_from_other_files() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 00:1b:55 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 12 00:1b:55 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 13 00:1b:56 0 EOF\n\
                     4: FLOCK  ADVISORY  READ  14 00:1b:55 0 EOF\n\
                     5: FLOCK  ADVISORY  WRITE 0 00:1c:55 0 EOF\n";
        assert_eq!(find_holder(locks, "00:1b:55"), Some(14));
        assert_eq!(find_holder(locks, "00:1c:55"), None);
        assert_eq!(find_holder(locks, "00:1d:55"), None);
    }
}
