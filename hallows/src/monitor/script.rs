//! Commands from a pipe or a file, line by line, until there are no more or the monitor is detached.

use std::os::fd::AsFd;

use hallows_linux::host::control::client::Connection;
use hallows_linux::host::control::protocol::Response;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::failure::{Failure, SOFTWARE};

/// Bytes that are read at a time.
const READ_BYTES: usize = 4_096;

/// What comes next.
pub enum Line {
    /// A command.
    Text(String),
    /// There are no more.
    End,
    /// Somebody has detached this monitor: the machine is not its any more.
    Detached,
}

/// Standard input.
pub struct Script {
    /// Readable when the monitor is detached; closed when the machine has ended. Nothing when that is known.
    held: Option<Connection>,
    /// Read, and not a line yet.
    read: Vec<u8>,
    is_over: bool,
}

impl Script {
    /// Of a monitor that is told of its detachment by this connection.
    pub const fn new(held: Connection) -> Self {
        Self { held: Some(held), read: Vec::new(), is_over: false }
    }

    /// The next line.
    ///
    /// # Errors
    /// When standard input cannot be read, or is no text.
    pub fn next(&mut self) -> Result<Line, Failure> {
        let failed = |error: Errno| Failure::other(SOFTWARE, format!("cannot wait for commands: {error}"));
        loop {
            if self.is_detached().map_err(failed)? {
                return Ok(Line::Detached);
            }
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return text(line);
            }
            if self.is_over {
                let rest = std::mem::take(&mut self.read);
                return if rest.is_empty() { Ok(Line::End) } else { text(rest) };
            }
            self.fill().map_err(|error| Failure::usage(format!("cannot read commands: {error}")))?;
        }
    }

    /// Whether the connection says so now.
    fn is_detached(&mut self) -> Result<bool, Errno> {
        let Some(held) = &mut self.held else { return Ok(false) };
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        match poll(&mut [PollFd::new(&*held, PollFlags::IN)], Some(&now)) {
            Ok(0) | Err(Errno::INTR) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        if matches!(held.hear(), Ok(Response::Detached { .. })) {
            return Ok(true);
        }
        // The machine has ended: commands say so by themselves.
        self.held = None;
        Ok(false)
    }

    /// Waits for input, or for a word of the connection, and takes in what there is of the former.
    fn fill(&mut self) -> Result<(), Errno> {
        let stdin = std::io::stdin();
        let mut ends = vec![PollFd::new(&stdin, PollFlags::IN)];
        ends.extend(self.held.iter().map(|held| PollFd::from_borrowed_fd(held.as_fd(), PollFlags::IN)));
        match poll(&mut ends, None) {
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error),
            Ok(_) if ends.first().is_some_and(|stdin| stdin.revents().is_empty()) => return Ok(()),
            Ok(_) => {}
        }
        let mut buffer = [0; READ_BYTES];
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) => self.is_over = true,
            Ok(bytes) => self.read.extend_from_slice(buffer.get(..bytes).unwrap_or_default()),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

fn text(mut line: Vec<u8>) -> Result<Line, Failure> {
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    String::from_utf8(line)
        .map(Line::Text)
        .map_err(|_| Failure::usage("cannot read commands: a line of them is not UTF-8"))
}
