//! The Linux machine: a machine made of Linux threads on cores and memory taken from Linux.
//!
//! [`host`] is everything that deals with Linux itself and knows neither the kernel nor the engine; [`platform`] is Linux as the
//! engine needs it; [`machine`] is the kernel and the engine on threads; [`services`] are native programs over what Linux has.

pub mod host;
pub mod machine;
pub mod platform;
pub mod services;
