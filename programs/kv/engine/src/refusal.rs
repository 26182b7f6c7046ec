//! Why a command was not done: the text of an error, in redis' words, which clients look at.

use alloc::borrow::Cow;
use alloc::string::String;

/// The text of an error, with its code in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub Cow<'static, str>);

impl Refusal {
    /// The key has another kind of value.
    pub const WRONG_TYPE: Self =
        Self::of("WRONGTYPE Operation against a key holding the wrong kind of value");
    /// No word or combination that the command knows.
    pub const SYNTAX: Self = Self::of("ERR syntax error");
    /// No whole number of 64 bits.
    pub const NO_INTEGER: Self = Self::of("ERR value is not an integer or out of range");
    /// No number.
    pub const NO_FLOAT: Self = Self::of("ERR value is not a valid float");
    /// The sum does not fit.
    pub const OVERFLOW: Self = Self::of("ERR increment or decrement would overflow");
    /// There is no such key.
    pub const NO_KEY: Self = Self::of("ERR no such key");
    /// No such place.
    pub const OUT_OF_RANGE: Self = Self::of("ERR index out of range");
    /// A string would get too long.
    pub const TOO_LONG: Self = Self::of("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    /// There is no memory left, and nothing that may be evicted.
    pub const NO_MEMORY: Self = Self::of("OOM command not allowed when used memory > 'maxmemory'.");

    /// This text.
    pub const fn of(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}
