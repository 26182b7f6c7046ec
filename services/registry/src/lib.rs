//! Says who serves which interface, while programs run.
//!
//! [`Policy`] is what the system says, [`Directory`] what is provided; both are plain data. The program around them ([`Registry`]) holds the
//! endpoints' capabilities, and makes those that clients get.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod badge;
mod directory;
mod policy;
mod server;
#[cfg(test)]
mod tests;

pub use badge::{Badge, Life};
pub use directory::{Directory, Provided, SpaceId};
pub use policy::{Client, Policy, PolicyError, Rule};
#[cfg(not(target_arch = "wasm32"))]
pub use server::PROGRAM;
pub use server::Registry;
