//! The machine's log: `log!("…")`, one line each, which the machine marks with the cell's name and the time.

use core::fmt::{self, Write};

use hallows_abi::{Code, Handle, Operation, Reply};

use crate::Deadline;
use crate::call::call_handle;

/// The longest text, in bytes: what one [`Code::Log`] takes.
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

/// What [`log!`](crate::log!) does.
#[cold]
#[inline(never)]
pub fn write(text: fmt::Arguments<'_>) {
    let mut line = Line::new();
    // A line is written even if one of its parts failed to write itself.
    let _ = line.write_fmt(text);
    let mut reply = [0; Reply::SIZE];
    let _ = call_handle(Handle::SELF, line.message(), &[], &mut reply, &mut [], Deadline::NEVER);
}

/// A log operation under construction: formatted in place, without a heap.
struct Line {
    message: [u8; Operation::SIZE + MAX_TEXT],
    length: usize,
    cut: bool,
}

impl Line {
    fn new() -> Self {
        let mut message = [0; Operation::SIZE + MAX_TEXT];
        let (head, _) = message.split_at_mut(Operation::SIZE);
        head.copy_from_slice(&Operation { code: Code::Log, arguments: [0; 3] }.emit());
        Self { message, length: Operation::SIZE, cut: false }
    }

    fn message(&self) -> &[u8] {
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
        let room = self.message.len() - self.length;
        if text.len() <= room {
            self.append(text);
            return Ok(());
        }
        self.cut = true;
        // Room for the mark: of this text, or else of what stands there already.
        let wanted = self.message.len() - CUT.len();
        if self.length <= wanted {
            self.append(&text[..text.floor_char_boundary(wanted - self.length)]);
        } else {
            let start = Operation::SIZE;
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

    use hallows_abi::{Code, Operation};
    use proptest::prelude::*;

    use super::{CUT, Line, MAX_TEXT};

    fn written(parts: &[&str]) -> String {
        let mut line = Line::new();
        for part in parts {
            line.write_str(part).expect("never fails");
        }
        let operation = Operation::parse(line.message()).expect("starts with an operation");
        assert_eq!(operation.code, Code::Log);
        String::from_utf8(line.message()[Operation::SIZE..].to_vec()).expect("is text")
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
