//! Counts how often the threads of a process were put on a core: the wake-ups of an idle machine.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::BenchError;

/// Context switches over an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// The thread gave up its core: it slept and was woken again.
    pub voluntary: u64,
    /// The scheduler took the core away.
    pub involuntary: u64,
    /// Threads that began in the interval; all of their switches are counted.
    pub threads_begun: u64,
    /// Threads that ended in the interval; their last switches are lost, so this must be 0 for a figure to be right.
    pub threads_ended: u64,
}

impl Switches {
    /// All switches.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.voluntary + self.involuntary
    }
}

/// The counters of every thread of a process at one moment.
pub struct Snapshot(BTreeMap<u32, Counters>);

#[derive(Clone, Copy, Default)]
struct Counters {
    voluntary: u64,
    involuntary: u64,
}

impl Snapshot {
    /// Reads `/proc/PID/task/*/status`. This itself wakes nobody in the process.
    ///
    /// # Errors
    /// [`BenchError::System`] if there is no such process or it is not ours to see.
    pub fn of(process: u32) -> Result<Self, BenchError> {
        let tasks = Path::new("/proc").join(process.to_string()).join("task");
        let failed = "read the threads of a process";
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(tasks).map_err(BenchError::system(failed))? {
            let entry = entry.map_err(BenchError::system(failed))?;
            let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            match fs::read_to_string(entry.path().join("status")) {
                Ok(status) => _ = threads.insert(thread, counters(&status)?),
                // It ended between the listing and the reading.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::ESRCH)) => {}
                Err(error) => return Err(BenchError::system(failed)(error)),
            }
        }
        Ok(Self(threads))
    }

    /// What happened from this snapshot to a later one.
    #[must_use]
    pub fn until(&self, later: &Self) -> Switches {
        let mut switches = Switches::default();
        for (thread, now) in &later.0 {
            let before = self.0.get(thread).copied();
            switches.threads_begun += u64::from(before.is_none());
            let before = before.unwrap_or_default();
            switches.voluntary += now.voluntary.saturating_sub(before.voluntary);
            switches.involuntary += now.involuntary.saturating_sub(before.involuntary);
        }
        switches.threads_ended = self.0.keys().filter(|thread| !later.0.contains_key(thread)).count() as u64;
        switches
    }
}

/// Switches of a process in the next `interval`; sleeps meanwhile.
///
/// # Errors
/// As [`Snapshot::of`]; [`BenchError::Wrong`] if a thread ended, since then some switches are unknown.
pub fn during(process: u32, interval: Duration) -> Result<Switches, BenchError> {
    let (begin, before) = (Instant::now(), Snapshot::of(process)?);
    std::thread::sleep(interval.saturating_sub(begin.elapsed()));
    let switches = before.until(&Snapshot::of(process)?);
    if switches.threads_ended > 0 {
        let text = format!("{} threads ended while wake-ups were counted", switches.threads_ended);
        return Err(BenchError::Wrong(text));
    }
    Ok(switches)
}

fn counters(status: &str) -> Result<Counters, BenchError> {
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim_start_matches(':').trim().parse::<u64>().ok()).ok_or_else(|| {
            BenchError::System {
                action: "find context switches in a thread's status",
                source: io::Error::from(io::ErrorKind::InvalidData),
            }
        })
    };
    Ok(Counters {
        voluntary: value("voluntary_ctxt_switches")?,
        involuntary: value("nonvoluntary_ctxt_switches")?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_is_woken_ten_times_is_counted_ten_times_or_more() {
        let (wake, sleep) = mpsc::sync_channel::<()>(0);
        let (awake, woken) = mpsc::sync_channel::<()>(0);
        let sleeper = std::thread::spawn(move || {
            while sleep.recv().is_ok() {
                awake.send(()).expect("the test is waiting");
            }
        });
        let before = Snapshot::of(std::process::id()).expect("our own process");
        for _ in 0..10 {
            wake.send(()).expect("the sleeper is there");
            woken.recv().expect("the sleeper answers");
        }
        let switches = before.until(&Snapshot::of(std::process::id()).expect("our own process"));
        assert!(switches.total() >= 10, "{switches:?}");
        drop(wake);
        sleeper.join().expect("it ends");
    }

    #[test]
    fn threads_that_begin_and_end_are_noticed() {
        let snapshot = |threads: &[(u32, u64)]| {
            Snapshot(
                threads
                    .iter()
                    .map(|(id, voluntary)| (*id, Counters { voluntary: *voluntary, involuntary: 1 }))
                    .collect(),
            )
        };
        let switches = snapshot(&[(1, 5), (2, 9)]).until(&snapshot(&[(1, 8), (3, 4)]));
        assert_eq!(switches, Switches { voluntary: 7, involuntary: 1, threads_begun: 1, threads_ended: 1 });
    }

    #[test]
    fn a_sleeping_process_that_nobody_wakes_has_no_switches() {
        // Blocked on a pipe that we hold: nothing wakes it.
        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("cat starts");
        let (mut input, mut output) =
            (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        io::Write::write_all(&mut input, b"x").expect("written");
        io::Read::read_exact(&mut output, &mut [0]).expect("cat is up and has answered");
        // It may still be on its way back to sleep: wait until the kernel says that it sleeps.
        let stat = format!("/proc/{}/stat", child.id());
        while !fs::read_to_string(&stat).expect("it lives").contains(") S ") {
            std::thread::yield_now();
        }
        let switches = during(child.id(), Duration::from_millis(50)).expect("it lives");
        drop(input);
        child.wait().expect("it ends");
        assert_eq!(switches.total(), 0, "{switches:?}");
    }

    #[test]
    fn a_process_that_does_not_exist_is_an_error() {
        assert!(Snapshot::of(u32::MAX).is_err());
    }
}
