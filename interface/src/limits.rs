//! How large interfaces may be: few lines of WIT can stand for endless types, and a chain of interfaces for an endless stack.

use std::cell::Cell;

use crate::Problem;

/// Types can double with every line of their definition; a hundred thousand parts are more than anybody writes by hand.
pub const MOST_PARTS: usize = 100_000;

/// Bytes of names and comments, of all interfaces that are asked for at once and of those that they use. They are written out with
/// their types: a long list of cases that a type has in many places is there as often.
pub const MOST_BYTES: usize = 16 << 20;

/// What each part counts beside its names: about what it takes in the canonical form and in memory.
const PART_BYTES: usize = 64;

/// Types nest; deeper than that nobody thinks, and everything that walks a type does so on its stack.
pub const MOST_DEPTH: usize = 100;

/// Interfaces that use resources of each other, one behind the other: each needs the next one's hash first.
pub const MOST_CHAIN: usize = 100;

/// Flags are one number of at most four bytes.
pub const MOST_FLAGS: usize = 32;

/// The number of a case has two bytes.
pub const MOST_CASES: usize = 1 << 16;

/// How many bytes were collected for one request.
#[derive(Debug, Default)]
pub struct Bytes(Cell<usize>);

impl Bytes {
    /// Counts a part with its names and comments, before any of it is collected.
    ///
    /// # Errors
    ///
    /// [`Problem::TooLong`] of this interface.
    pub fn charge(&self, interface: &str, texts: &[&str]) -> Result<(), Problem> {
        let bytes = texts.iter().fold(PART_BYTES, |sum, text| sum.saturating_add(text.len()));
        self.0.set(self.0.get().saturating_add(bytes));
        if self.0.get() > MOST_BYTES {
            return Err(Problem::TooLong { interface: interface.to_owned(), most: MOST_BYTES });
        }
        Ok(())
    }
}
