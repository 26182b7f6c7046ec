//! Ports that a program is given, and connections that it accepts.

mod support;

use hallows_wasi::{Errno, Result};
use support::*;

/// The port's descriptor: behind the directories.
const PORT: u32 = 5;
const NONBLOCK: u32 = 4;
const PEEK: u32 = 1;
const WAIT_ALL: u32 = 2;
/// Where `roflags` go.
const TOLD: u32 = 16;

fn program() -> Program {
    let mut machine = Machine::new();
    machine.network = Network::new();
    Program::with(machine)
}

/// A program that somebody has connected to who has said this, and the connection's descriptor.
fn connected(said: &[u8]) -> (Program, u32) {
    let mut program = program();
    let peer = Peer { said: said.iter().copied().collect(), room: 1_000, ..Peer::default() };
    program.machine().network.waiting.push_back(peer);
    let fd = accept(&mut program, 0).unwrap();
    (program, fd)
}

fn accept(program: &mut Program, flags: u32) -> Result<u32> {
    program.process.sock_accept(&mut program.memory, PORT, flags, RESULT)?;
    Ok(program.u32(RESULT))
}

fn receive(program: &mut Program, fd: u32, lengths: &[u32], flags: u32) -> Result<Vec<u8>> {
    let count = program.list(lengths);
    program.process.sock_recv(&mut program.memory, fd, LIST, count, flags, RESULT, TOLD)?;
    Ok(program.bytes(BYTES, program.u32(RESULT)).to_vec())
}

fn send(program: &mut Program, fd: u32, bytes: &[u8]) -> Result<u32> {
    program.put(BYTES, bytes);
    let count = program.list(&[bytes.len() as u32]);
    program.process.sock_send(&mut program.memory, fd, LIST, count, 0, RESULT)?;
    Ok(program.u32(RESULT))
}

/// Waits for a time in ns from now on (kind 0), or for descriptors to be read (1) or written (2); which of them happened, with their errors and counts.
fn poll(program: &mut Program, on: &[(u8, u64)]) -> Vec<(u64, u16, u64)> {
    for (number, (kind, what)) in (0u32..).zip(on) {
        let place = LIST + number * 48;
        program.put(place, &[0; 48]);
        program.put(place, &u64::from(number).to_le_bytes());
        program.put(place + 8, &[*kind]);
        let (first, timeout) = if *kind == 0 { (1, *what) } else { (*what, 0) };
        program.put(place + 16, &first.to_le_bytes());
        program.put(place + 24, &timeout.to_le_bytes());
    }
    let count = on.len() as u32;
    program.process.poll_oneoff(&mut program.memory, LIST, BYTES, count, RESULT).unwrap();
    let event = |number: u32| {
        let place = BYTES + number * 32;
        let error = u16::from_le_bytes(program.bytes(place + 8, 2).try_into().unwrap());
        (program.u64(place), error, program.u64(place + 16))
    };
    (0..program.u32(RESULT)).map(event).collect()
}

#[test]
fn a_program_accepts_hears_says_and_ends() {
    let (mut program, fd) = connected(b"hello");
    assert_eq!(fd, 6);
    assert_eq!(receive(&mut program, fd, &[2, 9], 0).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(send(&mut program, fd, b"good day"), Ok(8));
    // As a file, too.
    assert_eq!(program.write(fd, b"!"), Ok(1));
    program.machine().network.peers.get_mut(&2).unwrap().said.extend(b"bye");
    assert_eq!(program.read(fd, 2).as_deref(), Ok(&b"by"[..]));
    program.machine().network.peers.get_mut(&2).unwrap().has_ended = true;
    assert_eq!(program.read(fd, 2).as_deref(), Ok(&b"e"[..]));
    assert_eq!(program.read(fd, 2).as_deref(), Ok(&b""[..]));
    assert_eq!(program.process.sock_shutdown(&mut program.memory, fd, 2), Ok(()));
    assert_eq!(send(&mut program, fd, b"x"), Err(Errno::Pipe));
    program.process.fd_close(&mut program.memory, fd).unwrap();
    let left = &program.machine().network.left[0];
    assert_eq!((&*left.heard, left.is_finished), (&b"good day!"[..], true));
    assert_eq!(receive(&mut program, fd, &[1], 0), Err(Errno::Badf));
}

#[test]
fn who_waits_hears_when_it_comes_and_who_does_not_is_told_so() {
    let mut program = program();
    let comes = Happening::Comes(Peer::default());
    let says = |bytes| Happening::Says(2, bytes);
    program.machine().network.script =
        [(5_000, comes), (6_000, says(b"ab")), (7_000, says(b"cd")), (8_000, Happening::HasRoom(2, 3))]
            .into();
    let fd = accept(&mut program, NONBLOCK).unwrap();
    assert_eq!(program.read(fd, 9), Err(Errno::Again));
    assert_eq!(program.write(fd, b"xyz"), Err(Errno::Again));
    program.process.fd_fdstat_set_flags(&mut program.memory, fd, 0).unwrap();
    assert_eq!(receive(&mut program, fd, &[3, 1], WAIT_ALL).as_deref(), Ok(&b"abcd"[..]));
    assert_eq!(program.write(fd, b"xyz"), Ok(3));
    assert_eq!(program.machine().time, 8_000);
    // The port, too.
    program.process.fd_fdstat_set_flags(&mut program.memory, PORT, NONBLOCK).unwrap();
    assert_eq!(accept(&mut program, 0), Err(Errno::Again));
    // Of what is taken, as much is told as was.
    program.process.fd_fdstat_set_flags(&mut program.memory, fd, NONBLOCK).unwrap();
    program.machine().network.peers.get_mut(&2).unwrap().room = 2;
    assert_eq!(program.write(fd, b"xyz"), Ok(2));
}

#[test]
fn flags_of_reading_are_kept_and_others_refused() {
    let (mut program, fd) = connected(b"hello");
    assert_eq!(receive(&mut program, fd, &[3], PEEK).as_deref(), Ok(&b"hel"[..]));
    assert_eq!(receive(&mut program, fd, &[9], PEEK | WAIT_ALL).as_deref(), Ok(&b"hello"[..]));
    assert_eq!(receive(&mut program, fd, &[4], 0).as_deref(), Ok(&b"hell"[..]));
    assert_eq!(program.read(fd, 9).as_deref(), Ok(&b"o"[..]));
    assert_eq!(receive(&mut program, fd, &[0], 0).as_deref(), Ok(&b""[..]), "there is no room to wait for");
    assert_eq!(receive(&mut program, fd, &[4], 4), Err(Errno::Inval));
    assert_eq!(
        program.process.sock_send(&mut program.memory, fd, LIST, 1, 1, RESULT),
        Err(Errno::Inval),
        "nothing can be said of sending"
    );
    assert_eq!(accept(&mut program, 32), Err(Errno::Inval));
    for how in [0, 4, u32::MAX] {
        assert_eq!(program.process.sock_shutdown(&mut program.memory, fd, how), Err(Errno::Inval), "{how}");
    }
    program.process.sock_shutdown(&mut program.memory, fd, 1).unwrap();
    program.machine().network.peers.get_mut(&2).unwrap().said.extend(b"unheard");
    assert_eq!(program.read(fd, 9).as_deref(), Ok(&b""[..]));
    assert_eq!(send(&mut program, fd, b"said"), Ok(4));
}

#[test]
fn what_is_no_socket_or_another_kind_of_one_is_refused() {
    let (mut program, fd) = connected(b"");
    assert_eq!(program.process.sock_accept(&mut program.memory, 0, 0, RESULT), Err(Errno::Notsock));
    assert_eq!(program.process.sock_accept(&mut program.memory, HOME, 0, RESULT), Err(Errno::Notsock));
    assert_eq!(program.process.sock_accept(&mut program.memory, fd, 0, RESULT), Err(Errno::Inval));
    assert_eq!(program.process.sock_accept(&mut program.memory, 99, 0, RESULT), Err(Errno::Badf));
    assert_eq!(receive(&mut program, PORT, &[1], 0), Err(Errno::Inval));
    assert_eq!(receive(&mut program, HOME, &[1], 0), Err(Errno::Notsock));
    assert_eq!(send(&mut program, 1, b"x"), Err(Errno::Notsock));
    assert_eq!(program.process.sock_shutdown(&mut program.memory, HOME, 1), Err(Errno::Notsock));
    assert_eq!(program.read(PORT, 1), Err(Errno::Notcapable));
    for socket in [PORT, fd] {
        assert_eq!(program.seek(socket, 0, 0), Err(Errno::Spipe));
        assert_eq!(program.read_at(socket, 0, 1), Err(Errno::Spipe));
        program.process.fd_fdstat_get(&mut program.memory, socket, RESULT).unwrap();
        assert_eq!(program.bytes(RESULT, 1), [6], "a stream socket");
        program.process.fd_filestat_get(&mut program.memory, socket, RESULT).unwrap();
        assert_eq!(program.bytes(RESULT + 16, 1), [6]);
        // Programs look for directories until there are none.
        assert_eq!(program.process.fd_prestat_get(&mut program.memory, socket, RESULT), Err(Errno::Badf));
    }
    program.process.fd_fdstat_set_rights(&mut program.memory, fd, 0, 0).unwrap();
    assert_eq!(program.read(fd, 1), Err(Errno::Notcapable));
    assert_eq!(send(&mut program, fd, b"x"), Err(Errno::Notcapable));
    program.machine().network.peers.get_mut(&2).unwrap().is_gone = true;
    let (mut program, fd) = connected(b"");
    program.machine().network.peers.get_mut(&2).unwrap().is_gone = true;
    assert_eq!(program.read(fd, 1), Err(Errno::Connreset));
    assert_eq!(program.write(fd, b"x"), Err(Errno::Connreset));
}

#[test]
fn ports_connections_times_and_streams_are_waited_for_at_once() {
    let mut program = program();
    program.machine().input_ended = false;
    let port = u64::from(PORT);
    program.machine().network.script = [(9_000, Happening::Comes(Peer::default()))].into();
    // Nobody comes in time, then somebody does, who is still there to be accepted.
    assert_eq!(poll(&mut program, &[(0, 500), (1, port)]), [(0, 0, 0)]);
    assert_eq!(poll(&mut program, &[(0, 50_000), (1, port)]), [(1, 0, 1)]);
    assert_eq!(poll(&mut program, &[(1, port)]), [(0, 0, 1)]);
    let fd = accept(&mut program, NONBLOCK).unwrap();
    let connection = u64::from(fd);
    program.machine().network.script = [(20_000, Happening::Says(2, b"abc"))].into();
    assert_eq!(poll(&mut program, &[(1, 0), (1, connection)]), [(1, 0, 3)]);
    assert_eq!(poll(&mut program, &[(1, connection)]), [(0, 0, 3)]);
    assert_eq!(program.read(fd, 2).as_deref(), Ok(&b"ab"[..]));
    assert_eq!(poll(&mut program, &[(1, connection), (2, connection)]), [(0, 0, 1), (1, 0, 1)]);
    // What is full is ready when something has happened.
    assert_eq!(program.write(fd, b"x"), Err(Errno::Again));
    program.machine().network.script = [(30_000, Happening::HasRoom(2, 1))].into();
    assert_eq!(poll(&mut program, &[(2, connection), (0, 900_000)]), [(0, 0, 1)]);
    assert_eq!(program.write(fd, b"x"), Ok(1));
    // Its end can be read.
    assert_eq!(program.read(fd, 2).as_deref(), Ok(&b"c"[..]));
    program.machine().network.script = [(40_000, Happening::Ends(2))].into();
    assert_eq!(poll(&mut program, &[(1, connection)]), [(0, 0, 0)]);
    program.machine().network.peers.get_mut(&2).unwrap().is_gone = true;
    assert_eq!(program.read(fd, 2).as_deref(), Ok(&b""[..]), "what was heard before counts");
    // Input comes while sockets are waited for.
    let now = program.machine().time;
    program.machine().input_later = Some((now + 12_000_000, b"typed".to_vec()));
    program.machine().network.script = [(u64::MAX - 1, Happening::Comes(Peer::default()))].into();
    assert_eq!(poll(&mut program, &[(1, port), (1, 0)]), [(1, 0, 1)]);
}

#[test]
fn what_happens_with_one_socket_while_another_is_waited_for_is_not_missed() {
    let mut program = program();
    for _ in 0..2 {
        program.machine().network.waiting.push_back(Peer::default());
    }
    let full = accept(&mut program, NONBLOCK).unwrap();
    let other = accept(&mut program, 0).unwrap();
    assert_eq!(program.write(full, b"x"), Err(Errno::Again));
    program.machine().network.script =
        [(5_000, Happening::HasRoom(2, 9)), (6_000, Happening::Says(3, b"hi"))].into();
    assert_eq!(program.read(other, 9).as_deref(), Ok(&b"hi"[..]));
    let waits = program.machine().network.waits;
    assert_eq!(poll(&mut program, &[(2, u64::from(full))]), [(0, 0, 1)]);
    assert_eq!(program.machine().network.waits, waits, "nothing more would have happened");
    assert_eq!(program.write(full, b"x"), Ok(1));
}

#[test]
fn of_what_nobody_has_read_little_is_taken_ahead_and_much_is_read_at_once() {
    let said: Vec<u8> = (0..100_000).map(|place| (place % 251) as u8).collect();
    let (mut program, fd) = connected(&said);
    assert!(poll(&mut program, &[(1, u64::from(fd))])[0].2 <= 512);
    assert!(program.machine().network.peers[&2].said.len() >= 99_488);
    let mut heard = receive(&mut program, fd, &[600], 0).unwrap();
    assert!(heard.len() <= 512, "that was there");
    heard.extend(receive(&mut program, fd, &[40_000], WAIT_ALL).unwrap());
    assert_eq!(heard.len(), 40_512);
    assert!(heard[..] == said[..40_512]);
}

#[test]
fn all_is_given_back_at_the_end() {
    let (mut program, _) = connected(b"unread");
    program.machine().network.waiting.push_back(Peer::default());
    // Accepted because somebody wanted to know, and by nobody else.
    assert_eq!(poll(&mut program, &[(1, u64::from(PORT))]), [(0, 0, 1)]);
    program.process.end();
    let network = &program.machine().network;
    assert!(network.peers.is_empty() && network.left.len() == 2 && !network.is_listening);
}
