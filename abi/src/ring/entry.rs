//! Entries: what a client asks for, and what came of it. Four words each, little-endian.

/// Words of an entry.
pub const ENTRY_WORDS: usize = 4;
/// Bytes of an entry: two on a cache line.
pub const ENTRY_BYTES: u32 = 32;

/// Operations that mean the same to every service. A service's own begin at [`operation::FIRST_OWN`].
pub mod operation {
    /// Does nothing and is completed with result 0: a barrier, or for measuring.
    pub const NOTHING: u16 = 0;
    /// The payload goes from client to service: a packet, a block, what is written to a pipe.
    pub const WRITE: u16 = 1;
    /// The payload is room for what comes from the service; the result is how many bytes of it were filled.
    pub const READ: u16 = 2;
    /// What was written before is to last, or to have left.
    pub const FLUSH: u16 = 3;
    /// The first number that each service gives a meaning of its own.
    pub const FIRST_OWN: u16 = 256;
}

/// What is in a queue.
pub trait Entry: Copy {
    /// Its form in memory.
    fn emit(&self) -> [u64; ENTRY_WORDS];
    /// From its form; every four words are some entry.
    fn parse(words: [u64; ENTRY_WORDS]) -> Self;
}

/// What a client asks for.
///
/// | word | bits | what |
/// |---|---|---|
/// | 0 | 0–15 | `operation` |
/// | 0 | 16–31 | `flags` |
/// | 0 | 32–63 | `length` |
/// | 1 | | `token` |
/// | 2 | | `offset` |
/// | 3 | | `argument` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Submission {
    /// What is to be done: [`operation`], or the service's own.
    pub operation: u16,
    /// As the service says; 0 if it says nothing.
    pub flags: u16,
    /// Bytes of payload.
    pub length: u32,
    /// The client's own, given back in the completion.
    pub token: u64,
    /// Where its bytes begin, from the start of the payload; a multiple of 8.
    pub offset: u64,
    /// As the operation says: a block's number, an address, a seed.
    pub argument: u64,
}

impl Entry for Submission {
    #[inline]
    fn emit(&self) -> [u64; ENTRY_WORDS] {
        let head = u64::from(self.operation) | u64::from(self.flags) << 16 | u64::from(self.length) << 32;
        [head, self.token, self.offset, self.argument]
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the parts of a word apart")]
    fn parse([head, token, offset, argument]: [u64; ENTRY_WORDS]) -> Self {
        Self {
            operation: head as u16,
            flags: (head >> 16) as u16,
            length: (head >> 32) as u32,
            token,
            offset,
            argument,
        }
    }
}

/// What came of a submission.
///
/// | word | bits | what |
/// |---|---|---|
/// | 0 | | `token` |
/// | 1 | | `result` |
/// | 2 | | `detail` |
/// | 3 | 0–31 | `flags` |
/// | 3 | 32–63 | 0 |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Completion {
    /// The submission's.
    pub token: u64,
    /// Not negative: bytes that were moved, or what the operation says. Negative: the negative number of a [`crate::Error`].
    pub result: i64,
    /// As the operation says: a time, an identity, a checksum.
    pub detail: u64,
    /// As the service says; 0 if it says nothing.
    pub flags: u32,
}

impl Completion {
    /// The submission with this token could not be carried out.
    #[must_use]
    pub const fn failed(token: u64, error: crate::Error) -> Self {
        Self { token, result: -(error.number() as i64), detail: 0, flags: 0 }
    }

    /// The result that is not negative.
    ///
    /// # Errors
    ///
    /// The error that it stands for; [`crate::Error::Refused`] if its number is unknown.
    pub fn outcome(&self) -> Result<u64, crate::Error> {
        u64::try_from(self.result).map_err(|_| {
            let number = u8::try_from(self.result.unsigned_abs()).ok();
            number.and_then(crate::Error::from_number).unwrap_or(crate::Error::Refused)
        })
    }
}

impl Entry for Completion {
    #[inline]
    fn emit(&self) -> [u64; ENTRY_WORDS] {
        [self.token, self.result.cast_unsigned(), self.detail, u64::from(self.flags)]
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the parts of a word apart")]
    fn parse([token, result, detail, flags]: [u64; ENTRY_WORDS]) -> Self {
        Self { token, result: result.cast_signed(), detail, flags: flags as u32 }
    }
}
