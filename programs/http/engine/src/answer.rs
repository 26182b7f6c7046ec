//! Answers: heads, and what of a file follows.

use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;

use crate::date::Moment;
use crate::media::{HTML, TEXT};
use crate::precondition::{Validators, Verdict};
use crate::range::{Ranges, Span};
use crate::tag::Tag;
use crate::{Entry, Method, Path, Request, Status, Version, listing};

/// What can be done with what is here.
const ALLOWED: &[u8] = b"Allow: GET, HEAD, OPTIONS\r\n";
/// A usual head, with some room.
const USUAL_HEAD_BYTES: usize = 320;
/// Bytes of a date.
const DATE_BYTES: usize = 29;

/// What is known of a file.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// Bytes.
    pub size: u64,
    /// When its contents were changed: nanoseconds since 1970. Anybody who may write it can set that.
    pub modified_ns: u64,
    /// When anything about it was changed: nanoseconds since 1970.
    pub changed_ns: u64,
    /// Its media type.
    pub media: &'f str,
}

/// A piece of what follows a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Of the file.
    File(Span),
}

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: Status,
    /// The head, and all that follows if no file does.
    pub head: Vec<u8>,
    /// What follows.
    pub parts: Vec<Part>,
    /// Whether the connection ends behind it.
    pub closes: bool,
}

/// Makes answers.
#[derive(Debug)]
pub struct Server {
    /// Stands between parts of an answer: so random that it is in no file.
    boundary: [u8; 32],
    /// The last dates that were written: of now, and of a file.
    dates: Cell<[Date; 2]>,
}

/// A moment, and how it is written.
type Date = (Moment, [u8; DATE_BYTES]);

/// What an answer says of the connection.
#[derive(Clone, Copy)]
struct Way {
    has_content: bool,
    version: Version,
    persists: bool,
}

impl Way {
    /// To a client of whose request nothing is known: the connection ends.
    const UNKNOWN: Self = Self { has_content: true, version: Version::Http11, persists: false };

    fn of(request: &Request) -> Self {
        Self {
            has_content: request.method != Method::Head,
            version: request.version,
            persists: request.persists,
        }
    }
}

impl Server {
    /// With sixteen random bytes.
    #[must_use]
    pub fn new(random: [u8; 16]) -> Self {
        let mut boundary = [0; 32];
        for (pair, byte) in boundary.chunks_exact_mut(2).zip(random) {
            // Letters, sixteen of them.
            pair.copy_from_slice(&[b'a' + (byte >> 4), b'a' + (byte & 15)]);
        }
        Self { boundary, dates: Cell::new([(Moment(0), *b"Thu, 01 Jan 1970 00:00:00 GMT"); 2]) }
    }

    /// What is said when there is no request that could be answered: it was refused, or did not come in time. The connection ends.
    #[must_use]
    pub fn refuse(&self, status: Status, now: Moment) -> Answer {
        self.text(status, Way::UNKNOWN, &[], now)
    }

    /// What is said instead of a file. The connection goes on.
    #[must_use]
    pub fn without_file(&self, request: &Request, status: Status, now: Moment) -> Answer {
        self.text(status, Way::of(request), &[], now)
    }

    /// What can be done, whatever with (RFC 9110, section 9.3.7).
    #[must_use]
    pub fn options(&self, request: &Request, now: Moment) -> Answer {
        let mut head = self.begin(Status::Ok, Way::of(request), now);
        head.extend(ALLOWED);
        head.extend(b"Accept-Ranges: bytes\r\nContent-Length: 0\r\n\r\n");
        Answer { status: Status::Ok, head, parts: Vec::new(), closes: !request.persists }
    }

    /// The path is one of a directory, and relative links in its page count from there: with a `/` behind it.
    #[must_use]
    pub fn redirect(&self, request: &Request, path: &Path, now: Moment) -> Answer {
        let mut field = b"Location: ".to_vec();
        field.extend(path.as_directory_target());
        field.extend(request.query.as_bytes());
        field.extend(b"\r\n");
        self.text(Status::MovedPermanently, Way::of(request), &field, now)
    }

    /// What is in a directory.
    #[must_use]
    pub fn listing(
        &self,
        request: &Request,
        path: &Path,
        entries: &[Entry],
        is_all: bool,
        now: Moment,
    ) -> Answer {
        let content = listing::page(path, entries, is_all);
        self.generated(Status::Ok, Way::of(request), HTML, &[], &content, now)
    }

    /// Metrics: of the moment, so nobody may keep them.
    #[must_use]
    pub fn metrics(&self, request: &Request, json: &[u8], now: Moment) -> Answer {
        let field = b"Cache-Control: no-store\r\n";
        self.generated(Status::Ok, Way::of(request), "application/json", field, json, now)
    }

    /// A file, a part of it or several, or why not.
    #[must_use]
    pub fn file(&self, request: &Request, facts: &Facts<'_>, now: Moment) -> Answer {
        // Nobody changed it in the future (RFC 9110, section 8.8.2.1).
        let modified = Moment(facts.modified_ns / 1_000_000_000).min(now);
        let tag = Tag::new(facts.changed_ns, facts.size, now);
        let validators = Validators { tag, modified, now };
        let way = Way::of(request);
        let with = |status: Status| {
            let mut head = self.begin(status, way, now);
            // Of a file that may change within its second nothing is said that a client could keep it by.
            if tag.is_settled() {
                head.extend(b"ETag: ");
                tag.write(&mut head);
                head.extend(b"\r\nLast-Modified: ");
                head.extend(self.date(modified));
                head.extend(b"\r\n");
            }
            head.extend(b"Accept-Ranges: bytes\r\n");
            Answer { status, head, parts: Vec::new(), closes: !way.persists }
        };
        match validators.judge(request) {
            Verdict::Failed => return self.text(Status::PreconditionFailed, way, &[], now),
            Verdict::NotModified => {
                let mut answer = with(Status::NotModified);
                answer.head.extend(b"\r\n");
                return answer;
            }
            Verdict::Holds => {}
        }
        match ranges(request, &validators, facts.size) {
            Ranges::Whole => {
                let mut answer = with(Status::Ok);
                finish(&mut answer.head, facts.media, facts.size);
                if way.has_content && facts.size > 0 {
                    answer.parts = vec![Part::File(Span { offset: 0, length: facts.size })];
                }
                answer
            }
            Ranges::Unsatisfiable => {
                let mut field = b"Content-Range: bytes */".to_vec();
                write_number(facts.size, &mut field);
                field.extend(b"\r\n");
                self.text(Status::RangeNotSatisfiable, way, &field, now)
            }
            Ranges::Parts(parts) => {
                let mut answer = with(Status::PartialContent);
                if let [part] = parts[..] {
                    write_range(part, facts.size, &mut answer.head);
                    finish(&mut answer.head, facts.media, part.length);
                    answer.parts = vec![Part::File(part)];
                } else {
                    answer.parts = self.multipart(&parts, facts);
                    let length = answer.parts.iter().map(Part::length).sum();
                    let mut media = b"multipart/byteranges; boundary=".to_vec();
                    media.extend(self.boundary);
                    finish(&mut answer.head, core::str::from_utf8(&media).unwrap_or_default(), length);
                }
                answer
            }
        }
    }

    /// Several parts in one content (RFC 9110, section 14.6).
    fn multipart(&self, spans: &[Span], facts: &Facts<'_>) -> Vec<Part> {
        let mut parts = Vec::with_capacity(2 * spans.len() + 1);
        for span in spans {
            let mut before = b"\r\n--".to_vec();
            before.extend(self.boundary);
            before.extend(b"\r\nContent-Type: ");
            before.extend(facts.media.as_bytes());
            before.extend(b"\r\n");
            write_range(*span, facts.size, &mut before);
            before.extend(b"\r\n");
            parts.extend([Part::Bytes(before), Part::File(*span)]);
        }
        let end = [b"\r\n--".as_slice(), &self.boundary, b"--\r\n"].concat();
        parts.push(Part::Bytes(end));
        parts
    }

    /// A head's first line, and the fields that all have.
    fn begin(&self, status: Status, way: Way, now: Moment) -> Vec<u8> {
        let mut head = Vec::with_capacity(USUAL_HEAD_BYTES);
        head.extend(status.line().as_bytes());
        head.extend(b"Date: ");
        head.extend(self.date(now));
        head.extend(b"\r\n");
        // What each version takes for granted needs not be said (RFC 9112, section 9.3).
        match (way.persists, way.version) {
            (false, _) => head.extend(b"Connection: close\r\n"),
            (true, Version::Http10) => head.extend(b"Connection: keep-alive\r\n"),
            (true, Version::Http11) => {}
        }
        head
    }

    /// An answer whose content says what its status means.
    fn text(&self, status: Status, way: Way, fields: &[u8], now: Moment) -> Answer {
        let mut content = Vec::new();
        write_number(status.code().into(), &mut content);
        content.push(b' ');
        content.extend(status.reason().as_bytes());
        content.push(b'\n');
        self.generated(status, way, TEXT, fields, &content, now)
    }

    fn generated(
        &self,
        status: Status,
        way: Way,
        media: &str,
        fields: &[u8],
        content: &[u8],
        now: Moment,
    ) -> Answer {
        let mut head = self.begin(status, way, now);
        if status == Status::MethodNotAllowed {
            head.extend(ALLOWED);
        }
        head.extend(fields);
        finish(&mut head, media, content.len() as u64);
        if way.has_content {
            head.extend(content);
        }
        Answer { status, head, parts: Vec::new(), closes: !way.persists }
    }

    fn date(&self, moment: Moment) -> [u8; DATE_BYTES] {
        let dates = self.dates.get();
        if let Some((_, text)) = dates.iter().find(|(known, _)| *known == moment) {
            return *text;
        }
        let mut bytes = Vec::with_capacity(DATE_BYTES);
        moment.write(&mut bytes);
        let text = bytes.try_into().unwrap_or([b' '; DATE_BYTES]);
        let [last, _] = dates;
        self.dates.set([(moment, text), last]);
        text
    }
}

impl Part {
    fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(span) => span.length,
        }
    }
}

/// Which parts are asked for. Of `HEAD`, none (RFC 9110, section 14.2).
fn ranges(request: &Request, validators: &Validators, size: u64) -> Ranges {
    match (&request.range, request.method) {
        (Some(range), Method::Get)
            if request.if_range.as_deref().is_none_or(|said| validators.is_same(said)) =>
        {
            Ranges::of(range, size)
        }
        _ => Ranges::Whole,
    }
}

/// The last fields, and the blank line.
fn finish(head: &mut Vec<u8>, media: &str, length: u64) {
    head.extend(b"Content-Type: ");
    head.extend(media.as_bytes());
    head.extend(b"\r\nContent-Length: ");
    write_number(length, head);
    head.extend(b"\r\n\r\n");
}

fn write_range(span: Span, size: u64, into: &mut Vec<u8>) {
    into.extend(b"Content-Range: bytes ");
    write_number(span.offset, into);
    into.push(b'-');
    write_number(span.last(), into);
    into.push(b'/');
    write_number(size, into);
    into.extend(b"\r\n");
}

fn write_number(number: u64, into: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut left, mut count) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(left % 10).unwrap_or_default();
        (left, count) = (left / 10, count + 1);
        if left == 0 {
            break;
        }
    }
    into.extend(digits.iter().skip(20 - count));
}
