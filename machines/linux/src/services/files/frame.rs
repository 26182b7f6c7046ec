//! An answer with many bytes, put together where they are read to: the engine copies it from here to the client, and nobody else does.

use std::cell::Cell;

use hallows_abi::{MAX_MESSAGE, Outcome, Transfer};
use hallows_sdk::stub::{Caller, Deadline, Error, Handle};
use hallows_system::files::File;

use super::opened::OpenFile;

/// What an answer has before the bytes: status 0, the first case of the result, how many bytes (see `docs/interfaces.md`).
const HEAD_BYTES: usize = 1 + 1 + 4;

/// Bytes of a file that the answer of `open` has at most: beside them it has a capability and a status.
const BEGINNING_BYTES: u32 = MAX_MESSAGE - 1_024;

/// A place for one answer: `result<list<u8>, _>` in its first case.
#[derive(Debug)]
pub(super) struct Frame(Box<[u8; MAX_MESSAGE as usize]>);

impl Frame {
    pub fn new() -> Self {
        Self(Box::new([0; MAX_MESSAGE as usize]))
    }

    /// The place for at most so many bytes, and as many as an answer holds.
    pub fn room(&mut self, most: u32) -> &mut [u8] {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let end = HEAD_BYTES.saturating_add(most).min(self.0.len());
        self.0.get_mut(HEAD_BYTES..end).unwrap_or_default()
    }

    /// Reads the beginning of a file that was just opened and has `size` bytes by its status, at most so many bytes and [`BEGINNING_BYTES`]:
    /// how many, and whether that is all of it. `None`: it is no file with bytes to be read, or they cannot be, which is said when they are
    /// asked for.
    pub fn beginning(&mut self, file: &OpenFile, size: u64, most: u32) -> Option<(usize, bool)> {
        if most == 0 || file.is_directory {
            return None;
        }
        let room = self.room(most.min(BEGINNING_BYTES));
        let length = file.read(0, room).ok()?;
        // Linux may give fewer bytes than there are, as of what it makes when it is read (`/proc`), whose status says 0.
        let may_end = length < room.len();
        let seen = u64::try_from(length).unwrap_or(u64::MAX);
        let has_ended = length == 0 || size != 0 && seen >= size;
        let is_all = may_end && (has_ended || matches!(file.read(seen, &mut [0]), Ok(0)));
        Some((length, is_all))
    }

    /// Exchanges the bytes with another place's.
    pub const fn exchange(&mut self, other: &mut Self) {
        std::mem::swap(self, other);
    }

    /// The first so many bytes of what was put there.
    pub fn bytes(&self, length: usize) -> &[u8] {
        self.0.get(HEAD_BYTES..HEAD_BYTES + length).unwrap_or(&[])
    }

    /// The answer with them.
    pub fn answer(&mut self, length: usize) -> &[u8] {
        if let Some(head) = self.0.first_chunk_mut::<HEAD_BYTES>() {
            // No longer than the room.
            let [a, b, c, d] = u32::try_from(length).unwrap_or(0).to_le_bytes();
            *head = [0, 0, a, b, c, d];
        }
        self.0.get(..HEAD_BYTES + length).unwrap_or(&[])
    }
}

/// What requests call a function: asked of the stubs themselves, which do not say it otherwise.
fn tag_of(call: impl FnOnce(File<&Note>)) -> [u8; 4] {
    let note = Note(Cell::default());
    call(File(&note));
    note.0.get()
}

/// What requests call `file.read`.
pub(super) fn tag_of_read() -> [u8; 4] {
    tag_of(|file| {
        let _ = file.read(0, 0, &mut [0; 32], Deadline::PASSED);
    })
}

/// What requests call `file.close`.
pub(super) fn tag_of_close() -> [u8; 4] {
    tag_of(|file| {
        let _ = file.close(Deadline::PASSED);
    })
}

/// Notes what is sent.
struct Note(Cell<[u8; 4]>);

impl Caller for Note {
    fn call(
        &self,
        bytes: &[u8],
        _: &[Transfer],
        _: &mut [u8],
        _: &mut [Handle],
        _: Deadline,
    ) -> Result<Outcome, Error> {
        self.0.set(bytes.first_chunk().copied().unwrap_or_default());
        Err(Error::Unsupported)
    }
}
