//! How a program ended: wasmtime's error as the kernel's fault, with the program's backtrace.

use core::fmt::Write;

use alloc::boxed::Box;
use alloc::string::String;

use hallows_abi::{FaultKind, MAX_BACKTRACE, PrintableWriter};
use hallows_kernel::{Ended, ThreadId};
use wasmtime::{Error, Trap, WasmBacktrace};

/// What a call returns through WebAssembly to end the program: it unwinds and traps.
#[derive(Debug)]
pub(crate) struct Unwind;

impl core::fmt::Display for Unwind {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("the program is being ended")
    }
}

impl core::error::Error for Unwind {}

/// An end without a backtrace.
pub(crate) fn orderly(kind: FaultKind) -> Ended {
    Ended { kind, backtrace: Box::default() }
}

/// An end for a reason that is no trap: the text stands where a backtrace would.
pub(crate) fn because(kind: FaultKind, reason: &dyn core::fmt::Display) -> Ended {
    let mut text = Text::default();
    // Cut at its limit, which is all that can go wrong.
    let _ = write!(PrintableWriter(&mut text), "{reason}");
    Ended { kind, backtrace: text.0.into_boxed_str() }
}

/// The end that an error of running WebAssembly stands for.
pub(crate) fn from_error(error: &Error) -> Ended {
    if error.is::<Unwind>() {
        return orderly(FaultKind::Killed);
    }
    let kind = match error.downcast_ref::<Trap>() {
        Some(trap) => fault_kind(*trap),
        None => FaultKind::Other,
    };
    let mut text = Text::default();
    if kind == FaultKind::Other {
        // The frames alone would not say what happened.
        let _ = write!(PrintableWriter(&mut text), "{}", error.root_cause());
        let _ = text.write_char('\n');
    }
    if let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() {
        for frame in backtrace.frames() {
            let line =
                Line { name: frame.func_name(), index: frame.func_index(), offset: frame.module_offset() };
            if writeln!(text, "{line}").is_err() {
                break;
            }
        }
    }
    Ended { kind, backtrace: text.0.into_boxed_str() }
}

/// The same of a further thread of a cell, whose number is told before its frames.
pub(crate) fn in_thread(ended: Ended, thread: ThreadId) -> Ended {
    if ended.kind.is_orderly() {
        return ended;
    }
    let mut text = Text::default();
    // Cut at its limit, which is all that can go wrong.
    let _ = writeln!(text, "in thread {thread}:").and_then(|()| text.write_str(&ended.backtrace));
    Ended { kind: ended.kind, backtrace: text.0.into_boxed_str() }
}

fn fault_kind(trap: Trap) -> FaultKind {
    match trap {
        Trap::UnreachableCodeReached => FaultKind::Unreachable,
        Trap::StackOverflow => FaultKind::StackOverflow,
        Trap::MemoryOutOfBounds | Trap::HeapMisaligned | Trap::TableOutOfBounds => FaultKind::OutOfBounds,
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => {
            FaultKind::Arithmetic
        }
        Trap::IndirectCallToNull | Trap::BadSignature | Trap::NullReference => FaultKind::BadIndirectCall,
        _ => FaultKind::Other,
    }
}

/// One frame: `module::function + 0x1a2b`, the offset in the WebAssembly file as it was compiled.
struct Line<'a> {
    name: Option<&'a str>,
    index: u32,
    offset: Option<usize>,
}

impl core::fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name {
            // Without the hash that the compiler appends. Names are the program's, which chooses any.
            Some(name) => write!(PrintableWriter(&mut *formatter), "{:#}", rustc_demangle::demangle(name))?,
            None => write!(formatter, "function {}", self.index)?,
        }
        match self.offset {
            Some(offset) => write!(formatter, " + {offset:#x}"),
            None => Ok(()),
        }
    }
}

/// Text that takes [`MAX_BACKTRACE`] bytes, whole characters, and refuses what goes beyond.
#[derive(Default)]
struct Text(String);

impl Write for Text {
    fn write_str(&mut self, more: &str) -> core::fmt::Result {
        let room = MAX_BACKTRACE as usize - self.0.len();
        let end = more.floor_char_boundary(room.min(more.len()));
        self.0.push_str(more.get(..end).unwrap_or_default());
        if end < more.len() { Err(core::fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_at_a_whole_character() {
        let long: String = core::iter::repeat_n('ä', MAX_BACKTRACE as usize).collect();
        let ended = because(FaultKind::BadProgram, &long);
        assert_eq!(ended.backtrace.len(), MAX_BACKTRACE as usize);
        assert!(ended.backtrace.chars().all(|character| character == 'ä'));
    }

    #[test]
    fn frames_are_named_as_people_wrote_them() {
        let line =
            Line { name: Some("_ZN10calculator6divide17h0123456789abcdefE"), index: 7, offset: Some(0x1a2b) };
        assert_eq!(alloc::format!("{line}"), "calculator::divide + 0x1a2b");
        let nameless = Line { name: None, index: 7, offset: None };
        assert_eq!(alloc::format!("{nameless}"), "function 7");
    }

    #[test]
    fn a_frame_is_one_line_that_drives_no_terminal_whatever_its_function_is_called() {
        let line = Line { name: Some("a\u{1b}[2J\nforged"), index: 7, offset: Some(0x1a) };
        assert_eq!(alloc::format!("{line}"), "a\\u{1b}[2J\\nforged + 0x1a");
        assert_eq!(&*because(FaultKind::Other, &"no \u{1b}c").backtrace, "no \\u{1b}c");
    }

    #[test]
    fn an_unwinding_program_was_killed() {
        assert_eq!(from_error(&Error::new(Unwind)), orderly(FaultKind::Killed));
    }
}
