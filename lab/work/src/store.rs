//! An ordered key-value store in memory: a skip list, which is what RocksDB and LevelDB have for what is not on disk.
//!
//! The list is crossbeam's: kept by those who keep the channels and queues of half of the ecosystem, without `std`, and shared by threads without a
//! lock, as RocksDB's is. It is only read here, once it is filled.

use crossbeam_epoch::{Collector, Guard, LocalHandle};
use crossbeam_skiplist::SkipList;

use crate::records::{Key, Value, digest, key, value, with_next};

/// Keeps what is read from being freed meanwhile, if somebody removes it: every operation on a shared list costs that.
pub trait Pin {
    /// Until this is dropped.
    fn pin(&self) -> Guard;
}

/// For who reads alone.
impl Pin for LocalHandle {
    fn pin(&self) -> Guard {
        Self::pin(self)
    }
}

/// Records in the order of their keys.
pub struct Store<P> {
    list: SkipList<Key, Value>,
    pin: P,
}

impl<P: Pin> Store<P> {
    /// With the records 0 to `records` - 1. What pins belongs to the collector.
    pub fn new(collector: Collector, pin: P, records: u32) -> Self {
        let store = Self { list: SkipList::new(collector), pin };
        let guard = store.pin.pin();
        for number in 0..records {
            store.list.insert(key(number), value(number), &guard).release(&guard);
        }
        drop(guard);
        store
    }

    /// The checksum of the record of this number; `None` if it is not there.
    #[inline]
    pub fn get(&self, number: u32) -> Option<u64> {
        let guard = self.pin.pin();
        self.list.get(&key(number), &guard).map(|entry| digest(entry.key(), entry.value()))
    }

    /// The checksum of so many records from this one on, in order, or of those that there are; `None` if the first is not there.
    #[inline]
    pub fn scan(&self, first: u32, records: u32) -> Option<u64> {
        let guard = self.pin.pin();
        let mut entry = self.list.get(&key(first), &guard)?;
        let mut checksum = digest(entry.key(), entry.value());
        for _ in 1..records {
            if !entry.move_next() {
                break;
            }
            checksum = with_next(checksum, digest(entry.key(), entry.value()));
        }
        Some(checksum)
    }
}

impl Store<LocalHandle> {
    /// For one thread of execution.
    #[must_use]
    pub fn alone(records: u32) -> Self {
        let collector = Collector::new();
        let handle = collector.register();
        Self::new(collector, handle, records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Answers;

    #[test]
    fn a_store_gives_what_it_was_filled_with_in_order() {
        let (store, answers) = (Store::alone(3_000), Answers::of(3_000));
        for number in [0, 1, 1_234, 2_999] {
            assert!(store.get(number).is_some() && store.get(number) == answers.get(number), "{number}");
        }
        for (first, records) in [(0, 3_000), (0, 1), (17, 400), (2_999, 1)] {
            let found = store.scan(first, records);
            assert!(found.is_some() && found == answers.scan(first, records), "{first} {records}");
        }
        // Not more than there are.
        assert_eq!(store.scan(2_000, u32::MAX), answers.scan(2_000, 1_000));
        assert_eq!((store.get(3_000), store.scan(3_000, 1)), (None, None));
    }

    #[test]
    fn a_scan_that_lacks_a_record_or_has_them_in_another_order_is_told() {
        let answers = Answers::of(100);
        let checksum = |numbers: &mut dyn Iterator<Item = u32>| {
            numbers.fold(0, |checksum, number| with_next(checksum, digest(&key(number), &value(number))))
        };
        let right = answers.scan(10, 50);
        assert_eq!(Some(checksum(&mut (10..60))), right);
        assert_ne!(Some(checksum(&mut (10..59))), right);
        assert_ne!(Some(checksum(&mut (11..60))), right);
        assert_ne!(Some(checksum(&mut (10..60).rev())), right);
        assert_ne!(Some(checksum(&mut (10..60).filter(|number| *number != 33))), right);
    }
}
