//! Bytes that lie in several places, as one list of a message.

use crate::stub::{Decoder, Encoder, Value};

/// The first bytes of several parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'p> {
    parts: &'p [&'p [u8]],
    length: usize,
}

impl<'p> Parts<'p> {
    /// Of these, one behind the other, at most so many bytes.
    pub fn of(parts: &'p [&'p [u8]], most: usize) -> Self {
        let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
        Self { parts, length: length.min(most) }
    }

    /// How many bytes.
    pub const fn length(self) -> usize {
        self.length
    }
}

/// As `&[u8]`, of all of them.
impl<'p> Value<'p> for Parts<'p> {
    #[inline]
    fn put(&self, encoder: &mut Encoder<'_>) -> Option<()> {
        encoder.count(self.length)?;
        let mut left = self.length;
        for part in self.parts {
            let part = part.get(..left).unwrap_or(part);
            encoder.bytes(part)?;
            left -= part.len();
        }
        Some(())
    }

    /// Nobody takes them: who is sent them has them in one place.
    fn take(_: &mut Decoder<'p>) -> Option<Self> {
        None
    }
}

/// Takes so many bytes off the front, and then all parts that are empty.
pub(super) fn advance(parts: &mut &mut [&[u8]], bytes: usize) {
    let mut left = bytes;
    while let Some(first) = parts.first_mut() {
        if left < first.len() {
            *first = first.get(left..).unwrap_or_default();
            return;
        }
        left -= first.len();
        *first = &[];
        *parts = core::mem::take(parts).get_mut(1..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn encoded<'v>(value: &impl Value<'v>) -> Option<Vec<u8>> {
        let (mut room, mut transfers) = ([0; 64], []);
        let mut encoder = Encoder::new(&mut room, &mut transfers);
        value.put(&mut encoder)?;
        let written = encoder.written();
        Some(room[..written].to_vec())
    }

    const TEXT: &[u8] = b"what is said in parts";

    /// The text in three parts, of which any may be empty.
    fn cuts() -> impl Iterator<Item = [&'static [u8]; 3]> {
        (0..=TEXT.len()).flat_map(|second| {
            (0..=second).map(move |first| [&TEXT[..first], &TEXT[first..second], &TEXT[second..]])
        })
    }

    #[test]
    fn parts_are_sent_as_the_bytes_that_they_are_together() {
        for parts in cuts() {
            for most in 0..TEXT.len() + 3 {
                let sent = Parts::of(&parts, most);
                let whole = &TEXT[..most.min(TEXT.len())];
                assert_eq!((sent.length(), encoded(&sent)), (whole.len(), encoded(&whole)), "{parts:?}");
            }
        }
        assert_eq!(encoded(&Parts::of(&[], 9)), encoded(&&b""[..]));
        assert_eq!(encoded(&Parts::of(&[&[0; 40], &[0; 40]], 90)), None, "there is no room for so many");
    }

    #[test]
    fn what_was_written_is_taken_off_the_front() {
        for parts in cuts() {
            for written in 0..=TEXT.len() {
                let mut parts = parts;
                let mut left = &mut parts[..];
                advance(&mut left, written);
                assert_eq!(left.concat(), &TEXT[written..]);
                assert!(left.first().is_none_or(|first| !first.is_empty()));
            }
        }
        let mut all = [TEXT; 3];
        let mut left = &mut all[..];
        advance(&mut left, usize::MAX);
        assert!(left.is_empty());
    }
}
