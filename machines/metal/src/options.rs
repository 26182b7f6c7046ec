//! The options of a boot: the words of the command line.

use core::fmt;

use crate::selftest::Breakage;

/// What the machine is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Options {
    /// Run a server and a client that calls it, end when the client has.
    Run,
    /// Check itself, print each result, end with success or failure.
    SelfTest,
    /// Break on purpose, to show that it is noticed.
    Break(Breakage),
}

/// The command line says nothing that is known.
#[derive(Clone, Copy, Debug)]
pub struct UnknownOption<'a>(&'a str);

impl fmt::Display for UnknownOption<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the command line {:?} is none of: run, selftest", self.0)?;
        Breakage::ALL.iter().try_for_each(|(name, _)| write!(formatter, ", break={name}"))
    }
}

impl Options {
    /// Reads a command line.
    ///
    /// # Errors
    /// [`UnknownOption`].
    pub fn parse(command_line: &str) -> Result<Self, UnknownOption<'_>> {
        let command_line = command_line.trim();
        match command_line {
            "run" => return Ok(Self::Run),
            "selftest" => return Ok(Self::SelfTest),
            _ => {}
        }
        command_line
            .strip_prefix("break=")
            .and_then(|name| Breakage::ALL.iter().find(|(known, _)| *known == name))
            .map(|(_, breakage)| Self::Break(*breakage))
            .ok_or(UnknownOption(command_line))
    }
}
