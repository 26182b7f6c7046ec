//! Identities of interfaces as a registry's messages have them.

use super::protocol::Identity;
use crate::stub::Interface;

impl Identity {
    /// Of an interface.
    #[must_use]
    pub fn of<I: Interface>() -> Self {
        Self::from_bytes(I::HASH)
    }

    /// Of the interface with this hash.
    #[must_use]
    pub fn from_bytes(hash: [u8; 32]) -> Self {
        let (numbers, _) = hash.as_chunks::<8>();
        let number = |place: usize| numbers.get(place).map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Self { a: number(0), b: number(1), c: number(2), d: number(3) }
    }

    /// The interface's hash.
    #[must_use]
    pub fn bytes(self) -> [u8; 32] {
        let mut hash = [0; 32];
        let numbers = [self.a, self.b, self.c, self.d];
        for (bytes, number) in hash.as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
            *bytes = number.to_le_bytes();
        }
        hash
    }
}
