//! The bytes that a ring's entries speak of, and what the reader checks before it touches them.

use core::sync::atomic::AtomicU64;

use super::entry::Submission;
use super::word::Word;

/// The payload of a ring: words that the peer may change at any time.
#[derive(Debug)]
pub struct Payload<'a, W = AtomicU64>(pub(super) &'a [W]);

/// A part of a payload that has been checked: it lies inside.
#[derive(Debug)]
pub struct Part<'a, W = AtomicU64> {
    words: &'a [W],
    bytes: usize,
}

/// An offset and a length that are no part of the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadPart {
    /// The offset is no multiple of 8.
    Misaligned,
    /// It ends outside of the payload.
    OutOfRange,
}

impl core::fmt::Display for BadPart {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::Misaligned => "the offset is no multiple of 8 (begin where a word does)",
            Self::OutOfRange => "it lies outside of the payload (keep offset and length inside)",
        })
    }
}

impl core::error::Error for BadPart {}

// Both are views: copied whatever the words are.
impl<W> Clone for Payload<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Payload<'_, W> {}

impl<W> Clone for Part<'_, W> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<W> Copy for Part<'_, W> {}

const WORD_BYTES: usize = size_of::<u64>();

impl<'a, W: Word> Payload<'a, W> {
    /// Bytes of all of it.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        (self.0.len() * WORD_BYTES) as u64
    }

    /// A part of it, by offset and length in bytes.
    ///
    /// # Errors
    ///
    /// [`BadPart`].
    #[inline]
    pub fn part(&self, offset: u64, length: u32) -> Result<Part<'a, W>, BadPart> {
        if !offset.is_multiple_of(WORD_BYTES as u64) {
            return Err(BadPart::Misaligned);
        }
        let first = usize::try_from(offset / WORD_BYTES as u64).map_err(|_| BadPart::OutOfRange)?;
        let bytes = usize::try_from(length).map_err(|_| BadPart::OutOfRange)?;
        let end = first.checked_add(bytes.div_ceil(WORD_BYTES)).ok_or(BadPart::OutOfRange)?;
        let words = self.0.get(first..end).ok_or(BadPart::OutOfRange)?;
        Ok(Part { words, bytes })
    }

    /// The part that a submission speaks of.
    ///
    /// # Errors
    ///
    /// [`BadPart`].
    #[inline]
    pub fn of(&self, submission: &Submission) -> Result<Part<'a, W>, BadPart> {
        self.part(submission.offset, submission.length)
    }
}

impl<'a, W: Word> Part<'a, W> {
    /// How many bytes it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bytes
    }

    /// Whether it has none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Copies its front out: as many bytes as both have, which it returns. Who checks what it read must look at the copy: another read may give
    /// other bytes.
    pub fn read(&self, bytes: &mut [u8]) -> usize {
        let count = bytes.len().min(self.bytes);
        let room = bytes.get_mut(..count).unwrap_or_default();
        // Whole words first, each by one store: most bytes of most parts are in those.
        let (whole, rest) = room.as_chunks_mut();
        let mut words = self.words.iter();
        for (chunk, word) in whole.iter_mut().zip(&mut words) {
            *chunk = word.get().to_le_bytes();
        }
        if let Some(word) = words.next().filter(|_| !rest.is_empty()) {
            // By shifts: a copy of so few bytes would be a call, and its bytes would be waited for.
            let mut value = word.get();
            for byte in rest {
                [*byte, ..] = value.to_le_bytes();
                value >>= 8;
            }
        }
        count
    }

    /// Copies bytes into its front: as many as both have, which it returns. The rest of the last word becomes zeroes.
    pub fn write(&self, bytes: &[u8]) -> usize {
        let count = bytes.len().min(self.bytes);
        let bytes = bytes.get(..count).unwrap_or_default();
        let (whole, rest) = bytes.as_chunks();
        let mut words = self.words.iter();
        for (chunk, word) in whole.iter().zip(&mut words) {
            word.set(u64::from_le_bytes(*chunk));
        }
        if let Some(word) = words.next().filter(|_| !rest.is_empty()) {
            word.set(rest.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte)));
        }
        count
    }

    /// The part of it that begins so many whole words later.
    #[must_use]
    pub fn skip(&self, words: usize) -> Self {
        let rest = self.words.get(words..).unwrap_or_default();
        Self { words: rest, bytes: self.bytes.saturating_sub(words.saturating_mul(WORD_BYTES)) }
    }

    /// Its words; of the last one only the bytes up to [`len`](Self::len) belong to it.
    #[must_use]
    pub const fn words(&self) -> &'a [W] {
        self.words
    }
}
