//! What has gone through sockets: counted where their holders read and write.

use core::ops::Bound;

use hallows_sdk::net::protocol::{self, State, Usage};
use smoltcp::socket::{icmp, tcp, udp};

use super::{Kind, SOCKET, Socket, Sockets, to_address, to_place};

/// What has gone through a socket.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    bytes_in: u64,
    times_in: u64,
    bytes_out: u64,
    times_out: u64,
}

impl Used {
    /// So many bytes were read, at once.
    pub const fn come(&mut self, bytes: usize) {
        self.bytes_in = self.bytes_in.saturating_add(bytes as u64);
        self.times_in = self.times_in.saturating_add(1);
    }

    /// So many were taken from whoever writes, at once.
    pub const fn go(&mut self, bytes: usize) {
        self.bytes_out = self.bytes_out.saturating_add(bytes as u64);
        self.times_out = self.times_out.saturating_add(1);
    }
}

impl Sockets {
    /// The socket with the least number above this one, of those whose owner `is_shown`.
    pub fn usage(&self, above: u64, is_shown: impl Fn(u64) -> bool) -> Option<Usage> {
        let first = Bound::Excluded(SOCKET | above);
        let (badge, socket) =
            self.held.range((first, Bound::Unbounded)).find(|(_, socket)| is_shown(socket.owner))?;
        Some(self.usage_of(badge & !SOCKET, socket))
    }

    fn usage_of(&self, number: u64, socket: &Socket) -> Usage {
        let Socket { kind, owner, used: Used { bytes_in, times_in, bytes_out, times_out }, .. } = socket;
        let mut usage = Usage {
            number,
            owner: *owner,
            kind: protocol::Kind::Lookup,
            state: None,
            port: 0,
            peer: None,
            bytes_in: *bytes_in,
            times_in: *times_in,
            bytes_out: *bytes_out,
            times_out: *times_out,
            waiting_in: 0,
            waiting_out: 0,
        };
        match kind {
            Kind::Listener { port, ready, .. } => {
                usage.kind = protocol::Kind::Listener;
                usage.state = Some(State::Listen);
                usage.port = *port;
                usage.waiting_in = count(ready.len());
            }
            Kind::Connection { number, .. } => {
                usage.kind = protocol::Kind::Connection;
                let Some(stream) = self.directory.get::<tcp::Socket<'_>>(*number) else { return usage };
                usage.state = Some(state(stream.state()));
                usage.port = stream.local_endpoint().map_or(0, |local| local.port);
                usage.peer = stream.remote_endpoint().map(to_place);
                usage.waiting_in = count(stream.recv_queue());
                usage.waiting_out = count(stream.send_queue());
            }
            Kind::Datagrams { number, .. } => {
                usage.kind = protocol::Kind::Datagrams;
                let Some(port) = self.directory.get::<udp::Socket<'_>>(*number) else { return usage };
                usage.port = port.endpoint().port;
                usage.waiting_in = count(port.recv_queue());
                usage.waiting_out = count(port.send_queue());
            }
            Kind::Echoes { handle, to, .. } => {
                let echoes = self.directory.few.get::<icmp::Socket<'_>>(*handle);
                usage.kind = protocol::Kind::Echoes;
                usage.peer = Some(protocol::Place { address: to_address(*to), port: 0 });
                usage.waiting_in = count(echoes.recv_queue());
                usage.waiting_out = count(echoes.send_queue());
            }
            Kind::Lookup(_) => {}
        }
        usage
    }

    /// How many somebody holds, and how many connections nobody does that have not ended.
    pub fn counts(&self) -> (u32, u32) {
        (count(self.held.len()), count(self.leaving.len()))
    }
}

fn count(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

const fn state(state: tcp::State) -> State {
    match state {
        tcp::State::Closed => State::Closed,
        tcp::State::Listen => State::Listen,
        tcp::State::SynSent => State::SynSent,
        tcp::State::SynReceived => State::SynReceived,
        tcp::State::Established => State::Established,
        tcp::State::FinWait1 => State::FinWaitOne,
        tcp::State::FinWait2 => State::FinWaitTwo,
        tcp::State::CloseWait => State::CloseWait,
        tcp::State::Closing => State::Closing,
        tcp::State::LastAck => State::LastAck,
        tcp::State::TimeWait => State::TimeWait,
    }
}
