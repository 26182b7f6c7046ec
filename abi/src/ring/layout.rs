//! Where everything lies in a ring's region.

use super::entry::{ENTRY_BYTES, ENTRY_WORDS};
use super::word::Word;

/// The most entries of a queue: two queues of them are 2 MiB.
pub const MOST_ENTRIES: u32 = 1 << 15;

/// The first word: `HallRing`.
const MAGIC: u64 = u64::from_le_bytes(*b"HallRing");
/// Of the format that this page describes.
const VERSION: u32 = 1;
/// Words of a line. 128 bytes and not 64: the processor fetches lines of 64 bytes in pairs, and what two cores write must not be one pair.
const LINE_WORDS: usize = 16;
/// Words before the first queue's entries: the header and seven lines.
const FRONT_WORDS: usize = 8 * LINE_WORDS;
const WORD_BYTES: u64 = 8;

/// The lines behind the header, each with one word that one side writes.
#[derive(Clone, Copy, Debug)]
#[repr(usize)]
pub(super) enum Line {
    /// The client's: how many submissions it has put.
    SubmissionsProduced = 1,
    /// The service's: how many submissions it has taken.
    SubmissionsConsumed = 2,
    /// The service's: how many completions it has put.
    CompletionsProduced = 3,
    /// The client's: how many completions it has taken.
    CompletionsConsumed = 4,
    /// The client's sleep word.
    ClientSleeps = 5,
    /// The service's sleep word.
    ServiceSleeps = 6,
}

/// How a ring is laid out: entries of each queue, and bytes of payload.
///
/// | bytes from the start | what | written by |
/// |---|---|---|
/// | 0 | magic `HallRing`, version `u32`, 0 `u32`, entries `u32`, bytes of an entry `u32`, payload's offset `u64`, payload's length `u64` | the client, once |
/// | 128 | submissions produced | client |
/// | 256 | submissions consumed | service |
/// | 384 | completions produced | service |
/// | 512 | completions consumed | client |
/// | 640 | the client's sleep word | client |
/// | 768 | the service's sleep word | service |
/// | 896 | 0 | – |
/// | 1,024 | submissions | client |
/// | then | completions | service |
/// | then | payload | as the operations say |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    entries: u32,
    payload_bytes: u64,
}

/// Why a region holds no ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadLayout {
    /// The number of entries is no power of two from 2 to [`MOST_ENTRIES`], or the payload no whole words.
    Shape,
    /// The region is too small for it.
    TooLarge,
    /// It does not begin as a ring does.
    NotARing,
    /// It is a ring of another version, or of other entries.
    Version,
}

impl core::fmt::Display for BadLayout {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::Shape => "no ring has this shape (take a power of two of entries, from 2 to 32,768, and a payload of whole words)",
            Self::TooLarge => "the ring is larger than its region (make a larger region, or a smaller ring)",
            Self::NotARing => "the region holds no ring (write the header before it is offered)",
            Self::Version => "a ring of another version (build both sides with the same SDK)",
        })
    }
}

impl core::error::Error for BadLayout {}

impl Layout {
    /// A ring of two queues of so many entries (a power of two from 2 to [`MOST_ENTRIES`]), with so many bytes of payload (a multiple of 8).
    ///
    /// # Errors
    ///
    /// [`BadLayout::Shape`].
    pub const fn new(entries: u32, payload_bytes: u64) -> Result<Self, BadLayout> {
        let entries_fit = entries >= 2 && entries <= MOST_ENTRIES && entries.is_power_of_two();
        if entries_fit && payload_bytes.is_multiple_of(WORD_BYTES) && payload_bytes < 1 << 48 {
            Ok(Self { entries, payload_bytes })
        } else {
            Err(BadLayout::Shape)
        }
    }

    /// The ring with so many entries whose payload fills the rest of a region of so many bytes.
    ///
    /// # Errors
    ///
    /// [`BadLayout::Shape`]; [`BadLayout::TooLarge`] if not even the queues have room.
    pub const fn filling(entries: u32, region_bytes: u64) -> Result<Self, BadLayout> {
        let empty = match Self::new(entries, 0) {
            Ok(empty) => empty,
            Err(bad) => return Err(bad),
        };
        match region_bytes.checked_sub(empty.region_bytes()) {
            Some(rest) => Self::new(entries, rest / WORD_BYTES * WORD_BYTES),
            None => Err(BadLayout::TooLarge),
        }
    }

    /// Entries of each queue.
    #[must_use]
    pub const fn entries(&self) -> u32 {
        self.entries
    }

    /// Bytes of payload.
    #[must_use]
    pub const fn payload_bytes(&self) -> u64 {
        self.payload_bytes
    }

    /// Bytes of all of it: what a region must have at least.
    #[must_use]
    pub const fn region_bytes(&self) -> u64 {
        self.payload_offset() + self.payload_bytes
    }

    const fn payload_offset(&self) -> u64 {
        FRONT_WORDS as u64 * WORD_BYTES + 2 * self.entries as u64 * ENTRY_BYTES as u64
    }

    /// Makes a region's memory an empty ring: for the client, before it offers the region.
    ///
    /// # Errors
    ///
    /// [`BadLayout::TooLarge`].
    pub fn write<W: Word>(&self, memory: &[W]) -> Result<(), BadLayout> {
        if (memory.len() as u64) < self.region_bytes() / WORD_BYTES {
            return Err(BadLayout::TooLarge);
        }
        let front = memory.get(..FRONT_WORDS).ok_or(BadLayout::TooLarge)?;
        front.iter().for_each(|word| word.set(0));
        for (word, value) in front.iter().zip(self.header()) {
            word.set(value);
        }
        Ok(())
    }

    /// The ring that a region's memory says that it is: for the service. What stands there is loaded once and checked after that.
    ///
    /// # Errors
    ///
    /// [`BadLayout`].
    pub fn read<W: Word>(memory: &[W]) -> Result<Self, BadLayout> {
        let mut header = [0; 5];
        let front = memory.get(..FRONT_WORDS).ok_or(BadLayout::TooLarge)?;
        for (value, word) in header.iter_mut().zip(front) {
            *value = word.get();
        }
        let [magic, version, shape, _, payload_bytes] = header;
        if magic != MAGIC {
            return Err(BadLayout::NotARing);
        }
        if version != u64::from(VERSION) || shape >> 32 != u64::from(ENTRY_BYTES) {
            return Err(BadLayout::Version);
        }
        let entries = u32::try_from(shape & u64::from(u32::MAX)).map_err(|_| BadLayout::Shape)?;
        let layout = Self::new(entries, payload_bytes)?;
        // One layout has one header: the payload is where it must be.
        if layout.header() != header {
            return Err(BadLayout::Shape);
        }
        if layout.region_bytes() / WORD_BYTES > memory.len() as u64 {
            return Err(BadLayout::TooLarge);
        }
        Ok(layout)
    }

    const fn header(&self) -> [u64; 5] {
        let shape = self.entries as u64 | (ENTRY_BYTES as u64) << 32;
        [MAGIC, VERSION as u64, shape, self.payload_offset(), self.payload_bytes]
    }

    /// The parts of a region's memory, if it is large enough.
    pub(super) fn split<'a, W>(&self, memory: &'a [W]) -> Result<Parts<'a, W>, BadLayout> {
        let (front, rest) = memory.split_at_checked(FRONT_WORDS).ok_or(BadLayout::TooLarge)?;
        let queue_words = self.entries as usize * ENTRY_WORDS;
        let (submissions, rest) = rest.split_at_checked(queue_words).ok_or(BadLayout::TooLarge)?;
        let (completions, rest) = rest.split_at_checked(queue_words).ok_or(BadLayout::TooLarge)?;
        let payload_words =
            usize::try_from(self.payload_bytes / WORD_BYTES).map_err(|_| BadLayout::TooLarge)?;
        let payload = rest.get(..payload_words).ok_or(BadLayout::TooLarge)?;
        Ok(Parts {
            front,
            submissions: submissions.as_chunks().0,
            completions: completions.as_chunks().0,
            payload,
        })
    }
}

/// A ring's memory, taken apart.
pub(super) struct Parts<'a, W> {
    front: &'a [W],
    pub submissions: &'a [[W; ENTRY_WORDS]],
    pub completions: &'a [[W; ENTRY_WORDS]],
    pub payload: &'a [W],
}

impl<'a, W> Parts<'a, W> {
    /// The word of a line.
    pub fn word(&self, line: Line) -> Result<&'a W, BadLayout> {
        self.front.get(line as usize * LINE_WORDS).ok_or(BadLayout::TooLarge)
    }
}
