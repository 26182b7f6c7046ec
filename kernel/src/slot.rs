//! Capability slots: written under the tree's lock, read without any by every call.
//!
//! A slot is a sequence lock whose sequence is the capability itself: the head word holds the slot's generation, the
//! object's kind and index and the rights, and is emptied before and filled after the other words change. A reader that finds the
//! same head before and after has read one capability (Boehm, "Can seqlocks get along with programming language memory
//! models?", MSPC 2012).

use hallows_abi::{Error, Handle, ObjectKind, Rights};

use crate::sync::{AtomicU32, AtomicU64, Ordering, beside_sequentially_consistent_access, fence};

/// What a capability says: an object, rights, a badge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Capability {
    /// The object's kind.
    pub kind: ObjectKind,
    /// Its index in the table of its kind.
    pub index: u32,
    /// Which of the objects that lived at that index it is.
    pub generation: u32,
    /// What the capability allows.
    pub rights: Rights,
    /// What the holder cannot change and the server sees.
    pub badge: u64,
}

impl Capability {
    /// The object that it names.
    #[must_use]
    pub const fn name(&self) -> Name {
        Name { index: self.index, generation: self.generation }
    }
}

/// An object: the one of that generation at an index of the table of its kind. Others may live there before and after it, so whoever does
/// something to what is at the index looks at the generation under the lock that the object's end takes, or behind what it has read there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// Its place.
    pub index: u32,
    /// Which of the objects that lived there.
    pub generation: u32,
}

/// A capability that was found, and where: to look again whether it is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Found {
    /// What it says.
    pub capability: Capability,
    /// Where it was found.
    pub via: Via,
}

/// A capability's place at a moment: stale as soon as the slot is emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Via {
    /// The slot's index in the table of all slots.
    pub slot: u32,
    /// The slot's head at that moment.
    pub head: u64,
}

impl Via {
    /// Whether nothing was in the slot before it, since its space was made (a slot's generations begin anew after 4,096).
    #[must_use]
    pub const fn is_first_of_slot(self) -> bool {
        self.head >> 52 == 0
    }

    /// No slot: for messages that the kernel itself sends.
    pub const KERNEL: Self = Self { slot: u32::MAX, head: 0 };
}

/// One slot.
#[derive(Debug, Default)]
pub struct Slot {
    /// Generation in bits 52 to 63, kind in 48 to 51 (0: empty), rights in 32 to 47, object index in 0 to 31.
    head: AtomicU64,
    object_generation: AtomicU32,
    badge: AtomicU64,
}

const GENERATION_MASK: u64 = (1 << Handle::GENERATION_BITS) - 1;

fn pack(generation: u64, capability: &Capability) -> u64 {
    generation << 52
        | (capability.kind as u64) << 48
        | u64::from(capability.rights.0) << 32
        | u64::from(capability.index)
}

#[expect(clippy::cast_possible_truncation, reason = "takes the parts apart")]
fn unpack(head: u64) -> Option<(ObjectKind, Rights, u32)> {
    let kind = match head >> 48 & 15 {
        1 => ObjectKind::Endpoint,
        2 => ObjectKind::Notification,
        3 => ObjectKind::Timer,
        4 => ObjectKind::Budget,
        5 => ObjectKind::Region,
        6 => ObjectKind::Cell,
        7 => ObjectKind::Program,
        _ => return None,
    };
    Some((kind, Rights((head >> 32) as u16), head as u32))
}

impl Slot {
    /// The capability in the slot at `place`, if it is of that generation of the slot.
    #[inline]
    pub fn find(&self, place: u32, generation: u32) -> Result<Found, Error> {
        // Acquire: the other words belong to this head.
        let head = self.head.load(Ordering::Acquire);
        if head >> 52 != u64::from(generation) {
            return Err(Error::BadHandle);
        }
        let (kind, rights, index) = unpack(head).ok_or(Error::BadHandle)?;
        let object_generation = self.object_generation.load(Ordering::Relaxed);
        let badge = self.badge.load(Ordering::Relaxed);
        // Pairs with the fence in `fill`: who has read a later capability's words sees the head emptied.
        fence(Ordering::Acquire);
        if self.head.load(Ordering::Relaxed) != head {
            return Err(Error::BadHandle);
        }
        let capability = Capability { kind, index, generation: object_generation, rights, badge };
        Ok(Found { capability, via: Via { slot: place, head } })
    }

    /// The capability in the slot, whatever its generation.
    pub fn current(&self, place: u32) -> Option<Found> {
        let generation = u32::try_from(self.head.load(Ordering::Acquire) >> 52).ok()?;
        self.find(place, generation).ok()
    }

    /// Whether what was found here is still here. Sequentially consistent, against [`Self::empty`]: see `monitor.rs`.
    #[inline]
    pub fn still(&self, via: Via) -> bool {
        beside_sequentially_consistent_access();
        self.head.load(Ordering::SeqCst) == via.head
    }

    /// The slot's generation: what a handle to its present or next capability carries.
    pub fn generation(&self) -> u32 {
        (self.head.load(Ordering::Relaxed) >> 52 & GENERATION_MASK).try_into().unwrap_or(0)
    }

    /// Begins the slot's generations anew, for a new holder: nobody has handles to it yet. Under the tree's lock, of an empty slot.
    pub fn reset(&self) {
        // Relaxed: empty before and after, it is no capability to whoever reads either.
        self.head.store(0, Ordering::Relaxed);
    }

    /// Makes the handle valid again that the last [`Self::empty`] made stale: the capability that was taken out then comes back next. Under
    /// the tree's lock, of a slot that nothing else was in since. A reader that began before sees the same words again.
    pub fn rewind(&self) {
        let generation = (self.head.load(Ordering::Relaxed) >> 52).wrapping_sub(1) & GENERATION_MASK;
        self.head.store(generation << 52, Ordering::SeqCst);
    }

    /// Puts a capability into an empty slot. Under the tree's lock.
    pub fn fill(&self, capability: &Capability) {
        let generation = self.head.load(Ordering::Relaxed) >> 52;
        // Pairs with the fence in `find`.
        fence(Ordering::Release);
        self.object_generation.store(capability.generation, Ordering::Relaxed);
        self.badge.store(capability.badge, Ordering::Relaxed);
        self.head.store(pack(generation, capability), Ordering::Release);
    }

    /// Empties the slot and makes every handle to it stale. Under the tree's lock. Sequentially consistent: who looks at a monitor
    /// or takes an inbox's lock afterwards sees every call that passed its last look at this slot.
    pub fn empty(&self) {
        let generation = ((self.head.load(Ordering::Relaxed) >> 52) + 1) & GENERATION_MASK;
        self.head.store(generation << 52, Ordering::SeqCst);
        beside_sequentially_consistent_access();
    }
}
