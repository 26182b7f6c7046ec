//! The room that messages lie in, and what the last answer in it says beyond what was asked.
//!
//! Who opens a file most often asks for its status and reads it from its beginning on, so the answer of `open` has both. They are given to who asks for
//! exactly that, as the next thing that this process asks of anybody, and within [`FRESH_NS`]: as if the file had been read
//! the moment that it was opened. Whatever else the process does or is told makes them forgotten, so it never misses what it has written itself, or could know of.

use alloc::vec::Vec;
use core::ops::Range;

use hallows_sdk::{Handle, Object, abi};
use hallows_system::files::{File, Opening, Status};

use crate::system::READ_MOST;

/// What a message has beside bytes that are read or written: tag or status, place, numbers, a file's status, with room to spare.
const HEAD_BYTES: usize = 128;

/// Bytes that the room has when it is first needed.
const ROOM_LEAST: usize = 512;

/// The longest message.
pub(super) const MESSAGE_BYTES: usize = abi::MAX_MESSAGE as usize;

/// How long what was read at the opening is good for: others may have changed the file since.
const FRESH_NS: u64 = 1_000_000;

/// How many files a process must open, after one whose beginning it did not read, before one is read again as it opens it.
const DOUBT: u32 = 16;

/// Room for messages, both ways. Grows with the longest one.
#[derive(Debug, Default)]
pub(super) struct Room {
    bytes: Vec<u8>,
    known: Option<Known>,
    doubt: u32,
}

/// What the answer of an `open` said.
#[derive(Debug)]
struct Known {
    file: Handle,
    status: Status,
    beginning: Option<Beginning>,
    /// The time before it was asked.
    since: u64,
}

/// A file's first bytes.
#[derive(Debug)]
struct Beginning {
    /// Where they lie in the room.
    place: Range<usize>,
    is_all: bool,
    was_read: bool,
}

impl Room {
    /// For messages with so many bytes beside their heads. What it had is forgotten.
    pub fn of(&mut self, bytes: usize) -> &mut [u8] {
        self.forget();
        let bytes = bytes.saturating_add(HEAD_BYTES).clamp(ROOM_LEAST, MESSAGE_BYTES + HEAD_BYTES);
        if self.bytes.len() < bytes {
            // The next power of two: it grows a few times only.
            self.bytes.resize(bytes.next_power_of_two().min(MESSAGE_BYTES + HEAD_BYTES), 0);
        }
        &mut self.bytes
    }

    /// For an answer of any length.
    pub fn all(&mut self) -> &mut [u8] {
        self.of(MESSAGE_BYTES)
    }

    /// Bytes of its beginning that are worth to be read when a file is opened like this.
    pub fn worth(&mut self, how: Opening) -> u32 {
        let only_reads = how.contains(Opening::READ)
            && ![Opening::WRITE, Opening::DIRECTORY].into_iter().any(|other| how.contains(other));
        if !only_reads {
            return 0;
        }
        // A beginning that is dropped unread is doubted here, before it is counted.
        self.forget();
        self.doubt = self.doubt.saturating_sub(1);
        if self.doubt == 0 { READ_MOST } else { 0 }
    }

    /// Keeps what an answer that lies in the room says of a file.
    pub fn keep(&mut self, file: File, status: Status, beginning: Option<(Range<usize>, bool)>, since: u64) {
        let beginning = beginning.map(|(place, is_all)| Beginning { place, is_all, was_read: false });
        self.known = Some(Known { file: file.0.handle(), status, beginning, since });
    }

    /// A file's status, if it is known at this time.
    pub fn status(&self, file: File, now: u64) -> Option<Status> {
        self.known.as_ref().filter(|known| known.is_of(file, now)).map(|known| known.status)
    }

    /// Where a file's bytes from a place on lie, as many as asked for, or up to the file's end; if they are known at this time.
    pub fn known(&mut self, file: File, offset: u64, most: u32, now: u64) -> Option<Range<usize>> {
        let known = self.known.as_mut().filter(|known| known.is_of(file, now))?;
        let Beginning { place, is_all, was_read } = known.beginning.as_mut()?;
        let start = usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(place.start);
        let end = start.saturating_add(most as usize);
        if end > place.end && !*is_all {
            return None;
        }
        *was_read = true;
        Some(start.min(place.end)..end.min(place.end))
    }

    /// Bytes of the room.
    pub fn part(&self, place: Range<usize>) -> &[u8] {
        self.bytes.get(place).unwrap_or_default()
    }

    /// Forgets what it knows: something happens that may change it.
    pub fn forget(&mut self) {
        let known = self.known.take();
        if known.and_then(|known| known.beginning).is_some_and(|beginning| !beginning.was_read) {
            self.doubt = DOUBT + 1;
        }
    }

    /// The file is closed: others may be asked of next, but not this one.
    pub fn closed(&mut self, file: File) {
        if self.known.as_ref().is_some_and(|known| known.file == file.0.handle()) {
            self.forget();
        }
    }
}

impl Known {
    fn is_of(&self, file: File, now: u64) -> bool {
        self.file == file.0.handle() && now.saturating_sub(self.since) < FRESH_NS
    }
}

#[cfg(test)]
mod tests {
    use hallows_sdk::Endpoint;
    use hallows_system::files::Kind;

    use super::*;

    const STATUS: Status = Status {
        device: 1,
        inode: 2,
        kind: Kind::Regular,
        links: 1,
        size: 5,
        accessed: 0,
        modified: 0,
        changed: 0,
    };

    fn file(number: u32) -> File {
        File(Endpoint::from_handle(Handle(number)))
    }

    /// A room that knows the beginning of file 1.
    fn knowing(bytes: &[u8], is_all: bool) -> Room {
        let mut room = Room::default();
        room.of(bytes.len())[7..][..bytes.len()].copy_from_slice(bytes);
        room.keep(file(1), STATUS, Some((7..7 + bytes.len(), is_all)), 1_000);
        room
    }

    fn read(room: &mut Room, file: File, offset: u64, most: u32, now: u64) -> Option<&[u8]> {
        let place = room.known(file, offset, most, now)?;
        Some(room.part(place))
    }

    #[test]
    fn a_whole_file_is_read_to_its_end_and_behind() {
        let mut room = knowing(b"hello", true);
        assert_eq!(room.status(file(1), 2_000), Some(STATUS));
        assert_eq!(read(&mut room, file(1), 0, 100, 2_000), Some(&b"hello"[..]));
        assert_eq!(read(&mut room, file(1), 0, 2, 2_000), Some(&b"he"[..]));
        assert_eq!(read(&mut room, file(1), 2, 100, 2_000), Some(&b"llo"[..]));
        assert_eq!(read(&mut room, file(1), 5, 100, 2_000), Some(&b""[..]));
        assert_eq!(read(&mut room, file(1), u64::MAX, 100, 2_000), Some(&b""[..]));
    }

    #[test]
    fn of_a_longer_file_only_whole_parts_are_given() {
        let mut room = knowing(b"hello", false);
        assert_eq!(read(&mut room, file(1), 0, 5, 2_000), Some(&b"hello"[..]));
        assert_eq!(read(&mut room, file(1), 3, 2, 2_000), Some(&b"lo"[..]));
        assert_eq!(read(&mut room, file(1), 3, 3, 2_000), None);
        assert_eq!(read(&mut room, file(1), 5, 1, 2_000), None);
        assert_eq!(read(&mut room, file(1), 6, 1, 2_000), None);
    }

    #[test]
    fn what_is_old_of_another_file_or_forgotten_is_not_given() {
        let mut room = knowing(b"hello", true);
        assert_eq!(read(&mut room, file(2), 0, 5, 2_000), None);
        assert_eq!(room.status(file(1), 1_000 + FRESH_NS), None);
        assert_eq!(read(&mut room, file(1), 0, 5, 1_000 + FRESH_NS), None);
        room.closed(file(2));
        assert_eq!(room.status(file(1), 2_000), Some(STATUS));
        room.closed(file(1));
        assert_eq!(room.status(file(1), 2_000), None);
        let mut room = knowing(b"hello", true);
        room.of(3);
        assert_eq!(room.status(file(1), 2_000), None);
        assert_eq!(read(&mut room, file(1), 0, 5, 2_000), None);
    }

    #[test]
    fn who_opens_files_without_reading_them_has_none_read_for_a_while() {
        let mut room = knowing(b"hello", true);
        for _ in 0..DOUBT {
            assert_eq!(room.worth(Opening::READ), 0);
        }
        assert_eq!(room.worth(Opening::READ), READ_MOST);
        let mut room = knowing(b"hello", true);
        assert!(read(&mut room, file(1), 0, 5, 2_000).is_some());
        assert_eq!(room.worth(Opening::READ), READ_MOST);
        for other in [Opening::WRITE, Opening::DIRECTORY] {
            assert_eq!(room.worth(Opening::READ | other), 0);
        }
    }
}
