//! The control socket: how `hallows ps`, `stop` and the like reach a running machine.
//!
//! A Unix stream socket per machine in the user's [runtime directory](super::runtime_dir), served by the parent. One JSON
//! object a line: a [`Request`] in, a [`Response`] out, in order. Try
//! `echo '{"op":"ps"}' | nc -U /run/hallows/machine-PID.sock`.

pub mod client;
pub mod protocol;
pub(crate) mod server;

pub use client::{ControlError, RunningMachine, ask, list, stop};
pub use protocol::{CellSelector, CellState, CellStatus, MachineStatus, Request, Response};
