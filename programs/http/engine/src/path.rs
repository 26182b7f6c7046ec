//! Targets of requests (RFC 9112, section 3.2), and the paths in them: normalised, so that they lead to nothing above the directory.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::Status;

/// A path below the directory that is served: names with `/` between them, none of them empty, `.` or `..`, without a zero byte. Bytes, as file names are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    bytes: Box<[u8]>,
    is_directory: bool,
}

/// What a target says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'t> {
    /// `None`: `*`.
    pub path: Option<Path>,
    /// With the `?`.
    pub query: &'t str,
    /// Of an absolute target, which then stands for the field `Host`.
    pub authority: Option<&'t str>,
}

impl Path {
    /// The names, with `/` between them; empty: the directory itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether the client has written a `/` at its end.
    #[must_use]
    pub const fn is_directory(&self) -> bool {
        self.is_directory
    }

    /// Whether one of its names begins with a dot, but for `.well-known` at the front (RFC 8615): files that their owner hides.
    #[must_use]
    pub fn is_hidden(&self) -> bool {
        let mut names = self.bytes.split(|byte| *byte == b'/').enumerate();
        names.any(|(number, name)| name.starts_with(b".") && (number > 0 || name != b".well-known"))
    }

    /// The last name.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.bytes.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// A name below it.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        let separator: &[u8] = if self.bytes.is_empty() { b"" } else { b"/" };
        Self { bytes: [&self.bytes, separator, name].concat().into(), is_directory: false }
    }

    /// As it stands in a target, with a `/` at both ends; what could mean anything else there is percent-encoded.
    #[must_use]
    pub fn as_directory_target(&self) -> Vec<u8> {
        let mut target = b"/".to_vec();
        encode(&self.bytes, &mut target);
        if !self.bytes.is_empty() {
            target.push(b'/');
        }
        target
    }

    /// The path of a target that begins with `/`. Names are decoded once, and `.` and `..` are then what they are on any system (RFC 3986,
    /// section 5.2.4): above the first directory there is nothing, so `..` stays there.
    ///
    /// # Errors
    ///
    /// 400: a `%` without two hexadecimal digits, a zero byte. 404: a name with a `/` in it, which no file has.
    pub(crate) fn of(text: &str) -> Result<Self, Status> {
        let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
        let mut is_directory = true;
        for name in text.as_bytes().split(|byte| *byte == b'/') {
            let start = bytes.len();
            if start > 0 {
                bytes.push(b'/');
            }
            let begin = bytes.len();
            decode(name, &mut bytes)?;
            let decoded = bytes.get(begin..).unwrap_or_default();
            is_directory = matches!(decoded, b"" | b"." | b"..");
            match decoded {
                b"" | b"." => bytes.truncate(start),
                b".." => {
                    let before = bytes.get(..start).unwrap_or_default();
                    bytes.truncate(before.iter().rposition(|byte| *byte == b'/').unwrap_or(0));
                }
                name if name.contains(&b'/') => return Err(Status::NotFound),
                _ => {}
            }
        }
        Ok(Self { bytes: bytes.into(), is_directory })
    }
}

impl<'t> Target<'t> {
    /// What this target says.
    ///
    /// # Errors
    ///
    /// As [`Path::of`]; 400 if it is none of the four forms.
    pub fn of(text: &'t str) -> Result<Self, Status> {
        // A fragment is the client's own, and what is not ASCII is to be encoded (RFC 3986, section 3.5, section 2).
        if !text.is_ascii() || text.contains('#') {
            return Err(Status::BadRequest);
        }
        if text == "*" {
            return Ok(Self { path: None, query: "", authority: None });
        }
        if text.starts_with('/') {
            return Self::with(text, None);
        }
        let (scheme, rest) = text.split_once("://").ok_or(Status::BadRequest)?;
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return Err(Status::BadRequest);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).ok_or(Status::BadRequest)?;
        // Who a request goes to has no password in it (RFC 9110, section 4.2.4).
        if authority.is_empty() || !is_host(authority) {
            return Err(Status::BadRequest);
        }
        Self::with(rest, Some(authority))
    }

    fn with(text: &'t str, authority: Option<&'t str>) -> Result<Self, Status> {
        let (path, query) = text.split_at_checked(text.find('?').unwrap_or(text.len())).unwrap_or((text, ""));
        Ok(Self { path: Some(Path::of(path)?), query, authority })
    }
}

/// Whether this may be a host and a port (RFC 3986, section 3.2.2); nothing, too (RFC 9112, section 3.2).
pub(crate) fn is_host(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte))
}

/// Appends a name, with what is percent-encoded in it decoded, once.
fn decode(name: &[u8], into: &mut Vec<u8>) -> Result<(), Status> {
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        let byte = if *first == b'%' {
            let digits = after.get(..2).ok_or(Status::BadRequest)?;
            rest = after.get(2..).unwrap_or_default();
            let [high, low] =
                [digits.first(), digits.get(1)].map(|digit| digit.and_then(|digit| hexadecimal(*digit)));
            high.zip(low).map(|(high, low)| high << 4 | low).ok_or(Status::BadRequest)?
        } else {
            rest = after;
            *first
        };
        if byte == 0 {
            return Err(Status::BadRequest);
        }
        into.push(byte);
    }
    Ok(())
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// Appends names so that they are the same in a target: what is not unreserved (RFC 3986, section 2.3) or `/` is encoded.
pub(crate) fn encode(names: &[u8], into: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    for byte in names {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(byte) {
            into.push(*byte);
        } else {
            let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
            into.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Result<(&'static str, bool), Status> {
        Path::of(text).map(|path| {
            let bytes = std::string::String::from_utf8(path.bytes().to_vec()).expect("a text");
            (&*bytes.leak(), path.is_directory())
        })
    }

    #[test]
    fn paths_are_normalised_and_stay_below_the_directory() {
        for (text, expected) in [
            ("/", Ok(("", true))),
            ("", Ok(("", true))),
            ("/a", Ok(("a", false))),
            ("/a/", Ok(("a", true))),
            ("//a///b//", Ok(("a/b", true))),
            ("/a/./b/.", Ok(("a/b", true))),
            ("/a/../b", Ok(("b", false))),
            ("/a/b/..", Ok(("a", true))),
            ("/..", Ok(("", true))),
            ("/../../etc/passwd", Ok(("etc/passwd", false))),
            ("/%2e%2e/%2E%2e/etc", Ok(("etc", false))),
            ("/a/%2e%2e/%2e%2e/%2e%2e/b", Ok(("b", false))),
            ("/a%20b", Ok(("a b", false))),
            ("/%252e%252e/", Ok(("%2e%2e", true))),
            ("/...", Ok(("...", false))),
            ("/a%2f..%2f..%2fetc", Err(Status::NotFound)),
            ("/a%00b", Err(Status::BadRequest)),
            ("/%", Err(Status::BadRequest)),
            ("/%4", Err(Status::BadRequest)),
            ("/%zz", Err(Status::BadRequest)),
            ("/%+1", Err(Status::BadRequest)),
        ] {
            assert_eq!(path(text), expected, "{text}");
        }
    }

    #[test]
    fn targets_have_one_of_the_forms_of_the_rfc() {
        let target = |text| {
            Target::of(text).map(|target| (target.path.map(|path| path.bytes().to_vec()), target.authority))
        };
        assert_eq!(target("*"), Ok((None, None)));
        assert_eq!(target("/x?y=/../z"), Ok((Some(b"x".to_vec()), None)));
        assert_eq!(Target::of("/x?y").expect("a target").query, "?y");
        assert_eq!(target("http://a:80/x"), Ok((Some(b"x".to_vec()), Some("a:80"))));
        assert_eq!(target("HTTPS://a?x"), Ok((Some(Vec::new()), Some("a"))));
        assert_eq!(target("http://[::1]"), Ok((Some(Vec::new()), Some("[::1]"))));
        for bad in ["", "x", "a:80", "http:///x", "ftp://a/", "http://user@a/", "/x#y", "/ä", "http://a b/"]
        {
            assert_eq!(target(bad), Err(Status::BadRequest), "{bad}");
        }
    }

    #[test]
    fn names_with_a_dot_are_hidden_but_for_well_known() {
        for (text, is_hidden) in [
            ("/a/b", false),
            ("/.git/config", true),
            ("/a/.b", true),
            ("/.well-known/x", false),
            ("/a/.well-known", true),
        ] {
            assert_eq!(Path::of(text).expect("a path").is_hidden(), is_hidden, "{text}");
        }
    }

    #[test]
    fn a_directory_is_written_as_it_is_read() {
        for text in ["/", "/a/", "/a b/%/", "/\u{e4}?#/", "/<>\"/"] {
            let names = text.trim_matches('/').as_bytes();
            let path = Path { bytes: names.into(), is_directory: true };
            let target = std::string::String::from_utf8(path.as_directory_target()).expect("ASCII");
            assert_eq!(Path::of(&target), Ok(path), "{target}");
        }
    }
}
