//! Changing what pages are, in an order in which nothing is ever writable and executable, or free and reachable.

use core::ops::Range;

use x86_64::{PhysAddr, VirtAddr, structures::paging::PageTableFlags};

use super::{Space, pages};
use crate::{
    MemoryError, PAGE_BYTES, Protection,
    page_state::{Framed, Owner, PageState},
};

impl Space {
    /// Replaces each of our pages in `range` that has an entry by what `next` makes of it; frames are neither given nor taken.
    pub(super) fn change(&mut self, range: &Range<VirtAddr>, next: impl Fn(PageState) -> PageState) {
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
    pub(super) fn take_frames(&mut self, range: &Range<VirtAddr>, left: PageState) {
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

    /// Makes sure that the frames of `range` can be protected one by one in the direct map.
    pub(super) fn split_direct_map(&mut self, range: &Range<VirtAddr>) -> Result<(), MemoryError> {
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

    fn count_promises(&mut self, before: PageState, after: PageState) {
        let is_promise = |state| matches!(state, PageState::Promised(_));
        self.promised += u64::from(is_promise(after));
        self.promised -= u64::from(is_promise(before));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Writable {
    Yes,
    No,
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
