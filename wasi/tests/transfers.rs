//! Reading, writing and seeking.

mod support;

use hallows_wasi::{BYTES_MOST, Errno};
use support::*;

fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 7 % 251) as u8).collect()
}

#[test]
fn a_file_is_written_and_read_from_where_its_descriptor_is() {
    let mut program = Program::new();
    let fd = program.open("f", CREATE, WRITE).unwrap();
    assert_eq!(program.write(fd, b"0123456789"), Ok(10));
    assert_eq!(program.tell(fd), Ok(10));
    assert_eq!(program.read(fd, 5), Ok(vec![]));
    assert_eq!(program.seek(fd, 2, 0), Ok(2));
    assert_eq!(program.read(fd, 3).as_deref(), Ok(&b"234"[..]));
    assert_eq!(program.seek(fd, -1, 1), Ok(4));
    assert_eq!(program.write(fd, b"xx"), Ok(2));
    assert_eq!(program.seek(fd, -3, 2), Ok(7));
    assert_eq!(program.read(fd, 99).as_deref(), Ok(&b"789"[..]));
    assert_eq!(program.machine().disk.bytes("f").as_deref(), Some(&b"0123xx6789"[..]));
    // Elsewhere does not move it.
    assert_eq!(program.write_at(fd, 1, b"yy"), Ok(2));
    assert_eq!(program.read_at(fd, 0, 4).as_deref(), Ok(&b"0yy3"[..]));
    assert_eq!(program.read_at(fd, 10, 4), Ok(vec![]));
    assert_eq!(program.tell(fd), Ok(10));
    // Behind the end are zeroes, once somebody writes there.
    assert_eq!(program.seek(fd, 12, 0), Ok(12));
    assert_eq!(program.read(fd, 1), Ok(vec![]));
    assert_eq!(program.write(fd, b"z"), Ok(1));
    assert_eq!(program.machine().disk.bytes("f").as_deref(), Some(&b"0yy3xx6789\0\0z"[..]));
}

#[test]
fn no_place_is_before_the_first_byte_or_beyond_what_can_be_counted() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"12345");
    let fd = program.open("f", 0, WRITE).unwrap();
    for (by, whence) in [(-1, 0), (-1, 1), (-6, 2), (i64::MIN, 2), (0, 3), (0, u32::MAX)] {
        assert_eq!(program.seek(fd, by, whence), Err(Errno::Inval), "{by} {whence}");
    }
    assert_eq!(program.seek(fd, i64::MAX, 0), Ok(i64::MAX as u64));
    assert_eq!(program.seek(fd, i64::MAX, 1), Ok(u64::MAX - 1));
    assert_eq!(program.seek(fd, 2, 1), Err(Errno::Overflow));
    assert_eq!(program.tell(fd), Ok(u64::MAX - 1));
    assert_eq!(program.write(fd, b"xyz"), Err(Errno::Fbig));
    assert_eq!(program.read(fd, 3), Ok(vec![]));
    assert_eq!(program.write_at(fd, u64::MAX, b"xyz"), Err(Errno::Fbig));
    assert_eq!(program.tell(fd), Ok(u64::MAX - 1));
}

#[test]
fn who_appends_writes_to_the_end_wherever_that_is_by_then() {
    let mut program = Program::new();
    program.machine().disk.file("log", b"old\n");
    let fd = program.open_as(HOME, "log", 0, (WRITE, WRITE), APPEND).unwrap();
    let other = program.open("log", 0, WRITE).unwrap();
    assert_eq!(program.tell(fd), Ok(0));
    assert_eq!(program.write(fd, b"one\n"), Ok(4));
    assert_eq!(program.write_at(other, 8, b"other\n"), Ok(6));
    assert_eq!(program.write(fd, b"two\n"), Ok(4));
    assert_eq!(program.machine().disk.bytes("log").as_deref(), Some(&b"old\none\nother\ntwo\n"[..]));
    assert_eq!(program.tell(fd), Ok(18));
    assert_eq!(program.seek(fd, 4, 0), Ok(4));
    assert_eq!(program.read(fd, 4).as_deref(), Ok(&b"one\n"[..]));
    // Nothing written is nowhere gone.
    assert_eq!(program.write(fd, b""), Ok(0));
    assert_eq!(program.tell(fd), Ok(8));
    // Who says a place means it.
    assert_eq!(program.write_at(fd, 4, b"ONE"), Ok(3));
    assert_eq!(program.machine().disk.bytes("log").as_deref(), Some(&b"old\nONE\nother\ntwo\n"[..]));
    assert_eq!(program.tell(fd), Ok(8));
}

#[test]
fn what_is_longer_than_a_message_goes_in_several_and_others_get_their_turns() {
    let mut program = Program::new();
    let bytes = pattern(3 * BYTES_MOST as usize + 17);
    let fd = program.open("f", CREATE, WRITE).unwrap();
    assert_eq!(program.write(fd, &bytes), Ok(bytes.len() as u32));
    assert!(program.machine().disk.bytes("f") == Some(bytes.clone()));
    program.memory.bytes[BYTES as usize..].fill(0);
    assert_eq!(program.seek(fd, 0, 0), Ok(0));
    assert!(program.read(fd, bytes.len() as u32 + 5) == Ok(bytes.clone()));
    assert!(program.read_at(fd, 1, bytes.len() as u32) == Ok(bytes[1..].to_vec()));
    assert_eq!(program.machine().turns, 0);
    // To who takes little at once, too.
    program.machine().write_most = 1_000;
    assert_eq!(program.write(1, &bytes), Ok(bytes.len() as u32));
    assert!(program.machine().output == bytes);
    assert_eq!(program.machine().turns, (bytes.len() as u32 / 1_000) / 16);
}

#[test]
fn ranges_are_filled_and_emptied_one_after_the_other() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"abcdefgh");
    let fd = program.open("f", 0, WRITE).unwrap();
    let count = program.list(&[0, 3, 0, 4, 9]);
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_read(memory, fd, LIST, count, RESULT), Ok(()));
    assert_eq!((program.u32(RESULT), program.bytes(BYTES, 9)), (8, &b"abcdefgh\0"[..]));
    let count = program.list(&[2, 0, 3]);
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_write(memory, 1, LIST, count, RESULT), Ok(()));
    assert_eq!(program.machine().output, b"abcde");
    // No ranges are no bytes.
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_write(memory, 1, u32::MAX, 0, RESULT), Ok(()));
    assert_eq!(process.fd_read(memory, 0, u32::MAX, 0, RESULT), Ok(()));
    assert_eq!(program.u32(RESULT), 0);
    // Too many, and more bytes than can be counted.
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_write(memory, 1, LIST, 1_025, RESULT), Err(Errno::Inval));
    memory.bytes.resize(1 << 21, 0);
    assert_eq!(process.fd_write(memory, 1, 1 << 20, 1_024, RESULT), Ok(()));
}

#[test]
fn what_goes_wrong_on_the_way_is_told_when_nothing_was_done() {
    let mut program = Program::new();
    let fd = program.open("f", CREATE, WRITE).unwrap();
    program.machine().disk.room = 5;
    assert_eq!(program.write(fd, b"12345678"), Ok(5));
    assert_eq!(program.write(fd, b"678"), Err(Errno::Nospc));
    assert_eq!(program.tell(fd), Ok(5));
}

#[test]
fn a_bad_pointer_is_a_fault_before_anything_is_read_or_written() {
    let mut program = Program::new();
    program.machine().input.extend(b"input");
    let end = program.memory.bytes.len() as u32;
    let mut range = |address: u32, length: u32| {
        program.put(LIST, &address.to_le_bytes());
        program.put(LIST + 4, &length.to_le_bytes());
        program.put(LIST + 8, &BYTES.to_le_bytes());
        program.put(LIST + 12, &4_u32.to_le_bytes());
        let Program { process, memory } = &mut program;
        (process.fd_read(memory, 0, LIST, 2, RESULT), process.fd_write(memory, 1, LIST, 2, RESULT))
    };
    for (address, length) in [(end - 1, 2), (end, 1), (u32::MAX, 1), (0, u32::MAX), (1, u32::MAX - 9)] {
        assert_eq!(range(address, length), (Err(Errno::Fault), Err(Errno::Fault)), "{address} {length}");
    }
    let Program { process, memory } = &mut program;
    for (list, result) in [(end - 8, RESULT), (u32::MAX - 3, RESULT), (LIST, end - 3), (LIST, u32::MAX)] {
        assert_eq!(process.fd_read(memory, 0, list, 2, result), Err(Errno::Fault));
        assert_eq!(process.fd_write(memory, 1, list, 2, result), Err(Errno::Fault));
    }
    // Pages that may only be read are no place to read to; they are one to write from.
    memory.writable_end = BYTES as usize;
    assert_eq!(program.read(0, 2), Err(Errno::Fault));
    assert_eq!(program.write(1, b"ro"), Ok(2));
    let machine = program.machine();
    assert_eq!((machine.input.len(), &*machine.output), (5, &b"ro"[..]));
}

#[test]
fn a_stream_gives_what_is_there_and_says_again_to_who_will_not_wait() {
    let mut program = Program::new();
    program.machine().input.extend(b"12345");
    assert_eq!(program.read(0, 3).as_deref(), Ok(&b"123"[..]));
    assert_eq!(program.read(0, 300).as_deref(), Ok(&b"45"[..]));
    assert_eq!(program.read(0, 300), Ok(vec![]));
    program.machine().input_ended = false;
    program.machine().input_later = Some((1_000_000, b"late".to_vec()));
    assert_eq!(program.process.fd_fdstat_set_flags(&mut program.memory, 0, 4), Ok(()));
    assert_eq!(program.read(0, 300), Err(Errno::Again));
    assert_eq!(program.read(0, 0), Ok(vec![]));
    assert_eq!(program.process.fd_fdstat_set_flags(&mut program.memory, 0, 0), Ok(()));
    assert_eq!(program.read(0, 300).as_deref(), Ok(&b"late"[..]));
}
