//! Text that is shown to people and came from a program: shown, not obeyed.
//!
//! A terminal obeys control characters, whoever wrote them: they move its cursor, name its window, or type into it. So a text that a program has
//! chosen (a function's name, an argument) goes through this on its way to one.

use core::fmt::{self, Display, Write};

/// A text with its control characters escaped, as Rust writes them, also those that end a line or turn the direction of writing.
#[derive(Clone, Copy, Debug)]
pub struct Printable<'a>(pub &'a str);

impl Display for Printable<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        PrintableWriter(formatter).write_str(self.0)
    }
}

/// Writes everything as [`Printable`] shows it.
#[derive(Debug)]
pub struct PrintableWriter<W>(pub W);

impl<W: Write> Write for PrintableWriter<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if is_printable(character) {
                self.0.write_char(character)?;
            } else {
                write!(self.0, "{}", character.escape_default())?;
            }
        }
        Ok(())
    }
}

/// Neither a control character nor one of those that turn the direction of writing (Unicode's bidirectional controls), with which a line reads
/// otherwise than it is.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::Printable;
    use std::string::ToString;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        for (text, shown) in [
            ("core::fmt::write", "core::fmt::write"),
            ("grüße 世界 🦀", "grüße 世界 🦀"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("\u{9b}2J\u{7f}\0", "\\u{9b}2J\\u{7f}\\u{0}"),
            ("one\ntwo\r\tthree", "one\\ntwo\\r\\tthree"),
            ("\u{202e}cba", "\\u{202e}cba"),
        ] {
            assert_eq!(Printable(text).to_string(), shown);
        }
    }
}
