//! Stubs of the system's own interfaces, one module for each file of `wit/system`, and of the kernel's ([`kernel`]).
//!
//! All of it is made by `hallows interface stubs`; a test of `hallows-interface` says when it is not what would be made today.
#![no_std]
#![forbid(unsafe_code)]

#[rustfmt::skip]
pub mod clock;
#[rustfmt::skip]
pub mod console;
#[rustfmt::skip]
pub mod files;
#[rustfmt::skip]
pub mod invocation;
pub mod kernel;
#[rustfmt::skip]
pub mod machine;
#[rustfmt::skip]
pub mod random;
#[rustfmt::skip]
pub mod tuning;
