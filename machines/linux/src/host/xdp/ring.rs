//! One ring of an AF_XDP socket: entries of one or two words of 8 bytes, which one side produces and the other consumes.
//!
//! Indices count entries from the ring's beginning and wrap at 2³²; entry `i` is at place `i mod entries`. Who produces stores its index with release
//! order when the entries are there, who consumes when it is done with them; each loads the other's with acquire order.

use std::os::fd::AsFd;
use std::sync::atomic::Ordering;

use rustix::io::Errno;
use rustix::net::xdp::{XdpRingFlags, XdpRingOffset};

use super::mapping::Mapping;

/// Bytes of an entry's word.
const WORD_BYTES: usize = 8;

/// A ring with entries of so many words, and this side's place in it.
#[derive(Debug)]
struct Ring<const WORDS: usize> {
    mapping: Mapping,
    producer: usize,
    consumer: usize,
    flags: usize,
    entries_at: usize,
    entries: u32,
    /// This side's index.
    own: u32,
    /// The other side's, as it was last seen.
    seen: u32,
}

impl<const WORDS: usize> Ring<WORDS> {
    /// Maps one of a socket's rings, which has so many entries: a power of two.
    fn of(socket: impl AsFd, place: u64, offsets: &XdpRingOffset, entries: u32) -> Result<Self, Errno> {
        let at = |offset: u64| usize::try_from(offset).map_err(|_| Errno::OVERFLOW);
        let entries_at = at(offsets.desc)?;
        let bytes = entries_at + entries as usize * WORDS * WORD_BYTES;
        Ok(Self {
            mapping: Mapping::of(socket, place, bytes)?,
            producer: at(offsets.producer)?,
            consumer: at(offsets.consumer)?,
            // Linux has them since 5.4.
            flags: at(offsets.flags.ok_or(Errno::NOSYS)?)?,
            entries_at,
            entries,
            own: 0,
            seen: 0,
        })
    }

    fn load(&self, index: usize) -> u32 {
        // Acquire: what the other side did before it stored is seen.
        self.mapping.word(index).load(Ordering::Acquire)
    }

    /// Where a word of an entry is.
    fn place(&self, index: u32, word: usize) -> usize {
        let entry = (index & (self.entries - 1)) as usize;
        self.entries_at + (entry * WORDS + word) * WORD_BYTES
    }

    fn read(&self, index: u32) -> [u64; WORDS] {
        // Relaxed, here and below: the indices order them.
        std::array::from_fn(|word| self.mapping.double_word(self.place(index, word)).load(Ordering::Relaxed))
    }

    fn write(&self, index: u32, entry: [u64; WORDS]) {
        for (word, value) in entry.into_iter().enumerate() {
            self.mapping.double_word(self.place(index, word)).store(value, Ordering::Relaxed);
        }
    }
}

/// A ring into which this side puts what Linux takes.
#[derive(Debug)]
pub(super) struct ToLinux<const WORDS: usize>(Ring<WORDS>);

impl<const WORDS: usize> ToLinux<WORDS> {
    /// As it was left: with what was put into it before and was not taken.
    pub fn of(socket: impl AsFd, place: u64, offsets: &XdpRingOffset, entries: u32) -> Result<Self, Errno> {
        let mut ring = Ring::of(socket, place, offsets, entries)?;
        (ring.own, ring.seen) = (ring.load(ring.producer), ring.load(ring.consumer));
        Ok(Self(ring))
    }

    /// How many were put into it since it began, mod 2³².
    pub const fn put_count(&self) -> u32 {
        self.0.own
    }

    /// How many of them Linux has taken.
    pub fn taken_count(&self) -> u32 {
        self.0.load(self.0.consumer)
    }

    /// What was put into it and was not taken.
    pub fn waiting(&self) -> impl Iterator<Item = [u64; WORDS]> {
        let (taken, put) = (self.taken_count(), self.put_count());
        let waiting = put.wrapping_sub(taken).min(self.0.entries);
        (0..waiting).map(move |number| self.0.read(taken.wrapping_add(number)))
    }

    /// Puts an entry into it, which Linux may take at once. False: it is full.
    pub fn put(&mut self, entry: [u64; WORDS]) -> bool {
        let Self(ring) = self;
        if ring.own.wrapping_sub(ring.seen) >= ring.entries {
            ring.seen = ring.load(ring.consumer);
            if ring.own.wrapping_sub(ring.seen) >= ring.entries {
                return false;
            }
        }
        ring.write(ring.own, entry);
        ring.own = ring.own.wrapping_add(1);
        // Release: the entry is there before it can be seen.
        ring.mapping.word(ring.producer).store(ring.own, Ordering::Release);
        true
    }

    /// Whether Linux has taken all of it.
    pub fn is_taken(&self) -> bool {
        self.taken_count() == self.put_count()
    }

    /// Whether Linux takes something only when it is called.
    pub fn needs_wakeup(&self) -> bool {
        let Self(ring) = self;
        // Relaxed: who has just been seen asleep is called; who falls asleep a moment later looks once more before.
        let flags = ring.mapping.word(ring.flags).load(Ordering::Relaxed);
        XdpRingFlags::from_bits_retain(flags).contains(XdpRingFlags::XDP_RING_NEED_WAKEUP)
    }
}

/// A ring into which Linux puts what this side takes.
#[derive(Debug)]
pub(super) struct FromLinux<const WORDS: usize>(Ring<WORDS>);

impl<const WORDS: usize> FromLinux<WORDS> {
    /// As it was left: with what was put into it before and was not taken.
    pub fn of(socket: impl AsFd, place: u64, offsets: &XdpRingOffset, entries: u32) -> Result<Self, Errno> {
        let mut ring = Ring::of(socket, place, offsets, entries)?;
        (ring.own, ring.seen) = (ring.load(ring.consumer), ring.load(ring.producer));
        Ok(Self(ring))
    }

    /// How many Linux has put into it since it began, mod 2³².
    pub fn put_count(&self) -> u32 {
        self.0.load(self.0.producer)
    }

    /// Whether there is something to take.
    pub fn has_some(&mut self) -> bool {
        let Self(ring) = self;
        if ring.own == ring.seen {
            ring.seen = ring.load(ring.producer);
        }
        ring.own != ring.seen
    }

    /// Takes the oldest entry.
    pub fn take(&mut self) -> Option<[u64; WORDS]> {
        if !self.has_some() {
            return None;
        }
        let Self(ring) = self;
        let entry = ring.read(ring.own);
        ring.own = ring.own.wrapping_add(1);
        // Release: it was read before its place can be written again.
        ring.mapping.word(ring.consumer).store(ring.own, Ordering::Release);
        Some(entry)
    }
}
