//! One connection: what has come and was not read, and what was written and is not sent.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use hallows_sdk::net::protocol::{Place, Refusal};
use hallows_sdk::net::{READABLE, WRITABLE};
use rustix::io::Errno;
use rustix::net::sockopt;

use super::table::place_of;
use crate::host::uring::{SendNumber, Uring};

/// Room that is kept where nobody needs it.
const KEPT_BYTES: usize = 16 << 10;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Arc<OwnedFd>,
    /// Of its requests to the ring.
    token: u64,
    unread: VecDeque<u8>,
    receiving: Receiving,
    unsent: Vec<u8>,
    /// What the ring has of what was written.
    sending: Option<(SendNumber, usize)>,
    is_finished: bool,
    is_reset: bool,
    held: Hold,
}

/// Whether Linux is asked for bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Receiving {
    /// It is.
    Asked,
    /// It was, and is asked to stop.
    Stopping,
    /// It is not, as nobody reads.
    Stopped,
    /// No more will come.
    Ended,
}

/// Whether somebody holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Somebody does.
    Held,
    /// Nobody does, and all that came was read: what was written is sent, and it ends as it should.
    Left,
    /// Nobody does, and something was not read: it ends with a reset.
    BrokenOff,
}

impl Connection {
    /// One that was accepted: from now on bytes are received.
    pub fn new(socket: OwnedFd, token: u64, ring: &mut Uring) -> io::Result<Self> {
        let socket = Arc::new(socket);
        ring.receive(&socket, token)?;
        Ok(Self {
            socket,
            token,
            unread: VecDeque::new(),
            receiving: Receiving::Asked,
            unsent: Vec::new(),
            sending: None,
            is_finished: false,
            is_reset: false,
            held: Hold::Held,
        })
    }

    /// Bytes that were written and are not sent.
    fn unsent(&self) -> usize {
        self.unsent.len() + self.sending.map_or(0, |(_, bytes)| bytes)
    }

    /// What there is for whoever waits, where at most so many bytes are kept: bits of its bell.
    pub fn ready(&self, most_bytes: usize) -> u64 {
        let readable = !self.unread.is_empty() || self.is_over();
        let writable = self.is_reset || self.unsent() < most_bytes;
        (u64::from(readable) * READABLE) | (u64::from(writable) * WRITABLE)
    }

    /// Whether no more will come.
    pub fn is_over(&self) -> bool {
        self.is_reset || self.receiving == Receiving::Ended
    }

    /// Whether Linux keeps what comes, as nobody reads.
    pub fn is_stopped(&self) -> bool {
        self.receiving == Receiving::Stopped
    }

    /// Reads to the end of `room`, at most `most` bytes; how many, 0: nothing more will come.
    pub fn read(&mut self, most: usize, room: &mut Vec<u8>, ring: &mut Uring) -> Result<usize, Refusal> {
        if most == 0 {
            return Err(Refusal::Invalid);
        }
        let length = most.min(self.unread.len());
        let (front, back) = self.unread.as_slices();
        let first = length.min(front.len());
        room.extend_from_slice(front.get(..first).unwrap_or_default());
        room.extend_from_slice(back.get(..length - first).unwrap_or_default());
        self.unread.drain(..length);
        if self.unread.is_empty() {
            self.unread.shrink_to(KEPT_BYTES);
            if self.receiving == Receiving::Stopped {
                self.receive(ring);
            }
        }
        match length {
            0 if self.is_reset => Err(Refusal::Reset),
            0 if self.receiving == Receiving::Ended => Ok(0),
            0 => Err(Refusal::NotNow),
            length => Ok(length),
        }
    }

    /// Takes bytes from the front, to be sent with the next turn, as long as no more than `most_bytes` are kept; how many.
    pub fn write(&mut self, bytes: &[u8], most_bytes: usize) -> Result<usize, Refusal> {
        if self.is_finished {
            return Err(Refusal::Finished);
        }
        if self.is_reset {
            return Err(Refusal::Reset);
        }
        let room = most_bytes.saturating_sub(self.unsent());
        if room == 0 && !bytes.is_empty() {
            return Err(Refusal::NotNow);
        }
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.unsent.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// No more will be written.
    pub fn finish(&mut self) -> Result<(), Refusal> {
        if self.is_reset {
            return Err(Refusal::Reset);
        }
        self.is_finished = true;
        Ok(())
    }

    pub fn peer(&self) -> Result<Place, Refusal> {
        peer_of(&self.socket).ok_or(Refusal::Reset)
    }

    /// Hands over what was written, if the ring has nothing of it.
    pub fn send(&mut self, ring: &mut Uring) {
        if self.sending.is_some() || self.is_reset || self.held == Hold::BrokenOff {
            return;
        }
        if !self.unsent.is_empty() {
            let bytes = self.unsent.len();
            match ring.send(&self.socket, self.token, std::mem::take(&mut self.unsent)) {
                Ok(number) => self.sending = Some((number, bytes)),
                Err(_) => self.reset(),
            }
        } else if self.is_finished {
            // Of a connection that is over nothing is left to shut.
            let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Write);
        }
    }

    /// The ring is done with what it had. What it has not sent goes again.
    pub fn sent(&mut self, sent: Result<usize, Errno>, mut bytes: Vec<u8>, ring: &mut Uring) {
        self.sending = None;
        match sent {
            Ok(sent) if sent > 0 => {
                bytes.drain(..sent.min(bytes.len()));
                bytes.shrink_to(KEPT_BYTES);
                // Its room is used again.
                bytes.append(&mut self.unsent);
                self.unsent = bytes;
            }
            _ => self.reset(),
        }
        self.send(ring);
    }

    /// Bytes have come, or will not any more. When there are so many that nobody has read, no more are taken from Linux, which tells the other end then.
    pub fn received(&mut self, bytes: Result<usize, Errno>, more: bool, most_bytes: usize, ring: &mut Uring) {
        match bytes {
            Ok(0) => self.receiving = Receiving::Ended,
            Ok(_) => {
                self.unread.extend(ring.received());
                if self.unread.len() >= most_bytes && self.receiving == Receiving::Asked {
                    self.receiving = Receiving::Stopping;
                    if more && ring.cancel_receive(self.token).is_err() {
                        self.reset();
                    }
                }
            }
            // There was no room in this turn; or it was asked to stop.
            Err(Errno::NOBUFS | Errno::CANCELED | Errno::INTR | Errno::AGAIN) => {}
            Err(_) => self.reset(),
        }
        if !more {
            match self.receiving {
                Receiving::Asked => self.receive(ring),
                Receiving::Stopping if self.unread.is_empty() => self.receive(ring),
                Receiving::Stopping => self.receiving = Receiving::Stopped,
                Receiving::Stopped | Receiving::Ended => {}
            }
        }
    }

    fn receive(&mut self, ring: &mut Uring) {
        match ring.receive(&self.socket, self.token) {
            Ok(()) => self.receiving = Receiving::Asked,
            Err(_) => self.reset(),
        }
    }

    fn reset(&mut self) {
        (self.is_reset, self.receiving) = (true, Receiving::Ended);
        self.unsent = Vec::new();
    }

    /// Nobody will use it any more. What was written is still sent, if all that came was read.
    pub fn leave(&mut self, ring: &mut Uring) {
        if matches!(self.receiving, Receiving::Asked | Receiving::Stopping) {
            // What is not cancelled now ends with the connection.
            let _ = ring.cancel_receive(self.token);
        }
        self.receiving = Receiving::Ended;
        if self.unread.is_empty() {
            (self.held, self.is_finished) = (Hold::Left, true);
            self.send(ring);
        } else {
            self.held = Hold::BrokenOff;
            if let Some((number, _)) = self.sending {
                let _ = ring.cancel_send(number);
            }
        }
        self.unread = VecDeque::new();
    }

    /// Whether something is on its way yet of one that nobody holds.
    pub fn is_leaving(&self) -> bool {
        self.sending.is_some() || self.held == Hold::Left && !self.is_reset && !self.unsent.is_empty()
    }
}

impl Drop for Connection {
    /// As Linux does where something was not read: the other end hears that this one was broken off, and not that it is complete.
    fn drop(&mut self) {
        if self.held != Hold::Left {
            reset_when_closed(&self.socket);
        }
    }
}

/// Whoever is at the other end hears of a reset when this is closed.
pub(super) fn reset_when_closed(socket: &OwnedFd) {
    // Of a connection that is over nobody hears.
    let _ = sockopt::set_socket_linger(socket, Some(Duration::ZERO));
}

/// Who is at the other end, as long as there is one.
pub(super) fn peer_of(socket: &OwnedFd) -> Option<Place> {
    place_of(rustix::net::getpeername(socket).ok()??)
}
