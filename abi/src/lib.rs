//! What programs and kernel agree on.
#![no_std]
#![forbid(unsafe_code)]
