//! A request, as far as a server of files looks at it.

use alloc::boxed::Box;

use crate::Path;

/// What is to be done (RFC 9110, section 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The file.
    Get,
    /// What would be said of the file, without it.
    Head,
    /// What can be done.
    Options,
    /// One that the RFC knows and a server of files does not allow.
    Other,
}

/// Of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
}

/// A request. Its body, if it had one, is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is to be done.
    pub method: Method,
    /// The protocol's version.
    pub version: Version,
    /// Where; `None`: with the whole server (`OPTIONS *`).
    pub path: Option<Path>,
    /// What stands behind the path's `?`, with it; empty if nothing does.
    pub query: Box<str>,
    /// Whether the client may send another one on this connection (RFC 9112, section 9.3).
    pub persists: bool,
    /// Only if the file has one of these tags.
    pub if_match: Option<Box<[u8]>>,
    /// Only if it has none of these.
    pub if_none_match: Option<Box<[u8]>>,
    /// Only if it has changed since.
    pub if_modified_since: Option<Box<[u8]>>,
    /// Only if it has not.
    pub if_unmodified_since: Option<Box<[u8]>>,
    /// A part of it only if it is still this one.
    pub if_range: Option<Box<[u8]>>,
    /// Which part of it; one that was given twice is none.
    pub range: Option<Box<[u8]>>,
}

impl Method {
    /// The method of this name, which is case-sensitive; `None` if nobody knows it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "OPTIONS" => Self::Options,
            "POST" | "PUT" | "DELETE" | "CONNECT" | "TRACE" | "PATCH" => Self::Other,
            _ => return None,
        })
    }

    /// Its name; of one that is not allowed, that.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Other => "(not allowed)",
        }
    }
}
