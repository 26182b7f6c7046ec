//! Slab: values in a growing table, with names that go stale when a value is taken out. What an inbox keeps its messages in.

use alloc::vec::Vec;

/// Values with names that go stale when the value is taken out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slab<T> {
    entries: Vec<Place<T>>,
    /// The free entry to use next, or [`NO_ENTRY`]. The list runs through the entries: one of its own would be a few bytes that share
    /// a cache line with those of other cells, and each message would take that line from the other core.
    free: u32,
    used: usize,
}

const NO_ENTRY: u32 = u32::MAX;

/// On cache lines of its own, as each is written with every message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[repr(align(64))]
struct Place<T> {
    generation: u32,
    /// The free entry to use after this one, if this one is free.
    next_free: u32,
    value: Option<T>,
}

impl<T> Slab<T> {
    /// Empty.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), free: NO_ENTRY, used: 0 }
    }

    /// How many values there are.
    pub const fn len(&self) -> usize {
        self.used
    }

    /// Puts a value in; its name. Inlined, as what follows, so that a value is made where it lies and dropped there: to move one costs more
    /// than all else.
    #[inline(always)]
    pub fn insert(&mut self, value: T) -> u64 {
        if self.free == NO_ENTRY {
            self.grow();
        }
        let index = self.free;
        let Some(entry) = self.entries.get_mut(index as usize) else { return u64::MAX };
        self.free = entry.next_free;
        self.used += 1;
        entry.value = Some(value);
        u64::from(entry.generation) << 32 | u64::from(index)
    }

    #[cold]
    fn grow(&mut self) {
        self.free = u32::try_from(self.entries.len()).unwrap_or(NO_ENTRY);
        self.entries.push(Place { generation: 0, next_free: NO_ENTRY, value: None });
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the halves apart")]
    fn place(&mut self, name: u64) -> Option<&mut Place<T>> {
        let entry = self.entries.get_mut(name as u32 as usize)?;
        (u64::from(entry.generation) == name >> 32).then_some(entry)
    }

    /// The value of that name, if it is still there.
    #[inline]
    pub fn get_mut(&mut self, name: u64) -> Option<&mut T> {
        self.place(name)?.value.as_mut()
    }

    /// Takes the value of that name out.
    pub fn remove(&mut self, name: u64) -> Option<T> {
        let value = self.place(name)?.value.take()?;
        self.free(name);
        Some(value)
    }

    /// Drops the value of that name where it lies, if `look` finds something in it; what that is.
    #[inline]
    pub fn drop_if<R>(&mut self, name: u64, look: impl FnOnce(&T) -> Option<R>) -> Option<R> {
        let entry = self.place(name)?;
        let found = look(entry.value.as_ref()?)?;
        entry.value = None;
        self.free(name);
        Some(found)
    }

    /// The place of that name, which was emptied, is free.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the halves apart")]
    fn free(&mut self, name: u64) {
        let free = self.free;
        let Some(entry) = self.place(name) else { return };
        // 31 bits: a name is a non-negative result of a call.
        entry.generation = (entry.generation + 1) & 0x7fff_ffff;
        entry.next_free = free;
        self.free = name as u32;
        self.used -= 1;
    }

    /// All values.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.entries.iter_mut().filter_map(|entry| entry.value.as_mut())
    }

    /// All values with their names.
    pub fn names(&self) -> impl Iterator<Item = (u64, &T)> {
        (0u64..).zip(&self.entries).filter_map(|(index, entry)| {
            Some((u64::from(entry.generation) << 32 | index, entry.value.as_ref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again_under_other_names_and_old_names_find_nothing() {
        let mut slab = Slab::new();
        let [first, second, third] = [1, 2, 3].map(|value| slab.insert(value));
        assert_eq!((slab.remove(second), slab.remove(first), slab.remove(first)), (Some(2), Some(1), None));
        assert_eq!((slab.len(), slab.get_mut(second)), (1, None));
        assert_eq!(slab.drop_if(third, |value| (*value > 3).then_some(())), None);
        assert_eq!(slab.drop_if(third, |value| Some(value + 1)), Some(4));
        assert_eq!((slab.len(), slab.drop_if(third, |_| Some(()))), (0, None));
        let third = slab.insert(3);
        // The last free place first, and then none is left.
        let again = [4, 5, 6].map(|value| slab.insert(value));
        let places = again.map(|name| name & 0xffff_ffff);
        assert_eq!(places, [0, 1, 3]);
        assert!(again.iter().all(|name| ![first, second, third].contains(name)));
        let values: Vec<_> = slab.names().map(|(_, value)| *value).collect();
        assert_eq!(values, [4, 5, 3, 6]);
    }
}
