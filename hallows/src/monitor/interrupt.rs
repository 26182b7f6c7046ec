//! Ctrl-C while a command works: it ends that command, and not the monitor, with which its machine may end.
//!
//! While a line is edited the terminal gives single keys, and Ctrl-C is one of them; while a command works it is a signal.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::SIGINT;

/// The exit code of what was interrupted, as a shell has it.
pub const INTERRUPTED: u8 = 130;

/// Interrupts of this process, which end nothing by themselves from now on. Readable when one has come.
pub struct Interrupts(UnixStream);

impl Interrupts {
    /// Takes them.
    ///
    /// # Errors
    /// When Linux gives no more descriptors.
    pub fn take() -> io::Result<Self> {
        let (read, written) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(SIGINT, written)?;
        Ok(Self(read))
    }

    /// Forgets those that have come.
    pub fn forget(&self) {
        let mut buffer = [0; 64];
        while matches!((&self.0).read(&mut buffer), Ok(1..)) {}
    }

    /// Waits so long; whether one came, at once when it does.
    pub fn come_within(&self, duration: Duration) -> bool {
        let deadline = Instant::now().checked_add(duration);
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut [PollFd::new(&self.0, PollFlags::IN)], left.as_ref()) {
                Err(rustix::io::Errno::INTR) => {}
                ready => return matches!(ready, Ok(1..)),
            }
        }
    }
}

impl AsFd for Interrupts {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
