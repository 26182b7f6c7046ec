//! Pages with contents: giving, protecting, sharing and taking them.
//!
//! A page that becomes accessible is *promised* a frame and gets it when it is first touched: a stack of 2 MiB costs what is
//! used of it. A promise is kept: no more frames are promised than are free, so running out is an error at the call that asked, and
//! never a surprise in the middle of a program.

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
    /// [`MemoryError::OutOfFrames`]: then no page has changed.
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
        let is_shown = |state| matches!(state, PageState::Framed(framed) if framed.owner == Owner::Object);
        self.afford(self.count(&range, is_shown))?;
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

    /// Takes zeroed frames for an object, as many as `object` has places.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`]: then none is taken.
    pub fn take_object(&mut self, object: &mut [PhysAddr]) -> Result<(), MemoryError> {
        self.afford(object.len() as u64)?;
        for place in object {
            *place = self.frames.allocate_zeroed().ok_or(MemoryError::OutOfFrames { needed: 1, free: 0 })?;
            self.hold(*place);
        }
        Ok(())
    }

    /// Lets go of an object's frames; those that no page shows are free.
    ///
    /// # Safety
    /// They are of one [`Space::take_object`], and nobody will show them again.
    pub unsafe fn drop_object(&mut self, object: &[PhysAddr]) {
        for frame in object {
            // SAFETY: the caller's promise.
            unsafe { self.let_go(*frame) };
        }
    }

    /// Shows an object's frames at the pages from `start` on, in place of what is there.
    ///
    /// # Errors
    /// [`MemoryError::OutOfFrames`] for want of tables: then no page has changed.
    ///
    /// # Safety
    /// As [`Space::renew`]; the frames are of a live object, and `protection` does not allow execution.
    pub unsafe fn show_object(
        &mut self,
        start: VirtAddr,
        object: &[PhysAddr],
        protection: Protection,
    ) -> Result<(), MemoryError> {
        let range = start..start + object.len() as u64 * PAGE_BYTES;
        let (_, tables) = self.absent_and_tables(&range);
        self.afford(tables)?;
        self.take_frames(&range, PageState::Absent);
        for (page, frame) in object.iter().enumerate() {
            self.hold(*frame);
            let page = start + page as u64 * PAGE_BYTES;
            let table = self.tables.make_leaf_table(page, &mut self.frames)?;
            let framed = Framed { frame: *frame, owner: Owner::Object, protection };
            PageState::Framed(framed).write(&mut table[page.p1_index()]);
        }
        Ok(())
    }

    const fn available(&self) -> u64 {
        self.frames.free_count() - self.promised
    }

    fn afford(&self, needed: u64) -> Result<(), MemoryError> {
        let free = self.available();
        if needed > free { Err(MemoryError::OutOfFrames { needed, free }) } else { Ok(()) }
    }

    fn state(&self, page: VirtAddr) -> Option<PageState> {
        PageState::read(self.tables.leaf_entry(page)?)
    }

    /// Replaces each of our pages in `range` that has an entry by what `next` makes of it; frames are neither given nor taken.
    fn change(&mut self, range: &Range<VirtAddr>, next: impl Fn(PageState) -> PageState) {
        let mut stale = false;
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            for (page, index) in pages(&part) {
                let Some(entry) = self.tables.leaf_table(page).map(|table| &mut table[index]) else { break };
                let Some(before) = PageState::read(entry) else { continue };
                let after = next(before);
                if after == before {
                    continue;
                }
                stale |= is_visible(before);
                self.count_promises(before, after);
                // Never writable and executable, not even for a moment: the direct map loses its right
                // before the page gains execution, and gets it back only after the page has lost it.
                if let Some(frame) = executable_frame(after) {
                    self.set_direct_map_writable(frame, Writable::No);
                }
                if let Some(entry) = self.tables.leaf_table(page).map(|table| &mut table[index]) {
                    after.write(entry);
                }
                if let Some(frame) = executable_frame(before).filter(|_| executable_frame(after).is_none()) {
                    (self.forget)(page..page + PAGE_BYTES);
                    self.set_direct_map_writable(frame, Writable::Yes);
                }
            }
        }
        if stale {
            (self.forget)(range.clone());
        }
    }

    /// Leaves each page of `range` that is not absent as `left`, without its frame.
    fn take_frames(&mut self, range: &Range<VirtAddr>, left: PageState) {
        // Hide first, so that no processor can reach a frame any more when it becomes free.
        self.change(range, |state| match state {
            PageState::Framed(framed) => PageState::Framed(Framed { protection: Protection::None, ..framed }),
            state => state,
        });
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            for (page, index) in pages(&part) {
                let Some(entry) = self.tables.leaf_table(page).map(|table| &mut table[index]) else { break };
                let Some(before) = PageState::read(entry).filter(|state| *state != PageState::Absent) else {
                    continue;
                };
                left.write(entry);
                if let PageState::Framed(framed) = before {
                    // SAFETY: the entry is gone, and no processor has it cached since it was hidden, which also made
                    // its place in the direct map writable.
                    unsafe { self.give_up(framed) };
                }
                self.count_promises(before, left);
            }
        }
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

    fn count_promises(&mut self, before: PageState, after: PageState) {
        let is_promise = |state| matches!(state, PageState::Promised(_));
        self.promised += u64::from(is_promise(after));
        self.promised -= u64::from(is_promise(before));
    }

    fn hold(&mut self, frame: PhysAddr) {
        if let Some(holders) = self.holders.get_mut(frame_number(frame)) {
            *holders += 1;
        }
    }

    /// # Safety
    /// One who held the frame no longer does, and had hidden it.
    unsafe fn let_go(&mut self, frame: PhysAddr) {
        let Some(holders) = self.holders.get_mut(frame_number(frame)) else { return };
        *holders -= 1;
        if *holders == 0 {
            // SAFETY: nobody holds it; an object's frame is never executable, so the direct map shows it writable.
            unsafe { self.frames.free(frame) };
        }
    }

    /// # Safety
    /// The frame's page is gone from the tables and from every processor's cache.
    unsafe fn give_up(&mut self, framed: Framed) {
        // SAFETY: the caller's promise; a page's own frame was held by that page alone.
        unsafe {
            match framed.owner {
                Owner::Page => self.frames.free(framed.frame),
                Owner::Object => self.let_go(framed.frame),
            }
        }
    }

    /// Absent pages of `range`, and frames for tables that making all of it accessible may take: never fewer than it does, sometimes
    /// a few more.
    fn absent_and_tables(&self, range: &Range<VirtAddr>) -> (u64, u64) {
        let span = range.end - range.start;
        let (mut present, mut leaf_tables) = (0, 0);
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            leaf_tables += 1;
            present +=
                pages(&part).filter(|(page, _)| self.state(*page) != Some(PageState::Absent)).count() as u64;
        }
        let missing = by_leaf_table(range).count() as u64 - leaf_tables;
        // Each upper table covers 512 leaf tables or more, and a range may begin and end inside one.
        let upper = if missing > 0 { 2 * (span / (512 * LARGE_PAGE_BYTES) + 2) } else { 0 };
        (span / PAGE_BYTES - present, missing + upper)
    }

    /// Large pages of the direct map that show frames of `range`, at most.
    fn splits(&self, range: &Range<VirtAddr>) -> u64 {
        let direct_map = self.tables.direct_map();
        self.count(range, |state| match state {
            PageState::Framed(framed) => {
                let view = self.tables.translate(direct_map.virtual_address(framed.frame));
                view.is_some_and(|leaf| leaf.bytes == LARGE_PAGE_BYTES)
            }
            PageState::Absent | PageState::Promised(_) => false,
        })
    }

    /// Pages of `range` that are as `is` says.
    fn count(&self, range: &Range<VirtAddr>, is: impl Fn(PageState) -> bool) -> u64 {
        let mut count = 0;
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            count += pages(&part).filter(|(page, _)| self.state(*page).is_some_and(&is)).count() as u64;
        }
        count
    }

    /// Makes sure that the frames of `range` can be protected one by one in the direct map.
    fn split_direct_map(&mut self, range: &Range<VirtAddr>) -> Result<(), MemoryError> {
        let direct_map = self.tables.direct_map();
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            for (page, _) in pages(&part) {
                if let Some(PageState::Framed(framed)) = self.state(page) {
                    self.tables.split_large(direct_map.virtual_address(framed.frame), &mut self.frames)?;
                }
            }
        }
        Ok(())
    }

    fn set_direct_map_writable(&mut self, frame: PhysAddr, writable: Writable) {
        let page = self.tables.direct_map().virtual_address(frame);
        let Some(table) = self.tables.leaf_table(page) else { return };
        let entry = &mut table[page.p1_index()];
        let mut flags = entry.flags();
        flags.set(PageTableFlags::WRITABLE, writable == Writable::Yes);
        entry.set_flags(flags);
        (self.forget)(page..page + PAGE_BYTES);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writable {
    Yes,
    No,
}

fn frame_number(frame: PhysAddr) -> usize {
    (frame.as_u64() / PAGE_BYTES) as usize
}

fn is_visible(state: PageState) -> bool {
    matches!(state, PageState::Framed(framed) if framed.protection != Protection::None)
}

fn executable_frame(state: PageState) -> Option<PhysAddr> {
    match state {
        PageState::Framed(framed) if framed.protection == Protection::ReadExecute => Some(framed.frame),
        _ => None,
    }
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
