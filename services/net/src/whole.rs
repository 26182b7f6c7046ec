//! The whole of it without a machine: sockets, protocols, and a wire that the test holds both ends of.

use alloc::collections::VecDeque;
use std::prelude::v1::*;

use hallows_sdk::net::protocol::{Address, Kind, Place, Refusal, State};
use smoltcp::iface::{Config, Interface};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpAddress, IpCidr, IpEndpoint, Ipv4Address};

use crate::lease::Lease;
use crate::settings::Settings;
use crate::sockets::Sockets;
use crate::way::{Frames, Way};

/// Frames on their way, in two directions.
#[derive(Default)]
struct Wire {
    to: VecDeque<Vec<u8>>,
    from: Vec<Vec<u8>>,
    /// Places for those that go, if they are counted.
    room: Option<usize>,
}

struct Came(Vec<u8>);

impl RxToken for Came {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, look: F) -> R {
        look(&self.0)
    }
}

struct Goes<'a>(&'a mut Vec<Vec<u8>>);

impl TxToken for Goes<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, fill: F) -> R {
        let mut frame = vec![0; length];
        let result = fill(&mut frame);
        self.0.push(frame);
        result
    }
}

impl Frames for Wire {
    fn next(&mut self) -> Option<&[u8]> {
        self.to.front().map(Vec::as_slice)
    }

    fn is_full(&self) -> bool {
        self.room.is_some_and(|room| self.from.len() >= room)
    }
}

impl Device for Wire {
    type RxToken<'a> = Came;
    type TxToken<'a> = Goes<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Came, Goes<'_>)> {
        Some((Came(self.to.pop_front()?), Goes(&mut self.from)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Goes<'_>> {
        (!self.is_full()).then_some(Goes(&mut self.from))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.max_transmission_unit = 1_514;
        capabilities.medium = Medium::Ethernet;
        capabilities
    }
}

/// One end: what the service has, without its ring.
struct End {
    interface: Interface,
    sockets: Sockets,
    lease: Option<Lease>,
    wire: Wire,
    settings: Settings,
}

impl End {
    fn new(number: u8, is_leased: bool) -> Self {
        let mut wire = Wire::default();
        let address = HardwareAddress::Ethernet(EthernetAddress([2, 0, 0, 0, 0, number]));
        let mut interface = Interface::new(Config::new(address), &mut wire, Instant::ZERO);
        interface.update_ip_addrs(|list| {
            list.push(IpCidr::new(IpAddress::v4(10, 0, 0, number), 24)).expect("the first");
            list.push(IpCidr::new(IpAddress::v6(0xfd00, 0, 0, 0, 0, 0, 0, number.into()), 64))
                .expect("the second");
        });
        let mut sockets = Sockets::new(0);
        sockets.ask(&[IpAddress::v4(10, 0, 0, 1)]);
        let lease = is_leased.then(|| Lease::new(&mut sockets));
        Self { interface, sockets, lease, wire, settings: Settings::default() }
    }

    fn turn(&mut self, now: Instant) {
        let Self { interface, sockets, lease, wire, settings } = self;
        loop {
            sockets.turn(now, interface, wire);
            if !lease.as_mut().is_some_and(|lease| lease.follow(interface, sockets, settings)) {
                break;
            }
        }
    }

    fn place(number: u8, port: u16) -> Place {
        Place { address: Address::V4(Ipv4Address::new(10, 0, 0, number).to_bits()), port }
    }
}

/// Two ends of one wire, and the time there.
struct Both {
    one: End,
    two: End,
    now: Instant,
}

impl Both {
    fn new() -> Self {
        hallows_testing::link();
        Self { one: End::new(1, false), two: End::new(2, false), now: Instant::from_millis(1) }
    }

    /// Lets frames come and go until there are none, and then some time go by.
    fn go_on(&mut self) {
        let Self { one, two, now } = self;
        for _ in 0..20 {
            one.turn(*now);
            two.turn(*now);
            two.wire.to.extend(one.wire.from.drain(..));
            one.wire.to.extend(two.wire.from.drain(..));
        }
        *now += Duration::from_millis(10);
    }
}

/// Numbers that look like any (xorshift64*), the same in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).expect("48 bits") % end
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

#[test]
fn what_goes_through_a_connection_is_counted_at_both_ends() {
    let mut both = Both::new();
    let listener = both.two.sockets.listen(7, 80, 2).expect("free");
    let client =
        both.one.sockets.connect(&mut both.one.interface, 9, End::place(2, 80)).expect("there is a way");
    assert_eq!(both.one.sockets.write(client, b""), Err(Refusal::NotNow), "it is not there yet");
    both.go_on();
    let (server, _) = both.two.sockets.accept(listener).expect("it has come");
    assert_eq!(both.one.sockets.write(client, b"hello"), Ok(5));
    both.go_on();
    let mut room = [0; 16];
    assert_eq!(both.two.sockets.read(server, room.len(), &mut room), Ok(5));
    let sees_all = |_| true;
    let usage = both.one.sockets.usage(0, sees_all).expect("one");
    assert_eq!((usage.kind, usage.owner, usage.state), (Kind::Connection, 9, Some(State::Established)));
    assert_eq!((usage.bytes_out, usage.times_out, usage.bytes_in), (5, 1, 0));
    assert_eq!(usage.peer, Some(End::place(2, 80)));
    assert_eq!(both.one.sockets.usage(usage.number, sees_all), None);
    let first = both.two.sockets.usage(0, sees_all).expect("the listener");
    assert_eq!((first.kind, first.port, first.times_in), (Kind::Listener, 80, 1));
    let second = both.two.sockets.usage(first.number, sees_all).expect("the connection");
    assert_eq!((second.owner, second.bytes_in, second.waiting_in), (7, 5, 0), "its listener's owner");
    assert_eq!(both.two.sockets.usage(0, |owner| owner == 8), None, "of others nothing is told");
    assert_eq!(both.two.sockets.counts(), (2, 0));
    both.two.sockets.close(server, both.now);
    assert_eq!(both.two.sockets.counts(), (1, 1));
}

#[test]
fn echoes_come_back_to_who_sent_them_and_not_to_others() {
    let mut both = Both::new();
    for to in [IpAddress::v4(10, 0, 0, 2), IpAddress::v6(0xfd00, 0, 0, 0, 0, 0, 0, 2)] {
        let first = both.one.sockets.ping(1, to).expect("there is room");
        let second = both.one.sockets.ping(1, to).expect("there is room");
        both.one.sockets.send_echo(first, 3, b"three", 1_500).expect("it fits");
        for _ in 0..150 {
            // A neighbour is asked for before, and not more than one in a second.
            both.go_on();
        }
        let mut room = [0; 16];
        assert_eq!(both.one.sockets.receive_echo(first, &mut room), Ok((3, 5)), "{to}");
        assert_eq!(&room[..5], b"three");
        assert_eq!(both.one.sockets.receive_echo(first, &mut room), Err(Refusal::NotNow));
        assert_eq!(both.one.sockets.receive_echo(second, &mut room), Err(Refusal::NotNow));
        assert_eq!(both.one.sockets.send_echo(first, 4, &[0; 1_473], 1_500), Err(Refusal::TooLong));
        both.one.sockets.close(first, both.now);
        both.one.sockets.close(second, both.now);
    }
}

#[test]
fn a_name_without_answer_is_given_up_when_all_servers_had_their_time() {
    hallows_testing::link();
    let mut end = End::new(2, false);
    let may = |_| true;
    let mut now = Instant::from_millis(1);
    let ask = |end: &mut End, name: &str, now| {
        let End { interface, sockets, .. } = end;
        sockets.resolve(interface, 1, name, may, now)
    };
    let lookup = ask(&mut end, "name.test", now).expect("there is a server");
    for wrong in ["", "a..b", "a b", "ä.test", &"x".repeat(64), &"x.".repeat(200)] {
        assert_eq!(ask(&mut end, wrong, now), Err(Refusal::Invalid), "{wrong}");
    }
    let itself = ask(&mut end, "fd00::1", now).expect("an address");
    let expected = Address::V6(hallows_sdk::net::protocol::V6 { high: 0xfd00 << 48, low: 1 });
    assert_eq!(end.sockets.addresses(itself), Ok(&[expected][..]));
    end.sockets.close(itself, now);
    for _ in 0..99 {
        end.turn(now);
        assert_eq!(end.sockets.addresses(lookup), Err(Refusal::NotNow));
        now += Duration::from_millis(100);
    }
    // The service's own clock says when, in a few looks.
    for _ in 0..8 {
        let due = end.sockets.next().expect("its time is over some time");
        assert!(due > now, "{due}");
        now = due;
        end.turn(now);
        if end.sockets.addresses(lookup) != Err(Refusal::NotNow) {
            break;
        }
    }
    assert_eq!(now, Instant::from_millis(10_001));
    assert_eq!(end.sockets.addresses(lookup), Err(Refusal::NoAnswer));
    // Those that are given up leave room for others.
    for _ in 0..200 {
        let lookup = ask(&mut end, "name.test", now).expect("there is room");
        end.sockets.close(lookup, now);
    }
    let many: Vec<_> = (0..63).map(|_| ask(&mut end, "name.test", now)).collect();
    assert!(many.iter().all(Result::is_ok));
    assert_eq!(ask(&mut end, "name.test", now), Err(Refusal::Full));
    end.sockets.ask(&[]);
    for lookup in many.into_iter().flatten() {
        end.sockets.close(lookup, now);
    }
    assert_eq!(ask(&mut end, "name.test", now), Err(Refusal::NoServer));
    end.sockets.ask(&[IpAddress::v4(10, 9, 9, 9)]);
    let End { interface, sockets, .. } = &mut end;
    assert_eq!(sockets.resolve(interface, 1, "a.test", |_| false, now), Err(Refusal::NotPermitted));
}

#[test]
fn who_only_begins_connections_makes_room_for_others() {
    let mut both = Both::new();
    let listener = both.two.sockets.listen(1, 80, 2).expect("free");
    // Two begin, and say nothing more: what is sent to them is lost.
    for _ in 0..2 {
        both.one.sockets.connect(&mut both.one.interface, 1, End::place(2, 80)).expect("there is a way");
    }
    for _ in 0..4 {
        both.one.turn(both.now);
        both.two.wire.to.extend(both.one.wire.from.drain(..));
        both.two.turn(both.now);
        // Only who is where is told.
        let mut said: Vec<_> = both.two.wire.from.drain(..).collect();
        said.retain(|frame| frame[12..14] == [8, 6]);
        both.one.wire.to.extend(said);
    }
    both.one = End::new(3, false);
    let third =
        both.one.sockets.connect(&mut both.one.interface, 1, End::place(2, 80)).expect("there is a way");
    both.go_on();
    assert_eq!(both.two.sockets.accept(listener), Err(Refusal::NotNow));
    assert_eq!(both.one.sockets.write(third, b""), Err(Refusal::Reset), "there was no room");
    // By the service's own clock, in a few looks.
    let late = both.now + Duration::from_secs(1);
    let mut looks = 0;
    while let Some(due) = both.two.sockets.next().filter(|due| *due <= late) {
        looks += 1;
        assert!(looks <= 8, "{due}");
        both.now = both.now.max(due);
        both.go_on();
    }
    assert!(looks > 0, "it makes room by itself");
    let fourth =
        both.one.sockets.connect(&mut both.one.interface, 1, End::place(2, 80)).expect("there is a way");
    both.go_on();
    assert!(both.two.sockets.accept(listener).is_ok());
    assert_eq!(both.one.sockets.write(fourth, b"x"), Ok(1));
}

#[test]
fn who_a_frame_is_for_stands_in_it() {
    let (mut streams, mut ports, mut neighbours, mut others) = (0, 0, 0, 0);
    for frame in talk() {
        match Way::of(&frame) {
            Way::Stream { local, remote, begins } => {
                assert_eq!(
                    (local, remote.addr),
                    (IpEndpoint::new(IpAddress::v4(10, 0, 0, 2), 80), IpAddress::v4(10, 0, 0, 1))
                );
                assert_eq!(begins, streams == 0);
                streams += 1;
            }
            // Datagrams, names, DHCP.
            Way::Port(port) => {
                assert!(port == 53 || port == 67, "{port}");
                ports += 1;
            }
            Way::Neighbours => neighbours += 1,
            Way::Other => {
                assert_eq!(
                    (&frame[12..14], frame[23]),
                    (&[8, 0][..], 1),
                    "an echo of version 4, and nothing else"
                );
                others += 1;
            }
        }
    }
    assert!(
        streams > 10 && ports > 10 && neighbours > 2 && others > 2,
        "{streams} {ports} {neighbours} {others}"
    );
}

#[test]
fn a_connection_with_the_ends_of_one_that_is_over_is_another_one() {
    let mut both = Both::new();
    let listener = both.two.sockets.listen(1, 80, 4).expect("free");
    for round in 0..3 {
        // A client that has forgotten all begins with the same port.
        both.one = End::new(1, false);
        let client =
            both.one.sockets.connect(&mut both.one.interface, 1, End::place(2, 80)).expect("there is a way");
        both.go_on();
        let (server, peer) = both.two.sockets.accept(listener).expect("it has come");
        assert_eq!(both.one.sockets.write(client, b"hello"), Ok(5));
        both.go_on();
        let mut room = [0; 16];
        assert_eq!(both.two.sockets.read(server, room.len(), &mut room), Ok(5), "{round}: {peer:?}");
        // It ends from there, so that this end remembers it.
        both.two.sockets.close(server, both.now);
        both.go_on();
        both.one.sockets.close(client, both.now);
        both.go_on();
        assert_eq!(both.two.sockets.counts(), (1, round + 1), "remembered");
    }
    both.now += Duration::from_secs(30);
    both.go_on();
    assert_eq!(both.two.sockets.counts(), (1, 0));
}

impl Both {
    /// Lets frames come and go until there are none.
    fn settle(&mut self) {
        let Self { one, two, now } = self;
        loop {
            one.turn(*now);
            two.turn(*now);
            if one.wire.from.is_empty() && two.wire.from.is_empty() {
                break;
            }
            two.wire.to.extend(one.wire.from.drain(..));
            one.wire.to.extend(two.wire.from.drain(..));
        }
        *now += Duration::from_millis(1);
    }
}

/// `HALLOWS_CONNECTIONS` says how many.
#[test]
fn a_hundred_thousand_connections_come_and_go_and_leave_nothing() {
    const AT_ONCE: usize = 25;
    let connections = std::env::var("HALLOWS_CONNECTIONS").ok().and_then(|number| number.parse().ok());
    let mut both = Both::new();
    let listener = both.two.sockets.listen(7, 80, 32).expect("free");
    both.go_on();
    let had = |both: &Both| [&both.one, &both.two].map(|end| (end.sockets.counts(), end.sockets.all()));
    let before = had(&both);
    let mut room = [0; 16];
    for _ in 0..connections.unwrap_or(100_000_usize) / AT_ONCE {
        let clients: Vec<u64> = (0..AT_ONCE)
            .map(|_| {
                let End { interface, sockets, .. } = &mut both.one;
                sockets.connect(interface, 9, End::place(2, 80)).expect("there is a port, and room")
            })
            .collect();
        both.settle();
        let servers: Vec<u64> =
            (0..AT_ONCE).map(|_| both.two.sockets.accept(listener).expect("it has come").0).collect();
        assert_eq!(both.two.sockets.accept(listener), Err(Refusal::NotNow));
        for (number, client) in (0..).zip(&clients) {
            if number % 4 > 0 {
                assert_eq!(both.one.sockets.write(*client, b"hello"), Ok(5));
            }
        }
        both.settle();
        // Some are closed by one end, some by the other, some by both, with bytes that were read and with those that were not.
        for (number, server) in (0..).zip(&servers) {
            if number % 4 > 1 {
                assert_eq!(both.two.sockets.read(*server, room.len(), &mut room), Ok(5));
            }
            both.two.sockets.close(*server, both.now);
            if number % 2 > 0 {
                both.settle();
            }
        }
        for client in clients {
            both.one.sockets.close(client, both.now);
        }
        both.settle();
        // Whoever ends a connection remembers it for a while, in case its last word was lost (`TIME-WAIT`, of RFC 9293).
        both.now += Duration::from_secs(120);
        both.settle();
        assert_eq!(had(&both), before);
    }
    let client =
        both.one.sockets.connect(&mut both.one.interface, 9, End::place(2, 80)).expect("there is a way");
    both.settle();
    let (server, _) = both.two.sockets.accept(listener).expect("it has come");
    assert_eq!(both.two.sockets.write(server, b"as before"), Ok(9));
    both.settle();
    assert_eq!(both.one.sockets.read(client, room.len(), &mut room), Ok(9));
}

#[test]
fn who_has_all_sockets_is_told_and_goes_on_when_some_are_closed() {
    let mut both = Both::new();
    both.two.sockets.listen(7, 80, 1).expect("free");
    let connect = |both: &mut Both| {
        let End { interface, sockets, .. } = &mut both.one;
        sockets.connect(interface, 9, End::place(2, 80))
    };
    let mut held = Vec::new();
    let why = loop {
        match connect(&mut both) {
            Ok(client) => held.push(client),
            Err(why) => break why,
        }
    };
    assert_eq!((why, held.len()), (Refusal::Full, 1_024));
    assert_eq!(both.one.sockets.listen(9, 80, 1), Err(Refusal::Full));
    both.settle();
    for _ in 0..3 {
        for client in held.drain(..100) {
            both.one.sockets.close(client, both.now);
        }
        both.settle();
        // One of them may have been a connection, which is remembered for a while.
        both.now += Duration::from_secs(120);
        both.settle();
        for _ in 0..100 {
            held.push(connect(&mut both).expect("there is room again"));
        }
        assert_eq!(connect(&mut both), Err(Refusal::Full));
    }
}

#[test]
fn a_listener_that_had_no_room_hears_again_when_others_have_made_some() {
    let mut both = Both::new();
    let listener = both.two.sockets.listen(7, 80, 1).expect("free");
    let mut others = Vec::new();
    while let Ok(port) = both.two.sockets.bind(7, 0) {
        others.push(port);
    }
    let connect = |both: &mut Both| {
        let End { interface, sockets, .. } = &mut both.one;
        let client = sockets.connect(interface, 9, End::place(2, 80)).expect("there is a way");
        both.go_on();
        client
    };
    connect(&mut both);
    assert!(both.two.sockets.accept(listener).is_ok());
    let refused = connect(&mut both);
    assert_eq!(both.one.sockets.write(refused, b""), Err(Refusal::Reset), "nobody waits, for want of room");
    for port in others {
        both.two.sockets.close(port, both.now);
    }
    let late = both.now + Duration::from_secs(1);
    while let Some(due) = both.two.sockets.next().filter(|due| *due <= late) {
        both.now = both.now.max(due);
        both.go_on();
    }
    connect(&mut both);
    assert!(both.two.sockets.accept(listener).is_ok());
}

#[test]
fn who_writes_without_end_leaves_places_to_others() {
    let mut both = Both::new();
    let listener = both.two.sockets.listen(7, 80, 8).expect("free");
    let clients: Vec<u64> = (0..5)
        .map(|_| {
            let End { interface, sockets, .. } = &mut both.one;
            sockets.connect(interface, 9, End::place(2, 80)).expect("there is a way")
        })
        .collect();
    both.go_on();
    let servers: Vec<u64> =
        clients.iter().map(|_| both.two.sockets.accept(listener).expect("it has come").0).collect();
    // Two frames go in a turn, of all that five write.
    both.one.wire.room = Some(2);
    let (mut room, mut read) = ([0; 2_048], [0; 5]);
    for _ in 0..100 {
        for client in &clients {
            let _ = both.one.sockets.write(*client, &[7; 32 << 10]);
        }
        both.go_on();
        for (server, read) in servers.iter().zip(&mut read) {
            while let Ok(bytes) = both.two.sockets.read(*server, room.len(), &mut room) {
                *read += bytes;
            }
        }
    }
    let (least, most) = (read.iter().min().copied(), read.iter().max().copied());
    assert!(least > Some(500_000) && most < least.map(|least| least * 3 / 2), "{read:?}");
}

#[test]
fn the_port_of_dhcps_client_is_nobody_elses_while_it_asks() {
    hallows_testing::link();
    for (is_leased, bound) in [(true, Err(Refusal::InUse)), (false, Ok(()))] {
        let mut end = End::new(2, is_leased);
        assert_eq!(end.sockets.bind(1, 68).map(drop), bound);
        assert!(end.sockets.bind(1, 67).is_ok());
    }
}

/// Frames of two ends that talk in all ways, changed at random and given to a third: nothing panics, and it goes on. `HALLOWS_FRAMES` says how many.
#[test]
fn arbitrary_frames_end_nothing() {
    let frames = std::env::var("HALLOWS_FRAMES").ok().and_then(|frames| frames.parse().ok());
    let kinds = talk();
    assert!(kinds.len() > 40, "{} kinds", kinds.len());
    let mut random = Random(0x5eed);
    let mut end = End::new(2, true);
    let mut now = Instant::from_millis(1);
    let listener = end.sockets.listen(1, 80, 16).expect("free");
    let port = end.sockets.bind(1, 53).expect("free");
    let pings = end.sockets.ping(1, IpAddress::v4(10, 0, 0, 1)).expect("there is room");
    let mut lookup = None;
    for number in 0..frames.unwrap_or(50_000_u64) {
        let mut frame = kinds[random.below(kinds.len())].clone();
        match random.below(8) {
            0 => frame[14..].fill_with(|| random.byte()),
            1 => frame.truncate(random.below(frame.len() + 1)),
            2 => frame.extend((0..random.below(100)).map(|_| 0xff)),
            _ => {}
        }
        for _ in 0..random.below(5) {
            if !frame.is_empty() {
                let place = random.below(frame.len());
                frame[place] = random.byte();
            }
        }
        end.wire.to.push_back(frame);
        if number.is_multiple_of(4) {
            end.turn(now);
            end.wire.from.clear();
            now += Duration::from_millis(u64::try_from(random.below(40)).expect("small"));
        }
        if number.is_multiple_of(64) {
            let End { interface, sockets, .. } = &mut end;
            if let Some(lookup) = lookup.take() {
                sockets.close(lookup, now);
            }
            lookup = sockets.resolve(interface, 1, "two.test", |_| true, now).ok();
            let _ = sockets.send_echo(pings, 1, b"echo", 1_500);
            let mut room = [0; 2_048];
            let _ = sockets.receive_echo(pings, &mut room);
            let _ = sockets.receive(port, &mut room, |_, _| true);
            while let Ok((connection, _)) = sockets.accept(listener) {
                let _ = sockets.read(connection, room.len(), &mut room);
                let _ = sockets.write(connection, b"welcome");
                sockets.close(connection, now);
            }
        }
    }
    // It still answers, whatever it was told of who is where.
    end.interface.update_ip_addrs(|list| list.clear());
    let mut both = Both { one: End::new(1, false), two: End::new(2, false), now };
    std::mem::swap(&mut both.two.sockets, &mut end.sockets);
    both.now += Duration::from_secs(200);
    for _ in 0..20 {
        both.go_on();
        while let Ok((connection, _)) = both.two.sockets.accept(listener) {
            both.two.sockets.close(connection, both.now);
        }
    }
    let client =
        both.one.sockets.connect(&mut both.one.interface, 1, End::place(2, 80)).expect("there is a way");
    for _ in 0..200 {
        both.go_on();
    }
    assert_eq!(both.one.sockets.write(client, b"x"), Ok(1));
}

/// What the first of two ends says to the second in all ways that there are.
fn talk() -> Vec<Vec<u8>> {
    let mut both = Both::new();
    let listener = both.two.sockets.listen(1, 80, 4).expect("free");
    let port = both.two.sockets.bind(1, 53).expect("free");
    let End { interface, sockets, .. } = &mut both.one;
    let client = sockets.connect(interface, 1, End::place(2, 80)).expect("there is a way");
    let own = sockets.bind(1, 53).expect("free");
    let four = sockets.ping(1, IpAddress::v4(10, 0, 0, 2)).expect("there is room");
    let six = sockets.ping(1, IpAddress::v6(0xfd00, 0, 0, 0, 0, 0, 0, 2)).expect("there is room");
    both.one.lease = Some(Lease::new(&mut both.one.sockets));
    let (mut said, mut room) = (Vec::new(), [0; 2_048]);
    for number in 0..40_u16 {
        let sockets = &mut both.one.sockets;
        let _ = sockets.write(client, &[7; 1_000]);
        let _ = sockets.send(own, End::place(2, 53), &[0x81; 60], |_, _| true);
        let _ = sockets.send_echo(four, number, &[1; 32], 1_500);
        let _ = sockets.send_echo(six, number, &[1; 32], 1_500);
        if number == 30 {
            let _ = sockets.finish(client);
        }
        for _ in 0..4 {
            both.one.turn(both.now);
            said.extend(both.one.wire.from.iter().cloned());
            both.two.wire.to.extend(both.one.wire.from.drain(..));
            both.two.turn(both.now);
            both.one.wire.to.extend(both.two.wire.from.drain(..));
        }
        if let Ok((connection, _)) = both.two.sockets.accept(listener) {
            let _ = both.two.sockets.write(connection, b"welcome");
        }
        let _ = both.two.sockets.receive(port, &mut room, |_, _| true);
        both.now += Duration::from_millis(100);
    }
    said
}
