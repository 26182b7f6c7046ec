//! wasmtime's platform symbols: what it asks of an operating system, answered by our pools and the machine's platform.
//!
//! wasmtime without `std` calls these C functions by name; one set of them serves every engine of the process.

mod local;
pub(crate) mod memory;
mod sync;
mod traps;
