//! What can go wrong with a socket.

use core::fmt;

use super::protocol::Refusal;
use crate::Error;

/// Why a socket did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The service says so.
    Refused(Refusal),
    /// The service has ended, and with it every connection and every port.
    Lost,
    /// A call of the kernel failed.
    Call(Error),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            // The service's: it does not run, or runs anew and has nothing of this.
            Error::ServerDied | Error::NotReady | Error::Gone => Self::Lost,
            error => Self::Call(error),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// For functions that end with the kernel's errors.
impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Refused(Refusal::NotPermitted) => Self::NoRight,
            Problem::Refused(Refusal::TooLong) => Self::TooLong,
            Problem::Refused(Refusal::Invalid) => Self::BadArgument,
            Problem::Refused(_) => Self::Refused,
            Problem::Lost => Self::ServerDied,
            Problem::Call(error) => error,
        }
    }
}

impl fmt::Display for Problem {
    /// What it means, and what to do.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Refused(refusal) => match refusal {
                Refusal::NotPermitted => {
                    "the system does not allow this port or this destination (say so in an allow= of the network service)"
                }
                Refusal::InUse => "the port is in use (take another one, or end who has it)",
                Refusal::Reset => {
                    "the connection was refused or reset, or nothing was heard of the other end"
                }
                Refusal::Unreachable => {
                    "there is no way to this address from here (give the network service an address or a gateway)"
                }
                Refusal::Finished => "this end of the connection was finished before",
                Refusal::NotNow => "not now",
                Refusal::Full => "the network service has no room for one more socket",
                Refusal::TooLong => "a datagram has at most some 65,000 bytes",
                Refusal::Invalid => "this is no address, port or name that anything can be sent to",
                Refusal::NoServer => {
                    "no server of names is known (say dns= or address=dhcp to the network service)"
                }
                Refusal::NoAddress => "the server of names knows no address of this one",
                Refusal::NoAnswer => "no server of names has answered in time",
            },
            Self::Lost => "the network service has ended (open the sockets anew when it runs again)",
            Self::Call(error) => return error.fmt(formatter),
        };
        formatter.write_str(text)
    }
}

impl core::error::Error for Problem {}
