//! The protocols' sockets, each in a set of its own, so that nothing looks at all of them: a frame is for one, whoever writes writes to one, and what is due
//! by time says so. Few of another kind are looked at together.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use smoltcp::iface::{Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::tcp::{self, State};
use smoltcp::socket::{AnySocket, udp};
use smoltcp::time::{Duration, Instant};
use smoltcp::wire::{IpAddress, IpEndpoint};

use super::timers::Timers;
use crate::way::{Frames, Way};

/// How long the protocols let a socket wait for a neighbour that does not say where it is, before they ask again.
const SILENCE: Duration = Duration::from_secs(1);

/// Names a connection, somebody who waits for one, or a UDP port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(usize);

/// What is looked at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Which {
    One(Number),
    /// All that have no number: pings, names, DHCP.
    Few,
}

/// The ends of a connection: first its port here, so that all of a port stand together.
type Ends = (u16, IpAddress, IpEndpoint);

/// Where a socket is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Filed {
    Nowhere,
    /// On a port, behind those who have listened there for longer.
    Listening(u16, u64),
    Connection(Ends),
    Port(u16),
}

/// One socket.
#[derive(Debug)]
struct Entry {
    set: SocketSet<'static>,
    handle: SocketHandle,
    /// The badge of who holds it.
    holder: Option<u64>,
    filed: Filed,
    /// It is among those of the next turn, and among those that something has happened to.
    is_touched: bool,
    is_noted: bool,
}

/// All sockets.
#[derive(Debug)]
pub(super) struct Directory {
    entries: Vec<Option<Entry>>,
    /// Places of `entries` that are free.
    free: Vec<usize>,
    /// Those without numbers.
    pub few: SocketSet<'static>,
    few_are_touched: bool,
    few_are_noted: bool,
    /// For frames that are for nobody: the protocols say so.
    nobody: SocketSet<'static>,
    /// By port, and how long they have listened.
    listening: BTreeMap<u16, BTreeMap<u64, Number>>,
    last_listening: u64,
    connections: BTreeMap<Ends, Number>,
    ports: BTreeMap<u16, Number>,
    /// Those that have something to do in the next turn, in that order.
    touched: Vec<Which>,
    timers: Timers<Which>,
    /// Those that something has happened to, until somebody looks at them.
    noted: Vec<Which>,
}

impl Directory {
    /// None.
    pub fn new() -> Self {
        Self {
            entries: Vec::new(),
            free: Vec::new(),
            few: SocketSet::new(Vec::new()),
            few_are_touched: false,
            few_are_noted: false,
            nobody: SocketSet::new(Vec::new()),
            listening: BTreeMap::new(),
            last_listening: 0,
            connections: BTreeMap::new(),
            ports: BTreeMap::new(),
            touched: Vec::new(),
            timers: Timers::new(),
            noted: Vec::new(),
        }
    }

    /// How many have a number.
    pub const fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Adds one.
    pub fn add(&mut self, socket: impl AnySocket<'static>, holder: Option<u64>) -> Number {
        let mut set = SocketSet::new(Vec::with_capacity(1));
        let handle = set.add(socket);
        let place = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            self.entries.len() - 1
        });
        let number = Number(place);
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = Some(Entry {
                set,
                handle,
                holder,
                filed: Filed::Nowhere,
                is_touched: false,
                is_noted: false,
            });
        }
        self.touch(Which::One(number));
        self.file(number);
        number
    }

    /// Ends one, without a word to whoever is at its other end.
    pub fn remove(&mut self, number: Number) {
        let Number(place) = number;
        let Some(entry) = self.entries.get_mut(place).and_then(Option::take) else { return };
        self.take_out(number, entry.filed);
        self.timers.forget(Which::One(number));
        if entry.is_touched {
            self.touched.retain(|which| *which != Which::One(number));
        }
        self.free.push(place);
    }

    fn entry(&self, Number(place): Number) -> Option<&Entry> {
        self.entries.get(place)?.as_ref()
    }

    fn entry_mut(&mut self, Number(place): Number) -> Option<&mut Entry> {
        self.entries.get_mut(place)?.as_mut()
    }

    /// One, to look at.
    pub fn get<T: AnySocket<'static>>(&self, number: Number) -> Option<&T> {
        self.entry(number).map(|entry| entry.set.get(entry.handle))
    }

    /// One, to do something with: it has its turn then.
    pub fn get_mut<T: AnySocket<'static>>(&mut self, number: Number) -> Option<&mut T> {
        self.touch(Which::One(number));
        self.entry_mut(number).map(|entry| entry.set.get_mut(entry.handle))
    }

    /// Has a closed one wait for somebody on a port; whether it does.
    pub fn listen(&mut self, number: Number, port: u16) -> bool {
        let listens =
            self.get_mut::<tcp::Socket<'_>>(number).is_some_and(|socket| socket.listen(port).is_ok());
        self.file(number);
        listens
    }

    /// Who holds one.
    pub fn holder(&self, number: Number) -> Option<u64> {
        self.entry(number)?.holder
    }

    /// Somebody else holds it, or nobody does.
    pub fn hold(&mut self, number: Number, holder: Option<u64>) {
        if let Some(entry) = self.entry_mut(number) {
            entry.holder = holder;
        }
    }

    /// Resets all connections of an address.
    pub fn reset(&mut self, address: IpAddress) {
        let of_address = |(_, local, _): &Ends| *local == address;
        let found = self.connections.iter().filter(|(ends, _)| of_address(ends));
        let numbers: Vec<_> = found.map(|(_, number)| *number).collect();
        for number in numbers {
            if let Some(socket) = self.get_mut::<tcp::Socket<'_>>(number) {
                socket.abort();
            }
        }
    }

    /// Whether somebody has a port, of TCP or UDP.
    pub fn is_taken(&self, port: u16) -> bool {
        let connections = self.connections.range((port, LEAST, LEAST_END)..);
        self.ports.contains_key(&port)
            || self.listening.contains_key(&port)
            || connections.take(1).any(|((local, ..), _)| *local == port)
    }

    /// Something happens to these: they have their turn with the next one, and somebody is to look at them.
    pub fn touch(&mut self, which: Which) {
        let Some((is_touched, _)) = self.marks(which) else { return };
        if !core::mem::replace(is_touched, true) {
            self.touched.push(which);
        }
        self.note(which);
    }

    fn note(&mut self, which: Which) {
        let Some((_, is_noted)) = self.marks(which) else { return };
        if !core::mem::replace(is_noted, true) {
            self.noted.push(which);
        }
    }

    /// Whether they are among the touched, and among the noted.
    fn marks(&mut self, which: Which) -> Option<(&mut bool, &mut bool)> {
        match which {
            Which::Few => Some((&mut self.few_are_touched, &mut self.few_are_noted)),
            Which::One(number) => {
                self.entry_mut(number).map(|entry| (&mut entry.is_touched, &mut entry.is_noted))
            }
        }
    }

    /// Those that something has happened to since this was asked last, in a list that is to be [given back](Self::give_back).
    pub fn take_noted(&mut self) -> Vec<Which> {
        let noted = core::mem::take(&mut self.noted);
        for which in &noted {
            if let Some((_, is_noted)) = self.marks(*which) {
                *is_noted = false;
            }
        }
        noted
    }

    /// The list's memory is used again.
    pub fn give_back(&mut self, mut list: Vec<Which>) {
        list.clear();
        list.append(&mut self.noted);
        self.noted = list;
    }

    /// All have their turn with the next one: something that concerns all has changed.
    pub fn touch_all(&mut self) {
        for place in 0..self.entries.len() {
            self.touch(Which::One(Number(place)));
        }
        self.touch(Which::Few);
    }

    /// Has one its turn at the latest then.
    pub fn ring(&mut self, number: Number, at: Instant) {
        self.timers.ring(Which::One(number), at);
    }

    /// When there is something to do, if nothing happens before.
    pub fn next(&self) -> Option<Instant> {
        if self.touched.is_empty() { self.timers.next() } else { Some(Instant::ZERO) }
    }

    /// A turn: frames that have come go to whom they are for, and what is to be sent goes out.
    pub fn turn<D: Frames + ?Sized>(&mut self, now: Instant, interface: &mut Interface, device: &mut D) {
        let mut may_know_more = false;
        while let Some(frame) = device.next() {
            let way = Way::of(frame);
            self.hear(way, now, interface, device);
            may_know_more |= way == Way::Neighbours;
        }
        if may_know_more {
            // Among them is who waits for just this neighbour.
            let waiting: Vec<_> = self.timers.until(now + SILENCE).collect();
            for which in waiting {
                self.touch(which);
            }
        }
        while let Some(which) = self.timers.take(now) {
            self.touch(which);
        }
        let mut going = core::mem::take(&mut self.touched);
        // One packet of each at a time, as long as there are places. Who comes too late for one is the first to have one the next time.
        let mut is_full = false;
        while !going.is_empty() && !is_full {
            let (mut kept, mut had_one) = (0, 0);
            going.retain(|which| {
                if !is_full && device.is_full() {
                    (is_full, had_one) = (true, kept);
                }
                let goes_on = is_full || self.send(*which, now, interface, device);
                kept += usize::from(goes_on);
                goes_on
            });
            going.rotate_left(had_one);
        }
        // Its memory is used again.
        going.append(&mut self.touched);
        self.touched = going;
    }

    /// Has one send a packet; whether it may have another one.
    fn send<D: Frames + ?Sized>(
        &mut self,
        which: Which,
        now: Instant,
        interface: &mut Interface,
        device: &mut D,
    ) -> bool {
        let Some(set) = self.set(which) else { return false };
        if interface.poll_egress(now, device, set) == PollResult::SocketStateChanged {
            return true;
        }
        self.put_off(which, now, interface);
        self.note(which);
        false
    }

    /// The protocols take the next frame.
    fn hear<D: Frames + ?Sized>(
        &mut self,
        way: Way,
        now: Instant,
        interface: &mut Interface,
        device: &mut D,
    ) {
        let found = match way {
            Way::Stream { local, remote, begins } => self.stream(local, remote, begins).map(Which::One),
            Way::Port(port) => Some(self.ports.get(&port).copied().map_or(Which::Few, Which::One)),
            Way::Neighbours | Way::Other => Some(Which::Few),
        };
        let set = match found {
            Some(which) => self.set(which),
            None => Some(&mut self.nobody),
        };
        if let Some(set) = set {
            interface.poll_ingress_single(now, device, set);
        }
        if let Some(which) = found {
            self.touch(which);
            if let Which::One(number) = which {
                self.file(number);
            }
        }
    }

    /// Whose a segment is.
    fn stream(&self, local: IpEndpoint, remote: IpEndpoint, begins: bool) -> Option<Number> {
        let known = self.connections.get(&(local.port, local.addr, remote)).copied().filter(|number| {
            let state = self.get::<tcp::Socket<'_>>(*number).map(tcp::Socket::state);
            // One that is over makes way for the next with the same ends.
            state.is_some_and(|state| state != State::Closed && !(begins && state == State::TimeWait))
        });
        known.or_else(|| {
            let waiting = self.listening.get(&local.port).filter(|_| begins)?;
            waiting.first_key_value().map(|(_, number)| *number)
        })
    }

    fn set(&mut self, which: Which) -> Option<&mut SocketSet<'static>> {
        match which {
            Which::Few => Some(&mut self.few),
            Which::One(number) => self.entry_mut(number).map(|entry| &mut entry.set),
        }
    }

    /// After its turn: when it wants the next one, and where it is found now.
    fn put_off(&mut self, which: Which, now: Instant, interface: &mut Interface) {
        match which {
            Which::Few => self.few_are_touched = false,
            Which::One(number) => {
                if let Some(entry) = self.entry_mut(number) {
                    entry.is_touched = false;
                }
                self.file(number);
            }
        }
        let Some(set) = self.set(which) else { return };
        match interface.poll_at(now, set) {
            Some(at) if at <= now => {
                self.touch(which);
            }
            Some(at) => self.timers.ring(which, at),
            None => {}
        }
    }

    /// Files a socket where its state says.
    pub fn file(&mut self, number: Number) {
        let last = self.last_listening;
        let Some(entry) = self.entry_mut(number) else { return };
        let before = entry.filed;
        let socket = entry.set.iter().next().map(|(_, socket)| socket);
        let filed = match socket.map_or(Filed::Nowhere, |socket| place_of(socket, last)) {
            // It is the same that it was.
            Filed::Listening(port, _) if matches!(before, Filed::Listening(old, _) if old == port) => before,
            filed => filed,
        };
        if filed == before {
            return;
        }
        entry.filed = filed;
        self.take_out(number, before);
        match filed {
            Filed::Nowhere => {}
            Filed::Listening(port, last) => {
                self.last_listening = last;
                self.listening.entry(port).or_default().insert(last, number);
            }
            Filed::Connection(ends) => {
                self.connections.insert(ends, number);
            }
            Filed::Port(port) => {
                self.ports.insert(port, number);
            }
        }
    }

    /// It is not found there any more, if it was what was found.
    fn take_out(&mut self, number: Number, filed: Filed) {
        match filed {
            Filed::Nowhere => {}
            Filed::Listening(port, since) => {
                if let Some(waiting) = self.listening.get_mut(&port) {
                    waiting.remove(&since);
                    if waiting.is_empty() {
                        self.listening.remove(&port);
                    }
                }
            }
            Filed::Connection(ends) => {
                if self.connections.get(&ends) == Some(&number) {
                    self.connections.remove(&ends);
                }
            }
            Filed::Port(port) => {
                if self.ports.get(&port) == Some(&number) {
                    self.ports.remove(&port);
                }
            }
        }
    }
}

/// Before all others.
const LEAST: IpAddress = IpAddress::v4(0, 0, 0, 0);
const LEAST_END: IpEndpoint = IpEndpoint { addr: LEAST, port: 0 };

/// Where a socket is found; if it listens, as the last one that has begun to.
fn place_of(socket: &smoltcp::socket::Socket<'static>, last_listening: u64) -> Filed {
    match socket {
        smoltcp::socket::Socket::Tcp(socket) if socket.state() == State::Listen => {
            Filed::Listening(socket.listen_endpoint().port, last_listening + 1)
        }
        smoltcp::socket::Socket::Tcp(socket) => match (socket.local_endpoint(), socket.remote_endpoint()) {
            (Some(local), Some(remote)) => Filed::Connection((local.port, local.addr, remote)),
            _ => Filed::Nowhere,
        },
        smoltcp::socket::Socket::Udp(socket) => port_of(socket),
        _ => Filed::Nowhere,
    }
}

fn port_of(socket: &udp::Socket<'static>) -> Filed {
    Filed::Port(socket.endpoint().port)
}
