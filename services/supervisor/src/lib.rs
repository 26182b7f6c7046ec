//! Restarts cells that end, by policy: a minimum run time, a growing pause, an end of patience, and dependents who are told.
//!
//! [`Policy`] says what is wanted, [`Life`] decides for one cell, [`Roster`] for all of them; all three are pure. The
//! program around them ([`Supervisor`]) holds the cells and their fault endpoint, and does what was decided.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod life;
mod policy;
mod roster;
mod server;
mod wish;

pub use life::{Asked, End, Life, Verdict};
pub use policy::{Policy, PolicyError, Restart, Ward};
pub use roster::{Roster, Standing};
pub use server::{PROGRAM, Supervisor};
pub use wish::{OPERATOR, Wish};
