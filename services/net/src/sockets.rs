//! Sockets: what others hold capabilities of, and what becomes of connections that nobody holds any more.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

use hallows_sdk::net::protocol::{Address, Place, Refusal, V6};
use hallows_sdk::net::{READABLE, WRITABLE};
use hallows_sdk::{Notification, rights, space};
use smoltcp::iface::{Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, CongestionControl, ConnectError, State};
use smoltcp::socket::udp;
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpAddress, IpEndpoint, IpListenEndpoint, Ipv4Address, Ipv6Address};

/// Bytes of a connection on their way in each direction: what a window without scaling can say.
const STREAM_BYTES: usize = 65_535;
/// Bytes and datagrams that wait at a UDP port in each direction.
const DATAGRAMS_BYTES: usize = 65_536;
const DATAGRAMS: usize = 64;
/// The most bytes of a datagram: what UDP's length says, with the heads of UDP and IP; more than a frame has is not sent in pieces.
const MOST_DATAGRAM_BYTES: usize = 65_507;
/// Connections that may wait to be accepted.
const MOST_BACKLOG: u16 = 64;
/// Sockets of all clients together; each connection takes 128 KiB of the cell's memory.
const MOST_SOCKETS: usize = 1_024;
/// Ports for those who do not say one (RFC 6335).
const FIRST_FREE_PORT: u16 = 49_152;
/// How long the other end may be silent about what was sent to it.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the other end is asked whether it is there when nothing is said.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a connection that nobody holds may take to end (as Linux's `tcp_fin_timeout`).
const FAREWELL: Duration = Duration::from_secs(60);
/// Senders that a UDP port remembers, to be answered.
const KNOWN_PEERS: usize = 64;

/// A bell of a client's.
pub type Bell = Notification<rights!(SEND)>;

/// What a capability stands for.
#[derive(Debug)]
pub enum Kind {
    /// A TCP port that is listened on: sockets that wait for somebody, and connections that wait to be accepted.
    Listener { port: u16, backlog: usize, waiting: Vec<SocketHandle>, ready: VecDeque<SocketHandle> },
    /// A TCP connection.
    Connection { handle: SocketHandle, is_finished: bool },
    /// A UDP port, and who has lately sent to it.
    Datagrams { handle: SocketHandle, owner: u64, may_listen: bool, peers: VecDeque<IpEndpoint> },
}

/// A socket that somebody holds.
#[derive(Debug)]
pub struct Socket {
    pub kind: Kind,
    bell: Option<Bell>,
    /// What its holder waits for.
    wants: u64,
}

/// All sockets.
pub struct Sockets {
    pub set: SocketSet<'static>,
    held: BTreeMap<u64, Socket>,
    /// Connections that nobody holds and that are not at their end, with the time until which they may take.
    leaving: Vec<(SocketHandle, Instant)>,
    last: u64,
}

/// The bit of a badge that says: a socket.
pub const SOCKET: u64 = 1 << 63;

impl core::fmt::Debug for Sockets {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Sockets").field("held", &self.held).finish_non_exhaustive()
    }
}

impl Sockets {
    /// None. `life` is a number that is higher than all that a life before this one has given out.
    pub fn new(life: u64) -> Self {
        Self {
            set: SocketSet::new(Vec::new()),
            held: BTreeMap::new(),
            leaving: Vec::new(),
            last: life & (SOCKET - 1),
        }
    }

    /// Adds a socket; its badge.
    fn hold(&mut self, kind: Kind) -> u64 {
        self.last += 1;
        let badge = SOCKET | self.last;
        self.held.insert(badge, Socket { kind, bell: None, wants: 0 });
        badge
    }

    pub fn get(&self, badge: u64) -> Option<&Socket> {
        self.held.get(&badge)
    }

    /// Whether there is room for so many sockets more.
    fn has_room(&self, more: usize) -> bool {
        self.set.iter().count() + more <= MOST_SOCKETS
    }

    /// A bell rings for a socket from now on, and at once if there is something already.
    pub fn tell(&mut self, badge: u64, bell: Bell) {
        let Some(socket) = self.held.get_mut(&badge) else {
            let _ = space::delete(bell);
            return;
        };
        if let Some(before) = socket.bell.replace(bell) {
            let _ = space::delete(before);
        }
        socket.wants = READABLE | WRITABLE;
    }

    pub fn listen(&mut self, port: u16, backlog: u16) -> Result<u64, Refusal> {
        if port == 0 || backlog == 0 {
            return Err(Refusal::Invalid);
        }
        self.take_from_the_dead(
            |_, kind| matches!(kind, Kind::Listener { port: taken, .. } if *taken == port),
        )?;
        let backlog = usize::from(backlog.min(MOST_BACKLOG));
        if !self.has_room(backlog) {
            return Err(Refusal::Full);
        }
        let waiting = (0..backlog).filter_map(|_| self.waits_on(port)).collect();
        Ok(self.hold(Kind::Listener { port, backlog, waiting, ready: VecDeque::new() }))
    }

    /// Whether a socket is the UDP port with this number.
    fn is_port_of(&self, kind: &Kind, port: u16) -> bool {
        matches!(kind, Kind::Datagrams { handle, .. } if self.set.get::<udp::Socket<'_>>(*handle).endpoint().port == port)
    }

    /// Closes a socket whose holder has ended, of which nothing else tells as long as nobody comes. `InUse` if there is a holder.
    fn take_from_the_dead(&mut self, is_it: impl Fn(&Self, &Kind) -> bool) -> Result<(), Refusal> {
        let Some((badge, socket)) = self.held.iter().find(|(_, socket)| is_it(self, &socket.kind)) else {
            return Ok(());
        };
        let badge = *badge;
        // One that rings for nothing makes its holder look, and nothing else.
        if socket.bell.is_none_or(|bell| bell.signal(READABLE).is_ok()) {
            return Err(Refusal::InUse);
        }
        self.close(badge, Instant::ZERO);
        Ok(())
    }

    /// One more socket that waits for somebody on a port.
    fn waits_on(&mut self, port: u16) -> Option<SocketHandle> {
        let mut socket = stream()?;
        socket.listen(port).ok()?;
        Some(self.set.add(socket))
    }

    /// The oldest connection that waits to be accepted, which is a socket of its own then; and who is at its other end.
    pub fn accept(&mut self, badge: u64) -> Result<(u64, Place), Refusal> {
        let Some(Socket { kind: Kind::Listener { ready, .. }, wants, .. }) = self.held.get_mut(&badge) else {
            return Err(Refusal::Invalid);
        };
        let Some(handle) = ready.pop_front() else {
            *wants |= READABLE;
            return Err(Refusal::NotNow);
        };
        // One that was reset meanwhile has none; who accepts it learns of that when it reads.
        let peer = self.set.get::<tcp::Socket<'_>>(handle).remote_endpoint().map_or(NOWHERE, to_place);
        Ok((self.hold(Kind::Connection { handle, is_finished: false }), peer))
    }

    pub fn connect(&mut self, interface: &mut Interface, to: Place) -> Result<u64, Refusal> {
        let to = to_endpoint(to)?;
        if !self.has_room(1) {
            return Err(Refusal::Full);
        }
        let port = self.free_port().ok_or(Refusal::Full)?;
        let mut socket = stream().ok_or(Refusal::Full)?;
        socket.connect(interface.context(), to, port).map_err(|error| match error {
            ConnectError::Unaddressable => Refusal::Unreachable,
            ConnectError::InvalidState => Refusal::Invalid,
        })?;
        let handle = self.set.add(socket);
        Ok(self.hold(Kind::Connection { handle, is_finished: false }))
    }

    /// A port that nobody has.
    fn free_port(&self) -> Option<u16> {
        // Begins anywhere, so that a port is not used again soon.
        let count = u64::from(u16::MAX - FIRST_FREE_PORT) + 1;
        let first = self.last.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        (0..count)
            .filter_map(|step| u16::try_from(u64::from(FIRST_FREE_PORT) + (first + step) % count).ok())
            .find(|port| !self.is_taken(*port))
    }

    fn is_taken(&self, port: u16) -> bool {
        self.set.iter().any(|(_, socket)| match socket {
            smoltcp::socket::Socket::Tcp(socket) => {
                socket.local_endpoint().is_some_and(|local| local.port == port)
                    || socket.listen_endpoint().port == port
            }
            smoltcp::socket::Socket::Udp(socket) => socket.endpoint().port == port,
        })
    }

    pub fn bind(&mut self, owner: u64, port: u16) -> Result<u64, Refusal> {
        let may_listen = port != 0;
        if !self.has_room(1) {
            return Err(Refusal::Full);
        }
        let port = match port {
            0 => self.free_port().ok_or(Refusal::Full)?,
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
        let handle = self.set.add(socket);
        Ok(self.hold(Kind::Datagrams { handle, owner, may_listen, peers: VecDeque::new() }))
    }

    /// A connection's socket, and what its holder waits for.
    fn connection(&mut self, badge: u64) -> Option<(&mut tcp::Socket<'static>, &mut bool, &mut u64)> {
        let Socket { kind: Kind::Connection { handle, is_finished }, wants, .. } =
            self.held.get_mut(&badge)?
        else {
            return None;
        };
        Some((self.set.get_mut(*handle), is_finished, wants))
    }

    /// Reads into `room`; 0: nothing more will come.
    pub fn read(&mut self, badge: u64, room: &mut [u8]) -> Result<usize, Refusal> {
        let (socket, _, wants) = self.connection(badge).ok_or(Refusal::Invalid)?;
        if room.is_empty() {
            return Err(Refusal::Invalid);
        }
        if is_opening(socket) || socket.may_recv() && !socket.can_recv() {
            *wants |= READABLE;
            return Err(Refusal::NotNow);
        }
        match socket.recv_slice(room) {
            Ok(bytes) => Ok(bytes),
            Err(tcp::RecvError::Finished) => Ok(0),
            Err(tcp::RecvError::InvalidState) => Err(Refusal::Reset),
        }
    }

    /// Writes from the front of `bytes`; how many.
    pub fn write(&mut self, badge: u64, bytes: &[u8]) -> Result<usize, Refusal> {
        let (socket, is_finished, wants) = self.connection(badge).ok_or(Refusal::Invalid)?;
        if *is_finished {
            return Err(Refusal::Finished);
        }
        let is_full = socket.may_send() && !socket.can_send();
        if is_opening(socket) || is_full && !bytes.is_empty() {
            *wants |= WRITABLE;
            return Err(Refusal::NotNow);
        }
        socket.send_slice(bytes).map_err(|_| Refusal::Reset)
    }

    pub fn finish(&mut self, badge: u64) -> Result<(), Refusal> {
        let (socket, is_finished, _) = self.connection(badge).ok_or(Refusal::Invalid)?;
        if !socket.may_send() && !is_opening(socket) && !*is_finished {
            return Err(Refusal::Reset);
        }
        *is_finished = true;
        socket.close();
        Ok(())
    }

    pub fn peer(&mut self, badge: u64) -> Result<Place, Refusal> {
        let (socket, _, _) = self.connection(badge).ok_or(Refusal::Invalid)?;
        socket.remote_endpoint().map(to_place).ok_or(Refusal::Reset)
    }

    /// A UDP port's socket, and who has sent to it.
    fn datagrams(
        &mut self,
        badge: u64,
    ) -> Option<(&mut udp::Socket<'static>, &mut VecDeque<IpEndpoint>, &mut u64)> {
        let Socket { kind: Kind::Datagrams { handle, peers, .. }, wants, .. } = self.held.get_mut(&badge)?
        else {
            return None;
        };
        Some((self.set.get_mut(*handle), peers, wants))
    }

    pub fn port(&mut self, badge: u64) -> u16 {
        self.datagrams(badge).map_or(0, |(socket, ..)| socket.endpoint().port)
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
        let Some(Socket { kind: Kind::Datagrams { owner, peers, .. }, .. }) = self.held.get(&badge) else {
            return Err(Refusal::Invalid);
        };
        if !peers.contains(&to) && !may_reach(*owner, to.addr) {
            return Err(Refusal::NotPermitted);
        }
        let (socket, _, wants) = self.datagrams(badge).ok_or(Refusal::Invalid)?;
        if bytes.len() > MOST_DATAGRAM_BYTES || bytes.len() > socket.payload_send_capacity() {
            return Err(Refusal::TooLong);
        }
        socket.send_slice(bytes, to).map_err(|error| match error {
            udp::SendError::Unaddressable => Refusal::Unreachable,
            udp::SendError::BufferFull => {
                *wants |= WRITABLE;
                Refusal::NotNow
            }
        })
    }

    /// Takes the next datagram into `room`: its bytes, as many as have room, and who sent it. A port that no rule lets listen hears only whom it may
    /// reach.
    pub fn receive(
        &mut self,
        badge: u64,
        room: &mut [u8],
        may_reach: impl Fn(u64, IpAddress) -> bool,
    ) -> Result<(usize, Place), Refusal> {
        let Some(Socket { kind: Kind::Datagrams { owner, may_listen, .. }, .. }) = self.held.get(&badge)
        else {
            return Err(Refusal::Invalid);
        };
        let (owner, may_listen) = (*owner, *may_listen);
        let (socket, peers, wants) = self.datagrams(badge).ok_or(Refusal::Invalid)?;
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

    /// Nobody holds a socket any more.
    pub fn close(&mut self, badge: u64, now: Instant) {
        let Some(socket) = self.held.remove(&badge) else { return };
        if let Some(bell) = socket.bell {
            let _ = space::delete(bell);
        }
        match socket.kind {
            Kind::Listener { waiting, ready, .. } => {
                for handle in waiting.into_iter().chain(ready) {
                    self.set.get_mut::<tcp::Socket<'_>>(handle).abort();
                    self.leaving.push((handle, now + FAREWELL));
                }
            }
            Kind::Connection { handle, .. } => {
                let socket = self.set.get_mut::<tcp::Socket<'_>>(handle);
                if socket.recv_queue() > 0 {
                    socket.abort()
                } else {
                    socket.close()
                }
                self.leaving.push((handle, now + FAREWELL));
            }
            Kind::Datagrams { handle, .. } => {
                self.set.remove(handle);
            }
        }
    }

    /// After the protocols had their turn: connections that have come wait to be accepted, those that are over go, bells ring.
    pub fn settle(&mut self, now: Instant) {
        let Self { set, leaving, .. } = self;
        leaving.retain(|(handle, until)| {
            let socket = set.get_mut::<tcp::Socket<'_>>(*handle);
            if now >= *until {
                socket.abort();
            }
            // A reset that is not on its way yet has somebody to go to.
            let is_over = socket.state() == State::Closed && socket.remote_endpoint().is_none()
                || socket.state() == State::Listen
                || now >= *until + FAREWELL;
            if is_over {
                set.remove(*handle);
            }
            !is_over
        });
        let mut gone = Vec::new();
        let badges: Vec<u64> = self.held.keys().copied().collect();
        for badge in badges {
            self.welcome(badge);
            if !self.ring(badge) {
                gone.push(badge);
            }
        }
        // Whose bell is gone is gone.
        for badge in gone {
            self.close(badge, now);
        }
    }

    /// When connections that nobody holds have to be looked at.
    pub fn settle_at(&self, now: Instant) -> Option<Instant> {
        // Whoever could not leave by then is given up a farewell later.
        let next = |until: Instant| if until > now { until } else { until + FAREWELL };
        self.leaving.iter().map(|(_, until)| next(*until)).min()
    }

    /// Moves connections that have come to a listener to those that wait to be accepted, and lets others wait in their place.
    fn welcome(&mut self, badge: u64) {
        let Some(Socket { kind: Kind::Listener { port, backlog, waiting, ready }, .. }) =
            self.held.get_mut(&badge)
        else {
            return;
        };
        let (port, backlog) = (*port, *backlog);
        let set = &mut self.set;
        waiting.retain(|handle| {
            let socket = set.get_mut::<tcp::Socket<'_>>(*handle);
            match socket.state() {
                State::Listen | State::SynReceived => true,
                // Given up by whoever wanted to come.
                State::Closed => socket.listen(port).is_ok(),
                _ => {
                    ready.push_back(*handle);
                    false
                }
            }
        });
        let missing = backlog.saturating_sub(waiting.len() + ready.len());
        for _ in 0..missing {
            if !self.has_room(1) {
                return;
            }
            let more = self.waits_on(port);
            if let Some(Socket { kind: Kind::Listener { waiting, .. }, .. }) = self.held.get_mut(&badge) {
                waiting.extend(more);
            }
        }
    }

    /// Rings a socket's bell if there is what its holder waits for. Whether there is a holder.
    fn ring(&mut self, badge: u64) -> bool {
        let Some(socket) = self.held.get_mut(&badge) else { return true };
        let Some(bell) = socket.bell.filter(|_| socket.wants != 0) else { return true };
        let ready = match &socket.kind {
            Kind::Listener { ready, .. } => u64::from(!ready.is_empty()) * READABLE,
            Kind::Connection { handle, .. } => {
                let stream = self.set.get::<tcp::Socket<'_>>(*handle);
                let is_there = !is_opening(stream);
                let readable = is_there && (stream.can_recv() || !stream.may_recv());
                let writable = is_there && (stream.can_send() || !stream.may_send());
                (u64::from(readable) * READABLE) | (u64::from(writable) * WRITABLE)
            }
            Kind::Datagrams { handle, .. } => {
                let port = self.set.get::<udp::Socket<'_>>(*handle);
                (u64::from(port.can_recv()) * READABLE) | (u64::from(port.can_send()) * WRITABLE)
            }
        };
        let bits = ready & socket.wants;
        socket.wants &= !bits;
        bits == 0 || bell.signal(bits).is_ok()
    }
}

/// Memory for a socket, if there is enough: whoever asks for more than there is harms nobody else.
fn room(bytes: usize) -> Option<Vec<u8>> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes).ok()?;
    room.resize(bytes, 0);
    Some(room)
}

/// A TCP socket as all of ours are, if there is memory for it.
fn stream() -> Option<tcp::Socket<'static>> {
    let buffer = || room(STREAM_BYTES).map(tcp::SocketBuffer::new);
    let mut socket = tcp::Socket::new(buffer()?, buffer()?);
    socket.set_congestion_control(CongestionControl::Cubic);
    socket.set_timeout(Some(SILENCE));
    socket.set_keep_alive(Some(KEEP_ALIVE));
    // Whoever writes has put together what belongs together; and who answers does so at once.
    socket.set_nagle_enabled(false);
    socket.set_ack_delay(None);
    Some(socket)
}

/// Whether the connection is not there yet.
fn is_opening(socket: &tcp::Socket<'_>) -> bool {
    matches!(socket.state(), State::SynSent | State::SynReceived | State::Listen)
}

/// What stands for a peer that is gone.
const NOWHERE: Place = Place { address: Address::V4(0), port: 0 };

fn to_place(endpoint: IpEndpoint) -> Place {
    let address = match endpoint.addr {
        IpAddress::Ipv4(address) => Address::V4(address.to_bits()),
        IpAddress::Ipv6(address) => {
            let bits = address.to_bits();
            // Cut in two halves on purpose.
            Address::V6(V6 { high: (bits >> 64) as u64, low: bits as u64 })
        }
    };
    Place { address, port: endpoint.port }
}

/// What can be sent to.
pub fn to_endpoint(place: Place) -> Result<IpEndpoint, Refusal> {
    let addr = match place.address {
        Address::V4(bits) => IpAddress::Ipv4(Ipv4Address::from_bits(bits)),
        Address::V6(V6 { high, low }) => {
            IpAddress::Ipv6(Ipv6Address::from_bits(u128::from(high) << 64 | u128::from(low)))
        }
    };
    if place.port == 0 || addr.is_unspecified() || addr.is_multicast() || addr.is_broadcast() {
        return Err(Refusal::Invalid);
    }
    Ok(IpEndpoint { addr, port: place.port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_endpoints_are_the_same_both_ways_and_nothing_is_sent_to_nobody() {
        let v6 = Address::V6(V6 { high: 0xfd00 << 48, low: 9 });
        for address in [Address::V4(0x0a00_0002), v6] {
            let place = Place { address, port: 7 };
            assert_eq!(to_endpoint(place).map(to_place), Ok(place));
            assert_eq!(to_endpoint(Place { address, port: 0 }), Err(Refusal::Invalid));
        }
        for address in [0, u32::MAX, 0xe000_0001] {
            assert_eq!(to_endpoint(Place { address: Address::V4(address), port: 7 }), Err(Refusal::Invalid));
        }
    }

    #[test]
    fn ports_are_anybodys_once() {
        hallows_testing::link();
        let mut sockets = Sockets::new(5);
        let badge = sockets.listen(7, 2).expect("free");
        assert_ne!(badge & SOCKET, 0);
        assert_eq!(sockets.listen(7, 1), Err(Refusal::InUse));
        assert_eq!(
            (sockets.listen(0, 1), sockets.listen(8, 0)),
            (Err(Refusal::Invalid), Err(Refusal::Invalid))
        );
        assert_eq!(sockets.accept(badge), Err(Refusal::NotNow));
        let port = sockets.bind(1, 7).expect("UDP's ports are others");
        assert_eq!(sockets.bind(1, 7), Err(Refusal::InUse));
        assert_eq!(sockets.port(port), 7);
        let any = sockets.bind(1, 0).expect("some are free");
        assert!(sockets.port(any) >= FIRST_FREE_PORT);
        sockets.close(badge, Instant::ZERO);
        sockets.settle(Instant::ZERO);
        assert!(sockets.get(badge).is_none() && sockets.leaving.is_empty());
        assert!(sockets.listen(7, 1).is_ok());
        assert_eq!(sockets.read(port, &mut [0]), Err(Refusal::Invalid), "of another kind");
    }

    #[test]
    fn a_listener_has_no_more_sockets_than_there_is_room_for() {
        let mut sockets = Sockets::new(0);
        let most = MOST_SOCKETS / usize::from(MOST_BACKLOG);
        for port in 1..=u16::try_from(most).expect("few") {
            assert!(sockets.listen(port, u16::MAX).is_ok());
        }
        assert_eq!(sockets.listen(9_999, 1), Err(Refusal::Full));
        assert_eq!(sockets.bind(1, 7), Err(Refusal::Full));
    }
}
