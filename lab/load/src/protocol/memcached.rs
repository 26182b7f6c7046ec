//! memcached's text protocol.

use std::io::Write;

use super::resp::several;
use super::{LONGEST_ANSWER, line};
use crate::{Data, Request};

/// How lines begin that are a whole answer.
const WORDS: [&[u8]; 7] = [
    b"STORED\r\n",
    b"NOT_STORED\r\n",
    b"ERROR\r\n",
    b"CLIENT_ERROR ",
    b"SERVER_ERROR ",
    b"END\r\n",
    b"VERSION ",
];

pub(super) fn ask(data: Data, request: Request, key: u32, out: &mut Vec<u8>) {
    match request {
        Request::Set => {
            out.extend(b"set ");
            Data::key(key, out);
            // Writing to a Vec cannot fail. No flags, no expiry.
            let _ = write!(out, " 0 0 {}\r\n", data.value_bytes);
            data.value(key, out);
        }
        // `Load::check` refuses a search.
        Request::Get | Request::Search => {
            out.extend(b"get ");
            Data::key(key, out);
        }
        Request::GetMany(keys) => {
            out.extend(b"get");
            for key in several(data, key, keys) {
                out.push(b' ');
                Data::key(key, out);
            }
        }
    }
    out.extend(b"\r\n");
}

pub(super) fn right(data: Data, request: Request, key: u32, out: &mut Vec<u8>) {
    let keys = match request {
        Request::Set => {
            out.extend(b"STORED\r\n");
            return;
        }
        Request::Get | Request::Search => 1,
        Request::GetMany(keys) => keys,
    };
    for key in several(data, key, keys) {
        out.extend(b"VALUE ");
        Data::key(key, out);
        // Writing to a Vec cannot fail.
        let _ = write!(out, " 0 {}\r\n", data.value_bytes);
        data.value(key, out);
        out.extend(b"\r\n");
    }
    out.extend(b"END\r\n");
}

/// The length of the answer at the beginning; `None`: not all of it is there. An error: it is none.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, ()> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(length) = line(rest) else {
            return if rest.len() < LONGEST_ANSWER { Ok(None) } else { Err(()) };
        };
        if let Some(value) = rest[..length].strip_prefix(b"VALUE ") {
            let text = std::str::from_utf8(value).map_err(|_| ())?;
            let bytes_of_value: usize =
                text.split_whitespace().nth(2).and_then(|count| count.parse().ok()).ok_or(())?;
            if bytes_of_value > LONGEST_ANSWER {
                return Err(());
            }
            at += length + bytes_of_value + 2;
            if at > bytes.len() {
                return Ok(None);
            }
            continue;
        }
        let is_whole = WORDS.iter().any(|word| rest.starts_with(word));
        return if is_whole { Ok(Some(at + length)) } else { Err(()) };
    }
}
