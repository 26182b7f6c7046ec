//! Sockets of Linux's own network as a server of `net`: a native program, `sockets`, for machines that are given ports of the host.
//!
//! The parent has bound every port before the machine is jailed, which neither binds nor connects. Here Linux
//! accepts, receives and sends by io_uring, for many sockets with each system call.
//!
//! | file | what it has |
//! |---|---|
//! | `server` | the program: who may do what, capabilities, and when Linux is asked |
//! | `table` | all sockets, and what becomes of completions |
//! | `connection`, `port`, `datagrams` | one connection, one port that is listened on, one UDP port |
//! | `lookup` | one question for a name |
//! | `outgoing` | connections to elsewhere and names, which are asked of the parent |

mod connection;
mod datagrams;
mod lookup;
mod outgoing;
mod port;
mod server;
mod table;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use server::{HostSockets, SOCKETS};
pub use table::MOST_ADDRESSES;

use self::outgoing::Outgoing;
use super::interrupts::Interrupts;
use crate::host::uring::Uring;

/// A port of the host that was bound for a machine.
#[derive(Debug)]
pub struct HostPort {
    /// Its number.
    pub port: u16,
    /// For datagrams and not for connections.
    pub is_datagrams: bool,
    /// Bound to one address; of connections, it listens.
    pub socket: Arc<OwnedFd>,
}

/// What a machine was given of the host's sockets.
#[derive(Debug, Default)]
pub struct HostNetwork {
    /// Ports.
    pub ports: Vec<HostPort>,
    /// To the parent, which makes connections to elsewhere and knows names ([`connect_to`](crate::host::outgoing::connect_to)), if there may be any.
    pub outgoing: Option<OwnedFd>,
}

/// What a process has.
struct Installed {
    ports: Vec<Arc<HostPort>>,
    /// Whoever serves has it, until its life ends.
    outgoing: Mutex<Option<Outgoing>>,
    /// Whoever serves has it, until its life ends.
    ring: Mutex<Option<Uring>>,
    interrupts: Arc<Interrupts>,
    /// The ring's number there. That of what comes from the parent is the next one.
    number: usize,
    /// Connections that nobody holds any more and of which Linux has not taken all yet.
    leaving: AtomicUsize,
}

static INSTALLED: OnceLock<Installed> = OnceLock::new();

/// A ring, before the jail is sealed; and what tells of its completions.
///
/// # Errors
///
/// When Linux has no io_uring as it is needed here.
pub(super) fn ring() -> io::Result<(Uring, Arc<OwnedFd>)> {
    let ring = Uring::new().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("io_uring, which --net host needs (Linux 6.1 or newer, and `sysctl kernel.io_uring_disabled` 0): {error}"),
        )
    })?;
    let completions = Arc::new(ring.as_fd().try_clone_to_owned()?);
    Ok((ring, completions))
}

/// Takes what this process has of the host's sockets, once.
pub(super) fn install(
    network: HostNetwork,
    ring: Uring,
    interrupts: Arc<Interrupts>,
    number: usize,
) -> io::Result<()> {
    let HostNetwork { ports, outgoing } = network;
    let ports = ports.into_iter().map(Arc::new).collect();
    INSTALLED
        .set(Installed {
            ports,
            outgoing: Mutex::new(outgoing.map(Outgoing::over)),
            ring: Mutex::new(Some(ring)),
            interrupts,
            number,
            leaving: AtomicUsize::new(0),
        })
        .map_err(|_| io::Error::other("this process has its ports already"))
}

/// Between two looks whether all has gone.
const LOOK: Duration = Duration::from_millis(1);

/// Waits until Linux has taken all that was written to connections which are closed, at most for so long: behind that the process may end.
pub fn drain(patience: Duration) {
    let Some(installed) = INSTALLED.get() else { return };
    let begin = Instant::now();
    // Acquire: pairs with `tell_leaving`. Who closes is answered behind that.
    while installed.leaving.load(Ordering::Acquire) > 0 && begin.elapsed() < patience {
        std::thread::sleep(LOOK);
    }
}

impl Installed {
    fn tell_leaving(&self, connections: usize) {
        self.leaving.store(connections, Ordering::Release);
    }

    fn take_ring(&self) -> Option<Uring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn give_back(&self, ring: Uring) {
        *self.ring.lock().unwrap_or_else(PoisonError::into_inner) = Some(ring);
    }

    fn outgoing(&self) -> MutexGuard<'_, Option<Outgoing>> {
        self.outgoing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
