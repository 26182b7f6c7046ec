//! What requests of `hallows lab` ask for, and what does it: the same Rust source natively (rivals) and as a WebAssembly cell (ours).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod answers;
mod operation;
mod records;
mod store;
mod times;

pub use answers::Answers;
pub use crossbeam_epoch::{Collector, Guard, LocalHandle};
pub use operation::Operation;
pub use store::{Pin, Store};
pub use times::Times;
