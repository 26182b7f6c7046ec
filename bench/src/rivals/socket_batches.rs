//! `socket-batches`: a server with one UDP socket of Linux's that takes what has come by `recvmmsg`, answers all of it by `sendmmsg`, and never sleeps.

use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, on_core, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::wire::{FAR_ADDRESS, PORT, Wire};

/// Datagrams of one system call.
const MOST_AT_ONCE: usize = 64;
/// Under way at a time.
const WINDOW: u64 = 96;
/// Answers between two samples.
pub const BATCH: u64 = 256;
/// With the heads of Ethernet, IPv4 and UDP and a frame's checksum, 64 bytes.
const PAYLOAD_BYTES: usize = 18;
/// In vain, one after another: what was under way is lost by then.
const MOST_LOOKS: u32 = 1_000_000;
/// That it was lost, one time after another: nobody answers.
const MOST_LOSSES: u32 = 20;

/// A thread that floods on the first core, and one that answers on the second.
#[derive(Debug, Default)]
pub struct SocketBatches {
    wire: Option<Wire>,
}

impl Contestant for SocketBatches {
    fn describe(&self) -> Description {
        Description {
            name: "socket-batches".to_owned(),
            configuration: format!(
                "a thread of its own core: recvmmsg of up to {MOST_AT_ONCE} without waiting, and sendmmsg of as many; asked in the same way from the other core, {WINDOW} under way, over a pair of interfaces (veth)"
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
        answered_in_batches(wire, core, || {
            wire.near(|| on_core(turn.cores.first(), Priority::Ordinary, || flood(turn))?).flatten()
        })
    }
}

/// Does `work` while a thread of this core, at the far end of the wire, answers datagrams in batches on the port of the benches.
///
/// # Errors
/// Those of `work`, and when Linux refuses the server something.
pub fn answered_in_batches<T>(
    wire: &Wire,
    core: Core,
    work: impl FnOnce() -> Result<T, BenchError>,
) -> Result<T, BenchError> {
    let (stop, (ready, is_ready)) = (AtomicBool::new(false), channel());
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| {
            wire.far(|| {
                settle(core, Priority::Ordinary)?;
                answer(&stop, || ready.send(()).unwrap_or_default())
            })?
        });
        // It is dropped unsaid if there is no server.
        let done = match is_ready.recv() {
            Ok(()) => work(),
            Err(_) => Err(BenchError::Wrong("there is no server".to_owned())),
        };
        stop.store(true, Ordering::Relaxed);
        serving.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        done
    })
}

/// Answers until it is to stop, on the calling thread, which never sleeps; `begins` is told when it listens.
fn answer(stop: &AtomicBool, begins: impl FnOnce()) -> Result<(), BenchError> {
    let socket = UdpSocket::bind(("0.0.0.0", PORT)).map_err(BenchError::system("bind a socket"))?;
    begins();
    let mut batch = Batch::new();
    while !stop.load(Ordering::Relaxed) {
        let count = batch.receive(&socket)?;
        batch.send(&socket, count)?;
    }
    Ok(())
}

/// Keeps a window full; the time for each of [`BATCH`] answers in a row.
fn flood(turn: &Turn<'_>) -> Result<Samples, BenchError> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).map_err(BenchError::system("make a socket"))?;
    socket.connect((FAR_ADDRESS, PORT)).map_err(BenchError::system("say where to send"))?;
    let (mut going, mut coming) = (Batch::new(), Batch::new());
    let (mut under_way, mut done, mut in_vain, mut losses) = (0_u64, 0_u64, 0, 0);
    let mut ticks = turn.sample_buffer();
    let mut began = clock::glance();
    let warm_until = began + turn.clock.ticks(turn.budget) / 10;
    let until = began + turn.clock.ticks(turn.budget);
    while ticks.len() < turn.sample_limit {
        if under_way < WINDOW {
            let count = usize::try_from(WINDOW - under_way).unwrap_or(0).min(MOST_AT_ONCE);
            under_way += going.send(&socket, count)? as u64;
        }
        let answered = coming.receive(&socket)? as u64;
        if answered > 0 {
            (in_vain, losses) = (0, 0);
        } else {
            in_vain += 1;
        }
        if in_vain > MOST_LOOKS {
            losses += 1;
            if losses > MOST_LOSSES {
                return Err(BenchError::Wrong("datagrams were not answered".to_owned()));
            }
            (in_vain, under_way, done, began) = (0, 0, 0, clock::glance());
        }
        under_way = under_way.saturating_sub(answered);
        done += answered;
        if done >= BATCH {
            let now = clock::glance();
            if now >= warm_until {
                ticks.push((now - began) / done);
            }
            (done, began) = (0, now);
            if now >= until {
                break;
            }
        }
    }
    Ok(turn.single(ticks))
}

/// Room for as many datagrams as go or come by one call, with the addresses of their other end.
struct Batch {
    payloads: Box<[[u8; PAYLOAD_BYTES]; MOST_AT_ONCE]>,
    addresses: Box<[libc::sockaddr_in; MOST_AT_ONCE]>,
    lengths: [usize; MOST_AT_ONCE],
    /// Whether addresses are those of who was heard, for an answer.
    has_addresses: bool,
}

impl Batch {
    fn new() -> Self {
        // SAFETY: an address is numbers, for which zeroes are values.
        let address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        Self {
            payloads: Box::new([[0xa5; PAYLOAD_BYTES]; MOST_AT_ONCE]),
            addresses: Box::new([address; MOST_AT_ONCE]),
            lengths: [PAYLOAD_BYTES; MOST_AT_ONCE],
            has_addresses: false,
        }
    }

    /// Asks one of the two calls for so many; how many it did.
    fn call(
        &mut self,
        count: usize,
        act: impl FnOnce(*mut libc::mmsghdr, libc::c_uint) -> libc::c_int,
        names: bool,
    ) -> Result<usize, BenchError> {
        let mut parts = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; MOST_AT_ONCE];
        // SAFETY: heads are pointers and numbers, for which zeroes are values.
        let mut heads: [libc::mmsghdr; MOST_AT_ONCE] = unsafe { std::mem::zeroed() };
        for place in 0..count {
            parts[place] = libc::iovec {
                iov_base: self.payloads[place].as_mut_ptr().cast(),
                iov_len: self.lengths[place],
            };
            let head = &mut heads[place].msg_hdr;
            head.msg_iov = &raw mut parts[place];
            head.msg_iovlen = 1;
            if names {
                head.msg_name = (&raw mut self.addresses[place]).cast();
                head.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            }
        }
        let done = act(heads.as_mut_ptr(), count as libc::c_uint);
        if done < 0 {
            let error = std::io::Error::last_os_error();
            return if error.kind() == std::io::ErrorKind::WouldBlock {
                Ok(0)
            } else {
                Err(BenchError::System { action: "move datagrams", source: error })
            };
        }
        let done = usize::try_from(done).unwrap_or(0);
        for (length, head) in self.lengths.iter_mut().zip(&heads).take(done) {
            *length = head.msg_len as usize;
        }
        Ok(done)
    }

    /// Takes what has come.
    fn receive(&mut self, socket: &UdpSocket) -> Result<usize, BenchError> {
        self.lengths = [PAYLOAD_BYTES; MOST_AT_ONCE];
        self.has_addresses = true;
        let (socket, flags) = (socket.as_raw_fd(), libc::MSG_DONTWAIT);
        // SAFETY: the heads point at rooms that are as long as they say, and outlive the call.
        let act = |heads, count| unsafe { libc::recvmmsg(socket, heads, count, flags, std::ptr::null_mut()) };
        self.call(MOST_AT_ONCE, act, true)
    }

    /// Sends so many, to those who were heard last if there was somebody.
    fn send(&mut self, socket: &UdpSocket, count: usize) -> Result<usize, BenchError> {
        if count == 0 {
            return Ok(0);
        }
        let socket = socket.as_raw_fd();
        // SAFETY: as above.
        let act = |heads, count| unsafe { libc::sendmmsg(socket, heads, count, 0) };
        self.call(count, act, self.has_addresses)
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play, refuses_one_core};
    use super::*;
    use crate::clock::Clock;
    use crate::cores::Cores;
    use crate::turn::Sampling;

    #[test]
    fn datagrams_come_back_in_batches_or_it_says_what_is_missing() {
        refuses_one_core(&mut SocketBatches::default());
        if !has_second_core() {
            return;
        }
        if nix::unistd::geteuid().is_root() {
            // A turn of hours warms up for a tenth of that.
            let (cores, clock) = (Cores::default_pair().unwrap(), Clock::calibrate().unwrap());
            let budget = std::time::Duration::from_millis(50);
            let turn = Turn {
                cores: &cores,
                clock: &clock,
                sampling: Sampling::Single,
                budget,
                sample_limit: 1_000,
            };
            assert!(!SocketBatches::default().turn(&turn).unwrap().is_empty());
        } else {
            let error = play(&mut SocketBatches::default(), Sampling::Single, 5).unwrap_err();
            assert!(error.to_string().contains("as root"), "{error}");
        }
    }
}
