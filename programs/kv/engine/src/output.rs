//! Answers: RESP version 2 and 3, written into pieces that are sent as they are.

use alloc::collections::VecDeque;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::Bytes;
use crate::number::{Digits, score};

/// A piece is closed when it has so many bytes, so that none ever has to be moved because it grows.
const PIECE: usize = 16 << 10;
/// Values from this size on are not copied into answers: answers hold them.
pub const SHARED: usize = 16 << 10;

/// Which version of the protocol a client has asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Version {
    /// What every client begins with.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Bytes of its own.
    Own(Vec<u8>),
    /// A value that a key had.
    Value(Bytes),
    /// The same, of one that was changed in place.
    Grown(Arc<Vec<u8>>),
}

impl Piece {
    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Value(bytes) => bytes,
            Self::Grown(bytes) => bytes,
        }
    }
}

/// What a client is to be sent.
#[derive(Debug, Default)]
pub struct Output {
    done: VecDeque<Piece>,
    last: Vec<u8>,
    /// Of `done`.
    bytes: usize,
    /// Of the client.
    pub version: Version,
}

impl Output {
    /// Nothing yet.
    pub fn new(version: Version) -> Self {
        Self { version, ..Self::default() }
    }

    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes + self.last.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the next piece.
    pub fn take(&mut self) -> Option<Piece> {
        if let Some(piece) = self.done.pop_front() {
            self.bytes -= piece.bytes().len();
            return Some(piece);
        }
        (!self.last.is_empty()).then(|| Piece::Own(core::mem::take(&mut self.last)))
    }

    /// The bytes, if they are in one piece: sent without taking them, and then [`clear`](Self::clear)ed.
    pub fn whole(&self) -> Option<&[u8]> {
        self.done.is_empty().then_some(&self.last)
    }

    /// Forgets all of it, and keeps its room.
    pub fn clear(&mut self) {
        self.done.clear();
        self.bytes = 0;
        self.last.clear();
    }

    /// Adds another one's pieces.
    pub fn append(&mut self, mut other: Self) {
        if other.done.is_empty() && self.last.len() + other.last.len() <= PIECE {
            return self.last.extend_from_slice(&other.last);
        }
        self.close();
        self.bytes += other.bytes;
        self.done.append(&mut other.done);
        self.last = other.last;
    }

    fn close(&mut self) {
        if !self.last.is_empty() {
            self.bytes += self.last.len();
            self.done.push_back(Piece::Own(core::mem::take(&mut self.last)));
        }
    }

    /// Bytes as they are.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        if self.last.len() + bytes.len() > PIECE && self.last.len() >= PIECE / 2 {
            self.close();
        }
        self.last.extend_from_slice(bytes);
    }

    fn head(&mut self, kind: u8, number: i64) {
        // Most of them are small, and known at once.
        if let Ok(digit @ 0..=9) = u8::try_from(number) {
            return self.raw(&[kind, b'0' + digit, b'\r', b'\n']);
        }
        self.raw(&[kind]);
        self.raw(Digits::of(number).text());
        self.raw(b"\r\n");
    }

    fn counted(&mut self, kind: u8, count: usize) {
        self.head(kind, i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// `+OK` and the like.
    pub fn simple(&mut self, text: &str) {
        self.raw(b"+");
        self.raw(text.as_bytes());
        self.raw(b"\r\n");
    }

    /// `+OK`.
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// An error. Its text is one line.
    pub fn error(&mut self, text: &str) {
        self.raw(b"-");
        for byte in text.bytes() {
            self.raw(&[if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }]);
        }
        self.raw(b"\r\n");
    }

    /// A whole number.
    pub fn integer(&mut self, number: i64) {
        self.head(b':', number);
    }

    /// How many there are.
    pub fn count(&mut self, count: usize) {
        self.counted(b':', count);
    }

    /// 1 or 0.
    pub fn yes(&mut self, is_so: bool) {
        self.integer(is_so.into());
    }

    /// A string.
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.counted(b'$', bytes.len());
        self.raw(bytes);
        self.raw(b"\r\n");
    }

    /// A string that is a value: not copied if it is long.
    pub fn value(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED {
            return self.bulk(bytes);
        }
        self.shared(bytes.len(), Piece::Value(bytes.clone()));
    }

    /// The same for one that was changed in place.
    pub fn grown(&mut self, bytes: &Arc<Vec<u8>>) {
        if bytes.len() < SHARED {
            return self.bulk(bytes);
        }
        self.shared(bytes.len(), Piece::Grown(bytes.clone()));
    }

    fn shared(&mut self, length: usize, piece: Piece) {
        self.counted(b'$', length);
        self.close();
        self.bytes += length;
        self.done.push_back(piece);
        self.raw(b"\r\n");
    }

    /// A string that is a number.
    pub fn bulk_integer(&mut self, number: i64) {
        self.bulk(Digits::of(number).text());
    }

    /// Text of several lines, for people.
    pub fn verbatim(&mut self, text: &str) {
        match self.version {
            Version::Resp2 => self.bulk(text.as_bytes()),
            Version::Resp3 => {
                self.counted(b'=', text.len() + 4);
                self.raw(b"txt:");
                self.raw(text.as_bytes());
                self.raw(b"\r\n");
            }
        }
    }

    /// A number with a fraction.
    pub fn double(&mut self, number: f64) {
        let text = score(number);
        match self.version {
            Version::Resp2 => self.bulk(text.as_bytes()),
            Version::Resp3 => {
                self.raw(b",");
                self.raw(text.as_bytes());
                self.raw(b"\r\n");
            }
        }
    }

    /// Nothing.
    pub fn null(&mut self) {
        match self.version {
            Version::Resp2 => self.raw(b"$-1\r\n"),
            Version::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// Nothing, where there could be an array.
    pub fn null_array(&mut self) {
        match self.version {
            Version::Resp2 => self.raw(b"*-1\r\n"),
            Version::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// So many answers follow.
    pub fn array(&mut self, count: usize) {
        self.counted(b'*', count);
    }

    /// So many pairs of answers follow.
    pub fn map(&mut self, pairs: usize) {
        match self.version {
            Version::Resp2 => self.counted(b'*', pairs * 2),
            Version::Resp3 => self.counted(b'%', pairs),
        }
    }

    /// So many answers follow, in no order.
    pub fn set(&mut self, count: usize) {
        match self.version {
            Version::Resp2 => self.counted(b'*', count),
            Version::Resp3 => self.counted(b'~', count),
        }
    }
}
