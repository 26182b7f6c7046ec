//! Results of calls, packed into one `i64`.

use crate::Error;

/// What a successful `call` brought: the answer's length and how many capabilities came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Bytes written into the reply buffer.
    pub length: u32,
    /// Handles written into the list of handles.
    pub handles: u32,
}

impl Outcome {
    /// The result's form: the length below, the number of handles above; never negative.
    #[must_use]
    pub const fn pack(self) -> i64 {
        ((self.handles as u64 & 0xff) << 32 | self.length as u64).cast_signed()
    }

    /// From a result that is not an error.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
    pub const fn unpack(packed: i64) -> Self {
        let bits = packed.cast_unsigned();
        Self { length: bits as u32, handles: (bits >> 32) as u32 & 0xff }
    }
}

/// The `i64` of a result whose success is a non-negative number.
#[must_use]
pub const fn encode_result(result: Result<i64, Error>) -> i64 {
    match result {
        Ok(value) => value,
        Err(error) => -(error.number() as i64),
    }
}

/// The result of an `i64`. A negative number that names no error becomes [`Error::Unsupported`]: it comes from a
/// kernel that is newer than the program.
pub fn decode_result(packed: i64) -> Result<i64, Error> {
    if packed >= 0 {
        return Ok(packed);
    }
    let number = u8::try_from(packed.unsigned_abs()).unwrap_or(u8::MAX);
    Err(Error::from_number(number).unwrap_or(Error::Unsupported))
}
