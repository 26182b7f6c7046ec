//! A wire for benches of the network: two network namespaces with one interface of a pair each, in which nobody else is. All is gone with the last
//! descriptor and the last thread inside.
//!
//! The client is Linux's at the near end, the contestant is at the far one, and both know each other's address from the start, so nobody asks for it.

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns, unshare};

use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::rivals::MESSAGE_BYTES;
use crate::samples::Samples;
use crate::turn::Turn;

/// The interface at the far end.
pub const FAR_INTERFACE: &str = "far";
/// The contestant's address there, and the port that says back what it is told.
pub const FAR_ADDRESS: &str = "10.99.0.2";
/// See [`FAR_ADDRESS`].
pub const PORT: u16 = 7;
/// The client's address at the near end.
pub const NEAR_ADDRESS: &str = "10.99.0.1";
/// The interface there.
pub const NEAR_INTERFACE: &str = "near";
/// Its address.
pub const NEAR_CARD: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// That of the interface at the far end.
pub const FAR_CARD: [u8; 6] = [2, 0, 0, 0, 0, 2];

/// An answer that has not come by then was lost.
const PATIENCE: Duration = Duration::from_secs(5);
/// Looks at the socket between two at the clock.
const LOOKS: u32 = 1_000;

/// Two namespaces and the pair between them.
#[derive(Debug)]
pub struct Wire {
    near: File,
    far: File,
}

impl Wire {
    /// A wire with both ends up.
    ///
    /// # Errors
    /// Without root or the command `ip`.
    pub fn make() -> Result<Self, BenchError> {
        if !nix::unistd::geteuid().is_root() {
            return Err(BenchError::Unavailable {
                missing: "network namespaces are root's".to_owned(),
                remedy: "run it as root".to_owned(),
            });
        }
        let [near_card, far_card] = [NEAR_CARD, FAR_CARD].map(text);
        let wire = Self { near: namespace()?, far: namespace()? };
        let far = format!("/proc/{}/fd/{}", std::process::id(), wire.far.as_raw_fd());
        inside(&wire.near, || {
            ip(&format!(
                "link add {NEAR_INTERFACE} address {near_card} type veth peer name {FAR_INTERFACE} address {far_card} netns {far}"
            ))?;
            ip(&format!("addr add {NEAR_ADDRESS}/24 dev {NEAR_INTERFACE}"))?;
            ip(&format!("link set {NEAR_INTERFACE} up"))?;
            ip(&format!("neigh add {FAR_ADDRESS} lladdr {far_card} dev {NEAR_INTERFACE} nud permanent"))
        })??;
        wire.far(|| {
            ip(&format!("addr add {FAR_ADDRESS}/24 dev {FAR_INTERFACE}"))?;
            ip(&format!("link set {FAR_INTERFACE} up"))?;
            ip(&format!("neigh add {NEAR_ADDRESS} lladdr {near_card} dev {FAR_INTERFACE} nud permanent"))
        })??;
        Ok(wire)
    }

    /// Runs `work` on a thread at the far end; what it starts is there, too.
    ///
    /// # Errors
    /// When Linux lets nobody in.
    pub fn far<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
        inside(&self.far, work)
    }

    /// Runs `work` on a thread at the near end.
    ///
    /// # Errors
    /// When Linux lets nobody in.
    pub fn near<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
        inside(&self.near, work)
    }

    /// Round trips of a datagram of 64 bytes from the near end, on the turn's first core: the client looks all the time and never sleeps, so that
    /// waking it is no contestant's cost.
    ///
    /// # Errors
    /// When an answer is wrong, or none comes.
    pub fn round_trips(&self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let ask = || {
            let socket = UdpSocket::bind((NEAR_ADDRESS, 0)).map_err(BenchError::system("make a socket"))?;
            socket.connect((FAR_ADDRESS, PORT)).map_err(BenchError::system("say where to send"))?;
            socket.set_nonblocking(true).map_err(BenchError::system("not wait for a socket"))?;
            let (mut said, mut heard) = ([0xa5; MESSAGE_BYTES], [0; 2 * MESSAGE_BYTES]);
            let mut number = 0_u64;
            turn.measure(|| {
                number += 1;
                said[..8].copy_from_slice(&number.to_le_bytes());
                socket.send(&said).map_err(BenchError::system("send a datagram"))?;
                let length = answer(&socket, &mut heard)?;
                if heard[..length] != said {
                    return Err(BenchError::Wrong(format!("{length} other bytes came back")));
                }
                Ok(())
            })
        };
        self.near(|| on_core(turn.cores.first(), Priority::Ordinary, ask))??
    }
}

/// The next datagram's length.
fn answer(socket: &UdpSocket, heard: &mut [u8]) -> Result<usize, BenchError> {
    let mut began = None;
    loop {
        for _ in 0..LOOKS {
            match socket.recv(heard) {
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => core::hint::spin_loop(),
                other => return other.map_err(BenchError::system("receive a datagram")),
            }
        }
        if began.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            return Err(BenchError::Wrong("a datagram was not answered".to_owned()));
        }
    }
}

/// A network namespace of its own, whose loopback is up.
fn namespace() -> Result<File, BenchError> {
    on_a_thread(|| {
        unshare(CloneFlags::CLONE_NEWNET).map_err(BenchError::system("make a network namespace"))?;
        ip("link set lo up")?;
        File::open("/proc/thread-self/ns/net").map_err(BenchError::system("open a network namespace"))
    })
}

fn inside<T: Send>(namespace: &File, work: impl FnOnce() -> T + Send) -> Result<T, BenchError> {
    on_a_thread(|| {
        setns(namespace, CloneFlags::CLONE_NEWNET)
            .map_err(BenchError::system("enter a network namespace"))?;
        Ok(work())
    })
}

/// A namespace is a thread's, and stays with that.
fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// An address as `ip` writes it.
fn text(card: [u8; 6]) -> String {
    card.map(|byte| format!("{byte:02x}")).join(":")
}

fn ip(arguments: &str) -> Result<(), BenchError> {
    let done = Command::new("ip").args(arguments.split(' ')).output();
    match done {
        Ok(done) if done.status.success() => Ok(()),
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(BenchError::Wrong(format!("ip {arguments}: {}", said.trim())))
        }
        Err(error) => Err(BenchError::Unavailable {
            missing: format!("the command ip: {error}"),
            remedy: "install iproute2".to_owned(),
        }),
    }
}
