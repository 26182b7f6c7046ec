//! Where a machine sees the memory of a wire: one place for as long as the process runs, with one wire's memory after another's.
//!
//! A peer comes and goes, and with it the file; what points to its words would have to go, too, and be sure of it. So the place stays and what stands there
//! changes: zeroes while there is no peer. Whoever still reads there reads other words, which is what any peer can do to it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::AtomicU64;

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, mmap_anonymous};

use super::memory::BYTES;

/// The place.
#[derive(Debug)]
pub(super) struct View {
    words: &'static [AtomicU64],
}

const READ_WRITE: ProtFlags = ProtFlags::READ.union(ProtFlags::WRITE);

impl View {
    /// A place that shows zeroes. It is never given back.
    ///
    /// # Errors
    ///
    /// When there are no more addresses.
    pub fn reserve() -> io::Result<Self> {
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { mmap_anonymous(std::ptr::null_mut(), BYTES, READ_WRITE, MapFlags::PRIVATE) }?;
        // SAFETY: it is never unmapped, and its pages are only ever replaced by others that can be read and written; it begins a page. All access is by
        // these words, and whoever else maps them is another process.
        let words =
            unsafe { std::slice::from_raw_parts(start.cast::<AtomicU64>(), BYTES / size_of::<AtomicU64>()) };
        Ok(Self { words })
    }

    /// What stands there.
    pub const fn words(&self) -> &'static [AtomicU64] {
        self.words
    }

    /// Shows a file, which is a wire's memory.
    ///
    /// # Errors
    ///
    /// When it may not be mapped; zeroes stand there then.
    pub fn show(&self, file: &OwnedFd) -> Result<(), Errno> {
        let flags = MapFlags::SHARED | MapFlags::FIXED | MapFlags::POPULATE;
        // SAFETY: the pages of this place alone are replaced, at once, by others that can be read and written.
        let shown = unsafe { mmap(self.start(), BYTES, READ_WRITE, flags, file.as_fd(), 0) };
        // Who fails may have taken the old pages away already.
        shown.map(drop).inspect_err(|_| self.hide())
    }

    /// Shows zeroes.
    pub fn hide(&self) {
        let flags = MapFlags::PRIVATE | MapFlags::FIXED;
        // SAFETY: as in `show`.
        let hidden = unsafe { mmap_anonymous(self.start(), BYTES, READ_WRITE, flags) };
        if hidden.is_err() {
            // There may be a hole now, in words that safe code reads.
            std::process::abort();
        }
    }

    const fn start(&self) -> *mut std::ffi::c_void {
        self.words.as_ptr().cast_mut().cast()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use super::super::memory;
    use super::*;

    #[test]
    fn two_views_show_one_file_and_then_zeroes() {
        let views = [View::reserve().unwrap(), View::reserve().unwrap()];
        for round in 1..4 {
            let file = memory::make().unwrap();
            views.iter().for_each(|view| view.show(&file).unwrap());
            let [one, other] = views.each_ref().map(|view| &view.words()[100]);
            assert_eq!(other.load(Relaxed), 0);
            one.store(round, Relaxed);
            assert_eq!(other.load(Relaxed), round);
            views[0].hide();
            assert_eq!((one.load(Relaxed), other.load(Relaxed)), (0, round));
        }
    }

    #[test]
    fn a_file_that_cannot_be_mapped_leaves_zeroes() {
        let view = View::reserve().unwrap();
        view.show(&memory::make().unwrap()).unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        assert!(view.show(&file.into()).is_err());
        assert!(view.words().iter().all(|word| word.load(Relaxed) == 0));
    }
}
