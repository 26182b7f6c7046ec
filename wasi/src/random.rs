//! `random_get`, `sched_yield`.

use crate::memory::Memory;
use crate::system::{BYTES_MOST, System};
use crate::{Errno, Process, Result};

/// Random bytes after which others get a turn: where no service gives them, each 16 cost a kernel call.
const TURN_BYTES: u64 = 4 << 10;

impl<S: System> Process<S> {
    /// `random_get`.
    ///
    /// # Errors
    ///
    /// [`Errno::Fault`]; [`Errno::Io`] if the service has no random numbers, or cannot be reached.
    pub fn random_get(&mut self, memory: &mut impl Memory, buffer: u32, length: u32) -> Result {
        let (mut place, length) = (u64::from(buffer), u64::from(length));
        memory.check_writable(place, length)?;
        let (end, mut turn) = (place + length, place + TURN_BYTES);
        while place < end {
            let most = (end - place).min(u64::from(BYTES_MOST));
            let bytes = self.system.random(most as u32)?;
            let bytes = bytes.get(..most as usize).unwrap_or(bytes);
            if bytes.is_empty() {
                return Err(Errno::Io);
            }
            memory.write(place, bytes)?;
            place += bytes.len() as u64;
            if place >= turn {
                self.system.give_way()?;
                turn = place + TURN_BYTES;
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
