//! How an answer begins: whether a result follows, or why there is none.

use hallows_abi::Error;

/// The first byte of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// The function was called; its result follows.
    Done = 0,
    /// The server has no function of this tag.
    UnknownFunction = 1,
    /// The bytes behind the tag are not the encoding of its parameters.
    Malformed = 2,
    /// The function was called, and its result does not fit into the server's room for answers.
    ResultTooLong = 3,
    /// What the message came through stands for nothing that the server has, or has any more.
    Gone = 4,
}

impl Status {
    /// Bytes of a status.
    pub const SIZE: usize = 1;

    /// From the first byte of an answer.
    ///
    /// # Errors
    ///
    /// What a caller gets instead of a result; [`Error::Refused`] for a byte that is no status.
    #[inline(always)]
    pub const fn result(byte: u8) -> Result<(), Error> {
        if byte == Self::Done as u8 { Ok(()) } else { Err(Self::error(byte)) }
    }

    #[cold]
    const fn error(byte: u8) -> Error {
        match byte {
            1 => Error::UnknownOperation,
            2 => Error::BadArgument,
            3 => Error::AnswerTooLong,
            4 => Error::Gone,
            _ => Error::Refused,
        }
    }
}
