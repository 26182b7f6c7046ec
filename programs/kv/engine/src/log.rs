//! The append-only log: what changed the store, as requests, in redis' format.
//!
//! What is appended together is a *batch*, behind which stands a line with its length and a checksum of it (`#SUM:`, 8 and 16 hexadecimal digits): redis
//! skips such lines, and here they tell a batch that was torn from one that was damaged. Nothing of a batch is acknowledged before all of it is on the disk, so a
//! batch at the end of a log that is not whole may be cut off. One that is not whole with others behind it is damage, and is refused.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::number::Digits;
use crate::seed::Seed;

/// What a line with a checksum begins with.
const MARK: &[u8] = b"#SUM:";
/// Its length: mark, digits, end.
const LINE: usize = MARK.len() + 8 + 16 + 2;
/// Known to everybody: it tells accidents, not attacks.
const SUM: Seed = Seed(0x6861_6c6c_6f77_735f, 0x6b76_5f6c_6f67_5f31);

/// The file that a log is written to.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogFile {
    /// Bytes of it.
    pub bytes: u64,
    /// Bytes that it had when it was read back or rewritten last.
    pub base_bytes: u64,
    /// Somebody wants it to be rewritten.
    pub asked_to_rewrite: bool,
    /// It is being rewritten.
    pub is_being_rewritten: bool,
    /// That could not be done the last time.
    pub failed_to_rewrite: bool,
}

/// The log of a store.
#[derive(Debug, Default)]
pub struct Log {
    /// Whether changes are written down.
    pub is_on: bool,
    /// Where.
    pub file: LogFile,
    batch: Vec<u8>,
    /// Bytes of all batches, also of those that were taken, checksums included.
    position: u64,
    database: Option<usize>,
    /// Within a transaction; whether its beginning was written down.
    transaction: Option<bool>,
}

impl Log {
    /// How many bytes were ever written, if the batch is ended now.
    pub const fn position(&self) -> u64 {
        self.position + if self.batch.is_empty() { 0 } else { self.batch.len() as u64 + LINE as u64 }
    }

    /// Bytes that nobody has taken.
    pub const fn waiting(&self) -> usize {
        self.batch.len()
    }

    /// Writes a request down that changed this database.
    pub fn append<'a>(&mut self, database: usize, words: impl ExactSizeIterator<Item = &'a [u8]>) {
        if !self.is_on {
            return;
        }
        if self.transaction == Some(false) {
            self.transaction = Some(true);
            write(&mut self.batch, [&b"MULTI"[..]].into_iter());
        }
        if self.database != Some(database) {
            self.database = Some(database);
            let number = Digits::of(i64::try_from(database).unwrap_or(0));
            write(&mut self.batch, [&b"SELECT"[..], number.text()].into_iter());
        }
        write(&mut self.batch, words);
    }

    /// What follows is done as a whole or not at all.
    pub const fn begin(&mut self) {
        self.transaction = Some(false);
    }

    /// The whole ends here.
    pub fn end(&mut self) {
        if self.transaction.take() == Some(true) {
            write(&mut self.batch, [&b"EXEC"[..]].into_iter());
        }
    }

    /// Ends the batch, and gives it.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        if self.batch.is_empty() {
            return None;
        }
        let mut batch = core::mem::take(&mut self.batch);
        let line = line_of(&batch);
        batch.extend_from_slice(line.as_bytes());
        batch.extend_from_slice(b"\r\n");
        self.position += batch.len() as u64;
        // The next batch may be the first one that is read.
        self.database = None;
        Some(batch)
    }
}

/// A request of these words.
fn write<'a>(bytes: &mut Vec<u8>, words: impl ExactSizeIterator<Item = &'a [u8]>) {
    let head = |kind: u8, count: usize, bytes: &mut Vec<u8>| {
        bytes.push(kind);
        bytes.extend_from_slice(Digits::of(i64::try_from(count).unwrap_or(0)).text());
        bytes.extend_from_slice(b"\r\n");
    };
    head(b'*', words.len(), bytes);
    for word in words {
        head(b'$', word.len(), bytes);
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
}

/// The line behind a batch.
fn line_of(batch: &[u8]) -> String {
    format!("#SUM:{:08x}{:016x}", batch.len(), SUM.hash(batch))
}

/// Whether a line is that of these bytes; `None` if it is none.
pub fn is_sum_of(line: &[u8], batch: &[u8]) -> Option<bool> {
    line.starts_with(MARK).then(|| line == line_of(batch).as_bytes())
}

/// Whether there is a whole batch in some bytes that does not begin with them.
pub fn has_batch_within(bytes: &[u8]) -> bool {
    let mut places =
        (0..bytes.len().saturating_sub(LINE - 1)).filter(|place| bytes[*place..].starts_with(MARK));
    places.any(|place| {
        let line = &bytes[place..place + LINE - 2];
        let length = core::str::from_utf8(&line[MARK.len()..MARK.len() + 8]).ok();
        let length = length.and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let begins = length.and_then(|length| place.checked_sub(length)).filter(|begins| *begins > 0);
        begins.is_some_and(|begins| is_sum_of(line, &bytes[begins..place]) == Some(true))
    })
}
