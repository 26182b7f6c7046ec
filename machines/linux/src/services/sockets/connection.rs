//! One connection: what has come and was not read, and what was written and is not sent.

use std::collections::VecDeque;
use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use hallows_sdk::net::protocol::{Place, Refusal};
use hallows_sdk::net::{READABLE, WRITABLE};
use rustix::io::Errno;
use rustix::net::sockopt;

use super::table::place_of;
use crate::host::uring::Uring;

/// Bytes that nobody has read after which no more are taken from Linux, which tells the other end then.
const MOST_UNREAD: usize = 256 << 10;
/// Bytes that are written and not sent after which no more are taken.
const MOST_UNSENT: usize = 256 << 10;

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: OwnedFd,
    /// Of its requests to the ring.
    token: u64,
    unread: VecDeque<u8>,
    receiving: Receiving,
    unsent: Vec<u8>,
    /// Bytes that the ring has, of those that were written.
    sending: usize,
    is_finished: bool,
    is_reset: bool,
    /// Nobody holds it, and all that came was read: it ends as it should.
    is_left: bool,
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

impl Connection {
    /// One that was accepted: from now on bytes are received.
    pub fn new(socket: OwnedFd, token: u64, ring: &mut Uring) -> io::Result<Self> {
        ring.receive(socket.as_fd(), token)?;
        Ok(Self {
            socket,
            token,
            unread: VecDeque::new(),
            receiving: Receiving::Asked,
            unsent: Vec::new(),
            sending: 0,
            is_finished: false,
            is_reset: false,
            is_left: false,
        })
    }

    /// What there is for whoever waits: bits of its bell.
    pub fn ready(&self) -> u64 {
        let is_over = self.is_reset || self.receiving == Receiving::Ended;
        let readable = !self.unread.is_empty() || is_over;
        let writable = self.is_reset || self.unsent.len() + self.sending < MOST_UNSENT;
        (u64::from(readable) * READABLE) | (u64::from(writable) * WRITABLE)
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
        if self.receiving == Receiving::Stopped && self.unread.len() <= MOST_UNREAD / 2 {
            self.receive(ring);
        }
        match length {
            0 if self.is_reset => Err(Refusal::Reset),
            0 if self.receiving == Receiving::Ended => Ok(0),
            0 => Err(Refusal::NotNow),
            length => Ok(length),
        }
    }

    /// Takes bytes from the front, to be sent with the next turn; how many.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, Refusal> {
        if self.is_finished {
            return Err(Refusal::Finished);
        }
        if self.is_reset {
            return Err(Refusal::Reset);
        }
        let room = MOST_UNSENT.saturating_sub(self.unsent.len() + self.sending);
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
        if self.sending > 0 || self.is_reset {
            return;
        }
        if !self.unsent.is_empty() {
            self.sending = self.unsent.len();
            if ring.send(self.socket.as_fd(), self.token, std::mem::take(&mut self.unsent)).is_err() {
                self.reset();
            }
        } else if self.is_finished {
            // Of a connection that is over nothing is left to shut.
            let _ = rustix::net::shutdown(&self.socket, rustix::net::Shutdown::Write);
        }
    }

    /// The ring is done with what it had. What it has not sent goes again.
    pub fn sent(&mut self, sent: Result<usize, Errno>, mut bytes: Vec<u8>, ring: &mut Uring) {
        self.sending = 0;
        match sent {
            Ok(sent) if sent > 0 => {
                bytes.drain(..sent.min(bytes.len()));
                if !bytes.is_empty() {
                    bytes.append(&mut self.unsent);
                }
                // The room that it has is used again.
                if self.unsent.is_empty() {
                    self.unsent = bytes;
                }
            }
            _ => self.reset(),
        }
        self.send(ring);
    }

    /// Bytes have come, or will not any more.
    pub fn received(&mut self, bytes: Result<usize, Errno>, more: bool, ring: &mut Uring) {
        match bytes {
            Ok(0) => self.receiving = Receiving::Ended,
            Ok(_) => {
                self.unread.extend(ring.received());
                if self.unread.len() >= MOST_UNREAD && self.receiving == Receiving::Asked {
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
                Receiving::Stopping if self.unread.len() <= MOST_UNREAD / 2 => self.receive(ring),
                Receiving::Stopping => self.receiving = Receiving::Stopped,
                Receiving::Stopped | Receiving::Ended => {}
            }
        }
    }

    fn receive(&mut self, ring: &mut Uring) {
        match ring.receive(self.socket.as_fd(), self.token) {
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
        self.is_left = self.unread.is_empty();
        (self.receiving, self.is_finished) = (Receiving::Ended, true);
        if self.is_left {
            self.send(ring);
        }
    }

    /// Whether something is on its way yet of one that was left.
    pub fn is_leaving(&self) -> bool {
        self.is_left && !self.is_reset && (self.sending > 0 || !self.unsent.is_empty())
    }
}

impl Drop for Connection {
    /// As Linux does where something was not read: the other end hears that this one was broken off, and not that it is complete.
    fn drop(&mut self) {
        if !self.is_left {
            let _ = sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO));
        }
    }
}

/// Who is at the other end, as long as there is one.
pub(super) fn peer_of(socket: &OwnedFd) -> Option<Place> {
    place_of(rustix::net::getpeername(socket).ok()??)
}

/// A connection that cannot be served.
pub(super) fn refuse(socket: OwnedFd) {
    let _ = std::net::TcpStream::from(socket).shutdown(Shutdown::Both);
}
