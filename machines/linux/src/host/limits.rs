//! Limits of the process that matter where it has files of the host open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that a parent and a machine need before any program has opened a file.
const LEAST_DESCRIPTORS: u64 = 64;

/// Why a machine cannot be started with the limits of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this process may have {limit} files open, and a machine needs {LEAST_DESCRIPTORS}: raise the limit (`ulimit -n 1024`, or ask who set it)"
)]
pub struct TooFewDescriptors {
    /// What it may have.
    pub limit: u64,
}

/// Makes the limits of this process those that a parent needs: as many descriptors as a machine takes, and a file that would grow beyond the limit
/// for files (`ulimit -f`) is an error of that write, not the end of this process.
///
/// # Errors
/// When it may not have so many descriptors.
pub fn prepare_parent() -> Result<(), TooFewDescriptors> {
    // SAFETY: ignores a signal; no handler of ours is involved.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= LEAST_DESCRIPTORS);
    if is_enough(limit.current) {
        return Ok(());
    }
    // Raising to the hard limit is always allowed.
    if is_enough(limit.maximum)
        && setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).is_ok()
    {
        return Ok(());
    }
    Err(TooFewDescriptors { limit: limit.maximum.unwrap_or(u64::MAX) })
}

/// As many descriptors as may be had; and a file that would grow beyond the limit for files (`ulimit -f`) is an error of that write, not the end of
/// this process.
pub fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    // Raising to the hard limit is always allowed; with less, fewer files are open at once.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    // SAFETY: ignores a signal; no handler of ours is involved.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::in_child;

    #[test]
    fn a_parent_takes_the_descriptors_that_it_may_have_and_says_if_they_are_too_few() {
        assert!(in_child(|| {
            let set = |current, maximum| {
                setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum: Some(maximum) }).is_ok()
            };
            let takes_them = set(10, 100) && prepare_parent().is_ok();
            let has = getrlimit(Resource::Nofile).current;
            takes_them
                && has == Some(100)
                && set(10, 63)
                && prepare_parent() == Err(TooFewDescriptors { limit: 63 })
        }));
    }

    #[test]
    fn descriptors_are_as_many_as_may_be_had_and_a_file_that_is_too_long_is_an_error() {
        assert!(in_child(|| {
            let most = getrlimit(Resource::Nofile).maximum;
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum: most });
            allow_many_files();
            let file = rustix::fs::memfd_create("long", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
            setrlimit(Resource::Fsize, Rlimit { current: Some(10), maximum: Some(10) }).unwrap();
            getrlimit(Resource::Nofile).current == most
                && rustix::io::pwrite(&file, b"too long", 8) == Ok(2)
                && rustix::io::pwrite(&file, b"too long", 10) == Err(rustix::io::Errno::FBIG)
        }));
    }
}
