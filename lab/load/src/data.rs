//! What is stored: the same in every server, and known without asking, so that each answer can be compared.

use std::io::Write;

/// Digits of a key's number. `redis-benchmark -r` writes as many behind `key:`, so that its GETs find what is stored here.
const DIGITS: usize = 12;
/// A key's length, in bytes.
pub const KEY_BYTES: usize = 4 + DIGITS;

/// Records: how many, and how long their values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Data {
    /// How many records; keys are numbered from 0.
    pub keys: u32,
    /// Length of each value, in bytes.
    pub value_bytes: u32,
}

impl Data {
    /// Writes the key of a number: `key:000000000042`.
    pub fn key(number: u32, out: &mut Vec<u8>) {
        // Writing to a Vec cannot fail.
        let _ = write!(out, "key:{number:0DIGITS$}");
    }

    /// Writes the value that belongs to a key: sixteen letters that hang on its number, again and again.
    pub fn value(&self, number: u32, out: &mut Vec<u8>) {
        // An odd factor and a shift: numbers that are neighbours have values that are not alike (Steele et al., "Fast Splittable
        // Pseudorandom Number Generators", 2014).
        let mixed = u64::from(number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = mixed ^ (mixed >> 29);
        let letters: [u8; 16] =
            std::array::from_fn(|place| b"0123456789abcdef"[(mixed >> (4 * place)) as usize & 15]);
        out.extend(letters.iter().cycle().take(self.value_bytes as usize));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_one_length_and_values_hang_on_their_number() {
        let data = Data { keys: 10, value_bytes: 40 };
        let written = |number| {
            let (mut key, mut value) = (Vec::new(), Vec::new());
            Data::key(number, &mut key);
            data.value(number, &mut value);
            (key, value)
        };
        assert_eq!(written(42).0, b"key:000000000042");
        assert_eq!(written(u32::MAX).0.len(), KEY_BYTES);
        let mut values: Vec<_> = (0..1_000).map(|number| written(number).1).collect();
        assert!(values.iter().all(|value| value.len() == 40 && value[..8] == value[32..]));
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 1_000);
    }
}
