//! Names a process for good: a bare pid may be given to another process after its owner ended.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, pidfd_open};
use serde::{Deserialize, Serialize};

use super::files::read_short;

/// A process (or thread) of this boot, told from later owners of the same number by its start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    /// The number that the kernel and `ps` show.
    pub pid: i32,
    /// Start time in clock ticks since boot: field 22 of `/proc/PID/stat`, see proc(5).
    pub start_ticks: u64,
}

impl ProcessId {
    /// The process or thread that has this number now; `None` when there is none.
    pub fn of(pid: i32) -> Option<Self> {
        Some(Self { pid, start_ticks: Stat::read(pid)?.start_ticks })
    }

    /// The calling process.
    pub fn own() -> Self {
        let pid = rustix::process::getpid().as_raw_nonzero().get();
        // Without /proc there is no start time to tell processes apart by; the number alone still identifies us now.
        Self::of(pid).unwrap_or(Self { pid, start_ticks: 0 })
    }

    /// Whether this very process still exists and is not a zombie.
    pub fn is_alive(&self) -> bool {
        Stat::read(self.pid).is_some_and(|stat| stat.start_ticks == self.start_ticks && !stat.is_ended)
    }

    /// A pidfd of this very process; `None` when it is gone.
    pub fn open(&self) -> Option<std::os::fd::OwnedFd> {
        let pidfd = pidfd_open(Pid::from_raw(self.pid)?, PidfdFlags::empty()).ok()?;
        // Checked after opening: the descriptor now holds on to whoever has the number, so the answer stays true.
        self.is_alive().then_some(pidfd)
    }
}

/// The fields of `/proc/PID/stat` that the host side needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    /// Zombie or dead: it holds its number but nothing else.
    pub is_ended: bool,
    /// The kernel's `PF_…` flags.
    pub flags: u64,
    /// See [`ProcessId::start_ticks`].
    pub start_ticks: u64,
}

impl Stat {
    pub(crate) fn read(pid: i32) -> Option<Self> {
        Self::parse(&read_short(&Path::new("/proc").join(pid.to_string()).join("stat")).ok()?)
    }

    fn parse(line: &str) -> Option<Self> {
        // The second field is the command in parentheses and may itself contain spaces and parentheses.
        let (_, fields) = line.rsplit_once(") ")?;
        let field = |number: usize| fields.split(' ').nth(number - 3);
        Some(Self {
            is_ended: matches!(field(3)?, "Z" | "X"),
            flags: field(9)?.parse().ok()?,
            start_ticks: field(22)?.parse().ok()?,
        })
    }
}

/// Threads of a process; empty when it is gone.
pub(crate) fn threads_of(pid: i32) -> Vec<i32> {
    let directory: PathBuf = format!("/proc/{pid}/task").into();
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The command name of a process, for messages.
pub(crate) fn command_of(pid: i32) -> Option<String> {
    read_short(&Path::new("/proc").join(pid.to_string()).join("comm")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_spaces_and_parentheses_does_not_shift_the_fields() {
        let line = "7 (a) (b c) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987 0 0";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.is_ended, stat.flags, stat.start_ticks), (false, 4_194_560, 987));
    }

    #[test]
    fn the_own_process_is_alive_and_a_later_namesake_is_not_it() {
        let own = ProcessId::own();
        assert!(own.is_alive());
        assert!(own.open().is_some());
        let other = ProcessId { start_ticks: own.start_ticks + 1, ..own };
        assert!(!other.is_alive());
        assert!(other.open().is_none());
    }

    #[test]
    fn the_calling_thread_is_among_the_threads_of_its_process() {
        let tid = rustix::thread::gettid().as_raw_nonzero().get();
        assert!(threads_of(ProcessId::own().pid).contains(&tid));
    }
}
