//! The machine's jail: after set-up, code that breaks out of a program's sandbox finds a process that can do nothing.
//!
//! Two steps, because Linux keeps some of it per thread:
//!
//! 1. [`Confined::enter`], while the process has one thread: no new privileges, no capabilities, no files by name
//!    (Landlock). Threads started later inherit it.
//! 2. [`Confined::seal`], when everything is set up: the system call allow-list, on all threads at once (seccomp with
//!    TSYNC).
//!
//! What is left is [`syscalls`]: use descriptors that are already open, wait, map anonymous memory, end. A call that is
//! not on the list fails with `EPERM`.
//!
//! # What it does not promise
//!
//! Executable memory: code that arrives while the machine runs must become executable, so `mprotect` may grant
//! execution, but never together with writing. Whoever already runs arbitrary code in the machine can therefore make more of
//! it; the jail is about what such code can reach outside.

mod files;
mod privileges;
pub mod syscalls;

use std::fs::{ReadDir, read_dir};

pub use files::Reachable;

use serde::{Deserialize, Serialize};

/// Descriptors of the listings themselves: the one of threads is closed by the time the other is read.
const LISTINGS: usize = 1;

/// What the jail consists of on this host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JailReport {
    /// Files by name: enforced by Landlock, or why not (fully).
    pub landlock: LandlockState,
    /// System calls on the allow-list.
    pub allowed_calls: usize,
    /// Directories whose files are in reach by name.
    pub directories: usize,
    /// Threads inside.
    pub threads: usize,
    /// Descriptors that are open for good.
    pub open_descriptors: usize,
}

/// The walls that this kernel has for a jail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JailMeans {
    /// Its version of Landlock; 0 without it.
    pub landlock: u32,
    /// Whether it has the system call filters that the jail needs.
    pub has_seccomp: bool,
}

impl JailMeans {
    /// The version of Landlock that enforces all that the jail asks for.
    pub const FULL_LANDLOCK: u32 = files::NEWEST as u32;

    /// What to do where there is no Landlock.
    pub const LANDLOCK_REMEDY: &str = files::REMEDY;

    /// Asks the running kernel.
    pub fn own() -> Self {
        Self { landlock: files::version(), has_seccomp: syscalls::is_available() }
    }
}

/// How much of Landlock the kernel has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum LandlockState {
    /// All that this version of the jail asks for.
    Full {
        /// The kernel's version of Landlock.
        version: u32,
    },
    /// An older kernel enforces a part: files, but perhaps not network or signals. The allow-list covers the rest.
    Partial {
        /// The kernel's version of Landlock.
        version: u32,
    },
    /// Nothing; the allow-list has no call that opens files, so it is one wall instead of two.
    Missing {
        /// Why.
        why: String,
    },
}

/// Why the jail could not be closed. A machine that gets this must end.
#[derive(Debug, thiserror::Error)]
pub enum JailError {
    /// The first step came too late.
    #[error("the jail must be entered before threads are started; {threads} are running")]
    ThreadsRunning {
        /// How many there are.
        threads: usize,
    },
    /// The kernel refused a step.
    #[error("cannot {step}: {why}")]
    Step {
        /// Which.
        step: &'static str,
        /// The reason.
        why: String,
    },
}

impl JailError {
    fn step(step: &'static str, why: impl ToString) -> Self {
        Self::Step { step, why: why.to_string() }
    }
}

/// A process after the first step.
#[derive(Debug)]
#[must_use = "the jail is open until it is sealed"]
pub struct Confined {
    landlock: LandlockState,
    /// Listings that cannot be opened any more once Landlock is in force; read when the jail is sealed.
    threads: ReadDir,
    descriptors: ReadDir,
    /// Directories in reach.
    directories: usize,
    /// System calls beside the usual ones.
    calls: Vec<libc::c_long>,
}

impl Confined {
    /// Gives up privileges, capabilities and files by name for this thread and all that it starts. Open descriptors
    /// stay usable. Needs no privilege itself.
    ///
    /// # Errors
    /// When other threads run already, or when the kernel refuses.
    pub fn enter() -> Result<Self, JailError> {
        Self::enter_with(&[], Vec::new())
    }

    /// The same, with directories that stay in reach by name, and the system calls that services make.
    ///
    /// # Errors
    /// As [`Confined::enter`].
    pub fn enter_with(reachable: &[Reachable<'_>], calls: Vec<libc::c_long>) -> Result<Self, JailError> {
        let listing = |path| read_dir(path).map_err(|error| JailError::step("list /proc/self", error));
        let threads = listing("/proc/self/task")?.count();
        if threads > 1 {
            return Err(JailError::ThreadsRunning { threads });
        }
        let (threads, descriptors) = (listing("/proc/self/task")?, listing("/proc/self/fd")?);
        privileges::drop_all()?;
        let landlock = files::forbid_all_but(reachable)?;
        Ok(Self { landlock, threads, descriptors, directories: reachable.len(), calls })
    }

    /// Closes the jail: from here on every thread of the process has the calls of [`syscalls`] and no others. Every
    /// thread must have reported by then ([`PinnedThread::info`](super::threads::PinnedThread::info)): the C library
    /// makes other calls while one starts, and the jail lets no thread start.
    ///
    /// # Errors
    /// When the kernel has no seccomp filters; nothing is allowed or forbidden then.
    pub fn seal(self) -> Result<JailReport, JailError> {
        let report = JailReport {
            landlock: self.landlock,
            allowed_calls: syscalls::allowed(&self.calls),
            directories: self.directories,
            threads: self.threads.count(),
            open_descriptors: self.descriptors.count() - LISTINGS,
        };
        syscalls::allow_only(rustix::process::getpid().as_raw_nonzero().get(), &self.calls)?;
        Ok(report)
    }
}

impl JailReport {
    /// One line for the start of a machine.
    pub fn line(&self) -> String {
        let files = match self.directories {
            0 => "no files".to_owned(),
            1 => "files of one directory".to_owned(),
            more => format!("files of {more} directories"),
        };
        let landlock = match &self.landlock {
            LandlockState::Full { version } => {
                format!("Landlock {version} ({files}, no network, no signals to others)")
            }
            LandlockState::Partial { version } => {
                format!("Landlock {version} ({files}; of network and signals only a part: an older kernel)")
            }
            LandlockState::Missing { why } => {
                format!("no Landlock, so only the system calls keep files away ({why})")
            }
        };
        format!(
            "jailed: {} system calls, {landlock}, no capabilities, {} threads, {} descriptors",
            self.allowed_calls, self.threads, self.open_descriptors
        )
    }
}
