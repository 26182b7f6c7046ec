//! Entity tags (RFC 9110, section 8.8.3): which version of a file something is.

use alloc::vec::Vec;

use crate::date::Moment;

const SECOND_NS: u64 = 1_000_000_000;

/// The tag of a file: when its inode was last changed, and its size. Whatever is done to a file changes that time, and nobody can set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    changed_ns: u64,
    size: u64,
    /// It was not changed within the last second, in which it could change again and have the same time: hosts count in ticks (section 8.8.1). Before, it
    /// has no tag that says anything, and is equal to nothing that a client could have.
    is_settled: bool,
}

impl Tag {
    pub const fn new(changed_ns: u64, size: u64, now: Moment) -> Self {
        let since_ns = now.0.saturating_mul(SECOND_NS).saturating_sub(changed_ns);
        Self { changed_ns, size, is_settled: since_ns >= SECOND_NS }
    }

    /// Whether it may be told.
    pub const fn is_settled(self) -> bool {
        self.is_settled
    }

    pub fn write(self, into: &mut Vec<u8>) {
        into.push(b'"');
        write_hexadecimal(self.changed_ns, into);
        into.push(b'-');
        write_hexadecimal(self.size, into);
        into.push(b'"');
    }

    /// Whether it is among those of a list, or the list is `*`. For `If-None-Match`, where weak tags are as good (section 8.8.3.2).
    pub fn is_among(self, list: &[u8]) -> bool {
        self.is_in(list, |_| true)
    }

    /// The same for `If-Match`, where those of the list have to be strong.
    pub fn is_strongly_among(self, list: &[u8]) -> bool {
        self.is_in(list, |is_weak| !is_weak)
    }

    /// Whether it is this one tag, and a strong one.
    pub fn is_exactly(self, text: &[u8]) -> bool {
        list(text).next().is_some_and(|_| text.first() == Some(&b'"')) && self.is_strongly_among(text)
    }

    fn is_in(self, text: &[u8], is_good: impl Fn(bool) -> bool) -> bool {
        if text.trim_ascii() == b"*" {
            return true;
        }
        let mut own = Vec::with_capacity(40);
        self.write(&mut own);
        self.is_settled && list(text).any(|(is_weak, tag)| is_good(is_weak) && tag == own)
    }
}

fn write_hexadecimal(value: u64, into: &mut Vec<u8>) {
    let digits = (64 - value.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        let digit = u32::try_from(value >> (4 * place) & 15).unwrap_or_default();
        into.extend(char::from_digit(digit, 16).and_then(|digit| u8::try_from(digit).ok()));
    }
}

/// The tags of a list, with their quotes, and whether each is weak. It ends where something else stands.
fn list(text: &[u8]) -> impl Iterator<Item = (bool, &[u8])> {
    let mut rest = text;
    core::iter::from_fn(move || {
        while let [b',' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
        let (is_weak, tag) = rest.strip_prefix(b"W/").map_or((false, rest), |tag| (true, tag));
        let inner = tag.strip_prefix(b"\"")?;
        let end = inner.iter().position(|byte| *byte == b'"')?;
        let tag = tag.get(..end + 2)?;
        rest = inner.get(end + 1..)?;
        Some((is_weak, tag))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Moment = Moment(100);
    const TAG: Tag = Tag::new(0xab, 0x400, NOW);

    fn text(tag: Tag) -> std::string::String {
        let mut bytes = Vec::new();
        tag.write(&mut bytes);
        std::string::String::from_utf8(bytes).expect("ASCII")
    }

    #[test]
    fn a_file_has_no_tag_for_the_second_in_which_it_may_change_unseen() {
        assert_eq!(text(TAG), "\"ab-400\"");
        assert!(Tag::new(99 * SECOND_NS, 0, NOW).is_settled());
        let fresh = Tag::new(99 * SECOND_NS + 1, 0, NOW);
        assert!(!fresh.is_settled() && !fresh.is_among(text(fresh).as_bytes()) && fresh.is_among(b"*"));
        // Of a clock that was set back.
        assert!(!Tag::new(u64::MAX, 0, NOW).is_settled());
    }

    #[test]
    fn lists_of_tags_are_compared_weakly_and_strongly() {
        for (list, weakly, strongly) in [
            ("\"ab-400\"", true, true),
            ("W/\"ab-400\"", true, false),
            ("*", true, true),
            ("\"x\", \"ab-400\"", true, true),
            ("\"x,y\" ,,\t\"ab-400\"", true, true),
            ("\"ab-400", false, false),
            ("ab-400", false, false),
            ("x \"ab-400\"", false, false),
            ("\"ab-401\"", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                (TAG.is_among(list.as_bytes()), TAG.is_strongly_among(list.as_bytes())),
                (weakly, strongly),
                "{list}"
            );
        }
        assert!(TAG.is_exactly(b"\"ab-400\""));
        assert!(!TAG.is_exactly(b"*") && !TAG.is_exactly(b"W/\"ab-400\"") && !TAG.is_exactly(b""));
    }

    proptest! {
        #[test]
        fn a_tag_that_was_given_is_known_again(changed: u64, size: u64, now in 0..u64::MAX / SECOND_NS) {
            let tag = Tag::new(changed, size, Moment(now));
            prop_assert_eq!(tag.is_among(text(tag).as_bytes()), tag.is_settled());
            prop_assert_eq!(tag.is_strongly_among(text(tag).as_bytes()), tag.is_settled());
        }

        #[test]
        fn arbitrary_lists_do_no_harm(bytes: Vec<u8>) {
            let _ = (TAG.is_among(&bytes), TAG.is_exactly(&bytes));
        }
    }
}
