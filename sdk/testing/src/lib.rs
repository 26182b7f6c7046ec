//! A machine of one cell, so that programs are run by ordinary unit tests.
//!
//! ```
//! use core::time::Duration;
//! use hallows_sdk::{Deadline, Endpoint, Error, Start, println};
//! use hallows_testing::{Machine, Says};
//!
//! #[hallows_sdk::main(crate = hallows_sdk)]
//! fn greet(start: Start<'_>) -> Result<(), Error> {
//!     let greeter: Endpoint = start.grant("greeter")?;
//!     let mut reply = [0; 16];
//!     let limit = Deadline::after(Duration::from_millis(1))?;
//!     for name in start.info().arguments() {
//!         let answer = greeter.call(name.as_bytes(), &[], &mut reply, &mut [], limit)?;
//!         println!("{:?}", core::str::from_utf8(&reply[..answer.length as usize]));
//!     }
//!     Ok(())
//! }
//!
//! # fn main() {
//! let ended = Machine::new()
//!     .argument("Ada")
//!     .endpoint("greeter", |name| Says::Now([b"hello ", name].concat()))
//!     .run(|| PROGRAM.run());
//! assert_eq!(ended.log, ["Ok(\"hello Ada\")"]);
//! assert_eq!(ended.status, 0);
//! # }
//! ```
#![deny(unsafe_code)]

mod events;
mod exports;
mod kernel;
mod objects;
mod threads;

use std::time::Duration;

use hallows_sdk::abi::MAX_TRANSFERS;
use hallows_sdk::{Answer, Error, Handle, Message, Reply, Rights, Server, Token, Transfer, start_info};

use kernel::State;
use objects::{Entry, Kind, Service};

/// What a server that the test plays says to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Says {
    /// This, at once.
    Now(Vec<u8>),
    /// This, at once, with a capability of an endpoint of its own (SEND).
    With(Vec<u8>),
    /// This, after so long.
    After(Duration, Vec<u8>),
    /// Nothing, ever.
    Nothing,
    /// It did not take the message ([`Error::Busy`], [`Error::NotReady`]), or did not answer it ([`Error::ServerDied`], …).
    Fails(Error),
}

/// How a program ended, and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status, 0 if it just returned.
    pub status: u32,
    /// The lines that it wrote.
    pub log: Vec<String>,
    /// What it answered to each [`Machine::message`], in their order; `None` if it did not.
    pub answers: Vec<Option<Vec<u8>>>,
    /// How long it took, in the machine's own time: what it waited.
    pub elapsed: Duration,
    /// Capabilities that were in its space at the end, beside what it was started with.
    pub capabilities: usize,
}

/// A machine, with what its one cell is started with.
#[derive(Debug, Default)]
pub struct Machine {
    state: State,
    arguments: Vec<String>,
    grants: Vec<(String, Handle)>,
}

impl Machine {
    /// With nothing but the cell itself and its budget.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An argument more.
    #[must_use]
    pub fn argument(mut self, text: &str) -> Self {
        self.arguments.push(text.to_owned());
        self
    }

    /// An endpoint (SEND, WATCH and TRANSFER) that is granted under this name, of an active server that the test plays.
    #[must_use]
    pub fn endpoint(self, name: &str, server: impl FnMut(&[u8]) -> Says + 'static) -> Self {
        self.serve(name, Service::Active, Box::new(server))
    }

    /// The same of a passive server, to which nothing can be sent for later.
    #[must_use]
    pub fn passive(self, name: &str, server: impl FnMut(&[u8]) -> Says + 'static) -> Self {
        self.serve(name, Service::Passive, Box::new(server))
    }

    fn serve(mut self, name: &str, service: Service, server: objects::Server) -> Self {
        let object = self.state.objects.add(Kind::Endpoint { service, server: Some(server) });
        self.grant(name, object, Rights::SEND | Rights::WATCH | Rights::TRANSFER)
    }

    /// A notification (RECEIVE) that is granted under this name, and signalled with these bits at these times.
    #[must_use]
    pub fn notification(mut self, name: &str, signals: &[(Duration, u64)]) -> Self {
        let object = self.state.objects.add(Kind::Notification { bits: 0, bound: None });
        for (after, bits) in signals {
            self.state.events.signal(nanoseconds(*after), object, *bits);
        }
        self.grant(name, object, Rights::RECEIVE)
    }

    /// A message to the cell's own endpoint, at this time, from a client with badge 1.
    #[must_use]
    pub fn message(mut self, after: Duration, bytes: &[u8]) -> Self {
        self.state.events.message(nanoseconds(after), bytes, 0);
        self
    }

    /// The same with so many capabilities (of an endpoint of the client's, SEND), each of which takes a slot of the cell's space.
    #[must_use]
    pub fn message_with(mut self, after: Duration, bytes: &[u8], capabilities: usize) -> Self {
        self.state.events.message(nanoseconds(after), bytes, capabilities);
        self
    }

    /// The cell's space has room for no more than so many capabilities beside what it is started with.
    #[must_use]
    pub fn space(mut self, slots: usize) -> Self {
        self.state.objects.limit(slots);
        self
    }

    fn grant(mut self, name: &str, object: usize, rights: Rights) -> Self {
        // A new space has room.
        let handle = self.state.objects.insert(Entry { object, rights, badge: 0, parent: None });
        self.grants.push((name.to_owned(), handle));
        self
    }

    /// Runs a program on this thread, to its end: `machine.run(|| PROGRAM.run())`.
    ///
    /// # Panics
    ///
    /// If arguments and names of grants are more than a cell takes.
    pub fn run(mut self, program: impl FnOnce()) -> Ended {
        let arguments: Vec<_> = self.arguments.iter().map(String::as_str).collect();
        let grants: Vec<_> = self.grants.iter().map(|(name, handle)| (name.as_str(), *handle)).collect();
        let mut buffer = vec![0; hallows_sdk::abi::MAX_START_INFO as usize];
        match start_info::emit(&arguments, &grants, &mut buffer) {
            Ok(length) => buffer.truncate(length),
            Err(error) => panic!("the machine cannot start its cell: {error}"),
        }
        self.state.start_info = buffer;
        let outer = kernel::swap(self.state);
        program();
        let state = kernel::swap(outer);
        Ended {
            status: state.status.unwrap_or(0),
            log: state.log,
            answers: state.events.answers(),
            elapsed: Duration::from_nanos(state.now),
            // Of a space: nothing, the cell and its budget; and what was granted.
            capabilities: state.objects.capabilities() - 2 - self.grants.len(),
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Hands a message to a server as the engine does; its answer, or `None` if it answers later. The client has badge 1.
pub fn ask<S: Server>(server: &mut S, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = vec![0; S::REPLY_BYTES];
    let mut transfers = [[0; Transfer::SIZE]; MAX_TRANSFERS as usize];
    let reply = Reply::new(&mut buffer, &mut transfers);
    match server.message(Message { bytes, handles: &[], badge: 1, token: Token(0), reply }) {
        Answer::Now { bytes, .. } => Some(bytes.to_vec()),
        Answer::Later => None,
    }
}

/// Does nothing: a test that names nothing else of this crate links it by calling this.
pub const fn link() {}
