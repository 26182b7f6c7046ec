//! Which requests are taken from a stream, and which are refused.

use hallows_http_engine::{Input, Limits, Method, Request, Status, Step, Version};

const LIMITS: Limits = Limits { line_bytes: 100, head_bytes: 300, body_bytes: 50 };

/// All steps that these bytes make.
fn steps(text: &str) -> Vec<Step> {
    let mut input = Input::new(LIMITS);
    input.receive(text.as_bytes());
    let mut steps = Vec::new();
    loop {
        match input.next() {
            Step::More => return steps,
            step => steps.push(step),
        }
    }
}

fn only(text: &str) -> Request {
    match &steps(text)[..] {
        [Step::Request(request)] => request.clone(),
        other => panic!("{text:?} is {other:?}"),
    }
}

fn path(request: &Request) -> &str {
    std::str::from_utf8(request.path.as_ref().expect("a path").bytes()).expect("a text")
}

#[test]
fn a_request_says_what_and_how() {
    let request = only(
        "GET /a%20b?c HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\nIf-None-Match: \"a\"\r\nif-none-match:\"b\" \r\n\r\n",
    );
    assert_eq!(
        (request.method, request.version, path(&request), &*request.query),
        (Method::Get, Version::Http11, "a b", "?c")
    );
    assert_eq!(request.range.as_deref(), Some(&b"bytes=0-"[..]));
    assert_eq!(request.if_none_match.as_deref(), Some(&b"\"a\", \"b\""[..]));
    assert_eq!(only("GET / HTTP/1.1\r\nHost: x\r\nRange: bytes=0-\r\nRange: bytes=1-\r\n\r\n").range, None);
    assert_eq!(only("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").method, Method::Head);
    assert_eq!(only("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").path, None);
    assert_eq!(only("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").method, Method::Other);
    assert_eq!(only("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n").method, Method::Other);
    // A proxy's form, whose host is meant and not the field's (RFC 9112, section 3.2.2).
    assert_eq!(path(&only("GET http://y/a HTTP/1.1\r\nHost: x\r\n\r\n")), "a");
    // Blank lines before it (section 2.2).
    assert_eq!(path(&only("\r\n\r\nGET /a HTTP/1.1\r\nHost:\r\n\r\n")), "a");
}

#[test]
fn a_connection_persists_as_its_version_says_and_the_client_wants() {
    for (version, field, persists) in [
        ("1.1", "", true),
        ("1.1", "Connection: close\r\n", false),
        ("1.1", "Connection: x, CLOSE\r\n", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true),
        ("1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        let request = only(&format!("GET / HTTP/{version}\r\nHost: x\r\n{field}\r\n"));
        assert_eq!(request.persists, persists, "{version} {field}");
    }
}

#[test]
fn requests_may_come_all_at_once() {
    let text = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2)
        + "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
        + "GET /3 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\n\r\n\r\n0\r\nX: y\r\n\r\n\r\n"
        + "GET /4 HTTP/1.0\r\n\r\n";
    let paths: Vec<_> = steps(&text)
        .iter()
        .map(|step| match step {
            Step::Request(request) => path(request).to_owned(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(paths, ["1", "1", "2", "3", "4"]);
}

#[test]
fn who_waits_to_be_told_that_a_body_may_come_is_told() {
    let head = "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n";
    assert_eq!(steps(head), [Step::Continue]);
    assert!(matches!(&steps(&format!("{head}abc"))[..], [Step::Continue, Step::Request(_)]));
    // Not where nothing comes, and not of a client that cannot know it.
    only("GET / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n");
    only("GET / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx");
    // What is not done anyhow needs no body.
    assert_eq!(steps(&head.replace("GET", "PUT")), [Step::Refuse(Status::MethodNotAllowed)]);
    assert_eq!(steps(&head.replace("3", "51")), [Step::Refuse(Status::ContentTooLarge)]);
    assert_eq!(steps(&head.replace("100-Continue", "200-ok")), [Step::Refuse(Status::ExpectationFailed)]);
}

#[test]
fn what_two_could_read_as_two_things_is_refused() {
    let host = "GET / HTTP/1.1\r\nHost: x\r\n";
    for bad in [
        // Of requests that are smuggled past somebody (RFC 9112, sections 6.1, 6.3 and 11.2).
        format!("{host}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
        format!("{host}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n"),
        format!("{host}Content-Length: 3\r\nContent-Length: 3\r\n\r\n"),
        format!("{host}Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
        format!("{host}Content-Length: 3, 3\r\n\r\n"),
        format!("{host}Content-Length: +3\r\n\r\n"),
        format!("{host}Content-Length: 0x3\r\n\r\n"),
        format!("{host}Content-Length: \r\n\r\n"),
        format!("{host}Content-Length: 3 \u{b}\r\n\r\n"),
        format!("{host}Content-Length : 3\r\n\r\n"),
        format!("{host}Transfer-Encoding: identity\r\n\r\n"),
        format!("{host}Transfer-Encoding: chunked, identity\r\n\r\n"),
        format!("{host}Transfer-Encoding:\r\n\r\n"),
        format!("{host}Transfer-Encoding : chunked\r\n\r\n"),
        format!("{host}Transfer-Encoding: \u{b}chunked\r\n\r\n"),
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
        // Fields that go on in the next line (section 5.2), and lines that end otherwise (section 2.2).
        format!("{host}X: a\r\n b\r\n\r\n"),
        format!("{host}\tX: a\r\n\r\n"),
        " GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n Host: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\n\n".to_owned(),
        "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n".to_owned(),
        // Whom it is for (section 3.2).
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
        format!("{host}Host: x\r\n\r\n"),
        format!("{host}host: y\r\n\r\n"),
        "GET / HTTP/1.1\r\nHost: x/y\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x y\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x@y\r\n\r\n".to_owned(),
        // What is no request.
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /\r\n\r\n".to_owned(),
        "GET / HTTP/x.y\r\nHost: x\r\n\r\n".to_owned(),
        "GET * HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET x HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\0\r\n\r\n".to_owned(),
    ] {
        // Nothing behind it is a request.
        let text = format!("{bad}GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(steps(&text), [Step::Refuse(Status::BadRequest)], "{bad:?}");
    }
}

#[test]
fn what_cannot_be_done_is_said_by_its_name() {
    for (text, status) in [
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n", Status::NotImplemented),
        ("get / HTTP/1.1\r\nHost: x\r\n\r\n", Status::NotImplemented),
        ("GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Status::NotImplemented),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n", Status::VersionNotSupported),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Status::VersionNotSupported),
        ("GET /a%2Fb HTTP/1.1\r\nHost: x\r\n\r\n", Status::NotFound),
    ] {
        assert_eq!(steps(text), [Step::Refuse(status)], "{text:?}");
    }
}

#[test]
fn limits_are_kept_to_the_byte() {
    let line = |bytes: usize| format!("GET /{} HTTP/1.1\r\n", "x".repeat(bytes - 16));
    only(&format!("{}Host: x\r\n\r\n", line(100)));
    for text in [format!("{}Host: x\r\n\r\n", line(101)), "x".repeat(100), format!("\r\n{}", "x".repeat(100))]
    {
        assert_eq!(steps(&text), [Step::Refuse(Status::TargetTooLong)], "{text}");
    }
    assert_eq!(steps(&"x".repeat(99)), []);
    let head = |bytes: usize| format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "y".repeat(bytes - 32));
    assert_eq!(head(300).len(), 300);
    only(&head(300));
    assert_eq!(steps(&head(301)), [Step::Refuse(Status::FieldsTooLarge)]);
    assert_eq!(steps(&"\r\n".repeat(150)), [Step::Refuse(Status::FieldsTooLarge)]);
    let body = |bytes: usize| {
        format!("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: {bytes}\r\n\r\n{}", "x".repeat(bytes))
    };
    only(&body(50));
    assert_eq!(steps(&body(51)), [Step::Refuse(Status::ContentTooLarge)]);
    let endless = "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n";
    assert_eq!(steps(endless), [Step::Refuse(Status::ContentTooLarge)]);
    let mut input = Input::new(Limits { head_bytes: 16 << 10, ..LIMITS });
    input.receive(format!("GET / HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(100)).as_bytes());
    assert_eq!(input.next(), Step::Refuse(Status::FieldsTooLarge));
}
