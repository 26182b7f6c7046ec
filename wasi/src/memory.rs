//! The program's memory: where pointers lead, or a fault.

use crate::{Errno, Result};

/// A program's linear memory. Addresses are the program's own; it is told 64 bits so that sums of two 32-bit numbers need no care.
pub trait Memory {
    /// Copies bytes out of it.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if some of them lie outside.
    fn read(&self, address: u64, to: &mut [u8]) -> Result;

    /// Copies bytes into it.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`], and nothing written, if some of them would lie outside, or where the program may not write.
    fn write(&mut self, address: u64, from: &[u8]) -> Result;

    /// Whether so many bytes could be read.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if not.
    fn check_readable(&self, address: u64, length: u64) -> Result;

    /// Whether so many bytes could be written.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`] if not.
    fn check_writable(&self, address: u64, length: u64) -> Result;
}

/// An array out of memory.
pub(crate) fn read<const N: usize>(memory: &impl Memory, address: u64) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    memory.read(address, &mut bytes)?;
    Ok(bytes)
}

/// Puts a number into memory.
pub(crate) fn write_u32(memory: &mut impl Memory, address: u32, value: u32) -> Result {
    memory.write(u64::from(address), &value.to_le_bytes())
}

/// Puts a number into memory.
pub(crate) fn write_u64(memory: &mut impl Memory, address: u32, value: u64) -> Result {
    memory.write(u64::from(address), &value.to_le_bytes())
}

/// A number of bytes as WASI counts them.
pub(crate) fn size(length: usize) -> Result<u32> {
    u32::try_from(length).map_err(|_| Errno::Overflow)
}
