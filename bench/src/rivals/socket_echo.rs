//! `socket-echo`: a server with one UDP socket of Linux's that says back what it is told, and never sleeps.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::wire::{PORT, Wire};

/// For how long Linux itself looks at a device's queue within a call, in microseconds, where the device has one that can be looked at (socket(7)).
const BUSY_POLL_US: libc::c_int = 50;

/// One thread that looks at its socket all the time.
#[derive(Debug, Default)]
pub struct SocketEcho {
    wire: Option<Wire>,
}

impl Contestant for SocketEcho {
    fn describe(&self) -> Description {
        Description {
            name: "socket-echo".to_owned(),
            configuration: format!(
                "a thread of its own core: recvfrom without waiting, again and again, and sendto; SO_BUSY_POLL {BUSY_POLL_US}"
            ),
            cores_used: 2,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = turn.cores.second()?;
        let wire = match &mut self.wire {
            Some(wire) => wire,
            empty => empty.insert(Wire::make()?),
        };
        let (stop, (ready, is_ready)) = (AtomicBool::new(false), channel());
        std::thread::scope(|scope| {
            let serving = scope.spawn(|| {
                wire.far(|| {
                    settle(core, Priority::Ordinary)?;
                    let socket = bound()?;
                    let _ = ready.send(());
                    serve(&socket, &stop)
                })?
            });
            // It is dropped unsaid if there is no server.
            let samples = match is_ready.recv() {
                Ok(()) => wire.round_trips(turn),
                Err(_) => Err(BenchError::Wrong("there is no server".to_owned())),
            };
            stop.store(true, Ordering::Relaxed);
            serving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            samples
        })
    }
}

fn bound() -> Result<UdpSocket, BenchError> {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).map_err(BenchError::system("bind a socket"))?;
    socket.set_nonblocking(true).map_err(BenchError::system("not wait for a socket"))?;
    let (value, length) = (BUSY_POLL_US, size_of::<libc::c_int>() as libc::socklen_t);
    // SAFETY: the option takes such a number. Where it is refused, it was not needed.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BUSY_POLL,
            (&raw const value).cast(),
            length,
        )
    };
    Ok(socket)
}

fn serve(socket: &UdpSocket, stop: &AtomicBool) -> Result<(), BenchError> {
    let mut frame = [0; 2_048];
    while !stop.load(Ordering::Relaxed) {
        match socket.recv_from(&mut frame) {
            Ok((length, peer)) => {
                socket.send_to(&frame[..length], peer).map_err(BenchError::system("answer a datagram"))?;
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => core::hint::spin_loop(),
            Err(error) => return Err(BenchError::System { action: "receive a datagram", source: error }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn datagrams_come_back_or_it_says_what_is_missing() {
        refuses_one_core(&mut SocketEcho::default());
        if !has_second_core() {
            return;
        }
        if nix::unistd::geteuid().is_root() {
            play_twice(&mut SocketEcho::default(), Sampling::Single, 5);
        } else {
            let error = play(&mut SocketEcho::default(), Sampling::Single, 5).unwrap_err();
            assert!(error.to_string().contains("as root"), "{error}");
        }
    }
}
