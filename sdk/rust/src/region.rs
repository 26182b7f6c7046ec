//! Regions: pages that cells share, shown through a window in a program's own memory.

use core::sync::atomic::{AtomicU64, Ordering};

use hallows_abi::{Access, Error, OnRegion};

use crate::operation::{operate, operate_to_count};
use crate::rights::{CanRead, CanWrite};
use crate::{Object, Region, sys};

/// A part of a program's memory where a region can be shown: a static of whole pages.
///
/// Other cells may write to it at any time, so its words are atomics. Natively, cells that run the same program have the same statics: while one
/// of them shows a region in a window, another cannot.
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

impl<R: CanRead> Region<R> {
    /// Shows the region in a window, from its start, for loads only: a store ends the cell, and natively the machine.
    ///
    /// # Errors
    ///
    /// [`Error::BadArgument`] if the region is larger than the window, or another is shown there; [`Error::NoRight`]; [`Error::Unsupported`] where
    /// the machine or the engine maps none.
    pub fn map<const WORDS: usize>(self, window: &'static Window<WORDS>) -> Result<(), Error> {
        self.show(window, Access::Read)
    }

    /// Shows the region in a window, from its start, for loads and stores.
    ///
    /// ```
    /// # use hallows_sdk::{Error, Region, Window, rights};
    /// static PAGE: Window<512> = Window::new();
    /// fn show(region: Region<rights!(READ | WRITE)>) -> Result<(), Error> {
    ///     region.map_writable(&PAGE)
    /// }
    /// ```
    ///
    /// ```compile_fail,E0277
    /// # use hallows_sdk::{Error, Region, Window, rights};
    /// static PAGE: Window<512> = Window::new();
    /// fn show(region: Region<rights!(READ)>) -> Result<(), Error> {
    ///     region.map_writable(&PAGE)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Self::map`].
    pub fn map_writable<const WORDS: usize>(self, window: &'static Window<WORDS>) -> Result<(), Error>
    where
        R: CanWrite,
    {
        self.show(window, Access::ReadWrite)
    }

    fn show<const WORDS: usize>(self, window: &'static Window<WORDS>, access: Access) -> Result<(), Error> {
        if self.size()? > size_of::<Window<WORDS>>() as u64 {
            return Err(Error::BadArgument);
        }
        sys::tell_window(window);
        operate(self.handle(), OnRegion::Map { address: window.address(), access }).map(|_| ())
    }

    /// Takes the region out of a window; zeroes stand there then.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`]; [`Error::BadState`] if it was not mapped there.
    pub fn unmap<const WORDS: usize>(self, window: &'static Window<WORDS>) -> Result<(), Error> {
        operate(self.handle(), OnRegion::Unmap { address: window.address() }).map(|_| ())
    }

    /// Bytes, in whole pages.
    ///
    /// # Errors
    ///
    /// [`Error::BadHandle`], [`Error::NoRight`].
    pub fn size(self) -> Result<u64, Error> {
        operate_to_count(self.handle(), OnRegion::Size, &[])
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
