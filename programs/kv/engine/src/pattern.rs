//! Patterns of keys: `*`, `?`, `[a-z]`, `[^a]`, `\` before a character that is meant as it is.

/// Whether the whole text matches. Time is at most the product of both lengths.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    compare(pattern, text, |a, b| a == b)
}

/// The same, whatever the case of letters.
pub fn matches_any_case(pattern: &[u8], text: &[u8]) -> bool {
    compare(pattern, text, |a, b| a.eq_ignore_ascii_case(&b))
}

fn compare(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where to go on if what follows the last star does not match: one more byte is the star's.
    let mut star = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            if at == pattern.len() {
                return true;
            }
            star = Some((at, place));
            continue;
        }
        let Some(byte) = text.get(place) else { return at == pattern.len() };
        match one(&pattern[at..], *byte, &same) {
            Some(length) => {
                at += length;
                place += 1;
            }
            None => {
                let Some((behind, from)) = star else { return false };
                let Some(next) = could_begin(&pattern[behind..], text, from + 1, &same) else { return false };
                star = Some((behind, next));
                at = behind;
                place = next;
            }
        }
    }
}

/// The first place from one on where a text may match what a pattern begins with. `None`: there is none.
fn could_begin(pattern: &[u8], text: &[u8], from: usize, same: &impl Fn(u8, u8) -> bool) -> Option<usize> {
    match pattern.first() {
        None | Some(b'*' | b'?' | b'[' | b'\\') => Some(from),
        Some(meant) => {
            text.get(from..)?.iter().position(|byte| same(*meant, *byte)).map(|length| from + length)
        }
    }
}

/// Whether a byte matches what the pattern begins with; how long that is.
fn one(pattern: &[u8], byte: u8, same: &impl Fn(u8, u8) -> bool) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ref class @ ..] => in_class(class, byte, same).map(|length| length + 1),
        [b'\\', meant, ..] => same(meant, byte).then_some(2),
        [meant, ..] => same(meant, byte).then_some(1),
    }
}

/// Whether a byte is in the class that stands behind a `[`; how long that is. A class without an end reaches to the end of the pattern.
fn in_class(class: &[u8], byte: u8, same: &impl Fn(u8, u8) -> bool) -> Option<usize> {
    let is_negated = class.first() == Some(&b'^');
    let (mut at, mut is_in) = (usize::from(is_negated), false);
    loop {
        match class.get(at..).unwrap_or_default() {
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', meant, ..] => {
                is_in |= same(*meant, byte);
                at += 2;
            }
            [from, b'-', to, ..] => {
                let (from, to) = (from.min(to), from.max(to));
                is_in |= (from..=to).contains(&&byte)
                    || (same(b'a', b'A') && (from..=to).contains(&&byte.to_ascii_lowercase()));
                at += 3;
            }
            [meant, ..] => {
                is_in |= same(*meant, byte);
                at += 1;
            }
        }
    }
    (is_in != is_negated).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_what_they_say() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "axb", false),
            ("[a", "a", true),
            ("*a*b*c*", "xxaxxbxxcxx", true),
            ("*a*b*c", "xxaxxbxxcxx", false),
            ("a**b", "ab", true),
            ("[\\]]", "]", true),
            ("a*", "a", true),
            ("*a", "", false),
            ("*?", "", false),
            ("*ab", "aab", true),
            ("*ab", "aba", false),
            ("*a?", "aba", false),
            ("*\\*", "ab*", true),
            ("**", "", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
        assert!(matches_any_case(b"MAX*", b"maxmemory"));
    }

    #[test]
    fn many_stars_take_no_long_time() {
        let text = alloc::vec![b'a'; 10_000];
        assert!(!matches(&b"*a".repeat(500).into_iter().chain(*b"b").collect::<alloc::vec::Vec<_>>(), &text));
    }
}
