//! What a client sends, in pieces of any size, and the requests in it.

use alloc::vec::Vec;

use crate::chunks::{Body, Drained};
use crate::head::{self, Head};
use crate::{Limits, Method, Request, Status};

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Read: there is no whole request.
    More,
    /// Say that the client may send its body ([`Input::CONTINUE`]).
    Continue,
    /// Answer this.
    Request(Request),
    /// Answer with this status, and end the connection: nothing more is taken from it.
    Refuse(Status),
}

/// The input of a connection. What it says depends on what has come, and not on the pieces that it came in.
#[derive(Debug)]
pub struct Input {
    limits: Limits,
    buffer: Vec<u8>,
    /// How much of the buffer is done with.
    taken: usize,
    /// How much of what is left was looked at for the end of the head: in whole lines, the first of which began behind blank ones.
    scan: Scan,
    /// A head whose body is not over.
    pending: Option<Head>,
    is_over: bool,
}

/// How far the end of a head was looked for, from the bytes that are taken.
#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    /// Bytes that have no line's end that was not seen.
    seen: usize,
    /// Where the line began that is looked at.
    line: usize,
    /// Where the first line began that is not blank; the head begins there.
    head: usize,
    /// Lines that were not blank.
    lines: usize,
}

impl Input {
    /// What [`Step::Continue`] says (RFC 9110, section 15.2.1).
    pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

    /// Nothing has come.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        let scan = Scan { seen: 0, line: 0, head: 0, lines: 0 };
        Self { limits, buffer: Vec::new(), taken: 0, scan, pending: None, is_over: false }
    }

    /// Bytes have come. To be called when [`next`](Self::next) says [`Step::More`]: then there is no more of them in memory than one head and one piece.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.is_over {
            return;
        }
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// Whether nothing has come of a request that was not given: the client may end, or wait as long as it is let.
    #[must_use]
    pub fn is_between_requests(&self) -> bool {
        self.pending.is_none() && self.taken == self.buffer.len()
    }

    /// Bytes of memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    /// What is to be done next.
    #[expect(clippy::should_implement_trait, reason = "no iterator: it ends when more is received, too")]
    pub fn next(&mut self) -> Step {
        if self.is_over {
            return Step::More;
        }
        let step = self.step().unwrap_or_else(Step::Refuse);
        if let Step::Refuse(_) = step {
            (self.is_over, self.buffer, self.taken) = (true, Vec::new(), 0);
        } else if matches!(step, Step::More) && self.taken == self.buffer.len() {
            // Connections that wait have no memory.
            (self.buffer, self.taken) = (Vec::new(), 0);
        }
        step
    }

    fn step(&mut self) -> Result<Step, Status> {
        if self.pending.is_none() {
            let Some(length) = self.head()? else { return Ok(Step::More) };
            let head = self.rest().get(self.scan.head..length).unwrap_or_default();
            let head = head::parse(head, &self.limits)?;
            self.taken += length;
            self.scan = Scan::default();
            if head.expects {
                // Who is told no needs not send what it has. Whether it does so is not known, so nothing can be read behind it.
                if head.request.method == Method::Other {
                    return Err(Status::MethodNotAllowed);
                }
                self.pending = Some(head);
                return Ok(Step::Continue);
            }
            self.pending = Some(head);
        }
        self.drain()
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// The length of the head that comes next, with the blank lines before it, if all of it is there.
    fn head(&mut self) -> Result<Option<usize>, Status> {
        let Limits { line_bytes, head_bytes, .. } = self.limits;
        let mut scan = self.scan;
        let rest = self.rest();
        let found = loop {
            let is_first = scan.lines == 0;
            // The first line is told to be too long before the head is.
            let most = if is_first { head_bytes.min(scan.line + line_bytes) } else { head_bytes };
            let too_long =
                if is_first && most < head_bytes { Status::TargetTooLong } else { Status::FieldsTooLarge };
            let unseen = rest.get(scan.seen..).unwrap_or_default();
            let Some(end) = unseen.iter().take(most - scan.seen.min(most)).position(|byte| *byte == b'\n')
            else {
                if rest.len() >= most {
                    return Err(too_long);
                }
                scan.seen = rest.len();
                break None;
            };
            let end = scan.seen + end;
            let line = rest.get(scan.line..end).unwrap_or_default().strip_suffix(b"\r");
            let line = line.ok_or(Status::BadRequest)?;
            (scan.seen, scan.line) = (end + 1, end + 1);
            match (line.is_empty(), is_first) {
                // RFC 9112, section 2.2: blank lines before a request are no harm.
                (true, true) => scan.head = end + 1,
                (true, false) => break Some(end + 1),
                (false, _) => scan.lines += 1,
            }
        };
        self.scan = scan;
        Ok(found)
    }

    /// Lets the body go; the request, when it is gone.
    fn drain(&mut self) -> Result<Step, Status> {
        let Some(head) = &mut self.pending else { return Ok(Step::More) };
        if head.body != Body::NONE && !head.body.is_over() {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            match head.body.drain(rest, &self.limits)? {
                Drained::More(count) => {
                    self.taken += count;
                    return Ok(Step::More);
                }
                Drained::All(count) => self.taken += count,
            }
        }
        Ok(self.pending.take().map_or(Step::More, |head| Step::Request(head.request)))
    }
}
