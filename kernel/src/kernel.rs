//! The kernel value: what engines and machines call. (Signatures first; the bodies follow.)

use hallows_abi::{Error, Event, Handle, Transfer};

use crate::{CellId, Context, CoreId, Engine, HandleList, Nanos, PreemptionWord, ThreadId};

/// The kernel of one machine.
pub struct Kernel<E: Engine> {
    /// What runs the programs.
    pub engine: E,
    /// What is below.
    pub machine: E::Machine,
}

/// A message as its sender gives it.
pub struct Outgoing<'a, E: Engine> {
    /// Its bytes, in the sender's memory.
    pub bytes: E::Bytes,
    /// The capabilities that go with it.
    pub transfers: &'a [Transfer],
}
