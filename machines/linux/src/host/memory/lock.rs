//! Locks the machine's memory, so that Linux neither swaps it out nor moves it while programs run.

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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

/// Locks what the process has mapped so far, as it is touched: its code, its data, its heap. For a machine, before it reserves the
/// address space of programs' memories, whose pages are locked one by one.
///
/// # Errors
/// As a step's outcome.
pub fn lock_what_is_touched() -> Result<(), Outcome> {
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::ONFAULT).map_err(|error| {
        Outcome::missing(format!("{error}: the machine's own code and data; {}", limit_in_words()), REMEDY)
    })
}

/// Whether the limit lets a machine lock its budget, in bytes, too.
///
/// # Errors
/// As a step's outcome.
pub fn may_lock(budget: u64) -> Result<(), Outcome> {
    match getrlimit(Resource::Memlock).current {
        Some(limit) if limit < budget => {
            Err(Outcome::missing(format!("{}, the budget is {}", limit_in_words(), ByteSize(budget)), REMEDY))
        }
        _ => Ok(()),
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
            match lock_what_is_touched() {
                Ok(()) => locked_bytes() > 0,
                Err(_) => locked_bytes() == 0,
            }
        }));
    }

    #[test]
    fn a_low_limit_is_reported_with_its_value() {
        assert!(in_child(|| {
            let limit = Rlimit { current: Some(64 << 10), maximum: Some(64 << 10) };
            setrlimit(Resource::Memlock, limit).unwrap();
            match may_lock(4 << 20) {
                Err(Outcome::Missing { why, remedy }) => {
                    why == "RLIMIT_MEMLOCK is 64 KiB, the budget is 4 MiB"
                        && remedy.contains("ulimit -l")
                        && may_lock(64 << 10).is_ok()
                }
                _ => false,
            }
        }));
    }
}
