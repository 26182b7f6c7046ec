//! RESP2.

use std::io::Write;

use super::{LONGEST_ANSWER, line};
use crate::data::KEY_BYTES;
use crate::{Data, Request};

/// Arrays within arrays: no answer to what is asked here has more.
const DEEPEST: usize = 8;

pub(super) fn ask(data: Data, request: Request, key: u32, out: &mut Vec<u8>) {
    match request {
        Request::Get => {
            command(out, 2, "GET");
            key_bulk(key, out);
        }
        Request::Set => {
            command(out, 3, "SET");
            key_bulk(key, out);
            value_bulk(data, key, out);
        }
        Request::Search => {
            command(out, 2, "KEYS");
            // All but the first letter: a server that looks for a fixed beginning has none to look for.
            head(out, b'$', KEY_BYTES);
            let begin = out.len();
            Data::key(key, out);
            out[begin] = b'*';
            end(out);
        }
        Request::GetMany(keys) => {
            command(out, 1 + keys as usize, "MGET");
            several(data, key, keys).for_each(|key| key_bulk(key, out));
        }
    }
}

pub(super) fn right(data: Data, request: Request, key: u32, out: &mut Vec<u8>) {
    match request {
        Request::Get => value_bulk(data, key, out),
        Request::Set => out.extend(b"+OK\r\n"),
        Request::Search => {
            head(out, b'*', 1);
            key_bulk(key, out);
        }
        Request::GetMany(keys) => {
            head(out, b'*', keys as usize);
            several(data, key, keys).for_each(|key| value_bulk(data, key, out));
        }
    }
}

/// The length of the answer at the beginning; `None`: not all of it is there. An error: it is none.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, ()> {
    // Values that are still to come on each level of arrays.
    let mut open = vec![1usize];
    let mut at = 0;
    while let Some(left) = open.last_mut() {
        if *left == 0 {
            open.pop();
            continue;
        }
        *left -= 1;
        let rest = &bytes[at..];
        let Some(kind) = rest.first() else { return Ok(None) };
        let is_known = matches!(kind, b'+' | b'-' | b':' | b'$' | b'*');
        let Some(length) = line(rest).filter(|_| is_known) else {
            return if is_known && rest.len() < LONGEST_ANSWER { Ok(None) } else { Err(()) };
        };
        at += length;
        if matches!(kind, b'+' | b'-' | b':') {
            continue;
        }
        let text = std::str::from_utf8(&rest[1..length - 2]).map_err(|_| ())?;
        let count: i64 = text.parse().map_err(|_| ())?;
        let Ok(count) = usize::try_from(count) else { continue };
        if count > LONGEST_ANSWER {
            return Err(());
        }
        if *kind == b'*' {
            open.push(count);
            if open.len() > DEEPEST {
                return Err(());
            }
            continue;
        }
        if bytes.len() < at + count + 2 {
            return Ok(None);
        }
        if &bytes[at + count..at + count + 2] != b"\r\n" {
            return Err(());
        }
        at += count + 2;
    }
    Ok(Some(at))
}

/// Keys from this one on, back to the first behind the last.
pub(super) fn several(data: Data, first: u32, keys: u32) -> impl Iterator<Item = u32> {
    (0..keys).map(move |number| (first + number) % data.keys)
}

fn command(out: &mut Vec<u8>, words: usize, name: &str) {
    head(out, b'*', words);
    head(out, b'$', name.len());
    out.extend(name.as_bytes());
    end(out);
}

fn key_bulk(key: u32, out: &mut Vec<u8>) {
    head(out, b'$', KEY_BYTES);
    Data::key(key, out);
    end(out);
}

fn value_bulk(data: Data, key: u32, out: &mut Vec<u8>) {
    head(out, b'$', data.value_bytes as usize);
    data.value(key, out);
    end(out);
}

fn head(out: &mut Vec<u8>, kind: u8, count: usize) {
    out.push(kind);
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{count}\r\n");
}

fn end(out: &mut Vec<u8>) {
    out.extend(b"\r\n");
}
