//! The machine's log: `log!("…")`, one line each, which the machine marks with the cell's name and the time; and `println!`, as
//! everybody knows it, which writes there too.

use core::fmt::{self, Write};

use hallows_abi::{Handle, OnSpace, Operation, Reply};

use crate::Deadline;
use crate::call::call_handle;

/// The longest text, in bytes: what one [`OnSpace::Log`] takes.
pub const MAX_TEXT: usize = 1_024;

/// Put at the end of a text that was cut.
const CUT: &str = "…";

/// Writes a line to the machine's log, with the syntax of `format!`. A text of more than [`log::MAX_TEXT`](MAX_TEXT) bytes is cut. It never
/// fails: who has no log left to write to is being killed.
#[macro_export]
macro_rules! log {
    ($($arguments:tt)*) => {
        $crate::log::write(::core::format_args!($($arguments)*))
    };
}

/// Writes to the machine's log, with the syntax of `format!`. Each line of the text is one of the log, and one of more than
/// [`log::MAX_TEXT`](MAX_TEXT) bytes becomes several. It needs no capability and never fails.
#[macro_export]
macro_rules! println {
    ($($arguments:tt)*) => {
        $crate::log::print(::core::format_args!($($arguments)*))
    };
}

/// The same as [`println!`](crate::println!): the log has lines only, so what one `print!` writes ends with a line.
#[macro_export]
macro_rules! print {
    ($($arguments:tt)*) => {
        $crate::log::print(::core::format_args!($($arguments)*))
    };
}

/// The same as [`println!`](crate::println!): a cell has one log, and no second stream for errors.
#[macro_export]
macro_rules! eprintln {
    ($($arguments:tt)*) => {
        $crate::log::print(::core::format_args!($($arguments)*))
    };
}

/// What [`println!`](crate::println!) does.
#[cold]
#[inline(never)]
pub fn print(text: fmt::Arguments<'_>) {
    let mut printer = Printer { line: Line::new(), wrote: false, send: |line| line.send() };
    let _ = printer.write_fmt(text);
    printer.finish();
}

/// Breaks a text into lines of the log.
struct Printer<F: FnMut(&mut Line)> {
    line: Line,
    wrote: bool,
    send: F,
}

impl<F: FnMut(&mut Line)> Printer<F> {
    fn flush(&mut self) {
        (self.send)(&mut self.line);
        self.line.clear();
        self.wrote = true;
    }

    /// The end of the text: what is left, or an empty line if there was nothing at all.
    fn finish(mut self) {
        if self.line.length > Operation::TEXT_START || !self.wrote {
            self.flush();
        }
    }
}

impl<F: FnMut(&mut Line)> Write for Printer<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive('\n') {
            let (mut rest, ends) = part.strip_suffix('\n').map_or((part, false), |rest| (rest, true));
            while rest.len() > self.line.room() {
                let (now, later) = rest.split_at(rest.floor_char_boundary(self.line.room()));
                self.line.append(now);
                self.flush();
                rest = later;
            }
            self.line.append(rest);
            if ends {
                self.flush();
            }
        }
        Ok(())
    }
}

/// What [`log!`](crate::log!) does.
#[cold]
#[inline(never)]
pub fn write(text: fmt::Arguments<'_>) {
    let mut line = Line::new();
    // A line is written even if one of its parts failed to write itself.
    let _ = line.write_fmt(text);
    line.send();
}

/// A log operation under construction: formatted in place, without a heap.
struct Line {
    /// Room for the operation, and the text.
    message: [u8; Operation::TEXT_START + MAX_TEXT],
    length: usize,
    cut: bool,
}

impl Line {
    const fn new() -> Self {
        Self { message: [0; Operation::TEXT_START + MAX_TEXT], length: Operation::TEXT_START, cut: false }
    }

    fn send(&mut self) {
        let mut reply = [0; Reply::MOST_BYTES];
        let _ = call_handle(Handle::SELF, self.message(), &[], &mut reply, &mut [], Deadline::NEVER);
    }

    const fn clear(&mut self) {
        self.length = Operation::TEXT_START;
    }

    /// Bytes that it has room for.
    const fn room(&self) -> usize {
        self.message.len() - self.length
    }

    /// The whole message. How long its text is is known only now.
    fn message(&mut self) -> &[u8] {
        let text_bytes = self.length - Operation::TEXT_START;
        let operation = Operation::from(OnSpace::Log { length: u32::try_from(text_bytes).unwrap_or(0) });
        for (place, byte) in self.message.iter_mut().zip(operation.emit().iter()) {
            *place = *byte;
        }
        self.message.get(..self.length).unwrap_or(&[])
    }

    fn append(&mut self, text: &str) {
        let end = self.length + text.len();
        if let Some(place) = self.message.get_mut(self.length..end) {
            place.copy_from_slice(text.as_bytes());
            self.length = end;
        }
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.cut {
            return Ok(());
        }
        if text.len() <= self.room() {
            self.append(text);
            return Ok(());
        }
        self.cut = true;
        // Room for the mark: of this text, or else of what stands there already.
        let wanted = self.message.len() - CUT.len();
        if self.length <= wanted {
            self.append(&text[..text.floor_char_boundary(wanted - self.length)]);
        } else {
            let start = Operation::TEXT_START;
            let written = self.message.get(start..wanted).unwrap_or(&[]);
            let valid = core::str::from_utf8(written).map_or_else(|error| error.valid_up_to(), str::len);
            self.length = start + valid;
        }
        self.append(CUT);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use core::fmt::Write;

    use hallows_abi::{OnSpace, Operation};
    use proptest::prelude::*;

    use super::{CUT, Line, MAX_TEXT, Printer};

    /// The text of a message that the kernel takes.
    fn text_of(line: &mut Line) -> String {
        let message = line.message();
        let (head, text) = message.split_at(Operation::TEXT_START);
        let length = u32::try_from(text.len()).expect("is short");
        assert_eq!(Operation::parse(head, message.len()), Ok(OnSpace::Log { length }.into()));
        String::from_utf8(text.to_vec()).expect("is text")
    }

    fn written(parts: &[&str]) -> String {
        let mut line = Line::new();
        for part in parts {
            line.write_str(part).expect("never fails");
        }
        text_of(&mut line)
    }

    fn printed(parts: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        let mut printer =
            Printer { line: Line::new(), wrote: false, send: |line: &mut Line| lines.push(text_of(line)) };
        for part in parts {
            printer.write_str(part).expect("never fails");
        }
        printer.finish();
        lines
    }

    #[test]
    fn what_is_printed_is_broken_where_its_lines_end() {
        assert_eq!(printed(&["a", "b"]), ["ab"]);
        assert_eq!(printed(&["a\nb\n", "c"]), ["a", "b", "c"]);
        assert_eq!(printed(&["a\n"]), ["a"]);
        assert_eq!(printed(&["a\n\n", "\n"]), ["a", "", ""]);
        assert_eq!(printed(&[]), [""]);
    }

    #[test]
    fn a_text_that_fits_is_written_whole() {
        let text = "x".repeat(MAX_TEXT);
        assert_eq!(written(&[&text]), text);
        assert_eq!(written(&["a", "", "b"]), "ab");
    }

    #[test]
    fn a_text_that_was_full_already_gives_way_to_the_mark() {
        let text = "x".repeat(MAX_TEXT);
        let cut = written(&[&text, "y", "z"]);
        assert_eq!(cut, format!("{}{CUT}", "x".repeat(MAX_TEXT - CUT.len())));
    }

    proptest! {
        #[test]
        fn nothing_that_is_printed_is_lost(parts in proptest::collection::vec("[aä€𝄞]{0,700}", 1..6)) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let lines = printed(&parts);
            prop_assert!(lines.iter().all(|line| line.len() <= MAX_TEXT));
            prop_assert_eq!(lines.concat(), parts.concat());
        }

        #[test]
        fn a_longer_text_is_cut_at_a_character(parts in proptest::collection::vec("[aä€𝄞]{0,200}", 0..20)) {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let whole = parts.concat();
            let line = written(&parts);
            prop_assert!(line.len() <= MAX_TEXT);
            if whole.len() <= MAX_TEXT {
                prop_assert_eq!(line, whole);
            } else {
                let kept = line.strip_suffix(CUT).expect("is marked");
                prop_assert!(whole.starts_with(kept));
                // A character has at most 4 bytes, so at most 3 are lost at the cut.
                prop_assert!(line.len() + 3 >= MAX_TEXT);
            }
        }
    }
}
