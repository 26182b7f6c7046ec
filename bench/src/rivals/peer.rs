//! The answering side of an exchange: a thread, or a process with memory of its own.

use std::os::fd::OwnedFd;
use std::thread::JoinHandle;

use nix::sys::prctl;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

use crate::cores::{Core, Priority, realtime_is_allowed, settle};
use crate::error::BenchError;

/// What separates the two sides of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Nothing: two threads of a process. Switching between them is cheaper, so this is the rival that counts.
    Threads,
    /// An address space each: isolated, as ours is.
    Processes,
}

impl Isolation {
    /// The words of a configuration.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Threads => "two threads of one process (not isolated from each other, unlike ours)",
            Self::Processes => "two processes",
        }
    }
}

/// Somebody who serves on one core, until `serve` returns or `self` is dropped.
pub(super) struct Peer {
    core: Core,
    kind: Kind,
}

enum Kind {
    Thread(Option<JoinHandle<Result<(), BenchError>>>),
    Process(Pid),
}

impl Peer {
    /// Starts a peer that settles on `core` and serves.
    ///
    /// Call it from a thread of ordinary priority that outlives the peer: a peer inherits the caller's priority, and a
    /// process ends with the thread that forked it. A thread is joined on drop, so its
    /// `serve` must return once the other side has closed the connection; a process is killed.
    ///
    /// # Errors
    /// [`BenchError`] if it could not settle there: who asks it would wait for ever.
    ///
    /// # Safety
    /// As a process, `serve` runs in the child of a process that may have other threads: it may only make system calls
    /// and touch memory that it was given. It must not allocate, lock, print or unwind.
    pub(super) unsafe fn start(
        isolation: Isolation,
        core: Core,
        priority: Priority,
        serve: impl FnOnce() + Send + 'static,
    ) -> Result<Self, BenchError> {
        // Computed before a fork: the answer takes a lock the first time.
        let _ = realtime_is_allowed();
        // It writes a byte when it has settled; if it ends before, its end is closed.
        let (ready, settled) = nix::unistd::pipe().map_err(BenchError::system("make a pipe"))?;
        let mut settled = Some(settled);
        let kind = match isolation {
            Isolation::Threads => {
                let settled = settled.take();
                Kind::Thread(Some(std::thread::spawn(move || {
                    settle(core, priority)?;
                    report(settled);
                    serve();
                    Ok(())
                })))
            }
            Isolation::Processes => {
                // SAFETY: the child makes system calls only: ours here, and `serve` by this function's contract.
                let forked = unsafe { fork() };
                match forked.map_err(BenchError::system("fork the answering process"))? {
                    ForkResult::Parent { child } => Kind::Process(child),
                    ForkResult::Child => {
                        // Without a parent nobody needs us; of an error the asking side learns by our end.
                        let _ = prctl::set_pdeathsig(Signal::SIGKILL);
                        if settle(core, priority).is_ok() {
                            report(settled.take());
                            serve();
                        }
                        // SAFETY: ends the process at once, without the parent's exit handlers.
                        unsafe { libc::_exit(0) }
                    }
                }
            }
        };
        drop(settled);
        let peer = Self { core, kind };
        match nix::unistd::read(&ready, &mut [0]) {
            Ok(1) => Ok(peer),
            _ => Err(BenchError::Wrong(format!("the answering side could not settle on core {}", core.0))),
        }
    }

    /// The core that it serves on.
    pub(super) fn core(&self) -> Core {
        self.core
    }
}

/// Says that the peer has settled. System calls only.
fn report(settled: Option<OwnedFd>) {
    if let Some(settled) = settled {
        let _ = nix::unistd::write(&settled, &[1]);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        match &mut self.kind {
            // An error or panic of the peer has already shown as a missing answer.
            Kind::Thread(thread) => _ = thread.take().map(JoinHandle::join),
            Kind::Process(process) => {
                // It can only fail if the process is gone, and then reaping is all that is left.
                let _ = kill(*process, Signal::SIGKILL);
                let _ = waitpid(*process, None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_cannot_settle_is_an_error_and_no_endless_wait() {
        for isolation in [Isolation::Threads, Isolation::Processes] {
            // SAFETY: it does nothing.
            let peer = unsafe { Peer::start(isolation, Core(1 << 20), Priority::Ordinary, || {}) };
            assert!(matches!(peer, Err(BenchError::Wrong(why)) if why.contains("could not settle")));
        }
    }
}
