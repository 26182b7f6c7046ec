//! Whom a frame is for, as far as its heads say; whether it is right is the protocols' to find out.

use smoltcp::phy::Device;
use smoltcp::wire::{
    EthernetFrame, EthernetProtocol, IpAddress, IpEndpoint, IpProtocol, Ipv4Packet, Ipv6ExtHeader,
    Ipv6Packet, TcpPacket, UdpPacket,
};

/// A device whose next frame can be seen before the protocols take it.
pub trait Frames: Device {
    /// The frame that [`Device::receive`] gives next.
    fn next(&mut self) -> Option<&[u8]>;

    /// Whether it has no place for a frame now, and will have one. One that is not there is not full: what waits too long for it is given up.
    fn is_full(&self) -> bool;
}

/// Whom a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A connection, or who waits for one.
    Stream {
        local: IpEndpoint,
        remote: IpEndpoint,
        /// It is the first one.
        begins: bool,
    },
    /// A UDP port.
    Port(u16),
    /// Perhaps it says where a neighbour is. (One who was known may become so by any frame; who waits for him waits until he is asked for again.)
    Neighbours,
    /// None of these.
    Other,
}

impl Way {
    /// Of a whole frame.
    pub fn of(frame: &[u8]) -> Self {
        Self::of_frame(frame).unwrap_or(Self::Other)
    }

    fn of_frame(frame: &[u8]) -> Option<Self> {
        let frame = EthernetFrame::new_checked(frame).ok()?;
        match frame.ethertype() {
            EthernetProtocol::Arp => Some(Self::Neighbours),
            EthernetProtocol::Ipv4 => {
                let packet = Ipv4Packet::new_checked(frame.payload()).ok()?;
                let ends = (packet.dst_addr().into(), packet.src_addr().into());
                Self::of_packet(packet.next_header(), packet.payload(), ends)
            }
            EthernetProtocol::Ipv6 => {
                let packet = Ipv6Packet::new_checked(frame.payload()).ok()?;
                let ends = (packet.dst_addr().into(), packet.src_addr().into());
                if packet.next_header() != IpProtocol::HopByHop {
                    return Self::of_packet(packet.next_header(), packet.payload(), ends);
                }
                // The protocols take one of these before others, and no further ones.
                let head = Ipv6ExtHeader::new_checked(packet.payload()).ok()?;
                let rest = packet.payload().get(2 + head.payload().len()..)?;
                Self::of_packet(head.next_header(), rest, ends)
            }
            _ => None,
        }
    }

    fn of_packet(protocol: IpProtocol, bytes: &[u8], (to, from): (IpAddress, IpAddress)) -> Option<Self> {
        match protocol {
            IpProtocol::Tcp => {
                let segment = TcpPacket::new_checked(bytes).ok()?;
                Some(Self::Stream {
                    local: IpEndpoint { addr: to, port: segment.dst_port() },
                    remote: IpEndpoint { addr: from, port: segment.src_port() },
                    begins: segment.syn() && !segment.ack(),
                })
            }
            IpProtocol::Udp => Some(Self::Port(UdpPacket::new_checked(bytes).ok()?.dst_port())),
            IpProtocol::Icmpv6 => Some(Self::Neighbours),
            _ => None,
        }
    }
}
