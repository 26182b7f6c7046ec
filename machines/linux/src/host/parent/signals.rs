//! The parent's signals as a descriptor, so that one loop waits for everything.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// What a signal means to the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// End the machine cleanly.
    Stop {
        /// The signal that says so.
        signal: i32,
    },
    /// End it now.
    Kill {
        /// The signal that says so.
        signal: i32,
    },
    /// Stop, as a job of a shell, until it is continued.
    Suspend,
    /// The terminal has another size.
    Resized,
    /// The process goes on after a stop: the terminal may have changed.
    Continued,
}

/// Signals that are read instead of delivered.
const READ: [i32; 6] =
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGWINCH, libc::SIGCONT];
/// Signals that are ignored: a parent that is stopped could neither restore the host nor carry the console, and the
/// machine would run on without it.
const IGNORED: [i32; 3] = [libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];

/// What becomes of the signals by which a terminal stops jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stops {
    /// They are ignored.
    Never,
    /// `SIGTSTP` is read; whoever reads it stops the machine first, and then calls [`Signals::suspend`].
    AsAJob,
}

impl Stops {
    fn read(self) -> libc::sigset_t {
        let job: &[i32] = if self == Self::AsAJob { &[libc::SIGTSTP] } else { &[] };
        signal_set(&[&READ, job].concat())
    }

    /// What is to be done with one of the ignored signals.
    const fn handler(self, signal: i32) -> libc::sighandler_t {
        // A signal that is read must not be ignored; blocked as it is, it does nothing else.
        let is_read = matches!(self, Self::AsAJob) && signal == libc::SIGTSTP;
        if is_read { libc::SIG_DFL } else { libc::SIG_IGN }
    }
}

/// Signals taken over from the process; given back when dropped.
#[derive(Debug)]
pub(super) struct Signals {
    descriptor: OwnedFd,
    stops: Stops,
    former_mask: libc::sigset_t,
    former_handlers: [(i32, libc::sighandler_t); IGNORED.len()],
}

impl Signals {
    /// Takes the signals over. Threads started from here on leave them to the descriptor.
    pub(super) fn take(stops: Stops) -> io::Result<Self> {
        let set = stops.read();
        // SAFETY: a zeroed signal set is a valid place for the answer.
        let mut former_mask = unsafe { std::mem::zeroed() };
        // SAFETY: both sets are valid.
        let result = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, &mut former_mask) };
        if result != 0 {
            return Err(io::Error::from_raw_os_error(result));
        }
        // SAFETY: the set is valid; -1 asks for a new descriptor.
        let raw = unsafe { libc::signalfd(-1, &set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if raw < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was made just now and has no other owner.
        let descriptor = unsafe { OwnedFd::from_raw_fd(raw) };
        // SAFETY: ignoring a signal runs no code of ours.
        let former_handlers =
            IGNORED.map(|signal| (signal, unsafe { libc::signal(signal, stops.handler(signal)) }));
        Ok(Self { descriptor, stops, former_mask, former_handlers })
    }

    /// Stops this process by such a signal, until it is continued. It goes on at once where nobody could continue it: its process group has no
    /// shell any more.
    pub(super) fn suspend(&self, signal: i32) {
        let own = signal_set(&[signal]);
        // SAFETY: default handling of a signal that was ours to handle; sets are valid. The signal comes to this thread, where it is let through
        // for this moment.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
            libc::pthread_sigmask(libc::SIG_UNBLOCK, &own, std::ptr::null_mut());
            libc::pthread_sigmask(libc::SIG_BLOCK, &self.stops.read(), std::ptr::null_mut());
            libc::signal(signal, self.stops.handler(signal));
        }
    }

    /// The next signal that has come, if any.
    pub(super) fn next(&self) -> Option<Wish> {
        const BYTES: usize = size_of::<libc::signalfd_siginfo>();
        let mut info = [0u8; BYTES];
        let read = rustix::io::read(&self.descriptor, &mut info).ok()?;
        if read < BYTES {
            return None;
        }
        // The signal's number is the first field (signalfd(2)).
        let signal = u32::from_ne_bytes([info[0], info[1], info[2], info[3]]);
        Some(match signal.cast_signed() {
            signal @ libc::SIGQUIT => Wish::Kill { signal },
            libc::SIGTSTP => Wish::Suspend,
            libc::SIGWINCH => Wish::Resized,
            libc::SIGCONT => Wish::Continued,
            signal => Wish::Stop { signal },
        })
    }
}

/// Does something for which no signals come to this thread, nor to those that it starts: before the parent has taken them over, one would end the process.
pub(crate) fn without_signals<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: a zeroed signal set is a valid place for an answer.
    let (mut all, mut former) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: the sets are valid.
    unsafe {
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut former);
    }
    let done = work();
    // SAFETY: it was this thread's a moment ago.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &former, std::ptr::null_mut()) };
    done
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for (signal, handler) in self.former_handlers {
            // SAFETY: puts back what `take` found, which was valid then.
            unsafe { libc::signal(signal, handler) };
        }
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.former_mask, std::ptr::null_mut()) };
    }
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: an all-zero set is valid memory for `sigemptyset`, which initialises it; the numbers are valid signals.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in signals {
            libc::sigaddset(&mut set, *signal);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_support::in_child;

    #[test]
    fn signals_arrive_as_wishes() {
        assert!(in_child(|| {
            let signals = Signals::take(Stops::AsAJob).unwrap();
            let wishes = [
                (libc::SIGINT, Wish::Stop { signal: libc::SIGINT }),
                (libc::SIGTERM, Wish::Stop { signal: libc::SIGTERM }),
                (libc::SIGHUP, Wish::Stop { signal: libc::SIGHUP }),
                (libc::SIGQUIT, Wish::Kill { signal: libc::SIGQUIT }),
                (libc::SIGTSTP, Wish::Suspend),
                (libc::SIGWINCH, Wish::Resized),
            ];
            wishes.iter().all(|(signal, wish)| {
                // SAFETY: sends a signal to this process, which has it blocked.
                unsafe { libc::kill(libc::getpid(), *signal) };
                signals.next() == Some(*wish) && signals.next().is_none()
            })
        }));
    }
}
