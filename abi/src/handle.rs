//! Handles: how a program names a capability of its own space.

/// A capability in the holder's space: 20 bits of slot index below 12 bits of the slot's generation, so that a
/// handle kept past the deletion of its capability is an error and not another capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(transparent)]
pub struct Handle(pub u32);

impl Handle {
    /// Bits of the slot index: a space has at most 2^20 slots.
    pub const INDEX_BITS: u32 = 20;
    /// Bits of the generation.
    pub const GENERATION_BITS: u32 = 12;

    /// A handle that names nothing.
    pub const NULL: Self = Self(0);
    /// The cell's own space and thread: slot 1 of every cell, put there at creation.
    pub const SELF: Self = Self(1);
    /// The cell's own memory budget: slot 2 of every cell.
    pub const BUDGET: Self = Self(2);
    /// The first slot that a cell's creator may fill: the grants follow each other from here.
    pub const FIRST_GRANT: u32 = 3;

    /// The handle of a slot in one of its generations (both are cut to their bits).
    #[must_use]
    pub const fn new(index: u32, generation: u32) -> Self {
        Self((index & ((1 << Self::INDEX_BITS) - 1)) | (generation << Self::INDEX_BITS))
    }

    /// The slot's index.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.0 & ((1 << Self::INDEX_BITS) - 1)
    }

    /// The slot's generation.
    #[must_use]
    pub const fn generation(self) -> u32 {
        self.0 >> Self::INDEX_BITS
    }
}
