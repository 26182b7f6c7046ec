//! The names in a directory, in batches.

use std::mem::MaybeUninit;

use hallows_sdk::stub::{Encoder, Value};
use hallows_system::files::{Entry, Refusal};
use rustix::fs::{RawDir, SeekFrom, seek};
use rustix::io::Errno;

use super::opened::OpenFile;
use super::refusal::refused;
use super::status::kind;

/// Bytes of one batch in Linux's form. An entry takes 20 bytes and its name there at least, and 21 and its name in an answer; so what is read at
/// once fits into an answer: 60 KiB become less than 63.
pub(super) const BATCH_BYTES: usize = 60 * 1024;

impl OpenFile {
    /// Puts the next entries from a place on, with their number before them, into a buffer as an answer has them; `None` if it has no room.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotDirectory`]; [`Refusal::Invalid`] for a place that is none; [`Refusal::NoEntry`] if the directory was removed.
    pub fn entries(
        &mut self,
        from: u64,
        batch: &mut [MaybeUninit<u8>],
        into: &mut [u8],
    ) -> Result<Option<usize>, Refusal> {
        self.directory()?;
        // From the front always: some file systems show what is new only then.
        if from == 0 || self.cursor != Some(from) {
            self.cursor = None;
            seek(&*self, SeekFrom::Start(from)).map_err(refused)?;
        }
        // Until it is known again: an error leaves it anywhere.
        let mut cursor = self.cursor.take().unwrap_or(from);
        let Some((count_place, place)) = into.split_first_chunk_mut::<4>() else { return Ok(None) };
        let mut encoder = Encoder::new(place, &mut []);
        let mut names = RawDir::new(&self.descriptor, batch);
        let mut count = 0_u32;
        let put = loop {
            match names.next() {
                None => break Some(()),
                Some(Err(Errno::INTR)) => continue,
                Some(Err(error)) => return Err(refused(error)),
                Some(Ok(name)) => {
                    let entry = Entry {
                        next: name.next_entry_cookie(),
                        inode: name.ino(),
                        kind: kind(name.file_type()),
                        name: name.file_name().to_bytes(),
                    };
                    if entry.put(&mut encoder).is_none() {
                        break None;
                    }
                    cursor = entry.next;
                    count += 1;
                }
            }
            // Read once only: what Linux has handed out is handed on.
            if names.is_buffer_empty() {
                break Some(());
            }
        };
        let written = encoder.written();
        *count_place = count.to_le_bytes();
        // If not all was handed on, the descriptor stands somewhere behind.
        self.cursor = put.map(|()| cursor);
        Ok(put.map(|()| count_place.len() + written))
    }
}
