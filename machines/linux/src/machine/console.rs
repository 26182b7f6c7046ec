//! The console's output: lines from any core, written to the terminal by one housekeeping thread.
//!
//! A program's core never makes the system call that writes: it puts the line into a queue. A queue that is full drops lines and
//! says how many, so that a program that floods its log slows nobody down.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::host::timer::Parker;

/// Bytes that may wait: a screenful of long lines many times over.
const CAPACITY_BYTES: usize = 256 << 10;

#[derive(Debug, Default)]
struct Queue {
    bytes: VecDeque<u8>,
    /// Lines lost since the last one was written.
    dropped: u64,
    closed: bool,
}

/// Lines on their way to the terminal.
#[derive(Debug, Default)]
pub struct Console {
    queue: Mutex<Queue>,
    writer: Parker,
}

impl Console {
    /// Nothing written yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a line into the queue; control characters are shown, not obeyed, so that a program cannot drive the terminal.
    pub fn line(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let mut queue = self.queue();
        if queue.bytes.len() + text.len() >= CAPACITY_BYTES {
            queue.dropped += 1;
            return;
        }
        for character in text.trim_end_matches('\n').chars() {
            if character.is_control() && character != '\n' && character != '\t' {
                queue.bytes.extend(character.escape_default().map(|escaped| escaped as u8));
            } else {
                queue.bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            }
        }
        queue.bytes.push_back(b'\n');
        drop(queue);
        self.writer.unpark();
    }

    /// Writes what comes until [`Console::close`]. For one housekeeping thread.
    ///
    /// # Errors
    /// When the terminal takes nothing any more; what comes later is dropped silently.
    pub fn write_to(&self, mut output: impl Write) -> io::Result<()> {
        loop {
            let (bytes, dropped, closed) = {
                let mut queue = self.queue();
                (std::mem::take(&mut queue.bytes), std::mem::take(&mut queue.dropped), queue.closed)
            };
            let (front, back) = bytes.as_slices();
            output.write_all(front)?;
            output.write_all(back)?;
            if dropped > 0 {
                writeln!(
                    output,
                    "(console: {dropped} lines dropped: they came faster than the terminal takes them)"
                )?;
            }
            output.flush()?;
            if bytes.is_empty() && dropped == 0 {
                if closed {
                    return Ok(());
                }
                self.writer.park(None);
            }
        }
    }

    /// Takes what waits, where nobody writes it: for who drives a kernel without a terminal.
    #[must_use]
    pub fn take(&self) -> String {
        let bytes: Vec<u8> = std::mem::take(&mut self.queue().bytes).into();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Ends [`Console::write_to`] after what is in the queue.
    pub fn close(&self) {
        self.queue().closed = true;
        self.writer.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY_BYTES, Console};

    fn written(console: &Console) -> String {
        console.close();
        let mut output = Vec::new();
        console.write_to(&mut output).expect("memory takes everything");
        String::from_utf8(output).expect("lines are text")
    }

    #[test]
    fn lines_come_out_in_order_with_control_characters_shown() {
        let console = Console::new();
        console.line(b"one");
        console.line(b"two\x1b[2J\n");
        console.line(b"\xff");
        assert_eq!(written(&console), "one\ntwo\\u{1b}[2J\n\u{fffd}\n");
    }

    #[test]
    fn a_flood_is_cut_and_counted() {
        let console = Console::new();
        let line = [b'x'; 1_000];
        for _ in 0..1_000 {
            console.line(&line);
        }
        let text = written(&console);
        assert!(text.len() <= CAPACITY_BYTES + 200);
        assert!(text.contains("lines dropped"));
    }
}
