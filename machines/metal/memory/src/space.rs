//! Pages with contents: giving, protecting, sharing and taking them.
//!
//! A page that becomes accessible is *promised* a frame and gets it when it is first touched: a stack of 2 MiB costs what is
//! used of it. A promise is kept: no more frames are promised than are free, so running out is an error at the call that asked, and
//! never a surprise in the middle of a program.

mod change;
mod needs;
mod objects;

use core::ops::Range;

use alloc::boxed::Box;
use x86_64::{
    PhysAddr, VirtAddr,
    structures::paging::{PageTableFlags, PageTableIndex},
};

use crate::{
    FrameAllocator, LARGE_PAGE_BYTES, MemoryError, PAGE_BYTES, PageTables, Protection,
    page_state::{Framed, Owner, PageState},
};

/// What a fault was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A load.
    Load,
    /// A store.
    Store,
    /// An instruction fetch.
    Fetch,
}

/// The address space that all programs of a machine share, and the frames that back it.
#[derive(Debug)]
pub struct Space {
    tables: PageTables,
    frames: FrameAllocator,
    /// Free frames that are promised to pages.
    promised: u64,
    /// For each frame of the machine, how many hold it of object and pages, if it is an object's.
    holders: Box<[u32]>,
    forget: fn(Range<VirtAddr>),
}

impl Space {
    /// Takes charge of `tables` and `frames`.
    ///
    /// `forget` makes every processor that uses these tables forget what it has cached of the
    /// translations of a range, and returns when they have.
    pub fn new(tables: PageTables, frames: FrameAllocator, forget: fn(Range<VirtAddr>)) -> Self {
        Self { tables, frames, promised: 0, holders: Box::default(), forget }
    }

    /// Makes frames shareable: `holders` has a zero for each frame from physical address 0 to the last of memory. Apart
    /// from [`Space::new`], because the heap that it comes from needs a space.
    pub fn allow_sharing(&mut self, holders: Box<[u32]>) {
        self.holders = holders;
    }

    /// The tables, to look at.
    pub const fn tables(&self) -> &PageTables {
        &self.tables
    }

    /// Frames that are free and promised to nobody, and all that the machine has.
    pub const fn available_and_total_frames(&self) -> (u64, u64) {
        (self.available(), self.frames.total_count())
    }

    /// Shows a device's page of registers at `page`. It is no page of a reservation, so nothing here ever takes it away.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`] for want of a table; [`MemoryError::WritableAndExecutable`].
    pub fn map_device(
        &mut self,
        page: VirtAddr,
        registers: PhysAddr,
        flags: PageTableFlags,
    ) -> Result<(), MemoryError> {
        self.tables.map(page, registers, flags, &mut self.frames)
    }

    /// Gives the pages of `range` the access `protection`. Absent pages become promised ones; with
    /// [`Protection::None`], promised ones become absent, and others keep their contents.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`]; [`MemoryError::WritableAndExecutable`] for execution of pages that show an object, which
    /// others may write to. Then no page has changed.
    ///
    /// # Safety
    /// `range` is whole pages of a reservation that the caller owns, and nothing depends on an access
    /// that this takes away.
    pub unsafe fn protect(
        &mut self,
        range: Range<VirtAddr>,
        protection: Protection,
    ) -> Result<(), MemoryError> {
        if protection == Protection::None {
            self.change(&range, |state| match state {
                PageState::Framed(framed) => PageState::Framed(Framed { protection, ..framed }),
                PageState::Absent | PageState::Promised(_) => PageState::Absent,
            });
            return Ok(());
        }
        let (absent, mut needed) = self.absent_and_tables(&range);
        if protection == Protection::ReadExecute {
            if self.count(&range, shows_object) > 0 {
                return Err(MemoryError::WritableAndExecutable);
            }
            needed += self.splits(&range);
        }
        self.afford(absent + needed)?;
        for part in by_leaf_table(&range) {
            self.tables.make_leaf_table(part.start, &mut self.frames)?;
        }
        if protection == Protection::ReadExecute {
            self.split_direct_map(&range)?;
        }
        // What is promised holds zeroes, and those are no code: such a page is only read.
        let promise = if protection == Protection::ReadExecute { Protection::Read } else { protection };
        self.change(&range, |state| match state {
            PageState::Framed(framed) => PageState::Framed(Framed { protection, ..framed }),
            PageState::Absent | PageState::Promised(_) => PageState::Promised(promise),
        });
        Ok(())
    }

    /// Gives every promised page of `range` its frame now, for who must not fault later.
    pub fn populate(&mut self, range: Range<VirtAddr>) {
        let mut page = range.start;
        while page < range.end {
            self.fill(page);
            page += PAGE_BYTES;
        }
    }

    /// A fault at `address`: whether a promise was kept, so that the access succeeds when it is tried again.
    pub fn keep_promise(&mut self, address: VirtAddr, access: Access) -> bool {
        let page = address.align_down(PAGE_BYTES);
        let Some(PageState::Promised(protection)) = self.state(page) else { return false };
        let allowed = match access {
            Access::Load => true,
            Access::Store => protection == Protection::ReadWrite,
            Access::Fetch => false,
        };
        allowed && self.fill(page)
    }

    /// Makes the pages of `range` zeroes of their own again, with the access `protection`, and their frames free. Absent ones
    /// stay absent.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`] if pages that show an object cannot be promised frames of their own: then no page has
    /// changed. Without such pages it cannot fail.
    ///
    /// # Safety
    /// As [`Space::protect`], and nothing depends on the contents.
    pub unsafe fn renew(
        &mut self,
        range: Range<VirtAddr>,
        protection: Protection,
    ) -> Result<(), MemoryError> {
        self.afford(self.count(&range, shows_object))?;
        self.take_frames(&range, PageState::Promised(protection));
        Ok(())
    }

    /// Makes the pages of `range` absent and their frames free.
    ///
    /// # Safety
    /// As [`Space::renew`].
    pub unsafe fn discard(&mut self, range: Range<VirtAddr>) {
        self.take_frames(&range, PageState::Absent);
        let mut rest = range;
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            if let Some(table) = self.tables.take_empty_leaf_table(part.start) {
                // Forgetting an address also drops the walks cached on the way to it (SDM vol. 3, 4.10.4.1).
                (self.forget)(part.start..part.start + PAGE_BYTES);
                // SAFETY: a table is mapped only in the direct map, and the tree no longer leads to it.
                unsafe { self.frames.free(table) };
            }
        }
    }

    /// Whether the page may hold anything but zeroes.
    pub fn is_touched(&self, page: VirtAddr) -> bool {
        matches!(self.state(page), Some(PageState::Framed(_)))
    }

    fn state(&self, page: VirtAddr) -> Option<PageState> {
        PageState::read(self.tables.leaf_entry(page)?)
    }

    /// Gives a promised page its frame. False if it is not promised one.
    fn fill(&mut self, page: VirtAddr) -> bool {
        let Some(PageState::Promised(protection)) = self.state(page) else { return false };
        // There is one: no more are promised than are free.
        let Some(frame) = self.frames.allocate_zeroed() else { return false };
        self.promised -= 1;
        let framed = Framed { frame, owner: Owner::Page, protection };
        if let Some(table) = self.tables.leaf_table(page) {
            PageState::Framed(framed).write(&mut table[page.p1_index()]);
        }
        true
    }
}

fn shows_object(state: PageState) -> bool {
    matches!(state, PageState::Framed(framed) if framed.owner == Owner::Object)
}

/// Cuts `range` where another leaf table begins.
fn by_leaf_table(range: &Range<VirtAddr>) -> impl Iterator<Item = Range<VirtAddr>> + use<> {
    let (mut start, end) = (range.start.as_u64(), range.end.as_u64());
    core::iter::from_fn(move || {
        let part_end =
            (start / LARGE_PAGE_BYTES + 1).checked_mul(LARGE_PAGE_BYTES).map_or(end, |next| next.min(end));
        (start < end).then(|| {
            let part = VirtAddr::new_truncate(start)..VirtAddr::new_truncate(part_end);
            start = part_end;
            part
        })
    })
}

/// The pages of `part`, which one leaf table covers, and where they have their entries in it.
fn pages(part: &Range<VirtAddr>) -> impl Iterator<Item = (VirtAddr, PageTableIndex)> + use<> {
    let start = part.start;
    let count = (part.end - part.start) / PAGE_BYTES;
    (0..count).map(move |page| {
        let page = start + page * PAGE_BYTES;
        (page, page.p1_index())
    })
}

#[cfg(test)]
mod tests;
