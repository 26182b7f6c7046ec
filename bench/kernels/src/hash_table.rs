//! A hash table: look-ups of keys in random order, half of which are there.
//!
//! The table is `hashbrown`'s, which is also that of the standard library. It is filled once and only read afterwards, so the figure is the table's and not
//! the allocator's (native and WebAssembly have different ones).

use alloc::vec::Vec;
use core::hash::{BuildHasherDefault, Hasher};

use hashbrown::HashMap;

use crate::random::Random;

/// Entries: as many as fill a table of 2^14 places to what `hashbrown` takes, about 280 KiB. More than a first-level cache, less than a second-level one.
const ENTRIES: usize = 14_000;
/// Look-ups in a run: a millisecond or two.
const LOOK_UPS: usize = 100_000;

/// A filled table, and what is looked up in it.
pub struct Table {
    entries: HashMap<u64, u64, BuildHasherDefault<Mixed>>,
    wanted: Vec<u64>,
}

impl Table {
    /// Fills it.
    #[must_use]
    pub fn prepare() -> Self {
        let mut random = Random::new(0x7AB1E);
        let keys: Vec<u64> = (0..ENTRIES).map(|_| random.next()).collect();
        let entries = keys.iter().map(|key| (*key, random.next())).collect();
        let wanted = (0..LOOK_UPS).map(|number| {
            let drawn = random.next();
            // No key is there by chance: 14,000 of 2^64.
            if number % 2 == 0 { keys[(drawn >> 33) as usize % ENTRIES] } else { drawn }
        });
        Self { wanted: wanted.collect(), entries }
    }

    /// Looks everything up and folds what was found into a checksum; a key that is not there counts, too.
    #[must_use]
    pub fn checksum(&self) -> u64 {
        self.wanted.iter().fold(1, |sum: u64, key| {
            let found = self.entries.get(key).copied().unwrap_or(1);
            // Order matters; the constant is the golden ratio's fraction.
            (sum.rotate_left(5) ^ found).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        })
    }
}

/// A hash of a number: the finaliser of MurmurHash3 (Appleby, 2011), which every bit of the key goes into. The same everywhere, so checksums are comparable.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        let once = self.0 ^ number;
        let twice = (once ^ once >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
        let thrice = (twice ^ twice >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
        self.0 = thrice ^ thrice >> 33;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_is_looked_up_is_there() {
        let table = Table::prepare();
        assert_eq!(table.entries.len(), ENTRIES, "two keys are the same");
        let found = table.wanted.iter().filter(|key| table.entries.contains_key(*key)).count();
        assert_eq!((found, table.wanted.len()), (LOOK_UPS / 2, LOOK_UPS));
        assert!(table.entries.capacity() < 1 << 14, "it is larger than it should be");
    }

    #[test]
    fn every_entry_and_its_place_in_the_order_counts_in_the_checksum() {
        let mut table = Table::prepare();
        let whole = table.checksum();
        table.wanted.swap(0, 1);
        assert_ne!(table.checksum(), whole);
        table.wanted.swap(0, 1);
        let first = table.wanted[0];
        table.entries.remove(&first);
        assert_ne!(table.checksum(), whole);
    }
}
