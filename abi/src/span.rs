//! A range of a program's memory as the program alleges it: not yet checked.

/// Offset and length in the caller's memory, packed into one `i64` argument: the offset in the low half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// Where it starts, in bytes from the start of memory.
    pub offset: u32,
    /// How long it is; in bytes, or in elements where an argument is a list.
    pub length: u32,
}

impl Span {
    /// Nothing.
    pub const EMPTY: Self = Self { offset: 0, length: 0 };

    /// The argument's form.
    #[must_use]
    pub const fn pack(self) -> i64 {
        ((self.length as u64) << 32 | self.offset as u64).cast_signed()
    }

    /// From the argument's form; every `i64` is some span.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "takes the halves apart")]
    pub const fn unpack(packed: i64) -> Self {
        let bits = packed.cast_unsigned();
        Self { offset: bits as u32, length: (bits >> 32) as u32 }
    }
}
