//! Requests that come over sockets when it was decided, whatever becomes of those before them; and the servers that they are sent to.
//!
//! [`generate`] is the generator: one thread, non-blocking connections, an open loop. A latency counts from the time at which its request was due, so
//! who falls behind is not measured only while it keeps up (coordinated omission; Tene, "How NOT to Measure Latency", 2013). Every answer is
//! compared with what is right, byte by byte. How late the generator was itself is part of what it tells, and who was measured by a late one is
//! told so.
#![forbid(unsafe_code)]

mod arrivals;
mod client;
mod connection;
pub mod data;
pub mod duration;
mod error;
mod generator;
mod load;
pub mod percentiles;
mod process_time;
mod protocol;
mod server;

pub use arrivals::{Arrivals, NoSuchArrivals};
pub use client::Client;
pub use data::Data;
pub use error::LoadError;
pub use generator::{Measured, generate};
pub use load::{Class, Load, Pace, Request, Waiting};
pub use process_time::{ProcessTime, Spent};
pub use protocol::Protocol;
pub use server::{Running, Server, free_port, installed};
