//! How the values of interfaces stand in messages: a pure pair of emit and parse for each type.
//!
//! Little-endian, packed, one encoding for each value; specified in `docs/interfaces.md`. Capabilities travel beside the bytes. Nothing here
//! allocates: what is long is a view of the message ([`List`], `&str`, `&[u8]`), so a hostile message costs no more than reading it.
//!
//! What is small is inlined always: only when a message's bytes and offsets meet in one function does the compiler see that most of the checks are
//! of constants, and that a record need not be moved about in memory.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

mod choice;
mod copy;
mod decoder;
mod encoder;
mod list;
mod number;
mod resource;
mod status;
mod text;
mod tuple;
mod value;

pub use decoder::{Decoder, Handles};
pub use encoder::Encoder;
pub use list::{Items, List};
pub use resource::{Borrow, Own, Resource};
pub use status::Status;
pub use value::Value;
