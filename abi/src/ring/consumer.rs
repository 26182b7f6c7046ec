//! The end of a queue where entries are taken.

use core::marker::PhantomData;
use core::sync::atomic::AtomicU64;

use super::broken::Broken;
use super::entry::{ENTRY_WORDS, Entry};
use super::layout::BadLayout;
use super::producer::position;
use super::word::Word;

/// The end of a queue where entries are taken. One for each queue.
#[derive(Debug)]
pub struct Consumer<'a, E, W = AtomicU64> {
    entries: &'a [[W; ENTRY_WORDS]],
    produced: &'a W,
    consumed: &'a W,
    /// How many there were when the producer was last looked at.
    seen: u64,
    /// How many were taken.
    taken: u64,
    /// How many of their places the producer may use again.
    released: u64,
    broken: Option<Broken>,
    kind: PhantomData<fn() -> E>,
}

impl<'a, E: Entry, W: Word> Consumer<'a, E, W> {
    /// Of an empty queue, with the arguments of [`Producer::new`](super::Producer::new).
    ///
    /// # Errors
    ///
    /// [`BadLayout::Shape`] if the number of places is no power of two.
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
            seen: 0,
            taken: 0,
            released: 0,
            broken: None,
            kind: PhantomData,
        })
    }

    /// Takes an entry: a copy, which nobody changes any more. Between two calls of [`release`](Self::release) it gives no more than the
    /// queue has places.
    ///
    /// # Errors
    ///
    /// [`Broken::ProducerIndex`].
    #[inline]
    pub fn take(&mut self) -> Result<Option<E>, Broken> {
        if self.taken == self.seen && !self.has_more()? {
            return Ok(None);
        }
        // Never none: the number of entries is a power of two.
        let Some(place) = self.entries.get(position(self.taken, self.entries.len())) else {
            return Ok(None);
        };
        let mut words = [0; ENTRY_WORDS];
        for (value, word) in words.iter_mut().zip(place) {
            *value = word.get();
        }
        self.taken += 1;
        Ok(Some(E::parse(words)))
    }

    /// Whether there is an entry to take.
    ///
    /// # Errors
    ///
    /// [`Broken::ProducerIndex`].
    #[inline]
    pub fn has_some(&mut self) -> Result<bool, Broken> {
        Ok(self.taken != self.seen || self.has_more()?)
    }

    /// Lets the producer use the places of what was taken. Whether there was anything.
    #[inline]
    pub fn release(&mut self) -> bool {
        if self.taken == self.released {
            return false;
        }
        self.consumed.release(self.taken);
        self.released = self.taken;
        true
    }

    /// From now on there is nothing to take: what was taken cannot be.
    #[cold]
    pub(super) const fn fail(&mut self, broken: Broken) -> Broken {
        self.seen = self.taken;
        self.broken = Some(broken);
        broken
    }

    /// Looks at the producer's index, when everything seen was taken.
    #[inline]
    fn has_more(&mut self) -> Result<bool, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let produced = self.produced.acquire();
        // It moves on, and at most to what has room beside the places that it may not use yet.
        let free = self.entries.len() as u64 - (self.taken - self.released);
        if produced.wrapping_sub(self.seen) > free {
            return Err(self.fail(Broken::ProducerIndex));
        }
        self.seen = produced;
        Ok(self.taken != produced)
    }
}
