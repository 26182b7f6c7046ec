//! Where physical memory can be read and written.

use x86_64::{PhysAddr, VirtAddr, structures::paging::PageTable};

/// A window in which physical address `p` is seen at virtual address `base + p`.
#[derive(Clone, Copy, Debug)]
pub struct DirectMap {
    base: VirtAddr,
}

impl DirectMap {
    /// Describes the window that starts at `base`.
    ///
    /// # Safety
    /// For as long as the value or a copy of it is used, every physical address that this crate is told of
    /// (usable regions, and page tables reachable from a root) must be mapped at `base +` that address,
    /// and every usable one must be writable there and be used by nobody else.
    pub const unsafe fn new(base: VirtAddr) -> Self {
        Self { base }
    }

    /// Where `address` is seen.
    pub fn virtual_address(self, address: PhysAddr) -> VirtAddr {
        self.base + address.as_u64()
    }

    /// Pointer to the byte at `address`. It may be used within what [`DirectMap::new`] promised.
    pub fn pointer(self, address: PhysAddr) -> *mut u8 {
        self.virtual_address(address).as_mut_ptr()
    }

    /// Pointer to the page table in the frame at `address`.
    pub(crate) fn table(self, address: PhysAddr) -> *mut PageTable {
        self.pointer(address).cast()
    }
}
