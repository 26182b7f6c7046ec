//! A request's head: its first line and its fields.

use alloc::boxed::Box;

use httparse::{Error, Header};

use crate::chunks::Body;
use crate::path::{Target, is_host};
use crate::{Limits, Method, Request, Status, Version};

/// The most fields: four times what browsers send.
const MOST_FIELDS: usize = 100;

/// What a head says.
#[derive(Debug)]
pub(crate) struct Head {
    pub request: Request,
    pub body: Body,
    /// The client waits to be told that it may send the body (RFC 9110, section 10.1.1).
    pub expects: bool,
}

/// Fields that mean something here, as they come.
#[derive(Default)]
struct Fields<'h> {
    host: Once<'h>,
    length: Once<'h>,
    range: Once<'h>,
    if_range: Once<'h>,
    if_modified_since: Once<'h>,
    if_unmodified_since: Once<'h>,
    if_match: Option<Box<[u8]>>,
    if_none_match: Option<Box<[u8]>>,
    closes: bool,
    keeps: bool,
    has_coding: bool,
    /// Chunked is the last of the codings.
    is_chunked: bool,
    /// There are others.
    is_coded: bool,
    expects: bool,
    expects_more: bool,
}

/// A field that has one value.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Once<'h> {
    #[default]
    Never,
    One(&'h [u8]),
    Several,
}

impl<'h> Once<'h> {
    fn add(&mut self, value: &'h [u8]) {
        *self = if *self == Self::Never { Self::One(value) } else { Self::Several };
    }

    /// The value, if it is the only one.
    fn only(self) -> Option<&'h [u8]> {
        if let Self::One(value) = self { Some(value) } else { None }
    }

    fn boxed(self) -> Option<Box<[u8]>> {
        self.only().map(Into::into)
    }
}

/// The elements of a list (RFC 9110, section 5.6.1).
fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

/// Puts a list behind what has come of it.
fn append(list: &mut Option<Box<[u8]>>, value: &[u8]) {
    *list = Some(match list.take() {
        None => value.into(),
        Some(before) => [&before, b", ".as_slice(), value].concat().into(),
    });
}

impl<'h> Fields<'h> {
    fn of(headers: &[Header<'h>]) -> Self {
        let mut fields = Self::default();
        for Header { name, value } in headers {
            fields.add(name, value.trim_ascii());
        }
        fields
    }

    fn add(&mut self, name: &str, value: &'h [u8]) {
        // Their lengths differ, or their first letters: most fields are compared with nothing.
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("host") {
            self.host.add(value);
        } else if is("content-length") {
            self.length.add(value);
        } else if is("transfer-encoding") {
            self.has_coding = true;
            for coding in elements(value) {
                self.is_coded |= self.is_chunked;
                self.is_chunked = coding.eq_ignore_ascii_case(b"chunked");
                self.is_coded |= !self.is_chunked;
            }
        } else if is("connection") {
            for option in elements(value) {
                self.closes |= option.eq_ignore_ascii_case(b"close");
                self.keeps |= option.eq_ignore_ascii_case(b"keep-alive");
            }
        } else if is("expect") {
            for expected in elements(value) {
                let is_continue = expected.eq_ignore_ascii_case(b"100-continue");
                self.expects |= is_continue;
                self.expects_more |= !is_continue;
            }
        } else if is("range") {
            self.range.add(value);
        } else if is("if-range") {
            self.if_range.add(value);
        } else if is("if-modified-since") {
            self.if_modified_since.add(value);
        } else if is("if-unmodified-since") {
            self.if_unmodified_since.add(value);
        } else if is("if-match") {
            append(&mut self.if_match, value);
        } else if is("if-none-match") {
            append(&mut self.if_none_match, value);
        }
    }

    /// How the body is told from what follows (RFC 9112, section 6.3). What two recipients could read as two things is refused.
    fn body(&self, version: Version, limits: &Limits) -> Result<Body, Status> {
        if self.has_coding {
            // With a length as well, or of a client that does not know codings, it may be an attempt to smuggle a request past somebody.
            if self.length != Once::Never || version == Version::Http10 {
                return Err(Status::BadRequest);
            }
            return match (self.is_chunked, self.is_coded) {
                (true, false) => Ok(Body::CHUNKED),
                (true, true) => Err(Status::NotImplemented),
                (false, _) => Err(Status::BadRequest),
            };
        }
        let digits = match self.length {
            Once::Never => return Ok(Body::NONE),
            Once::One(digits) => digits,
            Once::Several => return Err(Status::BadRequest),
        };
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(Status::BadRequest);
        }
        // More than a number can say is more than anything allows.
        let length =
            core::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()).unwrap_or(u64::MAX);
        if length > limits.body_bytes { Err(Status::ContentTooLarge) } else { Ok(Body::of(length)) }
    }

    /// Whom it is for has to be said once, by HTTP/1.1 (RFC 9112, section 3.2).
    fn check_host(&self, version: Version) -> Result<(), Status> {
        let is_well = match self.host {
            Once::Never => version == Version::Http10,
            Once::One(host) => core::str::from_utf8(host).is_ok_and(is_host),
            Once::Several => false,
        };
        if is_well { Ok(()) } else { Err(Status::BadRequest) }
    }
}

/// What a head of these bytes says, blank line included.
///
/// # Errors
///
/// The status to refuse it with. The connection ends then: what follows cannot be told apart with certainty.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Head, Status> {
    let mut room = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut room);
    match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        // All of it is there.
        Ok(httparse::Status::Partial) => return Err(Status::BadRequest),
        Err(Error::TooManyHeaders) => return Err(Status::FieldsTooLarge),
        Err(Error::Version) if names_a_version(bytes) => return Err(Status::VersionNotSupported),
        Err(_) => return Err(Status::BadRequest),
    }
    let version = if parsed.version == Some(0) { Version::Http10 } else { Version::Http11 };
    let fields = Fields::of(parsed.headers);
    fields.check_host(version)?;
    let body = fields.body(version, limits)?;
    let method = Method::of(parsed.method.unwrap_or_default()).ok_or(Status::NotImplemented)?;
    let target = match parsed.path.unwrap_or_default() {
        // CONNECT has an authority as its target, and is not done.
        _ if parsed.method == Some("CONNECT") => Target { path: None, query: "", authority: None },
        text => Target::of(text)?,
    };
    if target.path.is_none() && matches!(method, Method::Get | Method::Head) {
        return Err(Status::BadRequest);
    }
    if version == Version::Http11 && fields.expects_more {
        return Err(Status::ExpectationFailed);
    }
    let persists = !fields.closes && (version == Version::Http11 || fields.keeps);
    let request = Request {
        method,
        version,
        path: target.path,
        query: target.query.into(),
        persists,
        if_range: fields.if_range.boxed(),
        if_modified_since: fields.if_modified_since.boxed(),
        if_unmodified_since: fields.if_unmodified_since.boxed(),
        range: fields.range.boxed(),
        if_match: fields.if_match,
        if_none_match: fields.if_none_match,
    };
    // A client of HTTP/1.0 waits for nothing (RFC 9110, section 10.1.1).
    Ok(Head { request, body, expects: fields.expects && version == Version::Http11 && !body.is_over() })
}

/// Whether the first line ends with a version of HTTP, though with one that nobody has heard of.
fn names_a_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let version = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    matches!(version, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit())
}
