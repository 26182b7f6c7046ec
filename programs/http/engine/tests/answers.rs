//! What is answered to a request.

use hallows_http_engine::{Answer, Facts, Input, Limits, Moment, Part, Request, Server, Status, Step};

const NOW: Moment = Moment(784_111_800);
const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const FILE: &[u8] = b"0123456789";

fn facts() -> Facts<'static> {
    Facts {
        size: FILE.len() as u64,
        modified_ns: 784_111_777_000_000_000,
        changed_ns: 0xabc,
        media: "text/plain; charset=utf-8",
    }
}

fn server() -> Server {
    Server::new(*b"0123456789abcdef")
}

fn request(line: &str, fields: &str) -> Request {
    let mut input = Input::new(Limits::default());
    input.receive(format!("{line}\r\nHost: x\r\n{fields}\r\n").as_bytes());
    match input.next() {
        Step::Request(request) => request,
        other => panic!("{other:?}"),
    }
}

/// All bytes of an answer.
fn sent(answer: &Answer) -> String {
    let mut bytes = answer.head.clone();
    for part in &answer.parts {
        match part {
            Part::Bytes(more) => bytes.extend(more),
            Part::File(span) => bytes.extend(&FILE[span.offset as usize..][..span.length as usize]),
        }
    }
    String::from_utf8(bytes).expect("a text")
}

fn file(line: &str, fields: &str) -> String {
    sent(&server().file(&request(line, fields), &facts(), NOW))
}

/// The value of a field.
fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_file_is_given_with_what_it_is() {
    let expected = "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:50:00 GMT\r\nETag: \"abc-a\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
                    Accept-Ranges: bytes\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n\r\n";
    assert_eq!(file("GET / HTTP/1.1", ""), format!("{expected}0123456789"));
    assert_eq!(file("HEAD / HTTP/1.1", ""), expected);
    // Of HEAD no part is asked for.
    assert_eq!(file("HEAD / HTTP/1.1", "Range: bytes=0-1\r\n"), expected);
    let empty = Facts { size: 0, ..facts() };
    let answer = server().file(&request("GET / HTTP/1.1", ""), &empty, NOW);
    assert_eq!((field(&sent(&answer), "Content-Length"), &answer.parts[..]), (Some("0"), &[][..]));
    // Of one that was changed just now, or in the future, nothing is said that a client could keep it by.
    let future = Facts { modified_ns: u64::MAX, changed_ns: u64::MAX, ..facts() };
    let answer = sent(&server().file(
        &request("GET / HTTP/1.1", "If-None-Match: \"ffffffffffffffff-a\"\r\n"),
        &future,
        NOW,
    ));
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!((field(&answer, "ETag"), field(&answer, "Last-Modified")), (None, None));
    // Its contents' time may be in the future, and was set then: it is told to be now.
    let set = Facts { modified_ns: u64::MAX, ..facts() };
    let answer = sent(&server().file(&request("GET / HTTP/1.1", ""), &set, NOW));
    assert_eq!(field(&answer, "Last-Modified"), field(&answer, "Date"));
}

#[test]
fn a_connection_is_said_to_end_or_to_go_on() {
    for (line, fields, closes, said) in [
        ("GET / HTTP/1.1", "", false, None),
        ("GET / HTTP/1.1", "Connection: close\r\n", true, Some("close")),
        ("GET / HTTP/1.0", "", true, Some("close")),
        ("GET / HTTP/1.0", "Connection: keep-alive\r\n", false, Some("keep-alive")),
    ] {
        let answer = server().file(&request(line, fields), &facts(), NOW);
        assert_eq!((answer.closes, field(&sent(&answer), "Connection")), (closes, said), "{line} {fields}");
    }
    let refused = server().refuse(Status::BadRequest, NOW);
    assert!(refused.closes && field(&sent(&refused), "Connection") == Some("close"));
}

#[test]
fn one_part_is_given_alone_and_several_in_a_multipart() {
    let one = file("GET / HTTP/1.1", "Range: bytes=2-4\r\n");
    assert!(one.starts_with("HTTP/1.1 206 Partial Content\r\n") && one.ends_with("\r\n\r\n234"), "{one}");
    assert_eq!(
        (field(&one, "Content-Range"), field(&one, "Content-Length")),
        (Some("bytes 2-4/10"), Some("3"))
    );
    let both = file("GET / HTTP/1.1", "Range: bytes=7-,0-1\r\n");
    let boundary = field(&both, "Content-Type")
        .expect("a type")
        .strip_prefix("multipart/byteranges; boundary=")
        .expect("a boundary");
    let (_, content) = both.split_once("\r\n\r\n").expect("a content");
    assert_eq!(field(&both, "Content-Length"), Some(&*content.len().to_string()));
    let part = |range: &str, text: &str| {
        format!(
            "\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes {range}/10\r\n\r\n{text}"
        )
    };
    assert_eq!(content, format!("{}{}\r\n--{boundary}--\r\n", part("7-9", "789"), part("0-1", "01")));
    let none = file("GET / HTTP/1.1", "Range: bytes=10-\r\n");
    assert!(none.starts_with("HTTP/1.1 416 "), "{none}");
    assert_eq!(field(&none, "Content-Range"), Some("bytes */10"));
    assert!(file("GET / HTTP/1.1", "Range: bytes=x\r\n").ends_with("\r\n\r\n0123456789"));
}

#[test]
fn parts_are_given_only_of_the_version_that_the_client_has() {
    for (said, is_part) in [
        ("\"abc-a\"", true),
        (MODIFIED, true),
        ("\"other\"", false),
        ("W/\"abc-a\"", false),
        ("Sun, 06 Nov 1994 08:49:36 GMT", false),
    ] {
        let answer = file("GET / HTTP/1.1", &format!("Range: bytes=2-4\r\nIf-Range: {said}\r\n"));
        assert_eq!(answer.starts_with("HTTP/1.1 206 "), is_part, "{said}: {answer}");
        assert_eq!(answer.ends_with("\r\n\r\n234"), is_part, "{said}: {answer}");
    }
}

#[test]
fn who_has_the_file_is_told_so_without_it() {
    for fields in [
        "If-None-Match: \"abc-a\"\r\n",
        "If-None-Match: *\r\n",
        &format!("If-Modified-Since: {MODIFIED}\r\n"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = file(&format!("{method} / HTTP/1.1"), fields);
            assert!(
                answer.starts_with("HTTP/1.1 304 Not Modified\r\n") && answer.ends_with("\r\n\r\n"),
                "{answer}"
            );
            assert_eq!(
                (field(&answer, "ETag"), field(&answer, "Last-Modified")),
                (Some("\"abc-a\""), Some(MODIFIED))
            );
            assert_eq!(field(&answer, "Content-Length"), None);
        }
    }
    let failed = file("GET / HTTP/1.1", "If-Match: \"other\"\r\n");
    assert!(failed.starts_with("HTTP/1.1 412 Precondition Failed\r\n"), "{failed}");
}

#[test]
fn what_is_no_file_is_said_with_what_can_be_done() {
    let refused =
        sent(&server().without_file(&request("POST / HTTP/1.1", ""), Status::MethodNotAllowed, NOW));
    assert_eq!(field(&refused, "Allow"), Some("GET, HEAD, OPTIONS"));
    assert!(refused.ends_with("\r\n\r\n405 Method Not Allowed\n"), "{refused}");
    let head = sent(&server().without_file(&request("HEAD / HTTP/1.1", ""), Status::NotFound, NOW));
    assert!(head.ends_with("Content-Length: 14\r\n\r\n"), "{head}");
    let options = sent(&server().options(&request("OPTIONS * HTTP/1.1", ""), NOW));
    assert_eq!(
        (field(&options, "Allow"), field(&options, "Content-Length")),
        (Some("GET, HEAD, OPTIONS"), Some("0"))
    );
    let moved = request("GET /a%20b//%0d%0ac?x=/y HTTP/1.1", "");
    let answer = sent(&server().redirect(&moved, moved.path.as_ref().expect("a path"), NOW));
    assert!(answer.starts_with("HTTP/1.1 301 "), "{answer}");
    assert_eq!(field(&answer, "Location"), Some("/a%20b/%0D%0Ac/?x=/y"));
}
