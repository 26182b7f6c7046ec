//! Where an artefact goes.
use std::{convert::Infallible, io};

/// Takes an artefact, part by part, as it is read or made.
pub trait Sink {
    /// Why it does not take more.
    type Error;

    /// Takes the bytes that come next.
    ///
    /// # Errors
    /// There is no room.
    fn put(&mut self, part: &[u8]) -> Result<(), Self::Error>;

    /// Forgets what this artefact has put: it was no good, and another one comes.
    ///
    /// # Errors
    /// It cannot.
    fn take_back(&mut self) -> Result<(), Self::Error>;
}

/// For one artefact.
impl Sink for Vec<u8> {
    type Error = Infallible;

    fn put(&mut self, part: &[u8]) -> Result<(), Infallible> {
        self.extend_from_slice(part);
        Ok(())
    }

    fn take_back(&mut self) -> Result<(), Infallible> {
        self.clear();
        Ok(())
    }
}

/// Why an artefact did not get there.
#[derive(Debug)]
pub enum Undelivered<E> {
    /// It was not made.
    Compile(crate::CompileError),
    /// It was not taken.
    Sink(E),
}

impl<E> From<crate::CompileError> for Undelivered<E> {
    fn from(error: crate::CompileError) -> Self {
        Self::Compile(error)
    }
}

/// What reading and passing on can end with.
pub(crate) enum Broken<E> {
    /// The entry is no good, or cannot be read.
    Entry,
    /// It was not taken.
    Sink(E),
}

impl<E> From<io::Error> for Broken<E> {
    fn from(_: io::Error) -> Self {
        Self::Entry
    }
}
