//! Bodies, which a server of files reads and forgets: of a known length, or in chunks (RFC 9112, sections 6 and 7.1).

use crate::{Limits, Status};

/// The longest line before a chunk: sixteen digits, and extensions that nobody uses.
const MOST_LINE_BYTES: usize = 256;

/// What is left of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Body {
    at: Place,
    /// Bytes of chunks that were announced so far.
    chunked: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many bytes to its end.
    Sized(u64),
    /// Before a line with a chunk's length.
    Length,
    /// So many bytes to the chunk's end.
    Chunk(u64),
    /// Before the line's end that ends a chunk.
    ChunkEnd,
    /// In the trailers, of which so many bytes have come.
    Trailers(usize),
    /// Behind it.
    End,
}

/// Whether a body is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drained {
    /// So many of the bytes were its, and it goes on.
    More(usize),
    /// So many were its, and it is over.
    All(usize),
}

impl Body {
    pub const NONE: Self = Self { at: Place::End, chunked: 0 };
    pub const CHUNKED: Self = Self { at: Place::Length, chunked: 0 };

    /// One of a known length.
    pub const fn of(bytes: u64) -> Self {
        Self { at: if bytes == 0 { Place::End } else { Place::Sized(bytes) }, chunked: 0 }
    }

    /// Whether there is none, or no more.
    pub fn is_over(self) -> bool {
        self.at == Place::End
    }

    /// Takes from the front what is the body's. What it leaves of it has to come again, with more.
    ///
    /// # Errors
    ///
    /// 400 if it is not in the form of the RFC, 413 and 431 if it is longer than the limits say.
    pub fn drain(&mut self, bytes: &[u8], limits: &Limits) -> Result<Drained, Status> {
        let mut taken = 0;
        loop {
            let rest = bytes.get(taken..).unwrap_or_default();
            let Some(count) = self.step(rest, limits)? else { return Ok(Drained::More(taken)) };
            taken += count;
            if self.is_over() {
                return Ok(Drained::All(taken));
            }
        }
    }

    /// One line or a piece of data; `None`: there is too little.
    fn step(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, Status> {
        let data = |left: u64| usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        match self.at {
            Place::End => Ok(Some(0)),
            Place::Sized(_) | Place::Chunk(_) if bytes.is_empty() => Ok(None),
            Place::Sized(left) => {
                let count = data(left);
                let left = left - count as u64;
                self.at = if left == 0 { Place::End } else { Place::Sized(left) };
                Ok(Some(count))
            }
            Place::Chunk(left) => {
                let count = data(left);
                let left = left - count as u64;
                self.at = if left == 0 { Place::ChunkEnd } else { Place::Chunk(left) };
                Ok(Some(count))
            }
            Place::Length => {
                let Some(line) = line(bytes, MOST_LINE_BYTES, Status::BadRequest)? else { return Ok(None) };
                let length = length(line)?;
                self.chunked = self.chunked.saturating_add(length);
                if self.chunked > limits.body_bytes {
                    return Err(Status::ContentTooLarge);
                }
                self.at = if length == 0 { Place::Trailers(0) } else { Place::Chunk(length) };
                Ok(Some(line.len() + 2))
            }
            Place::ChunkEnd => match bytes {
                [b'\r', b'\n', ..] => {
                    self.at = Place::Length;
                    Ok(Some(2))
                }
                [] | [b'\r'] => Ok(None),
                _ => Err(Status::BadRequest),
            },
            Place::Trailers(before) => {
                let most = limits.head_bytes.saturating_sub(before);
                let Some(line) = line(bytes, most, Status::FieldsTooLarge)? else { return Ok(None) };
                self.at = if line.is_empty() { Place::End } else { Place::Trailers(before + line.len() + 2) };
                Ok(Some(line.len() + 2))
            }
        }
    }
}

/// The first line, without its end, if all of it is there. It ends with CR and LF: an LF alone means another thing to others.
pub(crate) fn line(bytes: &[u8], most: usize, too_long: Status) -> Result<Option<&[u8]>, Status> {
    let Some(end) = bytes.iter().take(most + 1).position(|byte| *byte == b'\n') else {
        return if bytes.len() > most { Err(too_long) } else { Ok(None) };
    };
    let line = bytes.get(..end).unwrap_or_default();
    line.strip_suffix(b"\r").map(Some).ok_or(Status::BadRequest)
}

/// The length that a line before a chunk says.
fn length(line: &[u8]) -> Result<u64, Status> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, extensions) = line.split_at_checked(end).unwrap_or_default();
    let is_extension = extensions.trim_ascii_start().first().is_none_or(|first| *first == b';');
    let has_controls = extensions.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    // White space alone behind the digits is no extension, and somebody may read it otherwise.
    let is_blank = !extensions.is_empty() && extensions.trim_ascii().is_empty();
    if digits.is_empty() || digits.len() > 16 || !is_extension || has_controls || is_blank {
        return Err(Status::BadRequest);
    }
    let text = core::str::from_utf8(digits).map_err(|_| Status::BadRequest)?;
    u64::from_str_radix(text, 16).map_err(|_| Status::BadRequest)
}

#[cfg(test)]
mod tests {
    use std::borrow::ToOwned;

    use super::*;

    const LIMITS: Limits = Limits { line_bytes: 100, head_bytes: 40, body_bytes: 1_000 };

    fn drained(text: &str) -> Result<Drained, Status> {
        let mut body = Body::CHUNKED;
        body.drain(text.as_bytes(), &LIMITS)
    }

    #[test]
    fn chunks_are_read_to_their_end_and_no_further() {
        for body in [
            "0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\n",
            "A;x=y\r\n0123456789\r\n0000\r\nX: y\r\nZ: w\r\n\r\n",
            "2 ;x\r\n\r\n\r\n0\r\n\r\n",
        ] {
            let all = std::format!("{body}GET / HTTP/1.1\r\n");
            assert_eq!(drained(&all), Ok(Drained::All(body.len())), "{body:?}");
        }
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bad in [
            "\r\n",
            "x\r\n",
            "-1\r\n",
            "+1\r\n",
            "0x1\r\n",
            "1\n",
            "1 \r\nx\r\n",
            "5\r\nhello0\r\n",
            "5\r\nhello\n",
            " 5\r\n",
            "5 5\r\n",
            "5;\u{1}\r\n",
            "0\r\nX: y\n\r\n",
            "11111111111111111\r\n",
        ] {
            assert_eq!(drained(bad), Err(Status::BadRequest), "{bad:?}");
        }
        let long = "1;".to_owned() + &"x".repeat(300);
        assert_eq!(drained(&long), Err(Status::BadRequest));
    }

    #[test]
    fn what_is_more_than_allowed_is_refused_before_it_comes() {
        assert_eq!(drained("3e9\r\n"), Err(Status::ContentTooLarge));
        assert_eq!(drained("ffffffffffffffff\r\n"), Err(Status::ContentTooLarge));
        let chunk = "190\r\n".to_owned() + &"x".repeat(400) + "\r\n";
        assert_eq!(drained(&chunk.repeat(3)), Err(Status::ContentTooLarge));
        let trailers = "0\r\n".to_owned() + &"X: y\r\n".repeat(10);
        assert_eq!(drained(&trailers), Err(Status::FieldsTooLarge));
    }
}
