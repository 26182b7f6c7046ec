//! A scan of a large array: bound by memory bandwidth, where a sandbox's bounds checks should cost nothing.

/// What the scan looks for; the bench's input has it in one word of 256.
pub const NEEDLE: u64 = 42;

/// How many words equal [`NEEDLE`] (upper half) and the wrapping sum of all words (lower half).
#[must_use]
pub fn checksum(words: &[u64]) -> u64 {
    let mut found = 0u64;
    let mut sum = 0u64;
    for word in words {
        found += u64::from(*word == NEEDLE);
        sum = sum.wrapping_add(*word);
    }
    found << 32 | sum & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_counted_and_everything_is_summed() {
        assert_eq!(checksum(&[]), 0);
        assert_eq!(checksum(&[NEEDLE, 1, NEEDLE, 7]), 2 << 32 | (2 * NEEDLE + 8));
    }
}
