//! Felix Felicis: sets the scheduler's times from what it sees of a server's calls, for an objective: `p99.9 < 50us` or `throughput`.
//!
//! The search ([`Tuner`]) is plain data that knows no clock: what was seen in a window comes in, what the times are to be in the next one comes out.
//! The program around it asks the machine (interface `tuning`), and says in the log what it changes and why.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod objective;
mod program;
mod tuner;
mod verdict;
mod window;

pub use objective::{ALL, NoObjective, Ns, Objective};
#[cfg(not(target_arch = "wasm32"))]
pub use program::PROGRAM;
pub use program::{LENDING_NS, QUANTA_NS};
pub use tuner::{Change, Knob, Tuner};
pub use verdict::{Pairs, Verdict, Why, compare, is_kept};
pub use window::Window;
