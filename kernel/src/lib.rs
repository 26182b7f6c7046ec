//! The capability microkernel: capabilities, endpoints, cells, scheduler, faults. Knows no WebAssembly, no device, no
//! operating system: it is a plain `Sync` value that a machine drives and that an engine runs programs for.
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod audit;
mod boot;
mod call;
mod capabilities;
mod carry;
mod cell;
mod class;
mod configuration;
mod core_record;
mod due;
mod engine;
mod group;
mod ids;
mod inbox;
mod inspect;
mod kernel;
mod lane;
mod lifecycle;
mod linger;
mod lists;
mod lock;
mod machine;
mod make;
mod meter;
mod metering;
mod monitor;
mod objects;
mod operate;
#[cfg(counted)]
#[path = "../counted/parts.rs"]
mod parts;
mod plan;
mod policy;
#[cfg(all(test, not(any(loom, counted))))]
#[expect(clippy::expect_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "tests")]
#[path = "../proofs/mod.rs"]
mod proofs;
mod protected;
#[cfg(all(test, loom))]
#[path = "../proofs/races.rs"]
mod races;
mod receive;
mod revoke;
mod runqueue;
mod scheduler;
mod serving;
mod slab;
mod slot;
mod sync;
mod table;
mod tally;
mod thread;
mod through;
mod timekeeper;
mod timers;
mod trace;
mod tree;
mod tuning;
mod waits;
mod word;

pub use audit::Usage;
pub use boot::Rooted;
pub use cell::{CellState, LastFault};
pub use class::{Class, WHOLE_CORE, share};
pub use configuration::{Configuration, Pool};
pub use engine::{Access, Activation, Ended, Engine, Failure, Handled, Role, Stop, Style, Unmappable};
pub use group::{MOST_THREADS, Patience};
pub use hallows_abi::TimeBudget;
pub use ids::{CellId, Context, CoreId, Nanos, ThreadId};
pub use inspect::{CapabilityPicture, CellPicture, CorePicture, TimePicture};
pub use kernel::{BootCapability, Kernel, Outgoing};
pub use lane::MAX_POST;
pub use lists::{HandleList, TransferList};
pub use machine::Machine;
pub use make::{CellSpecification, OBJECT_BYTES, PAGE_BYTES, Service};
#[cfg(counted)]
pub use parts::Part;
pub use policy::{BUILT_IN, Candidate, FirstCome, MIN_QUANTUM_NS, Policies, Policy, PolicyError, Turns};
pub use tally::CallPicture;
pub use timekeeper::NextTick;
pub use tuning::{TuneError, Tuning};
pub use word::PreemptionWord;
