//! The heap of kernel, engine and machine: talc, over pages that are added as they are needed.
//!
//! Interrupt handlers never allocate: the one that came while the lock was held would wait for ever.

use core::{alloc::Layout, ptr::NonNull};

use talc::{
    TalcLock,
    base::{Talc, binning::Binning},
    source::Source,
};

use crate::memory::{PAGE_BYTES, grow_heap};

/// Bytes that the heap grows by at least: an engine's start allocates some 300 KiB, so a few steps suffice.
const STEP_BYTES: u64 = 1 << 20;

/// Bytes that the allocator itself may need around what was asked for: its bins (2 KiB) and a chunk's ends.
const OVERHEAD_BYTES: u64 = 2 * PAGE_BYTES;

#[global_allocator]
static HEAP: TalcLock<spin::Mutex<()>, Pages> = TalcLock::new(Pages { used_bytes: 0, end: None });

/// The window's pages, in their order.
#[derive(Debug)]
struct Pages {
    used_bytes: u64,
    end: Option<NonNull<u8>>,
}

// SAFETY: the pointer is the heap's end, which nothing but the allocator under its lock uses.
unsafe impl Send for Pages {}

// SAFETY: `acquire` takes the address space's lock and frames, and never allocates.
unsafe impl Source for Pages {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let wanted = layout.size() as u64 + layout.align() as u64 + OVERHEAD_BYTES;
        let bytes = wanted.checked_next_multiple_of(STEP_BYTES).ok_or(())?;
        let start = grow_heap(talc.source.used_bytes, bytes).map_err(|_| ())?;
        let (base, size) = (start.as_mut_ptr::<u8>(), bytes as usize);
        talc.source.used_bytes += bytes;
        let end = match talc.source.end {
            // SAFETY: the pages were just made writable, are the heap's alone and follow its end.
            Some(end) => unsafe { talc.extend(end, base.add(size)) },
            // SAFETY: likewise, and the heap is empty.
            None => unsafe { talc.claim(base, size) }.ok_or(())?,
        };
        talc.source.end = Some(end);
        Ok(())
    }
}
