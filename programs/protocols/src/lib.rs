//! What the example programs say to each other: messages of fixed layout, one module for each server.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod bench;
pub mod calculator;
pub mod compute;
pub mod counter;
pub mod file_drop;
pub mod work;
