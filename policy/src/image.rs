//! A module's memory as it is at the start, which is as it stays: nothing writes to it. Compilers put tables of constants there.

use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

/// Constants in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Bytes of the memory.
    length: u64,
    /// Where the constants begin; all else is 0.
    begin: u64,
    bytes: Box<[u8]>,
}

impl Image {
    /// A memory of so many bytes, with constants at a place within.
    pub const fn new(length: u64, begin: u64, bytes: Box<[u8]>) -> Self {
        Self { length, begin, bytes }
    }

    /// Reads at an address; nothing where the memory has ended.
    pub fn load<const BYTES: usize>(&self, address: u64) -> Option<[u8; BYTES]> {
        if address.checked_add(BYTES as u64)? > self.length {
            return None;
        }
        let mut loaded = [0; BYTES];
        for (byte, address) in loaded.iter_mut().zip(address..) {
            // Below the constants the difference is larger than any place.
            let place = usize::try_from(address.wrapping_sub(self.begin)).unwrap_or(usize::MAX);
            *byte = self.bytes.get(place).copied().unwrap_or(0);
        }
        Some(loaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_around_the_constants_is_zero_and_nothing_behind_the_end() {
        let image = Image::new(100, 10, Box::from(*b"abcd"));
        assert_eq!(image.load(10), Some(*b"abcd"));
        assert_eq!(image.load(8), Some(*b"\0\0abcd\0\0"));
        assert_eq!(image.load(98), Some([0; 2]));
        assert_eq!(image.load::<4>(97), None);
        assert_eq!(image.load::<8>(u64::MAX - 3), None);
        assert_eq!(Image::default().load::<1>(0), None);
    }
}
