//! Rings: bulk data between a client and a service, through a region that both show.
//!
//! The format and the protocol are [`hallows_abi::ring`]'s, and `docs/rings.md` explains them; here they meet regions, notifications and
//! messages. A client makes a ring in a [`Window`](crate::Window) of its own and [offers](Client::offer) it in a message, with the region and a
//! notification to be woken by; the service [accepts](Service::accept), shows the region in one of its windows and answers with a notification
//! of its own. From then on no message is sent, and what they exchange is copied by nobody but themselves.
//!
//! ```no_run
//! use hallows_sdk::ring::{self, Bell, Submission};
//! use hallows_sdk::{Deadline, Endpoint, Error, Start, Window, println, rights};
//!
//! static RING: Window<8192> = Window::new();
//!
//! #[hallows_sdk::main(crate = hallows_sdk)]
//! fn checksums(start: Start<'_>) -> Result<(), Error> {
//!     let service: Endpoint<rights!(SEND)> = start.grant("service")?;
//!     let mut ring = ring::Client::offer(&RING, 64, Bell::bound(1)?, |bytes, transfers, reply, handles| {
//!         service.call(bytes, transfers, reply, handles, Deadline::NEVER)
//!     })?;
//!     for token in 0..32 {
//!         ring.submit(&Submission { token, ..Submission::default() })?;
//!     }
//!     while ring.under_way() > 0 {
//!         ring.wait(Deadline::NEVER)?;
//!         while let Some(completion) = ring.complete()? {
//!             println!("{}: {:?}", completion.token, completion.outcome());
//!         }
//!     }
//!     ring.close()
//! }
//! # fn main() {}
//! ```

mod bell;
mod client;
mod failure;
mod patience;
mod service;

pub use bell::Bell;
pub use client::Client;
pub use failure::Failure;
pub use hallows_abi::ring::{
    BadLayout, BadPart, Broken, Completion, Layout, Part, Payload, Refused, Rest, Submission, operation,
};
pub use service::{Accepted, Service, is_offer};

use crate::rights;

/// The bit of a notification that says: look at the ring.
pub const WORK: u64 = 1;
/// The bit that says: the sender has closed the ring, or found it broken.
pub const CLOSED: u64 = 2;

crate::form! {
    /// The message that a ring is offered with; its capabilities are the region (READ and WRITE) and the client's notification (SEND). The
    /// answer is the same, with the service's notification (SEND), or anything else, which refuses.
    pub struct Offer {
        /// [`OFFER`].
        pub magic: u64,
    }
}

/// What an offer says.
pub const OFFER: u64 = u64::from_le_bytes(*b"ringring");

/// What both sides must be able to do with a ring's region.
type Shared = crate::Region<rights!(READ | WRITE)>;
/// How a side wakes the other.
type Peer = crate::Notification<rights!(SEND)>;
