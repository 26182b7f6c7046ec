//! A buffer that plays physical memory, for tests.

use std::alloc::{Layout, alloc_zeroed, dealloc};

use x86_64::{PhysAddr, VirtAddr};

use crate::{DirectMap, FrameAllocator, LARGE_PAGE_BYTES, PAGE_BYTES, Region, usable_regions};

/// Frames in which physical address zero is the first byte. The first frame stays unused: zero ends lists.
pub(crate) struct PhysicalMemory {
    base: *mut u8,
    layout: Layout,
}

impl PhysicalMemory {
    pub(crate) fn new(frame_count: usize) -> Self {
        // Aligned so that large pages can map it.
        let bytes = frame_count * PAGE_BYTES as usize;
        let layout = Layout::from_size_align(bytes, LARGE_PAGE_BYTES as usize).unwrap();
        // SAFETY: the layout is not empty.
        let base = unsafe { alloc_zeroed(layout) };
        assert!(!base.is_null());
        Self { base, layout }
    }

    pub(crate) fn direct_map(&self) -> DirectMap {
        // SAFETY: the tests keep this value alive, and tell the crate of no address beyond the buffer.
        unsafe { DirectMap::new(VirtAddr::new(self.base as u64)) }
    }

    pub(crate) fn frames(&self) -> FrameAllocator {
        let all = Region { start: PAGE_BYTES, end: self.layout.size() as u64 };
        FrameAllocator::new(self.direct_map(), usable_regions([all], &[]).unwrap())
    }

    pub(crate) fn fill(&self, byte: u8) {
        // SAFETY: the whole buffer, which no reference points into at this moment.
        unsafe { self.base.write_bytes(byte, self.layout.size()) };
    }

    pub(crate) fn frame(&self, frame: PhysAddr) -> &[u8] {
        self.frame_mut(frame)
    }

    #[expect(
        clippy::mut_from_ref,
        reason = "physical memory is shared; each test looks at one frame at a time"
    )]
    pub(crate) fn frame_mut(&self, frame: PhysAddr) -> &mut [u8] {
        let offset = frame.as_u64() as usize;
        assert!(offset + PAGE_BYTES as usize <= self.layout.size());
        // SAFETY: inside the buffer; the caller holds one such slice at a time.
        unsafe { core::slice::from_raw_parts_mut(self.base.add(offset), PAGE_BYTES as usize) }
    }
}

impl Drop for PhysicalMemory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with the same layout.
        unsafe { dealloc(self.base, self.layout) };
    }
}
