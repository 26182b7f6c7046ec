//! What operations on a store must give, known without one.

use alloc::vec::Vec;

use crate::records::{digest, key, moved, value, with_next};

/// The right answers to all operations on a store of some records. Each is computed at once, however many records a scan has.
#[derive(Clone, Debug)]
pub struct Answers {
    /// The checksums of the first 0, 1, 2, … records.
    checksums: Vec<u64>,
}

impl Answers {
    /// For a store with so many records.
    #[must_use]
    pub fn of(records: u32) -> Self {
        let mut checksum = 0;
        let mut checksums = Vec::from([checksum]);
        checksums.extend((0..records).map(|number| {
            checksum = with_next(checksum, digest(&key(number), &value(number)));
            checksum
        }));
        Self { checksums }
    }

    /// Of the record of this number; `None` if there is none.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<u64> {
        self.scan(number, 1)
    }

    /// Of so many records from this one on; `None` if there are not so many.
    #[must_use]
    pub fn scan(&self, first: u32, records: u32) -> Option<u64> {
        let before = self.checksums.get(first as usize)?;
        let with = self.checksums.get(first.checked_add(records)? as usize)?;
        Some(with.wrapping_sub(moved(*before, records)))
    }
}
