//! Who takes part: ours and the rivals alike.

use serde::Serialize;

use crate::bench::BoxedContestant;
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// What a report says about a contestant beside its figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Its name in the table of benches.
    pub name: String,
    /// How it is set up and tuned: enough to do the same again.
    pub configuration: String,
    /// Cores that are busy for it while it is measured, helpers like a timekeeper counted.
    pub cores_used: u32,
}

/// One way to do what a bench measures.
///
/// Between its turns a contestant must not run: the others use the same cores. What it needs only once (a process, a
/// booted machine, a compiled program) it may make in its first turn and keep.
pub trait Contestant {
    /// Name, configuration and cores.
    fn describe(&self) -> Description;

    /// Measures for one turn. Set-up and warm-up are not part of the samples.
    ///
    /// # Errors
    /// Why there is no figure; the contestant then sits out the rest of the run.
    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError>;

    /// What its turns have shown beside the figures, in a sentence.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// A contestant made of a description and a closure.
pub struct FromClosure<F> {
    description: Description,
    turn: F,
}

impl<F: FnMut(&Turn<'_>) -> Result<Samples, BenchError>> FromClosure<F> {
    /// A contestant that measures with `turn`.
    pub fn new(name: &str, configuration: impl Into<String>, cores_used: u32, turn: F) -> Self {
        let description =
            Description { name: name.to_owned(), configuration: configuration.into(), cores_used };
        Self { description, turn }
    }
}

impl<F: FnMut(&Turn<'_>) -> Result<Samples, BenchError>> Contestant for FromClosure<F> {
    fn describe(&self) -> Description {
        self.description.clone()
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        (self.turn)(turn)
    }
}

/// Another contestant under a name of its own: ours beside ours.
pub struct Renamed<'a> {
    name: &'static str,
    contestant: BoxedContestant<'a>,
}

impl<'a> Renamed<'a> {
    /// The contestant under this name.
    pub fn new(name: &'static str, contestant: BoxedContestant<'a>) -> Self {
        Self { name, contestant }
    }
}

impl Contestant for Renamed<'_> {
    fn describe(&self) -> Description {
        Description { name: self.name.to_owned(), ..self.contestant.describe() }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        self.contestant.turn(turn)
    }

    fn remark(&self) -> Option<String> {
        self.contestant.remark()
    }
}
