//! Work for the benches: the same Rust source runs as a native program (the rival) and as a WebAssembly cell (ours).
//!
//! Kernels for `compute` and `preemption-loss` (each stresses something else of a compiler and a machine) and three endless loops
//! for `preempt-remote` and `quantum`, the work of `wakeup`, work of a given length for `hallows lab`, and the periodic program of `jitter`. Kernels are
//! deterministic: a checksum must be equal on both sides, or one of them computed something else.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod chain;
pub mod hash_table;
pub mod histogram;
pub mod json;
pub mod matrices;
pub mod memory_scan;
pub mod n_body;
pub mod periodic;
mod random;
pub mod sha256;
pub mod spin;
mod workload;

pub use chain::chain;
pub use histogram::Histogram;
pub use matrices::Matrices;
pub use periodic::{Periods, Record};
pub use spin::{Loop, Spinner};
pub use workload::{Kernel, Workload};
