//! One line of the table of benches: what is measured, by whom, and what must be reached.

use std::time::Duration;

use crate::contestant::Contestant;
use crate::published::Published;
use crate::requirement::Requirement;
use crate::samples::Unit;
use crate::turn::Sampling;

/// A contestant that may borrow what its owner keeps alive.
pub type BoxedContestant<'a> = Box<dyn Contestant + 'a>;

/// One measured thing and everything that a report says about it.
pub struct Bench<'a> {
    /// The name by which `hallows bench NAME` selects it. Several variants may share it.
    pub name: &'static str,
    /// Which of the name's figures this is, where there are several.
    pub variant: Option<&'static str>,
    /// One operation, in a sentence.
    pub what: &'static str,
    /// What the figures count.
    pub unit: Unit,
    /// How operations become samples.
    pub sampling: Sampling,
    /// How long one turn of one contestant measures.
    pub turn_budget: Duration,
    /// How many samples of a turn are enough.
    pub sample_limit: usize,
    /// How many turns everybody has.
    pub rounds: u32,
    /// What is and what is not on the measured path.
    pub path: &'static str,
    /// Why the rivals cost what they cost; printed if ours wins by more than ten times.
    pub why_rival_is_slow: &'static str,
    /// What must hold.
    pub requirements: Vec<Requirement>,
    /// Figures of other systems on other machines.
    pub published: &'static [Published],
    /// Our own contestant, if it has been given.
    pub ours: Option<BoxedContestant<'a>>,
    /// The rivals, in the order of their turns.
    pub rivals: Vec<BoxedContestant<'a>>,
}

impl Bench<'_> {
    /// `cross-core-call/parked`, or the name alone.
    #[must_use]
    pub fn title(&self) -> String {
        self.variant.map_or_else(|| self.name.to_owned(), |variant| format!("{}/{variant}", self.name))
    }
}
