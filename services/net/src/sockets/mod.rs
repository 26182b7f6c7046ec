//! Sockets: what others hold capabilities of, and what becomes of connections that nobody holds any more.
//!
//! | file | what it has |
//! |---|---|
//! | `streams` | TCP: listeners and connections |
//! | `datagrams` | UDP |
//! | `echoes` | pings |
//! | `names` | questions for the addresses of names |
//! | `usage` | what has gone through each of them |
//! | `directory` | the protocols' sockets: whom a frame is for, and who has something to do |
//! | `timers` | what is due when |

mod datagrams;
mod directory;
mod echoes;
mod names;
mod streams;
mod timers;
mod usage;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use hallows_sdk::net::protocol::{Address, Place, Refusal, V6};
use hallows_sdk::net::{READABLE, WRITABLE};
use hallows_sdk::{Notification, rights, space};
use smoltcp::iface::{Interface, SocketHandle};
use smoltcp::socket::tcp::{self, State};
use smoltcp::socket::{AnySocket, dhcpv4, dns, icmp, udp};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpAddress, IpEndpoint, Ipv4Address, Ipv6Address};

use crate::way::Frames;
use directory::{Directory, Number, Which};
use names::Lookup;
pub use names::MOST_SERVERS;
use streams::{Waiting, is_opening};
use timers::Timers;
use usage::Used;

/// Sockets of all clients together; each connection takes 128 KiB of the cell's memory.
const MOST_SOCKETS: usize = 1_024;
/// Ports for those who do not say one (RFC 6335).
const FIRST_FREE_PORT: u16 = 49_152;
/// How long a connection that nobody holds may take to end (as Linux's `tcp_fin_timeout`).
const FAREWELL: Duration = Duration::from_secs(60);

/// A bell of a client's.
pub type Bell = Notification<rights!(SEND)>;

/// What a capability stands for.
#[derive(Debug)]
pub enum Kind {
    /// A TCP port that is listened on: sockets that wait for somebody, and connections that wait to be accepted.
    Listener { port: u16, backlog: usize, waiting: Vec<Waiting>, ready: VecDeque<Number> },
    /// A TCP connection.
    Connection { number: Number, is_finished: bool },
    /// A UDP port, and who has lately sent to it.
    Datagrams { number: Number, may_listen: bool, peers: VecDeque<IpEndpoint> },
    /// Pings of one address.
    Echoes { handle: SocketHandle, to: IpAddress, identity: u16 },
    /// A question for the addresses of a name.
    Lookup(Lookup),
}

/// A socket that somebody holds.
#[derive(Debug)]
pub struct Socket {
    pub kind: Kind,
    /// The badge by which its maker holds the network.
    owner: u64,
    used: Used,
    bell: Option<Bell>,
    /// What its holder waits for.
    wants: u64,
}

/// All sockets.
pub struct Sockets {
    directory: Directory,
    held: BTreeMap<u64, Socket>,
    /// Of those that are held: pings and lookups, whose sockets of the protocols have no numbers.
    few: BTreeSet<u64>,
    /// Those that are held and to be looked at, whatever the protocols did.
    changed: BTreeSet<u64>,
    /// Memory of a list of those that are looked at.
    looked_at: Vec<u64>,
    /// Connections that nobody holds and that are not at their end, with the time until which they may take.
    leaving: BTreeMap<Number, Instant>,
    /// When something of those that are held is due: room that a listener makes for others, a lookup that is given up.
    due: Timers<u64>,
    /// The service's own: not of a client.
    own: usize,
    /// By which names are asked for.
    names: SocketHandle,
    servers: Vec<IpAddress>,
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
        let mut directory = Directory::new();
        let names = directory.few.add(dns::Socket::new(&[], Vec::new()));
        Self {
            directory,
            held: BTreeMap::new(),
            few: BTreeSet::new(),
            changed: BTreeSet::new(),
            looked_at: Vec::new(),
            leaving: BTreeMap::new(),
            due: Timers::new(),
            own: 1,
            names,
            servers: Vec::new(),
            last: life & (SOCKET - 1),
        }
    }

    /// Adds a socket; its badge.
    fn hold(&mut self, owner: u64, kind: Kind) -> u64 {
        let badge = self.next_badge();
        self.last += 1;
        if matches!(kind, Kind::Echoes { .. } | Kind::Lookup(_)) {
            self.few.insert(badge);
            self.directory.touch(Which::Few);
        }
        self.held.insert(badge, Socket { kind, owner, used: Used::default(), bell: None, wants: 0 });
        badge
    }

    /// The badge of the socket that is [held](Self::hold) next.
    const fn next_badge(&self) -> u64 {
        SOCKET | (self.last + 1)
    }

    pub fn get(&self, badge: u64) -> Option<&Socket> {
        self.held.get(&badge)
    }

    /// Whether there is room for so many sockets more.
    fn has_room(&self, more: usize) -> bool {
        self.all() + more <= MOST_SOCKETS
    }

    /// The protocols' sockets, without the service's own.
    pub fn all(&self) -> usize {
        self.directory.len() + self.directory.few.iter().count() - self.own
    }

    /// Asks for an address by DHCP.
    pub fn ask_for_lease(&mut self, socket: dhcpv4::Socket<'static>) -> SocketHandle {
        self.own += 1;
        self.add_to_few(socket)
    }

    /// Whether an address is asked for by DHCP.
    const fn is_leased(&self) -> bool {
        self.own > 1
    }

    /// What DHCP's client has.
    pub fn lease(&mut self, handle: SocketHandle) -> &mut dhcpv4::Socket<'static> {
        self.directory.few.get_mut(handle)
    }

    fn add_to_few(&mut self, socket: impl AnySocket<'static>) -> SocketHandle {
        self.directory.touch(Which::Few);
        self.directory.few.add(socket)
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
        self.changed.insert(badge);
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

    /// A number that is another one soon: a port, or whatever begins with it, is not used again at once.
    const fn anything(&self) -> u32 {
        // Its upper half.
        (self.last.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
    }

    /// A port that nobody has.
    fn free_port(&self) -> Option<u16> {
        let count = u64::from(u16::MAX - FIRST_FREE_PORT) + 1;
        let first = u64::from(self.anything());
        (0..count)
            .filter_map(|step| u16::try_from(u64::from(FIRST_FREE_PORT) + (first + step) % count).ok())
            .find(|port| !self.directory.is_taken(*port))
    }

    /// Nobody holds a socket any more.
    pub fn close(&mut self, badge: u64, now: Instant) {
        let Some(socket) = self.held.remove(&badge) else { return };
        self.due.forget(badge);
        if let Some(bell) = socket.bell {
            let _ = space::delete(bell);
        }
        match socket.kind {
            Kind::Listener { waiting, ready, .. } => {
                for number in waiting.into_iter().map(|one| one.number).chain(ready) {
                    self.leave(number, now, |_| true);
                }
            }
            Kind::Connection { number, .. } => self.leave(number, now, |socket| socket.recv_queue() > 0),
            Kind::Datagrams { number, .. } => self.directory.remove(number),
            Kind::Echoes { handle, .. } => {
                self.few.remove(&badge);
                self.directory.few.remove(handle);
            }
            Kind::Lookup(lookup) => {
                self.few.remove(&badge);
                self.give_up(&lookup);
            }
        }
    }

    /// Nobody holds a connection any more: it is reset, or ends as it should.
    fn leave(&mut self, number: Number, now: Instant, is_reset: impl FnOnce(&tcp::Socket<'_>) -> bool) {
        let Some(socket) = self.directory.get_mut::<tcp::Socket<'_>>(number) else { return };
        if is_reset(socket) {
            socket.abort();
        } else {
            socket.close();
        }
        self.directory.file(number);
        self.directory.hold(number, None);
        self.directory.ring(number, now + FAREWELL);
        self.leaving.insert(number, now + FAREWELL);
    }

    /// The protocols have their turn; who waits for what it gave rise to hears his bell.
    pub fn turn<D: Frames + ?Sized>(&mut self, now: Instant, interface: &mut Interface, device: &mut D) {
        self.directory.turn(now, interface, device);
        self.settle(now);
    }

    /// After the protocols had their turn: connections that have come wait to be accepted, those that are over go, bells ring.
    fn settle(&mut self, now: Instant) {
        let mut badges = core::mem::take(&mut self.looked_at);
        badges.extend(core::mem::take(&mut self.changed));
        let noted = self.directory.take_noted();
        for which in &noted {
            match *which {
                Which::Few => badges.extend(&self.few),
                Which::One(number) => match self.directory.holder(number) {
                    Some(badge) => badges.push(badge),
                    None => self.see_off(number, now),
                },
            }
        }
        self.directory.give_back(noted);
        while let Some(badge) = self.due.take(now) {
            badges.push(badge);
        }
        badges.sort_unstable();
        badges.dedup();
        for badge in badges.drain(..) {
            self.welcome(badge, now);
            self.look_up(badge, now);
            if !self.ring(badge) {
                // Whose bell is gone is gone.
                self.close(badge, now);
            }
        }
        self.looked_at = badges;
    }

    /// Looks whether a connection that nobody holds is over.
    fn see_off(&mut self, number: Number, now: Instant) {
        let Some(until) = self.leaving.get(&number).copied() else { return };
        let Some(socket) = self.directory.get::<tcp::Socket<'_>>(number) else { return };
        // A reset that is not on its way yet has somebody to go to.
        let is_over = socket.state() == State::Closed && socket.remote_endpoint().is_none()
            || socket.state() == State::Listen
            || now >= until + FAREWELL;
        if is_over {
            self.leaving.remove(&number);
            self.directory.remove(number);
            return;
        }
        if now >= until && socket.state() != State::Closed {
            self.directory.get_mut::<tcp::Socket<'_>>(number).into_iter().for_each(tcp::Socket::abort);
        }
        // Whoever could not leave by then is given up a farewell later.
        self.directory.ring(number, if until > now { until } else { until + FAREWELL });
    }

    /// An address is this machine's no more: what has it is reset.
    pub fn lose(&mut self, address: IpAddress) {
        self.directory.reset(address);
    }

    /// What all have in common has changed, as the machine's addresses.
    pub fn look_at_all(&mut self) {
        self.directory.touch_all();
    }

    /// When the protocols want a turn, if nothing happens before; a time that is over: as soon as something else has had its own.
    pub fn next(&self) -> Option<Instant> {
        if !self.changed.is_empty() {
            return Some(Instant::ZERO);
        }
        self.directory.next().into_iter().chain(self.due.next()).min()
    }

    /// Rings a socket's bell if there is what its holder waits for. Whether there is a holder.
    fn ring(&mut self, badge: u64) -> bool {
        let Some(socket) = self.held.get_mut(&badge) else { return true };
        let Some(bell) = socket.bell.filter(|_| socket.wants != 0) else { return true };
        let ready = match &socket.kind {
            Kind::Listener { ready, .. } => u64::from(!ready.is_empty()) * READABLE,
            Kind::Connection { number, .. } => {
                let Some(stream) = self.directory.get::<tcp::Socket<'_>>(*number) else { return true };
                let is_there = !is_opening(stream);
                let readable = is_there && (stream.can_recv() || !stream.may_recv());
                let writable = is_there && (stream.can_send() || !stream.may_send());
                (u64::from(readable) * READABLE) | (u64::from(writable) * WRITABLE)
            }
            Kind::Datagrams { number, .. } => {
                let Some(port) = self.directory.get::<udp::Socket<'_>>(*number) else { return true };
                (u64::from(port.can_recv()) * READABLE) | (u64::from(port.can_send()) * WRITABLE)
            }
            Kind::Echoes { handle, .. } => {
                let echoes = self.directory.few.get::<icmp::Socket<'_>>(*handle);
                (u64::from(echoes.can_recv()) * READABLE) | (u64::from(echoes.can_send()) * WRITABLE)
            }
            Kind::Lookup(lookup) => u64::from(lookup.is_over()) * READABLE,
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

/// What stands for a peer that is gone.
const NOWHERE: Place = Place { address: Address::V4(0), port: 0 };

fn to_address(address: IpAddress) -> Address {
    match address {
        IpAddress::Ipv4(address) => Address::V4(address.to_bits()),
        IpAddress::Ipv6(address) => {
            let bits = address.to_bits();
            // Cut in two halves on purpose.
            Address::V6(V6 { high: (bits >> 64) as u64, low: bits as u64 })
        }
    }
}

fn to_place(endpoint: IpEndpoint) -> Place {
    Place { address: to_address(endpoint.addr), port: endpoint.port }
}

/// An address that can be sent to.
pub fn to_ip(address: Address) -> Result<IpAddress, Refusal> {
    let address = match address {
        Address::V4(bits) => IpAddress::Ipv4(Ipv4Address::from_bits(bits)),
        Address::V6(V6 { high, low }) => {
            IpAddress::Ipv6(Ipv6Address::from_bits(u128::from(high) << 64 | u128::from(low)))
        }
    };
    let is_nobodys = address.is_unspecified() || address.is_multicast() || address.is_broadcast();
    if is_nobodys { Err(Refusal::Invalid) } else { Ok(address) }
}

/// What can be sent to.
pub fn to_endpoint(place: Place) -> Result<IpEndpoint, Refusal> {
    let addr = to_ip(place.address)?;
    if place.port == 0 { Err(Refusal::Invalid) } else { Ok(IpEndpoint { addr, port: place.port }) }
}

#[cfg(test)]
mod tests {
    use super::streams::MOST_BACKLOG;
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
        let badge = sockets.listen(1, 7, 2).expect("free");
        assert_ne!(badge & SOCKET, 0);
        assert_eq!(sockets.listen(1, 7, 1), Err(Refusal::InUse));
        assert_eq!(
            (sockets.listen(1, 0, 1), sockets.listen(1, 8, 0)),
            (Err(Refusal::Invalid), Err(Refusal::Invalid))
        );
        assert_eq!(sockets.accept(badge), Err(Refusal::NotNow));
        let port = sockets.bind(1, 7).expect("UDP's ports are others");
        assert_eq!(sockets.bind(1, 7), Err(Refusal::InUse));
        assert_eq!(sockets.port(port), 7);
        let any = sockets.bind(1, 0).expect("some are free");
        assert!(sockets.port(any) >= FIRST_FREE_PORT);
        sockets.close(badge, Instant::ZERO);
        // Nobody was there to whom a reset would go.
        let leaving: Vec<_> = sockets.leaving.keys().copied().collect();
        for number in leaving {
            sockets.see_off(number, Instant::ZERO);
        }
        assert!(sockets.get(badge).is_none() && sockets.leaving.is_empty());
        assert!(sockets.listen(1, 7, 1).is_ok());
        assert_eq!(sockets.read(port, 1, &mut [0]), Err(Refusal::Invalid), "of another kind");
    }

    #[test]
    fn a_listener_has_no_more_sockets_than_there_is_room_for() {
        let mut sockets = Sockets::new(0);
        let most = MOST_SOCKETS / usize::from(MOST_BACKLOG);
        for port in 1..=u16::try_from(most).expect("few") {
            assert!(sockets.listen(1, port, u16::MAX).is_ok());
        }
        assert_eq!(sockets.listen(1, 9_999, 1), Err(Refusal::Full));
        assert_eq!(sockets.bind(1, 7), Err(Refusal::Full));
    }
}
