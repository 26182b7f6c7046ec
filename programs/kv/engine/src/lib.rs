//! A key-value store that speaks RESP, versions 2 and 3, as redis 7 does, without any input and output of its own: bytes of clients in, bytes for them out.
//!
//! - [`Engine`] does what clients' [`Session`]s have received: [`Engine::run`] one client's turn, [`Engine::work`] a piece of what takes longer.
//! - No command keeps others waiting: what takes more than some steps becomes work in pieces, on values that it owns (`pace`). Tables grow and
//!   shrink by one bucket at a time (`table`), values share their parts with their clones until one side changes them (`paged`, `sequence`), and what is
//!   large is freed in pieces.
//! - What changes the store is written to a log (`log`), which the caller stores and reads back ([`Replay`]).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod call;
mod command;
mod commands;
mod config;
mod engine;
mod log;
mod number;
mod output;
mod pace;
mod paged;
mod pattern;
mod refusal;
mod replay;
mod request;
mod rewrite;
mod seed;
mod sequence;
mod server;
mod session;
mod store;
mod table;
mod value;

pub use config::{Config, Eviction, Sync};
pub use engine::{Engine, Progress};
pub use log::LogFile;
pub use output::{Output, Piece, Version};
pub use replay::{Corrupt, Ended, Replay};
pub use rewrite::Picture;
pub use seed::{Random, Seed};
pub use session::Session;
pub use store::{Counts, Store};

/// Bytes that several have.
pub type Bytes = alloc::sync::Arc<[u8]>;
