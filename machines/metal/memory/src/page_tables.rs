//! The four-level tree that says where each virtual page is (Intel SDM vol. 3, 4.5).

use core::ops::Range;

use x86_64::{
    PhysAddr, VirtAddr,
    structures::paging::{
        PageTable, PageTableFlags, PageTableIndex,
        page_table::{PageTableEntry, PageTableLevel},
    },
};

use crate::{DirectMap, FrameAllocator, LARGE_PAGE_BYTES, MemoryError, PAGE_BYTES};

/// What an entry above the leaves allows: everything. The leaf alone decides.
const TABLE_FLAGS: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE);

/// Entries in a table of any level.
const ENTRIES: u64 = 512;

/// One mapping: a page of 4 KiB or 2 MiB that is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// First virtual address.
    pub page: VirtAddr,
    /// First physical address.
    pub frame: PhysAddr,
    /// Bytes mapped.
    pub bytes: u64,
    /// What the entry allows.
    pub flags: PageTableFlags,
}

impl Leaf {
    /// Whether stores are allowed.
    pub const fn is_writable(&self) -> bool {
        self.flags.contains(PageTableFlags::WRITABLE)
    }

    /// Whether instructions may be fetched.
    pub const fn is_executable(&self) -> bool {
        !self.flags.contains(PageTableFlags::NO_EXECUTE)
    }
}

/// A tree of page tables, and the only hand that changes it.
#[derive(Debug)]
pub struct PageTables {
    root: PhysAddr,
    direct_map: DirectMap,
}

impl PageTables {
    /// An empty tree.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`].
    pub fn new(direct_map: DirectMap, frames: &mut FrameAllocator) -> Result<Self, MemoryError> {
        Ok(Self { root: allocate(frames)?, direct_map })
    }

    /// Physical address of the top table, for `cr3`.
    pub const fn root(&self) -> PhysAddr {
        self.root
    }

    /// Where these tables see physical memory.
    pub const fn direct_map(&self) -> DirectMap {
        self.direct_map
    }

    /// Maps `page` to `frame` with exactly `flags`. What was mapped there is replaced and not freed.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`] for want of a table; [`MemoryError::WritableAndExecutable`].
    pub fn map(
        &mut self,
        page: VirtAddr,
        frame: PhysAddr,
        flags: PageTableFlags,
        frames: &mut FrameAllocator,
    ) -> Result<(), MemoryError> {
        refuse_writable_executable(flags)?;
        let table = self.table_for(page, PageTableLevel::One, frames)?;
        table[page.p1_index()].set_addr(frame, flags);
        Ok(())
    }

    /// Maps the 2 MiB at `page` to those at `frame` by one entry; both must be multiples of 2 MiB.
    ///
    /// # Errors
    /// [`MemoryError::Unaligned`], and those of [`PageTables::map`].
    pub fn map_large(
        &mut self,
        page: VirtAddr,
        frame: PhysAddr,
        flags: PageTableFlags,
        frames: &mut FrameAllocator,
    ) -> Result<(), MemoryError> {
        refuse_writable_executable(flags)?;
        if !page.is_aligned(LARGE_PAGE_BYTES) || !frame.is_aligned(LARGE_PAGE_BYTES) {
            return Err(MemoryError::Unaligned);
        }
        let table = self.table_for(page, PageTableLevel::Two, frames)?;
        table[page.p2_index()].set_addr(frame, flags | PageTableFlags::HUGE_PAGE);
        Ok(())
    }

    /// The present mapping that covers `address`, if any.
    pub fn translate(&self, address: VirtAddr) -> Option<Leaf> {
        let mut found = None;
        let mut table = self.root;
        let mut level = Some(PageTableLevel::Four);
        while let Some(current) = level {
            let entry = &self.table(table)[address.page_table_index(current)];
            if !entry.flags().contains(PageTableFlags::PRESENT) {
                return None;
            }
            if is_leaf(current, entry.flags()) {
                let bytes = current.entry_address_space_alignment();
                found = Some(Leaf {
                    page: address.align_down(bytes),
                    frame: entry.addr(),
                    bytes,
                    flags: entry.flags(),
                });
                break;
            }
            table = entry.addr();
            level = current.next_lower_level();
        }
        found
    }

    /// Shows every present mapping to `visit`, in ascending order of table indices.
    pub fn for_each_leaf(&self, visit: &mut dyn FnMut(Leaf)) {
        self.visit_table(self.root, PageTableLevel::Four, 0, visit);
    }

    /// The leaf table for `page`, if there is one. A large page has none.
    pub(crate) fn leaf_table(&mut self, page: VirtAddr) -> Option<&mut PageTable> {
        let table = self.find_leaf_table(page).ok()?;
        Some(self.table_mut(table))
    }

    /// The entry of `page` in its leaf table, if it has one.
    pub(crate) fn leaf_entry(&self, page: VirtAddr) -> Option<&PageTableEntry> {
        let table = self.find_leaf_table(page).ok()?;
        Some(&self.table(table)[page.p1_index()])
    }

    /// The first part of `range` that one existing leaf table covers: what no table covers is skipped in steps as
    /// large as the table that is missing, so that an empty reservation of 4 GiB costs a few looks and not 2048.
    pub(crate) fn first_covered(&self, range: &Range<VirtAddr>) -> Option<Range<VirtAddr>> {
        let (mut start, end) = (range.start.as_u64(), range.end.as_u64());
        while start < end {
            let found = self.find_leaf_table(VirtAddr::new_truncate(start));
            let step = found.err().unwrap_or(LARGE_PAGE_BYTES);
            // The last entry of the address space ends where numbers do.
            let part_end = (start / step + 1).checked_mul(step).map_or(end, |next| next.min(end));
            if found.is_ok() {
                return Some(VirtAddr::new_truncate(start)..VirtAddr::new_truncate(part_end));
            }
            start = part_end;
        }
        None
    }

    /// Where the leaf table for `page` is; or how many bytes the entry covers that leads to none.
    fn find_leaf_table(&self, page: VirtAddr) -> Result<PhysAddr, u64> {
        let mut table = self.root;
        for level in [PageTableLevel::Four, PageTableLevel::Three, PageTableLevel::Two] {
            let entry = &self.table(table)[page.page_table_index(level)];
            if !entry.flags().contains(PageTableFlags::PRESENT) || is_leaf(level, entry.flags()) {
                return Err(level.entry_address_space_alignment());
            }
            table = entry.addr();
        }
        Ok(table)
    }

    /// The leaf table for `page`, made with the tables above it if missing.
    pub(crate) fn make_leaf_table(
        &mut self,
        page: VirtAddr,
        frames: &mut FrameAllocator,
    ) -> Result<&mut PageTable, MemoryError> {
        self.table_for(page, PageTableLevel::One, frames)
    }

    /// Takes the leaf table for `page` out of the tree if nothing is in it, and returns its frame: the
    /// caller frees it once no processor's cached walk can reach it.
    pub(crate) fn take_empty_leaf_table(&mut self, page: VirtAddr) -> Option<PhysAddr> {
        if !self.leaf_table(page)?.is_empty() {
            return None;
        }
        let mut table = self.root;
        for level in [PageTableLevel::Four, PageTableLevel::Three] {
            table = self.table(table)[page.page_table_index(level)].addr();
        }
        let entry = &mut self.table_mut(table)[page.p2_index()];
        let leaf_table = entry.addr();
        entry.set_unused();
        Some(leaf_table)
    }

    /// Replaces a large page at `page` by a table of small ones that map the same. Does nothing if there is none.
    pub(crate) fn split_large(
        &mut self,
        page: VirtAddr,
        frames: &mut FrameAllocator,
    ) -> Result<(), MemoryError> {
        let Some(leaf) = self.translate(page).filter(|leaf| leaf.bytes == LARGE_PAGE_BYTES) else {
            return Ok(());
        };
        let small = allocate(frames)?;
        let flags = leaf.flags.difference(PageTableFlags::HUGE_PAGE);
        for (index, entry) in self.table_mut(small).iter_mut().enumerate() {
            entry.set_addr(leaf.frame + index as u64 * PAGE_BYTES, flags);
        }
        let directory = self.table_for(leaf.page, PageTableLevel::Two, frames)?;
        directory[leaf.page.p2_index()].set_addr(small, TABLE_FLAGS);
        Ok(())
    }

    /// The table of `level` in which `page` has its entry; missing tables are made on the way down, and a large
    /// page on the way is replaced by small ones.
    fn table_for(
        &mut self,
        page: VirtAddr,
        level: PageTableLevel,
        frames: &mut FrameAllocator,
    ) -> Result<&mut PageTable, MemoryError> {
        if level == PageTableLevel::One {
            self.split_large(page, frames)?;
        }
        let mut table = self.root;
        let mut current = PageTableLevel::Four;
        while current != level {
            let index = page.page_table_index(current);
            if self.table(table)[index].is_unused() {
                let lower = allocate(frames)?;
                self.table_mut(table)[index].set_addr(lower, TABLE_FLAGS);
            }
            table = self.table(table)[index].addr();
            let Some(lower) = current.next_lower_level() else { break };
            current = lower;
        }
        Ok(self.table_mut(table))
    }

    fn visit_table(&self, table: PhysAddr, level: PageTableLevel, base: u64, visit: &mut dyn FnMut(Leaf)) {
        let bytes = level.entry_address_space_alignment();
        for index in 0..ENTRIES {
            let entry = &self.table(table)[PageTableIndex::new_truncate(index as u16)];
            if !entry.flags().contains(PageTableFlags::PRESENT) {
                continue;
            }
            let page = base + index * bytes;
            if is_leaf(level, entry.flags()) {
                // Sign-extends: the upper half of the tree is the upper half of the address space.
                let page = VirtAddr::new_truncate(page);
                visit(Leaf { page, frame: entry.addr(), bytes, flags: entry.flags() });
            } else if let Some(lower) = level.next_lower_level() {
                self.visit_table(entry.addr(), lower, page, visit);
            }
        }
    }

    fn table(&self, address: PhysAddr) -> &PageTable {
        // SAFETY: `address` is the root or was read from a present entry of this tree, so it is a table that
        // only this value uses; `&self` excludes that it is being changed.
        unsafe { &*self.direct_map.table(address) }
    }

    fn table_mut(&mut self, address: PhysAddr) -> &mut PageTable {
        // SAFETY: as in `table`, and `&mut self` makes the reference the only one.
        unsafe { &mut *self.direct_map.table(address) }
    }
}

fn is_leaf(level: PageTableLevel, flags: PageTableFlags) -> bool {
    level == PageTableLevel::One || flags.contains(PageTableFlags::HUGE_PAGE)
}

fn refuse_writable_executable(flags: PageTableFlags) -> Result<(), MemoryError> {
    let executable = !flags.contains(PageTableFlags::NO_EXECUTE);
    if flags.contains(PageTableFlags::WRITABLE) && executable {
        return Err(MemoryError::WritableAndExecutable);
    }
    Ok(())
}

fn allocate(frames: &mut FrameAllocator) -> Result<PhysAddr, MemoryError> {
    frames.allocate_zeroed().ok_or(MemoryError::OutOfFrames { needed: 1, free: 0 })
}

#[cfg(test)]
mod tests;
