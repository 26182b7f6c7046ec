//! What programs are written with.
#![no_std]
pub mod native;
