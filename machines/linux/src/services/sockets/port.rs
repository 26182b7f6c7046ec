//! A TCP port that is listened on, and who waits to be accepted there.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use hallows_sdk::net::READABLE;
use hallows_sdk::net::protocol::Refusal;
use rustix::io::Errno;

use super::HostPort;
use super::connection::reset_when_closed;
use crate::host::uring::Uring;

/// A port, at each address that it was bound to. Linux has listened there from the start, and who comes waits with it until there is room here.
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    doors: Vec<Door>,
    /// As many as are accepted before somebody asks for them.
    backlog: usize,
    waiting: VecDeque<OwnedFd>,
}

/// One address.
#[derive(Debug)]
struct Door {
    bound: Arc<HostPort>,
    token: u64,
    /// Linux is asked for who comes next.
    is_open: bool,
}

impl Port {
    /// Listens on these, which have the same number; each takes the next token.
    pub fn listen(
        bound: Vec<Arc<HostPort>>,
        backlog: u16,
        first_token: u64,
        ring: &mut Uring,
    ) -> Result<Self, Refusal> {
        let number = bound.first().ok_or(Refusal::NotPermitted)?.port;
        let doors = bound.into_iter().zip(first_token..);
        let doors = doors.map(|(bound, token)| Door { bound, token, is_open: false }).collect();
        let mut port = Self { number, doors, backlog: usize::from(backlog), waiting: VecDeque::new() };
        port.open(ring);
        Ok(port)
    }

    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Asks for who comes next, where there is room.
    pub fn open(&mut self, ring: &mut Uring) {
        let room = self.backlog.saturating_sub(self.waiting.len());
        let asked = self.doors.iter().filter(|door| door.is_open).count();
        let closed = self.doors.iter_mut().filter(|door| !door.is_open);
        for door in closed.take(room.saturating_sub(asked)) {
            door.is_open = ring.accept(&door.bound.socket, door.token).is_ok();
        }
    }

    pub fn ready(&self) -> u64 {
        u64::from(!self.waiting.is_empty()) * READABLE
    }

    /// The one that has waited longest.
    pub fn accept(&mut self, ring: &mut Uring) -> Option<OwnedFd> {
        let accepted = self.waiting.pop_front();
        self.open(ring);
        accepted
    }

    /// Somebody has come, or nobody can: then it is not asked again before the next [`open`](Self::open).
    pub fn came(&mut self, token: u64, socket: Result<OwnedFd, Errno>, ring: &mut Uring) {
        if let Some(door) = self.doors.iter_mut().find(|door| door.token == token) {
            door.is_open = false;
        }
        if let Ok(socket) = socket {
            self.waiting.push_back(socket);
            self.open(ring);
        }
    }

    /// Nobody is accepted any more. Who waits is reset, and who comes waits with Linux until somebody listens again.
    pub fn close(self, ring: &mut Uring) {
        for door in self.doors.iter().filter(|door| door.is_open) {
            let _ = ring.cancel_accept(door.token);
        }
        self.waiting.iter().for_each(reset_when_closed);
    }
}
