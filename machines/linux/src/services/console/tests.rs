//! The streams, over pipes, devices and a terminal of the test's own.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write, pipe};
use std::os::fd::OwnedFd;
use std::thread;

use hallows_sdk::stub::Client;
use hallows_system::console::{Refusal, Service};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::{Console, READ_BYTES};
use crate::services::Badge;
use crate::services::tests::installed_with;

const INPUT: Client = Client { badge: 1 << 56 };
const OUTPUT: Client = Client { badge: 1 << 56 | 1 };
const ERRORS: Client = Client { badge: 1 << 56 | 2 };

fn console(number: usize, descriptor: impl Into<OwnedFd>) -> Console {
    Console::new(installed_with(|resources| resources.streams[number] = descriptor.into()))
}

fn device(path: &str) -> File {
    OpenOptions::new().read(true).write(true).open(path).expect("every Linux has it")
}

#[test]
fn what_is_written_arrives_and_what_arrives_is_read() {
    let (mut reader, writer) = pipe().unwrap();
    let mut console_out = console(1, writer);
    assert_eq!(console_out.write(OUTPUT, b"hello"), Ok(5));
    assert_eq!(console_out.write(OUTPUT, b""), Ok(0));
    let mut text = [0; 5];
    reader.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"hello");

    let (reader, mut writer) = pipe().unwrap();
    let mut console_in = console(0, reader);
    writer.write_all(b"from outside").unwrap();
    assert_eq!(console_in.read(INPUT, 0), Ok(&b""[..]));
    assert_eq!(console_in.read(INPUT, 4), Ok(&b"from"[..]));
    assert_eq!(console_in.read(INPUT, u32::MAX), Ok(&b" outside"[..]));
    drop(writer);
    assert_eq!(console_in.read(INPUT, 4), Ok(&b""[..]), "the end");
    assert_eq!(console_in.read(INPUT, 4), Ok(&b""[..]), "and it stays so");
}

#[test]
fn a_stream_has_one_direction_also_if_its_descriptor_has_two() {
    let mut console = Console::new(installed_with(|resources| {
        resources.streams = [0, 1, 2].map(|_| device("/dev/null").into());
    }));
    assert_eq!(console.write(INPUT, b"x"), Err(Refusal::NotPermitted));
    for output in [OUTPUT, ERRORS] {
        assert_eq!(console.read(output, 1), Err(Refusal::NotPermitted));
        assert_eq!(console.await_input(output, 0), Err(Refusal::NotPermitted));
        assert_eq!(console.write(output, b"x"), Ok(1));
    }
    assert_eq!(console.read(INPUT, 1), Ok(&b""[..]));
}

#[test]
fn badges_of_other_interfaces_are_no_streams() {
    let mut console = console(1, device("/dev/null"));
    for badge in [0, Badge::Clock.number(), Badge::Directory(1).number(), 1 << 56 | 3] {
        assert_eq!(console.write(Client { badge }, b"x"), Err(Refusal::NotPermitted));
        assert_eq!(console.read(Client { badge }, 1), Err(Refusal::NotPermitted));
        assert!(!console.is_terminal(Client { badge }));
    }
}

#[test]
fn who_writes_to_a_pipe_that_nobody_reads_is_told_and_lives() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    assert_eq!(console(1, writer).write(OUTPUT, b"x"), Err(Refusal::Closed));
}

#[test]
fn a_full_device_has_no_space() {
    assert_eq!(console(2, device("/dev/full")).write(ERRORS, b"x"), Err(Refusal::NoSpace));
}

#[test]
fn a_descriptor_of_the_other_direction_is_not_permitted() {
    let (reader, writer) = pipe().unwrap();
    assert_eq!(console(1, reader).write(OUTPUT, b"x"), Err(Refusal::NotPermitted));
    assert_eq!(console(0, writer).read(INPUT, 1), Err(Refusal::NotPermitted));
}

#[test]
fn a_read_gives_no_more_than_an_answer_holds() {
    let mut console = console(0, device("/dev/zero"));
    assert_eq!(console.read(INPUT, u32::MAX).map(<[u8]>::len), Ok(READ_BYTES));
    assert_eq!(console.read(INPUT, 70_000).map(<[u8]>::len), Ok(READ_BYTES));
}

#[test]
fn descriptors_that_do_not_wait_are_waited_for() {
    let (reader, mut writer) = pipe().unwrap();
    fcntl_setfl(&reader, fcntl_getfl(&reader).unwrap() | OFlags::NONBLOCK).unwrap();
    let mut console_in = console(0, reader);
    thread::scope(|scope| {
        scope.spawn(|| writer.write_all(b"late").unwrap());
        assert_eq!(console_in.read(INPUT, 9), Ok(&b"late"[..]));
    });

    let (mut reader, writer) = pipe().unwrap();
    fcntl_setfl(&writer, fcntl_getfl(&writer).unwrap() | OFlags::NONBLOCK).unwrap();
    let mut console_out = console(1, writer);
    let bytes: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    thread::scope(|scope| {
        let received = scope.spawn(move || {
            let mut received = Vec::new();
            reader.read_to_end(&mut received).map(|_| received)
        });
        let mut rest = &bytes[..];
        let mut was_short = false;
        while !rest.is_empty() {
            let part = &rest[..rest.len().min(200_000)];
            let written = console_out.write(OUTPUT, part).expect("is read") as usize;
            assert!(written > 0);
            was_short |= written < part.len();
            rest = &rest[written..];
        }
        drop(console_out);
        assert!(received.join().unwrap().unwrap() == bytes);
        assert!(was_short, "more than a pipe holds is taken in parts");
    });
}

#[test]
fn input_is_awaited_for_so_long_and_no_longer() {
    let (reader, mut writer) = pipe().unwrap();
    let mut console = console(0, reader);
    assert_eq!(console.await_input(INPUT, 0), Ok(false));
    assert_eq!(console.await_input(INPUT, 1_000_000), Ok(false));
    thread::scope(|scope| {
        scope.spawn(|| writer.write_all(b"x").unwrap());
        assert_eq!(console.await_input(INPUT, u64::MAX), Ok(true));
    });
    assert_eq!(console.await_input(INPUT, 0), Ok(true), "it is still there");
    assert_eq!(console.read(INPUT, 1), Ok(&b"x"[..]));
    drop(writer);
    assert_eq!(console.await_input(INPUT, u64::MAX), Ok(true), "nothing more will come");
}

#[test]
fn terminals_are_told_from_the_rest() {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let terminal = rustix::fs::open(&name, flags, rustix::fs::Mode::empty()).unwrap();
    let mut console = console(1, terminal);
    assert!(console.is_terminal(OUTPUT));
    assert!(!console.is_terminal(INPUT));
}
