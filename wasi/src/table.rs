//! Numbers for descriptors: the lowest free one first, as POSIX has it.

use core::cmp::Reverse;

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;

use crate::{Errno, Result};

/// Descriptors of a process at most. Each takes some 100 bytes of the machine's heap.
pub(crate) const DESCRIPTORS_MOST: usize = 65_536;

/// Values by number.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<T>>,
    /// Those below the end that have no value.
    free: BinaryHeap<Reverse<u32>>,
}

impl<T> Table<T> {
    /// With these values, from number 0 on.
    pub fn of(values: impl Iterator<Item = Option<T>>) -> Self {
        let slots: Vec<_> = values.take(DESCRIPTORS_MOST).collect();
        let vacant = slots.iter().zip(0..).filter(|(slot, _)| slot.is_none());
        let free = vacant.map(|(_, number)| Reverse(number)).collect();
        Self { slots, free }
    }

    /// The value of a number.
    pub fn get(&mut self, number: u32) -> Result<&mut T> {
        self.slots.get_mut(number as usize).and_then(Option::as_mut).ok_or(Errno::Badf)
    }

    /// Whether one more value has room.
    pub fn check_room(&self) -> Result {
        if self.free.is_empty() && self.slots.len() >= DESCRIPTORS_MOST { Err(Errno::Mfile) } else { Ok(()) }
    }

    /// Gives a value the lowest free number. [`Table::check_room`] goes before.
    pub fn add(&mut self, value: T) -> Result<u32> {
        let number = match self.free.pop() {
            Some(Reverse(number)) => number,
            None => {
                self.check_room()?;
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).map_err(|_| Errno::Mfile)?
            }
        };
        let slot = self.slots.get_mut(number as usize).ok_or(Errno::Mfile)?;
        *slot = Some(value);
        Ok(number)
    }

    /// Takes a value out.
    pub fn remove(&mut self, number: u32) -> Result<T> {
        let value = self.slots.get_mut(number as usize).and_then(Option::take).ok_or(Errno::Badf)?;
        self.free.push(Reverse(number));
        Ok(value)
    }

    /// Gives a value another number, and gives back what that one stood for. (Both must be there.)
    pub fn renumber(&mut self, from: u32, to: u32) -> Result<Option<T>> {
        self.get(to)?;
        self.get(from)?;
        if from == to {
            return Ok(None);
        }
        let value = self.remove(from)?;
        Ok(Some(core::mem::replace(self.get(to)?, value)))
    }

    /// All values, in order, each taken out.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + use<'_, T> {
        self.free.clear();
        self.slots.drain(..).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_free_number_is_given_first() {
        let mut table = Table::of([Some('a'), None, Some('c')].into_iter());
        assert_eq!(table.add('b'), Ok(1));
        assert_eq!(table.add('d'), Ok(3));
        assert_eq!(table.remove(2), Ok('c'));
        assert_eq!(table.remove(0), Ok('a'));
        assert_eq!(table.remove(0), Err(Errno::Badf));
        assert_eq!(table.add('x'), Ok(0));
        assert_eq!(table.add('y'), Ok(2));
        assert_eq!(table.add('z'), Ok(4));
        assert_eq!(table.get(4), Ok(&mut 'z'));
        assert_eq!(table.get(5), Err(Errno::Badf));
    }

    #[test]
    fn a_number_is_taken_over_by_renumbering_and_the_old_one_is_free() {
        let mut table = Table::of([Some('a'), Some('b'), Some('c')].into_iter());
        assert_eq!(table.renumber(2, 0), Ok(Some('a')));
        assert_eq!(table.get(0), Ok(&mut 'c'));
        assert_eq!(table.get(2), Err(Errno::Badf));
        assert_eq!(table.renumber(0, 0), Ok(None));
        assert_eq!(table.renumber(0, 2), Err(Errno::Badf));
        assert_eq!(table.renumber(2, 0), Err(Errno::Badf));
        assert_eq!(table.add('d'), Ok(2));
    }

    #[test]
    fn there_are_no_more_than_the_most() {
        let mut table = Table::of(core::iter::repeat_n(Some(()), DESCRIPTORS_MOST));
        assert_eq!(table.check_room(), Err(Errno::Mfile));
        assert_eq!(table.add(()), Err(Errno::Mfile));
        assert_eq!(table.remove(7), Ok(()));
        assert_eq!(table.check_room(), Ok(()));
        assert_eq!(table.add(()), Ok(7));
        assert_eq!(table.drain().count(), DESCRIPTORS_MOST);
        assert_eq!(table.get(0), Err(Errno::Badf));
    }
}
