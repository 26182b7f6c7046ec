//! A TCP port that is listened on, and who waits to be accepted there.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use hallows_sdk::net::READABLE;
use hallows_sdk::net::protocol::Refusal;
use rustix::io::Errno;

use super::HostPort;
use crate::host::port::BACKLOG;
use crate::host::uring::Uring;

/// A port, at each address that it was bound to.
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
        for door in &port.doors {
            rustix::net::listen(&door.bound.socket, BACKLOG).map_err(|_| Refusal::InUse)?;
        }
        port.open(ring);
        Ok(port)
    }

    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Accepts whoever comes, where there is room and nobody is accepted.
    pub fn open(&mut self, ring: &mut Uring) {
        if self.waiting.len() >= self.backlog {
            return;
        }
        for door in self.doors.iter_mut().filter(|door| !door.is_open) {
            door.is_open = ring.accept(door.bound.socket.as_fd(), door.token).is_ok();
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

    /// Somebody has come, or nobody can.
    pub fn came(&mut self, token: u64, socket: Result<OwnedFd, Errno>, more: bool, ring: &mut Uring) {
        let is_over = |door: &Door| door.token == token && !more;
        if let Some(door) = self.doors.iter_mut().find(|door| is_over(door)) {
            door.is_open = false;
        }
        // Without descriptors for more, who has come waits with Linux until somebody goes.
        let Ok(socket) = socket else { return };
        self.waiting.push_back(socket);
        if self.waiting.len() >= self.backlog {
            // Others wait with Linux, which has a backlog as well.
            for door in self.doors.iter().filter(|door| door.is_open) {
                let _ = ring.cancel_accept(door.token);
            }
        } else if !more {
            self.open(ring);
        }
    }

    /// Nobody is accepted any more. Who waits is reset.
    pub fn close(self, ring: &mut Uring) {
        for door in &self.doors {
            let _ = ring.cancel_accept(door.token);
            // It listens no more, and is bound still.
            let _ = rustix::net::shutdown(&door.bound.socket, rustix::net::Shutdown::Both);
        }
        for socket in self.waiting {
            let _ = rustix::net::sockopt::set_socket_linger(&socket, Some(std::time::Duration::ZERO));
        }
    }
}
