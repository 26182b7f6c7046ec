//! Address space and pages, by `mmap` and its relatives. Every call is counted: tests show by it that starting a program from
//! stock makes none.

use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicU64, Ordering};

use hallows_engine::{NoMemory, PAGE_BYTES, Protection};

/// As `MADV_DONTNEED`, but also for locked pages; from Linux 5.18 on (`linux/mman.h`; not in `libc` for this target).
const MADV_DONTNEED_LOCKED: libc::c_int = 24;

static SYSTEM_CALLS: AtomicU64 = AtomicU64::new(0);

/// How many system calls the platform has made since the process started.
#[must_use]
pub fn system_calls() -> u64 {
    SYSTEM_CALLS.load(Ordering::Relaxed)
}

/// Counts one. Relaxed: only a number.
pub(super) fn count() {
    SYSTEM_CALLS.fetch_add(1, Ordering::Relaxed);
}

/// Address space without access; without swap accounting either, as almost none of it is ever used.
pub(super) fn reserve(bytes: usize, alignment: usize) -> Result<NonNull<u8>, NoMemory> {
    let slack = if alignment > PAGE_BYTES { alignment } else { 0 };
    let total = bytes.checked_add(slack).ok_or(NoMemory)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    count();
    // SAFETY: a new mapping, where the system likes.
    let address = unsafe { libc::mmap(null_mut(), total, libc::PROT_NONE, flags, -1, 0) };
    if address == libc::MAP_FAILED {
        return Err(NoMemory);
    }
    let whole = NonNull::new(address.cast::<u8>()).ok_or(NoMemory)?;
    let before = whole.as_ptr().align_offset(alignment);
    // SAFETY: parts of the mapping just made, in front of and behind what is kept; then the rest of it.
    unsafe {
        let start = whole.add(before);
        if before > 0 {
            release(whole, before);
        }
        if slack > before {
            release(start.add(bytes), slack - before);
        }
        avoid_huge_pages(start, bytes);
        Ok(start)
    }
}

/// Keeps the system from making 2 MiB pages: the first touch of one zeroes 2 MiB, which takes longer than a quantum, and a program
/// that uses 64 KiB would have them all.
///
/// # Safety
///
/// The range is mapped.
unsafe fn avoid_huge_pages(start: NonNull<u8>, bytes: usize) {
    count();
    // SAFETY: only advice. A system without huge pages refuses it, which is as good.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_NOHUGEPAGE) };
}

/// # Safety
///
/// See `Platform::protect`.
pub(super) unsafe fn protect(
    start: NonNull<u8>,
    bytes: usize,
    protection: Protection,
) -> Result<(), NoMemory> {
    let bits = match protection {
        Protection::None => libc::PROT_NONE,
        Protection::Read => libc::PROT_READ,
        Protection::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
        Protection::ReadExecute => libc::PROT_READ | libc::PROT_EXEC,
    };
    count();
    // SAFETY: the caller's promise.
    let result = unsafe { libc::mprotect(start.as_ptr().cast(), bytes, bits) };
    if result == 0 { Ok(()) } else { Err(NoMemory) }
}

/// # Safety
///
/// See `Platform::discard`.
pub(super) unsafe fn discard(start: NonNull<u8>, bytes: usize) {
    for advice in [libc::MADV_DONTNEED, MADV_DONTNEED_LOCKED] {
        count();
        // SAFETY: the caller's promise.
        if unsafe { libc::madvise(start.as_ptr().cast(), bytes, advice) } == 0 {
            return;
        }
    }
    // Locked pages on an old kernel: they cannot be given back; they must hold zeroes all the same.
    // SAFETY: the caller's promise: the pages are accessible and nobody uses them.
    unsafe { start.write_bytes(0, bytes) };
}

/// # Safety
///
/// See `Platform::release`.
pub(super) unsafe fn release(start: NonNull<u8>, bytes: usize) {
    count();
    // SAFETY: the caller's promise. It fails only for arguments that are no mapping.
    unsafe { libc::munmap(start.as_ptr().cast(), bytes) };
}

/// Pages of our own in place of what is there, zeroed.
///
/// # Safety
///
/// See `Platform::unalias`.
pub(super) unsafe fn renew(start: NonNull<u8>, bytes: usize) -> Result<(), NoMemory> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    count();
    // SAFETY: the caller's promise; a fixed mapping replaces the pages at once.
    let address =
        unsafe { libc::mmap(start.as_ptr().cast(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if address == libc::MAP_FAILED {
        return Err(NoMemory);
    }
    // SAFETY: mapped just now.
    unsafe { avoid_huge_pages(start, bytes) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_were_written_are_touched_and_discarded_ones_are_zero() {
        super::super::pages::open();
        let start = reserve(16 * PAGE_BYTES, 1 << 20).unwrap();
        assert!((start.as_ptr() as usize).is_multiple_of(1 << 20));
        // SAFETY: the mapping is this test's own.
        unsafe {
            protect(start, 8 * PAGE_BYTES, Protection::ReadWrite).unwrap();
            start.add(3 * PAGE_BYTES).write(7);
            let mut pages = [9; 8];
            assert!(super::super::pages::touched(start, &mut pages));
            assert_eq!(pages, [0, 0, 0, 1, 0, 0, 0, 0]);
            discard(start, 8 * PAGE_BYTES);
            assert_eq!(start.add(3 * PAGE_BYTES).read(), 0);
            release(start, 16 * PAGE_BYTES);
        }
    }
}
