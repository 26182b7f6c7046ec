//! All capability spaces of a machine: slots that every call reads, and the tree that changes them.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use hallows_abi::{Error, Handle, ObjectKind, TransferMode};

use crate::lock::{Guard, Lock, Token, level};
use crate::slot::{Capability, Found, Slot, Via};
use crate::sync::{AtomicU64, Ordering};
use crate::through::{Step, Steps};
use crate::tree::{Diminish, Space, Tree, handle_of};
use crate::{HandleList, TransferList};

/// The owner of slots that hold what is on its way or what a kernel object holds.
pub const HELD: u32 = u32::MAX;

/// The owner of slots in the held space whose capabilities do not keep their objects alive: of watches.
pub const WATCHING: u32 = u32::MAX - 1;

/// Capabilities on their way in a message: each in a slot of the held space, which its holder gives back. Nothing is
/// allocated for a message without any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::box_collection, reason = "one word in every message, not three")]
pub struct InFlight(Option<Box<Vec<Via>>>);

impl InFlight {
    /// None.
    pub const NONE: Self = Self(None);

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |vias| vias.len())
    }

    fn push(&mut self, via: Via) {
        self.0.get_or_insert_default().push(via);
    }

    fn iter(&self) -> impl Iterator<Item = Via> {
        self.0.iter().flat_map(|vias| vias.iter().copied())
    }
}

/// Where a cell's slots are, readable without a lock: base in the high half, size in the low.
#[derive(Debug, Default)]
struct Extent(AtomicU64);

/// How many slots name the object of a generation. Those that name an earlier object of the same index do not count.
#[derive(Clone, Copy, Debug, Default)]
struct References {
    generation: u32,
    count: u32,
}

/// What the tree's lock protects.
pub struct Inside {
    tree: Tree,
    /// One for each cell.
    spaces: Box<[Space]>,
    /// Whose space each cell uses: its own, but for further threads of a cell.
    shared: Box<[u32]>,
    held: Space,
    /// The cell that each slot belongs to, or [`HELD`].
    owners: Box<[u32]>,
    /// How many slots name each object, by kind and index.
    references: [Box<[References]>; 7],
}

/// The spaces of all cells.
pub struct Capabilities {
    slots: Box<[Slot]>,
    extents: Box<[Extent]>,
    inside: Lock<{ level::TREE }, Inside>,
}

/// The tree, locked.
pub struct Locked<'g> {
    slots: &'g [Slot],
    extents: &'g [Extent],
    inside: Guard<'g, Inside>,
    steps: Steps,
}

/// Capabilities that went with a protected call, and can come back as long as its handler has not run: the slots that moved ones have
/// left are kept for them. Given to [`Locked::settle`] or [`Locked::take_back`].
#[derive(Debug)]
#[must_use]
pub struct Carried(Box<CarriedAll>);

// Boxed: one word in every call, not four.
#[derive(Debug)]
struct CarriedAll {
    from: u32,
    items: Vec<CarriedOne>,
}

#[derive(Debug)]
struct CarriedOne {
    now: Via,
    /// The slot that it has left; none of a copy.
    origin: Option<u32>,
}

/// An object that no capability names any more: its owner ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Orphan {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its index in the table of its kind.
    pub index: u32,
    /// Which of the objects at that index.
    pub generation: u32,
}

impl Capabilities {
    /// Room for so many cells, objects of each kind, and slots.
    pub fn new(cells: u32, objects: u32, slots: u32) -> Self {
        let mut tree = Tree::new(slots);
        // An eighth of all slots is for capabilities on their way and held ones.
        let held = tree.make_space(slots / 8).unwrap_or(Space::NONE);
        let objects = objects.max(cells) as usize;
        Self {
            slots: (0..slots).map(|_| Slot::default()).collect(),
            extents: (0..cells).map(|_| Extent::default()).collect(),
            inside: Lock::new(Inside {
                tree,
                spaces: vec![Space::NONE; cells as usize].into_boxed_slice(),
                shared: (0..cells).collect(),
                held,
                owners: vec![HELD; slots as usize].into_boxed_slice(),
                references: core::array::from_fn(|_| vec![References::default(); objects].into_boxed_slice()),
            }),
        }
    }

    /// The capability that a cell's handle names.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "takes the halves apart")]
    pub fn find(&self, cell: u32, handle: Handle) -> Result<Found, Error> {
        // Relaxed: a cell's extent is set before its thread first runs, and cleared after it ended.
        let extent = self.extents.get(cell as usize).map_or(0, |extent| extent.0.load(Ordering::Relaxed));
        if handle.index() >= extent as u32 {
            return Err(Error::BadHandle);
        }
        let place = (extent >> 32) as u32 + handle.index();
        self.slots.get(place as usize).ok_or(Error::BadHandle)?.find(place, handle.generation())
    }

    /// Whether what was found is still there.
    #[inline]
    pub fn still(&self, via: Via) -> bool {
        via == Via::KERNEL || self.slots.get(via.slot as usize).is_some_and(|slot| slot.still(via))
    }

    /// A held capability, if it was not revoked.
    pub fn held(&self, via: Via) -> Option<Capability> {
        let found = self.slots.get(via.slot as usize)?.current(via.slot)?;
        (found.via == via).then_some(found.capability)
    }

    /// Takes the tree's lock.
    pub fn lock<'g, const M: u8>(
        &'g self,
        token: &'g mut Token<'_, M>,
    ) -> (Locked<'g>, Token<'g, { level::TREE }>) {
        let (inside, token) = self.inside.lock(token);
        (Locked { slots: &self.slots, extents: &self.extents, inside, steps: Steps::default() }, token)
    }
}

/// Whether a capability keeps its object not alive: a cell's of itself, and a watch's.
fn keeps_nothing(capability: &Capability, owner: u32) -> bool {
    owner == WATCHING || capability.kind == ObjectKind::Cell && capability.index == owner
}

impl Inside {
    /// The owner of the space that a cell uses.
    fn owner_for(&self, cell: u32) -> u32 {
        self.shared.get(cell as usize).copied().unwrap_or(cell)
    }

    fn count(&mut self, capability: &Capability, owner: u32) -> Option<&mut u32> {
        if keeps_nothing(capability, self.owner_for(owner)) {
            return None;
        }
        let references = self.references(capability)?;
        (references.generation == capability.generation).then_some(&mut references.count)
    }

    fn references(&mut self, capability: &Capability) -> Option<&mut References> {
        self.references.get_mut(capability.kind as usize - 1)?.get_mut(capability.index as usize)
    }

    fn space(&mut self, owner: u32) -> &mut Space {
        let owner = self.owner_for(owner);
        match self.spaces.get_mut(owner as usize) {
            Some(space) => space,
            None => &mut self.held,
        }
    }

    fn take(&mut self, slots: &[Slot], owner: u32) -> Result<u32, Error> {
        let mut space = *self.space(owner);
        let place = self
            .tree
            .take_slot(slots, &mut space)
            .map_err(|error| if owner >= WATCHING { Error::TableFull } else { error })?;
        *self.space(owner) = space;
        let owner = self.owner_for(owner);
        if let Some(slot) = self.owners.get_mut(place as usize) {
            *slot = owner;
        }
        Ok(place)
    }

    fn give_back(&mut self, owner: u32, place: u32) {
        let mut space = *self.space(owner);
        self.tree.return_slot(&mut space, place);
        *self.space(owner) = space;
    }

    fn owner(&self, place: u32) -> u32 {
        self.owners.get(place as usize).copied().unwrap_or(HELD)
    }
}

impl Locked<'_> {
    /// Gives a cell a space of at least `size` slots, with slot 0 never used.
    pub fn open_space(&mut self, cell: u32, size: u32) -> Result<(), Error> {
        let mut space = self.inside.tree.make_space(size)?;
        // Slot 0 stays empty, so that a handle of all zeroes names nothing.
        self.inside.tree.take_slot(self.slots, &mut space)?;
        if let Some(extent) = self.extents.get(cell as usize) {
            extent.0.store(u64::from(space.base) << 32 | u64::from(space.size), Ordering::Relaxed);
        }
        *self.inside.space(cell) = space;
        Ok(())
    }

    /// Lets a cell that has none use the space of another, until [`Self::leave_space`].
    pub fn share_space(&mut self, cell: u32, other: u32) {
        let extent = |cell: u32| self.extents.get(cell as usize);
        if let (Some(own), Some(others), Some(shared)) =
            (extent(cell), extent(other), self.inside.shared.get_mut(cell as usize))
        {
            own.0.store(others.0.load(Ordering::Relaxed), Ordering::Relaxed);
            *shared = other;
        }
    }

    /// Ends that: the space stays with its owner.
    pub fn leave_space(&mut self, cell: u32) {
        if let (Some(extent), Some(shared)) =
            (self.extents.get(cell as usize), self.inside.shared.get_mut(cell as usize))
        {
            extent.0.store(0, Ordering::Relaxed);
            *shared = cell;
        }
    }

    /// Takes an empty space away from a cell.
    pub fn close_space(&mut self, cell: u32) {
        if let Some(extent) = self.extents.get(cell as usize) {
            extent.0.store(0, Ordering::Relaxed);
        }
        let mut space = *self.inside.space(cell);
        // All of its slots are free but slot 0, which goes with the range.
        self.inside.tree.free_space(&mut space);
        *self.inside.space(cell) = space;
    }

    /// Puts a first capability of an object into a cell's space (or the held one).
    pub fn plant(&mut self, owner: u32, capability: &Capability) -> Result<Found, Error> {
        let place = self.inside.take(self.slots, owner)?;
        self.inside.tree.plant(self.slots, place, capability);
        let generation = capability.generation;
        // Not back again: the object may have ended before its first capability was there, and another have begun.
        if let Some(references) = self.inside.references(capability)
            && generation.wrapping_sub(references.generation).cast_signed() > 0
        {
            *references = References { generation, count: 0 };
        }
        if let Some(count) = self.inside.count(capability, owner) {
            *count += 1;
        }
        self.slots.get(place as usize).and_then(|slot| slot.current(place)).ok_or(Error::SpaceFull)
    }

    /// Derives a child into a cell's space (or the held one).
    pub fn derive(&mut self, original: &Found, owner: u32, difference: Diminish) -> Result<Found, Error> {
        let place = self.inside.take(self.slots, owner)?;
        match self.inside.tree.derive(self.slots, original, place, difference) {
            Ok(capability) => {
                if let Some(count) = self.inside.count(&capability, owner) {
                    *count += 1;
                }
                self.slots.get(place as usize).and_then(|slot| slot.current(place)).ok_or(Error::SpaceFull)
            }
            Err(error) => {
                self.inside.give_back(owner, place);
                Err(error)
            }
        }
    }

    /// Moves a capability into a cell's space (or the held one).
    pub fn relocate(&mut self, original: &Found, owner: u32) -> Result<Found, Error> {
        let moved = self.relocate_keeping(original, owner)?;
        let from = self.inside.owner(original.via.slot);
        self.inside.give_back(from, original.via.slot);
        Ok(moved)
    }

    /// The same, and the slot that it leaves stays taken.
    fn relocate_keeping(&mut self, original: &Found, owner: u32) -> Result<Found, Error> {
        let place = self.inside.take(self.slots, owner)?;
        if let Err(error) = self.inside.tree.relocate(self.slots, original, place) {
            self.inside.give_back(owner, place);
            return Err(error);
        }
        self.has_moved(original, place)
    }

    /// The books of a move.
    fn has_moved(&mut self, original: &Found, place: u32) -> Result<Found, Error> {
        let Found { capability, via } = original;
        let (from, to) = (self.inside.owner(via.slot), self.inside.owner(place));
        if let Some(count) = self.inside.count(capability, from) {
            *count -= 1;
        }
        if let Some(count) = self.inside.count(capability, to) {
            *count += 1;
        }
        let moved = self.slots.get(place as usize).and_then(|slot| slot.current(place));
        let moved = moved.ok_or(Error::SpaceFull)?;
        self.steps.moved(capability, *via, moved.via);
        Ok(moved)
    }

    /// What was moved and deleted under this hold of the lock: what came through it follows before the lock is given back.
    pub fn take_steps(&mut self) -> Vec<Step> {
        self.steps.take()
    }

    /// Deletes the capability in a slot. A held slot stays with its holder, empty; another is free again.
    pub fn delete(&mut self, place: u32) -> Option<Orphan> {
        let found = self.slots.get(place as usize)?.current(place)?;
        let parent = self.inside.tree.parent(place);
        let parent = parent.and_then(|parent| self.slots.get(parent as usize)?.current(parent));
        self.steps.deleted(&found.capability, found.via, parent.map(|parent| parent.via));
        self.end(place)
    }

    /// Deletes the capability in a slot for a revocation, which ends what came through it.
    pub fn end(&mut self, place: u32) -> Option<Orphan> {
        let capability = self.slots.get(place as usize)?.current(place)?.capability;
        let owner = self.inside.owner(place);
        self.inside.tree.delete(self.slots, place);
        if owner < WATCHING {
            self.inside.give_back(owner, place);
        }
        let count = self.inside.count(&capability, owner)?;
        *count -= 1;
        (*count == 0).then_some(Orphan {
            kind: capability.kind,
            index: capability.index,
            generation: capability.generation,
        })
    }

    /// Deletes a held capability, if it is still there, and takes its slot back from the holder.
    pub fn release(&mut self, via: Via) -> Option<Orphan> {
        if via == Via::KERNEL {
            return None;
        }
        let orphan = match self.slots.get(via.slot as usize) {
            Some(slot) if slot.still(via) => self.delete(via.slot),
            _ => None,
        };
        self.inside.give_back(HELD, via.slot);
        orphan
    }

    /// The next descendant of a slot to delete.
    pub fn leaf_below(&self, place: u32) -> Option<Found> {
        let leaf = self.inside.tree.leaf_below(place)?;
        self.slots.get(leaf as usize)?.current(leaf)
    }

    /// The first capability in a cell's space at or behind a slot index.
    pub fn next_in_space(&mut self, cell: u32, from: u32) -> Option<(u32, Found)> {
        let space = *self.inside.space(cell);
        (from.max(1)..space.taken()).find_map(|index| {
            let place = space.base + index;
            Some((index, self.slots.get(place as usize)?.current(place)?))
        })
    }

    /// The handle by which a cell names what was found in its space.
    pub fn handle(&mut self, cell: u32, found: &Found) -> Handle {
        let space = *self.inside.space(cell);
        handle_of(self.slots, &space, found.via.slot)
    }

    /// Whether capabilities can go with a message that goes through `through`: everything is looked at before anything is moved.
    ///
    /// # Errors
    /// `BadHandle`, `NoRight`, `TooDeep`; `BadArgument` of one that is moved and named again, also as the one that the message goes
    /// through.
    pub fn check(
        &self,
        find: impl Fn(Handle) -> Result<Found, Error>,
        transfers: &TransferList,
        through: Via,
    ) -> Result<(), Error> {
        for (place, transfer) in transfers.as_slice().iter().enumerate() {
            let found = find(transfer.handle)?;
            if !found.capability.rights.contains(hallows_abi::Rights::TRANSFER) {
                return Err(Error::NoRight);
            }
            let is_move = transfer.mode == TransferMode::Move;
            if !is_move && self.inside.tree.is_deepest(found.via.slot) {
                return Err(Error::TooDeep);
            }
            let again =
                transfers.as_slice().iter().skip(place + 1).any(|other| other.handle == transfer.handle);
            if is_move && (again || found.via == through) {
                return Err(Error::BadArgument);
            }
        }
        Ok(())
    }

    /// Puts the capabilities that go with a message, which were looked at under this hold of the lock, on their way. All or none.
    ///
    /// # Errors
    /// `TableFull`.
    pub fn dispatch(
        &mut self,
        find: impl Fn(Handle) -> Result<Found, Error>,
        transfers: &TransferList,
    ) -> Result<InFlight, Error> {
        let mut flight = InFlight::NONE;
        if !self.inside.tree.has_free(&self.inside.held, transfers.as_slice().len()) {
            return Err(Error::TableFull);
        }
        for transfer in transfers.as_slice() {
            let sent = find(transfer.handle).and_then(|found| match transfer.mode {
                TransferMode::Copy => {
                    self.derive(&found, HELD, Diminish { rights: transfer.rights, badge: 0 })
                }
                TransferMode::Move => self.relocate(&found, HELD),
            });
            match sent {
                Ok(found) => flight.push(found.via),
                Err(error) => {
                    // Nothing that was looked at above comes to this.
                    for via in flight.iter() {
                        let _ = self.release(via);
                    }
                    return Err(error);
                }
            }
        }
        Ok(flight)
    }

    /// Gives capabilities, which were looked at under this hold of the lock, from one cell's space into another's. All or none.
    ///
    /// # Errors
    /// `SpaceFull`.
    pub fn carry(
        &mut self,
        find: impl Fn(Handle) -> Result<Found, Error>,
        transfers: &TransferList,
        (from, to): (u32, u32),
        handles: &mut HandleList,
    ) -> Result<Carried, Error> {
        let (space, count) = (*self.inside.space(to), transfers.as_slice().len());
        let mut carried = Carried(Box::new(CarriedAll { from, items: Vec::with_capacity(count) }));
        if !self.inside.tree.has_free(&space, count) {
            return Err(Error::SpaceFull);
        }
        for transfer in transfers.as_slice() {
            let given = find(transfer.handle).and_then(|found| match transfer.mode {
                TransferMode::Copy => {
                    let copy = self.derive(&found, to, Diminish { rights: transfer.rights, badge: 0 })?;
                    Ok((copy, None))
                }
                TransferMode::Move => Ok((self.relocate_keeping(&found, to)?, Some(found.via.slot))),
            });
            match given {
                Ok((found, origin)) => {
                    let handle = self.handle(to, &found);
                    let _ = handles.push(handle);
                    carried.0.items.push(CarriedOne { now: found.via, origin });
                }
                Err(error) => {
                    // Nothing that was looked at before comes to this; and what was just derived is nobody's last.
                    self.take_back(&carried, |_| ());
                    return Err(error);
                }
            }
        }
        Ok(carried)
    }

    /// The receiver has what was carried: the slots that were kept are free.
    pub fn settle(&mut self, carried: &Carried) {
        for origin in carried.0.items.iter().filter_map(|one| one.origin) {
            self.inside.give_back(carried.0.from, origin);
        }
    }

    /// What was carried comes back as if it had never left, moved ones under the handles that they had; what was revoked meanwhile stays
    /// gone. Nothing was done with it in between.
    pub fn take_back(&mut self, carried: &Carried, mut orphaned: impl FnMut(Orphan)) {
        for one in carried.0.items.iter().rev() {
            let place = one.now.slot;
            let found = self.slots.get(place as usize).and_then(|slot| slot.current(place));
            match (found.filter(|found| found.via == one.now), one.origin) {
                (Some(found), Some(origin)) => self.restore(&found, origin),
                (Some(_), None) => {
                    if let Some(orphan) = self.delete(place) {
                        orphaned(orphan);
                    }
                }
                (None, Some(origin)) => self.inside.give_back(carried.0.from, origin),
                (None, None) => {}
            }
        }
    }

    /// Moves a capability back into the slot that it left and that was kept.
    fn restore(&mut self, found: &Found, origin: u32) {
        let Some(slot) = self.slots.get(origin as usize) else { return };
        slot.rewind();
        if self.inside.tree.relocate(self.slots, found, origin).is_ok()
            && self.has_moved(found, origin).is_ok()
        {
            let owner = self.inside.owner(found.via.slot);
            self.inside.give_back(owner, found.via.slot);
        }
    }

    /// Whether a cell's space has a free slot for everything on its way that was not revoked.
    pub fn has_room(&mut self, flight: &InFlight, cell: u32) -> bool {
        let there = flight
            .iter()
            .filter(|via| self.slots.get(via.slot as usize).is_some_and(|slot| slot.still(*via)));
        let (count, space) = (there.count(), *self.inside.space(cell));
        self.inside.tree.has_free(&space, count)
    }

    /// Puts capabilities that arrived into a cell's space. A revoked one arrives as [`Handle::NULL`]; what finds no slot is
    /// dropped, and the error says so.
    pub fn arrive(
        &mut self,
        flight: &InFlight,
        cell: u32,
        handles: &mut HandleList,
        mut orphaned: impl FnMut(Orphan),
    ) -> Result<(), Error> {
        let mut result = Ok(());
        for via in flight.iter() {
            let found = self.slots.get(via.slot as usize).and_then(|slot| slot.current(via.slot));
            let handle = match found.filter(|found| found.via == via) {
                None => {
                    self.inside.give_back(HELD, via.slot);
                    Handle::NULL
                }
                Some(found) => match self.relocate(&found, cell) {
                    Ok(found) => self.handle(cell, &found),
                    Err(error) => {
                        result = Err(error);
                        if let Some(orphan) = self.release(via) {
                            orphaned(orphan);
                        }
                        Handle::NULL
                    }
                },
            };
            let _ = handles.push(handle);
        }
        result
    }

    /// How many capabilities are in spaces; and how many slots of the held space are taken, whether or not revoked meanwhile.
    pub fn count_all(&mut self) -> (usize, usize) {
        let owners = self.inside.owners.iter().zip(self.slots).zip(0u32..);
        let filled = owners
            .filter(|((owner, slot), place)| **owner < WATCHING && slot.current(*place).is_some())
            .count();
        let held = self.inside.held;
        (filled, held.size as usize - self.inside.tree.free_slots(&held))
    }

    /// What is wrong with the books: a child that can more than its parent or names another object, broken links, wrong counts of
    /// references, slots that are neither free nor filled.
    pub fn contradictions(&mut self, wrong: &mut Vec<alloc::string::String>) {
        use alloc::format;
        let mut references: [Vec<u32>; 7] = core::array::from_fn(|kind| {
            vec![0; self.inside.references.get(kind).map_or(0, |counts| counts.len())]
        });
        let current = |inside: &mut Inside, capability: &Capability| {
            inside.references(capability).is_some_and(|noted| noted.generation == capability.generation)
        };
        for (slot, place) in self.slots.iter().zip(0u32..) {
            let Some(Found { capability, .. }) = slot.current(place) else { continue };
            let owner = self.inside.owner(place);
            if !keeps_nothing(&capability, owner)
                && current(&mut self.inside, &capability)
                && let Some(count) = references
                    .get_mut(capability.kind as usize - 1)
                    .and_then(|counts| counts.get_mut(capability.index as usize))
            {
                *count += 1;
            }
            match self.inside.tree.parent_of(place) {
                Err(what) => wrong.push(format!("slot {place} {what}")),
                Ok(None) => {}
                Ok(Some(parent)) => {
                    let above = self.slots.get(parent as usize).and_then(|slot| slot.current(parent));
                    let proper = above.is_some_and(|Found { capability: above, .. }| {
                        above.rights.contains(capability.rights)
                            && (above.kind, above.index, above.generation)
                                == (capability.kind, capability.index, capability.generation)
                    });
                    if !proper {
                        wrong.push(format!("slot {place} has {capability:?} out of {above:?}"));
                    }
                }
            }
        }
        for (kind, (counted, noted)) in references.iter().zip(&self.inside.references).enumerate() {
            for (index, (counted, noted)) in counted.iter().zip(noted).enumerate() {
                let noted = noted.count;
                if *counted != noted {
                    wrong.push(format!(
                        "object {index} of kind {} has {counted} references, not {noted}",
                        kind + 1
                    ));
                }
            }
        }
        for (space, cell) in self.inside.spaces.iter().zip(0u32..).filter(|(space, _)| space.size > 0) {
            let filled = (space.base..space.base + space.size)
                .filter(|place| {
                    self.slots.get(*place as usize).is_some_and(|slot| slot.current(*place).is_some())
                })
                .count();
            let free = self.inside.tree.free_slots(space);
            // Slot 0 is neither.
            if filled + free + 1 != space.size as usize {
                wrong.push(format!("cell {cell} has {} slots, {filled} filled, {free} free", space.size));
            }
        }
    }

    /// Drops capabilities that will not arrive.
    pub fn drop_flight(&mut self, flight: &InFlight, mut orphaned: impl FnMut(Orphan)) {
        for via in flight.iter() {
            if let Some(orphan) = self.release(via) {
                orphaned(orphan);
            }
        }
    }
}
