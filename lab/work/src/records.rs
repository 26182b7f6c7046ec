//! What a store is filled with: everything follows from a record's number, so that nobody needs a store to know what is in one.

/// Keys have 16 bytes, as the halves of big-endian numbers, so that their order is that of their bytes.
pub(crate) type Key = [u64; 2];
/// Values have 64 bytes.
pub(crate) type Value = [u64; 8];

/// What all keys begin with, as keys of one table do.
const TABLE: u64 = u64::from_be_bytes(*b"records:");
/// An odd number without a pattern: the golden ratio as a fraction of 2⁶⁴ (Knuth, "The Art of Computer Programming", volume 3, 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The key of a record. Records in the order of their numbers are in the order of their keys.
#[inline]
pub(crate) const fn key(number: u32) -> Key {
    [TABLE, number as u64]
}

/// The value of a record.
pub(crate) fn value(number: u32) -> Value {
    let mut state = u64::from(number);
    core::array::from_fn(|_| {
        state = state.wrapping_add(GOLDEN);
        mix(state)
    })
}

/// SplitMix64's output function (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
const fn mix(state: u64) -> u64 {
    let state = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let state = (state ^ state >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    state ^ state >> 31
}

/// A number that hangs on every bit of a record, and costs little beside reading it: this is not about how fast anybody hashes.
#[inline]
pub(crate) fn digest(key: &Key, value: &Value) -> u64 {
    key.iter().chain(value).fold(0, |digest, word| digest.rotate_left(7) ^ word)
}

/// The checksum of records with one more: a polynomial of their digests, so that it hangs on their order (Karp and Rabin, "Efficient
/// randomized pattern-matching algorithms", 1987).
#[inline]
pub(crate) const fn with_next(checksum: u64, digest: u64) -> u64 {
    checksum.wrapping_mul(GOLDEN).wrapping_add(digest)
}

/// What a checksum is when it is moved so many places to the front.
pub(crate) const fn moved(checksum: u64, places: u32) -> u64 {
    checksum.wrapping_mul(GOLDEN.wrapping_pow(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_their_numbers_and_values_differ() {
        assert!((0..1_000).is_sorted_by_key(key));
        assert_ne!(value(1), value(2));
        // Neighbours share no word, though each counts up from its number.
        assert!(value(1).iter().all(|word| !value(2).contains(word)));
    }

    #[test]
    fn digests_hang_on_every_word_and_checksums_on_the_order() {
        let all = digest(&key(7), &value(7));
        for place in 0..8 {
            let mut changed = value(7);
            changed[place] ^= 1 << 63;
            assert_ne!(digest(&key(7), &changed), all, "{place}");
        }
        assert_ne!(digest(&key(8), &value(7)), all);
        assert_ne!(with_next(with_next(0, 1), 2), with_next(with_next(0, 2), 1));
        assert_eq!(moved(with_next(0, 5), 2), with_next(with_next(5, 0), 0));
    }
}
