//! WASI preview 1 for cells: what programs that were written for Unix ask for, out of what the system's interfaces give.
//!
//! Problem: programs compiled for `wasm32-wasip1` know file descriptors, paths and clocks, and cells hold capabilities. Rule: each
//! function of WASI runs on the cell's own thread and asks the services whose capabilities the cell was granted, and nobody else.
//! Consequence: a program of WASI can do exactly what a program of ours with the same grants can, and the kernel knows nothing of it.
//!
//! - [`Process`] is the state of a program: descriptors, rights, offsets. Its methods are WASI's functions ([`functions!`] lists them).
//! - [`Memory`] is the program's memory, as whoever runs it shows it: every pointer is checked there.
//! - [`System`] is what a process stands on; [`Services`] is that in a cell: kernel calls and stubs of the interfaces `console`,
//!   `files`, `invocation`, `clock`, `random` and `net`.
//!
//! What is there and what differs: `docs/wasi.md`.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing))]

extern crate alloc;

mod arguments;
mod clocks;
mod control;
mod descriptor;
mod ending;
mod errno;
mod files;
mod functions;
mod listing;
mod memory;
mod paths;
mod poll;
mod process;
mod random;
mod rights;
mod services;
mod sockets;
mod system;
mod table;
mod transfer;
mod vectors;

pub use errno::{Errno, Result};
pub use memory::Memory;
pub use process::{Given, Process};
pub use rights::Rights;
pub use services::Services;
pub use system::{BYTES_MOST, Sizes, System};

/// The module name that programs import the functions from.
pub const IMPORT_MODULE: &str = "wasi_snapshot_preview1";
/// The export that a program starts at.
pub const START_EXPORT: &str = "_start";
