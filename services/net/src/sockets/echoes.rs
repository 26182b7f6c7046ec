//! Pings: echoes of ICMP (RFC 792, RFC 4443) from one address.

use alloc::vec;

use hallows_sdk::net::protocol::Refusal;
use hallows_sdk::net::{READABLE, WRITABLE};
use smoltcp::phy::ChecksumCapabilities;
use smoltcp::socket::icmp;
use smoltcp::wire::{Icmpv4Packet, Icmpv4Repr, Icmpv6Packet, Icmpv6Repr, IpAddress, Ipv6Address};

use super::directory::Which;
use super::usage::Used;
use super::{Kind, Socket, Sockets, room};

/// Bytes and echoes that wait in each direction: four of the longest.
const ECHOES_BYTES: usize = 4 << 16;
const ECHOES: usize = 64;
/// What stands before an echo's own bytes.
const HEAD_BYTES: usize = 8;

/// Pings, as their holder uses them.
struct Echoes<'a> {
    socket: &'a mut icmp::Socket<'static>,
    to: IpAddress,
    identity: u16,
    wants: &'a mut u64,
    used: &'a mut Used,
}

impl Sockets {
    /// Makes a socket whose echoes are its own.
    pub fn ping(&mut self, owner: u64, to: IpAddress) -> Result<u64, Refusal> {
        if !self.has_room(1) {
            return Err(Refusal::Full);
        }
        let identity = self.free_identity().ok_or(Refusal::Full)?;
        let buffer = || {
            let bytes = room(ECHOES_BYTES).ok_or(Refusal::Full)?;
            Ok(icmp::PacketBuffer::new(vec![icmp::PacketMetadata::EMPTY; ECHOES], bytes))
        };
        let mut socket = icmp::Socket::new(buffer()?, buffer()?);
        socket.bind(icmp::Endpoint::Ident(identity)).map_err(|_| Refusal::Invalid)?;
        let handle = self.add_to_few(socket);
        Ok(self.hold(owner, Kind::Echoes { handle, to, identity }))
    }

    /// An identity that no other pings have.
    fn free_identity(&self) -> Option<u16> {
        let is_taken = |number: u16| {
            self.held
                .values()
                .any(|socket| matches!(socket.kind, Kind::Echoes { identity, .. } if identity == number))
        };
        // Cut to 16 bits on purpose.
        let first = self.anything() as u16;
        (0..=u16::MAX).map(|step| first.wrapping_add(step)).find(|number| !is_taken(*number))
    }

    fn echoes(&mut self, badge: u64) -> Result<Echoes<'_>, Refusal> {
        let Some(Socket { kind: Kind::Echoes { handle, to, identity }, wants, used, .. }) =
            self.held.get_mut(&badge)
        else {
            return Err(Refusal::Invalid);
        };
        self.directory.touch(Which::Few);
        Ok(Echoes { socket: self.directory.few.get_mut(*handle), to: *to, identity: *identity, wants, used })
    }

    /// Asks for these bytes back. A frame carries at most so many bytes of IP.
    pub fn send_echo(
        &mut self,
        badge: u64,
        number: u16,
        bytes: &[u8],
        most_bytes: usize,
    ) -> Result<(), Refusal> {
        let Echoes { socket, to, identity, wants, used } = self.echoes(badge)?;
        let head = HEAD_BYTES + if matches!(to, IpAddress::Ipv4(_)) { 20 } else { 40 };
        if bytes.len() + head > most_bytes {
            return Err(Refusal::TooLong);
        }
        let Ok(room) = socket.send(bytes.len() + HEAD_BYTES, to) else {
            *wants |= WRITABLE;
            return Err(Refusal::NotNow);
        };
        // Its checksum is made when it is sent.
        let checksums = ChecksumCapabilities::ignored();
        match to {
            IpAddress::Ipv4(_) => {
                let echo = Icmpv4Repr::EchoRequest { ident: identity, seq_no: number, data: bytes };
                echo.emit(&mut Icmpv4Packet::new_unchecked(room), &checksums);
            }
            IpAddress::Ipv6(to) => {
                let echo = Icmpv6Repr::EchoRequest { ident: identity, seq_no: number, data: bytes };
                let packet = &mut Icmpv6Packet::new_unchecked(room);
                echo.emit(&Ipv6Address::UNSPECIFIED, &to, packet, &checksums);
            }
        }
        used.go(bytes.len());
        Ok(())
    }

    /// The next echo: its number, and its bytes, in front of `room`.
    pub fn receive_echo(&mut self, badge: u64, room: &mut [u8]) -> Result<(u16, usize), Refusal> {
        let Echoes { socket, to, wants, used, .. } = self.echoes(badge)?;
        // At most as many as it has in its queue.
        while let Ok((packet, from)) = socket.recv() {
            let Some((number, bytes)) = parse(packet, from).filter(|_| from == to) else { continue };
            used.come(bytes.len());
            let length = bytes.len().min(room.len());
            for (place, byte) in room.iter_mut().zip(bytes) {
                *place = *byte;
            }
            return Ok((number, length));
        }
        *wants |= READABLE;
        Err(Refusal::NotNow)
    }
}

/// The number and the bytes of an answer; nothing of what is none. Its checksum was looked at before.
fn parse(packet: &[u8], from: IpAddress) -> Option<(u16, &[u8])> {
    let checksums = ChecksumCapabilities::ignored();
    match from {
        IpAddress::Ipv4(_) => {
            let packet = Icmpv4Packet::new_checked(packet).ok()?;
            match Icmpv4Repr::parse(&packet, &checksums).ok()? {
                Icmpv4Repr::EchoReply { seq_no, data, .. } => Some((seq_no, data)),
                _ => None,
            }
        }
        IpAddress::Ipv6(from) => {
            let packet = Icmpv6Packet::new_checked(packet).ok()?;
            match Icmpv6Repr::parse(&from, &Ipv6Address::UNSPECIFIED, &packet, &checksums).ok()? {
                Icmpv6Repr::EchoReply { seq_no, data, .. } => Some((seq_no, data)),
                _ => None,
            }
        }
    }
}
