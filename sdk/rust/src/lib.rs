//! What programs are written with.
//!
//! A program is a `no_std` library crate. The same source becomes a WebAssembly cell (`wasm32-unknown-unknown`: it imports
//! the calls from the module `hallows`) or a part of the machine (any other target: the engine exports the calls).
//!
//! - [`#[main]`](main) declares a program that runs from start to end, [`server!`] one of event handlers ([`Server`]).
//! - [`Start`] has what it was started with: arguments, and capabilities by name.
//! - [`call`], [`send`], [`answer`], [`wait`], [`answer_wait`] are the whole interface; everything else is a message to an object,
//!   and each operation a method of its handle: [`Budget::create_endpoint`], [`Timer::arm`], [`space::mint`], ….
//! - A handle's type has its kind and its [`rights`](mod@rights): what its capability does not allow does not compile.
//! - [`form!`] declares messages of fixed layout, [`println!`] and [`log!`] write to the machine's log; [`stub`] is what stubs of interfaces stand on.
//! - [`registry`] is for interfaces that are found, provided and replaced while programs run.
//! - [`ring`] is for bulk data: queues in a region that client and service share, without messages; [`packets`] are what goes over a network card's.
//! - [`net`] has sockets: TCP and UDP, served by a cell.
//! - [`task`] is for programs that do many things at once (feature `alloc`): scopes of tasks, deadlines, cancellation.
//! - `thread` is for programs that need several cores at once (feature `threads`): threads over one memory, locks, conditions.
//!
//! Nothing else here allocates. With the feature `alloc`, WebAssembly programs have a heap (natively the machine has one).
#![no_std]
#![deny(unsafe_code)]

#[cfg(any(feature = "task", feature = "threads", not(target_arch = "wasm32")))]
extern crate alloc;
// Stubs name this crate as programs do.
extern crate self as hallows_sdk;
#[cfg(test)]
#[macro_use]
extern crate std;

pub use hallows_abi as abi;

mod budget;
mod call;
mod cell;
mod connection;
mod deadline;
mod endpoint;
pub mod form;
pub mod interface;
pub mod log;
pub mod memory;
pub mod native;
pub mod net;
mod notification;
mod object;
pub mod operation;
pub mod packets;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod panic;
pub mod process;
pub mod program;
#[cfg(feature = "raw")]
pub mod raw;
mod region;
pub mod registry;
pub mod rights;
pub mod ring;
pub mod server;
pub mod space;
pub mod start_info;
pub mod stub;
#[doc(hidden)]
pub mod sys;
#[cfg(feature = "task")]
pub mod task;
#[cfg(feature = "threads")]
pub mod thread;
mod timer;

pub use abi::{Error, Event, EventKind, FaultKind, FaultReport, Handle, Outcome, Rights, Transfer};
pub use budget::{Account, NewCell, Service, Serving};
pub use call::{Token, answer, answer_wait, call, contents, pause, send, wait};
pub use connection::Connection;
pub use deadline::Deadline;
pub use endpoint::watch;
pub use form::Form;
pub use hallows_abi::{CellState, Inspection, TimeBudget};
pub use hallows_macros::main;
pub use object::{Budget, Cell, Endpoint, Identity, Notification, Object, Program, Region, Timer, identify};
pub use program::Start;
pub use region::Window;
pub use server::{Answer, Message, Received, Reply, Server};
pub use start_info::{StartInfo, StartInfoError};
