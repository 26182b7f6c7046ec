//! Why a call did not do what was asked: every error that a program can see.

/// An error of a call. On the wire it is the negative of its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Error {
    /// The handle names no capability: never given, deleted, or of an earlier use of its slot.
    BadHandle = 1,
    /// The capability was revoked while the message was on its way.
    Revoked = 2,
    /// The capability lacks the right that the call needs.
    NoRight = 3,
    /// The object is of a kind that does not take this operation.
    WrongObject = 4,
    /// The operation's number is unknown.
    UnknownOperation = 5,
    /// An argument is outside of what the operation takes.
    BadArgument = 6,
    /// A span lies outside of the caller's memory or is misaligned.
    BadSpan = 7,
    /// A message is longer than [`crate::MAX_MESSAGE`], or has more than [`crate::MAX_TRANSFERS`] capabilities.
    TooLong = 8,
    /// The answer is longer than the room that was given for it; it is lost.
    AnswerTooLong = 9,
    /// The queue or the sender's quota is full. Nothing was sent; a room notification tells when to try again.
    Busy = 10,
    /// The deadline came first. Nothing more comes of the message.
    DeadlinePassed = 11,
    /// The call would go back into a server that is already on this chain of calls.
    Deadlock = 12,
    /// The chain of protected calls, or the stack under it, is too deep for one more.
    TooDeep = 13,
    /// The cell that should have answered died or was restarted; the message may or may not have had an effect.
    ServerDied = 14,
    /// The object is gone.
    Gone = 15,
    /// The calling cell is being killed: unwind.
    Killed = 16,
    /// The token names no message that this cell has received and not answered.
    BadToken = 17,
    /// The capability space has no free slot.
    SpaceFull = 18,
    /// The memory budget is exhausted.
    BudgetExhausted = 19,
    /// The kernel's table of this kind of object is full.
    TableFull = 20,
    /// A passive server's handler may not wait or call active servers.
    NotInHandler = 21,
    /// Nothing is bound to this cell and nothing is outstanding: the wait could never end.
    NothingToWaitFor = 22,
    /// The cell is not in a state that allows this (already started, not started, dead).
    BadState = 23,
    /// The program could not be started (see the fault message for the reason).
    StartFailed = 24,
    /// The server's cell is not running: not started yet, or being restarted.
    NotReady = 25,
    /// The server refused the message: the answer is its own error.
    Refused = 26,
    /// The machine cannot do this (a region where the machine maps none, …).
    Unsupported = 27,
}

impl Error {
    /// Every error, in the order of their numbers.
    pub const ALL: [Self; 27] = [
        Self::BadHandle,
        Self::Revoked,
        Self::NoRight,
        Self::WrongObject,
        Self::UnknownOperation,
        Self::BadArgument,
        Self::BadSpan,
        Self::TooLong,
        Self::AnswerTooLong,
        Self::Busy,
        Self::DeadlinePassed,
        Self::Deadlock,
        Self::TooDeep,
        Self::ServerDied,
        Self::Gone,
        Self::Killed,
        Self::BadToken,
        Self::SpaceFull,
        Self::BudgetExhausted,
        Self::TableFull,
        Self::NotInHandler,
        Self::NothingToWaitFor,
        Self::BadState,
        Self::StartFailed,
        Self::NotReady,
        Self::Refused,
        Self::Unsupported,
    ];

    /// The error of this number, if there is one.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// The number, from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// What happened, in a few words for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::BadHandle => "no such capability",
            Self::Revoked => "the capability was revoked",
            Self::NoRight => "the capability lacks the right",
            Self::WrongObject => "not an operation of this kind of object",
            Self::UnknownOperation => "unknown operation",
            Self::BadArgument => "bad argument",
            Self::BadSpan => "memory span out of bounds",
            Self::TooLong => "message too long",
            Self::AnswerTooLong => "answer longer than its room",
            Self::Busy => "queue full",
            Self::DeadlinePassed => "deadline passed",
            Self::Deadlock => "call back into a server on the chain",
            Self::TooDeep => "chain of calls too deep",
            Self::ServerDied => "the server died",
            Self::Gone => "the object is gone",
            Self::Killed => "the caller is being killed",
            Self::BadToken => "no such message to answer",
            Self::SpaceFull => "capability space full",
            Self::BudgetExhausted => "memory budget exhausted",
            Self::TableFull => "kernel table full",
            Self::NotInHandler => "not allowed in a passive handler",
            Self::NothingToWaitFor => "nothing to wait for",
            Self::BadState => "the cell's state does not allow this",
            Self::StartFailed => "the program could not be started",
            Self::NotReady => "the server is not running",
            Self::Refused => "the server refused",
            Self::Unsupported => "not supported by this machine",
        }
    }

    /// What to do about it, in one sentence for people who write programs.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::BadHandle => {
                "use the handle that the operation returned, and look for a copy that outlived its capability"
            }
            Self::Revoked => "whoever gave it took it back: stop using it, or ask for it again",
            Self::NoRight => {
                "grant the right (in a system description: rights = […]), or ask its giver for it"
            }
            Self::WrongObject => {
                "`Object::identify` says what the handle names; passive endpoints take `call` only"
            }
            Self::UnknownOperation => {
                "the server or kernel does not know it: use the interface that it serves"
            }
            Self::BadArgument => "compare the arguments with what the operation takes",
            Self::BadSpan => "keep slices inside of memory that may be written",
            Self::TooLong => "send less at a time, give the receiver a larger inbox, or share a region",
            Self::AnswerTooLong => "give the answer more room, and ask again if that is harmless",
            Self::Busy => {
                "nothing was sent: wait for an answer or for the endpoint's room signal, then send again"
            }
            Self::DeadlinePassed => {
                "it may have had an effect: try again if that is harmless, or allow more time"
            }
            Self::Deadlock => "change who calls whom, or serve one of them actively",
            Self::TooDeep => "serve one of the servers actively, or derive from the original capability",
            Self::ServerDied => {
                "it may have had an effect: wait until the server runs again (`Connection`), then ask"
            }
            Self::Gone => "there is nothing to wait for: do without it, or end",
            Self::Killed => "return from all functions at once",
            Self::BadToken => "a message is answered once, and only while its sender waits: forget the token",
            Self::SpaceFull => "delete capabilities that are not used, or give the cell more `slots`",
            Self::BudgetExhausted => "destroy objects that are not used, or give the cell more `memory`",
            Self::TableFull => "destroy objects that are not used",
            Self::NotInHandler => {
                "serve it actively (in a system description: serves = { NAME = \"active\" })"
            }
            Self::NothingToWaitFor => {
                "bind a notification, send a message, serve an endpoint, or wait with a deadline"
            }
            Self::BadState => "it was done already, or something must be done before",
            Self::StartFailed => "read the fault report of its cell",
            Self::NotReady => {
                "nothing was done: wait until the server runs (`Connection` does), then call again"
            }
            Self::Refused => "the server's interface says which requests it takes",
            Self::Unsupported => "do without it on this machine",
        }
    }
}

impl core::fmt::Display for Error {
    /// What it means, and what to do. [`Error::message`] is the first half alone.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "{} ({})", self.message(), self.advice())
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn every_error_says_what_it_means_and_what_to_do() {
        let mut texts: std::vec::Vec<_> = Error::ALL.iter().map(std::string::ToString::to_string).collect();
        for (error, text) in Error::ALL.iter().zip(&texts) {
            assert!(text.starts_with(error.message()) && text.contains(error.advice()), "{text}");
            assert!(error.advice().len() > 10, "{text}");
        }
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), Error::ALL.len(), "two errors say the same");
    }

    #[test]
    fn every_number_names_its_error() {
        for error in Error::ALL {
            assert_eq!(Error::from_number(error.number()), Some(error));
        }
        assert_eq!(Error::from_number(0), None);
        assert_eq!(Error::from_number(Error::Unsupported.number() + 1), None);
    }
}
