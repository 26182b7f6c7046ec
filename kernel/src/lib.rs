//! The capability microkernel.
#![no_std]
#![forbid(unsafe_code)]
