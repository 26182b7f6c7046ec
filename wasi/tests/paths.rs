//! Paths, what lies below directories, and what is known of files.

mod support;

use hallows_wasi::{Errno, Rights};
use support::*;

#[test]
fn paths_are_text_below_their_directory_and_no_longer_than_they_may_be() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"");
    let (long, too_long) = ("x/".repeat(2_048), "x/".repeat(2_049));
    let cases: [(&[u8], Errno); 10] = [
        (b"", Errno::Noent),
        (b"none", Errno::Noent),
        (b"/f", Errno::Notcapable),
        (b"/", Errno::Notcapable),
        (b"..", Errno::Notcapable),
        (b"../f", Errno::Notcapable),
        (b"f\0", Errno::Inval),
        (b"\xff", Errno::Ilseq),
        (too_long.as_bytes(), Errno::Nametoolong),
        (long.as_bytes(), Errno::Noent),
    ];
    for (path, error) in cases {
        assert_eq!(program.open(path, 0, READ), Err(error), "{path:?}");
        let (place, length) = program.path(path);
        let (new_place, new_length) = program.new_path("f");
        let Program { process, memory } = &mut program;
        let result = process.path_rename(memory, HOME, place, length, OTHER, new_place, new_length);
        assert_eq!(result, Err(error), "{path:?}");
        assert_eq!(process.path_filestat_get(memory, HOME, 1, place, length, RESULT), Err(error));
    }
    assert!(program.open("other/../f", 0, READ).is_ok());
    let Program { process, memory } = &mut program;
    let end = memory.bytes.len() as u32;
    assert_eq!(process.path_create_directory(memory, HOME, end - 1, 2), Err(Errno::Fault));
    assert_eq!(process.path_create_directory(memory, HOME, u32::MAX, 2), Err(Errno::Fault));
    assert_eq!(process.path_create_directory(memory, 99, PATH, 1), Err(Errno::Badf));
}

#[test]
fn files_are_opened_as_the_flags_say() {
    let mut program = Program::new();
    let open = |program: &mut Program, path: &str, how, base| {
        program.machine().journal.clear();
        let fd = program.open(path, how, base)?;
        program.close(fd).unwrap();
        Ok(program.machine().journal.concat())
    };
    assert_eq!(open(&mut program, "f", EXCLUSIVE, READ), Err(Errno::Noent));
    assert!(open(&mut program, "f", CREATE | EXCLUSIVE, WRITE).is_ok());
    assert_eq!(open(&mut program, "f", CREATE | EXCLUSIVE, WRITE), Err(Errno::Exist));
    assert_eq!(open(&mut program, "f", DIRECTORY, READ), Err(Errno::Notdir));
    assert_eq!(open(&mut program, "other", 0, WRITE), Err(Errno::Isdir));
    assert!(open(&mut program, "other", DIRECTORY, READ).is_ok());
    assert_eq!(open(&mut program, "other", CREATE | DIRECTORY, READ), Err(Errno::Inval));
    assert_eq!(open(&mut program, "f", 16, READ), Err(Errno::Inval));
    // The ways, as bits of the interface: read 1, write 2, create 4, exclusive 8, truncate 16, directory 32, follow 64.
    for (base, how, expected) in [
        (READ, 0, 1 | 64),
        (Rights::FD_READ, 0, 1 | 64),
        (Rights::FD_WRITE, 0, 2 | 64),
        (Rights::FD_READ | Rights::FD_WRITE, TRUNCATE, 3 | 16 | 64),
        (Rights::FD_FILESTAT_SET_SIZE, CREATE, 2 | 4 | 64),
        // Neither: to look at.
        (Rights::FD_FILESTAT_GET, 0, 1 | 64),
    ] {
        assert_eq!(open(&mut program, "f", how, base), Ok(format!("opens Opening({expected})")));
    }
    let (place, length) = program.path("f");
    for lookup in [2, u32::MAX] {
        let Program { process, memory } = &mut program;
        let result = process.path_open(memory, HOME, lookup, place, length, 0, 0, 0, 0, RESULT);
        assert_eq!(result, Err(Errno::Inval));
    }
    program.machine().journal.clear();
    for flags in [2, 8, 16] {
        program.open_as(HOME, "f", 0, (READ, READ), flags).unwrap();
    }
    assert_eq!(program.machine().journal, ["opens Opening(193)", "opens Opening(321)", "opens Opening(321)"]);
    assert_eq!(program.open_as(HOME, "f", 0, (READ, READ), 32), Err(Errno::Inval));
}

#[test]
fn files_are_made_moved_linked_and_removed() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"bytes");
    let (p, l) = program.path("d");
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_create_directory(memory, HOME, p, l), Ok(()));
    assert_eq!(process.path_create_directory(memory, HOME, p, l), Err(Errno::Exist));
    assert_eq!(process.path_unlink_file(memory, HOME, p, l), Err(Errno::Isdir));
    // Into another directory, which the process has by another descriptor.
    let ((p, l), (np, nl)) = (program.path("f"), program.new_path("g"));
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_rename(memory, HOME, p, l, OTHER, np, nl), Ok(()));
    assert_eq!(process.path_rename(memory, HOME, p, l, OTHER, np, nl), Err(Errno::Noent));
    assert_eq!(program.machine().disk.bytes("other/g").as_deref(), Some(&b"bytes"[..]));
    let ((p, l), (np, nl)) = (program.path("g"), program.new_path("d/h"));
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_link(memory, OTHER, 2, p, l, HOME, np, nl), Err(Errno::Inval));
    assert_eq!(process.path_link(memory, OTHER, 0, p, l, HOME, np, nl), Ok(()));
    assert_eq!(process.path_link(memory, OTHER, 0, p, l, HOME, np, nl), Err(Errno::Exist));
    assert_eq!(process.path_filestat_get(memory, HOME, 0, np, nl, RESULT), Ok(()));
    let stat: Vec<_> = (0..8).map(|place| program.u64(RESULT + place * 8)).collect();
    assert_eq!((stat[0], stat[2], stat[3], stat[4], stat[7]), (1, 4, 2, 5, 7));
    let (p, l) = program.path("d");
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_remove_directory(memory, HOME, p, l), Err(Errno::Notempty));
    assert_eq!(process.path_remove_directory(memory, HOME, np, nl), Err(Errno::Notdir));
    assert_eq!(process.path_unlink_file(memory, HOME, np, nl), Ok(()));
    assert_eq!(process.path_unlink_file(memory, HOME, np, nl), Err(Errno::Noent));
    assert_eq!(process.path_remove_directory(memory, HOME, p, l), Ok(()));
    assert_eq!(program.machine().disk.bytes("other/g").as_deref(), Some(&b"bytes"[..]));
}

#[test]
fn symbolic_links_are_followed_where_asked_and_lead_nowhere_outside() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"bytes");
    let link = |program: &mut Program, target: &str, path: &str| {
        let ((p, l), (np, nl)) = (program.path(path), program.new_path(target));
        program.process.path_symlink(&mut program.memory, np, nl, HOME, p, l)
    };
    assert_eq!(link(&mut program, "f", "to-f"), Ok(()));
    assert_eq!(link(&mut program, "../secret", "out"), Ok(()));
    assert_eq!(link(&mut program, "/f", "absolute"), Err(Errno::Notcapable));
    assert_eq!(link(&mut program, "", "nowhere"), Err(Errno::Noent));
    assert_eq!(link(&mut program, "f", "/to-f"), Err(Errno::Notcapable));
    assert!(program.open("to-f", 0, READ).is_ok());
    assert_eq!(program.open("out", 0, READ), Err(Errno::Notcapable));
    let (p, l) = program.path("to-f");
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_open(memory, HOME, 0, p, l, 0, 2, 0, 0, RESULT), Err(Errno::Loop));
    for (flags, kind) in [(0, 7), (1, 4)] {
        let Program { process, memory } = &mut program;
        assert_eq!(process.path_filestat_get(memory, HOME, flags, p, l, RESULT), Ok(()));
        assert_eq!(program.u64(RESULT + 16), kind);
    }
    let (p, l) = program.path("out");
    for (room, expected) in [(100, "../secret"), (3, "../"), (0, "")] {
        let Program { process, memory } = &mut program;
        assert_eq!(process.path_readlink(memory, HOME, p, l, BYTES, room, RESULT), Ok(()));
        assert_eq!(program.bytes(BYTES, program.u32(RESULT)), expected.as_bytes());
    }
    let (p, l) = program.path("f");
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_readlink(memory, HOME, p, l, BYTES, 9, RESULT), Err(Errno::Inval));
}

#[test]
fn what_is_known_of_a_file_is_read_and_set() {
    let mut program = Program::new();
    program.machine().disk.file("f", b"bytes");
    let fd = program.open("f", 0, WRITE).unwrap();
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_filestat_set_size(memory, fd, 3), Ok(()));
    assert_eq!(process.fd_allocate(memory, fd, 2, 5), Ok(()));
    assert_eq!(process.fd_allocate(memory, fd, 2, 0), Err(Errno::Inval));
    assert_eq!(process.fd_allocate(memory, fd, u64::MAX, 2), Err(Errno::Fbig));
    assert_eq!(process.fd_filestat_set_times(memory, fd, 11, 22, 1 | 4), Ok(()));
    let (p, l) = program.path("f");
    let Program { process, memory } = &mut program;
    assert_eq!(process.path_filestat_set_times(memory, HOME, 0, p, l, 33, 44, 4), Ok(()));
    assert_eq!(process.fd_filestat_get(memory, fd, RESULT), Ok(()));
    assert_eq!((program.u64(RESULT + 32), program.u64(RESULT + 40), program.u64(RESULT + 48)), (7, 11, 44));
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_filestat_set_times(memory, fd, 0, 0, 2), Ok(()));
    assert_eq!(process.fd_filestat_get(memory, fd, RESULT), Ok(()));
    let time = program.machine().time;
    assert_eq!((program.u64(RESULT + 40), program.u64(RESULT + 48)), (time, 44));
    // Both the time given and now; what is no flag.
    for flags in [3, 12, 16, u32::MAX] {
        let Program { process, memory } = &mut program;
        assert_eq!(process.fd_filestat_set_times(memory, fd, 0, 0, flags), Err(Errno::Inval));
        assert_eq!(process.path_filestat_set_times(memory, HOME, 0, p, l, 0, 0, flags), Err(Errno::Inval));
    }
    program.machine().journal.clear();
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_sync(memory, fd), Ok(()));
    assert_eq!(process.fd_datasync(memory, fd), Ok(()));
    assert_eq!(process.fd_advise(memory, fd, 1, 2, 4), Ok(()));
    assert_eq!(process.fd_advise(memory, fd, 1, 2, 6), Err(Errno::Inval));
    assert_eq!(program.machine().journal, ["syncs all", "syncs data", "advice WontNeed for 2 from 1"]);
}

/// Reads a directory with a buffer of so many bytes: each entry's inode, kind and name.
fn list(program: &mut Program, fd: u32, room: u32) -> Vec<(u64, u8, Vec<u8>)> {
    const HEAD: usize = 24;
    let mut found = Vec::new();
    let mut cookie = 0;
    loop {
        let Program { process, memory } = program;
        process.fd_readdir(memory, fd, BYTES, room, cookie, RESULT).unwrap();
        let used = program.u32(RESULT);
        assert!(used <= room);
        let mut rest = program.bytes(BYTES, used);
        let mut progress = false;
        while let Some((head, names)) = rest.split_at_checked(HEAD) {
            let length = u32::from_le_bytes(head[16..20].try_into().unwrap()) as usize;
            let Some((name, next)) = names.split_at_checked(length) else { break };
            found.push((u64::from_le_bytes(head[8..16].try_into().unwrap()), head[20], name.to_vec()));
            cookie = u64::from_le_bytes(head[..8].try_into().unwrap());
            progress = true;
            rest = next;
        }
        if used < room {
            return found;
        }
        assert!(progress, "the buffer holds one entry at least");
    }
}

#[test]
fn a_directory_is_read_whole_with_every_size_of_buffer() {
    let mut program = Program::new();
    let directory = program.open("other", DIRECTORY, READ).unwrap();
    assert_eq!(list(&mut program, directory, 100), []);
    for number in 0..10 {
        program.machine().disk.file(&format!("other/{}", "n".repeat(number + 1)), b"");
    }
    program.machine().disk.directory("other/z");
    let all = list(&mut program, directory, 65_536);
    assert_eq!(all.len(), 11);
    assert_eq!((all[10].1, &*all[10].2), (3, &b"z"[..]));
    assert!(all[..10].iter().all(|(_, kind, name)| *kind == 4 && name.iter().all(|byte| *byte == b'n')));
    for room in 34..500 {
        assert_eq!(list(&mut program, directory, room), all, "{room}");
    }
}

#[test]
fn a_directory_that_is_read_in_small_pieces_is_asked_for_in_large_ones_and_anew_from_its_front() {
    let mut program = Program::new();
    for number in 0..30 {
        program.machine().disk.file(&format!("other/{number:02}"), b"");
    }
    let [one, two] = [(); 2].map(|()| program.open("other", DIRECTORY, READ).unwrap());
    program.machine().journal.clear();
    assert_eq!(list(&mut program, one, 64).len(), 30);
    // Three names in each answer of these tests, and one answer that there are no more.
    assert_eq!(program.machine().journal, ["lists"; 11]);
    program.machine().disk.file("other/new", b"");
    assert_eq!(list(&mut program, one, 64).len(), 31);
    // What is known of one descriptor is nothing of another, whatever its number was before.
    let Program { process, memory } = &mut program;
    process.fd_renumber(memory, two, one).unwrap();
    program.machine().journal.clear();
    let Program { process, memory } = &mut program;
    process.fd_readdir(memory, one, BYTES, 60, 1, RESULT).unwrap();
    process.fd_readdir(memory, one, BYTES, 30, 1, RESULT).unwrap();
    assert_eq!(program.machine().journal, ["lists"]);
    program.close(one).unwrap();
    let again = program.open("other", DIRECTORY, READ).unwrap();
    assert_eq!(again, one);
    program.machine().journal.clear();
    let Program { process, memory } = &mut program;
    process.fd_readdir(memory, again, BYTES, 30, 2, RESULT).unwrap();
    assert_eq!(program.bytes(BYTES + 24, 2), b"02");
    assert_eq!(program.machine().journal, ["lists"]);
}

#[test]
fn the_last_entry_is_cut_off_where_the_buffer_ends() {
    let mut program = Program::new();
    program.machine().disk.file("other/name", b"");
    let directory = program.open("other", DIRECTORY, READ).unwrap();
    for room in 0..40 {
        program.memory.bytes[BYTES as usize..][..64].fill(0xee);
        let Program { process, memory } = &mut program;
        process.fd_readdir(memory, directory, BYTES, room, 0, RESULT).unwrap();
        assert_eq!(program.u32(RESULT), room.min(28));
        assert!(program.bytes(BYTES + room.min(28), 8).iter().all(|byte| *byte == 0xee));
    }
    let Program { process, memory } = &mut program;
    assert_eq!(process.fd_readdir(memory, directory, BYTES, 100, 1, RESULT), Ok(()));
    assert_eq!(program.u32(RESULT), 0);
    let Program { process, memory } = &mut program;
    let end = memory.bytes.len() as u32;
    assert_eq!(process.fd_readdir(memory, directory, end - 10, 11, 0, RESULT), Err(Errno::Fault));
    assert_eq!(process.fd_readdir(memory, directory, BYTES, 100, 0, end - 2), Err(Errno::Fault));
    assert_eq!(process.fd_readdir(memory, directory, BYTES, 100, u64::MAX, RESULT), Ok(()));
}
