//! TCP: ports that are listened on, and connections.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use hallows_sdk::net::protocol::{Place, Refusal};
use hallows_sdk::net::{READABLE, WRITABLE};
use smoltcp::iface::Interface;
use smoltcp::socket::tcp::{self, CongestionControl, ConnectError, State};
use smoltcp::time::{Duration, Instant};

use super::directory::Number;
use super::usage::Used;
use super::{Kind, Socket, Sockets, room, to_endpoint, to_place};

/// Bytes of a connection on their way in each direction: what a window without scaling can say.
const STREAM_BYTES: usize = 65_535;
/// Connections that may wait to be accepted.
pub(super) const MOST_BACKLOG: u16 = 64;
/// How long the other end may be silent about what was sent to it.
const SILENCE: Duration = Duration::from_secs(60);
/// How often the other end is asked whether it is there when nothing is said.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long somebody who wants to come keeps others away, where nobody else could come meanwhile: what an answer may take (the first retransmission of
/// RFC 6298).
const HANDSHAKE: Duration = Duration::from_secs(1);

/// A socket of a listener that waits for somebody.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    pub number: Number,
    /// Since when somebody wants to come.
    since: Option<Instant>,
}

/// A connection, as its holder uses it.
struct Stream<'a> {
    socket: &'a mut tcp::Socket<'static>,
    is_finished: &'a mut bool,
    wants: &'a mut u64,
    used: &'a mut Used,
}

impl Sockets {
    pub fn listen(&mut self, owner: u64, port: u16, backlog: u16) -> Result<u64, Refusal> {
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
        let badge = self.next_badge();
        let waiting: Vec<_> = (0..backlog).filter_map(|_| self.waits_on(port, badge)).collect();
        if waiting.is_empty() {
            // There is no memory.
            return Err(Refusal::Full);
        }
        Ok(self.hold(owner, Kind::Listener { port, backlog, waiting, ready: VecDeque::new() }))
    }

    /// One more socket that waits for somebody on a port.
    fn waits_on(&mut self, port: u16, holder: u64) -> Option<Waiting> {
        let mut socket = stream()?;
        socket.listen(port).ok()?;
        Some(Waiting { number: self.directory.add(socket, Some(holder)), since: None })
    }

    /// The oldest connection that waits to be accepted, which is a socket of its own then; and who is at its other end.
    pub fn accept(&mut self, badge: u64) -> Result<(u64, Place), Refusal> {
        let Some(Socket { kind: Kind::Listener { ready, .. }, wants, owner, used, .. }) =
            self.held.get_mut(&badge)
        else {
            return Err(Refusal::Invalid);
        };
        let owner = *owner;
        let Some(number) = ready.pop_front() else {
            *wants |= READABLE;
            return Err(Refusal::NotNow);
        };
        used.come(0);
        // There is room for another one.
        self.changed.insert(badge);
        let socket = self.directory.get::<tcp::Socket<'_>>(number);
        // One that was reset meanwhile has none; who accepts it learns of that when it reads.
        let peer = socket.and_then(tcp::Socket::remote_endpoint).map_or(super::NOWHERE, to_place);
        self.directory.hold(number, Some(self.next_badge()));
        Ok((self.hold(owner, Kind::Connection { number, is_finished: false }), peer))
    }

    pub fn connect(&mut self, interface: &mut Interface, owner: u64, to: Place) -> Result<u64, Refusal> {
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
        let number = self.directory.add(socket, Some(self.next_badge()));
        Ok(self.hold(owner, Kind::Connection { number, is_finished: false }))
    }

    /// A connection's socket, and what its holder waits for.
    fn stream(&mut self, badge: u64) -> Result<Stream<'_>, Refusal> {
        let Some(Socket { kind: Kind::Connection { number, is_finished }, wants, used, .. }) =
            self.held.get_mut(&badge)
        else {
            return Err(Refusal::Invalid);
        };
        let socket = self.directory.get_mut(*number).ok_or(Refusal::Invalid)?;
        Ok(Stream { socket, is_finished, wants, used })
    }

    /// Reads into `room`; 0: nothing more will come. Who gets fewer than he asked for hears of what comes next.
    pub fn read(&mut self, badge: u64, asked: usize, room: &mut [u8]) -> Result<usize, Refusal> {
        let Stream { socket, wants, used, .. } = self.stream(badge)?;
        if room.is_empty() {
            return Err(Refusal::Invalid);
        }
        if is_opening(socket) || socket.may_recv() && !socket.can_recv() {
            *wants |= READABLE;
            return Err(Refusal::NotNow);
        }
        match socket.recv_slice(room) {
            Ok(bytes) => {
                used.come(bytes);
                if bytes < asked {
                    *wants |= READABLE;
                }
                Ok(bytes)
            }
            Err(tcp::RecvError::Finished) => Ok(0),
            Err(tcp::RecvError::InvalidState) => Err(Refusal::Reset),
        }
    }

    /// Writes from the front of `bytes`; how many.
    pub fn write(&mut self, badge: u64, bytes: &[u8]) -> Result<usize, Refusal> {
        let Stream { socket, is_finished, wants, used } = self.stream(badge)?;
        if *is_finished {
            return Err(Refusal::Finished);
        }
        let is_full = socket.may_send() && !socket.can_send();
        if is_opening(socket) || is_full && !bytes.is_empty() {
            *wants |= WRITABLE;
            return Err(Refusal::NotNow);
        }
        let written = socket.send_slice(bytes).map_err(|_| Refusal::Reset)?;
        // Without any, it was asked whether the connection is there.
        if !bytes.is_empty() {
            used.go(written);
        }
        Ok(written)
    }

    pub fn finish(&mut self, badge: u64) -> Result<(), Refusal> {
        let Stream { socket, is_finished, .. } = self.stream(badge)?;
        if !socket.may_send() && !is_opening(socket) && !*is_finished {
            return Err(Refusal::Reset);
        }
        *is_finished = true;
        socket.close();
        Ok(())
    }

    pub fn peer(&mut self, badge: u64) -> Result<Place, Refusal> {
        self.stream(badge)?.socket.remote_endpoint().map(to_place).ok_or(Refusal::Reset)
    }

    /// Moves connections that have come to a listener to those that wait to be accepted, and lets others wait in their place. Whoever has wanted to come
    /// for long makes room where there is none, as those do who only fill a port.
    pub(super) fn welcome(&mut self, badge: u64, now: Instant) {
        let Some(Socket { kind: Kind::Listener { port, backlog, waiting, ready }, .. }) =
            self.held.get_mut(&badge)
        else {
            return;
        };
        let (port, backlog) = (*port, *backlog);
        let directory = &mut self.directory;
        let mut is_open = false;
        waiting.retain_mut(|one| {
            match directory.get::<tcp::Socket<'_>>(one.number).map(tcp::Socket::state) {
                None => false,
                Some(State::SynReceived) => {
                    one.since.get_or_insert(now);
                    true
                }
                Some(State::Listen) => {
                    one.since = None;
                    is_open = true;
                    true
                }
                // Given up by whoever wanted to come.
                Some(State::Closed) => {
                    one.since = None;
                    is_open = true;
                    directory.listen(one.number, port)
                }
                Some(_) => {
                    ready.push_back(one.number);
                    false
                }
            }
        });
        if !is_open && ready.len() < backlog {
            waiting.retain(|one| {
                let keeps = one.since.is_none_or(|since| now < since + HANDSHAKE);
                if !keeps {
                    // Without a reset: it would go to whom nobody has heard of.
                    directory.remove(one.number);
                }
                keeps
            });
            // The others make room when they have had their time.
            if let Some(since) = waiting.iter().filter_map(|one| one.since).min() {
                self.due.ring(badge, since + HANDSHAKE);
            }
        }
        let missing = backlog.saturating_sub(waiting.len() + ready.len());
        for _ in 0..missing {
            let more = if self.has_room(1) { self.waits_on(port, badge) } else { None };
            if more.is_none() {
                // Nobody tells of room that others make.
                self.due.ring(badge, now + HANDSHAKE);
                return;
            }
            if let Some(Socket { kind: Kind::Listener { waiting, .. }, .. }) = self.held.get_mut(&badge) {
                waiting.extend(more);
            }
        }
    }
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
pub(super) fn is_opening(socket: &tcp::Socket<'_>) -> bool {
    matches!(socket.state(), State::SynSent | State::SynReceived | State::Listen)
}
