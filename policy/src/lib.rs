//! Scheduling policies in WebAssembly: verified to end, translated once, run in the kernel.
//!
//! Problem: a policy is asked at every wake-up, on all cores and by the timekeeper at the same time. It has to answer in nanoseconds and must never keep a
//! core, and whoever wrote it need not be somebody whom a user trusts with the kernel. Rule: a policy only computes. It has no loop, no recursion and no more
//! than [`MOST_STEPS`] steps, writes nothing and calls nobody; [`Module::verify`] refuses everything else, with the instruction and the reason.
//! Consequence: what it can do wrong is to answer badly, and what it costs is known before it runs.
//!
//! - [`Module::verify`] reads a module (`sections`), follows what `order` and `quantum_ns` reach, and translates that into steps on registers (`translate`):
//!   calls are inlined, and every step goes forward.
//! - [`Function::run`] is a loop over those steps (`function`), without allocation and without a state of its own, so that any number of cores run it at once.
//! - [`WasmPolicy`] is a module as the kernel's [`Policy`](hallows_kernel::Policy).
//!
//! How to write one: `docs/policies.md`. Why it is interpreted: `docs/decisions/0023-policies-in-webassembly-are-verified-and-interpreted.md`.
//!
//! Sources: programs that are verified to end before a kernel takes them are eBPF's (its verifier allowed no jump backwards before Linux 5.3); registers
//! in place of a stack are faster for interpreters (Shi et al., "Virtual machine showdown: stack versus registers", VEE 2005).
#![no_std]
#![forbid(unsafe_code)]
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::cast_possible_truncation)]

extern crate alloc;

mod builder;
mod decode;
mod function;
mod image;
mod input;
mod module;
mod names;
mod policy;
mod refusal;
mod sections;
mod step;
mod translate;

pub use function::{Function, MayTrap, Trap};
pub use input::{Input, Seen};
pub use module::Module;
pub use policy::WasmPolicy;
pub use refusal::{Reason, Refusal};

/// The module name that a policy imports what it looks at from.
pub const IMPORT_MODULE: &str = "candidate";
/// The export that says where a thread is put.
pub const ORDER: &str = "order";
/// The export that says for how long a thread runs.
pub const QUANTUM_NS: &str = "quantum_ns";

/// Bytes of a module: many times what a policy has, and little enough to be read at once. Debugging sections make modules large.
pub const LARGEST_MODULE_BYTES: usize = 1 << 20;
/// Steps of the longest way through a function: a microsecond or so, on the path of every wake-up.
pub const MOST_STEPS: u32 = 256;
/// Steps of all ways through a function together: a jump over all of them fits into 16 bits.
pub const MOST_STEPS_TOGETHER: usize = 4_096;
/// Registers of a function: values that are there at the same time, locals of all functions that it calls, constants. Eight bits name one.
pub const MOST_REGISTERS: usize = 256;
/// Instructions that are read for one function, each as often as it is inlined. This bounds the time of the verifier.
pub const MOST_INSTRUCTIONS: u32 = 65_536;
/// Calls inside of each other.
pub const DEEPEST_CALLS: usize = 32;
/// Bytes between a module's first constant in memory and the end of its last one.
pub const MOST_CONSTANT_BYTES: usize = 64 << 10;
