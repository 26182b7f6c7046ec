//! `random_get`, `sched_yield`.

use crate::memory::Memory;
use crate::system::System;
use crate::{Process, Result};

/// Random bytes after which others get a turn: each 16 cost a kernel call.
const TURN_BYTES: u64 = 4 << 10;

impl<S: System> Process<S> {
    /// `random_get`.
    ///
    /// # Errors
    ///
    /// [`crate::Errno::Fault`].
    pub fn random_get(&mut self, memory: &mut impl Memory, buffer: u32, length: u32) -> Result {
        let (buffer, length) = (u64::from(buffer), u64::from(length));
        memory.check_writable(buffer, length)?;
        let mut done = 0;
        while done < length {
            let bytes = self.system.random()?;
            let count = (length - done).min(bytes.len() as u64);
            memory.write(buffer + done, bytes.get(..count as usize).unwrap_or_default())?;
            done += count;
            if done % TURN_BYTES == 0 {
                self.system.give_way()?;
            }
        }
        Ok(())
    }

    /// `sched_yield`.
    ///
    /// # Errors
    ///
    /// None that the program sees.
    pub fn sched_yield(&mut self, _: &mut impl Memory) -> Result {
        self.system.give_way()
    }
}
