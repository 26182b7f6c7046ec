//! Rings: submissions one way, completions the other, in a region that a client and a service share.
//!
//! One format for everything that moves data in bulk (network, storage, accelerators, pipes). A client puts [`Submission`]s into a
//! queue, the service answers each with one [`Completion`] in another; what they speak of lies in the payload of the same region,
//! named by offset and length. Entries are of fixed size, each queue has one producer and one consumer, and no more is ever under way
//! than a queue has room for. While both sides are busy they only look at memory; a side that finds nothing to do says so in its
//! *sleep word*, and is told once, by a notification, when there is something.
//!
//! | here | what |
//! |---|---|
//! | [`Layout`] | where everything lies in a region |
//! | [`Producer`], [`Consumer`] | the two ends of one queue |
//! | [`Client`], [`Service`] | the two sides of a ring: both queues, and who sleeps |
//! | [`Payload`] | the bytes that entries speak of, checked |
//!
//! The peer is not trusted. What a side knows of itself it keeps in memory of its own; what the peer writes is loaded once, into a
//! register, and looked at there; an index that cannot be makes the ring [`Broken`], for good, and nothing else. All memory is words that
//! are loaded and stored atomically, so that whatever a peer does is at worst a wrong number.
//!
//! Ideas: head and tail on lines of their own and cached copies of the peer's (Lee, Bu, Chandranmenon: *A lock-free,
//! cache-efficient multi-core synchronization mechanism*, MCRingBuffer, 2010); wake-up flags (`io_uring`'s `NEED_WAKEUP`, virtio's
//! event suppression, the signalling of seL4's device driver framework). `docs/rings.md` has the format for those who write in other
//! languages.

mod broken;
mod client;
mod consumer;
mod entry;
mod layout;
mod payload;
mod producer;
mod service;
mod sleep;
mod word;

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod races;
#[cfg(test)]
mod tests;

pub use broken::{Broken, Refused};
pub use client::Client;
pub use consumer::Consumer;
pub use entry::{Completion, ENTRY_BYTES, ENTRY_WORDS, Entry, Submission, operation};
pub use layout::{BadLayout, Layout, MOST_ENTRIES};
pub use payload::{BadPart, Part, Payload};
pub use producer::Producer;
pub use service::Service;
pub use sleep::{Doorbell, Rest};
#[cfg(not(target_arch = "wasm32"))]
pub use word::ProcessorFence;
pub use word::{Fence, Word};
