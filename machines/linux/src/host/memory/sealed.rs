//! Bytes of a file in memory that nobody can change any more, without a copy of them.

use std::io;
use std::ops::Deref;
use std::os::fd::OwnedFd;

use rustix::fs::{SealFlags, fcntl_get_seals, fstat};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A sealed file, mapped for reading.
#[derive(Debug)]
pub struct Sealed {
    /// Of `length` bytes; dangling if there are none.
    start: *const u8,
    length: usize,
}

// SAFETY: nothing writes to the bytes: the file is sealed against it, and this mapping is for reading.
unsafe impl Send for Sealed {}
// SAFETY: as above.
unsafe impl Sync for Sealed {}

impl Sealed {
    /// Maps a file, all of it at once: its pages are there already.
    ///
    /// # Errors
    /// When it could still be written to or be cut, and Linux's.
    pub fn map(file: &OwnedFd) -> io::Result<Self> {
        Self::map_up_to(file, usize::MAX)
    }

    /// [`Sealed::map`] of a file that has at most so many bytes.
    ///
    /// # Errors
    /// As [`Sealed::map`], and when it has more.
    pub fn map_up_to(file: &OwnedFd, most_bytes: usize) -> io::Result<Self> {
        let seals = fcntl_get_seals(file)?;
        if !seals.contains(SealFlags::WRITE | SealFlags::SHRINK) {
            return Err(io::Error::other("the file can still be changed"));
        }
        let length = usize::try_from(fstat(file)?.st_size).map_err(io::Error::other)?;
        if length > most_bytes {
            return Err(io::Error::other(format!("the file has {length} bytes, more than {most_bytes}")));
        }
        if length == 0 {
            return Ok(Self { start: std::ptr::dangling(), length });
        }
        let flags = MapFlags::PRIVATE | MapFlags::POPULATE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, flags, file, 0) }?;
        Ok(Self { start: start.cast(), length })
    }
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: mapped for reading until `self` is dropped, and neither changed nor cut, which the seals forbid.
        unsafe { std::slice::from_raw_parts(self.start, self.length) }
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the mapping is this value's own. It cannot fail for a range that is mapped.
            let _ = unsafe { munmap(self.start.cast_mut().cast(), self.length) };
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};

    use super::*;

    fn file(bytes: &[u8], seals: SealFlags) -> OwnedFd {
        let file = memfd_create("test", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        assert_eq!(rustix::io::write(&file, bytes).unwrap(), bytes.len());
        fcntl_add_seals(&file, seals).unwrap();
        file
    }

    #[test]
    fn what_cannot_change_any_more_is_read_where_it_lies() {
        let all = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW;
        assert_eq!(&*Sealed::map(&file(b"some bytes", all)).unwrap(), b"some bytes");
        assert_eq!(&*Sealed::map(&file(b"", all)).unwrap(), b"");
    }

    #[test]
    fn what_could_change_is_not_mapped() {
        for seals in [SealFlags::empty(), SealFlags::WRITE, SealFlags::SHRINK] {
            assert!(Sealed::map(&file(b"some bytes", seals)).is_err(), "{seals:?}");
        }
    }
}
