//! Locks the machine's memory, so that Linux neither swaps it out nor moves it while programs run.

use rustix::mm::{MlockAllFlags, MlockFlags, mlock_with, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::reserve::Reserve;
use crate::host::quantity::ByteSize;
use crate::host::tier::{Outcome, Step, StepName};

/// What could be locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "locked")]
pub enum LockReport {
    /// Code, stacks and the budget, now and as they grow.
    Everything,
    /// Only the budget.
    BudgetOnly {
        /// Why not the rest.
        why: String,
    },
    /// Nothing.
    Nothing {
        /// Why.
        why: String,
        /// What would change that.
        remedy: String,
    },
}

impl LockReport {
    /// As a step of the tier report.
    pub fn step(&self) -> Step {
        let outcome = match self {
            Self::Everything => {
                Outcome::Done { how: "all memory of the machine, also what it maps later".to_owned() }
            }
            Self::BudgetOnly { why } => {
                Outcome::Done { how: format!("the programs' memory, not the rest: {why}") }
            }
            Self::Nothing { why, remedy } => Outcome::Missing { why: why.clone(), remedy: remedy.clone() },
        };
        Step { name: StepName::Memory, outcome }
    }
}

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

/// Locks what the process has mapped so far, as it is touched: its code, its data, its heap. For a machine, before it reserves the
/// address space of programs' memories, which it gives back and takes again page by page.
///
/// # Errors
/// Why it is not allowed, for people.
pub fn lock_what_is_touched() -> Result<(), String> {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::ONFAULT)
        .map_err(|error| format!("{error} (the limit of locked memory is too low)"))
}

/// Locks all memory of the process as it is touched, or at least the budget. Touches nothing itself. Call it before
/// [`Confined::enter`](crate::host::jail::Confined::enter), which gives up CAP_IPC_LOCK.
///
/// Pages that are not there yet are locked when they come, so this takes microseconds and population stays in the
/// background. Everything is only locked where the limit is off: under a limit, a process without the capability could
/// map no more memory once its locked size exceeds it.
pub fn lock_everything(reserve: &Reserve) -> LockReport {
    let limit = getrlimit(Resource::Memlock).current;
    let all = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    if limit.is_none() && mlockall(all).is_ok() {
        return LockReport::Everything;
    }
    // SAFETY: the range belongs to `reserve`; locking changes no content.
    let budget = unsafe { mlock_with(reserve.base().as_ptr().cast(), reserve.bytes(), MlockFlags::ONFAULT) };
    let limit = match limit {
        Some(bytes) => format!("RLIMIT_MEMLOCK is {}", ByteSize(bytes)),
        None => "RLIMIT_MEMLOCK is unlimited".to_owned(),
    };
    match budget {
        Ok(()) => LockReport::BudgetOnly { why: limit },
        Err(error) => LockReport::Nothing {
            why: format!("{error}; {limit}, the budget is {}", ByteSize(reserve.bytes() as u64)),
            remedy: "raise the limit (`ulimit -l`, LimitMEMLOCK= of systemd, /etc/security/limits.conf) or run as root"
                .to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::memory::Backing;
    use crate::host::test_support::in_child;

    /// Locked bytes of this process, read without allocating more than a little.
    fn locked_bytes() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().trim().parse::<u64>().unwrap() * 1024
    }

    #[test]
    fn what_is_reported_as_locked_is_locked() {
        assert!(in_child(|| {
            let reserve = Reserve::new(ByteSize(4 << 20), Backing::Private).unwrap();
            raise_lock_limit();
            match lock_everything(&reserve) {
                LockReport::Nothing { .. } => locked_bytes() == 0,
                _ => locked_bytes() >= 4 << 20,
            }
        }));
    }

    #[test]
    fn a_low_limit_is_reported_with_its_value() {
        assert!(in_child(|| {
            let reserve = Reserve::new(ByteSize(4 << 20), Backing::Private).unwrap();
            let limit = Rlimit { current: Some(64 << 10), maximum: Some(64 << 10) };
            setrlimit(Resource::Memlock, limit).unwrap();
            // Root locks whatever the limit says, so the capability has to go.
            let _ = rustix::thread::set_capabilities(
                None,
                rustix::thread::CapabilitySets {
                    effective: rustix::thread::CapabilitySet::empty(),
                    permitted: rustix::thread::CapabilitySet::empty(),
                    inheritable: rustix::thread::CapabilitySet::empty(),
                },
            );
            match lock_everything(&reserve) {
                LockReport::Nothing { why, .. } => {
                    why.contains("RLIMIT_MEMLOCK is 64 KiB, the budget is 4 MiB")
                }
                _ => false,
            }
        }));
    }
}
