//! Limits of the process that matter where it has files of the host open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
