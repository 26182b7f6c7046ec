//! The process's heap: in one piece, with its pages there before the kernel's tables are made in it.
//!
//! The tables of a kernel are some 6 MiB that are written once when they are made. Page by page that is 1,500 page faults, a quarter
//! of the time that a machine takes to boot, and afterwards as many entries for the processor's translation buffers.

/// More than the tables of a kernel of the usual size.
const HEAP_BYTES: usize = 8 << 20;

/// The largest threshold that glibc accepts, in bytes: above it a mapping of its own is made.
#[cfg(target_env = "gnu")]
const MOST_FROM_HEAP: i32 = 32 << 20;

/// The processor's large page.
const LARGE_PAGE_BYTES: usize = 2 << 20;

/// Lets the allocator take everything from the heap, gets the first 8 MiB of that from Linux at once, in large pages where Linux gives them, and
/// keeps what is freed. Before the first large allocation. Whatever of it Linux refuses only costs time.
pub fn prepare() {
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: they set numbers of the allocator.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, MOST_FROM_HEAP);
            libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        }
        let mut heap: Vec<u8> = Vec::new();
        if heap.try_reserve_exact(HEAP_BYTES).is_err() {
            return;
        }
        let start = heap.as_mut_ptr().addr().next_multiple_of(LARGE_PAGE_BYTES);
        let bytes = (heap.as_ptr().addr() + HEAP_BYTES).saturating_sub(start) & !(LARGE_PAGE_BYTES - 1);
        let place = heap.as_mut_ptr().with_addr(start).cast();
        // SAFETY: whole pages inside of an allocation that nobody else uses; their content does not change.
        unsafe {
            libc::madvise(place, bytes, libc::MADV_HUGEPAGE);
            libc::madvise(place, bytes, libc::MADV_POPULATE_WRITE);
        }
        // It goes back to the allocator, which keeps the pages.
        drop(heap);
    }
}
