//! `clock_res_get`, `clock_time_get`: the machine's clock, and the one on the wall as the machine's with an offset.

use crate::memory::{self, Memory};
use crate::system::System;
use crate::{Errno, Process, Result};

/// How long an offset is trusted: so soon a wall clock that was set shows, and so seldom its service is asked.
pub(crate) const TRUSTED_NS: u64 = 1_000_000_000;

/// Which clock. The two of processor time are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    Realtime,
    Monotonic,
}

impl Clock {
    /// From its number.
    pub fn parse(number: u32) -> Result<Self> {
        match number {
            0 => Ok(Self::Realtime),
            1 => Ok(Self::Monotonic),
            _ => Err(Errno::Inval),
        }
    }
}

/// What is known of the clock on the wall.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    offset: Option<Offset>,
    resolution: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Offset {
    /// When it was asked, by the machine's clock.
    asked: u64,
    /// To be added to the machine's clock, wrapping around: the wall's may show less.
    add: u64,
}

impl Clocks {
    /// What the clock on the wall shows at this time of the machine's, or a little later, if it must be asked.
    pub fn realtime(&mut self, system: &mut impl System, now: u64) -> Result<u64> {
        match self.offset.filter(|offset| now.wrapping_sub(offset.asked) < TRUSTED_NS) {
            Some(offset) => Ok(now.wrapping_add(offset.add)),
            None => self.ask(system),
        }
    }

    /// Asks; what it shows now.
    #[cold]
    fn ask(&mut self, system: &mut impl System) -> Result<u64> {
        let before = system.now()?;
        let wall = system.realtime()?;
        let after = system.now()?;
        // It was looked at between the two: half way is the best guess.
        let then = before + after.saturating_sub(before) / 2;
        let add = wall.wrapping_sub(then);
        self.offset = Some(Offset { asked: after, add });
        Ok(after.wrapping_add(add))
    }
}

impl<S: System> Process<S> {
    /// `clock_res_get`.
    ///
    /// # Errors
    ///
    /// [`Errno::Inval`] for a clock that is not there, [`Errno::Fault`].
    pub fn clock_res_get(&mut self, memory: &mut impl Memory, clock: u32, resolution: u32) -> Result {
        if Clock::parse(clock)? == Clock::Realtime {
            let now = self.system.now()?;
            self.clocks.realtime(&mut self.system, now)?;
        }
        let nanoseconds = match self.clocks.resolution {
            Some(known) => known,
            None => *self.clocks.resolution.insert(self.system.resolution()?.max(1)),
        };
        memory::write_u64(memory, resolution, nanoseconds)
    }

    /// `clock_time_get`. The precision that is asked for is always there.
    ///
    /// # Errors
    ///
    /// [`Errno::Inval`] for a clock that is not there, [`Errno::Fault`].
    #[inline]
    pub fn clock_time_get(&mut self, memory: &mut impl Memory, clock: u32, _: u64, time: u32) -> Result {
        let clock = Clock::parse(clock)?;
        let mut now = self.system.now()?;
        if clock == Clock::Realtime {
            now = self.clocks.realtime(&mut self.system, now)?;
        }
        memory::write_u64(memory, time, now)
    }
}
