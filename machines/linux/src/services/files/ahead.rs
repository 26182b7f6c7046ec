//! Reading ahead: while a client works with what it has read, the service reads what comes next.
//!
//! The machine and other processes share the files, so what was read ahead may be older than what a client could know. It is given to nobody
//! but who asks for exactly that, as the next thing that is asked of this cell's files, and within [`FRESH`]. Every other message that could
//! change a file, or tell its sender that somebody has, makes it forgotten: a program never misses what it has written itself, or was told of.
//! Only whole parts count: where a file ended may not be where it ends.

use std::time::{Duration, Instant};

use super::frame::Frame;
use super::opened::OpenFile;

/// How long what was read ahead is good for: other processes may have changed the file since. Many times what a client takes for one part.
const FRESH: Duration = Duration::from_millis(1);

/// Less is not worth it: to read so much takes as long as to tell of it.
const LEAST_BYTES: usize = 4_096;

/// How many parts a client that has left one unused must read in a row before another one is read for it.
const DOUBT_PARTS: u32 = 16;

/// A part of a file that a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Which file.
    pub badge: u64,
    /// Where it begins.
    pub offset: u64,
    /// Bytes.
    pub length: usize,
}

/// What was read ahead, and what may be worth to be.
#[derive(Debug)]
pub(super) struct Ahead {
    frame: Frame,
    /// What is in the frame, and since when.
    held: Option<(Part, Instant)>,
    /// What a client asks for next that reads on.
    expected: Option<Part>,
    /// Whole parts that were read in a row.
    row: u32,
    /// So many parts in a row show a client that reads on.
    enough: u32,
}

impl Ahead {
    pub fn new() -> Self {
        Self { frame: Frame::new(), held: None, expected: None, row: 0, enough: 1 }
    }

    /// Whether a part was read ahead. Then the frame has it, and it is given out once.
    pub fn take(&mut self, part: &Part) -> bool {
        let Some((held, since)) = self.held.take() else { return false };
        let is_good = held == *part && since.elapsed() < FRESH;
        self.enough = if is_good { 1 } else { DOUBT_PARTS };
        is_good
    }

    /// Where the bytes are that [`Self::take`] gave.
    pub const fn frame(&mut self) -> &mut Frame {
        &mut self.frame
    }

    /// Notes that so many bytes of a part were read. The part to be read ahead, if its client seems to read on.
    pub fn next(&mut self, part: &Part, length: usize) -> Option<Part> {
        let reads_on = self.expected.take() == Some(*part);
        self.row = if reads_on { self.row.saturating_add(1) } else { 0 };
        if length < part.length || length < LEAST_BYTES {
            return None;
        }
        let offset = part.offset.checked_add(u64::try_from(length).ok()?)?;
        self.expected = Some(Part { offset, ..*part });
        self.expected.filter(|_| self.row >= self.enough)
    }

    /// Reads a part ahead. What fails will fail again when it is asked for.
    pub fn read(&mut self, file: &OpenFile, part: Part) {
        let since = Instant::now();
        let place = self.frame.room(u32::try_from(part.length).unwrap_or(u32::MAX));
        if file.read(part.offset, place) == Ok(part.length) {
            self.held = Some((part, since));
        }
    }

    /// Forgets it: files may have changed.
    pub fn forget(&mut self) {
        if self.held.take().is_some() {
            self.enough = DOUBT_PARTS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ahead, DOUBT_PARTS, LEAST_BYTES, Part};

    /// The number of the part after which the next one is to be read ahead, for who reads from the start on.
    fn parts_until_ahead(ahead: &mut Ahead) -> u32 {
        let mut part = Part { badge: 7, offset: 0, length: LEAST_BYTES };
        for number in 0..100 {
            if let Some(next) = ahead.next(&part, part.length) {
                assert_eq!(next, Part { offset: part.offset + LEAST_BYTES as u64, ..part });
                return number;
            }
            part.offset += LEAST_BYTES as u64;
        }
        panic!("nothing is read ahead");
    }

    #[test]
    fn who_reads_on_is_read_ahead_for_and_who_does_not_use_it_much_later() {
        let mut ahead = Ahead::new();
        assert_eq!(parts_until_ahead(&mut ahead), 1);
        ahead.held = Some((Part { badge: 7, offset: 8_192, length: LEAST_BYTES }, std::time::Instant::now()));
        ahead.forget();
        assert_eq!(parts_until_ahead(&mut ahead), DOUBT_PARTS);
    }

    #[test]
    fn short_parts_small_ones_and_other_files_are_not_read_ahead() {
        let part = |badge, offset, length| Part { badge, offset, length };
        let mut ahead = Ahead::new();
        assert_eq!(ahead.next(&part(1, 0, 8_192), 8_192), None);
        assert_eq!(ahead.next(&part(1, 8_192, 8_192), 8_191), None);
        assert_eq!(ahead.next(&part(1, 0, 100), 100), None);
        assert_eq!(ahead.next(&part(1, 100, 100), 100), None);
        assert_eq!(ahead.next(&part(1, 0, 8_192), 8_192), None);
        assert_eq!(ahead.next(&part(2, 8_192, 8_192), 8_192), None);
        assert_eq!(ahead.next(&part(2, u64::MAX - 5, 8_192), 8_192), None);
    }

    #[test]
    fn what_is_old_is_not_given_out() {
        let part = Part { badge: 1, offset: 0, length: 10 };
        let mut ahead = Ahead::new();
        ahead.held = std::time::Instant::now().checked_sub(super::FRESH).map(|since| (part, since));
        assert!(ahead.held.is_some() && !ahead.take(&part));
        ahead.held = Some((part, std::time::Instant::now() + std::time::Duration::from_secs(60)));
        assert!(ahead.take(&part) && !ahead.take(&part), "once");
    }
}
