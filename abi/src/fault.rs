//! Faults: how a cell ended, or that it was late, and the message that tells its supervisor.

use crate::{MAX_BACKTRACE, Reader, Writer};

/// Why a cell ended; the last one does not end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum FaultKind {
    /// Its main function returned.
    Returned = 0,
    /// It asked to exit; `detail` is the status.
    Exited = 1,
    /// It was killed.
    Killed = 2,
    /// It executed `unreachable` (a Rust panic ends so).
    Unreachable = 3,
    /// It touched memory or a table outside of its bounds.
    OutOfBounds = 4,
    /// Its stack was exhausted.
    StackOverflow = 5,
    /// Integer division by zero, overflow, or a bad conversion.
    Arithmetic = 6,
    /// An indirect call to nothing or to another signature.
    BadIndirectCall = 7,
    /// Its passive handler overran its budget.
    HandlerOverrun = 8,
    /// Its memory budget was exhausted while it was started.
    OutOfMemory = 9,
    /// The program could not be instantiated: missing or wrong imports or exports.
    BadProgram = 10,
    /// A reactor's inbox or returned answer lies outside of its memory.
    BadReturn = 11,
    /// Another trap of the engine.
    Other = 12,
    /// It was not done by its deadline, and goes on; `detail` is how many it has missed since it was made, up to what fits.
    DeadlineMissed = 13,
}

impl FaultKind {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; 14] = [
        Self::Returned,
        Self::Exited,
        Self::Killed,
        Self::Unreachable,
        Self::OutOfBounds,
        Self::StackOverflow,
        Self::Arithmetic,
        Self::BadIndirectCall,
        Self::HandlerOverrun,
        Self::OutOfMemory,
        Self::BadProgram,
        Self::BadReturn,
        Self::Other,
        Self::DeadlineMissed,
    ];

    /// The kind of this number, if there is one.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }

    /// In a few words for people.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Exited => "exited",
            Self::Killed => "was killed",
            Self::Unreachable => "panicked or reached an unreachable instruction",
            Self::OutOfBounds => "accessed memory out of bounds",
            Self::StackOverflow => "overflowed its stack",
            Self::Arithmetic => "made an arithmetic error",
            Self::BadIndirectCall => "made a bad indirect call",
            Self::HandlerOverrun => "overran its handler budget",
            Self::OutOfMemory => "ran out of memory",
            Self::BadProgram => "is not a program that this machine can start",
            Self::BadReturn => "returned an answer outside of its memory",
            Self::Other => "trapped",
            Self::DeadlineMissed => "missed a deadline",
        }
    }

    /// Whether the cell is over.
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::DeadlineMissed)
    }

    /// Whether it is an orderly end.
    #[must_use]
    pub const fn is_orderly(self) -> bool {
        matches!(self, Self::Returned | Self::Exited | Self::Killed)
    }
}

/// The message that a supervisor receives on its fault endpoint: 24 bytes and the backtrace's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultReport<'a> {
    /// Why.
    pub kind: FaultKind,
    /// The cell's number, as `hallows ps` shows it.
    pub cell: u32,
    /// Which life of the cell it was, from 1.
    pub generation: u32,
    /// Exit status, deadlines missed, or 0.
    pub detail: u32,
    /// When, in nanoseconds of the machine's clock.
    pub at_ns: u64,
    /// The program's backtrace, innermost first, one frame a line; may be cut.
    pub backtrace: &'a str,
}

impl<'a> FaultReport<'a> {
    /// Bytes before the backtrace.
    pub const HEADER: usize = 24;

    /// Its form in a message; how many bytes of `buffer` it took. The backtrace is cut to what fits, at a character.
    pub fn emit(&self, buffer: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(buffer);
        for word in [self.kind as u32, self.cell, self.generation, self.detail] {
            writer.u32(word)?;
        }
        writer.u64(self.at_ns)?;
        let room = buffer.len().checked_sub(Self::HEADER)?.min(MAX_BACKTRACE as usize);
        let end = self.backtrace.floor_char_boundary(room.min(self.backtrace.len()));
        let text = self.backtrace.as_bytes().get(..end)?;
        buffer.get_mut(Self::HEADER..Self::HEADER + end)?.copy_from_slice(text);
        Some(Self::HEADER + end)
    }

    /// From its form in a message; `None` if it is not one.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let kind = FaultKind::from_number(reader.u32()?)?;
        let (cell, generation, detail) = (reader.u32()?, reader.u32()?, reader.u32()?);
        let at_ns = reader.u64()?;
        Some(Self {
            kind,
            cell,
            generation,
            detail,
            at_ns,
            backtrace: core::str::from_utf8(reader.rest()).ok()?,
        })
    }
}
