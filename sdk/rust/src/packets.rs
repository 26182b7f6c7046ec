//! Packet devices: whole Ethernet frames over a [ring], without messages.
//!
//! The client of a device's ring is whoever speaks the network's protocols, its service is who drives the device. A client asks what the device is
//! ([`Question`], [`Card`]), then offers a ring, at most one at a time. Of the ring's operations a device has two of its own:
//!
//! | operation | the part that the submission names | completed |
//! |---|---|---|
//! | [`TRANSMIT`] | one frame, without its checksum | when the device has it: bytes, and in `detail` the time |
//! | [`RECEIVE`] | room for one frame | when one has come: its bytes, and in `detail` the time. In the order of frames, and behind transmissions that came later |
//!
//! Times are the machine's, in nanoseconds. A frame that is too long, or is none, is [`TooLong`](crate::Error::TooLong) or
//! [`BadArgument`](crate::Error::BadArgument); one that the device has had no room for in some milliseconds, [`Busy`](crate::Error::Busy); while the interface is down or gone,
//! [`NotReady`](crate::Error::NotReady). Frames that come while there is no room for them are the device's to keep or drop, as on any network.

use crate::form;
use crate::ring::{self, operation};

/// Sends one frame.
pub const TRANSMIT: u16 = operation::FIRST_OWN;
/// Has room for one frame.
pub const RECEIVE: u16 = operation::FIRST_OWN + 1;

/// Words of the largest ring that a device takes: 512 KiB, some 250 frames of the usual kind.
pub const MOST_WORDS: usize = 65_536;

/// The longest frame of any device, in bytes: what Ethernet calls a jumbo frame, with its head.
pub const MOST_FRAME_BYTES: usize = 9_216;
/// An Ethernet frame's head: two addresses and a type.
pub const HEAD_BYTES: usize = 14;

form! {
    /// Asks a device what it is.
    pub struct Question {
        /// [`QUESTION`].
        pub magic: u64,
    }

    /// What a device is.
    pub struct Card {
        /// A [`Kind`]'s number.
        pub kind: u32,
        /// The most bytes that a frame carries behind its head.
        pub mtu: u32,
        /// The address that the client's end of the wire has.
        pub address: [u8; 6],
    }
}

/// What a question says.
pub const QUESTION: u64 = u64::from_le_bytes(*b"packets?");

/// What kind of device it is: which path frames take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// What is sent comes back.
    Loopback = 1,
    /// An interface of the host, whose other end is the host's own network.
    Tap = 2,
    /// A queue of an interface of the host, past the host's own network.
    Xdp = 3,
    /// Memory that is shared with another machine of the same host.
    Wire = 4,
}

impl Kind {
    /// From its number; `None` of a kind that this SDK does not know.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::Loopback),
            2 => Some(Self::Tap),
            3 => Some(Self::Xdp),
            4 => Some(Self::Wire),
            _ => None,
        }
    }
}

/// Whether a message asks what the device is.
#[must_use]
pub fn is_question(bytes: &[u8]) -> bool {
    use crate::form::Form;
    Question::parse(bytes).is_some_and(|question| question.magic == QUESTION)
}

/// A window for a device's ring, on either side.
pub type Window = crate::Window<MOST_WORDS>;
/// A device's side of a ring.
pub type Service = ring::Service<MOST_WORDS>;
/// Its client's.
pub type Client = ring::Client<MOST_WORDS>;
