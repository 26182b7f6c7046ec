//! `args_get`, `args_sizes_get`, `environ_get`, `environ_sizes_get`.

use crate::memory::{self, Memory};
use crate::system::System;
use crate::{Errno, Process, Result};

/// Bytes of a pointer.
const POINTER_BYTES: u64 = 4;

/// Puts texts into a buffer, each with a zero behind it, and where each of them begins into a list.
///
/// `piece` gives the texts' bytes, from one on, as they come in messages. There are no more than were measured, or they would be put where the
/// program has made no room.
fn put<S: System>(
    system: &mut S,
    memory: &mut impl Memory,
    (list, buffer): (u32, u32),
    (count, bytes): (u32, u32),
    piece: impl for<'a> Fn(&'a mut S, u32) -> Result<&'a [u8]>,
) -> Result {
    let (list, buffer) = (u64::from(list), u64::from(buffer));
    memory.check_writable(list, u64::from(count) * POINTER_BYTES)?;
    memory.check_writable(buffer, u64::from(bytes))?;
    let mut texts = 0;
    let mut done = 0;
    let mut begins = true;
    while done < bytes {
        let got = piece(system, done)?;
        let got = got.get(..(bytes - done) as usize).unwrap_or(got);
        if got.is_empty() {
            return Err(Errno::Io);
        }
        memory.write(buffer + u64::from(done), got)?;
        for (place, byte) in got.iter().enumerate() {
            if begins {
                if texts == count {
                    return Err(Errno::Io);
                }
                let address = buffer + u64::from(done) + place as u64;
                let address = u32::try_from(address).map_err(|_| Errno::Fault)?;
                memory.write(list + u64::from(texts) * POINTER_BYTES, &address.to_le_bytes())?;
                texts += 1;
            }
            begins = *byte == 0;
        }
        done += memory::size(got.len())?;
    }
    // Neither a text without an end, nor a place of the list without a text.
    if begins && texts == count { Ok(()) } else { Err(Errno::Io) }
}

impl<S: System> Process<S> {
    /// `args_get`.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`]; [`Errno::Io`] if the service says something else than it measured.
    pub fn args_get(&mut self, memory: &mut impl Memory, argv: u32, buffer: u32) -> Result {
        let sizes = self.system.measure()?;
        let sizes = (sizes.arguments, sizes.argument_bytes);
        put(&mut self.system, memory, (argv, buffer), sizes, |system, from| system.arguments(from))
    }

    /// `args_sizes_get`.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`].
    pub fn args_sizes_get(&mut self, memory: &mut impl Memory, count: u32, bytes: u32) -> Result {
        let sizes = self.system.measure()?;
        memory::write_u32(memory, count, sizes.arguments)?;
        memory::write_u32(memory, bytes, sizes.argument_bytes)
    }

    /// `environ_get`.
    ///
    /// # Errors
    ///
    /// As [`Process::args_get`].
    pub fn environ_get(&mut self, memory: &mut impl Memory, environ: u32, buffer: u32) -> Result {
        let sizes = self.system.measure()?;
        let sizes = (sizes.variables, sizes.variable_bytes);
        put(&mut self.system, memory, (environ, buffer), sizes, |system, from| system.variables(from))
    }

    /// `environ_sizes_get`.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`].
    pub fn environ_sizes_get(&mut self, memory: &mut impl Memory, count: u32, bytes: u32) -> Result {
        let sizes = self.system.measure()?;
        memory::write_u32(memory, count, sizes.variables)?;
        memory::write_u32(memory, bytes, sizes.variable_bytes)
    }
}
