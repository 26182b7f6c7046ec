//! The bytes of a file: reading, writing, size, room, advice, and getting them to the disk; and its times.

use std::num::NonZeroU64;

use hallows_system::files::{Advice, Moment, Refusal};
use rustix::fs::{
    FallocateFlags, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fadvise, fallocate, fcntl_setfl,
    fdatasync, fsync, ftruncate, futimens,
};
use rustix::io::{Errno, pread, pwrite, retry_on_intr, write};

use super::opened::OpenFile;
use super::refusal::refused;

const NANOSECONDS: u64 = 1_000_000_000;

impl OpenFile {
    /// Reads into a place, and says how many bytes; 0 at the end.
    pub fn read(&self, offset: u64, place: &mut [u8]) -> Result<usize, Refusal> {
        self.check_readable()?;
        if place.is_empty() {
            return Ok(0);
        }
        retry_on_intr(|| pread(self, &mut *place, offset)).map_err(refused)
    }

    /// Writes to a place, and says how many bytes.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<u32, Refusal> {
        self.check_writable()?;
        self.append_or_not(false)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        count(retry_on_intr(|| pwrite(&*self, bytes, offset)))
    }

    /// Writes to the end, wherever that is by then, and says how many bytes.
    pub fn append(&mut self, bytes: &[u8]) -> Result<u32, Refusal> {
        self.check_writable()?;
        self.append_or_not(true)?;
        if bytes.is_empty() {
            return Ok(0);
        }
        count(retry_on_intr(|| write(&*self, bytes)))
    }

    /// Has Linux find the end itself: nothing that others append comes between. While it does, it would put everything there.
    fn append_or_not(&mut self, appends: bool) -> Result<(), Refusal> {
        if self.appends != appends {
            let flags = if appends { OFlags::APPEND } else { OFlags::empty() };
            fcntl_setfl(&*self, flags).map_err(refused)?;
            self.appends = appends;
        }
        Ok(())
    }

    pub fn set_size(&self, size: u64) -> Result<(), Refusal> {
        self.check_writable()?;
        retry_on_intr(|| ftruncate(self, offset(size)?)).map_err(refused)
    }

    pub fn allocate(&self, from: u64, length: u64) -> Result<(), Refusal> {
        self.check_writable()?;
        let keep_room = || fallocate(self, FallocateFlags::empty(), offset(from)?, offset(length)?);
        retry_on_intr(keep_room).map_err(refused)
    }

    pub fn advise(&self, from: u64, length: u64, advice: Advice) -> Result<(), Refusal> {
        let advice = match advice {
            Advice::Normal => rustix::fs::Advice::Normal,
            Advice::Sequential => rustix::fs::Advice::Sequential,
            Advice::Random => rustix::fs::Advice::Random,
            Advice::WillNeed => rustix::fs::Advice::WillNeed,
            Advice::WontNeed => rustix::fs::Advice::DontNeed,
            Advice::NoReuse => rustix::fs::Advice::NoReuse,
        };
        let advised =
            offset(from).and_then(|from| fadvise(self, from, NonZeroU64::new(offset(length)?), advice));
        advised.map_err(refused)
    }

    pub fn sync(&self, data_only: bool) -> Result<(), Refusal> {
        retry_on_intr(|| if data_only { fdatasync(self) } else { fsync(self) }).map_err(refused)
    }

    pub fn set_times(&self, accessed: Moment, modified: Moment) -> Result<(), Refusal> {
        if self.read_only {
            return Err(Refusal::ReadOnly);
        }
        futimens(self, &timestamps(accessed, modified)).map_err(refused)
    }

    const fn check_readable(&self) -> Result<(), Refusal> {
        if self.is_directory {
            Err(Refusal::IsDirectory)
        } else if self.readable {
            Ok(())
        } else {
            Err(Refusal::BadDescriptor)
        }
    }

    const fn check_writable(&self) -> Result<(), Refusal> {
        if self.writable { Ok(()) } else { Err(Refusal::BadDescriptor) }
    }
}

/// Both times in Linux's form.
pub(super) fn timestamps(accessed: Moment, modified: Moment) -> Timestamps {
    let time = |moment| match moment {
        Moment::Kept => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        Moment::Now => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
        // Both parts are far below their bounds.
        Moment::At(time) => Timespec {
            tv_sec: i64::try_from(time / NANOSECONDS).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(time % NANOSECONDS).unwrap_or(0),
        },
    };
    Timestamps { last_access: time(accessed), last_modification: time(modified) }
}

/// A place or length that Linux can count.
fn offset(number: u64) -> Result<u64, Errno> {
    if i64::try_from(number).is_ok() { Ok(number) } else { Err(Errno::FBIG) }
}

/// How many bytes were written; no message has more than 32 bits can count.
fn count(written: Result<usize, Errno>) -> Result<u32, Refusal> {
    written.map_err(refused).map(|written| u32::try_from(written).unwrap_or(u32::MAX))
}
