//! Locks the machine's memory, so that Linux neither swaps it out nor moves it while programs run.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::CapabilitySet;

use crate::host::quantity::ByteSize;
use crate::host::tier::Outcome;

/// What would let a machine lock its memory.
const REMEDY: &str =
    "raise the limit (`ulimit -l`, LimitMEMLOCK= of systemd, /etc/security/limits.conf) or run as root";

/// Raises the limit of lockable memory as far as this process may: without bound with CAP_SYS_RESOURCE, else to the
/// hard limit. Do it before privileges are dropped: later mappings count against the limit too.
pub fn raise_lock_limit() {
    let unbounded = Rlimit { current: None, maximum: None };
    if setrlimit(Resource::Memlock, unbounded).is_err() {
        let limit = getrlimit(Resource::Memlock);
        // Raising to the hard limit is always allowed; what is reached shows in the report.
        let _ = setrlimit(Resource::Memlock, Rlimit { current: limit.maximum, ..limit });
    }
}

/// What decides how much a machine may lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockMeans {
    /// RLIMIT_MEMLOCK as far as it can be raised, in bytes; `None` is no limit.
    pub limit: Option<u64>,
    /// Who has CAP_IPC_LOCK locks whatever the limit says.
    pub has_capability: bool,
}

impl LockMeans {
    /// Those of this process.
    pub fn own() -> Self {
        let effective =
            rustix::thread::capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
        let can_raise = effective.contains(CapabilitySet::SYS_RESOURCE);
        let limit = getrlimit(Resource::Memlock).maximum.filter(|_| !can_raise);
        Self { limit, has_capability: effective.contains(CapabilitySet::IPC_LOCK) }
    }

    /// What [`Locking::begin`] of a machine with such a budget would come to.
    pub fn outcome(&self, budget: u64) -> Outcome {
        match self.limit {
            _ if self.has_capability => Locking::Everything.outcome(),
            None => Locking::Everything.outcome(),
            Some(limit) if limit >= budget => Locking::Programs.outcome(),
            Some(limit) => Outcome::missing(
                format!("RLIMIT_MEMLOCK is {}, the budget is {}", ByteSize(limit), ByteSize(budget)),
                REMEDY,
            ),
        }
    }
}

/// What of a machine is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locking {
    /// All that it has mapped: code, data, and the address space that programs get their memory in, each page when it comes.
    Everything,
    /// What programs get, each page when it is populated; the budget is below the limit.
    Programs,
    /// Nothing.
    Nothing {
        /// As a step's outcome.
        outcome: Outcome,
    },
}

impl Locking {
    /// Locks what the process has mapped so far, as it is touched, if it may; else sees whether a budget of so many bytes may be
    /// locked page by page. For a machine, when it has reserved the address space of its programs' memories and before it gives up
    /// CAP_IPC_LOCK.
    pub fn begin(budget: u64) -> Self {
        let limit = getrlimit(Resource::Memlock).current;
        let mut all = MlockAllFlags::CURRENT | MlockAllFlags::ONFAULT;
        // What is mapped later counts against the limit, and would fail there.
        all.set(MlockAllFlags::FUTURE, limit.is_none());
        match (mlockall(all), limit) {
            (Ok(()), _) => Self::Everything,
            (Err(_), Some(limit)) if limit >= budget => Self::Programs,
            (Err(error), _) => Self::Nothing {
                outcome: Outcome::missing(
                    format!("{error}: {}, the budget is {}", limit_in_words(), ByteSize(budget)),
                    REMEDY,
                ),
            },
        }
    }

    /// As a step's outcome.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Everything => Outcome::done("the machine's own, and what programs get"),
            Self::Programs => Outcome::done("what programs get; the machine's own is above the limit"),
            Self::Nothing { outcome } => outcome.clone(),
        }
    }
}

fn limit_in_words() -> String {
    match getrlimit(Resource::Memlock).current {
        Some(bytes) => format!("RLIMIT_MEMLOCK is {}", ByteSize(bytes)),
        None => "RLIMIT_MEMLOCK is unlimited".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::in_child;

    /// Locked bytes of this process.
    fn locked_bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    #[test]
    fn what_is_said_to_be_locked_is_locked() {
        assert!(in_child(|| {
            raise_lock_limit();
            match Locking::begin(1 << 20) {
                Locking::Everything => locked_bytes() > 1 << 20,
                Locking::Programs | Locking::Nothing { .. } => locked_bytes() == 0,
            }
        }));
    }

    #[test]
    fn what_is_expected_is_what_happens() {
        for limit in [64 << 10, 8 << 20] {
            assert!(in_child(|| {
                let none = CapabilitySet::empty();
                let none =
                    rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
                setrlimit(Resource::Memlock, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
                let _ = rustix::thread::set_capabilities(None, none);
                let expected = LockMeans::own().outcome(4 << 20);
                std::mem::discriminant(&expected)
                    == std::mem::discriminant(&Locking::begin(4 << 20).outcome())
            }));
        }
    }

    #[test]
    fn a_low_limit_is_reported_with_its_value() {
        assert!(in_child(|| {
            let limit = Rlimit { current: Some(64 << 10), maximum: Some(64 << 10) };
            setrlimit(Resource::Memlock, limit).unwrap();
            // Root locks whatever the limit says, so the capability has to go.
            let none = CapabilitySet::empty();
            let none = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
            let _ = rustix::thread::set_capabilities(None, none);
            let Outcome::Missing { why, remedy } = Locking::begin(4 << 20).outcome() else { return false };
            why.contains("RLIMIT_MEMLOCK is 64 KiB, the budget is 4 MiB")
                && remedy.contains("ulimit -l")
                && Locking::begin(64 << 10) == Locking::Programs
        }));
    }
}
