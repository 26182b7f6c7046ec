//! What a program says of itself: the interfaces that it uses and serves, in a custom section of its WebAssembly. Specified in
//! `docs/interfaces.md`; written by `hallows_sdk::uses!` and `serves!`.
//!
//! Nobody has looked at the program before: every length is checked, and what is read is bounded.

use std::fmt;

use crate::Hash;

/// The name of the custom section. There may be several of that name; together they are one.
pub const SECTION: &str = "hallows.interfaces";

/// The most interfaces that a program may declare.
pub const MOST_DECLARED: usize = 256;
/// The longest name, in bytes.
pub const LONGEST_NAME: usize = 64;

/// The form of a record that this version knows.
const FORM: u8 = 1;
/// Form, direction, length of the name, hash.
const HEADER_BYTES: usize = 3 + 32;

/// Whether a program calls an interface or answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It calls its functions.
    Uses = 1,
    /// It answers them.
    Serves = 2,
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Uses => "uses",
            Self::Serves => "serves",
        })
    }
}

/// An interface that a program uses or serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Whether it uses or serves it.
    pub direction: Direction,
    /// Which interface.
    pub hash: Hash,
    /// What its authors call it: for people.
    pub name: String,
}

/// Why a program's declarations cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It does not begin as a WebAssembly module.
    NoModule,
    /// A section ends behind the end of the file, or its length is no number.
    Section,
    /// A record is cut off.
    Record,
    /// A record has a form or a direction that this version does not know.
    Unknown,
    /// A name is empty, longer than [`LONGEST_NAME`], or has other characters than small letters, digits and `-`.
    Name,
    /// More than [`MOST_DECLARED`] records.
    TooMany,
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoModule => write!(formatter, "this is no WebAssembly module"),
            Self::Section => write!(formatter, "a section is cut off"),
            Self::Record => write!(formatter, "the section {SECTION} is cut off"),
            Self::Unknown => write!(formatter, "the section {SECTION} is of a later version"),
            Self::Name => write!(formatter, "the section {SECTION} has a name that cannot be one"),
            Self::TooMany => write!(formatter, "the section {SECTION} has more than {MOST_DECLARED} records"),
        }
    }
}

impl std::error::Error for Malformed {}

/// What a WebAssembly module declares, each once, in its order. Nothing, if it has no such section.
///
/// # Errors
/// It is no module, or its sections are not as specified.
pub fn declared(module: &[u8]) -> Result<Vec<Declared>, Malformed> {
    let mut rest = module.strip_prefix(b"\0asm\x01\0\0\0").ok_or(Malformed::NoModule)?;
    let mut found = Vec::new();
    while let Some((kind, behind)) = rest.split_first() {
        let (content, next) = counted(behind)?;
        rest = next;
        if *kind == 0
            && let (name, records) = counted(content)?
            && name == SECTION.as_bytes()
        {
            records_of(records, &mut found)?;
        }
    }
    Ok(found)
}

/// The bytes that a length stands before, and what is behind them.
fn counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let mut length = 0_u64;
    // A u32 in LEB128 has at most five bytes.
    for (place, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).map_err(|_| Malformed::Section)?;
            let behind = bytes.get(place + 1..).unwrap_or_default();
            return behind.split_at_checked(length).ok_or(Malformed::Section);
        }
    }
    Err(Malformed::Section)
}

fn records_of(mut bytes: &[u8], found: &mut Vec<Declared>) -> Result<(), Malformed> {
    let mut records = 0;
    while !bytes.is_empty() {
        let (header, behind) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(Malformed::Record)?;
        let direction = match (header[0], header[1]) {
            (FORM, 1) => Direction::Uses,
            (FORM, 2) => Direction::Serves,
            _ => return Err(Malformed::Unknown),
        };
        let (name, behind) = behind.split_at_checked(usize::from(header[2])).ok_or(Malformed::Record)?;
        bytes = behind;
        let allowed = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.iter().all(allowed) {
            return Err(Malformed::Name);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(&header[3..]);
        let record = Declared {
            direction,
            hash: Hash(hash),
            name: name.iter().map(|byte| char::from(*byte)).collect(),
        };
        records += 1;
        if records > MOST_DECLARED || found.len() >= MOST_DECLARED {
            return Err(Malformed::TooMany);
        }
        if !found.contains(&record) {
            found.push(record);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(direction: u8, hash: u8, name: &str) -> Vec<u8> {
        let mut bytes = vec![1, direction, u8::try_from(name.len()).expect("short")];
        bytes.extend([hash; 32]);
        bytes.extend(name.as_bytes());
        bytes
    }

    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            let low = u8::try_from(value & 0x7f).expect("7 bits");
            value >>= 7;
            bytes.push(if value > 0 { low | 0x80 } else { low });
            if value == 0 {
                return bytes;
            }
        }
    }

    fn section(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
        let inside = [number(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat();
        [vec![kind], number(inside.len()), inside].concat()
    }

    fn module(sections: &[Vec<u8>]) -> Vec<u8> {
        [b"\0asm\x01\0\0\0".to_vec(), sections.concat()].concat()
    }

    #[test]
    fn what_is_declared_is_found_in_any_place_once_each() {
        let records = [record(1, 7, "calc"), record(2, 9, "every-type"), record(1, 7, "calc")].concat();
        let module = module(&[
            section(0, "name", b"whatever"),
            section(0, SECTION, &records),
            vec![1, 1, 0],
            section(0, SECTION, &record(1, 9, "every-type")),
        ]);
        let found: Vec<_> = declared(&module)
            .expect("well made")
            .into_iter()
            .map(|one| (one.direction, one.hash.0[0], one.name))
            .collect();
        let expected = [
            (Direction::Uses, 7, "calc".to_owned()),
            (Direction::Serves, 9, "every-type".to_owned()),
            (Direction::Uses, 9, "every-type".to_owned()),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_module_without_the_section_declares_nothing() {
        assert_eq!(declared(&module(&[section(0, "name", b"")])), Ok(Vec::new()));
        assert_eq!(declared(&module(&[])), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_as_specified_is_refused_and_says_why() {
        let with = |content: &[u8]| declared(&module(&[section(0, SECTION, content)]));
        assert_eq!(declared(b""), Err(Malformed::NoModule));
        assert_eq!(declared(b"#!/bin/sh"), Err(Malformed::NoModule));
        let whole = module(&[section(0, SECTION, &record(1, 7, "calc"))]);
        for length in 9..whole.len() {
            assert!(declared(&whole[..length]).is_err(), "cut off at {length}");
        }
        assert_eq!(with(&record(1, 7, "calc")[..HEADER_BYTES - 1]), Err(Malformed::Record));
        assert_eq!(with(&record(1, 7, "calc")[..HEADER_BYTES + 1]), Err(Malformed::Record));
        assert_eq!(with(&record(3, 7, "calc")), Err(Malformed::Unknown));
        assert_eq!(with(&record(1, 7, "")), Err(Malformed::Name));
        assert_eq!(with(&record(1, 7, "x\u{1b}[2J")), Err(Malformed::Name));
        assert_eq!(with(&record(1, 7, &"x".repeat(65))), Err(Malformed::Name));
        let many: Vec<u8> = (0..=MOST_DECLARED).flat_map(|_| record(1, 7, "calc")).collect();
        assert_eq!(with(&many), Err(Malformed::TooMany));
        // A length that no file has, and one that never ends.
        assert_eq!(declared(&module(&[vec![0, 0xff, 0xff, 0xff, 0xff, 0x0f]])), Err(Malformed::Section));
        assert_eq!(declared(&module(&[vec![0, 0x80, 0x80, 0x80, 0x80, 0x80, 0]])), Err(Malformed::Section));
    }
}
