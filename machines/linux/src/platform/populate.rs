//! Takes memory for pages before they are touched, and locks it where that was allowed.

use std::ptr::NonNull;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use hallows_engine::PAGE_BYTES;

use super::memory::count;

/// Bytes populated in one system call. It holds the lock of the address space for reading, so a program whose memory grows waits for
/// it: 256 KiB take some 20 µs.
const SLICE_BYTES: usize = 256 << 10;

/// Whether pages are locked, too.
static LOCKS: AtomicBool = AtomicBool::new(false);

/// From now on, populated pages are locked one by one; see [`Locking`](crate::host::memory::Locking) for who may.
pub fn lock_populated() {
    // Relaxed here and below: who sees it late leaves a page unlocked.
    LOCKS.store(true, Ordering::Relaxed);
}

/// See `Platform::populate`.
pub(super) fn populate(start: NonNull<u8>, bytes: usize) -> bool {
    (0..bytes).step_by(SLICE_BYTES).all(|offset| {
        // SAFETY: inside of the range.
        let slice = unsafe { start.add(offset) };
        populate_slice(slice, SLICE_BYTES.min(bytes - offset))
    })
}

fn populate_slice(start: NonNull<u8>, bytes: usize) -> bool {
    if LOCKS.load(Ordering::Relaxed) {
        count();
        // SAFETY: brings pages into memory and keeps them there; what is in them stays.
        if unsafe { libc::mlock(start.as_ptr().cast(), bytes) } == 0 {
            return true;
        }
    }
    if !has_advice() {
        touch(start, bytes);
        return true;
    }
    count();
    // SAFETY: as above. It fails for pages that are inaccessible, and when there is no memory.
    unsafe { libc::madvise(start.as_ptr().cast(), bytes, libc::MADV_POPULATE_WRITE) == 0 }
}

/// Whether this Linux has the advice: from 5.14 on. Of nothing at all, every advice is taken that is known (madvise(2)).
fn has_advice() -> bool {
    static HAS: LazyLock<bool> = LazyLock::new(|| {
        count();
        // SAFETY: no page is meant.
        unsafe { libc::madvise(std::ptr::null_mut(), 0, libc::MADV_POPULATE_WRITE) == 0 }
    });
    *HAS
}

/// Touches each page. The range is accessible.
fn touch(start: NonNull<u8>, bytes: usize) {
    for offset in (0..bytes).step_by(PAGE_BYTES) {
        // SAFETY: inside of the range. The instruction adds nothing to a byte, atomically, so it changes nothing, also when a
        // program writes the byte at the same time. (Compilers leave out an atomic addition of nothing.)
        unsafe {
            std::arch::asm!("lock add byte ptr [{}], 0", in(reg) start.add(offset).as_ptr(), options(nostack))
        };
    }
}

/// Lets go of locked pages that become inaccessible, so that they count for no limit any more.
pub(super) fn unlock(start: NonNull<u8>, bytes: usize) {
    if LOCKS.load(Ordering::Relaxed) {
        count();
        // SAFETY: changes no content. A range that was not locked stays as it is.
        unsafe { libc::munlock(start.as_ptr().cast(), bytes) };
    }
}

#[cfg(test)]
mod tests {
    use hallows_engine::Protection;

    use super::super::{memory, pages};
    use super::*;

    /// Kept open while it is a slot's: one mapping each.
    fn accessible(bytes: usize) -> NonNull<u8> {
        pages::open();
        let start = memory::reserve(bytes, 1 << 20).unwrap();
        // SAFETY: the mapping is this test's own.
        unsafe { memory::protect(start, bytes, Protection::ReadWrite).unwrap() };
        start
    }

    fn resident(start: NonNull<u8>, bytes: usize) -> usize {
        let mut touched = vec![0; bytes / PAGE_BYTES];
        assert!(pages::touched(start, &mut touched));
        touched.iter().filter(|page| **page != 0).count() * PAGE_BYTES
    }

    #[test]
    fn every_page_is_there_and_what_was_written_stays() {
        const BYTES: usize = 3 * SLICE_BYTES + PAGE_BYTES;
        for way in [populate as fn(_, _) -> bool, |start, bytes| {
            touch(start, bytes);
            true
        }] {
            let start = accessible(BYTES);
            assert_eq!(resident(start, BYTES), 0);
            // SAFETY: the mapping is this test's own.
            unsafe { start.add(5 * PAGE_BYTES).write(7) };
            assert!(way(start, BYTES));
            assert_eq!(resident(start, BYTES), BYTES);
            // SAFETY: as above.
            unsafe {
                assert_eq!(start.add(5 * PAGE_BYTES).read(), 7);
                memory::release(start, BYTES);
            }
        }
    }

    #[test]
    fn what_is_inaccessible_is_not_populated_and_no_fault() {
        pages::open();
        let start = memory::reserve(SLICE_BYTES, PAGE_BYTES).unwrap();
        assert!(!populate(start, SLICE_BYTES));
        // SAFETY: the mapping is this test's own.
        unsafe { memory::release(start, SLICE_BYTES) };
    }
}
