//! Why the command did not do what was asked: one message, perhaps a help, and an exit code.

use std::fmt;

use crate::system::Problem;

/// Wrong options or a wrong description: the user can mend it.
pub const USAGE: u8 = 64;
/// Something that should not happen, or that the host refused.
pub const SOFTWARE: u8 = 70;

/// A failure for people.
pub struct Failure {
    report: miette::Report,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    /// The user asked for something that there is not.
    #[must_use]
    pub fn usage(message: impl fmt::Display) -> Self {
        Self { report: miette::Report::msg(message.to_string()), code: USAGE }
    }

    /// Something else went wrong.
    #[must_use]
    pub fn other(code: u8, message: impl fmt::Display) -> Self {
        Self { report: miette::Report::msg(message.to_string()), code }
    }

    /// A system description is wrong.
    #[must_use]
    pub fn system(problem: Problem) -> Self {
        Self { report: miette::Report::new(problem), code: USAGE }
    }

    /// Prints it.
    pub fn print(&self) {
        eprintln!("{:?}", self.report);
    }
}
