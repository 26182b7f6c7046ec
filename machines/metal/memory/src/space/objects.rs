//! Objects: frames that may be shown at several places, and live until nobody shows or holds them.

use x86_64::{PhysAddr, VirtAddr};

use super::Space;
use crate::{
    MemoryError, PAGE_BYTES, Protection,
    page_state::{Framed, Owner, PageState},
};

impl Space {
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

    fn hold(&mut self, frame: PhysAddr) {
        if let Some(holders) = self.holders.get_mut(frame_number(frame)) {
            *holders += 1;
        }
    }

    /// # Safety
    /// One who held the frame no longer does, and had hidden it.
    pub(super) unsafe fn let_go(&mut self, frame: PhysAddr) {
        let Some(holders) = self.holders.get_mut(frame_number(frame)) else { return };
        *holders -= 1;
        if *holders == 0 {
            // SAFETY: nobody holds it; an object's frame is never executable, so the direct map shows it writable.
            unsafe { self.frames.free(frame) };
        }
    }
}

fn frame_number(frame: PhysAddr) -> usize {
    (frame.as_u64() / PAGE_BYTES) as usize
}
