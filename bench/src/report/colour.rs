//! Colour on a terminal, and nowhere else.

use std::io::IsTerminal;

/// Whether a report may use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Escape sequences for a terminal.
    On,
    /// Plain text.
    Off,
}

impl Colour {
    /// On if standard output is a terminal and the user has not said otherwise (`NO_COLOR`, no-color.org).
    #[must_use]
    pub fn for_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
        if std::io::stdout().is_terminal() && !refused { Self::On } else { Self::Off }
    }

    /// A text in a colour, one of this module's.
    #[must_use]
    pub fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::On => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

/// What stands out.
pub const BOLD: &str = "1";
/// What may be passed over.
pub const DIM: &str = "2";
/// What is wrong.
pub const RED: &str = "31";
/// What is well.
pub const GREEN: &str = "32";
/// What deserves a look.
pub const YELLOW: &str = "33";
