//! The user's terminal: its mode and its size. The mode is put back when the machine ends.

use std::io::{self, Stdin};
use std::os::fd::AsRawFd;

use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};

use crate::host::link::TerminalMode;

/// Standard input, if it is a terminal.
#[derive(Debug)]
pub(super) struct Terminal {
    stdin: Stdin,
    original: Termios,
    mode: TerminalMode,
}

impl Terminal {
    /// The terminal; `None` when standard input is none.
    pub(super) fn find() -> Option<Self> {
        let stdin = io::stdin();
        if !isatty(&stdin) {
            return None;
        }
        let original = tcgetattr(&stdin).ok()?;
        Some(Self { stdin, original, mode: TerminalMode::Cooked })
    }

    /// Sets how keys arrive.
    pub(super) fn set_mode(&mut self, mode: TerminalMode) {
        self.mode = mode;
        self.apply();
    }

    /// Sets the wanted mode again, for the case that a shell has changed it while this process was in the background.
    pub(super) fn apply(&self) {
        // In the background the terminal is somebody else's.
        if !self.is_foreground() {
            return;
        }
        let mut wanted = self.original.clone();
        if self.mode == TerminalMode::Raw {
            wanted.make_raw();
        }
        // A terminal that is gone needs no mode.
        let _ = tcsetattr(&self.stdin, OptionalActions::Drain, &wanted);
    }

    /// Whether this process's group has the terminal. Who was put into a container from outside of its PID namespace is in a group of number 0,
    /// which rustix takes for impossible.
    fn is_foreground(&self) -> bool {
        // SAFETY: neither touches memory; a descriptor that is no terminal of ours gives an error.
        unsafe { libc::tcgetpgrp(self.stdin.as_raw_fd()) == libc::getpgrp() }
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> Option<(u16, u16)> {
        tcgetwinsize(&self.stdin).ok().map(|size| (size.ws_col, size.ws_row))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.mode == TerminalMode::Raw {
            self.set_mode(TerminalMode::Cooked);
        }
    }
}
