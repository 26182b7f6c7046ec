//! Puts a machine's threads where they belong: cpuset, affinity, priority.

use std::io;

use rustix::thread::{Pid, sched_setaffinity};

use super::cpuset::CpusetTree;
use super::journal::Claim;
use super::report::Outcome;
use crate::host::core_set::CoreSet;
use crate::host::files::FileError;
use crate::host::threads::{ThreadInfo, ThreadRole};

/// Real-time priority of threads that run programs: above everything ordinary, below the kernel's own threads (50).
const PROGRAMS_PRIORITY: i32 = 1;
/// Real-time priority of the timekeeper: above programs, for the case that it shares a core with them.
const TIMEKEEPER_PRIORITY: i32 = 2;
/// Nice value of a timekeeper without real-time priority: before all other ordinary threads.
const TIMEKEEPER_NICE: i32 = -20;

/// Whether a timekeeper may have real-time priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimekeeperPriority {
    /// Linux has another core, or its scheduler protects ordinary threads from a spinning one.
    RealTime,
    /// It would starve Linux's only core.
    Nice,
}

/// What to do where real-time priority is refused.
pub(super) const REMEDY: &str =
    "run as root, or raise RLIMIT_RTPRIO (`ulimit -r`); in a cgroup of version 1, give it cpu.rt_runtime_us";

/// Whether Linux gives threads of this process real-time priority, seen on a thread that ends at once.
pub(super) fn try_real_time() -> Result<(), io::Error> {
    let attempt = std::thread::Builder::new().spawn(|| set_real_time(0, PROGRAMS_PRIORITY))?;
    attempt.join().unwrap_or_else(|_| Err(io::Error::other("the thread that tried it ended")))
}

/// Moves a thread to its cores. The thread is known to belong to the machine.
pub(super) fn place(tree: Option<(&CpusetTree, &Claim)>, thread: &ThreadInfo) -> Result<(), String> {
    if let Some((tree, claim)) = tree {
        let moved = match thread.role {
            ThreadRole::Programs(core) if claim.cores.contains(core) => tree.enter(claim, thread.tid),
            role if claim.cores.contains(role.core()) => tree.enter(claim, thread.tid),
            _ => tree.leave(thread.tid),
        };
        moved.map_err(|error: FileError| error.to_string())?;
    }
    let cores = CoreSet::from(thread.role.core()).to_cpu_set();
    sched_setaffinity(Pid::from_raw(thread.tid), &cores)
        .map_err(|error| format!("cannot pin {} to core {}: {error}", thread.role.name(), thread.role.core()))
}

/// Gives a thread its priority.
pub(super) fn prioritise(thread: &ThreadInfo, timekeeper: TimekeeperPriority) -> Result<(), io::Error> {
    match (thread.role, timekeeper) {
        (ThreadRole::Programs(_), _) => set_real_time(thread.tid, PROGRAMS_PRIORITY),
        (ThreadRole::Timekeeper(_), TimekeeperPriority::RealTime) => {
            set_real_time(thread.tid, TIMEKEEPER_PRIORITY)
        }
        (ThreadRole::Timekeeper(_), TimekeeperPriority::Nice) => {
            Ok(rustix::process::setpriority_process(Pid::from_raw(thread.tid), TIMEKEEPER_NICE)?)
        }
        // They have time; on Linux's cores they are guests.
        (ThreadRole::Cleaner(_) | ThreadRole::Service(_) | ThreadRole::Control(_), _) => Ok(()),
    }
}

/// Of the calling thread, if `thread` is 0.
fn set_real_time(thread: i32, priority: i32) -> Result<(), io::Error> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: the call reads one `sched_param` from a valid address.
    match unsafe { libc::sched_setscheduler(thread, libc::SCHED_FIFO, &parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The outcome for the report, from what each thread said.
pub(super) fn scheduling_outcome(
    results: &[Result<(), io::Error>],
    timekeeper: TimekeeperPriority,
) -> Outcome {
    let refused = results.iter().find_map(|result| result.as_ref().err());
    match (refused, timekeeper) {
        (None, TimekeeperPriority::RealTime) => {
            Outcome::done("SCHED_FIFO for programs' threads and timekeeper")
        }
        (None, TimekeeperPriority::Nice) => Outcome::done(
            "SCHED_FIFO for programs' threads; the timekeeper is on Linux's only core and stays ordinary there",
        ),
        (Some(error), _) => Outcome::missing(format!("SCHED_FIFO: {error}"), REMEDY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_priority_is_reported_with_its_reason() {
        let refused = [Ok(()), Err(io::Error::from_raw_os_error(libc::EPERM))];
        let Outcome::Missing { why, .. } = scheduling_outcome(&refused, TimekeeperPriority::RealTime) else {
            panic!("not reported");
        };
        assert!(why.contains("Operation not permitted"), "{why}");
        let done = scheduling_outcome(&[Ok(())], TimekeeperPriority::Nice);
        assert!(matches!(done, Outcome::Done { .. }));
    }
}
