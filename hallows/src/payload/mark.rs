//! The mark: where an executable says what it carries.
//!
//! 144 bytes in the executable's read-only data: 32 that are found by searching the file, the payload's place and length, the hash of the payload
//! and of the executable before it (with an empty mark), and a hash of the mark itself. An empty mark has zeroes behind the first 32.

use std::hint::black_box;

/// Bytes of a mark.
pub const LENGTH: usize = 144;
/// What every mark begins with.
const SIGN: [u8; 32] = *b"\x93hallows\x1b payload mark, form 1\n\0";
/// Where the hash of the mark itself begins.
const CHECK: usize = 112;

/// The mark of this executable. In the file, `hallows build` fills it in.
static MARK: [u8; LENGTH] = {
    let mut bytes = [0; LENGTH];
    let mut place = 0;
    while place < SIGN.len() {
        bytes[place] = SIGN[place];
        place += 1;
    }
    bytes
};

/// What every mark begins with, read from the one that there is: written out again, it would be in the file a second time.
fn sign() -> &'static [u8] {
    &black_box(&MARK)[..SIGN.len()]
}

/// A mark that says nothing.
pub fn empty() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes[..SIGN.len()].copy_from_slice(sign());
    bytes
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Where the payload begins in the file: where the executable ended.
    pub offset: u64,
    /// Its length, in bytes.
    pub length: u64,
    /// Its hash.
    pub payload: blake3::Hash,
    /// The hash of the file before it, as it was with an empty mark.
    pub executable: blake3::Hash,
}

impl Mark {
    /// Its form in the file.
    pub fn emit(&self) -> [u8; LENGTH] {
        let mut bytes = empty();
        bytes[32..40].copy_from_slice(&self.offset.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.length.to_le_bytes());
        bytes[48..80].copy_from_slice(self.payload.as_bytes());
        bytes[80..CHECK].copy_from_slice(self.executable.as_bytes());
        let check = blake3::hash(&bytes[..CHECK]);
        bytes[CHECK..].copy_from_slice(check.as_bytes());
        bytes
    }

    /// From its form; nothing if it is empty.
    ///
    /// # Errors
    /// When it is neither empty nor whole.
    pub fn parse(bytes: &[u8; LENGTH]) -> Result<Option<Self>, String> {
        if *bytes == empty() {
            return Ok(None);
        }
        if blake3::hash(&bytes[..CHECK]).as_bytes() != &bytes[CHECK..] || bytes[..32] != *sign() {
            return Err("the mark that says where it is was changed".to_owned());
        }
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|place| bytes[at + place]));
        let hash = |at: usize| blake3::Hash::from_bytes(std::array::from_fn(|place| bytes[at + place]));
        Ok(Some(Self { offset: number(32), length: number(40), payload: hash(48), executable: hash(80) }))
    }
}

/// What this executable's mark says.
///
/// # Errors
/// When it was damaged.
pub fn own() -> Result<Option<Mark>, String> {
    // Read where the loader has put it: the compiler must not think that it knows what stands there.
    Mark::parse(black_box(&MARK))
}

/// Where the one empty mark of an executable's bytes is.
///
/// # Errors
/// When there is none, or more than one.
pub fn find(executable: &[u8]) -> Result<usize, String> {
    let (sign, empty) = (sign(), empty());
    let mut places = executable.windows(SIGN.len()).enumerate().filter(|(_, window)| *window == sign);
    let (first, second) = (places.next(), places.next());
    match (first, second) {
        (Some((place, _)), None) if executable.get(place..place + LENGTH) == Some(&empty[..]) => Ok(place),
        (Some(_), None) => Err("it carries an application already".to_owned()),
        (None, _) => Err("it has no place to say what it carries".to_owned()),
        (Some(_), Some(_)) => Err("it has more than one place to say what it carries".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> Mark {
        Mark {
            offset: 7,
            length: 1 << 40,
            payload: blake3::hash(b"payload"),
            executable: blake3::hash(b"executable"),
        }
    }

    #[test]
    fn what_is_emitted_is_parsed_and_an_empty_mark_is_nothing() {
        assert_eq!(Mark::parse(&mark().emit()), Ok(Some(mark())));
        assert_eq!(Mark::parse(&empty()), Ok(None));
        assert_eq!(own(), Ok(None));
    }

    #[test]
    fn every_changed_bit_of_a_mark_is_noticed() {
        for form in [mark().emit(), empty()] {
            for bit in 0..LENGTH * 8 {
                let mut changed = form;
                changed[bit / 8] ^= 1 << (bit % 8);
                assert!(Mark::parse(&changed).is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_mark_is_found_where_it_is_once() {
        let mut executable = vec![1; 1_000];
        assert!(find(&executable).is_err());
        executable[300..300 + LENGTH].copy_from_slice(&empty());
        assert_eq!(find(&executable), Ok(300));
        executable[600..600 + LENGTH].copy_from_slice(&empty());
        assert!(find(&executable).expect_err("twice").contains("more than one"));
        executable.truncate(600);
        executable[300..300 + LENGTH].copy_from_slice(&mark().emit());
        assert!(find(&executable).expect_err("full").contains("already"));
    }
}
