//! A vector in pages, two levels deep: it grows without moving what it has, and a clone shares all pages until one side changes them.
//!
//! A clone copies one pointer for [`SPAN`] places, and the first change in a page that is shared copies [`LEAF`] places.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// Places of a page.
pub const LEAF: usize = 64;
/// Pages below one entry of the root.
const FAN: usize = 64;
/// Places below one entry of the root.
pub const SPAN: usize = LEAF * FAN;

type Leaf<T> = Arc<Vec<T>>;
type Node<T> = Arc<Vec<Leaf<T>>>;

/// The vector.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    root: Vec<Node<T>>,
    len: usize,
}

impl<T> Default for Paged<T> {
    fn default() -> Self {
        Self { root: Vec::new(), len: 0 }
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
        self.root.get(place / SPAN)?.get(place / LEAF % FAN)?.get(place % LEAF)
    }

    /// What is at a place, to change it.
    #[inline]
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        let node = Arc::make_mut(self.root.get_mut(place / SPAN)?);
        Arc::make_mut(node.get_mut(place / LEAF % FAN)?).get_mut(place % LEAF)
    }

    /// Adds a place at the end.
    pub fn push(&mut self, item: T) {
        if self.len.is_multiple_of(SPAN) {
            self.root.push(Arc::default());
        }
        if let Some(node) = self.root.last_mut() {
            let node = Arc::make_mut(node);
            if self.len.is_multiple_of(LEAF) {
                node.push(Arc::default());
            }
            if let Some(leaf) = node.last_mut() {
                Arc::make_mut(leaf).push(item);
                self.len += 1;
            }
        }
    }

    /// Takes the last place away.
    pub fn pop(&mut self) -> Option<T> {
        let node = Arc::make_mut(self.root.last_mut()?);
        let leaf = Arc::make_mut(node.last_mut()?);
        let item = leaf.pop();
        if leaf.is_empty() {
            node.pop();
        }
        if node.is_empty() {
            self.root.pop();
        }
        self.len -= usize::from(item.is_some());
        item
    }

    /// Frees the last page, or its share of it. Whether there was one.
    pub fn free_page(&mut self) -> bool {
        let Some(node) = self.root.last_mut() else { return false };
        // A node that somebody else has as well is theirs to free.
        if let Some(node) = Arc::get_mut(node)
            && node.len() > 1
        {
            node.pop();
        } else {
            self.root.pop();
        }
        true
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

    #[test]
    fn freeing_page_by_page_ends() {
        let mut numbers = Paged::default();
        for number in 0..SPAN * 2 + 1 {
            numbers.push(number);
        }
        let other = numbers.clone();
        assert_eq!((0..).take_while(|_| numbers.free_page()).count(), 3);
        numbers = other;
        assert_eq!((0..).take_while(|_| numbers.free_page()).count(), 2 * FAN + 1);
    }
}
