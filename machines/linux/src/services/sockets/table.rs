//! All sockets: what others hold capabilities of, and connections that nobody holds and that have something to send yet.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use hallows_sdk::net::protocol::{Address, Place, Refusal};
use hallows_sdk::net::{READABLE, WRITABLE};
use hallows_sdk::{Error, Notification, rights, space};
use rustix::io::Errno;
use rustix::net::SocketAddrAny;

use super::HostPort;
use super::connection::{Connection, peer_of, reset_when_closed};
use super::datagrams::DatagramPort;
use super::lookup::Lookup;
use super::outgoing::{Beginning, Made};
use super::port::Port;
use super::server::MOST_READ_BYTES;
use crate::host::uring::{Completion, MOST_TOKEN, Uring};

/// Addresses that a port can be bound to.
pub const MOST_ADDRESSES: usize = 8;
/// Connections that may wait at a port: as many as Linux lets wait, if nobody has changed that (`net.core.somaxconn`).
const MOST_BACKLOG: u16 = 4_096;
/// Sockets of all clients together.
const MOST_SOCKETS: usize = 1 << 17;
/// So many connections and questions for names later, one that has no bell is closed.
const MOST_QUIET: usize = 64;
/// Bytes of all connections together that nobody has read, and as many that nobody has taken: shared equally, but for the least and the most of one.
const ALL_BYTES: usize = 64 << 20;
const LEAST_BYTES: usize = 16 << 10;
const MOST_BYTES: usize = 256 << 10;

/// A bell of a client's.
pub(super) type Bell = Notification<rights!(SEND)>;

/// What a capability stands for.
#[derive(Debug)]
pub(super) enum Kind {
    Port(Port),
    Connection(Connection),
    /// One that is not there yet, or will never be.
    Beginning(Beginning),
    Datagrams(DatagramPort),
    Lookup(Lookup),
}

/// A socket that somebody holds.
#[derive(Debug)]
struct Held {
    kind: Kind,
    bell: Option<Bell>,
    /// What its holder waits for.
    wants: u64,
    /// It is among those that have something to send.
    is_due: bool,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Table {
    ports: Vec<Arc<HostPort>>,
    held: HashMap<u64, Held>,
    leaving: HashMap<u64, Connection>,
    /// Somebody could not be accepted, for want of a descriptor.
    is_short: bool,
    /// Those that have something to send with the next turn.
    due: Vec<u64>,
    /// The last that were given out of connections and questions for names, in that order: whose answer was lost is found among them.
    quiet: VecDeque<u64>,
    /// The last token.
    last: u64,
}

/// The bit of a badge that says: a socket. Its other bits are the socket's first token.
pub(super) const SOCKET: u64 = 1 << 63;

/// Whether whoever was to hear a bell is gone. Who is being ended himself rings none, and that says nothing of others: their connections are reset, and do not end as if
/// all had been said.
fn is_gone(rung: Result<(), Error>) -> bool {
    rung.is_err_and(|error| error != Error::Killed)
}

/// Of an address of the Internet.
pub(super) fn place_of(address: SocketAddrAny) -> Option<Place> {
    SocketAddr::try_from(address).ok().map(Place::from)
}

impl Table {
    /// None yet, of these ports. `life` is a number that is higher than all that a life before this one has given out.
    pub fn new(ports: Vec<Arc<HostPort>>, life: u64) -> Self {
        let last = life & (MOST_TOKEN >> 1);
        Self {
            ports,
            held: HashMap::new(),
            leaving: HashMap::new(),
            is_short: false,
            due: Vec::new(),
            quiet: VecDeque::new(),
            last,
        }
    }

    /// So many tokens; the first.
    fn tokens(&mut self, count: usize) -> u64 {
        let first = self.last + 1;
        self.last += count as u64;
        first
    }

    fn hold(&mut self, token: u64, kind: Kind) -> u64 {
        self.held.insert(token, Held { kind, bell: None, wants: 0, is_due: false });
        SOCKET | token
    }

    pub fn get(&self, badge: u64) -> Option<&Kind> {
        Some(&self.held.get(&(badge & !SOCKET))?.kind)
    }

    fn get_mut(&mut self, badge: u64) -> Option<&mut Held> {
        self.held.get_mut(&(badge & !SOCKET))
    }

    /// Bytes that are kept of a connection in each direction.
    fn bytes_of_one(&self) -> usize {
        (ALL_BYTES / self.held.len().max(1)).clamp(LEAST_BYTES, MOST_BYTES)
    }

    fn has_room(&self) -> bool {
        self.held.len() + self.leaving.len() < MOST_SOCKETS
    }

    /// What this machine was given of a port.
    fn bound(&self, number: u16, is_datagrams: bool) -> Vec<Arc<HostPort>> {
        let is_it = |port: &&Arc<HostPort>| port.port == number && port.is_datagrams == is_datagrams;
        self.ports.iter().filter(is_it).take(MOST_ADDRESSES).cloned().collect()
    }

    pub fn listen(&mut self, number: u16, backlog: u16, ring: &mut Uring) -> Result<u64, Refusal> {
        if number == 0 || backlog == 0 {
            return Err(Refusal::Invalid);
        }
        self.take_from_the_dead(ring, |kind| matches!(kind, Kind::Port(port) if port.number() == number))?;
        if !self.has_room() {
            return Err(Refusal::Full);
        }
        let token = self.tokens(MOST_ADDRESSES);
        let port = Port::listen(self.bound(number, false), backlog.min(MOST_BACKLOG), token, ring)?;
        Ok(self.hold(token, Kind::Port(port)))
    }

    pub fn bind(&mut self, owner: u64, number: u16, ring: &mut Uring) -> Result<u64, Refusal> {
        self.take_from_the_dead(
            ring,
            |kind| matches!(kind, Kind::Datagrams(port) if port.number() == number),
        )?;
        if !self.has_room() {
            return Err(Refusal::Full);
        }
        let token = self.tokens(MOST_ADDRESSES);
        let port = DatagramPort::new(owner, self.bound(number, true), token)?;
        Ok(self.hold(token, Kind::Datagrams(port)))
    }

    /// Closes a socket whose holder has ended, of which nothing else tells as long as nobody comes. `InUse` if there is a holder.
    fn take_from_the_dead(&mut self, ring: &mut Uring, is_it: impl Fn(&Kind) -> bool) -> Result<(), Refusal> {
        let Some((token, held)) = self.held.iter().find(|(_, held)| is_it(&held.kind)) else { return Ok(()) };
        let token = *token;
        // One that rings for nothing makes its holder look, and nothing else.
        if held.bell.is_none_or(|bell| !is_gone(bell.signal(READABLE))) {
            return Err(Refusal::InUse);
        }
        self.close(token, ring);
        self.sweep(ring);
        Ok(())
    }

    /// Closes all whose holders have ended: who has lost one has lost others.
    fn sweep(&mut self, ring: &mut Uring) {
        let is_gone = |held: &Held| held.bell.is_some_and(|bell| is_gone(bell.signal(0)));
        let gone: Vec<u64> =
            self.held.iter().filter(|(_, held)| is_gone(held)).map(|(token, _)| *token).collect();
        for token in gone {
            self.close(token, ring);
        }
    }

    /// The connection that has waited longest, which is a socket of its own then; and who is at its other end.
    pub fn accept(&mut self, badge: u64, ring: &mut Uring) -> Result<(u64, Place), Refusal> {
        let has_room = self.has_room();
        let Some(Held { kind: Kind::Port(port), wants, .. }) = self.get_mut(badge) else {
            return Err(Refusal::Invalid);
        };
        if !has_room {
            return Err(Refusal::Full);
        }
        let (socket, peer) = loop {
            let Some(socket) = port.accept(ring) else {
                *wants |= READABLE;
                return Err(Refusal::NotNow);
            };
            // One that has gone again has none.
            if let Some(peer) = peer_of(&socket) {
                break (socket, peer);
            }
        };
        let token = self.tokens(1);
        let connection = self.connection(socket, token, ring).map_err(|_| Refusal::Full)?;
        let badge = self.hold(token, Kind::Connection(connection));
        self.expect_bell(token, ring);
        Ok((badge, peer))
    }

    /// A connection or a question was given out that has no bell yet. One whose answer was lost has no holder: nobody gives it one, and it is closed by and by.
    fn expect_bell(&mut self, token: u64, ring: &mut Uring) {
        self.quiet.push_back(token);
        if self.quiet.len() > MOST_QUIET
            && let Some(oldest) = self.quiet.pop_front()
            && self.held.get(&oldest).is_some_and(|held| held.bell.is_none())
        {
            self.close(oldest, ring);
        }
    }

    /// A socket that is to be a connection to there, and its number: [`made`](Self::made) says what became of it.
    pub fn connect(&mut self, to: Place, ring: &mut Uring) -> Result<u64, Refusal> {
        self.begin(Kind::Beginning(Beginning { to, failed: None }), ring)
    }

    /// A question for the addresses of a name, likewise. Its owner is told those that it may reach.
    pub fn look_up(&mut self, owner: u64, ring: &mut Uring) -> Result<u64, Refusal> {
        self.begin(Kind::Lookup(Lookup::new(owner)), ring)
    }

    fn begin(&mut self, kind: Kind, ring: &mut Uring) -> Result<u64, Refusal> {
        if !self.has_room() {
            self.sweep(ring);
        }
        if !self.has_room() {
            return Err(Refusal::Full);
        }
        let token = self.tokens(1);
        let badge = self.hold(token, kind);
        self.expect_bell(token, ring);
        Ok(badge)
    }

    /// What became of something that was asked for.
    pub fn made(
        &mut self,
        token: u64,
        outcome: Result<Made, Refusal>,
        may_reach: impl Fn(u64, IpAddr) -> bool,
        ring: &mut Uring,
    ) {
        match outcome {
            Ok(Made::Connection(socket)) => self.connected(token, Ok(socket), ring),
            Ok(Made::Addresses(found)) => self.found(token, Ok(found), may_reach, ring),
            Err(why) if matches!(self.get(token), Some(Kind::Lookup(_))) => {
                self.found(token, Err(why), may_reach, ring);
            }
            Err(why) => self.connected(token, Err(why), ring),
        }
    }

    /// The addresses of a name, or why there are none.
    pub fn found(
        &mut self,
        token: u64,
        found: Result<Vec<IpAddr>, Refusal>,
        may_reach: impl Fn(u64, IpAddr) -> bool,
        ring: &mut Uring,
    ) {
        if let Some(Held { kind: Kind::Lookup(lookup), .. }) = self.held.get_mut(&(token & !SOCKET)) {
            lookup.found(found, may_reach);
            self.ring(token & !SOCKET, ring);
        }
    }

    /// Rings the bell of one for whom something has happened. Whose bell is gone is gone.
    fn ring(&mut self, token: u64, ring: &mut Uring) {
        let most = self.bytes_of_one();
        if self.held.get_mut(&token).is_some_and(|held| !held.ring(most)) {
            self.close(token, ring);
            self.sweep(ring);
        }
    }

    fn connected(&mut self, token: u64, outcome: Result<OwnedFd, Refusal>, ring: &mut Uring) {
        let Some(Held { kind: kind @ Kind::Beginning(_), .. }) = self.held.get_mut(&token) else {
            // Nobody wants it any more.
            if let Ok(socket) = outcome {
                reset_when_closed(&socket);
            }
            return;
        };
        let connection =
            outcome.and_then(|socket| Connection::new(socket, token, ring).map_err(|_| Refusal::Full));
        match (connection, kind) {
            (Ok(connection), kind) => *kind = Kind::Connection(connection),
            (Err(why), Kind::Beginning(beginning)) => beginning.failed = Some(why),
            (Err(_), _) => {}
        }
        self.ring(token, ring);
    }

    /// The addresses of a name, when it is known what they are.
    pub fn addresses(&mut self, badge: u64) -> Result<&[Address], Refusal> {
        let Some(Held { kind: Kind::Lookup(lookup), wants, .. }) = self.get_mut(badge) else {
            return Err(Refusal::Invalid);
        };
        let addresses = lookup.addresses();
        if addresses == Err(Refusal::NotNow) {
            *wants |= READABLE;
        }
        addresses
    }

    /// Connections that nobody holds and that have something to send yet.
    pub fn leaving(&self) -> usize {
        self.leaving.len()
    }

    fn connection(&self, socket: OwnedFd, token: u64, ring: &mut Uring) -> io::Result<Connection> {
        Connection::new(socket, token, ring)
    }

    /// Does something with a connection; what cannot be done now its bell tells of.
    fn with<T>(
        &mut self,
        badge: u64,
        waits_for: u64,
        act: impl FnOnce(&mut Connection) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let Some(Held { kind, wants, .. }) = self.get_mut(badge) else { return Err(Refusal::Invalid) };
        let done = match kind {
            Kind::Connection(connection) => act(connection),
            Kind::Beginning(Beginning { failed, .. }) => Err(failed.unwrap_or(Refusal::NotNow)),
            Kind::Port(_) | Kind::Datagrams(_) | Kind::Lookup(_) => return Err(Refusal::Invalid),
        };
        if matches!(done, Err(Refusal::NotNow)) {
            *wants |= waits_for;
        }
        done
    }

    /// Reads at most so many bytes to the end of `room`, as many as one answer holds; 0: nothing more will come. Who gets fewer hears of what comes next.
    pub fn read(
        &mut self,
        badge: u64,
        most: usize,
        room: &mut Vec<u8>,
        ring: &mut Uring,
    ) -> Result<usize, Refusal> {
        let kept = self.bytes_of_one();
        let connection = |connection: &mut Connection| connection.read(most.min(MOST_READ_BYTES), room, ring);
        let read = self.with(badge, READABLE, connection)?;
        if (1..most).contains(&read)
            && let Some(held) = self.get_mut(badge)
        {
            held.wants |= READABLE;
            // What is there already is the rest, or the end.
            held.ring(kept);
        }
        Ok(read)
    }

    /// Takes bytes from the front, which are sent with the next turn; how many.
    pub fn write(&mut self, badge: u64, bytes: &[u8]) -> Result<usize, Refusal> {
        let most = self.bytes_of_one();
        let taken = self.with(badge, WRITABLE, |connection| connection.write(bytes, most))?;
        self.is_due(badge);
        Ok(taken)
    }

    pub fn finish(&mut self, badge: u64) -> Result<(), Refusal> {
        self.with(badge, 0, Connection::finish)?;
        self.is_due(badge);
        Ok(())
    }

    pub fn peer(&mut self, badge: u64) -> Result<Place, Refusal> {
        if let Some(Kind::Beginning(Beginning { to, .. })) = self.get(badge) {
            return Ok(*to);
        }
        self.with(badge, 0, |connection| connection.peer())
    }

    fn is_due(&mut self, badge: u64) {
        let token = badge & !SOCKET;
        if let Some(held) = self.held.get_mut(&token)
            && !std::mem::replace(&mut held.is_due, true)
        {
            self.due.push(token);
        }
    }

    pub fn number(&self, badge: u64) -> u16 {
        match self.get(badge) {
            Some(Kind::Datagrams(port)) => port.number(),
            _ => 0,
        }
    }

    pub fn send(
        &mut self,
        badge: u64,
        to: Place,
        bytes: &[u8],
        may_reach: impl FnOnce(u64, SocketAddr) -> bool,
    ) -> Result<(), Refusal> {
        let Some(Kind::Datagrams(port)) = self.get(badge) else { return Err(Refusal::Invalid) };
        port.send(to, bytes, |to| may_reach(port.owner, to))
    }

    pub fn receive(
        &mut self,
        badge: u64,
        room: &mut [u8],
        ring: &mut Uring,
    ) -> Result<(usize, Place), Refusal> {
        let Some(Held { kind: Kind::Datagrams(port), wants, .. }) = self.get_mut(badge) else {
            return Err(Refusal::Invalid);
        };
        let received = port.receive(room, ring);
        if received == Err(Refusal::NotNow) {
            *wants |= READABLE;
        }
        received
    }

    /// A bell rings for a socket from now on, and at once if there is something already. Whether there is such a socket.
    pub fn tell(&mut self, badge: u64, bell: Bell) {
        let most = self.bytes_of_one();
        let Some(held) = self.get_mut(badge) else {
            let _ = space::delete(bell);
            return;
        };
        if let Some(before) = held.bell.replace(bell) {
            let _ = space::delete(before);
        }
        held.wants = READABLE | WRITABLE;
        held.ring(most);
    }

    /// Nobody holds a socket any more.
    pub fn close(&mut self, badge: u64, ring: &mut Uring) {
        let token = badge & !SOCKET;
        let Some(held) = self.held.remove(&token) else { return };
        if let Some(bell) = held.bell {
            let _ = space::delete(bell);
        }
        match held.kind {
            Kind::Port(port) => port.close(ring),
            Kind::Connection(mut connection) => {
                connection.leave(ring);
                if connection.is_leaving() {
                    self.leaving.insert(token, connection);
                }
            }
            Kind::Datagrams(port) => port.close(ring),
            Kind::Beginning(_) | Kind::Lookup(_) => {}
        }
    }

    /// Whether somebody could not be accepted since this was asked last, for want of a descriptor: [`open_ports`](Self::open_ports) tries again.
    pub fn is_short(&mut self) -> bool {
        std::mem::take(&mut self.is_short)
    }

    /// Asks at all ports for who comes next.
    pub fn open_ports(&mut self, ring: &mut Uring) {
        for held in self.held.values_mut() {
            if let Kind::Port(port) = &mut held.kind {
                port.open(ring);
            }
        }
    }

    /// Hands what was written to the ring.
    pub fn hand_over(&mut self, ring: &mut Uring) {
        for token in std::mem::take(&mut self.due) {
            if let Some(held) = self.held.get_mut(&token) {
                held.is_due = false;
                if let Kind::Connection(connection) = &mut held.kind {
                    connection.send(ring);
                }
            }
        }
    }

    /// Something has happened: whoever waited for it hears his bell.
    pub fn complete(&mut self, completion: Completion, ring: &mut Uring) {
        let most = self.bytes_of_one();
        let token = match completion {
            Completion::Accepted { token, socket } => {
                self.is_short |= socket.as_ref().is_err_and(|error| *error != Errno::CANCELED);
                // Each of a port's addresses has a token behind that of the port.
                let first = (0..MOST_ADDRESSES as u64).find_map(|step| {
                    let first = token.checked_sub(step)?;
                    matches!(self.held.get(&first)?.kind, Kind::Port(_)).then_some(first)
                });
                let Some(first) = first else {
                    if let Ok(socket) = socket {
                        reset_when_closed(&socket);
                    }
                    return;
                };
                if let Some(Held { kind: Kind::Port(port), .. }) = self.held.get_mut(&first) {
                    port.came(token, socket, ring);
                }
                first
            }
            Completion::Received { token, bytes, more } => {
                if let Some(Held { kind: Kind::Connection(connection), .. }) = self.held.get_mut(&token) {
                    connection.received(bytes, more, most, ring);
                }
                token
            }
            Completion::Sent { token, sent, bytes } => {
                if let Some(Held { kind: Kind::Connection(connection), .. }) = self.held.get_mut(&token) {
                    connection.sent(sent, bytes, ring);
                } else if let Some(connection) = self.leaving.get_mut(&token) {
                    connection.sent(sent, bytes, ring);
                    if !connection.is_leaving() {
                        self.leaving.remove(&token);
                    }
                }
                token
            }
            Completion::Ready { token } => {
                let first = (0..MOST_ADDRESSES as u64).find_map(|step| {
                    let first = token.checked_sub(step)?;
                    matches!(self.held.get(&first)?.kind, Kind::Datagrams(_)).then_some(first)
                });
                let Some(first) = first else { return };
                if let Some(Held { kind: Kind::Datagrams(port), .. }) = self.held.get_mut(&first) {
                    port.came(token);
                }
                first
            }
        };
        self.ring(token, ring);
    }
}

impl Held {
    /// Rings its bell if there is what its holder waits for, where connections keep so many bytes. Whether there is a holder, as far as that shows.
    fn ring(&mut self, most_bytes: usize) -> bool {
        let Some(bell) = self.bell else { return true };
        let (ready, is_last) = match &self.kind {
            Kind::Port(port) => (port.ready(), false),
            // Nothing comes any more that would show it later.
            Kind::Connection(connection) => {
                (connection.ready(most_bytes), connection.is_over() || connection.is_stopped())
            }
            Kind::Datagrams(port) => (port.ready(), false),
            Kind::Beginning(Beginning { failed: None, .. }) => (0, false),
            Kind::Beginning(Beginning { failed: Some(_), .. }) => (READABLE | WRITABLE, true),
            Kind::Lookup(lookup) => (lookup.ready(), lookup.ready() != 0),
        };
        let bits = ready & self.wants;
        self.wants &= !bits;
        bits == 0 && !is_last || !is_gone(bell.signal(bits))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use hallows_sdk::{Handle, Object};

    use super::*;

    #[test]
    fn who_is_being_ended_says_nothing_of_others() {
        assert!(is_gone(Err(Error::Gone)) && is_gone(Err(Error::Revoked)));
        assert!(!is_gone(Ok(())) && !is_gone(Err(Error::Killed)));
    }

    /// A port of this host, of which connections are accepted.
    struct Served {
        at: SocketAddr,
        table: Table,
        ring: Uring,
        listener: u64,
    }

    impl Served {
        fn new() -> Self {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let at = listener.local_addr().unwrap();
            let bound = HostPort { port: 80, is_datagrams: false, socket: Arc::new(listener.into()) };
            let mut ring = Uring::new().unwrap();
            ring.begin().unwrap();
            let mut table = Table::new(vec![Arc::new(bound)], 1);
            let listener = table.listen(80, 16, &mut ring).unwrap();
            Self { at, table, ring, listener }
        }

        fn turn(&mut self) {
            let Self { table, ring, .. } = self;
            table.hand_over(ring);
            ring.turn().unwrap();
            while let Some(completion) = ring.next() {
                table.complete(completion, ring);
            }
        }

        /// A connection, and its socket.
        fn connected(&mut self) -> (TcpStream, u64) {
            let stream = TcpStream::connect(self.at).unwrap();
            loop {
                match self.table.accept(self.listener, &mut self.ring) {
                    Ok((socket, _)) => return (stream, socket),
                    Err(why) => assert_eq!(why, Refusal::NotNow),
                }
                self.turn();
            }
        }
    }

    /// Whoever is at the other end of a connection that nobody has was told so.
    fn has_ended(stream: &TcpStream) -> bool {
        stream.set_nonblocking(true).unwrap();
        !matches!((&*stream).read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }

    #[test]
    fn connections_that_nobody_has_a_bell_for_are_closed_by_and_by() {
        let mut served = Served::new();
        let (told, kept) = served.connected();
        // Nobody rings it here: nothing comes.
        served.table.get_mut(kept).unwrap().bell = Some(Bell::from_handle(Handle::NULL));
        let mut all = Vec::new();
        for number in 0..3 * MOST_QUIET {
            all.push(served.connected());
            served.turn();
            let open = all.iter().filter(|(_, socket)| served.table.get(*socket).is_some()).count();
            assert_eq!(open, (number + 1).min(MOST_QUIET));
            if let Some(oldest) = number.checked_sub(MOST_QUIET) {
                assert!(served.table.get(all[oldest].1).is_none(), "the oldest goes first");
                assert!(has_ended(&all[oldest].0));
            }
            assert!(!has_ended(&all[number].0));
        }
        // Questions and connections that are begun count as well.
        for _ in 0..MOST_QUIET {
            served.table.look_up(1, &mut served.ring).unwrap();
        }
        served.turn();
        assert!(all.iter().all(|(stream, socket)| served.table.get(*socket).is_none() && has_ended(stream)));
        assert!(!has_ended(&told));
        // The port, the one with a bell, and questions.
        assert_eq!(served.table.held.len(), MOST_QUIET + 2);
        assert_eq!(served.table.leaving(), 0);
    }
}
