//! Why a ring gives nothing any more.

use core::fmt;

use hallows_abi::Error;
use hallows_abi::ring::{BadLayout, Broken, Refused};

/// Why a ring gives nothing any more, or did not come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer broke it.
    Broken(Broken),
    /// The peer has closed it.
    Closed,
    /// What was offered is no ring.
    Layout(BadLayout),
    /// There is no room now: take completions first.
    Full,
    /// A call of the kernel failed.
    Call(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl From<BadLayout> for Failure {
    fn from(bad: BadLayout) -> Self {
        Self::Layout(bad)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full => Self::Full,
            Refused::NothingTaken => Self::Call(Error::BadState),
            Refused::Broken(broken) => Self::Broken(broken),
        }
    }
}

/// For functions that end with the kernel's errors.
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Broken(_) | Failure::Layout(_) => Self::Refused,
            Failure::Closed => Self::Gone,
            Failure::Full => Self::Busy,
            Failure::Call(error) => error,
        }
    }
}

impl fmt::Display for Failure {
    /// What it means, and what to do.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(broken) => broken.fmt(formatter),
            Self::Closed => {
                formatter.write_str("the peer closed the ring (make another one if it is needed)")
            }
            Self::Layout(bad) => bad.fmt(formatter),
            Self::Full => Refused::Full.fmt(formatter),
            Self::Call(error) => error.fmt(formatter),
        }
    }
}

impl core::error::Error for Failure {}
