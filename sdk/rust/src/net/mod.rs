//! Sockets: TCP, UDP, pings and the addresses of names, served by a cell that has a network card (`services/net`).
//!
//! A system grants a network, usually under the name `net`; its badge says which ports may be listened on and which destinations reached. All
//! that waits is async, may be given up at any time without anything being lost, and so has the deadline that
//! [`Events::with_deadline`](crate::task::Events::with_deadline) gives it:
//!
//! ```no_run
//! use core::time::Duration;
//! use hallows_sdk::net::{Network, Problem};
//! use hallows_sdk::task::{Events, scope};
//! use hallows_sdk::{Deadline, Error, Start, println};
//!
//! #[hallows_sdk::main(crate = hallows_sdk)]
//! async fn greet(start: Start<'_>, events: &Events) -> Result<(), Error> {
//!     let network = Network::granted(&start, "net", events)?;
//!     match serve(&network, events).await {
//!         Ok(()) => Ok(()),
//!         Err(problem) => {
//!             println!("{problem}");
//!             Err(problem.into())
//!         }
//!     }
//! }
//!
//! async fn serve(network: &Network<'_>, events: &Events) -> Result<(), Problem> {
//!     let mut listener = network.listen(7, 16)?;
//!     loop {
//!         let (mut stream, peer) = listener.accept().await?;
//!         let mut bytes = [0; 512];
//!         let patience = Deadline::after(Duration::from_secs(10))?;
//!         let read = events.with_deadline(patience, stream.read(&mut bytes)).await??;
//!         println!("{peer} says {read} bytes");
//!         stream.write_all(b"hello\n").await?;
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! When the service ends, every socket is [`Problem::Lost`]: connections are reset, and whoever listens listens anew when it runs again
//! ([`Network::renew`]).

#[cfg(feature = "task")]
mod bell;
#[cfg(feature = "task")]
mod datagrams;
#[cfg(feature = "task")]
mod echoes;
#[cfg(feature = "task")]
mod listener;
#[cfg(feature = "task")]
mod lookup;
#[cfg(feature = "task")]
mod network;
#[cfg(feature = "task")]
mod parts;
mod place;
#[cfg(feature = "task")]
mod problem;
#[rustfmt::skip]
pub mod protocol;
#[cfg(feature = "task")]
pub mod rules;
#[cfg(feature = "task")]
mod stream;

#[cfg(feature = "task")]
pub use datagrams::UdpSocket;
#[cfg(feature = "task")]
pub use echoes::Echoes;
#[cfg(feature = "task")]
pub use listener::TcpListener;
#[cfg(feature = "task")]
pub use network::Network;
#[cfg(feature = "task")]
pub use problem::Problem;
#[cfg(feature = "task")]
pub use stream::TcpStream;

/// The bit of a socket's bell that says: there is something to read or to accept, or nothing more will come.
pub const READABLE: u64 = 8;
/// The bit that says: bytes are taken again, or never will be.
pub const WRITABLE: u64 = 16;
