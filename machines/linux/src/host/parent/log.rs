//! What the machine has said, for monitors that come later or that have no part of its terminal: the last of it, by place.

use std::collections::VecDeque;

use crate::host::control::protocol::Response;

/// Bytes that are kept: some thousand lines.
const KEPT_BYTES: usize = 256 << 10;
/// Most bytes in one answer: in JSON, each may become six.
const ANSWER_BYTES: usize = 32 << 10;

/// The end of the machine's log.
#[derive(Debug, Default)]
pub(super) struct Log {
    kept: VecDeque<u8>,
    /// Place behind the last byte: how many there were since boot.
    end: u64,
}

impl Log {
    /// The machine has said something.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        self.end += bytes.len() as u64;
        let excess = self.kept.len().saturating_sub(KEPT_BYTES);
        self.kept.drain(..excess);
    }

    /// What stands behind a place, as an answer: whole lines, or a part of one that is too long; nothing if there is none yet.
    pub(super) fn read(&self, after: u64) -> Option<Response> {
        let start = self.end - self.kept.len() as u64;
        // A place that was never given is the end.
        let from = after.clamp(start, self.end);
        // Fits: it is no more than what is kept.
        let skipped = (from - start) as usize;
        let mut bytes: Vec<u8> = self.kept.iter().skip(skipped).take(ANSWER_BYTES).copied().collect();
        match bytes.iter().rposition(|byte| *byte == b'\n') {
            Some(line_end) => bytes.truncate(line_end + 1),
            None if bytes.len() < ANSWER_BYTES => return None,
            None => {}
        }
        Some(Response::Log {
            next: from + bytes.len() as u64,
            missed: from.saturating_sub(after),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }

    /// The answer to who does not wait: perhaps with nothing in it.
    pub(super) fn read_now(&self, after: u64) -> Response {
        let nothing = || Response::Log { next: after.min(self.end), missed: 0, text: String::new() };
        self.read(after).unwrap_or_else(nothing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(response: Option<Response>) -> (u64, u64, String) {
        match response {
            Some(Response::Log { next, missed, text }) => (next, missed, text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_are_given_whole_and_once() {
        let mut log = Log::default();
        assert_eq!(log.read(0), None);
        log.add(b"one\ntw");
        assert_eq!(parts(log.read(0)), (4, 0, "one\n".to_owned()));
        assert_eq!(log.read(4), None);
        log.add(b"o\n");
        assert_eq!(parts(log.read(4)), (8, 0, "two\n".to_owned()));
        assert_eq!(parts(Some(log.read_now(8))), (8, 0, String::new()));
        assert_eq!(log.read(u64::MAX), None, "a place that was never given");
        assert_eq!(parts(Some(log.read_now(u64::MAX))), (8, 0, String::new()));
    }

    #[test]
    fn what_was_forgotten_is_counted_and_memory_is_bounded() {
        let mut log = Log::default();
        let line = format!("{}\n", "x".repeat(99));
        for _ in 0..10_000 {
            log.add(line.as_bytes());
        }
        assert!(log.kept.len() <= KEPT_BYTES);
        let (next, missed, text) = parts(log.read(0));
        assert_eq!(missed, 1_000_000 - KEPT_BYTES as u64);
        assert!(text.len() <= ANSWER_BYTES && text.ends_with('\n'));
        assert_eq!(next, missed + text.len() as u64);
        let (mut place, mut seen) = (0, 0);
        while let Some(answer) = log.read(place) {
            let (next, _, text) = parts(Some(answer));
            (place, seen) = (next, seen + text.len());
        }
        assert_eq!((place, seen), (1_000_000, KEPT_BYTES));
    }

    #[test]
    fn a_line_without_end_is_given_in_parts() {
        let mut log = Log::default();
        log.add(&vec![b'x'; ANSWER_BYTES + 10]);
        assert_eq!(parts(log.read(0)).0, ANSWER_BYTES as u64);
        assert_eq!(log.read(ANSWER_BYTES as u64), None);
    }
}
