//! One range of address space for everything that a machine's programs ever use, and its population with pages.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap, mmap_anonymous, munmap};

use super::available::MemoryError;
use crate::host::quantity::ByteSize;

/// What the pages of a reserve are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Private anonymous memory: the cheapest, with huge pages.
    Private,
    /// A memfd, mapped shared: its pages can be mapped a second time elsewhere, as windows and regions need it.
    Shareable,
}

/// A range of address space with a fixed size, readable and writable, unmapped when dropped.
///
/// Its pages are zero until written. Linux commits them when they are first touched, or when [`populate`](Self::populate)
/// comes by; programs may use the range meanwhile.
#[derive(Debug)]
pub struct Reserve {
    base: NonNull<u8>,
    bytes: usize,
    memfd: Option<OwnedFd>,
    populated_bytes: AtomicUsize,
}

// SAFETY: the fields are an owned range of memory that no thread accesses through this type except by atomic
// operations and system calls, an owned descriptor, and an atomic counter.
unsafe impl Send for Reserve {}
// SAFETY: as above.
unsafe impl Sync for Reserve {}

/// Alignment and granularity of a reserve: a huge page, so that the kernel can use them throughout.
pub const GRANULE_BYTES: usize = 2 << 20;

/// Bytes populated in one system call. It holds the address space's lock for reading, so a thread that maps memory
/// waits for it: 4 MiB take up to a millisecond in small pages, a fifth of that in huge ones.
const SLICE_BYTES: usize = 4 << 20;

/// How a population ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// Every page is in memory.
    Complete,
    /// It was asked to stop.
    Stopped,
}

impl Reserve {
    /// Reserves address space for `size`, rounded up to [`GRANULE_BYTES`]; commits no memory yet.
    ///
    /// # Errors
    /// [`MemoryError::Reserve`].
    pub fn new(size: ByteSize, backing: Backing) -> Result<Self, MemoryError> {
        let failed = |source: io::Error| MemoryError::Reserve { wanted: size, source };
        let bytes = usize::try_from(size.0)
            .ok()
            .and_then(|bytes| bytes.max(1).checked_next_multiple_of(GRANULE_BYTES))
            .filter(|bytes| *bytes < isize::MAX as usize - GRANULE_BYTES)
            .ok_or_else(|| failed(io::ErrorKind::OutOfMemory.into()))?;
        let memfd = match backing {
            Backing::Private => None,
            Backing::Shareable => Some(make_memfd(bytes).map_err(failed)?),
        };
        let base = map_aligned(bytes, memfd.as_ref().map(AsFd::as_fd)).map_err(failed)?;
        // SAFETY: the range was mapped just above and belongs to this value. The advice changes no content; a kernel
        // without huge pages refuses it, which leaves small ones.
        let _ = unsafe { madvise(base.as_ptr().cast(), bytes, Advice::LinuxHugepage) };
        Ok(Self { base, bytes, memfd, populated_bytes: AtomicUsize::new(0) })
    }

    /// First byte, aligned to [`GRANULE_BYTES`].
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The memfd behind a [`Backing::Shareable`] reserve, offset 0 at [`base`](Self::base).
    pub fn memfd(&self) -> Option<BorrowedFd<'_>> {
        self.memfd.as_ref().map(AsFd::as_fd)
    }

    /// How much has been populated so far, in bytes.
    pub fn populated_bytes(&self) -> usize {
        // Relaxed: a figure to show; the pages themselves need no ordering.
        self.populated_bytes.load(Ordering::Relaxed)
    }

    /// Brings every page into memory, slice by slice, on the calling thread: the cleaner's, on a housekeeping core.
    /// Content does not change, so programs may use the range at the same time. Looks at `stop` between slices.
    ///
    /// It takes the whole core for 0.3 to 0.6 s per GiB of small pages: begin when the first program runs, not before.
    ///
    /// # Errors
    /// [`MemoryError::Populate`], among others when the host runs out of memory.
    pub fn populate(&self, stop: &AtomicBool) -> Result<Population, MemoryError> {
        let mut start = self.populated_bytes();
        while start < self.bytes {
            // Relaxed: a request that may as well be seen a slice later.
            if stop.load(Ordering::Relaxed) {
                return Ok(Population::Stopped);
            }
            let bytes = SLICE_BYTES.min(self.bytes - start);
            self.populate_slice(start, bytes).map_err(|source| MemoryError::Populate {
                done: ByteSize(start as u64),
                wanted: ByteSize(self.bytes as u64),
                source,
            })?;
            start += bytes;
            // Relaxed: see `populated_bytes`.
            self.populated_bytes.store(start, Ordering::Relaxed);
        }
        Ok(Population::Complete)
    }

    fn populate_slice(&self, start: usize, bytes: usize) -> io::Result<()> {
        // SAFETY: the slice lies inside the range that this value owns; the caller's loop ends at `self.bytes`.
        let address = unsafe { self.base.as_ptr().add(start) };
        loop {
            // SAFETY: as above; populating changes no content.
            match unsafe { madvise(address.cast(), bytes, Advice::LinuxPopulateWrite) } {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
                // Kernels before 5.14 do not know the advice.
                Err(rustix::io::Errno::INVAL) => {
                    self.touch(start, bytes);
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn touch(&self, start: usize, bytes: usize) {
        for offset in (start..start + bytes).step_by(rustix::param::page_size()) {
            // SAFETY: the address lies inside the range that this value owns. An atomic operation that adds nothing
            // changes no content, also when a program writes the byte at the same time.
            let byte = unsafe { AtomicU8::from_ptr(self.base.as_ptr().add(offset)) };
            // Relaxed: only the page fault matters.
            byte.fetch_add(0, Ordering::Relaxed);
        }
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `new` and belongs to this value; who used it had to borrow it from here.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) };
    }
}

fn make_memfd(bytes: usize) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
    let memfd = memfd_create(c"hallows-memory", MemfdFlags::CLOEXEC)?;
    ftruncate(&memfd, bytes as u64)?;
    Ok(memfd)
}

/// Maps `bytes` at a multiple of [`GRANULE_BYTES`]: takes one granule more, then gives back what is too much.
fn map_aligned(bytes: usize, memfd: Option<BorrowedFd<'_>>) -> io::Result<NonNull<u8>> {
    let (access, any) = (ProtFlags::READ | ProtFlags::WRITE, std::ptr::null_mut());
    // SAFETY: a new mapping at an address of the kernel's choice touches no memory that anybody uses.
    let wide = unsafe {
        mmap_anonymous(any, bytes + GRANULE_BYTES, access, MapFlags::PRIVATE | MapFlags::NORESERVE)
    }?;
    let head = wide.cast::<u8>().align_offset(GRANULE_BYTES);
    // SAFETY: `head` is less than a granule, so all three parts lie inside the mapping made above; head and tail are
    // not used by anybody.
    let base = unsafe {
        let base = wide.cast::<u8>().add(head);
        if head > 0 {
            munmap(wide, head)?;
        }
        munmap(base.add(bytes).cast(), GRANULE_BYTES - head)?;
        base
    };
    if let Some(memfd) = memfd {
        // SAFETY: replaces exactly the range made above, which nobody uses yet.
        unsafe {
            let flags = MapFlags::SHARED | MapFlags::NORESERVE | MapFlags::FIXED;
            mmap(base.cast(), bytes, access, flags, memfd, 0)?;
        }
    }
    NonNull::new(base).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: ByteSize = ByteSize(9 << 20);

    fn resident_bytes(reserve: &Reserve) -> usize {
        let pages = reserve.bytes() / 4096;
        let mut residency = vec![0u8; pages];
        // SAFETY: the range is mapped and `residency` has one byte per page.
        let result =
            unsafe { libc::mincore(reserve.base().as_ptr().cast(), reserve.bytes(), residency.as_mut_ptr()) };
        assert_eq!(result, 0);
        residency.iter().filter(|page| **page & 1 != 0).count() * 4096
    }

    #[test]
    fn a_reserve_commits_nothing_until_populated() {
        for backing in [Backing::Private, Backing::Shareable] {
            let reserve = Reserve::new(SIZE, backing).unwrap();
            assert_eq!(reserve.bytes(), 10 << 20);
            assert_eq!(reserve.base().as_ptr() as usize % GRANULE_BYTES, 0);
            assert_eq!(resident_bytes(&reserve), 0, "{backing:?}");
            assert_eq!(reserve.populate(&AtomicBool::new(false)).unwrap(), Population::Complete);
            assert_eq!(resident_bytes(&reserve), reserve.bytes(), "{backing:?}");
            assert_eq!(reserve.populated_bytes(), reserve.bytes());
        }
    }

    #[test]
    fn populating_and_touching_keep_what_programs_wrote() {
        let reserve = Reserve::new(SIZE, Backing::Private).unwrap();
        let byte = reserve.base().as_ptr().wrapping_add(5 << 20);
        // SAFETY: inside the reserve, which only this test uses.
        unsafe { byte.write_volatile(7) };
        reserve.populate(&AtomicBool::new(false)).unwrap();
        reserve.touch(0, reserve.bytes());
        // SAFETY: as above.
        assert_eq!(unsafe { byte.read_volatile() }, 7);
    }

    #[test]
    fn a_stopped_population_goes_on_where_it_stopped() {
        let reserve = Reserve::new(SIZE, Backing::Private).unwrap();
        assert_eq!(reserve.populate(&AtomicBool::new(true)).unwrap(), Population::Stopped);
        assert_eq!(reserve.populated_bytes(), 0);
        assert_eq!(reserve.populate(&AtomicBool::new(false)).unwrap(), Population::Complete);
    }

    #[test]
    fn a_shareable_reserve_shows_the_same_pages_in_a_second_place() {
        let reserve = Reserve::new(SIZE, Backing::Shareable).unwrap();
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let window = unsafe {
            mmap(std::ptr::null_mut(), 4096, access, MapFlags::SHARED, reserve.memfd().unwrap(), 2 << 20)
        };
        let window = window.unwrap().cast::<u8>();
        // SAFETY: both addresses are mapped and only used by this test; the mapping is removed and not used afterwards.
        unsafe {
            reserve.base().as_ptr().add(2 << 20).write_volatile(9);
            assert_eq!(window.read_volatile(), 9);
            munmap(window.cast(), 4096).unwrap();
        }
    }

    #[test]
    fn more_than_the_address_space_is_refused() {
        for bytes in [u64::MAX, 1 << 62, 1 << 50] {
            assert!(matches!(
                Reserve::new(ByteSize(bytes), Backing::Private),
                Err(MemoryError::Reserve { .. })
            ));
        }
    }
}
