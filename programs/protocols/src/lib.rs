//! What the example programs say to each other, one module for each server: stubs of its interface (`wit/examples`), or messages of
//! fixed layout.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[rustfmt::skip]
pub mod bank;
pub mod bench;
#[rustfmt::skip]
pub mod calc;
pub mod checksum;
pub mod compute;
pub mod counter;
#[rustfmt::skip]
pub mod exchange;
pub mod file_drop;
#[rustfmt::skip]
pub mod tally;
pub mod work;
