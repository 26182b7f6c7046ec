//! The capability microkernel: capabilities, endpoints, cells, scheduler, faults. Knows no WebAssembly, no device, no
//! operating system: it is a plain `Sync` value that a machine drives and that an engine runs programs for.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

extern crate alloc;

mod engine;
mod ids;
mod kernel;
mod lists;
mod machine;
mod word;

pub use engine::{Access, Activation, Ended, Engine, Failure, Handled, Role, Stop, Style, Unmappable};
pub use ids::{CellId, Context, CoreId, Nanos, ThreadId};
pub use kernel::{Kernel, Outgoing};
pub use lists::{HandleList, TransferList};
pub use machine::Machine;
pub use word::PreemptionWord;
