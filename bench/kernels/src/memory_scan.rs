//! A scan of a large array: bound by memory bandwidth, where a sandbox's bounds checks should cost nothing.

/// What the scan looks for; the bench's input has it in one word of 256.
pub const NEEDLE: u64 = 42;

/// A cache line at a time: the loop around it then costs less than the memory, natively and in a sandbox.
const WORDS_PER_LINE: usize = 8;

/// How many words equal [`NEEDLE`] (upper half) and the wrapping sum of all words (lower half).
#[must_use]
pub fn checksum(words: &[u64]) -> u64 {
    let (lines, rest) = words.as_chunks::<WORDS_PER_LINE>();
    let (mut found, mut sum) = (0u64, 0u64);
    let mut look = |word: &u64| {
        found += u64::from(*word == NEEDLE);
        sum = sum.wrapping_add(*word);
    };
    for line in lines {
        line.iter().for_each(&mut look);
    }
    rest.iter().for_each(look);
    found << 32 | sum & 0xFFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_are_counted_and_everything_is_summed() {
        assert_eq!(checksum(&[]), 0);
        assert_eq!(checksum(&[NEEDLE, 1, NEEDLE, 7]), 2 << 32 | (2 * NEEDLE + 8));
        // Lines and a rest.
        let words: [u64; 19] = core::array::from_fn(|index| if index % 5 == 0 { NEEDLE } else { 1 });
        assert_eq!(checksum(&words), 4 << 32 | (4 * NEEDLE + 15));
    }
}
