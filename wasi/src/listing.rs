//! `fd_readdir`: names in a directory.
//!
//! Programs read a directory with small buffers (libraries use 128 bytes to 4 KiB), and a service answers with as many names as a message holds. So the
//! last answer is kept until another one is needed, or a directory is read from its front again.

use alloc::vec::Vec;

use hallows_system::files::Entry;

use crate::descriptor::Filetype;
use crate::memory::{self, Memory};
use crate::system::System;
use crate::{Process, Result, Rights};

/// Bytes of `dirent`, which the name follows.
const HEAD_BYTES: usize = 24;

/// Messages of one call after which others get a turn.
const TURN_MESSAGES: u32 = 16;

/// `dirent`: where the next one is, inode, length of the name, kind.
fn head(entry: &Entry<'_>) -> Result<[u8; HEAD_BYTES]> {
    let mut form = [0; HEAD_BYTES];
    let kind = Filetype::from(entry.kind) as u64;
    let words = [entry.next, entry.inode, u64::from(memory::size(entry.name.len())?) | kind << 32];
    for (place, word) in form.chunks_exact_mut(8).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    Ok(form)
}

/// The names that a service gave last, as programs get them.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Of which descriptor.
    of: Option<u32>,
    names: Vec<u8>,
    /// Where in the directory the first of them is, and where what follows the last is.
    first: u64,
    behind: u64,
    /// Where the last read began: in the directory, and in `names`. The next one begins a little behind.
    last_read: (u64, usize),
}

impl Listing {
    /// Forgets the names of a descriptor that is none any more, or another one.
    pub fn forget(&mut self, fd: u32) {
        if self.of == Some(fd) {
            *self = Self::default();
        }
    }

    /// Where in `names` the place of a directory is. None: not here, or there is nothing behind it.
    fn find(&mut self, fd: u32, from: u64) -> Option<usize> {
        // From the front, the directory is read anew: programs want to see what has changed.
        if self.of != Some(fd) || from == 0 {
            return None;
        }
        let starts = [self.last_read, (self.first, 0)];
        let place = starts.into_iter().find_map(|start| self.find_behind(start, from))?;
        self.last_read = (from, place);
        (place < self.names.len()).then_some(place)
    }

    fn find_behind(&self, (mut next, mut place): (u64, usize), from: u64) -> Option<usize> {
        while next != from {
            let head = self.names.get(place..)?.first_chunk::<HEAD_BYTES>()?;
            let [next_bytes, _, length] = head.as_chunks().0 else { return None };
            next = u64::from_le_bytes(*next_bytes);
            // The lower half: the upper one is the kind.
            place += HEAD_BYTES + (u64::from_le_bytes(*length) as u32) as usize;
        }
        Some(place)
    }

    /// Keeps what was given.
    fn keep<'m>(&mut self, fd: u32, from: u64, entries: impl Iterator<Item = Entry<'m>>) -> Result {
        self.of = None;
        self.names.clear();
        self.behind = from;
        for entry in entries {
            self.names.extend_from_slice(&head(&entry)?);
            self.names.extend_from_slice(entry.name);
            self.behind = entry.next;
        }
        (self.of, self.first, self.last_read) = (Some(fd), from, (from, 0));
        Ok(())
    }
}

impl<S: System> Process<S> {
    /// `fd_readdir`. What has no room any more is cut off; a buffer that is not full holds the last name.
    ///
    /// # Errors
    ///
    /// [`Errno::Badf`], [`Errno::Notdir`], [`Errno::Notcapable`], [`Errno::Fault`]; what the service refuses.
    ///
    /// [`Errno::Badf`]: crate::Errno::Badf
    /// [`Errno::Notdir`]: crate::Errno::Notdir
    /// [`Errno::Notcapable`]: crate::Errno::Notcapable
    /// [`Errno::Fault`]: crate::Errno::Fault
    pub fn fd_readdir(
        &mut self,
        memory: &mut impl Memory,
        fd: u32,
        buffer: u32,
        length: u32,
        cookie: u64,
        used: u32,
    ) -> Result {
        let directory = self.table.get(fd)?.directory(Rights::FD_READDIR)?;
        memory.check_writable(u64::from(used), 4)?;
        memory.check_writable(u64::from(buffer), u64::from(length))?;
        let (mut from, mut filled) = (cookie, 0);
        let mut messages = 0;
        while filled < length {
            let place = match self.listing.find(fd, from) {
                Some(place) => place,
                None => {
                    let entries = self.system.entries(directory, from)?;
                    if entries.is_empty() {
                        break;
                    }
                    self.listing.keep(fd, from, entries.iter())?;
                    messages += 1;
                    if messages % TURN_MESSAGES == 0 {
                        self.system.give_way()?;
                    }
                    0
                }
            };
            let names = self.listing.names.get(place..).unwrap_or_default();
            let front = names.get(..(length - filled) as usize).unwrap_or(names);
            memory.write(u64::from(buffer) + u64::from(filled), front)?;
            filled += memory::size(front.len())?;
            from = self.listing.behind;
        }
        memory::write_u32(memory, used, filled)
    }
}
