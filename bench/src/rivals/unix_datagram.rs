//! `unix-datagram`: two threads with a pair of AF_UNIX datagram sockets between them, neither of which ever sleeps.

use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};

use super::message::MESSAGE_BYTES;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// A thread that asks on the first core, and one that answers on the second.
#[derive(Clone, Copy, Debug, Default)]
pub struct DatagramPair;

impl Contestant for DatagramPair {
    fn describe(&self) -> Description {
        Description {
            name: "unix-datagram".to_owned(),
            configuration: "a pair of AF_UNIX datagram sockets; a thread on each core: recv without waiting, again and again, and send".to_owned(),
            cores_used: 2,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = turn.cores.second()?;
        let (near, far) = UnixDatagram::pair().map_err(BenchError::system("make a pair of sockets"))?;
        for socket in [&near, &far] {
            socket.set_nonblocking(true).map_err(BenchError::system("not wait for a socket"))?;
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let serving = scope.spawn(|| {
                settle(core, Priority::Ordinary)?;
                let mut room = [0; 2 * MESSAGE_BYTES];
                while let Some(length) = receive(&far, &mut room, &stop)? {
                    far.send(&room[..length]).map_err(BenchError::system("answer a datagram"))?;
                }
                Ok::<(), BenchError>(())
            });
            let samples = on_core(turn.cores.first(), Priority::Ordinary, || round_trips(&near, turn, &stop));
            stop.store(true, Ordering::Relaxed);
            serving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            samples?
        })
    }
}

fn round_trips(near: &UnixDatagram, turn: &Turn<'_>, stop: &AtomicBool) -> Result<Samples, BenchError> {
    let (mut said, mut heard, mut number) = ([0xa5; MESSAGE_BYTES], [0; 2 * MESSAGE_BYTES], 0_u64);
    turn.measure(|| {
        number += 1;
        said[..8].copy_from_slice(&number.to_le_bytes());
        near.send(&said).map_err(BenchError::system("send a datagram"))?;
        match receive(near, &mut heard, stop)? {
            Some(length) if heard[..length] == said => Ok(()),
            _ => Err(BenchError::Wrong("other bytes came back".to_owned())),
        }
    })
}

/// The next datagram's length; none when nobody wants it any more.
fn receive(socket: &UnixDatagram, room: &mut [u8], stop: &AtomicBool) -> Result<Option<usize>, BenchError> {
    while !stop.load(Ordering::Relaxed) {
        match socket.recv(room) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => core::hint::spin_loop(),
            other => return other.map(Some).map_err(BenchError::system("receive a datagram")),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn datagrams_come_back() {
        refuses_one_core(&mut DatagramPair);
        if has_second_core() {
            play_twice(&mut DatagramPair, Sampling::Single, 5);
        }
    }
}
