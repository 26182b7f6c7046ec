//! An interface's identity, and a function's tag: BLAKE3 of the canonical form.

use std::fmt;
use std::str::FromStr;

use crate::{Function, Interface};

/// What the hash of an interface is derived with: no other use of BLAKE3 gives the same.
const INTERFACE: &str = "RustHallows 2026-11-28 identity of an interface, canonical form 1";
/// What a function's tag is derived with.
const FUNCTION: &str = "RustHallows 2026-11-28 tag of a function, canonical form 1";

/// The identity of an interface.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The first twelve digits: enough for people to tell interfaces apart, never for a machine.
    #[must_use]
    pub fn short(&self) -> String {
        let mut text = self.to_string();
        text.truncate(12);
        text
    }
}

impl fmt::Display for Hash {
    /// Sixty-four hexadecimal digits.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Hash {
    type Err = &'static str;

    /// From sixty-four hexadecimal digits, as they are printed.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "an interface's hash is 64 hexadecimal digits in small letters";
        let mut bytes = [0; 32];
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 2 * bytes.len() || !text.as_bytes().iter().all(is_digit) {
            return Err(WRONG);
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| WRONG)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| WRONG)?;
        }
        Ok(Self(bytes))
    }
}

impl Interface {
    /// Its identity.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash(blake3::derive_key(INTERFACE, self.canonical().as_bytes()))
    }
}

impl Function {
    /// What a message says that this function is called: it changes with everything in its line of the canonical form.
    #[must_use]
    pub fn tag(&self) -> u32 {
        let [a, b, c, d, ..] = blake3::derive_key(FUNCTION, self.canonical().as_bytes());
        u32::from_le_bytes([a, b, c, d])
    }
}

#[cfg(test)]
mod tests {
    use super::Hash;

    #[test]
    fn a_hash_survives_being_printed_and_nothing_else_is_one() {
        let hash = Hash(std::array::from_fn(|place| (place * 9) as u8));
        let text = hash.to_string();
        assert_eq!(text.parse(), Ok(hash));
        assert_eq!(hash.short(), text[..12]);
        for wrong in [&text[1..], &text.to_uppercase(), &text.replace('0', "+"), ""] {
            assert!(wrong.parse::<Hash>().is_err(), "{wrong}");
        }
    }
}
