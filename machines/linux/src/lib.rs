//! The Linux machine: a machine made of Linux threads on cores and memory taken from Linux.
//!
//! [`host`] is everything that deals with Linux itself and knows neither the kernel nor the engine.

pub mod host;
