//! This program's linear memory, and its heap.

/// Bytes of a page of linear memory, which is what it grows by.
pub const PAGE_BYTES: usize = 65_536;

/// Grows linear memory by pages and returns how many it had, or `None` if the cell's memory limit or budget refuses. The new pages belong
/// to nobody; a heap that grows later starts after them.
///
/// Natively there is no linear memory, so it is always refused.
#[must_use]
pub fn grow(pages: usize) -> Option<usize> {
    #[cfg(target_arch = "wasm32")]
    {
        let before = core::arch::wasm32::memory_grow(0, pages);
        (before != usize::MAX).then_some(before)
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        let _ = pages;
        None
    }
}

/// Bytes of linear memory now; natively 0.
#[must_use]
pub fn size_bytes() -> usize {
    #[cfg(target_arch = "wasm32")]
    {
        core::arch::wasm32::memory_size(0) * PAGE_BYTES
    }
    #[cfg(not(target_arch = "wasm32"))]
    {
        0
    }
}

// It grows the memory when it runs out, and gives nothing back: a cell's memory never shrinks.
#[cfg(all(target_arch = "wasm32", feature = "alloc", not(feature = "threads")))]
#[global_allocator]
static HEAP: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(all(target_arch = "wasm32", feature = "threads"))]
#[global_allocator]
static HEAP: crate::sys::heap::Heap = crate::sys::heap::Heap::new();
