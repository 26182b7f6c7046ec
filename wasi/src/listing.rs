//! `fd_readdir`: names in a directory.

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

/// A buffer of the program's, filled from the front.
struct Buffer {
    place: u64,
    room: u32,
    used: u32,
}

impl Buffer {
    /// Puts as many bytes as have room.
    fn put(&mut self, memory: &mut impl Memory, bytes: &[u8]) -> Result {
        let left = (self.room - self.used) as usize;
        let front = bytes.get(..left).unwrap_or(bytes);
        memory.write(self.place + u64::from(self.used), front)?;
        self.used += memory::size(front.len())?;
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.used == self.room
    }
}

impl<S: System> Process<S> {
    /// `fd_readdir`. What has no room any more is cut off; a buffer that is not full holds the last name.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Badf`], [`crate::Errno::Notdir`], [`crate::Errno::Notcapable`], [`crate::Errno::Fault`]; what the service refuses.
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
        let mut buffer = Buffer { place: u64::from(buffer), room: length, used: 0 };
        let mut from = cookie;
        let mut messages = 0;
        while !buffer.is_full() {
            let entries = self.system.entries(directory, from)?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                buffer.put(memory, &head(&entry)?)?;
                buffer.put(memory, entry.name)?;
                if buffer.is_full() {
                    break;
                }
                from = entry.next;
            }
            messages += 1;
            if messages % TURN_MESSAGES == 0 {
                self.system.give_way()?;
            }
        }
        memory::write_u32(memory, used, buffer.used)
    }
}
