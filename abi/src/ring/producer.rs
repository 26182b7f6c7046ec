//! The end of a queue where entries are put.

use core::marker::PhantomData;
use core::sync::atomic::AtomicU64;

use super::broken::{Broken, Refused};
use super::entry::{ENTRY_WORDS, Entry};
use super::layout::BadLayout;
use super::word::Word;

/// The end of a queue where entries are put. One for each queue.
///
/// Indices count entries from the queue's beginning and never wrap: at one entry a nanosecond they would after 584 years.
#[derive(Debug)]
pub struct Producer<'a, E, W = AtomicU64> {
    entries: &'a [[W; ENTRY_WORDS]],
    produced: &'a W,
    consumed: &'a W,
    /// How many were put.
    put: u64,
    /// How many of them the consumer may see.
    published: u64,
    /// How many the consumer had taken when it was last looked at.
    taken: u64,
    broken: Option<Broken>,
    kind: PhantomData<fn(E)>,
}

impl<'a, E: Entry, W: Word> Producer<'a, E, W> {
    /// Of an empty queue: its places (a power of two of them), and the words where its two ends say how far they are, both 0.
    ///
    /// # Errors
    ///
    /// [`BadLayout::Shape`] if the number of places is another.
    pub const fn new(
        entries: &'a [[W; ENTRY_WORDS]],
        produced: &'a W,
        consumed: &'a W,
    ) -> Result<Self, BadLayout> {
        if !entries.len().is_power_of_two() {
            return Err(BadLayout::Shape);
        }
        Ok(Self {
            entries,
            produced,
            consumed,
            put: 0,
            published: 0,
            taken: 0,
            broken: None,
            kind: PhantomData,
        })
    }

    /// Puts an entry. The consumer sees it after the next [`publish`](Self::publish).
    ///
    /// # Errors
    ///
    /// [`Refused::Full`], [`Refused::Broken`].
    #[inline]
    pub fn put(&mut self, entry: &E) -> Result<(), Refused> {
        if self.put - self.taken >= self.capacity() && self.look()? == 0 {
            return Err(Refused::Full);
        }
        // Never none: the number of entries is a power of two.
        let Some(place) = self.entries.get(position(self.put, self.entries.len())) else {
            return Err(Refused::Full);
        };
        for (word, value) in place.iter().zip(entry.emit()) {
            word.set(value);
        }
        self.put += 1;
        Ok(())
    }

    /// How many entries there is room for. Looks at the consumer's index.
    ///
    /// # Errors
    ///
    /// [`Broken::ConsumerIndex`].
    pub fn room(&mut self) -> Result<u64, Broken> {
        self.look()
    }

    /// Lets the consumer see what was put. Whether there was anything.
    #[inline]
    pub fn publish(&mut self) -> bool {
        if self.put == self.published {
            return false;
        }
        self.produced.release(self.put);
        self.published = self.put;
        true
    }

    /// Looks at the consumer's index; the room that there is then.
    fn look(&mut self) -> Result<u64, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let taken = self.consumed.acquire();
        // It moves on, and at most to what it can have seen.
        if taken.wrapping_sub(self.taken) > self.published - self.taken {
            self.broken = Some(Broken::ConsumerIndex);
            return Err(Broken::ConsumerIndex);
        }
        self.taken = taken;
        Ok(self.capacity() - (self.put - taken))
    }

    #[inline]
    const fn capacity(&self) -> u64 {
        self.entries.len() as u64
    }
}

/// Where an entry lies in a queue of so many places, a power of two.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "only the lowest bits count, which the mask leaves")]
pub(super) const fn position(index: u64, places: usize) -> usize {
    index as usize & places.wrapping_sub(1)
}
