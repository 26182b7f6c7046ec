//! Requests: arrays of strings as RESP has them, or lines of words. Read piece by piece as the bytes come, in place.
//!
//! The arguments of a request are ranges of the bytes that came: nothing is copied but words of a line that have quotes.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec::Vec;
use core::ops::Range;

use crate::number::integer;

/// The longest line that is no string: a request in words, or a count.
const LINE: usize = 64 << 10;
/// The most arguments of one request.
const ARGUMENTS: i64 = 1 << 20;

/// How far a request was read.
#[derive(Debug, Default)]
pub struct Reader {
    /// Of the arguments, from the first byte of the request.
    ranges: Vec<Range<usize>>,
    /// Arguments that are yet to come, once their count is known.
    left: Option<usize>,
    /// The length of the string that comes next, once it is known.
    length: Option<usize>,
    /// Bytes that were read.
    at: usize,
    /// Bytes in which no line's end was found.
    searched: usize,
    /// Words of a line that had quotes, as a request of strings.
    pub rewritten: Option<Vec<u8>>,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// More bytes are needed; at least so many are known to come.
    More(usize),
    /// A request, in so many bytes. It may have no arguments.
    Request(usize),
}

/// What no client may send: the connection ends after it is told.
pub type Malformed = Cow<'static, str>;

impl Reader {
    /// The arguments of the request that was read.
    pub fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// Forgets the request that was read.
    pub fn next(&mut self) {
        self.ranges.clear();
        self.left = None;
        self.length = None;
        self.at = 0;
        self.searched = 0;
        self.rewritten = None;
    }

    /// Reads on, in the bytes from the request's first one on. A string may have at most so many bytes.
    ///
    /// # Errors
    ///
    /// What is wrong, in redis' words.
    pub fn read(&mut self, bytes: &[u8], most: usize) -> Result<Read, Malformed> {
        let left = match self.left {
            Some(left) => left,
            None => match bytes.first() {
                None => return Ok(Read::More(0)),
                Some(b'*') => {
                    let Some(line) = self.line(bytes, "Protocol error: too big mbulk count string")? else {
                        return Ok(Read::More(0));
                    };
                    let count = integer(&bytes[line][1..]).filter(|count| *count <= ARGUMENTS);
                    let count = count.ok_or("Protocol error: invalid multibulk length")?;
                    let count = usize::try_from(count).unwrap_or(0);
                    self.left = Some(count);
                    count
                }
                Some(_) => return self.words(bytes),
            },
        };
        for left in (0..left).rev() {
            match self.string(bytes, most)? {
                Some(range) => self.ranges.push(range),
                None => {
                    self.left = Some(left + 1);
                    let known =
                        self.length.map_or(0, |length| (self.at + length + 2).saturating_sub(bytes.len()));
                    return Ok(Read::More(known));
                }
            }
        }
        self.left = Some(0);
        Ok(Read::Request(self.at))
    }

    /// The next string: `$`, its length, its bytes.
    #[inline]
    fn string(&mut self, bytes: &[u8], most: usize) -> Result<Option<Range<usize>>, Malformed> {
        let length = match self.length {
            Some(length) => length,
            None => {
                let from = self.at;
                let Some(line) = self.line(bytes, "Protocol error: too big bulk count string")? else {
                    return Ok(None);
                };
                let line = &bytes[line];
                if line.first() != Some(&b'$') {
                    let got = bytes.get(from).copied().unwrap_or_default();
                    return Err(format!("Protocol error: expected '$', got '{}'", char::from(got)).into());
                }
                let length = integer(&line[1..]).and_then(|length| usize::try_from(length).ok());
                *self.length.insert(
                    length.filter(|length| *length <= most).ok_or("Protocol error: invalid bulk length")?,
                )
            }
        };
        if bytes.len() < self.at + length + 2 {
            return Ok(None);
        }
        let range = self.at..self.at + length;
        self.at = range.end + 2;
        self.searched = self.at;
        self.length = None;
        Ok(Some(range))
    }

    /// The next line without its end, if that has come.
    fn line(&mut self, bytes: &[u8], too_long: &'static str) -> Result<Option<Range<usize>>, Malformed> {
        let from = self.searched.max(self.at);
        let Some(end) = bytes.get(from..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) else {
            self.searched = bytes.len();
            return if bytes.len() - self.at > LINE { Err(too_long.into()) } else { Ok(None) };
        };
        let (line, end) = (self.at..from + end, from + end);
        self.at = end + 1;
        self.searched = self.at;
        let has_return = line.end > line.start && bytes.get(line.end - 1) == Some(&b'\r');
        Ok(Some(line.start..line.end - usize::from(has_return)))
    }

    /// A request in words.
    fn words(&mut self, bytes: &[u8]) -> Result<Read, Malformed> {
        // It may be read again, if it could not be done.
        self.ranges.clear();
        let from = self.searched.min(bytes.len());
        let Some(end) = bytes[from..].iter().position(|byte| *byte == b'\n') else {
            self.searched = bytes.len();
            return if bytes.len() > LINE {
                Err("Protocol error: too big inline request".into())
            } else {
                Ok(Read::More(0))
            };
        };
        let end = from + end;
        let line = &bytes[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
            let words = split(line).ok_or("Protocol error: unbalanced quotes in request")?;
            let mut rewritten = Vec::new();
            for word in words {
                self.ranges.push(rewritten.len()..rewritten.len() + word.len());
                rewritten.extend_from_slice(&word);
            }
            self.rewritten = Some(rewritten);
        } else {
            let mut at = 0;
            for word in line.split(|byte| byte.is_ascii_whitespace() || *byte == 0x0b) {
                if !word.is_empty() {
                    self.ranges.push(at..at + word.len());
                }
                at += word.len() + 1;
            }
        }
        self.at = end + 1;
        Ok(Read::Request(self.at))
    }
}

/// Words of a line, in quotes or not. Within `"` a backslash says which byte is meant; within `'` only itself.
fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line.trim_ascii_start();
    while let Some(first) = rest.first() {
        let mut word = Vec::new();
        let mut quote = matches!(first, b'"' | b'\'').then_some(*first);
        if quote.is_some() {
            rest = &rest[1..];
        }
        loop {
            match (quote, rest) {
                (Some(_), []) => return None,
                (None, []) => break,
                (Some(b'"'), [b'\\', b'x', a, b, ..]) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                    let digit =
                        |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                    word.push(digit(*a)? << 4 | digit(*b)?);
                    rest = &rest[4..];
                }
                (Some(b'"'), [b'\\', meant, ..]) => {
                    word.push(match meant {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'a' => 7,
                        other => *other,
                    });
                    rest = &rest[2..];
                }
                (Some(b'\''), [b'\\', b'\'', ..]) => {
                    word.push(b'\'');
                    rest = &rest[2..];
                }
                (Some(end), [byte, ..]) if *byte == end => {
                    rest = &rest[1..];
                    // Behind a closing quote comes a space, or nothing.
                    if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                        return None;
                    }
                    break;
                }
                (None, [byte, ..]) if byte.is_ascii_whitespace() || *byte == 0 => break,
                // A quote in the middle of a word begins a part in quotes, which ends the word.
                (None, [begin @ (b'"' | b'\''), ..]) => {
                    quote = Some(*begin);
                    rest = &rest[1..];
                }
                (_, [byte, ..]) => {
                    word.push(*byte);
                    rest = &rest[1..];
                }
            }
        }
        words.push(word);
        rest = rest.strip_prefix(b"\0").unwrap_or(rest).trim_ascii_start();
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All requests in some bytes, and what is wrong behind them.
    fn read_all(pieces: &[&[u8]]) -> (Vec<Vec<Vec<u8>>>, Option<Malformed>) {
        let (mut bytes, mut reader, mut requests) = (Vec::new(), Reader::default(), Vec::new());
        for piece in pieces {
            bytes.extend_from_slice(piece);
            loop {
                match reader.read(&bytes, 1 << 20) {
                    Ok(Read::More(_)) => break,
                    Ok(Read::Request(length)) => {
                        let source = reader.rewritten.as_deref().unwrap_or(&bytes);
                        requests.push(
                            reader.ranges().iter().map(|range| source[range.clone()].to_vec()).collect(),
                        );
                        bytes.drain(..length);
                        reader.next();
                    }
                    Err(malformed) => return (requests, Some(malformed)),
                }
            }
        }
        (requests, None)
    }

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn requests_are_strings_or_words() {
        let (requests, malformed) = read_all(&[
            b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nPING\r\n\r\nset a \"b \\x41\\n\" 'c d'\n*0\r\n*-1\r\n",
        ]);
        assert_eq!(malformed, None);
        let expected = [
            words(&["GET", "k"]),
            words(&["PING"]),
            words(&[]),
            words(&["set", "a", "b A\n", "c d"]),
            words(&[]),
            words(&[]),
        ];
        assert_eq!(requests, expected);
    }

    #[test]
    fn what_is_none_is_said_in_the_words_that_clients_know() {
        for (bytes, said) in [
            (&b"*x\r\n"[..], "Protocol error: invalid multibulk length"),
            (b"*2147483648\r\n", "Protocol error: invalid multibulk length"),
            (b"*1\r\nGET\r\n", "Protocol error: expected '$', got 'G'"),
            (b"*1\r\n$-1\r\n", "Protocol error: invalid bulk length"),
            (b"*1\r\n$99999999999\r\n", "Protocol error: invalid bulk length"),
            (b"get \"a\r\n", "Protocol error: unbalanced quotes in request"),
            (b"get \"a\"b\r\n", "Protocol error: unbalanced quotes in request"),
        ] {
            assert_eq!(read_all(&[bytes]).1.as_deref(), Some(said));
        }
        let long = [b'a'; LINE + 1];
        assert_eq!(read_all(&[&long]).1.as_deref(), Some("Protocol error: too big inline request"));
        let long = [b"*", &[b'1'; LINE + 1][..]].concat();
        assert_eq!(read_all(&[&long]).1.as_deref(), Some("Protocol error: too big mbulk count string"));
    }

    proptest! {
        #[test]
        fn how_bytes_are_cut_changes_nothing(
            requests in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..6), 0..8),
            cuts in prop::collection::vec(1..9_usize, 1..50),
        ) {
            let mut bytes = Vec::new();
            for request in &requests {
                bytes.extend_from_slice(format!("*{}\r\n", request.len()).as_bytes());
                for word in request {
                    bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
                    bytes.extend_from_slice(word);
                    bytes.extend_from_slice(b"\r\n");
                }
            }
            let (mut pieces, mut rest, mut cuts) = (Vec::new(), &bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let (piece, behind) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                pieces.push(piece);
                rest = behind;
            }
            prop_assert_eq!(read_all(&pieces), (requests, None));
        }

        #[test]
        fn arbitrary_bytes_are_read_or_refused(bytes in prop::collection::vec(prop_oneof![Just(b'*'), Just(b'$'), Just(b'\r'), Just(b'\n'), Just(b'1'), Just(b'"'), any::<u8>()], 0..300)) {
            read_all(&[&bytes]);
        }
    }
}
