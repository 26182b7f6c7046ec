//! `fd_read`, `fd_write`, `fd_pread`, `fd_pwrite`: bytes between a descriptor and ranges of the program's memory.

use alloc::vec::Vec;

use crate::descriptor::{Flags, Position, Target};
use crate::memory::{self, Memory};
use crate::sockets::Reading;
use crate::system::{BYTES_MOST, READ_MOST, System};
use crate::vectors::Vectors;
use crate::{Errno, Process, Result, Rights};

/// Messages of one call after which others get a turn: their servers may be native programs that run on this thread.
const TURN_MESSAGES: u32 = 16;

/// What a transfer moved before it ended: only if that is nothing, its error is the call's.
pub(crate) fn outcome(done: u32, result: Result) -> Result<u32> {
    match result {
        Err(error) if done == 0 => Err(error),
        _ => Ok(done),
    }
}

/// Writes what is in the ranges, message by message. `put` writes bytes, behind so many others, and says how many it took.
pub(crate) fn write_all<S: System>(
    system: &mut S,
    buffer: &mut Vec<u8>,
    memory: &impl Memory,
    vectors: &mut Vectors,
    done: &mut u32,
    mut put: impl FnMut(&mut S, &[u8], u32) -> Result<u32>,
) -> Result {
    let mut messages = 0;
    while vectors.total() > 0 {
        let length = vectors.total().min(BYTES_MOST) as usize;
        if buffer.len() < length {
            buffer.resize(length.next_power_of_two().min(BYTES_MOST as usize), 0);
        }
        let length = vectors.gather(memory, buffer.get_mut(..length).unwrap_or_default())?;
        let mut rest = buffer.get(..length).unwrap_or_default();
        while !rest.is_empty() {
            let taken = put(system, rest, *done)?;
            // A service that takes nothing, or more than there is, does not keep its word.
            rest = rest.get(taken as usize..).filter(|_| taken > 0).ok_or(Errno::Io)?;
            *done += taken;
            messages += 1;
            if messages % TURN_MESSAGES == 0 {
                system.give_way()?;
            }
        }
    }
    Ok(())
}

/// Fills the ranges from a place of a file on, message by message, until fewer bytes come than were asked for.
fn read_all<S: System>(
    system: &mut S,
    memory: &mut impl Memory,
    vectors: &mut Vectors,
    done: &mut u32,
    (file, offset): (S::File, u64),
) -> Result {
    let mut messages = 0;
    while vectors.total() > 0 {
        let most = vectors.total().min(READ_MOST);
        let bytes = system.read(file, behind(offset, *done)?, most)?;
        let count = memory::size(bytes.len())?;
        if count > most {
            return Err(Errno::Io);
        }
        vectors.scatter(memory, bytes)?;
        *done += count;
        if count < most {
            break;
        }
        messages += 1;
        if messages % TURN_MESSAGES == 0 {
            system.give_way()?;
        }
    }
    Ok(())
}

/// The place so far behind another one.
fn behind(offset: u64, done: u32) -> Result<u64> {
    offset.checked_add(u64::from(done)).ok_or(Errno::Fbig)
}

impl Position {
    /// Where it is, which may be asked of the file.
    pub fn resolve<S: System>(&mut self, system: &mut S, file: S::File) -> Result<u64> {
        match *self {
            Self::At(offset) => Ok(offset),
            Self::End => {
                let size = system.status(file)?.size;
                *self = Self::At(size);
                Ok(size)
            }
        }
    }
}

impl<S: System> Process<S> {
    /// `fd_read`. Of a file, as many bytes as there are and have room; of a stream, those that are there, or the next that come.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Isdir`], [`Errno::Notcapable`], [`Errno::Fault`]; [`Errno::Inval`] for too many ranges or bytes;
    /// [`Errno::Again`] of a stream that is not to wait; what the service refuses.
    pub fn fd_read(&mut self, memory: &mut impl Memory, fd: u32, list: u32, count: u32, read: u32) -> Result {
        let Self { system, table, waits: waited, .. } = self;
        let descriptor = table.get(fd)?;
        if let Target::Directory { .. } = descriptor.target {
            return Err(Errno::Isdir);
        }
        descriptor.check(Rights::FD_READ)?;
        memory.check_writable(u64::from(read), 4)?;
        let mut vectors = Vectors::to_read(memory, list, count)?;
        let waits = !descriptor.flags.contains(Flags::NONBLOCK);
        let mut done = 0;
        let result = match &mut descriptor.target {
            Target::Connection(connection) => connection.read(
                (system, waited),
                memory,
                &mut vectors,
                &mut done,
                Reading { waits, ..Reading::default() },
            ),
            Target::Stream { .. } if vectors.total() == 0 => Ok(()),
            Target::Stream { console, .. } => {
                if !waits && !system.await_input(*console, 0)? {
                    return Err(Errno::Again);
                }
                let bytes = system.get(*console, vectors.total().min(BYTES_MOST))?;
                let count = memory::size(bytes.len())?;
                if count > vectors.total() {
                    return Err(Errno::Io);
                }
                done = count;
                vectors.scatter(memory, bytes)
            }
            Target::File { file, position, .. } => {
                let (file, offset) = (*file, position.resolve(system, *file)?);
                let result = read_all(system, memory, &mut vectors, &mut done, (file, offset));
                *position = Position::At(behind(offset, done)?);
                result
            }
            Target::Directory { .. } => Err(Errno::Isdir),
            Target::Port { .. } => Err(Errno::Notsup),
        };
        memory::write_u32(memory, read, outcome(done, result)?)
    }

    /// `fd_write`. All of it is written, unless something goes wrong on the way.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_read`].
    pub fn fd_write(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        list: u32,
        count: u32,
        written: u32,
    ) -> Result {
        let Self { system, table, buffer, waits: waited, .. } = self;
        let descriptor = table.get(fd)?;
        if let Target::Directory { .. } = descriptor.target {
            return Err(Errno::Isdir);
        }
        descriptor.check(Rights::FD_WRITE)?;
        memory.check_writable(u64::from(written), 4)?;
        let mut vectors = Vectors::to_write(memory, list, count)?;
        let appends = descriptor.flags.contains(Flags::APPEND);
        let waits = !descriptor.flags.contains(Flags::NONBLOCK);
        let mut done = 0;
        let result = match &mut descriptor.target {
            Target::Connection(connection) => {
                write_all(system, buffer, memory, &mut vectors, &mut done, |system, bytes, _| {
                    connection.send((system, waited), bytes, waits)
                })
            }
            Target::Stream { console, .. } => {
                write_all(system, buffer, memory, &mut vectors, &mut done, |system, bytes, _| {
                    system.put(*console, bytes)
                })
            }
            Target::File { file, position, .. } if appends => {
                *position = if vectors.total() == 0 { *position } else { Position::End };
                write_all(system, buffer, memory, &mut vectors, &mut done, |system, bytes, _| {
                    system.append(*file, bytes)
                })
            }
            Target::File { file, position, .. } => {
                let offset = position.resolve(system, *file)?;
                let put =
                    |system: &mut S, bytes: &[u8], done| system.write(*file, behind(offset, done)?, bytes);
                let result = write_all(system, buffer, memory, &mut vectors, &mut done, put);
                *position = Position::At(behind(offset, done)?);
                result
            }
            Target::Directory { .. } => Err(Errno::Isdir),
            Target::Port { .. } => Err(Errno::Notsup),
        };
        memory::write_u32(memory, written, outcome(done, result)?)
    }

    /// `fd_pread`.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_read`]; [`Errno::Spipe`] of a stream.
    pub fn fd_pread(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        list: u32,
        count: u32,
        offset: u64,
        read: u32,
    ) -> Result {
        let file = self.placed(fd, Rights::FD_READ)?;
        memory.check_writable(u64::from(read), 4)?;
        let mut vectors = Vectors::to_read(memory, list, count)?;
        let mut done = 0;
        let result = read_all(&mut self.system, memory, &mut vectors, &mut done, (file, offset));
        memory::write_u32(memory, read, outcome(done, result)?)
    }

    /// `fd_pwrite`. The place counts, also where the descriptor appends.
    ///
    /// # Errors
    ///
    /// As [`Process::fd_pread`].
    pub fn fd_pwrite(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        list: u32,
        count: u32,
        offset: u64,
        written: u32,
    ) -> Result {
        let file = self.placed(fd, Rights::FD_WRITE)?;
        memory.check_writable(u64::from(written), 4)?;
        let mut vectors = Vectors::to_write(memory, list, count)?;
        let mut done = 0;
        let put = |system: &mut S, bytes: &[u8], done| system.write(file, behind(offset, done)?, bytes);
        let Self { system, buffer, .. } = self;
        let result = write_all(system, buffer, memory, &mut vectors, &mut done, put);
        memory::write_u32(memory, written, outcome(done, result)?)
    }

    /// A file that has places, and this right at any of them.
    fn placed(&mut self, fd: u32, right: Rights) -> Result<S::File> {
        let descriptor = self.table.get(fd)?;
        if let Target::Directory { .. } = descriptor.target {
            return Err(Errno::Isdir);
        }
        descriptor.file(right | Rights::FD_SEEK, Errno::Spipe)
    }
}
