//! How a machine ended, and what follows from it: exit code, restart.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use crate::host::tier::RestoreReport;

/// How a machine process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineEnd {
    /// By itself, with a code.
    Exited(u8),
    /// By a signal.
    Signalled(i32),
}

/// A machine that has ended, with the host put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How the machine process ended last.
    pub end: MachineEnd,
    /// Whether it had booted before: if not, nothing ran.
    pub began: bool,
    /// The signal that asked for a clean end, if one did.
    pub stopped_by: Option<i32>,
    /// Times that it was restarted.
    pub restarts: u32,
    /// What was put back.
    pub restored: RestoreReport,
}

/// What to do when a machine crashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestartPolicy {
    /// End.
    #[default]
    Never,
    /// Start it again, unless it crashes too often.
    OnCrash {
        /// This many crashes ...
        times: u32,
        /// ... within this time are too often.
        within: Duration,
    },
}

/// Signals by which a process ends itself: a panic's abort, traps in its own code, a refused system call. Any other signal
/// came from outside, from somebody who wants it gone.
const CRASHES: [i32; 7] =
    [libc::SIGABRT, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGSYS];

impl MachineEnd {
    pub(super) fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            // Linux keeps 8 bits of an exit code.
            (Some(code), _) => Self::Exited((code & 0xff) as u8),
            (None, signal) => Self::Signalled(signal.unwrap_or(libc::SIGKILL)),
        }
    }

    /// Whether it ended itself by a fault.
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Signalled(signal) if CRASHES.contains(&signal))
    }
}

impl std::fmt::Display for MachineEnd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exited(code) => write!(formatter, "ended with code {code}"),
            Self::Signalled(signal) => write!(formatter, "was ended by signal {signal}"),
        }
    }
}

impl Ended {
    /// The process's exit code for it; see the [module](super).
    pub fn exit_code(&self) -> u8 {
        match self.end {
            MachineEnd::Exited(code) => code,
            // Signals are numbered up to 64.
            MachineEnd::Signalled(signal) => 128 + (signal & 0x7f) as u8,
        }
    }
}

/// Remembers crashes and decides about restarts.
#[derive(Debug)]
pub(super) struct Crashes {
    policy: RestartPolicy,
    recent: VecDeque<Instant>,
    pub(super) restarts: u32,
}

impl Crashes {
    pub(super) fn new(policy: RestartPolicy) -> Self {
        Self { policy, recent: VecDeque::new(), restarts: 0 }
    }

    /// Whether a machine that ended this way is to be started again.
    pub(super) fn restarts_after(&mut self, end: MachineEnd, now: Instant) -> bool {
        let RestartPolicy::OnCrash { times, within } = self.policy else { return false };
        if !end.is_crash() {
            return false;
        }
        self.recent.push_back(now);
        self.recent.retain(|crash| now.duration_since(*crash) <= within);
        let goes_on = self.recent.len() < times as usize;
        self.restarts += u32::from(goes_on);
        goes_on
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_as_documented() {
        let code = |end| {
            Ended { end, began: true, stopped_by: None, restarts: 0, restored: RestoreReport::default() }
                .exit_code()
        };
        assert_eq!(code(MachineEnd::of(ExitStatus::from_raw(0))), 0);
        assert_eq!(code(MachineEnd::of(ExitStatus::from_raw(3 << 8))), 3);
        assert_eq!(code(MachineEnd::of(ExitStatus::from_raw(libc::SIGKILL))), 137);
        assert_eq!(code(MachineEnd::of(ExitStatus::from_raw(libc::SIGABRT | 0x80))), 134);
    }

    #[test]
    fn a_machine_that_crashes_too_often_is_given_up() {
        let within = Duration::from_secs(60);
        let mut crashes = Crashes::new(RestartPolicy::OnCrash { times: 3, within });
        let (abort, start) = (MachineEnd::Signalled(libc::SIGABRT), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        assert!(crashes.restarts_after(abort, after(0)));
        assert!(crashes.restarts_after(abort, after(50)));
        // The first is forgotten by now.
        assert!(crashes.restarts_after(abort, after(100)));
        assert!(!crashes.restarts_after(abort, after(105)));
        assert_eq!(crashes.restarts, 3);
    }

    #[test]
    fn only_crashes_are_restarted_and_only_if_wanted() {
        let policy = RestartPolicy::OnCrash { times: 9, within: Duration::from_secs(1) };
        let now = Instant::now();
        for end in [MachineEnd::Exited(1), MachineEnd::Signalled(libc::SIGKILL)] {
            assert!(!Crashes::new(policy).restarts_after(end, now), "{end}");
        }
        assert!(
            !Crashes::new(RestartPolicy::Never).restarts_after(MachineEnd::Signalled(libc::SIGSEGV), now)
        );
    }
}
