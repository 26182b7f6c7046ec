//! Regions: pages that cells share, shown through a window in a program's own memory.

use core::sync::atomic::{AtomicU64, Ordering};

use hallows_abi::{Code, Error};

use crate::operation::operate;
use crate::{Object, Region};

/// What a mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Loads only; a store ends the cell. READ.
    Read,
    /// Loads and stores. READ and WRITE.
    ReadWrite,
}

/// A part of a program's memory where a region can be shown: a static of whole pages.
///
/// Other cells may write to it at any time, so its words are atomics.
#[repr(C, align(4096))]
#[derive(Debug)]
pub struct Window<const WORDS: usize>([AtomicU64; WORDS]);

impl<const WORDS: usize> Window<WORDS> {
    /// A window of zeroes.
    #[expect(clippy::new_without_default, reason = "windows are statics, which need a const function")]
    #[must_use]
    pub const fn new() -> Self {
        const {
            assert!((WORDS * size_of::<u64>()).is_multiple_of(4096), "a window is whole pages of 4,096 bytes")
        };
        Self([const { AtomicU64::new(0) }; WORDS])
    }

    /// Its words.
    pub const fn words(&self) -> &[AtomicU64; WORDS] {
        &self.0
    }

    /// Copies bytes out, from a word on. `None` if there are not so many.
    ///
    /// Words are loaded one by one (`Relaxed`): who must not see half of a change needs a protocol, or a message after it, which
    /// orders everything written before it.
    pub fn read(&self, first_word: usize, bytes: &mut [u8]) -> Option<()> {
        let words = self.0.get(first_word..first_word + bytes.len().div_ceil(size_of::<u64>()))?;
        for (chunk, word) in bytes.chunks_mut(size_of::<u64>()).zip(words) {
            // Relaxed: see above.
            let word = word.load(Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(word.get(..chunk.len())?);
        }
        Some(())
    }

    /// Copies bytes in, from a word on; the rest of the last word becomes zeroes. `None`, and nothing copied, if there is no
    /// room.
    pub fn write(&self, first_word: usize, bytes: &[u8]) -> Option<()> {
        let words = self.0.get(first_word..first_word + bytes.len().div_ceil(size_of::<u64>()))?;
        for (chunk, word) in bytes.chunks(size_of::<u64>()).zip(words) {
            let mut value = [0; size_of::<u64>()];
            value.get_mut(..chunk.len())?.copy_from_slice(chunk);
            // Relaxed: as in `read`.
            word.store(u64::from_le_bytes(value), Ordering::Relaxed);
        }
        Some(())
    }

    fn address(&'static self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }
}

impl Region {
    /// Shows the region in a window, from its start. What does not fit into the window is not mapped: a region larger than
    /// the window is an error.
    ///
    /// # Errors
    ///
    /// [`Error::BadArgument`] if the window is smaller; [`Error::NoRight`]; [`Error::Unsupported`] where the machine or
    /// the engine maps none.
    pub fn map<const WORDS: usize>(
        self,
        window: &'static Window<WORDS>,
        access: Access,
    ) -> Result<(), Error> {
        if self.size()? > size_of::<Window<WORDS>>() as u64 {
            return Err(Error::BadArgument);
        }
        let write = u64::from(access == Access::ReadWrite);
        operate(self.handle(), Code::Map, [window.address(), write, 0]).map(|_| ())
    }

    /// Takes the region out of a window; zeroes stand there then.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`]; [`Error::BadState`] if it was not mapped there.
    pub fn unmap<const WORDS: usize>(self, window: &'static Window<WORDS>) -> Result<(), Error> {
        operate(self.handle(), Code::Unmap, [window.address(), 0, 0]).map(|_| ())
    }

    /// Bytes, in whole pages.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], [`Error::NoRight`].
    pub fn size(self) -> Result<u64, Error> {
        operate(self.handle(), Code::Size, [0; 3]).map(|reply| reply.a)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn bytes_come_out_of_a_window_as_they_went_in() {
        static WINDOW: Window<512> = Window::new();
        let text = b"eleven byte";
        assert_eq!(WINDOW.write(510, text), Some(()));
        let mut read = [0xff; 16];
        assert_eq!(WINDOW.read(510, &mut read), Some(()));
        assert_eq!(&read, b"eleven byte\0\0\0\0\0");
    }

    #[test]
    fn nothing_is_copied_that_does_not_fit() {
        static WINDOW: Window<512> = Window::new();
        assert_eq!(WINDOW.write(511, &[1; 9]), None);
        assert_eq!(WINDOW.read(511, &mut [1; 9]), None);
        assert_eq!(WINDOW.read(0, &mut []), Some(()));
        assert!(WINDOW.words().iter().all(|word| word.load(core::sync::atomic::Ordering::SeqCst) == 0));
    }

    #[test]
    fn a_window_is_where_pages_are() {
        static WINDOW: Window<1024> = Window::new();
        assert_eq!(WINDOW.address() % 4096, 0);
        assert_eq!(size_of_val(&WINDOW), 8192);
    }
}
