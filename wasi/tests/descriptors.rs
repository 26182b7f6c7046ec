//! Descriptors: their numbers, their rights, and what they stand for.

mod support;

use hallows_wasi::{Errno, Given, Process, Rights};
use support::*;

#[test]
fn a_program_has_the_streams_and_directories_that_it_was_given_and_no_others() {
    let mut program = Program::new();
    assert_eq!(program.write(1, b"out"), Ok(3));
    assert_eq!(program.write(2, b"err"), Ok(3));
    assert_eq!(program.write(0, b"in"), Err(Errno::Notcapable));
    assert_eq!(program.read(1, 1), Err(Errno::Notcapable));
    let machine = program.machine();
    assert_eq!((&*machine.output, &*machine.error), (&b"out"[..], &b"err"[..]));
    for (fd, name) in [(3, "/"), (4, "/other")] {
        let Program { process, memory } = &mut program;
        assert_eq!(process.fd_prestat_get(memory, fd, RESULT), Ok(()));
        assert_eq!(process.fd_prestat_dir_name(memory, fd, BYTES, 100), Ok(()));
        assert_eq!(process.fd_prestat_dir_name(memory, fd, BYTES, 0), Err(Errno::Nametoolong));
        assert_eq!((program.u32(RESULT), program.u32(RESULT + 4)), (0, name.len() as u32));
        assert_eq!(program.bytes(BYTES, name.len() as u32), name.as_bytes());
    }
    let Program { process, memory } = &mut program;
    for fd in [0, 5, u32::MAX] {
        assert_eq!(process.fd_prestat_get(memory, fd, RESULT), Err(Errno::Badf));
    }

    let given = Given {
        input: None,
        output: Some(Console::Output),
        error: None,
        directories: Vec::new(),
        ports: Vec::new(),
    };
    program.process = Process::new(Machine::new(), given);
    assert_eq!(program.write(1, b"out"), Ok(3));
    assert_eq!(program.write(2, b"err"), Err(Errno::Badf));
    assert_eq!(program.read(0, 1), Err(Errno::Badf));
}

#[test]
fn the_lowest_free_number_is_given_and_what_is_closed_is_closed_once() {
    let mut program = Program::new();
    let before = program.machine().open.len();
    assert_eq!(program.open("a", CREATE, WRITE), Ok(5));
    assert_eq!(program.open("b", CREATE, WRITE), Ok(6));
    assert_eq!(program.close(5), Ok(()));
    assert_eq!(program.close(5), Err(Errno::Badf));
    assert_eq!(program.close(0), Ok(()));
    assert_eq!(program.open("c", CREATE, WRITE), Ok(0));
    assert_eq!(program.open("d", CREATE, WRITE), Ok(5));
    // Standard input is `d` now.
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_renumber(memory, 5, 0), Ok(()));
    assert_eq!(process.fd_renumber(memory, 5, 0), Err(Errno::Badf));
    assert_eq!(process.fd_renumber(memory, 0, 5), Err(Errno::Badf));
    assert_eq!(program.write(0, b"d"), Ok(1));
    assert_eq!(program.machine().disk.bytes("d").as_deref(), Some(&b"d"[..]));
    assert_eq!(program.machine().open.len(), before + 2);
    // A directory that was granted is not closed: it is the cell's.
    assert_eq!(program.close(HOME), Ok(()));
    assert_eq!(program.machine().open.len(), before + 2);
    program.process.end();
    assert_eq!(program.machine().open.len(), before);
}

#[test]
fn rights_can_be_given_up_and_not_taken_back() {
    let mut program = Program::new();
    let fd = program.open("a", CREATE, WRITE).unwrap();
    let (_, _, base, _) = program.fdstat(fd).unwrap();
    assert_eq!(base, Rights::OF_FILES);
    let mut set = |base: Rights, inheriting: Rights| {
        program.process.fd_fdstat_set_rights(&mut program.memory, fd, base.0, inheriting.0)
    };
    assert_eq!(set(Rights::FD_READ | Rights::PATH_OPEN, Rights::NONE), Err(Errno::Notcapable));
    assert_eq!(set(Rights::FD_READ, Rights::FD_READ), Err(Errno::Notcapable));
    assert_eq!(set(Rights::FD_READ | Rights::FD_TELL, Rights::NONE), Ok(()));
    assert_eq!(set(Rights::FD_WRITE, Rights::NONE), Err(Errno::Notcapable));
    assert_eq!(program.fdstat(fd), Ok((4, 0, Rights::FD_READ | Rights::FD_TELL, Rights::NONE)));
    assert_eq!(program.read(fd, 1), Ok(vec![]));
    assert_eq!(program.write(fd, b"x"), Err(Errno::Notcapable));
    // At a place takes the right to seek.
    assert_eq!(program.read_at(fd, 0, 1), Err(Errno::Notcapable));
    assert_eq!(program.seek(fd, 0, 1), Ok(0));
    assert_eq!(program.seek(fd, 1, 1), Err(Errno::Notcapable));
    assert_eq!(program.seek(fd, 0, 0), Err(Errno::Notcapable));
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_sync(memory, fd), Err(Errno::Notcapable));
    assert_eq!(process.fd_filestat_get(memory, fd, RESULT), Err(Errno::Notcapable));
    assert_eq!(process.fd_filestat_set_size(memory, fd, 0), Err(Errno::Notcapable));
    assert_eq!(process.fd_fdstat_set_flags(memory, fd, 1), Err(Errno::Notcapable));
    assert_eq!(process.fd_advise(memory, fd, 0, 0, 0), Err(Errno::Notcapable));
    assert_eq!(process.fd_allocate(memory, fd, 0, 1), Err(Errno::Notcapable));
}

#[test]
fn what_is_opened_has_no_rights_that_its_directory_does_not_pass_on() {
    let mut program = Program::new();
    program.machine().disk.directory("d");
    program.machine().disk.file("d/f", b"12");
    let passed_on = READ & Rights::ALL;
    let directory = program.open_as(HOME, "d", DIRECTORY, (READ, passed_on), 0).unwrap();
    assert_eq!(program.fdstat(directory), Ok((3, 0, Rights::OF_DIRECTORIES, passed_on)));
    assert_eq!(program.open_as(directory, "f", 0, (WRITE, Rights::NONE), 0), Err(Errno::Notcapable));
    assert_eq!(program.open_as(directory, "f", 0, (READ, WRITE), 0), Err(Errno::Notcapable));
    let file = program.open_as(directory, "f", 0, (READ, READ), 0).unwrap();
    // What means nothing for a file is left out.
    assert_eq!(program.fdstat(file), Ok((4, 0, READ & Rights::OF_FILES, Rights::NONE)));
    assert_eq!(program.write(file, b"x"), Err(Errno::Notcapable));
    // Rights that there are not are as if nobody had asked for them.
    assert!(program.open_as(HOME, "d/f", 0, (Rights(u64::MAX), Rights(u64::MAX)), 0).is_ok());

    // Each way to open needs its own right.
    let open = |program: &mut Program, how, flags| {
        program.open_as(directory, "f", how, (Rights::FD_READ, Rights::NONE), flags)
    };
    let narrow = |program: &mut Program, base: Rights, inheriting: Rights| {
        program.process.fd_fdstat_set_rights(&mut program.memory, directory, base.0, inheriting.0).unwrap();
    };
    assert!(open(&mut program, TRUNCATE, 0).is_ok() && open(&mut program, CREATE, 16 | 2).is_ok());
    narrow(&mut program, Rights::PATH_OPEN | Rights::PATH_CREATE_FILE, Rights::FD_READ);
    assert_eq!(open(&mut program, TRUNCATE, 0), Err(Errno::Notcapable));
    for sync in [2, 8, 16] {
        assert_eq!(open(&mut program, 0, sync), Err(Errno::Notcapable));
    }
    narrow(&mut program, Rights::PATH_OPEN, Rights::FD_READ);
    assert_eq!(open(&mut program, CREATE, 0), Err(Errno::Notcapable));
    assert!(open(&mut program, 0, 4).is_ok());
    narrow(&mut program, Rights::NONE, Rights::NONE);
    assert_eq!(open(&mut program, 0, 0), Err(Errno::Notcapable));
}

#[test]
fn every_function_of_paths_needs_its_right() {
    let mut program = Program::new();
    let Program { process, memory } = &mut program;
    process.fd_fdstat_set_rights(memory, OTHER, 0, 0).unwrap();
    let (p, l) = (PATH, 1);
    let not = Err(Errno::Notcapable);
    assert_eq!(process.path_create_directory(memory, OTHER, p, l), not);
    assert_eq!(process.path_remove_directory(memory, OTHER, p, l), not);
    assert_eq!(process.path_unlink_file(memory, OTHER, p, l), not);
    assert_eq!(process.path_filestat_get(memory, OTHER, 0, p, l, RESULT), not);
    assert_eq!(process.path_filestat_set_times(memory, OTHER, 0, p, l, 0, 0, 0), not);
    assert_eq!(process.path_symlink(memory, p, l, OTHER, p, l), not);
    assert_eq!(process.path_readlink(memory, OTHER, p, l, BYTES, 9, RESULT), not);
    assert_eq!(process.fd_readdir(memory, OTHER, BYTES, 99, 0, RESULT), not);
    memory.bytes[PATH as usize] = b'a';
    for (from, to) in [(HOME, OTHER), (OTHER, HOME)] {
        assert_eq!(process.path_link(memory, from, 0, p, l, to, p, l), not);
        assert_eq!(process.path_rename(memory, from, p, l, to, p, l), not);
    }
    assert_eq!(program.machine().journal, [] as [&str; 0], "nothing was asked of anybody");
}

#[test]
fn what_a_kind_of_file_cannot_do_is_said_before_what_a_right_forbids() {
    let mut program = Program::new();
    let file = program.open("f", CREATE, WRITE).unwrap();
    let directory = HOME;
    assert_eq!(program.read(directory, 1), Err(Errno::Isdir));
    assert_eq!(program.write(directory, b"x"), Err(Errno::Isdir));
    assert_eq!(program.read_at(directory, 0, 1), Err(Errno::Isdir));
    assert_eq!(program.seek(directory, 0, 0), Err(Errno::Isdir));
    assert_eq!(program.tell(directory), Err(Errno::Isdir));
    for stream in 0..3 {
        assert_eq!(program.seek(stream, 0, 1), Err(Errno::Spipe));
        assert_eq!(program.tell(stream), Err(Errno::Spipe));
        assert_eq!(program.read_at(stream, 0, 1), Err(Errno::Spipe));
        assert_eq!(program.write_at(stream, 0, b"x"), Err(Errno::Spipe));
    }
    assert_eq!(program.open_as(file, "f", 0, (READ, READ), 0), Err(Errno::Notdir));
    let Program { process, memory } = &mut program;
    // What means nothing for directories is a right that they do not have.
    assert_eq!(process.fd_advise(memory, directory, 0, 1, 0), Err(Errno::Notcapable));
    assert_eq!(process.fd_allocate(memory, directory, 0, 1), Err(Errno::Notcapable));
    assert_eq!(process.fd_filestat_set_size(memory, directory, 0), Err(Errno::Notcapable));
    assert_eq!(process.fd_readdir(memory, file, BYTES, 99, 0, RESULT), Err(Errno::Notdir));
    assert_eq!(process.path_unlink_file(memory, file, PATH, 1), Err(Errno::Notdir));
    assert_eq!(process.fd_readdir(memory, 1, BYTES, 99, 0, RESULT), Err(Errno::Notdir));
    assert_eq!(process.fd_sync(memory, 1), Err(Errno::Inval));
    assert_eq!(process.fd_filestat_set_size(memory, 1, 0), Err(Errno::Inval));
    // No descriptor is a socket.
    for fd in [0, directory, file] {
        assert_eq!(process.sock_accept(memory, fd, 0, RESULT), Err(Errno::Notsock));
        assert_eq!(process.sock_recv(memory, fd, LIST, 0, 0, RESULT, RESULT), Err(Errno::Notsock));
        assert_eq!(process.sock_send(memory, fd, LIST, 0, 0, RESULT), Err(Errno::Notsock));
        assert_eq!(process.sock_shutdown(memory, fd, 3), Err(Errno::Notsock));
    }
    assert_eq!(process.sock_shutdown(memory, 99, 3), Err(Errno::Badf));
}

#[test]
fn a_terminal_is_a_character_device_without_places_and_is_asked_once() {
    let mut program = Program::new();
    program.machine().is_terminal = true;
    let expected = Rights::OF_STREAMS | Rights::FD_READ;
    assert_eq!(program.fdstat(0), Ok((2, 0, expected, Rights::NONE)));
    assert_eq!(program.fdstat(0).map(|stat| stat.0), Ok(2));
    assert_eq!(program.process.fd_filestat_get(&mut program.memory, 0, RESULT), Ok(()));
    assert_eq!(program.u64(RESULT + 16), 2);
    assert_eq!(program.machine().journal, ["is Input a terminal"]);
    program.machine().is_terminal = false;
    assert_eq!(program.fdstat(1).map(|stat| stat.0), Ok(0));
    // By which programs know one: kind, and no right to seek or tell.
    assert!(!expected.intersects(Rights::FD_SEEK | Rights::FD_TELL));
}

#[test]
fn flags_can_be_changed_but_those_of_opening() {
    let mut program = Program::new();
    let fd = program.open_as(HOME, "f", CREATE, (WRITE, Rights::NONE), 2).unwrap();
    let mut set = |flags| program.process.fd_fdstat_set_flags(&mut program.memory, fd, flags);
    assert_eq!(set(1 | 2 | 4), Ok(()));
    assert_eq!(set(1), Err(Errno::Notsup));
    assert_eq!(set(2 | 16), Err(Errno::Notsup));
    assert_eq!(set(2 | 32), Err(Errno::Inval));
    assert_eq!(set(0x10002), Err(Errno::Inval));
    assert_eq!(program.fdstat(fd).map(|stat| stat.1), Ok(7));
}

#[test]
fn where_there_is_no_room_for_a_file_none_is_left_open() {
    let mut program = Program::new();
    program.machine().open_most = 4;
    assert!(program.open("a", CREATE, WRITE).is_ok() && program.open("b", CREATE, WRITE).is_ok());
    assert_eq!(program.open("c", CREATE, WRITE), Err(Errno::Nfile));
    assert_eq!(program.machine().open.len(), 4);
    assert_eq!(program.close(5), Ok(()));
    assert_eq!(program.open("c", CREATE, WRITE), Ok(5));
    // Nor where the place of its number is none.
    program.close(5).unwrap();
    let (place, length) = program.path("a");
    let Program { process, memory } = &mut program;
    let end = memory.bytes.len() as u32;
    let all = Rights::ALL.0;
    assert_eq!(process.path_open(memory, HOME, 0, place, length, 0, all, all, 0, end - 3), Err(Errno::Fault));
    assert_eq!(program.machine().open.len(), 3);
}
