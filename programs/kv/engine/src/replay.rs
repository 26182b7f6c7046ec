//! A log that is read back, piece by piece.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::engine::Engine;
use crate::log::{has_batch_within, is_sum_of};
use crate::request::{Read, Reader};
use crate::session::Client;

/// Reads a log into an engine.
#[derive(Default)]
pub struct Replay {
    bytes: Vec<u8>,
    /// Where `bytes` begin in the log.
    offset: u64,
    /// How far the batch was looked through.
    looked: usize,
    reader: Reader,
    /// The batch is not as it was written.
    is_broken: bool,
    client: Client,
    requests: u64,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Requests that were done again.
    pub requests: u64,
    /// Where the log is to go on: what stands behind that was torn off while it was written, and was never acknowledged.
    pub valid: u64,
    /// Bytes behind it.
    pub torn: u64,
}

/// The log was damaged: what stands here is nothing that was written, and more that was stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// Where the batch begins.
    pub offset: u64,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, what } = self;
        write!(
            formatter,
            "the log is damaged in what begins at byte {offset} ({what}), and more stands behind that: restore it from a copy, or cut it there and lose what follows"
        )
    }
}

impl core::error::Error for Corrupt {}

impl Replay {
    /// The next bytes of the log.
    ///
    /// # Errors
    ///
    /// [`Corrupt`].
    pub fn feed(&mut self, engine: &mut Engine, bytes: &[u8]) -> Result<(), Corrupt> {
        engine.store.is_loading = true;
        self.bytes.extend_from_slice(bytes);
        while !self.is_broken {
            let rest = self.bytes.get(self.looked..).unwrap_or_default();
            if rest.first() == Some(&b'#') {
                let Some(end) = rest.iter().position(|byte| *byte == b'\n') else { break };
                let line = &rest[..end];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let behind = self.looked + end + 1;
                match is_sum_of(line, &self.bytes[..self.looked]) {
                    // A note of redis'.
                    None => self.looked = behind,
                    Some(true) => {
                        self.apply(engine, self.looked)?;
                        self.drop_front(behind);
                    }
                    Some(false) => self.is_broken = true,
                }
                continue;
            }
            match self.reader.read(rest, usize::MAX / 2) {
                Ok(Read::More(_)) => break,
                Ok(Read::Request(length)) if rest.first() == Some(&b'*') => {
                    self.looked += length;
                    self.reader.next();
                }
                Ok(Read::Request(_)) | Err(_) => self.is_broken = true,
            }
        }
        Ok(())
    }

    fn drop_front(&mut self, count: usize) {
        self.bytes.drain(..count);
        self.offset += count as u64;
        self.looked = 0;
        self.reader.next();
    }

    fn corrupt(&self, at: usize, what: impl Into<String>) -> Corrupt {
        Corrupt { offset: self.offset + at as u64, what: what.into() }
    }

    /// Does the requests in the first bytes again, all of which are whole.
    fn apply(&mut self, engine: &mut Engine, length: usize) -> Result<(), Corrupt> {
        let (mut reader, mut at) = (Reader::default(), 0);
        while at < length {
            let bytes = &self.bytes[at..length];
            if bytes.first() == Some(&b'#') {
                at += bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
                continue;
            }
            let Ok(Read::Request(size)) = reader.read(bytes, usize::MAX / 2) else {
                return Err(self.corrupt(at, "no request"));
            };
            let words: Vec<&[u8]> = reader.ranges().iter().map(|range| &bytes[range.clone()]).collect();
            if let Err(what) = engine.replay(&mut self.client, &words) {
                return Err(self.corrupt(at, format!("a request that cannot be done: {what}")));
            }
            self.requests += 1;
            reader.next();
            at += size;
        }
        Ok(())
    }

    /// The log ends here.
    ///
    /// # Errors
    ///
    /// [`Corrupt`].
    pub fn finish(mut self, engine: &mut Engine) -> Result<Ended, Corrupt> {
        let total = self.offset + self.bytes.len() as u64;
        if self.is_broken {
            if has_batch_within(&self.bytes) {
                return Err(self.corrupt(0, "its checksum is another one"));
            }
        } else if self.offset == 0 {
            // A log of redis', which has no checksums: requests that are whole count, but for those of a transaction that is not.
            let whole = self.whole();
            self.apply(engine, whole)?;
            self.drop_front(whole);
        }
        engine.store.is_loading = false;
        Ok(Ended { requests: self.requests, valid: self.offset, torn: total - self.offset })
    }

    /// How many bytes are requests that are whole, and no part of a transaction that is not.
    fn whole(&self) -> usize {
        let (mut reader, mut at, mut begun) = (Reader::default(), 0, None);
        while at < self.looked {
            let bytes = &self.bytes[at..self.looked];
            if bytes.first() == Some(&b'#') {
                at += bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| end + 1);
                continue;
            }
            let Ok(Read::Request(size)) = reader.read(bytes, usize::MAX / 2) else { break };
            if let [only] = reader.ranges() {
                match &bytes[only.clone()] {
                    name if name.eq_ignore_ascii_case(b"multi") => begun = Some(at),
                    name if name.eq_ignore_ascii_case(b"exec") => begun = None,
                    _ => {}
                }
            }
            reader.next();
            at += size;
        }
        begun.unwrap_or(at)
    }
}
