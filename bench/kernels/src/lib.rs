//! Work for the benches: the same Rust source runs as a native program (the rival) and as a WebAssembly cell (ours).
//!
//! Four kernels for `compute` (each stresses something else of a compiler and a machine) and three endless loops
//! for `preempt-remote` and `quantum`, and work of a given length for `hallows lab`. Everything is deterministic: a kernel's checksum must be equal on both
//! sides, or one of them computed something else.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod chain;
pub mod json;
pub mod memory_scan;
pub mod n_body;
mod random;
pub mod sha256;
pub mod spin;
mod workload;

pub use chain::chain;
pub use spin::{Loop, Spinner};
pub use workload::{Kernel, Workload};
