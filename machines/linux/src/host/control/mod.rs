//! The control socket: how `hallows ps`, `stop` and the like reach a running machine.
//!
//! A Unix stream socket per machine in the user's [runtime directory](super::runtime_dir), served by the parent. One JSON
//! object a line: a [`Request`] in, a [`Response`] out, in order. Try
//! `echo '{"op":"ps"}' | nc -U /run/hallows/machine-PID.sock`.
//!
//! # Who may ask, and how much
//!
//! The directory and the socket are its user's alone (modes 0700 and 0600), so only that user and root can connect. A client can make the parent
//! hold no more than 32 connections, 64 KiB of a request, one open file, and 8 MiB of unread answers; one request of a connection is
//! worked on at a time, and the next is not read before its answer. A client that sends more is cut off, one that goes away is forgotten.
//! What is asked of cells goes to the machine, which answers from behind its jail.
//!
//! # Versions
//!
//! [`PROTOCOL`] counts the incompatible changes; `{"op":"version"}` says it. New requests and new fields of answers come without one: a
//! machine says of a request that it does not know that it is none, and a client ignores fields that it does not know.

pub mod client;
pub mod inspection;
pub mod protocol;
pub(crate) mod server;

pub use client::{Connection, ControlError, RunningMachine, ask, list, stop};
pub use inspection::{
    CallStatistics, CapabilityStatus, CellStatistics, CoreStatistics, FaultRecord, Histogram, Inspection,
    Statistics,
};
pub use protocol::{CellSelector, CellState, CellStatus, MachineStatus, PROTOCOL, Request, Response};
