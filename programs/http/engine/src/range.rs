//! Parts of a file (RFC 9110, section 14).

use alloc::vec::Vec;

/// The most parts of one answer. Of more, or of some that overlap, the whole file is given (section 14.2 permits it): no answer is much longer than its file.
pub const MOST_RANGES: usize = 16;

/// Bytes of a file that lie together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first one.
    pub offset: u64,
    /// How many.
    pub length: u64,
}

/// What a field `Range` comes to for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ranges {
    /// It says nothing: the whole file.
    Whole,
    /// These parts, at least one, in the order in which they were asked for.
    Parts(Vec<Span>),
    /// None of them is in the file.
    Unsatisfiable,
}

impl Span {
    /// The last byte; of no bytes, the one before.
    pub(crate) const fn last(self) -> u64 {
        (self.offset + self.length).saturating_sub(1)
    }

    const fn overlaps(self, other: Self) -> bool {
        self.offset <= other.last() && other.offset <= self.last()
    }
}

impl Ranges {
    /// What this field says of a file of so many bytes. One that is not in the form of the RFC says nothing.
    pub fn of(text: &[u8], size: u64) -> Self {
        Self::parse(text, size).unwrap_or(Self::Whole)
    }

    fn parse(text: &[u8], size: u64) -> Option<Self> {
        let text = core::str::from_utf8(text).ok()?;
        let (unit, set) = text.split_once('=')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (mut parts, mut count) = (Vec::new(), 0);
        for spec in set.split(',').map(|spec| spec.trim_matches([' ', '\t'])).filter(|spec| !spec.is_empty())
        {
            count += 1;
            if count > MOST_RANGES {
                return None;
            }
            let Some(part) = span(spec, size)? else { continue };
            if parts.iter().any(|other| part.overlaps(*other)) {
                return None;
            }
            parts.push(part);
        }
        match (count, parts.is_empty()) {
            (0, _) => None,
            (_, true) => Some(Self::Unsatisfiable),
            (_, false) => Some(Self::Parts(parts)),
        }
    }
}

/// `FIRST-LAST`, `FIRST-`, `-LENGTH`; `None` if it is none of them, and within it `None` if there is no such byte in the file.
fn span(spec: &str, size: u64) -> Option<Option<Span>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let length = number(last)?.min(size);
        return Some((length > 0).then_some(Span { offset: size - length, length }));
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    Some((first < size).then(|| Span { offset: first, length: last.min(size - 1) - first + 1 }))
}

/// The value of digits; more than a number can say is its largest.
fn number(digits: &str) -> Option<u64> {
    let are_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    are_digits.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(list: &[(u64, u64)]) -> Ranges {
        Ranges::Parts(list.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect())
    }

    #[test]
    fn ranges_are_read_as_the_rfc_says() {
        for (text, size, expected) in [
            ("bytes=0-0", 10, parts(&[(0, 1)])),
            ("bytes=0-", 10, parts(&[(0, 10)])),
            ("Bytes=2-5", 10, parts(&[(2, 4)])),
            ("bytes=5-100", 10, parts(&[(5, 5)])),
            ("bytes=9-18446744073709551616", 10, parts(&[(9, 1)])),
            ("bytes=-3", 10, parts(&[(7, 3)])),
            ("bytes=-30", 10, parts(&[(0, 10)])),
            ("bytes=0-0, ,-1", 10, parts(&[(0, 1), (9, 1)])),
            ("bytes=5-6,0-1", 10, parts(&[(5, 2), (0, 2)])),
            ("bytes=20-,0-1", 10, parts(&[(0, 2)])),
            ("bytes=10-", 10, Ranges::Unsatisfiable),
            ("bytes=-0", 10, Ranges::Unsatisfiable),
            ("bytes=0-", 0, Ranges::Unsatisfiable),
            ("bytes=-1", 0, Ranges::Unsatisfiable),
            ("bytes=99999999999999999999-", 10, Ranges::Unsatisfiable),
            ("bytes=0-5,3-8", 10, Ranges::Whole),
            ("bytes=5-2", 10, Ranges::Whole),
            ("bytes=0-1,5-2", 10, Ranges::Whole),
            ("bytes=", 10, Ranges::Whole),
            ("bytes=,", 10, Ranges::Whole),
            ("bytes=-", 10, Ranges::Whole),
            ("bytes=+1-2", 10, Ranges::Whole),
            ("bytes=a-b", 10, Ranges::Whole),
            ("bytes 0-1", 10, Ranges::Whole),
            ("lines=0-1", 10, Ranges::Whole),
            ("", 10, Ranges::Whole),
        ] {
            assert_eq!(Ranges::of(text.as_bytes(), size), expected, "{text} of {size}");
        }
        let many = |count: u64| {
            (0..count).map(|number| std::format!("{0}-{0},", 2 * number)).collect::<std::string::String>()
        };
        assert!(
            matches!(Ranges::of(std::format!("bytes={}", many(16)).as_bytes(), 100), Ranges::Parts(parts) if parts.len() == 16)
        );
        assert_eq!(Ranges::of(std::format!("bytes={}", many(17)).as_bytes(), 100), Ranges::Whole);
    }

    proptest! {
        #[test]
        fn parts_lie_within_the_file_and_are_together_no_longer(text in "bytes=[0-9]{0,20}-[0-9]{0,3}(,[0-9]{0,3}-[0-9]{0,3}){0,5}", size: u64) {
            if let Ranges::Parts(parts) = Ranges::of(text.as_bytes(), size) {
                prop_assert!(!parts.is_empty());
                prop_assert!(parts.iter().all(|part| part.length > 0 && part.last() < size));
                prop_assert!(parts.iter().map(|part| u128::from(part.length)).sum::<u128>() <= u128::from(size));
            }
        }

        #[test]
        fn arbitrary_bytes_do_no_harm(bytes: Vec<u8>, size: u64) {
            let _ = Ranges::of(&bytes, size);
            let _ = Ranges::of(&[b"bytes=".as_slice(), &bytes].concat(), size);
        }
    }
}
