//! A sequence with places: a B+ tree that counts (order statistics), whose nodes are shared by clones until one side changes them.
//!
//! A clone costs one pointer. Insertion, removal and access by place cost a way down the tree; the first change after a clone copies the nodes on
//! that way, of at most [`WIDTH`] entries each.

use alloc::sync::Arc;
use alloc::vec::Vec;

/// The most entries of a node.
const WIDTH: usize = 32;

#[derive(Clone, Debug)]
enum Node<T> {
    Leaf(Vec<T>),
    Inner(Vec<Child<T>>),
}

#[derive(Clone, Debug)]
struct Child<T> {
    /// Items below it.
    count: usize,
    node: Arc<Node<T>>,
}

/// The sequence.
#[derive(Clone, Debug)]
pub struct Sequence<T> {
    root: Child<T>,
}

impl<T> Default for Sequence<T> {
    fn default() -> Self {
        Self { root: Child { count: 0, node: Arc::new(Node::Leaf(Vec::new())) } }
    }
}

impl<T: Clone> Node<T> {
    const fn width(&self) -> usize {
        match self {
            Self::Leaf(items) => items.len(),
            Self::Inner(children) => children.len(),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Leaf(items) => items.len(),
            Self::Inner(children) => children.iter().map(|child| child.count).sum(),
        }
    }

    /// Its entries from a place on, as a node of their own.
    fn split_off(&mut self, at: usize) -> Self {
        match self {
            Self::Leaf(items) => Self::Leaf(items.split_off(at)),
            Self::Inner(children) => Self::Inner(children.split_off(at)),
        }
    }
}

impl<T: Clone> Child<T> {
    fn new(node: Node<T>) -> Self {
        Self { count: node.count(), node: Arc::new(node) }
    }

    /// Puts an item before the one at a place; a new sibling behind this one, if it had to be split.
    fn insert(&mut self, at: usize, item: T) -> Option<Self> {
        let is_end = at == self.count;
        self.count += 1;
        let node = Arc::make_mut(&mut self.node);
        match node {
            Node::Leaf(items) => items.insert(at.min(items.len()), item),
            Node::Inner(children) => {
                let (place, at) = below(children, at, true)?;
                if let Some(new) = children.get_mut(place)?.insert(at, item) {
                    children.insert(place + 1, new);
                }
            }
        }
        if node.width() <= WIDTH {
            return None;
        }
        // Who only adds at an end leaves full nodes behind.
        let split = match (is_end, at) {
            (true, _) => WIDTH,
            (false, 0) => 1,
            _ => WIDTH / 2,
        };
        let new = Self::new(node.split_off(split));
        self.count -= new.count;
        Some(new)
    }

    fn remove(&mut self, at: usize) -> Option<T> {
        let removed = match Arc::make_mut(&mut self.node) {
            Node::Leaf(items) => (at < items.len()).then(|| items.remove(at)),
            Node::Inner(children) => {
                let (place, at) = below(children, at, false)?;
                let removed = children.get_mut(place)?.remove(at);
                tidy(children, place);
                removed
            }
        };
        self.count -= usize::from(removed.is_some());
        removed
    }
}

/// Which child has a place, and where it is there. Who inserts at an end may also be behind the last item of one.
fn below<T>(children: &[Child<T>], mut at: usize, inserts: bool) -> Option<(usize, usize)> {
    for (place, child) in children.iter().enumerate() {
        if at < child.count || (inserts && at == child.count) {
            return Some((place, at));
        }
        at -= child.count;
    }
    None
}

/// Takes an empty child away, and joins a thin one with a neighbour.
fn tidy<T: Clone>(children: &mut Vec<Child<T>>, place: usize) {
    let Some(child) = children.get(place) else { return };
    if child.count == 0 {
        children.remove(place);
        return;
    }
    if child.node.width() >= WIDTH / 4 || children.len() < 2 {
        return;
    }
    let first = place.min(children.len() - 2);
    let [a, b] = &children[first..first + 2] else { return };
    if a.node.width() + b.node.width() > WIDTH / 4 * 3 {
        return;
    }
    let second = children.remove(first + 1);
    let joined = &mut children[first];
    joined.count += second.count;
    match (Arc::make_mut(&mut joined.node), &*second.node) {
        (Node::Leaf(a), Node::Leaf(b)) => a.extend_from_slice(b),
        (Node::Inner(a), Node::Inner(b)) => a.extend_from_slice(b),
        // All leaves are equally deep.
        _ => {}
    }
}

impl<T: Clone> Sequence<T> {
    /// How many items it has.
    pub const fn len(&self) -> usize {
        self.root.count
    }

    /// The leaf that has a place, and where it is there.
    fn leaf(&self, mut at: usize) -> Option<(&[T], usize)> {
        let mut node = &*self.root.node;
        loop {
            match node {
                Node::Leaf(items) => return Some((items, at)),
                Node::Inner(children) => {
                    let (place, below) = below(children, at, false)?;
                    at = below;
                    node = &children.get(place)?.node;
                }
            }
        }
    }

    /// The item at a place.
    pub fn get(&self, at: usize) -> Option<&T> {
        let (items, at) = self.leaf(at)?;
        items.get(at)
    }

    /// Some items from a place on, at least one if there are any.
    pub fn from(&self, at: usize) -> &[T] {
        self.leaf(at).and_then(|(items, at)| items.get(at..)).unwrap_or_default()
    }

    /// Some items up to a place and with it, at least one if there are any.
    pub fn up_to(&self, at: usize) -> &[T] {
        self.leaf(at).and_then(|(items, at)| items.get(..=at)).unwrap_or_default()
    }

    /// Puts an item before the one at a place, at most at the end.
    pub fn insert(&mut self, at: usize, item: T) {
        let at = at.min(self.len());
        if let Some(new) = self.root.insert(at, item) {
            let old = core::mem::replace(
                &mut self.root,
                Child { count: 0, node: Arc::new(Node::Inner(Vec::new())) },
            );
            self.root =
                Child { count: old.count + new.count, node: Arc::new(Node::Inner(alloc::vec![old, new])) };
        }
    }

    /// Adds an item at the end.
    pub fn push(&mut self, item: T) {
        self.insert(self.len(), item);
    }

    /// Takes an item out.
    pub fn remove(&mut self, at: usize) -> Option<T> {
        if at >= self.len() {
            return None;
        }
        let removed = self.root.remove(at);
        while let Node::Inner(children) = &*self.root.node
            && let [only] = &**children
        {
            self.root = only.clone();
        }
        if self.root.count == 0 {
            *self = Self::default();
        }
        removed
    }

    /// Puts another item into a place; the one that was there.
    pub fn replace(&mut self, mut at: usize, item: T) -> Option<T> {
        let mut node = Arc::make_mut(&mut self.root.node);
        loop {
            match node {
                Node::Leaf(items) => return items.get_mut(at).map(|old| core::mem::replace(old, item)),
                Node::Inner(children) => {
                    let (place, below) = below(children, at, false)?;
                    at = below;
                    node = Arc::make_mut(&mut children.get_mut(place)?.node);
                }
            }
        }
    }

    /// How many items come before the first one for which this is not so: those are all at the front.
    pub fn partition_point(&self, mut is_before: impl FnMut(&T) -> bool) -> usize {
        let (mut node, mut before) = (&*self.root.node, 0);
        loop {
            match node {
                Node::Leaf(items) => return before + items.partition_point(is_before),
                Node::Inner(children) => {
                    let mut ends = |child: &Child<T>| last(&child.node).is_some_and(&mut is_before);
                    let place = children.partition_point(&mut ends);
                    before += children.iter().take(place).map(|child| child.count).sum::<usize>();
                    let Some(child) = children.get(place) else { return before };
                    node = &child.node;
                }
            }
        }
    }

    /// Frees some of it, at most so many nodes or so; whether there is nothing left. Only for one that nobody asks any more.
    pub fn free_some(&mut self) -> bool {
        loop {
            let Some(Node::Inner(children)) = Arc::get_mut(&mut self.root.node) else {
                *self = Self::default();
                return true;
            };
            let Some(mut last) = children.pop() else {
                *self = Self::default();
                return true;
            };
            // A subtree that nobody else has is opened first: its nodes take the place of their parent.
            if let Some(Node::Inner(below)) = Arc::get_mut(&mut last.node)
                && !below.is_empty()
            {
                children.append(below);
                continue;
            }
            return false;
        }
    }
}

/// The last item of a subtree.
fn last<T>(mut node: &Node<T>) -> Option<&T> {
    loop {
        match node {
            Node::Leaf(items) => return items.last(),
            Node::Inner(children) => node = &children.last()?.node,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(sequence: &Sequence<u32>) -> Vec<u32> {
        let (mut all, mut at) = (Vec::new(), 0);
        while at < sequence.len() {
            let some = sequence.from(at);
            all.extend_from_slice(some);
            at += some.len();
        }
        all
    }

    proptest! {
        #[test]
        fn it_is_a_vector_whose_clones_stay(steps in prop::collection::vec((0..4_u8, any::<u16>()), 0..3_000)) {
            let (mut sequence, mut model): (Sequence<u32>, Vec<u32>) = Default::default();
            let mut kept = Vec::new();
            for (number, (what, at)) in (0..).zip(steps) {
                let at = usize::from(at) % (model.len() + 1);
                match what {
                    0 => { sequence.insert(at, number); model.insert(at, number); }
                    1 => { sequence.push(number); model.push(number); }
                    2 => {
                        let gone = (at < model.len()).then(|| model.remove(at));
                        prop_assert_eq!(sequence.remove(at), gone);
                    }
                    _ if at < model.len() => {
                        prop_assert_eq!(sequence.replace(at, number), Some(core::mem::replace(&mut model[at], number)));
                    }
                    _ => {}
                }
                prop_assert_eq!(sequence.len(), model.len());
                if number % 500 == 0 { kept.push((sequence.clone(), model.clone())); }
            }
            kept.push((sequence, model));
            for (sequence, model) in kept {
                prop_assert_eq!(all(&sequence), model);
            }
        }

        #[test]
        fn places_are_found_by_order(mut numbers in prop::collection::vec(0..500_u32, 0..2_000), bound in 0..600_u32) {
            let mut sequence = Sequence::default();
            for number in &numbers {
                let at = sequence.partition_point(|other| other < number);
                sequence.insert(at, *number);
            }
            numbers.sort_unstable();
            prop_assert_eq!(sequence.partition_point(|number| *number < bound), numbers.partition_point(|number| *number < bound));
            prop_assert_eq!(all(&sequence), numbers);
        }
    }

    #[test]
    fn freeing_it_piece_by_piece_ends_and_leaves_clones_alone() {
        let mut sequence = Sequence::default();
        (0..100_000).for_each(|number| sequence.push(number));
        let clone = sequence.clone();
        while !sequence.free_some() {}
        assert_eq!(clone.len(), 100_000);
        assert_eq!(clone.get(99_999), Some(&99_999));
        let mut sequence = clone;
        let steps = (0..).take_while(|_| !sequence.free_some()).count();
        assert!(steps > 3_000, "{steps} pieces");
    }
}
