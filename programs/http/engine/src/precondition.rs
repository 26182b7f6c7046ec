//! Requests that are to be done only if the file has changed, or has not (RFC 9110, section 13).

use crate::date::{Moment, parse_date};
use crate::tag::Tag;
use crate::{Method, Request};

/// What a request's conditions come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is to be done.
    Holds,
    /// The client has the file already.
    NotModified,
    /// A condition does not hold.
    Failed,
}

/// Which version of a file there is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validators {
    pub tag: Tag,
    pub modified: Moment,
    pub now: Moment,
}

impl Validators {
    /// Judges in the order of section 13.2.2. A date that is none is as if it were not there.
    pub fn judge(&self, request: &Request) -> Verdict {
        let date = |text: &Option<alloc::boxed::Box<[u8]>>| {
            text.as_deref().and_then(|text| parse_date(text, self.now))
        };
        if let Some(list) = &request.if_match {
            if !self.tag.is_strongly_among(list) {
                return Verdict::Failed;
            }
        } else if date(&request.if_unmodified_since).is_some_and(|since| self.modified > since) {
            return Verdict::Failed;
        }
        let reads = matches!(request.method, Method::Get | Method::Head);
        if let Some(list) = &request.if_none_match {
            if self.tag.is_among(list) {
                return if reads { Verdict::NotModified } else { Verdict::Failed };
            }
        } else if reads
            && self.tag.is_settled()
            && date(&request.if_modified_since).is_some_and(|since| self.modified <= since)
        {
            return Verdict::NotModified;
        }
        Verdict::Holds
    }

    /// Whether a part may be given: the client has other parts of this very version (section 13.1.5).
    pub fn is_same(&self, if_range: &[u8]) -> bool {
        if if_range.starts_with(b"\"") || if_range.starts_with(b"W/") {
            return self.tag.is_exactly(if_range);
        }
        // A date is strong when the file can no more change within the second that it names (section 8.8.2.2).
        let date = parse_date(if_range, self.now);
        self.tag.is_settled() && date.is_some_and(|date| date == self.modified && self.now.0 > date.0)
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::vec::Vec;

    use super::*;
    use crate::Version;

    const NOW: Moment = Moment(784_111_800);
    const MODIFIED: Moment = Moment(784_111_777);
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn validators() -> Validators {
        Validators { tag: Tag::new(1, 2, NOW), modified: MODIFIED, now: NOW }
    }

    fn request() -> Request {
        Request {
            method: Method::Get,
            version: Version::Http11,
            path: None,
            query: "".into(),
            persists: true,
            if_match: None,
            if_none_match: None,
            if_modified_since: None,
            if_unmodified_since: None,
            if_range: None,
            range: None,
        }
    }

    fn text(text: &str) -> Option<Box<[u8]>> {
        Some(Vec::from(text).into())
    }

    #[test]
    fn conditions_are_judged_in_the_order_of_the_rfc() {
        let judge = |change: &dyn Fn(&mut Request)| {
            let mut request = request();
            change(&mut request);
            validators().judge(&request)
        };
        assert_eq!(judge(&|_| {}), Verdict::Holds);
        for (since, expected) in [
            (SAME, Verdict::NotModified),
            (AFTER, Verdict::NotModified),
            (BEFORE, Verdict::Holds),
            ("now", Verdict::Holds),
        ] {
            assert_eq!(judge(&|request| request.if_modified_since = text(since)), expected, "{since}");
        }
        for (since, expected) in [
            (SAME, Verdict::Holds),
            (AFTER, Verdict::Holds),
            (BEFORE, Verdict::Failed),
            ("now", Verdict::Holds),
        ] {
            assert_eq!(judge(&|request| request.if_unmodified_since = text(since)), expected, "{since}");
        }
        for (tags, expected) in
            [("\"1-2\"", Verdict::NotModified), ("*", Verdict::NotModified), ("\"1-3\"", Verdict::Holds)]
        {
            // A tag counts, and not the date beside it.
            let change = |request: &mut Request| {
                (request.if_none_match, request.if_modified_since) = (text(tags), text(SAME))
            };
            assert_eq!(judge(&change), expected, "{tags}");
        }
        for (tags, expected) in
            [("\"1-2\"", Verdict::Holds), ("W/\"1-2\"", Verdict::Failed), ("\"1-3\"", Verdict::Failed)]
        {
            let change = |request: &mut Request| {
                (request.if_match, request.if_unmodified_since) = (text(tags), text(BEFORE))
            };
            assert_eq!(judge(&change), expected, "{tags}");
        }
        let both = |request: &mut Request| {
            (request.if_match, request.if_none_match) = (text("\"1-3\""), text("\"1-2\""))
        };
        assert_eq!(judge(&both), Verdict::Failed);
    }

    #[test]
    fn a_part_is_given_of_the_same_version_only() {
        for (said, expected) in [
            ("\"1-2\"", true),
            ("W/\"1-2\"", false),
            ("\"1-3\"", false),
            (SAME, true),
            (BEFORE, false),
            (AFTER, false),
            ("x", false),
        ] {
            assert_eq!(validators().is_same(said.as_bytes()), expected, "{said}");
        }
        let replaced = Validators { tag: Tag::new(NOW.0 * 1_000_000_000, 2, NOW), ..validators() };
        assert!(!replaced.is_same(SAME.as_bytes()), "another file just came in its place");
        let at_once = Validators { now: MODIFIED, ..validators() };
        assert!(!at_once.is_same(SAME.as_bytes()), "it may still change within this second");
    }
}
