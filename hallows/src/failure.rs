//! Why the command did not do what was asked: one message, perhaps a help, and an exit code.

use std::convert::Infallible;
use std::fmt;
use std::io::Write;

use crate::system::Problem;

/// Wrong options or a wrong description: the user can mend it.
pub const USAGE: u8 = 64;
/// Something that should not happen, or that the host refused.
pub const SOFTWARE: u8 = 70;

/// A failure for people.
#[derive(Debug)]
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

    /// [`Failure::usage`], with what to do about it.
    #[must_use]
    pub fn usage_with_help(message: impl fmt::Display, help: &str) -> Self {
        Self {
            report: miette::MietteDiagnostic::new(message.to_string()).with_help(help).into(),
            code: USAGE,
        }
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

    /// It in one sentence.
    #[must_use]
    pub fn message(&self) -> String {
        self.report.to_string()
    }

    /// All of it.
    #[must_use]
    pub const fn report(&self) -> &miette::Report {
        &self.report
    }

    /// Prints it. Where nobody takes it (a terminal that is gone), it is lost: that must not end who has something to put back.
    pub fn print(&self) {
        let _ = writeln!(std::io::stderr(), "{:?}", self.report);
    }
}

/// Of what cannot fail.
impl From<Infallible> for Failure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.report)
    }
}
