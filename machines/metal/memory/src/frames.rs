//! The frames that nobody uses.
//!
//! A region that was never touched is handed out from its low end; what comes back goes on a list that lives
//! in the free frames themselves. Both ends take constant time and no memory.

use x86_64::PhysAddr;

use crate::{DirectMap, PAGE_BYTES, Region, RegionList};

/// Owner of every free frame of the machine.
#[derive(Debug)]
pub struct FrameAllocator {
    direct_map: DirectMap,
    /// What was never handed out, lowest region last so that it is used up first.
    untouched: RegionList,
    /// Most recently freed frame; each free frame begins with the address of the next, or zero.
    freed: Option<PhysAddr>,
    free_count: u64,
    total_count: u64,
}

impl FrameAllocator {
    /// Takes charge of `regions`, which [`crate::usable_regions`] made.
    pub fn new(direct_map: DirectMap, mut regions: RegionList) -> Self {
        let total_count = regions.iter().map(|region| region.bytes() / PAGE_BYTES).sum();
        regions.reverse();
        Self { direct_map, untouched: regions, freed: None, free_count: total_count, total_count }
    }

    /// Frames that can still be allocated.
    pub const fn free_count(&self) -> u64 {
        self.free_count
    }

    /// Frames that this allocator was given.
    pub const fn total_count(&self) -> u64 {
        self.total_count
    }

    /// A frame full of zeros, or `None` if all are in use.
    pub fn allocate_zeroed(&mut self) -> Option<PhysAddr> {
        let frame = self.take_freed().or_else(|| self.take_untouched())?;
        self.free_count -= 1;
        // SAFETY: the frame was free, so it is ours alone, and `DirectMap::new` promised it writable.
        unsafe { self.direct_map.pointer(frame).write_bytes(0, PAGE_BYTES as usize) };
        Some(frame)
    }

    /// Gives a frame back.
    ///
    /// # Safety
    /// The frame came from [`FrameAllocator::allocate_zeroed`] of this allocator, is given back once, is
    /// mapped nowhere but in the direct map, and there writable.
    pub unsafe fn free(&mut self, frame: PhysAddr) {
        let next = self.freed.map_or(0, PhysAddr::as_u64);
        // SAFETY: the caller gave up the frame, and the direct map shows it writable.
        unsafe { self.direct_map.pointer(frame).cast::<u64>().write(next) };
        self.freed = Some(frame);
        self.free_count += 1;
    }

    fn take_freed(&mut self) -> Option<PhysAddr> {
        let frame = self.freed?;
        // SAFETY: `free` wrote the link there, and nobody has used the frame since.
        let next = unsafe { self.direct_map.pointer(frame).cast::<u64>().read() };
        self.freed = (next != 0).then(|| PhysAddr::new_truncate(next));
        Some(frame)
    }

    fn take_untouched(&mut self) -> Option<PhysAddr> {
        let lowest = self.untouched.last_mut()?;
        let frame = PhysAddr::new_truncate(lowest.start);
        *lowest = Region { start: lowest.start + PAGE_BYTES, ..*lowest };
        if lowest.bytes() == 0 {
            self.untouched.pop();
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::simulated::PhysicalMemory;

    #[test]
    fn every_frame_is_handed_out_once_and_zeroed() {
        let memory = PhysicalMemory::new(64);
        memory.fill(0xa5);
        let mut frames = memory.frames();
        let mut seen = BTreeSet::new();
        while let Some(frame) = frames.allocate_zeroed() {
            assert!(seen.insert(frame.as_u64()), "{frame:?} came twice");
            assert!(memory.frame(frame).iter().all(|byte| *byte == 0));
        }
        assert_eq!(seen.len() as u64, frames.total_count());
        assert_eq!(frames.free_count(), 0);
    }

    #[test]
    fn what_is_given_back_comes_again_zeroed() {
        let memory = PhysicalMemory::new(16);
        let mut frames = memory.frames();
        let all: Vec<_> = core::iter::from_fn(|| frames.allocate_zeroed()).collect();
        for frame in &all {
            memory.frame_mut(*frame).fill(0xff);
            // SAFETY: allocated above, given back once, mapped nowhere else.
            unsafe { frames.free(*frame) };
        }
        assert_eq!(frames.free_count(), all.len() as u64);
        let again: BTreeSet<_> = core::iter::from_fn(|| {
            let frame = frames.allocate_zeroed()?;
            assert!(memory.frame(frame).iter().all(|byte| *byte == 0));
            Some(frame)
        })
        .collect();
        assert_eq!(again, all.into_iter().collect());
    }
}
