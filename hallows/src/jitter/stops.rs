//! Signals that want this command to end: it ends what it has started first, which puts the host back, and gives back what it has taken itself.

use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::failure::Failure;

/// The signals of this process, which end nothing by themselves from now on. Readable when one has come.
pub struct Stops {
    read: UnixStream,
    last: Arc<AtomicUsize>,
}

impl Stops {
    /// Takes them.
    ///
    /// # Errors
    /// When Linux gives no more descriptors.
    pub fn take() -> io::Result<Self> {
        let last = Arc::new(AtomicUsize::new(0));
        let (read, written) = UnixStream::pair()?;
        read.set_nonblocking(true)?;
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            // Which one it was is known before anybody is told.
            signal_hook::flag::register_usize(signal, Arc::clone(&last), signal as usize)?;
            signal_hook::low_level::pipe::register(signal, written.try_clone()?)?;
        }
        Ok(Self { read, last })
    }

    /// The signal that has come, if one has.
    pub fn come(&self) -> Option<i32> {
        let signal = self.last.load(Ordering::SeqCst);
        (signal != 0).then(|| i32::try_from(signal).unwrap_or(SIGTERM))
    }
}

impl AsFd for Stops {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}

/// The failure of a command that a signal has ended.
pub fn ended_by(signal: i32) -> Failure {
    let code = u8::try_from(128 + signal).unwrap_or(u8::MAX);
    Failure::other(code, "interrupted; what was changed on this host has been put back")
}

/// Says on a terminal whose turn it is.
pub fn show(case: &str, contestant: &str, round: u32, rounds: u32) {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K{case}: {contestant}, turn {round} of {rounds}");
    }
}

/// Takes that away.
pub fn hide() {
    if io::stderr().is_terminal() {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}
