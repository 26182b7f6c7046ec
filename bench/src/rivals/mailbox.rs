//! Memory that two sides share: a request and an answer, each with the number that says it is complete.

use std::ffi::c_void;
use std::num::NonZeroUsize;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, munmap};

use super::message::{MESSAGE_BYTES, Message};
use crate::error::BenchError;

/// Words of a message that share the cache line with its number; the last word has the second line.
const HEAD_WORDS: usize = MESSAGE_BYTES / 8 - 1;

/// One direction: 64 bytes do not fit into a cache line with the number that announces them. A message is written from its end, and its
/// reader looks at the number alone: so the line that the reader looks at is written in one go with the number and taken away from it
/// once (10 % less for a round trip than from the front with a number in each line, which is better than one number from the front).
///
/// The bytes are atomic words: they may be written while another side looks, and are plain moves in machine code.
#[repr(C, align(128))]
pub(super) struct Slot {
    /// The number of the last complete message; written last.
    number: AtomicU32,
    head: [AtomicU64; HEAD_WORDS],
    tail: SecondLine,
}

#[repr(C, align(64))]
struct SecondLine(AtomicU64);

impl Slot {
    pub(super) const fn new() -> Self {
        Self {
            number: AtomicU32::new(0),
            head: [const { AtomicU64::new(0) }; HEAD_WORDS],
            tail: SecondLine(AtomicU64::new(0)),
        }
    }

    /// The word to wait on.
    pub(super) const fn number(&self) -> &AtomicU32 {
        &self.number
    }

    /// Writes a message, then its number.
    #[inline]
    pub(super) fn post(&self, number: u32, message: &Message) {
        let [head @ .., tail] = message.as_chunks().0 else { return };
        // Relaxed: the release below orders them.
        self.tail.0.store(u64::from_ne_bytes(*tail), Ordering::Relaxed);
        for (place, bytes) in self.head.iter().zip(head).rev() {
            place.store(u64::from_ne_bytes(*bytes), Ordering::Relaxed);
        }
        // Release: who sees the number sees the words written before it.
        self.number.store(number, Ordering::Release);
    }

    /// Whether the message with this number is there.
    #[inline]
    pub(super) fn has(&self, number: u32) -> bool {
        // Acquire: pairs with the release in `post`.
        self.number.load(Ordering::Acquire) == number
    }

    /// Reads the message; call it after [`Slot::has`].
    #[inline]
    pub(super) fn take(&self) -> Message {
        let mut message = [0; MESSAGE_BYTES];
        let places = self.head.iter().chain([&self.tail.0]);
        for (bytes, place) in message.as_chunks_mut().0.iter_mut().zip(places) {
            // Relaxed: `has` acquired them, and they change only after we have answered.
            *bytes = place.load(Ordering::Relaxed).to_ne_bytes();
        }
        message
    }
}

/// Both directions.
#[repr(C)]
pub(super) struct Mailbox {
    pub(super) request: Slot,
    pub(super) answer: Slot,
}

impl Mailbox {
    pub(super) const fn new() -> Self {
        Self { request: Slot::new(), answer: Slot::new() }
    }
}

/// A mailbox in memory that stays shared across a fork.
pub(super) struct SharedMailbox(NonNull<c_void>);

impl SharedMailbox {
    /// Maps a page of zeros, which is an empty mailbox.
    pub(super) fn map() -> Result<Self, BenchError> {
        let length = const { NonZeroUsize::new(size_of::<Mailbox>()).unwrap() };
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address that the kernel chooses touches no existing memory.
        let page = unsafe { mmap_anonymous(None, length, access, MapFlags::MAP_SHARED) };
        Ok(Self(page.map_err(BenchError::system("map shared memory"))?))
    }

    /// The mailbox.
    pub(super) fn mailbox(&self) -> &Mailbox {
        // SAFETY: the mapping is page-aligned, at least that long, lives as long as `self`, and zeros are valid atomics.
        unsafe { self.0.cast().as_ref() }
    }
}

impl Drop for SharedMailbox {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and no reference outlives `self`. A failure would only leak a page.
        let _ = unsafe { munmap(self.0, size_of::<Mailbox>()) };
    }
}

// SAFETY: the pointer leads to atomics only, which any thread may use; unmapping needs no particular thread.
unsafe impl Send for SharedMailbox {}
// SAFETY: as above.
unsafe impl Sync for SharedMailbox {}

#[cfg(test)]
mod tests {
    use super::super::message::request;
    use super::*;

    #[test]
    fn a_slot_is_two_cache_lines() {
        assert_eq!(size_of::<Slot>(), 128);
        assert_eq!(std::mem::offset_of!(Slot, tail), 64);
    }

    #[test]
    fn what_is_posted_is_taken() {
        let shared = SharedMailbox::map().expect("mapped");
        let slot = &shared.mailbox().answer;
        assert!(!slot.has(1));
        slot.post(1, &request(77));
        assert!(slot.has(1) && !slot.has(2));
        assert_eq!(slot.take(), request(77));
        assert_eq!(shared.mailbox().request.take(), [0; MESSAGE_BYTES]);
    }
}
