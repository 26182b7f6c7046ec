//! The host service: what a Linux process has (files, streams, arguments, the clock, random numbers) as a native program that serves interfaces.
//!
//! It runs in active cells on cores that may block in system calls. What it may reach is [`install`]ed once for the process, by whoever starts
//! the machine, before the jail is sealed; which part of that a client reaches is said by the [`Badge`] of its capability. The calls of one
//! interface are never reached through a badge of another.
//!
//! | file | what it has |
//! |---|---|
//! | `host` | the program: from a message to the interface that its badge is of |
//! | `badge` | what badges stand for |
//! | `grants` | the names under which Unix programs are granted all of it |
//! | `resources` | what the process was granted |
//! | `files/` | `files`, below granted directories |
//! | `console`, `invocation`, `clock`, `random` | the other interfaces |
//! | `desk` | another program, which serves passively: what a Unix program has that is started while the machine runs |
//! | `packets/` | another, which drives packet devices: each of its cells serves the ring of one |
//! | `sockets/` | another, which serves sockets of Linux's own network |
//! | `interrupts` | who tells a cell that Linux has something for it |
//! | `look` | for how long who serves something of Linux's looks for more |
//! | `network` | what a machine is given of the host's network |
//! | `picture` | another, which serves passively: `machine`, what the machine does |
//! | `tuning` | another, which serves passively: `tuning`, of the machine's scheduler |
//! | `null` | another, which serves passively: a `console` that takes everything, in the place of `/dev/null` |
//!
//! What the jail must leave to it is in `needs`.
#![forbid(unsafe_code)]

mod badge;
mod clock;
mod console;
mod desk;
mod files;
mod grants;
mod host;
pub mod interrupts;
mod invocation;
mod kernel;
mod look;
mod needs;
pub mod network;
mod null;
mod own_endpoint;
pub mod packets;
mod picture;
mod random;
mod resources;
pub mod sockets;
#[cfg(test)]
mod tests;
mod tuning;

pub use badge::Badge;
pub use desk::{DESK, Desk, Seat};
pub use grants::{GRANT_RIGHTS, GRANTS, directory_grant};
pub use host::{ENDPOINT_GRANT, ENDPOINT_RIGHTS, HOST, HostService, PASSIVELY};
pub(crate) use kernel::runs;
pub use needs::{SOCKET_CALLS, SYSTEM_CALLS, landlock_access};
pub use null::{NULL, NullConsole};
pub use picture::{PICTURE, PictureService};
pub use resources::{GrantedDirectory, HostResources, InstallError, Lent, install};
pub use tuning::{TUNING, TuningService};
