//! Rivals: programs of Linux on the core that a machine's program would have, taken from Linux in the same way for the time of a turn.
//!
//! A shell waits for a word and then becomes the rival: so its process is there to be moved to the core before it measures anything. Its threads are put on the
//! core with it; the first one of cyclictest, which looks every 10 ms whether it is over, goes back to Linux's. (That of oslat just sleeps, and starts threads twice.)

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallows_bench::contestant::Description;
use hallows_bench::cores::realtime_is_allowed;
use hallows_bench::jitter::case::Turn;
use hallows_bench::jitter::told::{Line, Told};
use hallows_bench::jitter::{cyclictest, linux_thread, oslat};
use hallows_linux::host::core_locks::CoreLocks;
use hallows_linux::host::facts::KernelVersion;
use hallows_linux::host::runtime_dir::RuntimeDir;
use hallows_linux::host::tier::{HostClaim, TierLimit, TierReport, restore_leftovers};
use rustix::process::Signal;

use super::child::{Heard, Measuring, PATIENCE};
use super::machine::turn_of;
use super::stops::Stops;
use super::{Assignment, Contender, TurnError};
use crate::commands::stop::directory;
use crate::failure::Failure;

/// Becomes the rival at a word.
const SHELL: &str = r#"read -r _ && exec "$@""#;

/// What a claim is made with.
pub struct Ground {
    directory: RuntimeDir,
    kernel: KernelVersion,
}

impl Ground {
    /// Looks.
    ///
    /// # Errors
    /// When there can be no journal.
    pub fn find() -> Result<Self, Failure> {
        Ok(Self { directory: directory()?, kernel: KernelVersion::running() })
    }
}

/// Which rival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// rt-tests' measurement of wake-ups.
    Cyclictest,
    /// rt-tests' measurement of gaps.
    Oslat,
    /// A thread of Linux that spins, in this executable.
    LinuxThread,
}

/// A rival.
pub struct Guest<'a> {
    pub kind: Kind,
    pub ground: &'a Ground,
    pub stops: &'a Stops,
}

impl Contender for Guest<'_> {
    fn describe(&self, assignment: &Assignment<'_>) -> Description {
        let report = Path::new("/report.json");
        let (name, configuration) = match self.kind {
            Kind::Cyclictest => (cyclictest::PROGRAM, cyclictest_run(assignment, report).configuration()),
            Kind::Oslat => (oslat::PROGRAM, oslat_run(assignment, report).configuration()),
            Kind::LinuxThread => ("linux-thread", linux_thread::configuration()),
        };
        Description { name: name.to_owned(), configuration, cores_used: 1 }
    }

    fn turn(&mut self, assignment: &Assignment<'_>) -> Result<(Turn, TierReport), TurnError> {
        let folder = tempfile::tempdir().map_err(TurnError::wrong)?;
        let report = folder.path().join("report.json");
        let (program, arguments) = self.command(assignment, &report)?;
        // Let go of when the host has been put back: what is declared first is dropped last.
        let _locks = (assignment.limit == TierLimit::Best)
            .then(|| CoreLocks::take(&assignment.place.choice).map_err(TurnError::wrong))
            .transpose()?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SHELL, "sh"]).arg(program).args(arguments).stdin(Stdio::piped());
        let shell = Measuring::start(&mut command, self.stops, Signal::KILL)?;
        let process = shell.pid().cast_signed();
        let claim = self.claim(assignment, process)?;
        // Dropped first: it ends before the host is put back.
        let mut guest = shell;
        claim.lend(process).map_err(TurnError::Wrong)?;
        let mut input = guest.input().ok_or_else(|| TurnError::wrong("it has no standard input"))?;
        input.write_all(b"\n").map_err(TurnError::wrong)?;
        drop(input);
        let turn = match self.kind {
            Kind::LinuxThread => spins(assignment, guest)?,
            Kind::Cyclictest | Kind::Oslat => self.reports(assignment, guest, &claim, &report)?,
        };
        Ok((turn, claim.report().clone()))
    }
}

impl Guest<'_> {
    fn command(
        &self,
        assignment: &Assignment<'_>,
        report: &Path,
    ) -> Result<(PathBuf, Vec<String>), TurnError> {
        let installed = |program| {
            found(program).ok_or_else(|| {
                TurnError::Wrong(format!(
                    "not verified: {program} is not installed; it comes with rt-tests: `apt-get install rt-tests` (Debian, Ubuntu), \
                     `dnf install realtime-tests` (Fedora)"
                ))
            })
        };
        Ok(match self.kind {
            Kind::Cyclictest => {
                (installed(cyclictest::PROGRAM)?, cyclictest_run(assignment, report).arguments())
            }
            Kind::Oslat => (installed(oslat::PROGRAM)?, oslat_run(assignment, report).arguments()),
            Kind::LinuxThread => {
                let what = linux_thread::Run {
                    core: assignment.place.core,
                    period_ns: assignment.period_us * 1_000,
                    count: assignment.count,
                };
                let own = std::env::current_exe().map_err(TurnError::wrong)?;
                (own, vec!["bench".to_owned(), "--linux-thread".to_owned(), what.to_string()])
            }
        })
    }

    fn claim(&self, assignment: &Assignment<'_>, process: i32) -> Result<HostClaim, TurnError> {
        let Ground { directory, kernel } = self.ground;
        let place = assignment.place;
        if assignment.limit == TierLimit::Best {
            restore_leftovers(directory, &place.topology.online, *kernel).map_err(TurnError::wrong)?;
        }
        Ok(HostClaim::take(directory, &place.choice, &place.topology, *kernel, assignment.limit, process))
    }

    /// One whose second thread measures, and that writes a report in the end.
    fn reports(
        &self,
        assignment: &Assignment<'_>,
        mut guest: Measuring<'_>,
        claim: &HostClaim,
        report: &Path,
    ) -> Result<Turn, TurnError> {
        let process = guest.pid();
        let begin = Instant::now();
        while threads(process) < 2 {
            if guest.has_ended() {
                return Err(guest.ended());
            }
            if begin.elapsed() > PATIENCE {
                return Err(TurnError::wrong("it does not begin"));
            }
            guest.pause()?;
        }
        if self.kind == Kind::Cyclictest {
            claim.take_back(process.cast_signed()).map_err(TurnError::Wrong)?;
        }
        let measures = match self.kind {
            Kind::Oslat => Duration::from_secs(oslat_run(assignment, report).seconds),
            _ => Duration::from_micros(assignment.count.saturating_mul(assignment.period_us)),
        };
        let change = guest.count(assignment.place.core, process, measures, &mut |_| ())?;
        guest.finish(&mut |_| ())?;
        let report = std::fs::read_to_string(report).map_err(TurnError::wrong)?;
        let turn = if self.kind == Kind::Oslat { oslat::read(&report) } else { cyclictest::read(&report) };
        Ok(Turn { change, ..turn.map_err(TurnError::wrong)? })
    }
}

/// Our own thread, which tells what a cell tells.
fn spins(assignment: &Assignment<'_>, mut guest: Measuring<'_>) -> Result<Turn, TurnError> {
    let (process, begin) = (guest.pid(), Instant::now());
    let mut told = Told::default();
    let measures = loop {
        match guest.hear(begin + PATIENCE)? {
            Heard::Line(line) => {
                if let Line::Begins(microseconds) = told.hear(&line) {
                    break Duration::from_micros(microseconds);
                }
            }
            Heard::End => return Err(guest.ended()),
            Heard::Time => return Err(TurnError::wrong("it does not begin")),
        }
    };
    let mut hear = |line: &str| {
        told.hear(line);
    };
    let change = guest.count(assignment.place.core, process, measures, &mut hear)?;
    guest.finish(&mut hear)?;
    Ok(turn_of(told, assignment.how, change))
}

fn cyclictest_run<'a>(assignment: &Assignment<'_>, report: &'a Path) -> cyclictest::Run<'a> {
    let place = assignment.place;
    cyclictest::Run {
        core: place.core,
        first_thread: (!assignment.is_lent()).then_some(place.other_core),
        period_us: assignment.period_us,
        count: assignment.count,
        is_realtime: realtime_is_allowed(),
        report,
    }
}

fn oslat_run<'a>(assignment: &Assignment<'_>, report: &'a Path) -> oslat::Run<'a> {
    let place = assignment.place;
    let microseconds = assignment.count.saturating_mul(assignment.period_us);
    oslat::Run {
        core: place.core,
        first_thread: if assignment.is_lent() { place.core } else { place.other_core },
        seconds: microseconds.div_ceil(1_000_000).max(1),
        is_realtime: realtime_is_allowed(),
        report,
    }
}

/// Where a program is that can be started by its name.
fn found(program: &str) -> Option<PathBuf> {
    // Of Debian's tools for root, some are not in everybody's path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    let mut files = folders.map(|folder| folder.join(program));
    files.find(|file| rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok() && file.is_file())
}

fn threads(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, |entries| entries.flatten().count())
}
