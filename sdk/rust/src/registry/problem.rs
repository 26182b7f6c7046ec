//! Why a registry did not do something.

use core::fmt;

use super::protocol::Refusal;
use crate::program::Ending;
use crate::stub::Interface;
use crate::{Error, log};

/// Why a registry did not do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The registry was not reached, or did not answer.
    Call(Error),
    /// It refused.
    Refused {
        /// What the interface that was asked for is called; nothing if none was.
        interface: &'static str,
        /// Why.
        refusal: Refusal,
    },
}

impl Problem {
    /// The result of a call that was about an interface.
    pub(super) fn of<I: Interface, T>(answer: Result<Result<T, Refusal>, Error>) -> Result<T, Self> {
        answer?.map_err(|refusal| Self::Refused { interface: I::NAME, refusal })
    }
}

impl Problem {
    /// Says itself in the log; the error to end with, for who can give back no other: that of the call, or [`Error::Refused`].
    #[must_use]
    pub fn logged(self) -> Error {
        match self {
            Self::Call(error) => error,
            Self::Refused { .. } => {
                log!("{self}");
                Error::Refused
            }
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl Refusal {
    /// What it means, and what to do.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Nobody => "nobody provides it here (a cell of the system must, under `provides`)",
            Self::Taken => "somebody else provides it (withdraw that, or come after it with `succeed`)",
            Self::NotPermitted => {
                "the system does not say that this cell provides it (`provides` in its description)"
            }
            Self::Unfit => {
                "what was provided is no endpoint that is there and may be called, watched and passed on"
            }
            Self::BadName => "a name has 1 to 64 of a to z, 0 to 9, and -",
            Self::Full => {
                "there is no room for one more (close or withdraw something; the registry's `slots`)"
            }
            Self::TooDeep => "no namespace can be below this one",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => write!(formatter, "the registry: {error}"),
            Self::Refused { interface: "", refusal } => {
                write!(formatter, "the registry: {}", refusal.message())
            }
            Self::Refused { interface, refusal } => {
                write!(formatter, "the interface `{interface}`: {}", refusal.message())
            }
        }
    }
}

impl core::error::Error for Problem {}

impl<E: Ending> Ending for Result<E, Problem> {
    fn status(self) -> u32 {
        match self {
            Ok(ending) => ending.status(),
            Err(Problem::Call(error)) => Err::<E, _>(error).status(),
            Err(problem) => {
                log!("ends with an error: {problem}");
                1
            }
        }
    }
}
