//! Arbitrary streams in arbitrary pieces: what is said depends on the bytes alone, and takes bounded memory.

use hallows_http_engine::{Input, Limits, Step};
use proptest::collection::vec;
use proptest::prelude::*;

const LIMITS: Limits = Limits { line_bytes: 60, head_bytes: 200, body_bytes: 100 };
/// The largest piece that is given at once, as a server reads it.
const PIECE: usize = 500;

/// All steps of a stream in pieces; it checks after each what it takes of memory.
fn steps<'b>(pieces: impl Iterator<Item = &'b [u8]>) -> Vec<Step> {
    let mut input = Input::new(LIMITS);
    let mut steps = Vec::new();
    for piece in pieces {
        input.receive(piece);
        // A vector may have twice what it needs.
        assert!(input.memory() <= 2 * (LIMITS.head_bytes + PIECE), "{} bytes", input.memory());
        loop {
            match input.next() {
                Step::More => break,
                step => steps.push(step),
            }
        }
    }
    steps
}

fn whole(bytes: &[u8]) -> Vec<Step> {
    steps(bytes.chunks(PIECE))
}

/// In pieces of these lengths, as often as it takes.
fn split(bytes: &[u8], lengths: &[usize]) -> Vec<Step> {
    let (mut rest, mut pieces) = (bytes, Vec::new());
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    steps(pieces.into_iter())
}

/// What requests are made of, well or ill.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: &[&str] = &[
        "GET / HTTP/1.1\r\n",
        "HEAD /a%20b?c HTTP/1.1\r\n",
        "POST / HTTP/1.1\r\n",
        "GET / HTTP/1.0\r\n",
        "OPTIONS * HTTP/1.1\r\n",
        "Host: x\r\n",
        "Host: x\r\n\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 500\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Expect: 100-continue\r\n",
        "Connection: close\r\n",
        "Range: bytes=0-1\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "hello",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "0\r\nX: y\r\n\r\n",
        "ff\r\n",
        ": ",
        " ",
    ];
    prop_oneof![
        8 => proptest::sample::select(KNOWN).prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0..300_usize).prop_map(|(byte, count)| vec![byte; count]),
    ]
}

/// Valid requests, one behind the other.
fn valid() -> impl Strategy<Value = (Vec<u8>, usize)> {
    let request = (0..5_u8, 0..40_usize, "[a-z]{0,10}").prop_map(|(kind, length, name)| {
        let body = "x".repeat(length);
        match kind {
            0 => format!("GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n"),
            1 => format!("\r\nHEAD /{name} HTTP/1.0\r\n\r\n"),
            2 => format!("PUT /{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}"),
            3 => format!("PUT /{name} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{:x};e\r\nx{body}\r\n0\r\nT: {name}\r\n\r\n", length + 1),
            _ => format!("GET /{name} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n{body}"),
        }
        .into_bytes()
    });
    vec(request, 0..12).prop_map(|requests| (requests.concat(), requests.len()))
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("HTTP_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(2_000);
    ProptestConfig { cases, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn valid_requests_are_all_taken_however_they_are_split((bytes, count) in valid(), lengths in vec(1..80_usize, 1..6)) {
        let steps = split(&bytes, &lengths);
        prop_assert_eq!(steps.iter().filter(|step| matches!(step, Step::Request(_))).count(), count);
        prop_assert!(!steps.iter().any(|step| matches!(step, Step::Refuse(_))));
        prop_assert_eq!(steps, whole(&bytes));
        prop_assert_eq!(split(&bytes, &[1]), whole(&bytes));
    }

    #[test]
    fn nearly_valid_streams_are_told_the_same_however_they_are_split(fragments in vec(fragment(), 0..12), lengths in vec(1..80_usize, 1..6)) {
        let bytes = fragments.concat();
        let expected = whole(&bytes);
        prop_assert_eq!(&split(&bytes, &lengths), &expected);
        prop_assert_eq!(&split(&bytes, &[1]), &expected);
        // Nothing comes behind a refusal.
        let refused = expected.iter().position(|step| matches!(step, Step::Refuse(_)));
        prop_assert!(refused.is_none_or(|place| place + 1 == expected.len()));
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..2_000), lengths in vec(1..PIECE, 1..6)) {
        prop_assert_eq!(split(&bytes, &lengths), whole(&bytes));
    }
}
