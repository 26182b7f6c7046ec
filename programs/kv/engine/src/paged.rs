//! A vector in pages: it grows without moving what it has, and a clone shares all pages until one side changes them.
//!
//! A clone copies one pointer for [`LEAF`] places, and the first change in a page that is shared copies the page.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// Places of a page.
pub const LEAF: usize = 256;

/// The vector.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    pages: Vec<Arc<Vec<T>>>,
    len: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { pages: Vec::new(), len: 0 }
    }
}

impl<T: Clone> Paged<T> {
    /// How many places it has.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// What is at a place.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&T> {
        self.pages.get(place / LEAF)?.get(place % LEAF)
    }

    /// What is at a place, to change it.
    #[inline]
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        Arc::make_mut(self.pages.get_mut(place / LEAF)?).get_mut(place % LEAF)
    }

    /// Adds a place at the end.
    pub fn push(&mut self, item: T) {
        if self.len.is_multiple_of(LEAF) {
            // The first page grows as it is needed: most tables are small.
            self.pages.push(Arc::new(Vec::with_capacity(if self.len == 0 { 1 } else { LEAF })));
        }
        if let Some(page) = self.pages.last_mut() {
            Arc::make_mut(page).push(item);
            self.len += 1;
        }
    }

    /// Takes the last place away.
    pub fn pop(&mut self) -> Option<T> {
        let page = Arc::make_mut(self.pages.last_mut()?);
        let item = page.pop();
        if page.is_empty() {
            self.pages.pop();
        }
        self.len -= usize::from(item.is_some());
        item
    }

    /// Frees the last page, or its share of it. Whether there was one.
    pub fn free_page(&mut self) -> bool {
        self.pages.pop().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_found_and_a_clone_stays_as_it_was() {
        let mut numbers = Paged::default();
        for number in 0..10_000 {
            numbers.push(number);
        }
        let before = numbers.clone();
        for place in (0..10_000).step_by(7) {
            *numbers.get_mut(place).unwrap() += 1;
        }
        for place in 0..10_000 {
            assert_eq!(before.get(place), Some(&place));
            assert_eq!(numbers.get(place), Some(&(place + usize::from(place % 7 == 0))));
        }
        for place in (0..10_000).rev() {
            assert_eq!(numbers.pop(), Some(place + usize::from(place % 7 == 0)));
        }
        assert_eq!((numbers.pop(), numbers.len()), (None, 0));
        assert_eq!(before.len(), 10_000);
    }
}
