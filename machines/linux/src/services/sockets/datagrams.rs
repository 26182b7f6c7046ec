//! A UDP port, and who has lately sent to it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use hallows_sdk::net::protocol::{Place, Refusal};
use hallows_sdk::net::{READABLE, WRITABLE};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};

use super::HostPort;
use super::table::place_of;
use crate::host::uring::Uring;

/// Senders that a port remembers, to be answered.
const KNOWN_PEERS: usize = 64;

/// A port, at each address that it was bound to.
#[derive(Debug)]
pub(super) struct DatagramPort {
    number: u16,
    /// Who asked for it, by badge.
    pub owner: u64,
    bound: Vec<Arc<HostPort>>,
    first_token: u64,
    /// Bits of those for which the ring waits.
    awaited: u64,
    has_news: bool,
    /// Where to look first: behind the one that gave something last.
    next: usize,
    /// Who has lately sent, and to which.
    peers: VecDeque<(SocketAddr, usize)>,
}

/// Datagrams that are dropped at most when a port is taken: more than wait at one.
const MOST_DROPPED: usize = 4_096;

impl DatagramPort {
    /// Of these, which have the same number; each takes the next token.
    pub fn new(owner: u64, bound: Vec<Arc<HostPort>>, first_token: u64) -> Result<Self, Refusal> {
        let number = bound.first().ok_or(Refusal::NotPermitted)?.port;
        for port in &bound {
            // What came before was for somebody else.
            let drops =
                |_: &usize| rustix::net::recv(&*port.socket, &mut [0; 1], RecvFlags::DONTWAIT).is_ok();
            (0..MOST_DROPPED).take_while(drops).for_each(drop);
        }
        let (awaited, next, peers) = (0, 0, VecDeque::new());
        Ok(Self { number, owner, bound, first_token, awaited, has_news: true, next, peers })
    }

    pub const fn number(&self) -> u16 {
        self.number
    }

    pub const fn ready(&self) -> u64 {
        // Linux drops what it has no room for.
        WRITABLE | if self.has_news { READABLE } else { 0 }
    }

    /// Something has come.
    pub fn came(&mut self, token: u64) {
        self.awaited &= !(1 << (token - self.first_token));
        self.has_news = true;
    }

    /// Sends, if its destination may be reached or has sent something here.
    pub fn send(
        &self,
        to: Place,
        bytes: &[u8],
        may_reach: impl FnOnce(SocketAddr) -> bool,
    ) -> Result<(), Refusal> {
        let to = SocketAddr::from(to);
        if to.port() == 0 || to.ip().is_unspecified() || to.ip().is_multicast() {
            return Err(Refusal::Invalid);
        }
        let known = self.peers.iter().find(|(peer, _)| *peer == to).map(|(_, place)| *place);
        if known.is_none() && !may_reach(to) {
            return Err(Refusal::NotPermitted);
        }
        let fits = |bound: &Arc<HostPort>| {
            let own =
                rustix::net::getsockname(&*bound.socket).ok().and_then(|own| SocketAddr::try_from(own).ok());
            own.is_some_and(|own| own.is_ipv4() == to.is_ipv4())
        };
        // Whoever has sent something expects the answer from where he sent it to.
        let answering = known.and_then(|place| self.bound.get(place));
        let bound = answering.or_else(|| self.bound.iter().find(|bound| fits(bound)));
        let bound = bound.ok_or(Refusal::Unreachable)?;
        match rustix::net::sendto(&*bound.socket, bytes, SendFlags::DONTWAIT, &to) {
            // What Linux has no room for is lost, as anywhere on the way.
            Ok(_) | Err(Errno::AGAIN | Errno::NOBUFS | Errno::CONNREFUSED) => Ok(()),
            Err(Errno::MSGSIZE) => Err(Refusal::TooLong),
            Err(Errno::ACCESS | Errno::PERM) => Err(Refusal::NotPermitted),
            Err(_) => Err(Refusal::Unreachable),
        }
    }

    /// The next datagram: its bytes to the front of `room`, as many as have room, and who sent it.
    pub fn receive(&mut self, room: &mut [u8], ring: &mut Uring) -> Result<(usize, Place), Refusal> {
        let count = self.bound.len();
        for place in (self.next..self.next + count).map(|place| place % count) {
            let Some(bound) = self.bound.get(place) else { continue };
            let received = rustix::net::recvfrom(&*bound.socket, &mut *room, RecvFlags::DONTWAIT);
            if let Ok((length, _, Some(from))) = received
                && let Ok(address) = SocketAddr::try_from(from.clone())
                && let Some(peer) = place_of(from)
            {
                self.next = place + 1;
                if !self.peers.contains(&(address, place)) {
                    if self.peers.len() == KNOWN_PEERS {
                        self.peers.pop_front();
                    }
                    self.peers.push_back((address, place));
                }
                return Ok((length.min(room.len()), peer));
            }
            let bit = 1 << place;
            if self.awaited & bit == 0
                && ring.await_readiness(&bound.socket, self.first_token + place as u64).is_ok()
            {
                self.awaited |= bit;
            }
        }
        self.has_news = false;
        Err(Refusal::NotNow)
    }

    /// Nobody will use it any more. What comes is dropped when somebody takes it again.
    pub fn close(self, ring: &mut Uring) {
        for (place, _) in self.bound.iter().enumerate() {
            if self.awaited & 1 << place != 0 {
                let _ = ring.cancel_readiness(self.first_token + place as u64);
            }
        }
    }
}
