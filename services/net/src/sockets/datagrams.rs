//! UDP ports.

use alloc::collections::VecDeque;
use alloc::vec;

use hallows_sdk::net::protocol::{Place, Refusal};
use hallows_sdk::net::{READABLE, WRITABLE};
use smoltcp::socket::udp;
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint};

use super::usage::Used;
use super::{Kind, Socket, Sockets, room, to_endpoint, to_place};

/// Bytes and datagrams that wait at a UDP port in each direction.
const DATAGRAMS_BYTES: usize = 65_536;
const DATAGRAMS: usize = 64;
/// The most bytes of a datagram: what UDP's length says, with the heads of UDP and IP; more than a frame has is not sent in pieces.
const MOST_DATAGRAM_BYTES: usize = 65_507;
/// The port at which a client of DHCP hears (RFC 2131).
const DHCP_CLIENT: u16 = 68;
/// Senders that a UDP port remembers, to be answered.
const KNOWN_PEERS: usize = 64;

/// A UDP port, as its holder uses it.
struct Port<'a> {
    socket: &'a mut udp::Socket<'static>,
    may_listen: bool,
    peers: &'a mut VecDeque<IpEndpoint>,
    owner: u64,
    wants: &'a mut u64,
    used: &'a mut Used,
}

impl Sockets {
    /// Whether a socket is the UDP port with this number.
    fn is_port_of(&self, kind: &Kind, port: u16) -> bool {
        let Kind::Datagrams { number, .. } = kind else { return false };
        self.directory.get::<udp::Socket<'_>>(*number).is_some_and(|socket| socket.endpoint().port == port)
    }

    pub fn bind(&mut self, owner: u64, port: u16) -> Result<u64, Refusal> {
        let may_listen = port != 0;
        if !self.has_room(1) {
            return Err(Refusal::Full);
        }
        let port = match port {
            0 => self.free_port().ok_or(Refusal::Full)?,
            // Its client hears there, and nobody else can.
            DHCP_CLIENT if self.is_leased() => return Err(Refusal::InUse),
            port => {
                self.take_from_the_dead(|sockets, kind| sockets.is_port_of(kind, port))?;
                port
            }
        };
        let buffer = || {
            let bytes = room(DATAGRAMS_BYTES).ok_or(Refusal::Full)?;
            Ok(udp::PacketBuffer::new(vec![udp::PacketMetadata::EMPTY; DATAGRAMS], bytes))
        };
        let mut socket = udp::Socket::new(buffer()?, buffer()?);
        socket.bind(IpListenEndpoint { addr: None, port }).map_err(|_| Refusal::Invalid)?;
        let number = self.directory.add(socket, Some(self.next_badge()));
        Ok(self.hold(owner, Kind::Datagrams { number, may_listen, peers: VecDeque::new() }))
    }

    /// A UDP port's socket, and who has sent to it.
    fn datagrams(&mut self, badge: u64) -> Result<Port<'_>, Refusal> {
        let Some(Socket { kind: Kind::Datagrams { number, may_listen, peers }, owner, wants, used, .. }) =
            self.held.get_mut(&badge)
        else {
            return Err(Refusal::Invalid);
        };
        let socket = self.directory.get_mut(*number).ok_or(Refusal::Invalid)?;
        Ok(Port { socket, may_listen: *may_listen, peers, owner: *owner, wants, used })
    }

    pub fn port(&mut self, badge: u64) -> u16 {
        self.datagrams(badge).map_or(0, |port| port.socket.endpoint().port)
    }

    /// Sends a datagram, if its destination may be reached or has sent one here before.
    pub fn send(
        &mut self,
        badge: u64,
        to: Place,
        bytes: &[u8],
        may_reach: impl FnOnce(u64, IpAddress) -> bool,
    ) -> Result<(), Refusal> {
        let to = to_endpoint(to)?;
        let Port { socket, peers, owner, wants, used, .. } = self.datagrams(badge)?;
        if !peers.contains(&to) && !may_reach(owner, to.addr) {
            return Err(Refusal::NotPermitted);
        }
        if bytes.len() > MOST_DATAGRAM_BYTES || bytes.len() > socket.payload_send_capacity() {
            return Err(Refusal::TooLong);
        }
        socket.send_slice(bytes, to).map_err(|error| match error {
            udp::SendError::Unaddressable => Refusal::Unreachable,
            udp::SendError::BufferFull => {
                *wants |= WRITABLE;
                Refusal::NotNow
            }
        })?;
        used.go(bytes.len());
        Ok(())
    }

    /// Takes the next datagram into `room`: its bytes, as many as have room, and who sent it. A port that no rule lets listen hears only whom it may
    /// reach.
    pub fn receive(
        &mut self,
        badge: u64,
        room: &mut [u8],
        may_reach: impl Fn(u64, IpAddress) -> bool,
    ) -> Result<(usize, Place), Refusal> {
        let Port { socket, may_listen, peers, owner, wants, used } = self.datagrams(badge)?;
        let (bytes, from) = loop {
            // At most as many as it has in its queue.
            match socket.recv() {
                Ok((_, from)) if !may_listen && !may_reach(owner, from.endpoint.addr) => {}
                Ok((bytes, from)) => break (bytes, from),
                Err(_) => {
                    *wants |= READABLE;
                    return Err(Refusal::NotNow);
                }
            }
        };
        used.come(bytes.len());
        let length = bytes.len().min(room.len());
        for (place, byte) in room.iter_mut().zip(bytes) {
            *place = *byte;
        }
        if !peers.contains(&from.endpoint) {
            if peers.len() == KNOWN_PEERS {
                peers.pop_front();
            }
            peers.push_back(from.endpoint);
        }
        Ok((length, to_place(from.endpoint)))
    }
}
