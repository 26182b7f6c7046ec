//! `proc_exit`, `proc_raise`.

use crate::memory::Memory;
use crate::system::System;
use crate::{Errno, Process, Result};

/// What the status of a program that a signal ends has beside the signal's number, by the shells' convention.
const SIGNALLED: u32 = 128;

/// Signals of which nothing comes if nobody handles them: `none`, `chld`, `cont`, `urg`, `winch`.
const IGNORED: [u32; 5] = [0, 16, 17, 22, 27];
/// Signals that stop a process: `stop`, `tstp`, `ttin`, `ttou`.
const STOPPING: [u32; 4] = [18, 19, 20, 21];
/// The last one, `sys`.
const LAST: u32 = 30;

impl<S: System> Process<S> {
    /// `proc_exit`. What the program has open is given back. Whoever runs it unwinds when this returns.
    pub fn proc_exit(&mut self, status: u32) {
        self.end();
        self.system.exit(status);
    }

    /// `proc_raise`: there are no handlers, so a signal ends the program, with 128 and its number as status, or does nothing.
    ///
    /// # Errors
    ///
    /// [`Errno::Inval`] for a number that is no signal, [`Errno::Notsup`] for those that stop a process.
    pub fn proc_raise(&mut self, _: &mut impl Memory, signal: u32) -> Result {
        if signal > LAST {
            return Err(Errno::Inval);
        }
        if STOPPING.contains(&signal) {
            return Err(Errno::Notsup);
        }
        if !IGNORED.contains(&signal) {
            self.proc_exit(SIGNALLED + signal);
        }
        Ok(())
    }
}
