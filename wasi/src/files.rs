//! Files that are open: `fd_advise`, `fd_allocate`, `fd_datasync`, `fd_sync`, `fd_filestat_get`, `fd_filestat_set_size`,
//! `fd_filestat_set_times`, `fd_seek`, `fd_tell`.

use hallows_system::files::{Advice, Moment, Status};

use crate::descriptor::{Filetype, Position, Target};
use crate::memory::{self, Memory};
use crate::system::System;
use crate::{Errno, Process, Result, Rights};

/// Bytes of `filestat`.
const FILESTAT_BYTES: usize = 64;

/// `filestat` of what is no file: a kind and nothing else.
fn nothing_but(kind: Filetype) -> [u8; FILESTAT_BYTES] {
    form([0, 0, kind as u64, 0, 0, 0, 0, 0])
}

/// `filestat`: device, inode, kind, links, size, times.
pub(crate) fn filestat(status: &Status) -> [u8; FILESTAT_BYTES] {
    let Status { device, inode, kind, links, size, accessed, modified, changed } = *status;
    form([device, inode, Filetype::from(kind) as u64, links, size, accessed, modified, changed])
}

fn form(words: [u64; FILESTAT_BYTES / 8]) -> [u8; FILESTAT_BYTES] {
    let mut form = [0; FILESTAT_BYTES];
    for (place, word) in form.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    form
}

/// What `fstflags` say becomes of the two times.
pub(crate) fn moments(accessed: u64, modified: u64, flags: u32) -> Result<(Moment, Moment)> {
    let moment = |flags: u32, time| match flags {
        0 => Ok(Moment::Kept),
        1 => Ok(Moment::At(time)),
        2 => Ok(Moment::Now),
        // Both, or some that are none.
        _ => Err(Errno::Inval),
    };
    Ok((moment(flags & 3, accessed)?, moment(flags >> 2, modified)?))
}

impl<S: System> Process<S> {
    /// `fd_advise`.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notcapable`]; [`Errno::Spipe`] of a stream; [`Errno::Inval`] for advice that is none; what the service
    /// refuses.
    pub fn fd_advise(
        &mut self,
        _: &mut impl Memory,
        fd: u32,
        offset: u64,
        length: u64,
        advice: u32,
    ) -> Result {
        let file = self.table.get(fd)?.file(Rights::FD_ADVISE, Errno::Spipe)?;
        let advice = Advice::ALL.get(advice as usize).copied().ok_or(Errno::Inval)?;
        self.system.advise(file, offset, length, advice)
    }

    /// `fd_allocate`.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_advise`]; [`Errno::Inval`] for no bytes, [`Errno::Fbig`] for a place that there is not.
    pub fn fd_allocate(&mut self, _: &mut impl Memory, fd: u32, offset: u64, length: u64) -> Result {
        let file = self.table.get(fd)?.file(Rights::FD_ALLOCATE, Errno::Spipe)?;
        if length == 0 {
            return Err(Errno::Inval);
        }
        offset.checked_add(length).ok_or(Errno::Fbig)?;
        self.system.allocate(file, offset, length)
    }

    /// `fd_datasync`.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notcapable`]; [`Errno::Inval`] of a stream; what the service refuses.
    pub fn fd_datasync(&mut self, _: &mut impl Memory, fd: u32) -> Result {
        let file = self.table.get(fd)?.file(Rights::FD_DATASYNC, Errno::Inval)?;
        self.system.sync(file, true)
    }

    /// `fd_sync`.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_datasync`].
    pub fn fd_sync(&mut self, _: &mut impl Memory, fd: u32) -> Result {
        let file = self.table.get(fd)?.file(Rights::FD_SYNC, Errno::Inval)?;
        self.system.sync(file, false)
    }

    /// `fd_filestat_get`. A stream has a kind and nothing else.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notcapable`], [`Errno::Fault`]; what the service refuses.
    pub fn fd_filestat_get(&mut self, memory: &mut impl Memory, fd: u32, place: u32) -> Result {
        let descriptor = self.table.get(fd)?;
        descriptor.check(Rights::FD_FILESTAT_GET)?;
        let form = match descriptor.target {
            Target::Stream { .. } | Target::Port { .. } | Target::Connection(_) => {
                nothing_but(self.kind(fd)?)
            }
            Target::File { file, .. } | Target::Directory { file, .. } => {
                filestat(&self.system.status(file)?)
            }
        };
        memory.write(u64::from(place), &form)
    }

    /// `fd_filestat_set_size`.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_datasync`].
    pub fn fd_filestat_set_size(&mut self, _: &mut impl Memory, fd: u32, size: u64) -> Result {
        let file = self.table.get(fd)?.file(Rights::FD_FILESTAT_SET_SIZE, Errno::Inval)?;
        self.system.set_size(file, size)
    }

    /// `fd_filestat_set_times`.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_datasync`]; [`Errno::Inval`] for flags that are none or exclude each other.
    pub fn fd_filestat_set_times(
        &mut self,
        _: &mut impl Memory,
        fd: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Result {
        let file = self.table.get(fd)?.file(Rights::FD_FILESTAT_SET_TIMES, Errno::Inval)?;
        let (accessed, modified) = moments(accessed, modified, flags)?;
        self.system.set_times(file, accessed, modified)
    }

    /// `fd_seek`.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notcapable`], [`Errno::Fault`]; [`Errno::Spipe`] of a stream; [`Errno::Isdir`] of a directory;
    /// [`Errno::Inval`] for a start that is none or a place before the first byte, [`Errno::Overflow`] for one beyond what can be counted;
    /// what the service refuses.
    pub fn fd_seek(&mut self, memory: &mut impl Memory, fd: u32, by: i64, whence: u32, place: u32) -> Result {
        let Self { system, table, .. } = self;
        let (file, position) = table.get(fd)?.position(by == 0 && whence == 1)?;
        memory.check_writable(u64::from(place), 8)?;
        let start = match whence {
            0 => 0,
            1 => position.resolve(system, file)?,
            2 => system.status(file)?.size,
            _ => return Err(Errno::Inval),
        };
        let beyond = if by < 0 { Errno::Inval } else { Errno::Overflow };
        let offset = start.checked_add_signed(by).ok_or(beyond)?;
        *position = Position::At(offset);
        memory::write_u64(memory, place, offset)
    }

    /// `fd_tell`.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_seek`].
    pub fn fd_tell(&mut self, memory: &mut impl Memory, fd: u32, place: u32) -> Result {
        let Self { system, table, .. } = self;
        let (file, position) = table.get(fd)?.position(true)?;
        let offset = position.resolve(system, file)?;
        memory::write_u64(memory, place, offset)
    }
}
