//! TCP/IP in user space: whole frames over the ring of a network card on one side, sockets for other cells on the other.
//!
//! The protocols are smoltcp's. What is ours: the ring (`link`), who may do what (the SDK's `net::rules`), sockets as capabilities (`sockets`), what DHCP
//! gives (`lease`), and when all of it is looked at (`server`). Serves one endpoint, actively: the interface `net`.
//!
//! Granted: `card`, a packet device (SEND and WATCH). Arguments: `address=ADDRESS/PREFIX` (several), `address=dhcp`, `gateway=ADDRESS` (one of
//! each version), `dns=ADDRESS` (several), `allow=BADGE listen=PORTS connect=DESTINATIONS see=all` (several).
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod lease;
mod link;
mod server;
mod settings;
mod sockets;
mod way;
#[cfg(test)]
mod whole;

pub use server::Net;
#[cfg(not(target_arch = "wasm32"))]
pub use server::PROGRAM;
