//! Regions as memory files: one file each, whose pages are mapped into any number of linear memories.

use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use hallows_engine::Aliasing;
use hallows_kernel::Unmappable;

use super::memory::count;

/// Bytes of all objects that there are.
static BYTES: AtomicU64 = AtomicU64::new(0);

/// How much memory regions have, in bytes.
pub fn region_bytes() -> u64 {
    // Relaxed here and below: a figure.
    BYTES.load(Ordering::Relaxed)
}

/// Makes a file with all of its pages: a page that cannot be had later would end the machine with a bus error.
pub(super) fn create(bytes: usize) -> Result<u64, Unmappable> {
    let length = libc::off_t::try_from(bytes).map_err(|_| Unmappable::BadRange)?;
    count();
    // SAFETY: makes a file descriptor; the name is a constant string.
    let file = unsafe { libc::memfd_create(c"hallows region".as_ptr(), libc::MFD_CLOEXEC) };
    if file < 0 {
        return Err(Unmappable::NoMemory);
    }
    count();
    // SAFETY: a file of our own.
    if unsafe { libc::fallocate(file, 0, 0, length) } != 0 {
        // SAFETY: as above; not used any more.
        unsafe { libc::close(file) };
        return Err(Unmappable::NoMemory);
    }
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
    u64::try_from(file).map_err(|_| Unmappable::NoMemory)
}

/// The size of an object.
fn length(file: RawFd) -> u64 {
    // SAFETY: all of it are numbers, for which zeroes are values.
    let mut status: libc::stat = unsafe { std::mem::zeroed() };
    count();
    // SAFETY: a file of our own, and a place for the answer.
    let failed = unsafe { libc::fstat(file, &raw mut status) } != 0;
    if failed { 0 } else { u64::try_from(status.st_size).unwrap_or(0) }
}

/// Closes the file; its pages go with the last mapping.
pub(super) fn destroy(object: u64) {
    if let Ok(file) = RawFd::try_from(object) {
        BYTES.fetch_sub(length(file), Ordering::Relaxed);
        count();
        // SAFETY: the file is one of `create`, closed once.
        unsafe { libc::close(file) };
    }
}

/// # Safety
///
/// See `Platform::alias`.
pub(super) unsafe fn alias(
    object: u64,
    start: NonNull<u8>,
    bytes: usize,
    aliasing: Aliasing,
) -> Result<(), Unmappable> {
    let file = RawFd::try_from(object).map_err(|_| Unmappable::BadRange)?;
    let protection = match aliasing {
        Aliasing::SharedRead => libc::PROT_READ,
        Aliasing::SharedReadWrite => libc::PROT_READ | libc::PROT_WRITE,
    };
    // Populated: the first touch of a page would fault in a program's time.
    let flags = libc::MAP_SHARED | libc::MAP_FIXED | libc::MAP_POPULATE;
    count();
    // SAFETY: the caller's promise; a fixed mapping replaces the pages at once.
    let address = unsafe { libc::mmap(start.as_ptr().cast(), bytes, protection, flags, file, 0) };
    if address == libc::MAP_FAILED { Err(Unmappable::NoMemory) } else { Ok(()) }
}
