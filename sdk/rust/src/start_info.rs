//! Start information: the arguments and the grants by name that a cell's creator leaves it, as bytes. A pure pair.
//!
//! The kernel keeps the bytes for [`hallows_abi::OnSpace::StartInfo`] and never looks into them. Little-endian:
//!
//! | part | layout |
//! |---|---|
//! | head | number of arguments `u16`, number of grants `u16` |
//! | each argument | length in bytes `u16`, UTF-8 text |
//! | each grant | handle `u32`, length of its name in bytes `u16`, the name in UTF-8 |
//!
//! No bytes at all are no arguments and no grants.

use core::fmt;

use hallows_abi::{Handle, MAX_START_INFO, Reader, Writer};

/// What a cell was started with. Everything in it was checked when it was parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartInfo<'a> {
    arguments: Strings<'a>,
    grants: Strings<'a>,
}

/// A checked list: how many entries, and their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Strings<'a> {
    count: u16,
    bytes: &'a [u8],
}

/// Why bytes are not start information, or why none can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartInfoError {
    /// The bytes end inside of an entry, or go on after the last one.
    BadLength,
    /// A text is not UTF-8.
    NotText,
    /// It would take more than [`MAX_START_INFO`] bytes, or more than the buffer has: shorten the arguments.
    TooLong,
    /// A name stands for two grants.
    SameName,
}

impl fmt::Display for StartInfoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BadLength => "start information of the wrong length",
            Self::NotText => "start information with a text that is not UTF-8",
            Self::TooLong => "more start information (arguments and names of grants) than a cell takes",
            Self::SameName => "two grants of the same name",
        })
    }
}

impl core::error::Error for StartInfoError {}

/// Puts start information into a buffer; how many bytes it took.
///
/// # Errors
///
/// [`StartInfoError::TooLong`] and [`StartInfoError::SameName`].
pub fn emit(
    arguments: &[impl AsRef<str>],
    grants: &[(impl AsRef<str>, Handle)],
    buffer: &mut [u8],
) -> Result<usize, StartInfoError> {
    for (number, (name, _)) in grants.iter().enumerate() {
        if grants.iter().take(number).any(|(earlier, _)| earlier.as_ref() == name.as_ref()) {
            return Err(StartInfoError::SameName);
        }
    }
    let room = buffer.len().min(MAX_START_INFO as usize);
    let mut writer = Writer::new(buffer.get_mut(..room).unwrap_or_default());
    put(arguments, grants, &mut writer).ok_or(StartInfoError::TooLong)?;
    Ok(writer.written())
}

fn put(
    arguments: &[impl AsRef<str>],
    grants: &[(impl AsRef<str>, Handle)],
    writer: &mut Writer<'_>,
) -> Option<()> {
    writer.u16(arguments.len().try_into().ok()?)?;
    writer.u16(grants.len().try_into().ok()?)?;
    for argument in arguments {
        put_text(argument.as_ref(), writer)?;
    }
    for (name, handle) in grants {
        writer.u32(handle.0)?;
        put_text(name.as_ref(), writer)?;
    }
    Some(())
}

fn put_text(text: &str, writer: &mut Writer<'_>) -> Option<()> {
    writer.u16(text.len().try_into().ok()?)?;
    writer.bytes(text.as_bytes())
}

fn take_text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, StartInfoError> {
    let length = reader.u16().ok_or(StartInfoError::BadLength)?;
    let bytes = reader.bytes(usize::from(length)).ok_or(StartInfoError::BadLength)?;
    core::str::from_utf8(bytes).map_err(|_| StartInfoError::NotText)
}

fn take_grant<'a>(reader: &mut Reader<'a>) -> Result<(&'a str, Handle), StartInfoError> {
    let handle = reader.u32().ok_or(StartInfoError::BadLength)?;
    Ok((take_text(reader)?, Handle(handle)))
}

/// Checks `count` entries and returns the bytes that they take.
fn check<'a, T>(
    count: u16,
    reader: &mut Reader<'a>,
    take: impl Fn(&mut Reader<'a>) -> Result<T, StartInfoError>,
) -> Result<Strings<'a>, StartInfoError> {
    let before = reader.rest();
    for _ in 0..count {
        take(reader)?;
    }
    let taken = before.len() - reader.rest().len();
    Ok(Strings { count, bytes: before.get(..taken).unwrap_or(&[]) })
}

impl<'a> StartInfo<'a> {
    /// No arguments and no grants.
    pub const EMPTY: Self =
        Self { arguments: Strings { count: 0, bytes: &[] }, grants: Strings { count: 0, bytes: &[] } };

    /// From its bytes. Names that stand for two grants are let pass: the first counts.
    ///
    /// # Errors
    ///
    /// [`StartInfoError::BadLength`] and [`StartInfoError::NotText`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, StartInfoError> {
        if bytes.is_empty() {
            return Ok(Self::EMPTY);
        }
        let mut reader = Reader::new(bytes);
        let arguments = reader.u16().ok_or(StartInfoError::BadLength)?;
        let grants = reader.u16().ok_or(StartInfoError::BadLength)?;
        let arguments = check(arguments, &mut reader, take_text)?;
        let grants = check(grants, &mut reader, take_grant)?;
        if !reader.rest().is_empty() {
            return Err(StartInfoError::BadLength);
        }
        Ok(Self { arguments, grants })
    }

    /// The arguments, in order.
    pub fn arguments(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let mut reader = Reader::new(self.arguments.bytes);
        (0..self.arguments.count).map_while(move |_| take_text(&mut reader).ok())
    }

    /// The value of the first argument `key=value` with this key.
    #[must_use]
    pub fn setting(&self, key: &str) -> Option<&'a str> {
        self.arguments().find_map(|argument| argument.strip_prefix(key)?.strip_prefix('='))
    }

    /// The grants: name and handle, in order.
    pub fn grants(&self) -> impl Iterator<Item = (&'a str, Handle)> + use<'a> {
        let mut reader = Reader::new(self.grants.bytes);
        (0..self.grants.count).map_while(move |_| take_grant(&mut reader).ok())
    }

    /// The grant of this name.
    #[must_use]
    pub fn grant(&self, name: &str) -> Option<Handle> {
        self.grants().find_map(|(granted, handle)| (granted == name).then_some(handle))
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use proptest::prelude::*;

    use super::{StartInfo, StartInfoError, emit};
    use hallows_abi::{Handle, MAX_START_INFO};

    fn emitted(arguments: &[&str], grants: &[(&str, Handle)]) -> Vec<u8> {
        let mut buffer = vec![0; MAX_START_INFO as usize];
        let length = emit(arguments, grants, &mut buffer).expect("fits");
        buffer.truncate(length);
        buffer
    }

    proptest! {
        #[test]
        fn what_is_emitted_is_parsed(
            arguments in proptest::collection::vec("\\PC{0,20}", 0..20),
            grants in proptest::collection::btree_map("\\PC{0,20}", any::<u32>(), 0..20),
        ) {
            let grants: Vec<_> = grants.into_iter().map(|(name, handle)| (name, Handle(handle))).collect();
            let mut buffer = vec![0; MAX_START_INFO as usize];
            let length = emit(&arguments, &grants, &mut buffer).expect("fits");
            let info = StartInfo::parse(&buffer[..length]).expect("was emitted");
            prop_assert!(info.arguments().eq(arguments.iter().map(String::as_str)));
            prop_assert!(info.grants().eq(grants.iter().map(|(name, handle)| (name.as_str(), *handle))));
            for (name, handle) in &grants {
                prop_assert_eq!(info.grant(name), Some(*handle));
            }
        }

        #[test]
        fn any_bytes_parse_or_are_an_error_and_what_parses_is_whole(bytes in proptest::collection::vec(0..4_u8, 0..40)) {
            if let Ok(info) = StartInfo::parse(&bytes) {
                let arguments: Vec<_> = info.arguments().collect();
                let grants: Vec<_> = info.grants().collect();
                prop_assert_eq!(arguments.len(), usize::from(info.arguments.count));
                prop_assert_eq!(grants.len(), usize::from(info.grants.count));
                let mut buffer = [0; 64];
                match emit(&arguments, &grants, &mut buffer) {
                    Ok(length) => prop_assert!(bytes.is_empty() || buffer[..length] == bytes[..]),
                    Err(error) => prop_assert_eq!(error, StartInfoError::SameName),
                }
            }
        }

        #[test]
        fn every_shorter_part_of_it_is_an_error(cut in 1..30_usize) {
            let whole = emitted(&["one", "two=2"], &[("calc", Handle(3)), ("told", Handle(4))]);
            let cut = cut.min(whole.len() - 1);
            prop_assert_eq!(StartInfo::parse(&whole[..whole.len() - cut]), Err(StartInfoError::BadLength));
        }
    }

    #[test]
    fn settings_are_found_by_their_key() {
        let bytes = emitted(&["count", "count=7", "countless=9", "count=8", "empty="], &[]);
        let info = StartInfo::parse(&bytes).expect("was emitted");
        assert_eq!(info.setting("count"), Some("7"));
        assert_eq!(info.setting("empty"), Some(""));
        assert_eq!(info.setting("other"), None);
    }

    #[test]
    fn no_bytes_are_no_arguments_and_no_grants() {
        assert_eq!(StartInfo::parse(&[]), Ok(StartInfo::EMPTY));
        assert_eq!(StartInfo::EMPTY.arguments().count() + StartInfo::EMPTY.grants().count(), 0);
        assert_eq!(StartInfo::parse(&emitted(&[], &[])), Ok(StartInfo::EMPTY));
    }

    #[test]
    fn what_cannot_be_said_is_not_emitted() {
        let mut buffer = vec![0; 2 * MAX_START_INFO as usize];
        let same = [("calc", Handle(3)), ("calc", Handle(4))];
        assert_eq!(emit(&[] as &[&str], &same, &mut buffer), Err(StartInfoError::SameName));
        let long = "x".repeat(MAX_START_INFO as usize - 6);
        let none: [(&str, Handle); 0] = [];
        assert_eq!(emit(&[&long], &none, &mut buffer), Ok(MAX_START_INFO as usize));
        assert_eq!(emit(&[&long, "y"], &none, &mut buffer), Err(StartInfoError::TooLong));
        assert_eq!(emit(&["y"], &none, &mut [0; 6]), Err(StartInfoError::TooLong));
        assert_eq!(emit(&["y"], &none, &mut [0; 7]), Ok(7));
    }

    #[test]
    fn text_that_is_not_utf_8_is_an_error() {
        assert_eq!(StartInfo::parse(&[1, 0, 0, 0, 1, 0, 0xff]), Err(StartInfoError::NotText));
    }
}
