//! Check of the serial port's other direction.

use alloc::{format, string::String};

use x86_64::instructions::interrupts;

use super::{Outcome, ensure};
use crate::console::{self, println};

/// Bytes of a line at most.
const LINE_BYTES: usize = 80;

/// Asks for a line, sleeps until the port's interrupt brings it, and shows it; `test.sh` types one.
pub fn a_line_typed_is_a_line_read() -> Outcome {
    println!("selftest: type a line");
    let mut line = String::new();
    loop {
        while let Some(byte) = console::read_byte() {
            if byte == b'\n' || byte == b'\r' {
                return Ok(format!("{line:?}"));
            }
            line.push(char::from(byte));
            ensure!(line.len() <= LINE_BYTES, "the line does not end: {line:?}");
        }
        interrupts::disable();
        if console::has_input() {
            interrupts::enable();
        } else {
            interrupts::enable_and_hlt();
        }
    }
}
