//! Puts values into a message.

use hallows_abi::Transfer;

use crate::copy::copy;

/// A message under construction: bytes, and capabilities beside them.
#[derive(Debug)]
pub struct Encoder<'b> {
    bytes: &'b mut [u8],
    written: usize,
    transfers: &'b mut [Transfer],
    given: usize,
}

impl<'b> Encoder<'b> {
    /// An empty one, with room for so many bytes and capabilities.
    #[inline(always)]
    pub const fn new(bytes: &'b mut [u8], transfers: &'b mut [Transfer]) -> Self {
        Self { bytes, written: 0, transfers, given: 0 }
    }

    /// Puts bytes as they are; `None`, and nothing put, if they do not fit.
    #[inline(always)]
    pub fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.written.checked_add(bytes.len())?;
        copy(self.bytes.get_mut(self.written..end)?, bytes)?;
        self.written = end;
        Some(())
    }

    /// Puts a number of bytes or elements that follow; `None` if it does not fit, or is more than a `u32` counts.
    #[inline(always)]
    pub fn count(&mut self, count: usize) -> Option<()> {
        self.bytes(&u32::try_from(count).ok()?.to_le_bytes())
    }

    /// Gives a capability, after those given before.
    pub fn give(&mut self, transfer: Transfer) -> Option<()> {
        *self.transfers.get_mut(self.given)? = transfer;
        self.given += 1;
        Some(())
    }

    /// How many bytes were put.
    #[inline(always)]
    #[must_use]
    pub const fn written(&self) -> usize {
        self.written
    }

    /// How many capabilities were given.
    #[inline(always)]
    #[must_use]
    pub const fn given(&self) -> usize {
        self.given
    }
}
