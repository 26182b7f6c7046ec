//! A hash table that never stalls: linear hashing (Litwin, 1980) over chains in pages.
//!
//! It grows and shrinks by one bucket for each insertion or removal, so none of them moves more than two chains. Slots never move. A hash is kept with
//! its item, so growing hashes nothing.
//!
//! **Scans.** Think of hashes with their bits reversed as places on a line. Each bucket has the items of one interval of that line, however many
//! buckets there are, and a cursor is a place on it. So what is in the table during a whole scan is seen by it exactly once, while the table grows,
//! shrinks, and changes as it likes.

use alloc::sync::Arc;

use crate::paged::{LEAF, Paged};
use crate::seed::{Random, Seed};

/// No slot.
const NONE: u32 = u32::MAX;
/// Up to so many slots are looked through one by one, without buckets.
const FEW: usize = 8;

/// What has a key.
pub trait Keyed {
    /// The key.
    fn key(&self) -> &[u8];
}

#[derive(Clone, Debug)]
struct Slot<T> {
    hash: u64,
    /// The next slot of the chain, or of the list of free ones.
    next: u32,
    item: Option<T>,
}

/// The table.
#[derive(Clone, Debug)]
pub struct Table<T> {
    heads: Paged<u32>,
    slots: Paged<Slot<T>>,
    free: u32,
    len: usize,
    seed: Seed,
}

/// Where an item is, as long as it is in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place(pub u32);

impl<T: Keyed + Clone> Table<T> {
    /// An empty table.
    pub fn new(seed: Seed) -> Self {
        Self { heads: Paged::default(), slots: Paged::default(), free: NONE, len: 0, seed }
    }

    /// How many items it has.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// The key of its hashes.
    pub const fn seed(&self) -> Seed {
        self.seed
    }

    /// The bucket of a hash, of so many.
    #[expect(clippy::cast_possible_truncation, reason = "masked: below the number of buckets")]
    fn bucket(hash: u64, buckets: usize) -> usize {
        let mask = buckets.next_power_of_two() - 1;
        let place = hash as usize & mask;
        if place < buckets { place } else { place & (mask >> 1) }
    }

    fn slot(&self, place: u32) -> Option<&Slot<T>> {
        self.slots.get(place as usize)
    }

    /// Where the item of this key is.
    #[inline]
    pub fn find(&self, key: &[u8]) -> Option<Place> {
        self.find_hashed(self.seed.hash(key), key)
    }

    /// The same, for a key whose hash is known.
    #[inline]
    pub fn find_hashed(&self, hash: u64, key: &[u8]) -> Option<Place> {
        let is_it =
            |slot: &Slot<T>| slot.hash == hash && slot.item.as_ref().is_some_and(|item| item.key() == key);
        if self.heads.len() == 0 {
            let count = u32::try_from(self.slots.len()).ok()?;
            return (0..count).find(|place| self.slot(*place).is_some_and(is_it)).map(Place);
        }
        let mut place = *self.heads.get(Self::bucket(hash, self.heads.len()))?;
        while let Some(slot) = self.slot(place) {
            if is_it(slot) {
                return Some(Place(place));
            }
            place = slot.next;
        }
        None
    }

    /// The item at a place.
    #[inline]
    pub fn at(&self, place: Place) -> Option<&T> {
        self.slot(place.0)?.item.as_ref()
    }

    /// The item at a place, to change it, but for its key.
    #[inline]
    pub fn at_mut(&mut self, place: Place) -> Option<&mut T> {
        self.slots.get_mut(place.0 as usize)?.item.as_mut()
    }

    /// The item of a key.
    pub fn get(&self, key: &[u8]) -> Option<&T> {
        self.at(self.find(key)?)
    }

    /// Whether there is one.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Adds an item whose key is not in the table.
    pub fn insert(&mut self, item: T) -> Place {
        let hash = self.seed.hash(item.key());
        self.insert_hashed(hash, item)
    }

    /// The same, for a key whose hash is known.
    pub fn insert_hashed(&mut self, hash: u64, item: T) -> Place {
        let new = Slot { hash, next: NONE, item: Some(item) };
        let place = match self.slots.get_mut(self.free as usize) {
            Some(slot) => {
                let place = core::mem::replace(&mut self.free, slot.next);
                *slot = new;
                place
            }
            None => {
                self.slots.push(new);
                // A table of 2³² slots is larger than the memory of any cell.
                u32::try_from(self.slots.len() - 1).unwrap_or(NONE)
            }
        };
        self.len += 1;
        if self.heads.len() > 0 {
            self.link(place, hash);
            if self.len > self.heads.len() {
                self.split();
            }
        } else if self.slots.len() > FEW {
            self.index();
        }
        Place(place)
    }

    /// Puts a slot into its chain.
    fn link(&mut self, place: u32, hash: u64) {
        let bucket = Self::bucket(hash, self.heads.len());
        if let (Some(head), Some(slot)) = (self.heads.get_mut(bucket), self.slots.get_mut(place as usize)) {
            slot.next = core::mem::replace(head, place);
        }
    }

    /// The first buckets, when there are too many slots to look through.
    fn index(&mut self) {
        for _ in 0..self.slots.len() {
            self.heads.push(NONE);
        }
        let mut hashes = [(0, 0); FEW + 1];
        let mut count = 0;
        for (place, entry) in (0..).zip(&mut hashes) {
            if let Some(Slot { hash, item: Some(_), .. }) = self.slot(place) {
                *entry = (place, *hash);
                count = place as usize + 1;
            } else {
                *entry = (NONE, 0);
            }
        }
        for (place, hash) in hashes.into_iter().take(count) {
            if place != NONE {
                self.link(place, hash);
            }
        }
    }

    /// One more bucket: it takes its share of the chain that had it.
    fn split(&mut self) {
        let bucket = Self::bucket(self.heads.len() as u64, self.heads.len());
        let chain = self.heads.get_mut(bucket).map(|head| core::mem::replace(head, NONE));
        self.heads.push(NONE);
        self.link_chain(chain.unwrap_or(NONE));
    }

    /// One bucket less: its chain joins the one that it was split from.
    fn join(&mut self) {
        let chain = self.heads.pop();
        self.link_chain(chain.unwrap_or(NONE));
    }

    fn link_chain(&mut self, mut place: u32) {
        while let Some(Slot { hash, next, .. }) = self.slot(place) {
            let (hash, next) = (*hash, *next);
            self.link(place, hash);
            place = next;
        }
    }

    /// Takes an item out.
    pub fn remove(&mut self, place: Place) -> Option<T> {
        let Slot { hash, next, item: Some(_) } = self.slot(place.0)? else { return None };
        let (hash, next) = (*hash, *next);
        if self.heads.len() > 0 {
            self.unlink(place.0, hash, next);
        }
        let slot = self.slots.get_mut(place.0 as usize)?;
        let item = slot.item.take();
        slot.next = core::mem::replace(&mut self.free, place.0);
        self.len -= 1;
        // Less than a quarter full: four buckets for each removal keep up with it.
        for _ in 0..4 {
            if self.heads.len() > 2 * FEW && self.len < self.heads.len() / 4 {
                self.join();
            }
        }
        item
    }

    fn unlink(&mut self, place: u32, hash: u64, next: u32) {
        let bucket = Self::bucket(hash, self.heads.len());
        let Some(head) = self.heads.get_mut(bucket) else { return };
        if *head == place {
            *head = next;
            return;
        }
        let mut at = *head;
        while let Some(Slot { next: following, .. }) = self.slot(at) {
            if *following == place {
                if let Some(slot) = self.slots.get_mut(at as usize) {
                    slot.next = next;
                }
                return;
            }
            at = *following;
        }
    }

    /// Takes the item of a key out.
    pub fn remove_key(&mut self, key: &[u8]) -> Option<T> {
        self.remove(self.find(key)?)
    }

    /// Shows the items of one bucket from a cursor on; the next cursor, which is 0 at the end. The first one is 0.
    pub fn scan(&self, cursor: u64, mut show: impl FnMut(Place, &T)) -> u64 {
        let mut look = |place: u32| {
            let slot = self.slot(place)?;
            if let Some(item) = &slot.item
                && slot.hash.reverse_bits() >= cursor
            {
                show(Place(place), item);
            }
            Some(slot.next)
        };
        let buckets = self.heads.len();
        if buckets == 0 {
            for place in (0..).take(self.slots.len()) {
                look(place);
            }
            return 0;
        }
        let bucket = Self::bucket(cursor.reverse_bits(), buckets);
        let mut place = self.heads.get(bucket).copied();
        while let Some(at) = place {
            place = look(at);
        }
        // How many low bits of a hash decide that it is in this bucket.
        let mask = buckets.next_power_of_two() as u64 - 1;
        let half = mask >> 1;
        let is_split = bucket as u64 > half || (bucket as u64 | (half + 1)) < buckets as u64;
        let bits = if is_split { mask } else { half }.count_ones();
        // The interval's end: the last places of the line wrap to 0.
        let width = 1_u64.checked_shl(64 - bits).unwrap_or(0);
        (bucket as u64).reverse_bits().wrapping_add(width)
    }

    /// Any item, each as likely as any other one (but for chains of more than eight, of which there are hardly any).
    pub fn random(&self, random: &mut Random) -> Option<Place> {
        const LONGEST: usize = 8;
        if self.len == 0 {
            return None;
        }
        let any = |random: &mut Random, places: usize| u32::try_from(random.below(places)).unwrap_or(NONE);
        // It has at least a sixteenth as many items as places to look at, so this ends.
        loop {
            if self.heads.len() == 0 {
                let place = any(random, self.slots.len());
                if self.at(Place(place)).is_some() {
                    return Some(Place(place));
                }
                continue;
            }
            let mut place = *self.heads.get(random.below(self.heads.len()))?;
            for _ in 0..random.below(LONGEST) {
                place = self.slot(place).map_or(NONE, |slot| slot.next);
            }
            if place != NONE {
                return Some(Place(place));
            }
        }
    }

    /// Every item, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        (0..self.slots.len()).filter_map(|place| self.slots.get(place)?.item.as_ref())
    }

    /// Items of a page of slots; `None` behind the last one. For who walks in pieces: as slots never move, what is in the table all the time is seen exactly once.
    pub fn page(&self, page: usize) -> Option<impl Iterator<Item = &T>> {
        let from = page * LEAF;
        let page = from..(from + LEAF).min(self.slots.len());
        (!page.is_empty()).then(|| page.filter_map(|place| self.slots.get(place)?.item.as_ref()))
    }

    /// How many pages of slots there are.
    pub const fn pages(&self) -> usize {
        self.slots.len().div_ceil(LEAF)
    }

    /// Frees the last page of slots, or its share of it. Only for a table that nobody asks for keys any more.
    pub fn free_slots(&mut self) {
        self.slots.free_page();
    }

    /// Frees a page of it; whether there was one. Only for a table that nobody asks any more.
    pub fn free_page(&mut self) -> bool {
        self.slots.free_page() || self.heads.free_page()
    }

    /// The last item that is stored, with its place on the slots; for who empties a table piece by piece.
    pub fn pop_slot(&mut self) -> Option<Option<T>> {
        self.slots.pop().map(|slot| slot.item)
    }
}

impl<T: Keyed + Clone> Table<T> {
    /// Frees a page of a table that others may have as well; whether there was one.
    pub fn free_shared(table: &mut Arc<Self>) -> bool {
        Arc::get_mut(table).is_some_and(Self::free_page)
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    impl Keyed for (Vec<u8>, u32) {
        fn key(&self) -> &[u8] {
            &self.0
        }
    }

    fn key(number: u32) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    proptest! {
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((0..400_u32, any::<bool>()), 0..2_000)) {
            let (mut table, mut model): (Table<(Vec<u8>, u32)>, _) = (Table::new(Seed(1, 2)), BTreeMap::new());
            for (count, (number, adds)) in (0..).zip(steps) {
                let found = table.find(&key(number));
                prop_assert_eq!(found.and_then(|place| table.at(place)).map(|item| item.1), model.get(&number).copied());
                match (found, adds) {
                    (None, true) => { table.insert((key(number), count)); model.insert(number, count); }
                    (Some(place), false) => { table.remove(place); model.remove(&number); }
                    _ => {}
                }
                prop_assert_eq!(table.len(), model.len());
            }
            prop_assert_eq!(table.iter().count(), model.len());
        }

        #[test]
        fn a_scan_sees_exactly_once_what_is_there_all_the_time(
            stays in prop::collection::btree_set(0..1_000_u32, 0..300),
            changes in prop::collection::vec((1_000..3_000_u32, any::<bool>()), 0..2_000),
            between in 1..40_usize,
        ) {
            let mut table = Table::new(Seed(3, 4));
            for number in &stays {
                table.insert((key(*number), 0));
            }
            let (mut seen, mut cursor, mut changes) = (Vec::new(), 0, changes.into_iter());
            loop {
                cursor = table.scan(cursor, |_, item| seen.push(item.0.clone()));
                if cursor == 0 { break }
                for (number, adds) in changes.by_ref().take(between) {
                    match (table.find(&key(number)), adds) {
                        (None, true) => { table.insert((key(number), 0)); }
                        (Some(place), false) => { table.remove(place); }
                        _ => {}
                    }
                }
            }
            let stayed: Vec<_> = stays.iter().map(|number| key(*number)).collect();
            for one in &stayed {
                prop_assert_eq!(seen.iter().filter(|item| *item == one).count(), 1);
            }
        }
    }

    #[test]
    fn it_shrinks_and_gives_any_item_with_like_chances() {
        let mut table = Table::new(Seed(5, 6));
        for number in 0..50_000 {
            table.insert((key(number), number));
        }
        for number in 10..50_000 {
            table.remove_key(&key(number));
        }
        assert!(table.heads.len() <= 64, "{} buckets for 10 items", table.heads.len());
        let (mut random, mut counts) = (Random::new(7), [0_u32; 10]);
        for _ in 0..10_000 {
            let place = table.random(&mut random).unwrap();
            counts[table.at(place).unwrap().1 as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
        let all: BTreeSet<_> = table.iter().map(|item| item.1).collect();
        assert_eq!(all, (0..10).collect());
    }
}
