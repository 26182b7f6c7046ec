//! The heap of a WebAssembly program with threads: the same as of others, one thread at a time.

use core::alloc::{GlobalAlloc, Layout};

use dlmalloc::Dlmalloc;

use super::thread::mutex::Mutex;

/// The heap.
pub struct Heap(Mutex<Memory>);

struct Memory(Dlmalloc);

// SAFETY: its pointers lead into linear memory, which is all threads'; the lock lets one at a time to it.
unsafe impl Send for Memory {}

impl Heap {
    /// Empty.
    pub const fn new() -> Self {
        Self(Mutex::new(Memory(Dlmalloc::new())))
    }
}

// SAFETY: it hands on what a correct allocator does, called by one thread at a time. It does not call itself: the lock allocates nothing.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the layout has a size, as the caller promises.
        unsafe { self.0.lock().0.malloc(layout.size(), layout.align()) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.lock().0.calloc(layout.size(), layout.align()) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: it was allocated here with this layout, as the caller promises.
        unsafe { self.0.lock().0.free(pointer, layout.size(), layout.align()) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.lock().0.realloc(pointer, layout.size(), layout.align(), size) }
    }
}
