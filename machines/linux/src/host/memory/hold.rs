//! Holds the part of a machine's budget that no program has: pages of a file in memory, given back as programs get theirs.
//!
//! Problem: Linux promises more memory than it has, so a machine whose budget fitted at its start could find none when its programs
//! grow. Rule: the cleaner takes the whole budget in the background. What programs have is populated where they have it; the rest is
//! held here, as a file that nobody maps, so that giving pages back disturbs no core. Consequence: the budget is taken from the
//! host once, and a host that runs short later does so at the expense of others.
//!
//! Not promised: between giving a page back and a program's taking one, somebody else may be quicker.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, ftruncate, memfd_create};
use rustix::io::Errno;

/// Bytes taken or given back in one system call: about half a millisecond, after which the caller can see to other things.
const SLICE_BYTES: u64 = 1 << 20;

/// The held part of a budget. One thread changes it; all may look.
#[derive(Debug)]
pub struct Hold {
    file: OwnedFd,
    held_bytes: AtomicU64,
}

impl Hold {
    /// Holds nothing yet.
    ///
    /// # Errors
    /// When the host gives no file in memory.
    pub fn new() -> io::Result<Self> {
        let file = memfd_create(c"hallows-budget", MemfdFlags::CLOEXEC)?;
        Ok(Self { file, held_bytes: AtomicU64::new(0) })
    }

    /// How much it holds, in bytes.
    pub fn held_bytes(&self) -> u64 {
        // Relaxed here and below: a figure to show.
        self.held_bytes.load(Ordering::Relaxed)
    }

    /// Takes or gives back one slice on the way to holding `wanted` bytes (whole slices of it). Returns whether there is more to do.
    ///
    /// # Errors
    /// When the host has no memory left; what is held stays held.
    pub fn settle(&self, wanted: u64) -> io::Result<bool> {
        let wanted = wanted - wanted % SLICE_BYTES;
        let held = self.held_bytes();
        let now = if held < wanted {
            self.take(held)?;
            held + SLICE_BYTES
        } else if held > wanted {
            // Cut off at the end: the pages are free at once.
            ftruncate(&self.file, held - SLICE_BYTES)?;
            held - SLICE_BYTES
        } else {
            return Ok(false);
        };
        self.held_bytes.store(now, Ordering::Relaxed);
        Ok(now != wanted)
    }

    fn take(&self, at: u64) -> io::Result<()> {
        loop {
            match fallocate(&self.file, FallocateFlags::empty(), at, SLICE_BYTES) {
                Err(Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(hold: &Hold, wanted: u64) {
        while hold.settle(wanted).unwrap() {}
    }

    fn taken_from_the_host(hold: &Hold) -> u64 {
        // In units of 512 bytes, whatever the file system (stat(2)).
        u64::try_from(rustix::fs::fstat(&hold.file).unwrap().st_blocks).unwrap() * 512
    }

    #[test]
    fn what_is_held_is_really_taken_and_really_given_back() {
        let hold = Hold::new().unwrap();
        for wanted in [5 << 20, 2 << 20, (9 << 20) + 4096, 0] {
            settle(&hold, wanted);
            assert_eq!(hold.held_bytes(), wanted & !(SLICE_BYTES - 1));
            assert_eq!(taken_from_the_host(&hold), hold.held_bytes());
        }
    }

    #[test]
    fn it_comes_in_slices_so_that_the_cleaner_has_time_for_others() {
        let hold = Hold::new().unwrap();
        assert!(hold.settle(3 * SLICE_BYTES).unwrap());
        assert_eq!(hold.held_bytes(), SLICE_BYTES);
        assert!(hold.settle(3 * SLICE_BYTES).unwrap());
        assert!(!hold.settle(3 * SLICE_BYTES).unwrap());
    }

    #[test]
    fn what_the_host_does_not_have_is_an_error_and_the_rest_stays() {
        use crate::host::test_support::in_child;
        assert!(in_child(|| {
            let hold = Hold::new().unwrap();
            let limit = rustix::process::Rlimit { current: Some(2 << 20), maximum: Some(2 << 20) };
            rustix::process::setrlimit(rustix::process::Resource::Fsize, limit).unwrap();
            // A file over the limit is a signal, too.
            // SAFETY: ignores a signal; no handler of ours is involved.
            unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
            let ended = loop {
                match hold.settle(4 << 20) {
                    Ok(true) => {}
                    other => break other,
                }
            };
            ended.is_err() && hold.held_bytes() == 2 << 20
        }));
    }
}
