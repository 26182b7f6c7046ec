//! Unix programs that are given ports: run alone, and in a system; by the standard library's sockets, and by bare calls.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::network::{bytes, echo};
use crate::running::{Running, say};
use crate::test;

pub fn tests() -> Vec<Trial> {
    let built = |name, body: fn()| test(name, body).with_ignored_flag(!Path::new(ECHO).is_file());
    vec![
        built("a_unix_program_serves_a_port_of_the_host_with_the_standard_library", std_echo),
        built("a_unix_program_of_a_system_listens_where_its_grant_says", in_a_system),
        test("a_unix_program_polls_a_port_and_connections", polled),
        test("what_a_unix_program_has_said_when_it_ends_is_heard_to_the_end", said_to_the_end),
        test("what_a_unix_program_cannot_have_of_the_network_is_said", refused),
    ]
}

/// `examples/unix-echo`, where `scripts/artifacts.sh` puts it.
const ECHO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/unix/bin/echo.wasm");

const PATIENCE: Duration = Duration::from_secs(20);

/// A port of this host that nobody has.
fn free_port() -> u16 {
    hallows_load::free_port().unwrap()
}

/// Connects as soon as somebody listens.
fn connect(port: u16) -> TcpStream {
    let begin = Instant::now();
    let stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn ended(mut stream: &TcpStream) {
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
}

fn std_echo() {
    let port = free_port();
    let mut running = Running::start(&["run", ECHO, "--net", &format!("host:{port}"), "--", "4"], None);
    for round in 0..2 {
        let stream = connect(port);
        for count in [1, 64, 1_460, 65_536, 1 << 20] {
            echo(&stream, &bytes(count, round));
        }
        stream.shutdown(Shutdown::Write).unwrap();
        ended(&stream);
    }
    // One that waits while another is served, and one that goes in the middle of it.
    let (first, second) = (connect(port), connect(port));
    echo(&first, b"first");
    (&second).write_all(b"second").unwrap();
    drop(first);
    let mut heard = [0; 6];
    (&second).read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"second");
    drop(second);
    assert_eq!(running.code(), 0, "{}", running.heard);
}

fn in_a_system() {
    let port = free_port();
    let text = format!(
        r#"
[cells.net]
program = "sockets"
native = true
core = 0
priority = 1
arguments = ["allow=9 listen=7,9"]
serves = {{ net = {{ kind = "active", queue = 64 }} }}

[cells.echo]
program = "{ECHO}"
restart = "always"
uses = {{ listen-7 = {{ of = "net.net", badge = 9 }} }}
"#
    );
    let running = Running::of(&text, &["--net", &format!("host:{port}=7")]);
    echo(&connect(port), b"hello");
    // Its next life has the port again.
    assert_eq!(say(&["kill", "echo"]).2, 0);
    let begin = Instant::now();
    loop {
        let mut stream = connect(port);
        let mut heard = [0; 5];
        if stream.write_all(b"again").and_then(|()| stream.read_exact(&mut heard)).is_ok() {
            assert_eq!(&heard, b"again");
            break;
        }
        assert!(begin.elapsed() < PATIENCE, "nobody listens any more");
        std::thread::sleep(Duration::from_millis(50));
    }
    crate::network::stop(running);
}

/// Accepts two connections without waiting in `sock_accept`, and sends each back what it says, whoever says something first; ends when both have ended. The port
/// is descriptor 3, connections are 4 and 5. Subscriptions lie at 1024, events at 2048, a range at 0, bytes from 4096 on.
const POLLS: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set_flags (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 2)
    (global $open (mut i32) (i32.const 0))
    (global $ended (mut i32) (i32.const 0))
    (func $check (param i32) (if (local.get 0) (then (call $exit (i32.add (i32.const 100) (local.get 0))))))
    ;; Subscription of that place: to read that descriptor.
    (func $subscribe (param $place i32) (param $fd i32)
        (local $at i32)
        (local.set $at (i32.add (i32.const 1024) (i32.mul (local.get $place) (i32.const 48))))
        (i64.store (local.get $at) (i64.extend_i32_u (local.get $fd)))
        (i32.store8 offset=8 (local.get $at) (i32.const 1))
        (i32.store offset=16 (local.get $at) (local.get $fd)))
    (func $serve (param $fd i32)
        (local $error i32)
        (i32.store (i32.const 0) (i32.const 4096))
        (i32.store (i32.const 4) (i32.const 65536))
        (local.set $error (call $recv (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8) (i32.const 12)))
        (if (i32.eq (local.get $error) (i32.const 6)) (then return))
        (call $check (local.get $error))
        (if (i32.eqz (i32.load (i32.const 8)))
            (then
                (call $check (call $shutdown (local.get $fd) (i32.const 2)))
                (global.set $ended (i32.add (global.get $ended) (i32.const 1)))
                return))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        ;; What is sent is waited for.
        (call $check (call $set_flags (local.get $fd) (i32.const 0)))
        (call $check (call $send (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 8)))
        (if (i32.ne (i32.load (i32.const 4)) (i32.load (i32.const 8))) (then unreachable))
        (call $check (call $set_flags (local.get $fd) (i32.const 4))))
    (func (export "_start")
        (local $error i32) (local $number i32) (local $count i32) (local $fd i32)
        (call $check (call $set_flags (i32.const 3) (i32.const 4)))
        (loop $more
            (local.set $count (i32.const 0))
            ;; Connections that have ended say so again and again: they are left out as soon as both are there.
            (local.set $number (i32.const 0))
            (loop $each
                (if (i32.lt_u (local.get $number) (global.get $open))
                    (then
                        (if (i32.eqz (i32.load8_u offset=512 (local.get $number)))
                            (then
                                (call $subscribe (local.get $count) (i32.add (i32.const 4) (local.get $number)))
                                (local.set $count (i32.add (local.get $count) (i32.const 1)))))
                        (local.set $number (i32.add (local.get $number) (i32.const 1)))
                        (br $each))))
            (if (i32.lt_u (global.get $open) (i32.const 2))
                (then
                    (call $subscribe (local.get $count) (i32.const 3))
                    (local.set $count (i32.add (local.get $count) (i32.const 1)))))
            (call $check (call $poll (i32.const 1024) (i32.const 2048) (local.get $count) (i32.const 16)))
            (local.set $number (i32.const 0))
            (loop $event
                (local.set $fd (i32.load (i32.add (i32.const 2048) (i32.mul (local.get $number) (i32.const 32)))))
                (if (i32.eq (local.get $fd) (i32.const 3))
                    (then
                        (local.set $error (call $accept (i32.const 3) (i32.const 4) (i32.const 20)))
                        (if (i32.ne (local.get $error) (i32.const 6))
                            (then
                                (call $check (local.get $error))
                                (if (i32.ne (i32.load (i32.const 20)) (i32.add (i32.const 4) (global.get $open))) (then unreachable))
                                (global.set $open (i32.add (global.get $open) (i32.const 1))))))
                    (else
                        (local.set $error (global.get $ended))
                        (call $serve (local.get $fd))
                        (if (i32.ne (local.get $error) (global.get $ended))
                            (then (i32.store8 offset=508 (local.get $fd) (i32.const 1))))))
                (local.set $number (i32.add (local.get $number) (i32.const 1)))
                (br_if $event (i32.lt_u (local.get $number) (i32.load (i32.const 16)))))
            (br_if $more (i32.lt_u (global.get $ended) (i32.const 2))))))"#;

fn polled() {
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let path = folder.path().join("polls.wat");
    std::fs::write(&path, POLLS).unwrap();
    let net = format!("host:{port}");
    let mut running = Running::start(&["run", path.to_str().unwrap(), "--net", &net], None);
    let first = connect(port);
    echo(&first, &bytes(1_000, 1));
    let second = connect(port);
    for round in 0..20 {
        echo(&second, &bytes(10_000 + round, 2));
        echo(&first, &bytes(1 + round, 3));
    }
    echo(&first, &bytes(1 << 20, 4));
    for stream in [&first, &second] {
        stream.shutdown(Shutdown::Write).unwrap();
        ended(stream);
    }
    assert_eq!(running.code(), 0, "{}", running.heard);
}

/// Says 8 MiB to whoever comes first, and ends at once. A range at 0, bytes from 4096 on.
const SAYS: &str = r#"(module
    (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 2)
    (data (i32.const 4096) "said")
    (func (export "_start")
        (local $left i32)
        (if (call $accept (i32.const 3) (i32.const 0) (i32.const 16)) (then unreachable))
        (i32.store (i32.const 0) (i32.const 4096))
        (i32.store (i32.const 4) (i32.const 65536))
        (local.set $left (i32.const 128))
        (loop $more
            (if (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
            (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"#;

fn said_to_the_end() {
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let path = folder.path().join("says.wat");
    std::fs::write(&path, SAYS).unwrap();
    let net = format!("host:{port}");
    let mut running = Running::start(&["run", path.to_str().unwrap(), "--net", &net], None);
    let mut stream = connect(port);
    // It has written what it can by then, and waits for the rest or has ended.
    std::thread::sleep(Duration::from_millis(300));
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    assert_eq!(heard.len(), 8 << 20);
    assert!(
        heard
            .chunks(65_536)
            .all(|piece| piece.starts_with(b"said") && piece[4..].iter().all(|byte| *byte == 0))
    );
    assert_eq!(running.code(), 0, "{}", running.heard);
}

fn refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.wat");
    let text = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.const 7))))"#;
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    for (net, why) in [("host:7001/udp", "TCP ports"), ("tap:none0", "TCP ports"), ("host:0", "1 to 65535")] {
        let (_, said, code) = say(&["run", path, "--net", net]);
        assert!(code == 64 && said.contains(why), "{net}: {code} {said}");
    }
    // Somebody has it.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (_, said, code) = say(&["run", path, "--net", &format!("host:{port}")]);
    assert!(code == 64 && said.contains(&port.to_string()), "{code} {said}");
    // Who listens and does nothing with it may.
    assert_eq!(say(&["run", path, "--net", &format!("host:{}", free_port())]).2, 7);
}
