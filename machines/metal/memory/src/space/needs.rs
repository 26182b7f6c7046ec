//! What an operation will need, so that it is refused before it changes anything.

use core::ops::Range;

use x86_64::VirtAddr;

use super::{Space, by_leaf_table, pages};
use crate::{LARGE_PAGE_BYTES, MemoryError, PAGE_BYTES, page_state::PageState};

impl Space {
    /// Free frames that nobody was promised.
    pub(super) const fn available(&self) -> u64 {
        self.frames.free_count() - self.promised
    }

    /// An error if fewer frames are available than needed.
    pub(super) fn afford(&self, needed: u64) -> Result<(), MemoryError> {
        let free = self.available();
        if needed > free { Err(MemoryError::OutOfFrames { needed, free }) } else { Ok(()) }
    }

    /// Absent pages of `range`, and frames for tables that making all of it accessible may take: never fewer than it does, sometimes
    /// a few more.
    pub(super) fn absent_and_tables(&self, range: &Range<VirtAddr>) -> (u64, u64) {
        let span = range.end - range.start;
        let present = self.count(range, |state| state != PageState::Absent);
        let mut leaf_tables = 0;
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            leaf_tables += 1;
        }
        let missing = by_leaf_table(range).count() as u64 - leaf_tables;
        // Each upper table covers 512 leaf tables or more, and a range may begin and end inside one.
        let upper = if missing > 0 { 2 * (span / (512 * LARGE_PAGE_BYTES) + 2) } else { 0 };
        (span / PAGE_BYTES - present, missing + upper)
    }

    /// Large pages of the direct map that show frames of `range`, at most.
    pub(super) fn splits(&self, range: &Range<VirtAddr>) -> u64 {
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
    pub(super) fn count(&self, range: &Range<VirtAddr>, is: impl Fn(PageState) -> bool) -> u64 {
        let mut count = 0;
        let mut rest = range.clone();
        while let Some(part) = self.tables.first_covered(&rest) {
            rest.start = part.end;
            count += pages(&part).filter(|(page, _)| self.state(*page).is_some_and(&is)).count() as u64;
        }
        count
    }
}
