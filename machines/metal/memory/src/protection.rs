//! What a program may do with a page.

use x86_64::structures::paging::PageTableFlags;

use crate::MemoryError;

/// Access to a page. That "writable and executable" cannot be said is the point of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Any access faults; contents are kept.
    None,
    /// Loads only.
    Read,
    /// Loads and stores.
    ReadWrite,
    /// Loads and instruction fetches.
    ReadExecute,
}

impl Protection {
    /// From the three bits of an `mprotect`-like call.
    ///
    /// # Errors
    /// [`MemoryError::WritableAndExecutable`] if both are asked for.
    pub const fn from_bits(read: bool, write: bool, execute: bool) -> Result<Self, MemoryError> {
        match (read, write, execute) {
            (_, true, true) => Err(MemoryError::WritableAndExecutable),
            // x86 has no page that can be written or executed but not read.
            (_, true, false) => Ok(Self::ReadWrite),
            (_, false, true) => Ok(Self::ReadExecute),
            (true, false, false) => Ok(Self::Read),
            (false, false, false) => Ok(Self::None),
        }
    }

    /// The bits of a present leaf entry, or nothing if the page is not to be present.
    pub(crate) fn leaf_flags(self) -> PageTableFlags {
        let present = PageTableFlags::PRESENT;
        match self {
            Self::None => PageTableFlags::empty(),
            Self::Read => present | PageTableFlags::NO_EXECUTE,
            Self::ReadWrite => present | PageTableFlags::WRITABLE | PageTableFlags::NO_EXECUTE,
            Self::ReadExecute => present,
        }
    }
}
