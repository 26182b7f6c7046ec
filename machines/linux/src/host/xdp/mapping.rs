//! Memory that this process shares with Linux: rings, and frames.

use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A part of a file, mapped until this is dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    start: NonNull<u8>,
    bytes: usize,
}

// SAFETY: it has its addresses alone, like a box; what Linux does with the memory does not depend on threads.
unsafe impl Send for Mapping {}

impl Mapping {
    /// So many bytes of a file from this place on, a page's begin.
    pub fn of(file: impl AsFd, offset: u64, bytes: usize) -> Result<Self, Errno> {
        let (protection, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED | MapFlags::POPULATE);
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { mmap(std::ptr::null_mut(), bytes, protection, flags, file, offset) }?;
        Ok(Self { start: NonNull::new(start.cast()).ok_or(Errno::NOMEM)?, bytes })
    }

    /// Where it begins.
    pub fn address(&self) -> u64 {
        self.start.as_ptr().expose_provenance() as u64
    }

    /// The place of so many bytes.
    fn place(&self, offset: usize, bytes: usize) -> NonNull<u8> {
        let end = offset.checked_add(bytes);
        assert!(end.is_some_and(|end| end <= self.bytes), "outside of what is mapped");
        // SAFETY: it begins in the mapping.
        unsafe { self.start.add(offset) }
    }

    /// A word at a place that is a multiple of 4.
    pub fn word(&self, offset: usize) -> &AtomicU32 {
        let place = self.place(offset, size_of::<AtomicU32>());
        assert!(offset.is_multiple_of(align_of::<AtomicU32>()));
        // SAFETY: it is in the mapping, whose begin is a page's, and aligned. Words are accessed as such alone, by Linux as another thread would.
        unsafe { AtomicU32::from_ptr(place.as_ptr().cast()) }
    }

    /// The same of 8 bytes.
    pub fn double_word(&self, offset: usize) -> &AtomicU64 {
        let place = self.place(offset, size_of::<AtomicU64>());
        assert!(offset.is_multiple_of(align_of::<AtomicU64>()));
        // SAFETY: as above.
        unsafe { AtomicU64::from_ptr(place.as_ptr().cast()) }
    }

    /// So many bytes.
    ///
    /// # Safety
    ///
    /// Linux does not write to them, nor is anything there accessed as words, until the bytes are not used any more.
    pub unsafe fn bytes_mut(&mut self, offset: usize, bytes: usize) -> &mut [u8] {
        // SAFETY: they are in the mapping, which was zeroed or written; nobody else has them, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.place(offset, bytes).as_ptr(), bytes) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and what was lent of it is over. It cannot fail for a range that is mapped.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.bytes) };
    }
}
