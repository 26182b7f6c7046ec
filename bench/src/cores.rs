//! Which cores are measured on, and threads that stay there.

use std::fmt;
use std::sync::OnceLock;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use crate::error::BenchError;

/// Real-time priority of rivals: the lowest one is already above every ordinary thread, and below the kernel's own.
const FIFO_PRIORITY: libc::c_int = 1;

/// A core by Linux's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Core(pub usize);

impl fmt::Display for Core {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The cores of a run, in order; ours and rivals use the same ones. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cores(Vec<Core>);

impl Cores {
    /// The first two cores that this process may use (one, if it has only one).
    ///
    /// # Errors
    /// [`BenchError::System`] if the kernel does not tell.
    pub fn default_pair() -> Result<Self, BenchError> {
        Ok(Self(allowed()?.into_iter().take(2).collect()))
    }

    /// Parses a list as Linux writes it: `0-1`, `2,3`, `1-3,8`.
    ///
    /// # Errors
    /// [`BenchError::Argument`] if it is not such a list or names a core twice or one that this process may not use.
    pub fn parse(text: &str) -> Result<Self, BenchError> {
        Self::parse_among(text, &allowed()?)
    }

    fn parse_among(text: &str, allowed: &[Core]) -> Result<Self, BenchError> {
        let bad =
            || BenchError::Argument(format!("'{text}' is no list of cores; write for example 0-1 or 2,3"));
        let mut cores = Vec::new();
        for part in text.split(',') {
            let (low, high) = part.split_once('-').unwrap_or((part, part));
            let (low, high): (usize, usize) =
                (low.trim().parse().map_err(|_| bad())?, high.trim().parse().map_err(|_| bad())?);
            if low > high {
                return Err(bad());
            }
            for number in low..=high {
                if !allowed.contains(&Core(number)) {
                    let allowed = Self(allowed.to_vec());
                    let text = format!("core {number} is not ours to use; this process may use {allowed}");
                    return Err(BenchError::Argument(text));
                }
                if cores.contains(&Core(number)) {
                    return Err(BenchError::Argument(format!("core {number} is named twice in '{text}'")));
                }
                cores.push(Core(number));
            }
        }
        Ok(Self(cores))
    }

    /// The core of everything that runs on one core.
    #[must_use]
    pub fn first(&self) -> Core {
        self.0[0]
    }

    /// The other core of everything that crosses cores.
    ///
    /// # Errors
    /// [`BenchError::Unavailable`] if the run has one core only.
    pub fn second(&self) -> Result<Core, BenchError> {
        self.0.get(1).copied().ok_or_else(|| BenchError::Unavailable {
            missing: "a second core".to_owned(),
            remedy: "give two with --cores, for example --cores 0-1".to_owned(),
        })
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Core] {
        &self.0
    }
}

impl fmt::Display for Cores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, core) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(formatter, "{comma}{core}")?;
        }
        Ok(())
    }
}

/// How urgent a thread is to Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// As it comes: the fair scheduler.
    Ordinary,
    /// `SCHED_IDLE`: only when no ordinary thread wants the core.
    WhenIdle,
    /// `SCHED_FIFO` if this process may, else as it comes; [`realtime_is_allowed`] tells which.
    RealtimeIfAllowed,
    /// `SCHED_RR` if this process may, else as it comes: in turns with others like it, of the kernel's own length.
    RoundRobinIfAllowed,
}

/// Runs `work` on a new thread pinned to `core` and waits for it; the calling thread's own settings stay.
///
/// # Errors
/// [`BenchError::System`] if the thread cannot be made or pinned.
///
/// # Panics
/// If `work` does.
pub fn on_core<T: Send>(
    core: Core,
    priority: Priority,
    work: impl FnOnce() -> T + Send,
) -> Result<T, BenchError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name(format!("bench-{core}"))
            .spawn_scoped(scope, || settle(core, priority).map(|()| work()))
            .map_err(BenchError::system("start a thread"))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Runs `work` on a new thread that may use all of `cores`, at ordinary priority, and waits for it; processes that it
/// starts are confined likewise.
///
/// # Errors
/// [`BenchError::System`] if the thread cannot be made or confined.
///
/// # Panics
/// If `work` does.
pub fn on_cores<T: Send>(cores: &Cores, work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| confine(cores.all()).map(|()| work()));
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Pins the calling thread and sets its priority.
///
/// # Errors
/// [`BenchError::System`] if it may not run there.
pub fn settle(core: Core, priority: Priority) -> Result<(), BenchError> {
    confine(&[core])?;
    match priority {
        Priority::Ordinary => Ok(()),
        Priority::WhenIdle => schedule_by(libc::SCHED_IDLE, 0),
        _ if !realtime_is_allowed() => Ok(()),
        Priority::RealtimeIfAllowed => schedule_by(libc::SCHED_FIFO, FIFO_PRIORITY),
        Priority::RoundRobinIfAllowed => schedule_by(libc::SCHED_RR, FIFO_PRIORITY),
    }
}

fn confine(cores: &[Core]) -> Result<(), BenchError> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(core.0).map_err(BenchError::system("name a core"))?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).map_err(BenchError::system("pin a thread to its cores"))
}

/// Whether this process may have `SCHED_FIFO` threads (root, `CAP_SYS_NICE` or an rtprio limit).
pub fn realtime_is_allowed() -> bool {
    static ALLOWED: OnceLock<bool> = OnceLock::new();
    // A thread of its own, which keeps the priority to itself and ends at once.
    *ALLOWED.get_or_init(|| {
        std::thread::spawn(|| schedule_by(libc::SCHED_FIFO, FIFO_PRIORITY))
            .join()
            .is_ok_and(|result| result.is_ok())
    })
}

fn schedule_by(policy: libc::c_int, priority: libc::c_int) -> Result<(), BenchError> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: 0 means the calling thread, and `parameters` outlives the call.
    match unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(BenchError::last_os("set a thread's scheduling policy")),
    }
}

fn allowed() -> Result<Vec<Core>, BenchError> {
    let set = sched_getaffinity(Pid::from_raw(0)).map_err(BenchError::system("ask for the allowed cores"))?;
    Ok((0..CpuSet::count()).filter(|number| set.is_set(*number).unwrap_or(false)).map(Core).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Cores, BenchError> {
        Cores::parse_among(text, &[Core(0), Core(1), Core(2), Core(5)])
    }

    #[test]
    fn lists_are_read_as_linux_writes_them() {
        assert_eq!(parse("0").expect("valid").all(), [Core(0)]);
        assert_eq!(parse("1-2,0").expect("valid").all(), [Core(1), Core(2), Core(0)]);
        assert_eq!(parse("0-2,5").expect("valid").to_string(), "0,1,2,5");
    }

    #[test]
    fn nonsense_and_foreign_cores_are_refused_with_advice() {
        for text in ["", "x", "2-1", "1,", "-1", "0-", "1 2"] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains("write for example"), "{error}");
        }
        assert_eq!(
            parse("2-5").expect_err("3").to_string(),
            "core 3 is not ours to use; this process may use 0,1,2,5"
        );
        assert!(parse("0,0").expect_err("twice").to_string().contains("twice"));
    }

    #[test]
    fn one_core_has_no_second_and_says_what_to_give() {
        assert!(parse("5").expect("valid").second().expect_err("one").to_string().contains("--cores"));
    }

    #[test]
    fn work_runs_on_its_core_and_leaves_the_caller_alone() {
        let before = allowed().expect("readable");
        let core = before[before.len() - 1];
        let inside = on_core(core, Priority::RealtimeIfAllowed, allowed).expect("pinned").expect("readable");
        assert_eq!(inside, [core]);
        assert_eq!(allowed().expect("readable"), before);
    }
}
