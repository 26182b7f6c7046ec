//! The derivation tree: who gave what to whom, across all capability spaces and the messages between them.
//!
//! Every capability sits in a slot, and every slot is a node: a copy or a minted capability is a child of its original. A
//! space is a range of slots. Capabilities on their way in a message, and those that kernel objects hold (a cell's fault endpoint, a
//! timer's notification), sit in slots of a space that belongs to no cell, so a revocation finds them there too.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use hallows_abi::{Error, Handle, Rights};

use crate::slot::{Capability, Found, Slot};

/// No node.
pub const NIL: u32 = u32::MAX;

/// A space: a range of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Space {
    /// Its first slot's place in the table of all slots.
    pub base: u32,
    /// How many slots it has: a power of two.
    pub size: u32,
    /// Its first slot that was given back, or [`NIL`].
    free: u32,
    /// How many of its slots were ever taken: the others are free, and nothing of them was looked at when it was made.
    taken: u32,
}

impl Space {
    /// No slots at all.
    pub const NONE: Self = Self { base: 0, size: 0, free: NIL, taken: 0 };

    /// Where its slots end that were ever taken.
    #[must_use]
    pub const fn taken(&self) -> u32 {
        self.taken
    }
}

/// Links of one node. Of a free slot, only `next` counts: the next free slot of its space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Node {
    parent: u32,
    first_child: u32,
    next: u32,
    previous: u32,
    /// How many derivations lie above it, at most [`MAX_DEPTH`].
    depth: u8,
}

const UNLINKED: Node = Node { parent: NIL, first_child: NIL, next: NIL, previous: NIL, depth: 0 };

/// The longest chain of derivations: finding the end of one is part of a stretch under the tree's lock.
pub const MAX_DEPTH: u8 = 64;

/// The links of all nodes and the ranges that spaces are made from. Behind the tree's lock; the slots beside it are read
/// without.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tree {
    nodes: Box<[Node]>,
    /// Free ranges by the logarithm of their size.
    ranges: [Vec<u32>; 21],
    /// Slots from here on were never part of a space.
    fresh: u32,
}

/// A derived capability's difference from its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diminish {
    /// The rights kept: those of the original that are also here.
    pub rights: Rights,
    /// The new badge; 0 keeps the original's.
    pub badge: u64,
}

impl Diminish {
    /// No difference.
    pub const NONE: Self = Self { rights: Rights::ALL, badge: 0 };
}

impl Tree {
    /// A tree over so many slots, all outside of any space.
    #[must_use]
    pub fn new(slots: u32) -> Self {
        Self {
            nodes: vec![UNLINKED; slots as usize].into_boxed_slice(),
            ranges: Default::default(),
            fresh: 0,
        }
    }

    fn node(&self, place: u32) -> Node {
        self.nodes.get(place as usize).copied().unwrap_or(UNLINKED)
    }

    fn change(&mut self, place: u32, change: impl FnOnce(&mut Node)) {
        if let Some(node) = self.nodes.get_mut(place as usize) {
            change(node);
        }
    }

    /// Makes a space of at least `size` slots (rounded up to a power of two), all free.
    pub fn make_space(&mut self, size: u32) -> Result<Space, Error> {
        let order = size.max(1).next_power_of_two().trailing_zeros();
        let size = 1u32 << order;
        let base = match self.ranges.get_mut(order as usize).ok_or(Error::BadArgument)?.pop() {
            Some(base) => base,
            None => {
                let end = self.fresh.checked_add(size).ok_or(Error::TableFull)?;
                if end as usize > self.nodes.len() {
                    return Err(Error::TableFull);
                }
                core::mem::replace(&mut self.fresh, end)
            }
        };
        Ok(Space { base, size, free: NIL, taken: 0 })
    }

    /// Gives the range of a space back. Its slots must all be free.
    pub fn free_space(&mut self, space: &mut Space) {
        let order = space.size.trailing_zeros() as usize;
        if let Some(ranges) = self.ranges.get_mut(order)
            && space.size > 0
        {
            ranges.push(space.base);
        }
        *space = Space::NONE;
    }

    /// Takes a free slot of a space. One that was never taken begins its generations: every holder of a space finds its first
    /// capabilities under the same handles.
    pub fn take_slot(&mut self, slots: &[Slot], space: &mut Space) -> Result<u32, Error> {
        let place = if space.free != NIL {
            let place = space.free;
            space.free = self.node(place).next;
            place
        } else if space.taken < space.size {
            let place = space.base + space.taken;
            space.taken += 1;
            slots.get(place as usize).ok_or(Error::SpaceFull)?.reset();
            place
        } else {
            return Err(Error::SpaceFull);
        };
        self.change(place, |node| *node = UNLINKED);
        Ok(place)
    }

    /// Gives a slot back to its space; it must be empty and unlinked.
    pub fn return_slot(&mut self, space: &mut Space, place: u32) {
        let next = space.free;
        self.change(place, |node| *node = Node { next, ..UNLINKED });
        space.free = place;
    }

    /// Puts a first capability, derived from none, into a taken slot.
    pub fn plant(&mut self, slots: &[Slot], place: u32, capability: &Capability) {
        if let Some(slot) = slots.get(place as usize) {
            slot.fill(capability);
        }
    }

    /// Derives a child of what was found into a taken slot.
    ///
    /// # Errors
    /// `BadHandle` if the original is gone by now; `BadArgument` if it has a badge and another is asked for; `TooDeep`
    /// at the end of a chain of [`MAX_DEPTH`] derivations.
    pub fn derive(
        &mut self,
        slots: &[Slot],
        original: &Found,
        place: u32,
        difference: Diminish,
    ) -> Result<Capability, Error> {
        let from = original.via.slot;
        if !slots.get(from as usize).is_some_and(|slot| slot.still(original.via)) {
            return Err(Error::BadHandle);
        }
        if self.node(from).depth >= MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        let mut capability = original.capability;
        if difference.badge != 0 && difference.badge != capability.badge {
            if capability.badge != 0 {
                return Err(Error::BadArgument);
            }
            capability.badge = difference.badge;
        }
        capability.rights = capability.rights.intersection(difference.rights);
        slots.get(place as usize).ok_or(Error::SpaceFull)?.fill(&capability);
        self.link(from, place);
        Ok(capability)
    }

    fn link(&mut self, parent: u32, place: u32) {
        let Node { first_child: next, depth, .. } = self.node(parent);
        self.change(place, |node| {
            node.depth = depth + 1;
            node.parent = parent;
            node.next = next;
            node.previous = NIL;
        });
        self.change(next, |node| node.previous = place);
        self.change(parent, |node| node.first_child = place);
    }

    /// Moves a capability to a taken slot, with its place in the tree. The old slot is empty afterwards, and still taken.
    pub fn relocate(&mut self, slots: &[Slot], original: &Found, place: u32) -> Result<(), Error> {
        let from = original.via.slot;
        let old = slots.get(from as usize).ok_or(Error::BadHandle)?;
        if !old.still(original.via) {
            return Err(Error::BadHandle);
        }
        slots.get(place as usize).ok_or(Error::SpaceFull)?.fill(&original.capability);
        old.empty();
        let node = self.node(from);
        self.change(place, |new| *new = node);
        self.change(from, |old| *old = UNLINKED);
        if node.previous == NIL {
            self.change(node.parent, |parent| parent.first_child = place);
        } else {
            self.change(node.previous, |previous| previous.next = place);
        }
        self.change(node.next, |next| next.previous = place);
        let mut child = node.first_child;
        while child != NIL {
            self.change(child, |node| node.parent = place);
            child = self.node(child).next;
        }
        Ok(())
    }

    /// Empties a slot; its children become its parent's. The slot stays taken.
    pub fn delete(&mut self, slots: &[Slot], place: u32) {
        if let Some(slot) = slots.get(place as usize) {
            slot.empty();
        }
        let node = self.node(place);
        // The children take the place of the node among its siblings.
        let mut last = NIL;
        let mut child = node.first_child;
        while child != NIL {
            self.change(child, |child| child.parent = node.parent);
            last = child;
            child = self.node(child).next;
        }
        let (first, after) = if last == NIL { (node.next, node.previous) } else { (node.first_child, last) };
        if last != NIL {
            self.change(last, |last| last.next = node.next);
            self.change(node.first_child, |first| first.previous = node.previous);
        }
        self.change(node.next, |next| next.previous = after);
        if node.previous == NIL {
            self.change(node.parent, |parent| parent.first_child = first);
        } else {
            self.change(node.previous, |previous| previous.next = first);
        }
        self.change(place, |node| *node = UNLINKED);
    }

    /// How many slots of a space are free.
    #[must_use]
    pub fn free_slots(&self, space: &Space) -> usize {
        let returned = core::iter::successors(Some(space.free), |place| Some(self.node(*place).next));
        let returned = returned.take_while(|place| *place != NIL).take(space.size as usize + 1).count();
        returned + (space.size - space.taken) as usize
    }

    /// Whether so many slots of a space are free.
    #[must_use]
    pub fn has_free(&self, space: &Space, count: usize) -> bool {
        let count = count.saturating_sub((space.size - space.taken) as usize);
        let free = core::iter::successors(Some(space.free), |place| Some(self.node(*place).next));
        free.take_while(|place| *place != NIL).take(count).count() == count
    }

    /// Whether nothing can be derived from a slot's capability: see [`MAX_DEPTH`].
    #[must_use]
    pub fn is_deepest(&self, place: u32) -> bool {
        self.node(place).depth >= MAX_DEPTH
    }

    /// The slot that a slot's capability was derived from, if any.
    #[must_use]
    pub fn parent(&self, place: u32) -> Option<u32> {
        Some(self.node(place).parent).filter(|parent| *parent != NIL)
    }

    /// The slot that a slot's capability was derived from, if its links are as they should be on both sides.
    pub fn parent_of(&self, place: u32) -> Result<Option<u32>, &'static str> {
        let node = self.node(place);
        if node.parent == NIL {
            return if node.depth <= MAX_DEPTH { Ok(None) } else { Err("is too deep") };
        }
        let linked = if node.previous == NIL {
            self.node(node.parent).first_child == place
        } else {
            self.node(node.previous).next == place && self.node(node.previous).parent == node.parent
        };
        if !linked {
            return Err("is not among its parent's children");
        }
        if node.next != NIL && self.node(node.next).previous != place {
            return Err("is not before its next sibling");
        }
        Ok(Some(node.parent))
    }

    /// A descendant of a slot that has no descendants itself, if the slot has any.
    #[must_use]
    pub fn leaf_below(&self, place: u32) -> Option<u32> {
        let mut leaf = self.node(place).first_child;
        if leaf == NIL {
            return None;
        }
        loop {
            let child = self.node(leaf).first_child;
            if child == NIL {
                return Some(leaf);
            }
            leaf = child;
        }
    }
}

/// The handle by which the holder of a space names the capability at a place.
pub fn handle_of(slots: &[Slot], space: &Space, place: u32) -> Handle {
    slots
        .get(place as usize)
        .map_or(Handle::NULL, |slot| Handle::new(place.wrapping_sub(space.base), slot.generation()))
}
