//! The program: what comes as messages, from the card and by the clock, and when the protocols have their turn.

use alloc::vec;
use alloc::vec::Vec;

use hallows_sdk::abi::MAX_MESSAGE;
use hallows_sdk::net::protocol::{
    self, Accepted, Address, Bell, Connection, Datagram, Datagrams, Echo, Echoes, Listener, Lookup, Place,
    Refusal, Service, Target, Traffic, Usage,
};
use hallows_sdk::ring::{Failure, Rest};
use hallows_sdk::stub::{Client, Handle, List, Own, Resource};
use hallows_sdk::{
    Answer, Budget, Deadline, Endpoint, Error, Message, Notification, Object, Rights, Server, Start, Timer,
    log, process, space, watch,
};
use smoltcp::iface::{Config, Interface};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress};

use crate::lease::Lease;
use crate::link::{Counted, Link};
use crate::settings::Settings;
use crate::sockets::{Kind, SOCKET, Sockets, to_endpoint, to_ip};

/// What holders of a socket may do with its capability: call it, watch it, and pass it on.
const SOCKET_RIGHTS: Rights = Rights(Rights::SEND.0 | Rights::WATCH.0 | Rights::TRANSFER.0);

/// Messages that may wait from holders of sockets: each asks for one thing at a time.
const SOCKETS_QUEUE: u16 = 1_024;

/// The badge of the notification that brings the clock and what becomes of the card; those of rings are higher.
const OWN_BADGE: u64 = 1;
/// The bit of the clock, beside those of a watched endpoint.
const CLOCK: u64 = 1 << 8;

/// How long until a card that did not take a ring, or a frame, is asked again: longer than it takes to start one.
const RETRY_NS: u64 = 250_000_000;
/// The least time between two looks for want of anything else: what is due and cannot go, for want of a place in the ring, goes when there is one.
const LEAST_WAIT_NS: u64 = 100_000;
/// Turns of the protocols in a row before others of the machine have theirs.
const MOST_TURNS: u32 = 32;

const NS_PER_US: u64 = 1_000;

/// The service.
pub struct Net {
    settings: Settings,
    /// What sockets are capabilities of: it ends with this life, and they with it.
    own: Endpoint,
    link: Link,
    /// Made when the card has said its address.
    interface: Option<Interface>,
    sockets: Sockets,
    /// If an address is asked for by DHCP.
    lease: Option<Lease>,
    timer: Timer,
    /// When the timer rings, in the machine's nanoseconds; `None`: not armed.
    armed: Option<u64>,
    last_ring: u64,
    /// What answers carry.
    frame: Vec<u8>,
}

impl core::fmt::Debug for Net {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Net")
            .field("link", &self.link)
            .field("sockets", &self.sockets)
            .finish_non_exhaustive()
    }
}

impl Server for Net {
    const INBOX_BYTES: usize = MAX_MESSAGE as usize;
    const REPLY_BYTES: usize = MAX_MESSAGE as usize;

    fn new(start: &Start<'_>) -> Result<Self, Error> {
        let settings = Settings::read(start)?;
        let card: Endpoint = start.grant("card")?;
        let own = Budget::OWN.create_endpoint(hallows_sdk::Service::Active { queue: SOCKETS_QUEUE })?;
        let news: Notification = Budget::OWN.create_notification()?;
        news.bind(OWN_BADGE)?;
        let timer = Budget::OWN.create_timer(news, CLOCK)?;
        card.watch(news)?;
        let mut sockets = Sockets::new(process::now()?);
        sockets.ask(&settings.servers);
        let lease = settings.is_leased.then(|| Lease::new(&mut sockets));
        let mut net = Self {
            settings,
            own,
            link: Link::new(card),
            interface: None,
            sockets,
            lease,
            timer,
            armed: None,
            last_ring: OWN_BADGE,
            frame: vec![0; MAX_MESSAGE as usize],
        };
        net.connect_card()?;
        net.turns(0)?;
        Ok(net)
    }

    fn message<'a>(&'a mut self, message: Message<'a>) -> Answer<'a> {
        protocol::serve(self, message)
    }

    fn notification(&mut self, badge: u64, bits: u64) {
        // Whatever fails here fails because this cell is being ended.
        let _ = if badge == OWN_BADGE {
            self.news(bits)
        } else if badge == self.last_ring {
            self.turns(bits)
        } else {
            // Of a ring that was closed.
            Ok(())
        };
    }
}

impl Net {
    /// Opens the link to the card; if that cannot be, it is tried again later.
    fn connect_card(&mut self) -> Result<(), Error> {
        self.last_ring += 1;
        let card = match self.link.open(self.last_ring) {
            Ok(card) => card,
            Err(Failure::Call(Error::Killed)) => return Err(Error::Killed),
            Err(failure) => {
                log!("no ring with the network card: {failure}; asking again");
                return self.arm(process::now()?.saturating_add(RETRY_NS));
            }
        };
        let address = HardwareAddress::Ethernet(EthernetAddress(card.address));
        match &mut self.interface {
            // Another life of the card: connections go on.
            Some(interface) => interface.set_hardware_addr(address),
            None => {
                let mut config = Config::new(address);
                let [a, b, c, d, e, f, g, h, ..] = process::random()?;
                config.random_seed = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
                let mut interface = Interface::new(config, &mut self.link, now()?);
                let Settings { addresses, gateways, .. } = &self.settings;
                interface.update_ip_addrs(|list| {
                    // There are no more than have room.
                    list.extend(addresses.iter().copied());
                });
                for gateway in gateways {
                    let routes = interface.routes_mut();
                    // One of each version, for which there is room.
                    let _ = match gateway {
                        IpAddress::Ipv4(gateway) => routes.add_default_ipv4_route(*gateway),
                        IpAddress::Ipv6(gateway) => routes.add_default_ipv6_route(*gateway),
                    };
                }
                self.interface = Some(interface);
            }
        }
        log!("{} over a network card of {} bytes", Addresses(&self.settings), card.mtu);
        Ok(())
    }

    /// The clock rang, or something became of the card.
    fn news(&mut self, bits: u64) -> Result<(), Error> {
        if bits & CLOCK != 0 {
            self.armed = None;
        }
        if bits & watch::DIED != 0 {
            self.link.close();
        }
        if !self.link.is_open() && bits & (watch::RUNNING | CLOCK) != 0 {
            self.connect_card()?;
        }
        if bits & CLOCK != 0 && self.link.try_again().is_err() {
            self.lose_card()?;
        }
        self.turns(0)
    }

    /// The ring is broken, or its other side is gone.
    fn lose_card(&mut self) -> Result<(), Error> {
        self.link.close();
        self.arm(process::now()?.saturating_add(RETRY_NS))
    }

    /// Turns of the protocols, as long as frames come; the bell rang with these bits.
    fn turns(&mut self, bits: u64) -> Result<(), Error> {
        self.link.begin(bits);
        for _ in 0..MOST_TURNS {
            self.turn()?;
            match self.link.settle() {
                Ok(Rest::Work) => self.link.begin(0),
                Ok(Rest::Sleep) => return self.arm_for_next(),
                Err(failure) => return self.lost(failure),
            }
        }
        match self.link.come_again() {
            Ok(()) => self.arm_for_next(),
            Err(failure) => self.lost(failure),
        }
    }

    fn lost(&mut self, failure: Failure) -> Result<(), Error> {
        match failure {
            Failure::Call(Error::Killed) => Err(Error::Killed),
            failure => {
                log!("lost the network card: {failure}");
                self.lose_card()
            }
        }
    }

    /// One turn: what has come goes to sockets, what they have goes out.
    fn turn(&mut self) -> Result<(), Error> {
        if let Err(failure) = self.link.collect() {
            return self.lost(failure);
        }
        let now = now()?;
        let Self { interface: Some(interface), link, sockets, lease, settings, .. } = self else {
            return Ok(());
        };
        loop {
            sockets.turn(now, interface, link);
            // What was given or taken back concerns all.
            if !lease.as_mut().is_some_and(|lease| lease.follow(interface, sockets, settings)) {
                break;
            }
        }
        match self.link.flush() {
            Ok(()) => Ok(()),
            Err(failure) => self.lost(failure),
        }
    }

    /// After a client's request: sends what it gave rise to, without waiting for what comes of it.
    fn follow(&mut self) {
        // As in `notification`.
        let _ = self.turn().and_then(|()| self.arm_for_next());
    }

    /// Has the timer ring when the protocols want the next turn.
    fn arm_for_next(&mut self) -> Result<(), Error> {
        let now_ns = process::now()?;
        let at = self.sockets.next();
        let mut due = at.map(|at| u64::try_from(at.total_micros()).unwrap_or(0).saturating_mul(NS_PER_US));
        if self.link.was_refused() || !self.link.is_open() {
            let retry = now_ns.saturating_add(RETRY_NS);
            due = Some(due.map_or(retry, |due| due.min(retry)));
        }
        // Without a card nothing goes out, however due it is.
        let wait = if self.link.is_open() { LEAST_WAIT_NS } else { RETRY_NS };
        let least = now_ns.saturating_add(wait);
        due.map_or(Ok(()), |due| self.arm(due.max(least)))
    }

    /// Has the timer ring at a time, or before.
    fn arm(&mut self, due: u64) -> Result<(), Error> {
        if self.armed.is_some_and(|armed| armed <= due) {
            return Ok(());
        }
        self.timer.arm(Deadline::at(due), None)?;
        self.armed = Some(due);
        Ok(())
    }

    /// A capability of a socket, for its client.
    fn mint<R: Resource>(&mut self, badge: u64) -> Result<Own<R>, Refusal> {
        match space::mint(self.own, SOCKET_RIGHTS, badge) {
            Ok(made) => Ok(Own(R::from_capability(made.handle()))),
            Err(_) => {
                // There is no slot, or the kernel has no memory.
                self.sockets.close(badge, now().unwrap_or(Instant::ZERO));
                self.follow();
                Err(Refusal::Full)
            }
        }
    }

    fn tell(&mut self, client: Client, by: Own<Bell>) {
        let handle: Handle = by.0.capability();
        match crate::sockets::Bell::try_from(handle) {
            Ok(bell) => {
                self.sockets.tell(client.badge, bell);
                // It may ring at once.
                self.follow();
            }
            Err(_) => {
                let _ = space::delete(Endpoint::from_handle(handle));
            }
        }
    }

    fn close(&mut self, client: Client) {
        if let Ok(now) = now() {
            self.sockets.close(client.badge, now);
            self.follow();
        }
    }
}

impl Service for Net {
    fn target(&self, badge: u64) -> Option<Target> {
        if badge & SOCKET == 0 {
            return Some(Target::Network);
        }
        self.sockets.get(badge).map(|socket| match socket.kind {
            Kind::Listener { .. } => Target::Listener,
            Kind::Connection { .. } => Target::Connection,
            Kind::Datagrams { .. } => Target::Datagrams,
            Kind::Echoes { .. } => Target::Echoes,
            Kind::Lookup(_) => Target::Lookup,
        })
    }

    fn network_listen(&mut self, client: Client, port: u16, backlog: u16) -> Result<Own<Listener>, Refusal> {
        if !self.settings.rules.may_listen(client.badge, port) {
            return Err(Refusal::NotPermitted);
        }
        let badge = self.sockets.listen(client.badge, port, backlog)?;
        let listener = self.mint(badge)?;
        // Whoever held the port before may have ended with it.
        self.follow();
        Ok(listener)
    }

    fn network_connect(&mut self, client: Client, to: Place) -> Result<Own<Connection>, Refusal> {
        if !self.settings.rules.may_reach(client.badge, to_endpoint(to)?.addr.into()) {
            return Err(Refusal::NotPermitted);
        }
        let interface = self.interface.as_mut().ok_or(Refusal::Unreachable)?;
        let badge = self.sockets.connect(interface, client.badge, to)?;
        let connection = self.mint(badge)?;
        self.follow();
        Ok(connection)
    }

    fn network_bind(&mut self, client: Client, port: u16) -> Result<Own<Datagrams>, Refusal> {
        let rules = &self.settings.rules;
        let may = if port == 0 { rules.may_send(client.badge) } else { rules.may_listen(client.badge, port) };
        if !may {
            return Err(Refusal::NotPermitted);
        }
        let badge = self.sockets.bind(client.badge, port)?;
        let datagrams = self.mint(badge)?;
        // As in `network_listen`.
        self.follow();
        Ok(datagrams)
    }

    fn network_resolve(&mut self, client: Client, name: &str) -> Result<Own<Lookup>, Refusal> {
        let Self { interface, sockets, settings, .. } = self;
        // Who asks is heard by the servers.
        let may_reach = |server: IpAddress| settings.rules.may_reach(client.badge, server.into());
        let interface = interface.as_mut().ok_or(Refusal::Unreachable)?;
        let now = now().map_err(|_| Refusal::Unreachable)?;
        let badge = sockets.resolve(interface, client.badge, name, may_reach, now)?;
        let lookup = self.mint(badge)?;
        self.follow();
        Ok(lookup)
    }

    fn network_ping(&mut self, client: Client, to: Address) -> Result<Own<Echoes>, Refusal> {
        let to = to_ip(to)?;
        if !self.settings.rules.may_reach(client.badge, to.into()) {
            return Err(Refusal::NotPermitted);
        }
        let interface = self.interface.as_ref().ok_or(Refusal::Unreachable)?;
        interface.get_source_address(&to).ok_or(Refusal::Unreachable)?;
        let badge = self.sockets.ping(client.badge, to)?;
        self.mint(badge)
    }

    fn network_traffic(&mut self, _: Client) -> Traffic {
        let Counted { frames_in, bytes_in, lost_in, frames_out, bytes_out, lost_out } = self.link.counted;
        let (sockets, leaving) = self.sockets.counts();
        Traffic { frames_in, bytes_in, lost_in, frames_out, bytes_out, lost_out, sockets, leaving }
    }

    fn network_usage(&mut self, client: Client, above: u64) -> Option<Usage> {
        let sees_all = self.settings.rules.may_see_all(client.badge);
        self.sockets.usage(above, |owner| sees_all || owner == client.badge)
    }

    fn network_flush(&mut self, _: Client) {
        self.follow();
    }

    fn listener_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn listener_accept(&mut self, client: Client) -> Result<Accepted, Refusal> {
        let (badge, peer) = self.sockets.accept(client.badge)?;
        let stream = self.mint(badge)?;
        // Others may wait in its place.
        self.follow();
        Ok(Accepted { stream, peer })
    }

    fn listener_close(&mut self, client: Client) {
        self.close(client);
    }

    fn connection_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn connection_read(&mut self, client: Client, most: u32) -> Result<&[u8], Refusal> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let room = self.frame.get_mut(..most.min(MOST_READ_BYTES)).unwrap_or_default();
        let length = self.sockets.read(client.badge, most, room)?;
        // The window has opened, which the other end may have to know.
        self.follow();
        Ok(self.frame.get(..length).unwrap_or_default())
    }

    fn connection_write(&mut self, client: Client, bytes: &[u8]) -> Result<u32, Refusal> {
        let written = self.sockets.write(client.badge, bytes)?;
        self.follow();
        // No more than a message has.
        Ok(u32::try_from(written).unwrap_or(u32::MAX))
    }

    fn connection_finish(&mut self, client: Client) -> Result<(), Refusal> {
        self.sockets.finish(client.badge)?;
        self.follow();
        Ok(())
    }

    fn connection_peer(&mut self, client: Client) -> Result<Place, Refusal> {
        self.sockets.peer(client.badge)
    }

    fn connection_close(&mut self, client: Client) {
        self.close(client);
    }

    fn datagrams_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn datagrams_port(&mut self, client: Client) -> u16 {
        self.sockets.port(client.badge)
    }

    fn datagrams_send(&mut self, client: Client, to: Place, bytes: &[u8]) -> Result<(), Refusal> {
        let Self { settings, sockets, .. } = self;
        sockets.send(client.badge, to, bytes, |owner, address| {
            settings.rules.may_reach(owner, address.into())
        })?;
        self.follow();
        Ok(())
    }

    fn datagrams_receive(&mut self, client: Client) -> Result<Datagram<'_>, Refusal> {
        let room = self.frame.get_mut(..MOST_READ_BYTES).unwrap_or_default();
        let rules = &self.settings.rules;
        let may_reach = |owner, address: IpAddress| rules.may_reach(owner, address.into());
        let (length, peer) = self.sockets.receive(client.badge, room, may_reach)?;
        Ok(Datagram { peer, bytes: self.frame.get(..length).unwrap_or_default() })
    }

    fn datagrams_close(&mut self, client: Client) {
        self.close(client);
    }

    fn lookup_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn lookup_addresses(&mut self, client: Client) -> Result<List<'_, Address>, Refusal> {
        self.sockets.addresses(client.badge).map(List::from)
    }

    fn lookup_close(&mut self, client: Client) {
        self.close(client);
    }

    fn echoes_tell(&mut self, client: Client, by: Own<Bell>) {
        self.tell(client, by);
    }

    fn echoes_send(&mut self, client: Client, number: u16, bytes: &[u8]) -> Result<(), Refusal> {
        self.sockets.send_echo(client.badge, number, bytes, self.link.mtu())?;
        self.follow();
        Ok(())
    }

    fn echoes_receive(&mut self, client: Client) -> Result<Echo<'_>, Refusal> {
        let room = self.frame.get_mut(..MOST_READ_BYTES).unwrap_or_default();
        let (number, length) = self.sockets.receive_echo(client.badge, room)?;
        Ok(Echo { number, bytes: self.frame.get(..length).unwrap_or_default() })
    }

    fn echoes_close(&mut self, client: Client) {
        self.close(client);
    }
}

/// Bytes that one answer holds beside all else that stands in it: status, case, sender, length.
const MOST_READ_BYTES: usize = MAX_MESSAGE as usize - 64;

/// The machine's time, as the protocols count it.
fn now() -> Result<Instant, Error> {
    process::now().map(to_instant)
}

fn to_instant(ns: u64) -> Instant {
    Instant::from_micros_const(i64::try_from(ns / NS_PER_US).unwrap_or(i64::MAX))
}

/// Addresses, for people.
struct Addresses<'a>(&'a Settings);

impl core::fmt::Display for Addresses<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        for (number, address) in self.0.addresses.iter().enumerate() {
            let before = if number == 0 { "" } else { ", " };
            write!(formatter, "{before}{address}")?;
        }
        if self.0.is_leased {
            let before = if self.0.addresses.is_empty() { "" } else { ", and " };
            write!(formatter, "{before}an address by DHCP")?;
        }
        Ok(())
    }
}

hallows_sdk::server!(Net);
