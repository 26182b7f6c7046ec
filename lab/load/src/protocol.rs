//! What is said to servers, and what they must answer: as pure functions over bytes.

mod memcached;
mod resp;

use std::fmt;

use crate::{Data, LoadError, Request};

/// No answer is longer: the generator's memory is bounded by it, whatever a server sends.
pub(crate) const LONGEST_ANSWER: usize = 64 << 20;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// REdis Serialization Protocol, version 2: redis, valkey and many others (redis.io, "Redis serialization protocol specification").
    Resp,
    /// memcached's text protocol (its `doc/protocol.txt`).
    Memcached,
}

/// What is at the beginning of what was received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Not all of an answer.
    Incomplete,
    /// What must be answered, in so many bytes.
    Right(usize),
    /// Another answer, in so many bytes.
    Wrong(usize),
    /// No answer of this protocol.
    Malformed,
}

impl Protocol {
    /// Refuses requests that this protocol has no words for.
    pub(crate) fn check(self, request: Request) -> Result<(), LoadError> {
        match (self, request) {
            (Self::Memcached, Request::Search) => {
                Err(LoadError::Argument("memcached has no command that goes through all keys".to_owned()))
            }
            (_, Request::GetMany(keys)) if !(1..=10_000).contains(&keys) => {
                Err(LoadError::Argument("1 to 10,000 keys are got at once".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// Writes a request about the key of this number.
    pub(crate) fn ask(self, data: Data, request: Request, key: u32, out: &mut Vec<u8>) {
        match self {
            Self::Resp => resp::ask(data, request, key, out),
            Self::Memcached => memcached::ask(data, request, key, out),
        }
    }

    /// Writes what must be answered to it.
    pub(crate) fn right(self, data: Data, request: Request, key: u32, out: &mut Vec<u8>) {
        match self {
            Self::Resp => resp::right(data, request, key, out),
            Self::Memcached => memcached::right(data, request, key, out),
        }
    }

    /// Looks at what was received; `right` is what must be there.
    pub(crate) fn read(self, received: &[u8], right: &[u8]) -> Answer {
        let both = received.len().min(right.len());
        if received[..both] == right[..both] {
            return if both == right.len() { Answer::Right(both) } else { Answer::Incomplete };
        }
        let length = match self {
            Self::Resp => resp::length(received),
            Self::Memcached => memcached::length(received),
        };
        match length {
            Ok(Some(length)) => Answer::Wrong(length),
            Ok(None) if received.len() < LONGEST_ANSWER => Answer::Incomplete,
            _ => Answer::Malformed,
        }
    }

    /// A request that costs nothing, and how its answer begins: to find out whether somebody is there.
    pub(crate) fn greeting(self) -> (&'static [u8], &'static [u8]) {
        match self {
            Self::Resp => (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n"),
            Self::Memcached => (b"version\r\n", b"VERSION "),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Protocol {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resp => "RESP",
            Self::Memcached => "memcached's protocol",
        }
    }
}

/// An answer's beginning for an error message: one line, no control characters.
pub(crate) fn shown(answer: &[u8]) -> String {
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let text: String =
        String::from_utf8_lossy(line).chars().take(80).filter(|one| !one.is_control()).collect();
    format!("'{text}'")
}

/// The next line's length, with its end; `None`: it is not there yet.
fn line(bytes: &[u8]) -> Option<usize> {
    bytes.windows(2).position(|pair| pair == b"\r\n").map(|at| at + 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DATA: Data = Data { keys: 1_000, value_bytes: 48 };

    fn every() -> impl Strategy<Value = (Protocol, Request)> {
        prop_oneof![
            Just((Protocol::Resp, Request::Get)),
            Just((Protocol::Resp, Request::Set)),
            Just((Protocol::Resp, Request::Search)),
            Just((Protocol::Resp, Request::GetMany(5))),
            Just((Protocol::Memcached, Request::Get)),
            Just((Protocol::Memcached, Request::Set)),
            Just((Protocol::Memcached, Request::GetMany(5))),
        ]
    }

    fn right(protocol: Protocol, request: Request, key: u32) -> Vec<u8> {
        let mut out = Vec::new();
        protocol.right(DATA, request, key, &mut out);
        out
    }

    proptest! {
        /// Cut anywhere it is incomplete; whole it is right, whatever comes behind.
        #[test]
        fn a_right_answer_is_seen_when_all_of_it_is_there((protocol, request) in every(), key in 0u32..1_000, more in prop::collection::vec(any::<u8>(), 0..20)) {
            let right = right(protocol, request, key);
            for end in 0..right.len() {
                prop_assert_eq!(protocol.read(&right[..end], &right), Answer::Incomplete);
            }
            let received = [&right[..], &more].concat();
            prop_assert_eq!(protocol.read(&received, &right), Answer::Right(right.len()));
        }

        /// The answer about another key is wrong, and as long as it is: the next one begins behind it.
        #[test]
        fn another_answer_is_wrong_and_its_end_is_found((protocol, request) in every(), key in 0u32..1_000, other in 0u32..1_000) {
            prop_assume!(request != Request::Set && key != other);
            let (right, other) = (right(protocol, request, key), right(protocol, request, other));
            let received = [&other[..], &right].concat();
            prop_assert_eq!(protocol.read(&received, &right), Answer::Wrong(other.len()));
        }

        #[test]
        fn arbitrary_bytes_are_read_without_a_panic_and_without_going_beyond_them((protocol, request) in every(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let right = right(protocol, request, 7);
            if let Answer::Right(length) | Answer::Wrong(length) = protocol.read(&bytes, &right) {
                prop_assert!(0 < length && length <= bytes.len());
            }
        }
    }

    #[test]
    fn errors_are_wrong_answers_and_other_protocols_none_at_all() {
        let value = right(Protocol::Resp, Request::Get, 1);
        for (received, expected) in [
            (&b"-LOADING wait\r\n+OK\r\n"[..], Answer::Wrong(15)),
            (b"$-1\r\n", Answer::Wrong(5)),
            (b"*2\r\n$1\r\na\r\n:5\r\n", Answer::Wrong(15)),
            (b"*-1\r\n", Answer::Wrong(5)),
            (b"*2\r\n$1\r\na\r\n", Answer::Incomplete),
            (b"HTTP/1.1 400 Bad Request\r\n", Answer::Malformed),
            (b"$x\r\n", Answer::Malformed),
            (b"$99999999999999999999\r\n", Answer::Malformed),
            (b"$3\r\nabcde", Answer::Malformed),
        ] {
            assert_eq!(Protocol::Resp.read(received, &value), expected, "{}", shown(received));
        }
        let nested = b"*1\r\n".repeat(1_000);
        assert_eq!(Protocol::Resp.read(&nested, &value), Answer::Malformed);
        let value = right(Protocol::Memcached, Request::Get, 1);
        for (received, expected) in [
            (&b"END\r\n"[..], Answer::Wrong(5)),
            (b"SERVER_ERROR out of memory\r\n", Answer::Wrong(28)),
            (b"VALUE a 0 3\r\nabc\r\nEND\r\n", Answer::Wrong(23)),
            (b"VALUE a 0 3\r\nab", Answer::Incomplete),
            (b"VALUE a 0 -3\r\n", Answer::Malformed),
            (b"-ERR unknown command\r\n", Answer::Malformed),
        ] {
            assert_eq!(Protocol::Memcached.read(received, &value), expected, "{}", shown(received));
        }
    }

    #[test]
    fn what_is_shown_of_an_answer_is_a_line_without_surprises() {
        assert_eq!(shown(b"-ERR \x1b[31mred\r\nmore"), "'-ERR [31mred'");
        assert!(shown(&[b'x'; 5_000]).len() < 100);
    }
}
