//! What simulated programs are: mains and reactors written as closures.

use std::rc::Rc;

use hallows_abi::{Error, EventKind, FaultKind, Handle, Transfer};

use crate::Process;

/// Why a program stops before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A call of the kernel said so: unwind.
    Killed,
    /// The program faults.
    Fault(FaultKind),
}

impl From<Error> for Halt {
    /// An error that a program did not expect is its panic.
    fn from(error: Error) -> Self {
        if error == Error::Killed { Self::Killed } else { Self::Fault(FaultKind::Unreachable) }
    }
}

/// How a program ends.
pub type Ending = Result<(), Halt>;

/// An event, with its bytes and handles taken out of the cell's memory.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// What happened.
    pub kind: EventKind,
    /// The error of an answer, or `SpaceFull`.
    pub status: Option<Error>,
    /// The badge.
    pub badge: u64,
    /// What to answer with, or which answer it is; 0 for a protected call.
    pub token: u64,
    /// A notification's bits.
    pub value: u64,
    /// The longest answer that the sender takes.
    pub room: u32,
    /// The message or answer.
    pub bytes: Vec<u8>,
    /// The capabilities that came with it.
    pub handles: Vec<Handle>,
}

/// What a reactor's handler gives back.
#[derive(Clone, Debug)]
pub enum Response {
    /// The answer of a message.
    Answer(Vec<u8>, Vec<Transfer>),
    /// Nothing now: it is answered later with [`Process::answer`], or it was no message.
    Deferred,
}

impl Response {
    /// An answer without capabilities.
    #[must_use]
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Answer(bytes.into(), Vec::new())
    }
}

/// The event handler of one life of a reactor, with its state.
pub type Handler = Box<dyn FnMut(&mut Process<'_>, Incoming) -> Result<Response, Halt>>;

/// A reactor's init function.
pub type Init = dyn Fn(&mut Process<'_>) -> Result<Handler, Halt>;

/// The code of a program.
#[derive(Clone)]
pub enum Code {
    /// Has its own loop.
    Main(Rc<dyn Fn(&mut Process<'_>) -> Ending>),
    /// Its init function, which makes the handler.
    Reactor(Rc<Init>),
}
