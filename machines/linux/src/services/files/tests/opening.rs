//! Opening: what is found, made, refused; and that nothing waits.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use hallows_system::files::{Kind, Opening, Refusal, Service};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{READ, ROOT, WRITE, World};
use crate::host::test_support::Scratch;
use crate::services::files::Files;
use crate::services::files::frame::Frame;
use crate::services::files::opened::OpenFile;
use crate::services::tests::{Space, grant, installed_with};

const CREATE: Opening = Opening::CREATE;
const FOLLOW: Opening = Opening::FOLLOW;

fn new_exclusive() -> Opening {
    WRITE | CREATE | Opening::EXCLUSIVE
}

#[test]
fn what_is_opened_comes_with_its_status() {
    let mut world = World::new("open-status");
    world.put("inside/file", "hello");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    let (file, status) = world.open_at(ROOT, "file", READ).unwrap();
    assert_eq!((status.kind, status.size, status.links), (Kind::Regular, 5, 1));
    assert_eq!(world.files.file_status(file), Ok(status));
    assert_eq!(world.files.file_status_of(ROOT, b"file", false), Ok(status));
    assert_eq!(world.files.file_status_of(ROOT, b"./file", true), Ok(status));
    let (directory, status) = world.open_at(ROOT, "sub", READ).unwrap();
    assert_eq!(status.kind, Kind::Directory);
    assert_eq!(world.files.file_status(directory), Ok(status));
    assert_eq!(world.files.file_status_of(ROOT, b"sub/", false), Ok(status));
    assert_eq!(world.files.file_status_of(ROOT, b"sub/.", false), Ok(status));
}

#[test]
fn files_are_made_kept_and_emptied_as_asked() {
    let mut world = World::new("open-create");
    assert_eq!(world.open("new", READ | WRITE).unwrap_err(), Refusal::NoEntry);
    let file = world.open("new", WRITE | CREATE).unwrap();
    assert_eq!(world.files.file_write(file, 0, b"text"), Ok(4));
    world.open("new", WRITE | CREATE).unwrap();
    assert_eq!(world.text("inside/new"), "text");
    assert_eq!(world.open("new", new_exclusive()).unwrap_err(), Refusal::Exists);
    assert_eq!(world.text("inside/new"), "text");
    let (_, status) = world.open_at(ROOT, "new", WRITE | Opening::TRUNCATE).unwrap();
    assert_eq!(status.size, 0);
    assert_eq!(world.text("inside/new"), "");
    world.open("other", new_exclusive()).unwrap();
    // Without `CREATE`, nothing is exclusive.
    world.open("other", READ | Opening::EXCLUSIVE).unwrap();
    assert_eq!(world.open("none/new", WRITE | CREATE).unwrap_err(), Refusal::NoEntry);
    assert_eq!(world.open("new/", WRITE | CREATE).unwrap_err(), Refusal::IsDirectory);
    assert_eq!(world.open("third/", WRITE | CREATE).unwrap_err(), Refusal::IsDirectory);
    assert_eq!(world.open("new/below", WRITE | CREATE).unwrap_err(), Refusal::NotDirectory);
    assert_eq!(world.open("third", CREATE | Opening::DIRECTORY).unwrap_err(), Refusal::Invalid);
    let mode = std::fs::metadata(world.path("inside/new")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0, "not to be executed");
}

#[test]
fn directories_are_directories() {
    let mut world = World::new("open-directory");
    world.put("inside/file", "");
    std::fs::create_dir_all(world.path("inside/sub/deep")).unwrap();
    world.put("inside/sub/deep/file", "below");
    assert_eq!(world.open("file", READ | Opening::DIRECTORY).unwrap_err(), Refusal::NotDirectory);
    assert_eq!(world.open("file/", READ).unwrap_err(), Refusal::NotDirectory);
    assert_eq!(world.open("sub", READ | WRITE).unwrap_err(), Refusal::IsDirectory);
    for path in ["sub", "sub/", ".//sub/.", "sub/deep/.."] {
        let sub = world.open(path, Opening::DIRECTORY).unwrap();
        let (file, _) = world.open_at(sub, "deep/file", READ).unwrap();
        assert_eq!(world.read(file), Ok(b"below".to_vec()));
        assert_eq!(
            world.open_at(sub, "../file", READ),
            Err(Refusal::LeadsOutside),
            "what is above a directory"
        );
    }
    let file = world.open("file", READ).unwrap();
    assert_eq!(world.open_at(file, "x", READ), Err(Refusal::NotDirectory));
}

#[test]
fn links_are_followed_when_they_should_be() {
    let mut world = World::new("open-links");
    world.put("inside/file", "text");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    world.symlink("../file", "inside/sub/link");
    world.symlink("sub", "inside/directory");
    world.symlink("new", "inside/dangling");
    world.symlink("loop", "inside/loop");
    assert_eq!(world.open("sub/link", READ).unwrap_err(), Refusal::TooManyLinksFollowed);
    for path in ["sub/link", "directory/link"] {
        let file = world.open(path, READ | FOLLOW).unwrap();
        assert_eq!(world.read(file), Ok(b"text".to_vec()));
    }
    assert_eq!(world.open("loop", READ | FOLLOW).unwrap_err(), Refusal::TooManyLinksFollowed);
    assert_eq!(world.open("loop/x", READ).unwrap_err(), Refusal::TooManyLinksFollowed);
    // A link that is not followed is no directory, wherever it leads.
    assert_eq!(world.open("directory", READ).unwrap_err(), Refusal::TooManyLinksFollowed);
    for link in ["directory", "dangling", "loop"] {
        assert_eq!(world.open(link, Opening::DIRECTORY).unwrap_err(), Refusal::NotDirectory, "{link}");
    }
    world.open("directory", Opening::DIRECTORY | FOLLOW).unwrap();
    assert_eq!(world.open("dangling", READ | FOLLOW).unwrap_err(), Refusal::NoEntry);
    assert_eq!(world.open("dangling", new_exclusive() | FOLLOW).unwrap_err(), Refusal::Exists);
    world.open("dangling", WRITE | CREATE | FOLLOW).unwrap();
    assert_eq!(world.text("inside/new"), "");
}

#[test]
fn what_is_neither_file_nor_directory_is_refused_and_nobody_waits() {
    let mut world = World::new("open-special");
    let socket = UnixListener::bind(world.path("inside/socket")).unwrap();
    mknodat(CWD, world.path("inside/pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let mut special = vec!["pipe", "socket"];
    // Only root makes devices.
    let null = rustix::fs::makedev(1, 3);
    let device = world.path("inside/null");
    if mknodat(CWD, device, FileType::CharacterDevice, Mode::from_raw_mode(0o600), null).is_ok() {
        special.push("null");
    }
    for name in special {
        for how in [READ, WRITE, READ | WRITE, READ | FOLLOW, WRITE | Opening::TRUNCATE, WRITE | CREATE] {
            assert_eq!(world.open(name, how).unwrap_err(), Refusal::NotSupported, "{name} {how:?}");
        }
        assert!(world.files.file_status_of(ROOT, name.as_bytes(), true).is_ok());
    }
    drop(socket);
}

#[test]
fn who_waits_at_a_pipes_other_end_does_not_notice_that_it_was_refused() {
    let mut world = World::new("open-unnoticed");
    let pipe = world.path("inside/pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    world.symlink("../pipe", "inside/sub/link");
    // It waits for a reader.
    let writer = std::thread::spawn(move || std::fs::write(pipe, "text").is_ok());
    for path in ["pipe", "./pipe", "sub/../pipe", "sub/link"] {
        for how in [READ | FOLLOW, READ | WRITE | FOLLOW, READ | CREATE | FOLLOW] {
            assert_eq!(world.open(path, how).unwrap_err(), Refusal::NotSupported, "{path}");
        }
    }
    assert_eq!(world.open("sub/link", READ).unwrap_err(), Refusal::TooManyLinksFollowed);
    assert_eq!(world.open("pipe", new_exclusive()).unwrap_err(), Refusal::Exists);
    // A process that has opened one has woken the writer, which goes on after it even if nobody is there any more.
    assert!(!writer.is_finished());
    assert_eq!(std::fs::read(world.path("inside/pipe")).unwrap(), b"text");
    assert!(writer.join().unwrap());
}

#[test]
fn what_was_just_looked_at_is_opened_without_another_look_and_refused_if_it_is_no_file_any_more() {
    let mut world = World::new("open-looked");
    world.put("inside/file", "text");
    world.files.file_status_of(ROOT, b"file", true).unwrap();
    world.files.looked.turn();
    assert!(world.files.looked.has_seen(ROOT.badge, b"file"));
    let file = world.open("file", READ | FOLLOW).unwrap();
    assert_eq!(world.read(file).unwrap(), b"text");
    // Another process puts something else there in between.
    std::fs::remove_file(world.path("inside/file")).unwrap();
    mknodat(CWD, world.path("inside/file"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    assert_eq!(world.open("file", READ | FOLLOW).unwrap_err(), Refusal::NotSupported);
    // What is neither file nor directory is no reason not to look again.
    world.files.looked.turn();
    assert_eq!(world.files.file_status_of(ROOT, b"file", true).unwrap().kind, Kind::Pipe);
    world.files.looked.turn();
    assert!(!world.files.looked.has_seen(ROOT.badge, b"file"));
}

#[test]
fn files_of_processes_are_not_opened_wherever_they_are_mounted() {
    for path in ["/", "/proc"] {
        let installed = installed_with(|resources| resources.directories = vec![grant(path.as_ref(), false)]);
        let mut files = Files::new(installed, Space::default()).unwrap();
        let prefix = if path == "/" { "proc/" } else { "" };
        for file in ["self/mem", "self/maps", "self/environ", "1/status", "self/fd", "meminfo"] {
            let file = format!("{prefix}{file}");
            let result = files.file_open(ROOT, file.as_bytes(), READ | FOLLOW, 0);
            assert_eq!(result.unwrap_err(), Refusal::NotPermitted, "{file}");
        }
        let memory = format!("{prefix}self/mem");
        assert_eq!(
            files.file_open(ROOT, memory.as_bytes(), READ | WRITE | FOLLOW, 0).unwrap_err(),
            Refusal::NotPermitted
        );
        // Linux's links from there to everywhere.
        let scratch = Scratch::new("services-magic");
        let file = std::fs::File::create(scratch.path().join("file")).unwrap();
        let magic = format!("{prefix}self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
        let result = files.file_open(ROOT, magic.as_bytes(), READ | FOLLOW, 0);
        assert_eq!(result.unwrap_err(), Refusal::TooManyLinksFollowed);
    }
}

#[test]
fn files_that_are_the_kernels_and_no_data_are_not_opened() {
    for (path, file) in [("/", "sys/devices/system/cpu/online"), ("/sys", "devices/system/cpu/online")] {
        let installed = installed_with(|resources| resources.directories = vec![grant(path.as_ref(), false)]);
        let mut files = Files::new(installed, Space::default()).unwrap();
        let result = files.file_open(ROOT, file.as_bytes(), READ | FOLLOW, 0);
        assert_eq!(result.unwrap_err(), Refusal::NotPermitted, "{file} of {path}");
    }
}

#[test]
fn names_of_any_bytes_are_names_and_one_that_is_too_long_is_none() {
    let mut world = World::new("open-names");
    let strange: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
    let names = [&strange[..200], &strange[200..], &[b'x'; 255], "né".as_bytes(), b" ", b"...", b"\n"];
    for name in names {
        let file = world.open(name, new_exclusive()).unwrap();
        assert_eq!(world.files.file_write(file, 0, name), Ok(u32::try_from(name.len()).unwrap()));
        let again = world.open(name, READ).unwrap();
        assert_eq!(world.read(again), Ok(name.to_vec()));
    }
    let mut found: Vec<_> = world.entries(ROOT).unwrap().into_iter().map(|(name, _)| name).collect();
    let mut expected: Vec<_> = names.iter().map(|name| name.to_vec()).collect();
    expected.extend([b".".to_vec(), b"..".to_vec()]);
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_eq!(world.open([b'x'; 256], READ).unwrap_err(), Refusal::NameTooLong);
    assert_eq!(world.open([b'x'; 256], WRITE | CREATE).unwrap_err(), Refusal::NameTooLong);
    assert!(world.open(b"./".repeat(2047), READ).is_ok());
    assert_eq!(world.open(b"./".repeat(2048), READ).unwrap_err(), Refusal::NameTooLong);
    assert_eq!(world.open("a\0b", READ).unwrap_err(), Refusal::Invalid);
    assert_eq!(world.open("", READ).unwrap_err(), Refusal::NoEntry);
}

#[test]
fn too_many_open_files_are_refused_and_closing_one_makes_room() {
    let mut world = World::new("open-many");
    world.put("inside/file", "");
    let mut installed = installed_with(|resources| {
        resources.directories = vec![grant(&world.path("inside"), false)];
    });
    Arc::get_mut(&mut installed).unwrap().set_most_open_files(100);
    let (other_cell, space) = (Arc::clone(&installed), Space::default());
    world.files = Files::new(installed, world.space.clone()).unwrap();
    let open: Vec<_> = (0..100).map(|_| world.open("file", READ).unwrap()).collect();
    assert_eq!(world.open("file", READ).unwrap_err(), Refusal::TooManyFiles);
    assert_eq!(world.open("new", WRITE | CREATE).unwrap_err(), Refusal::TooManyFiles);
    assert!(!world.path("inside/new").exists(), "nothing is made that cannot be opened");
    // They are the process's, not a cell's.
    let mut other = Files::new(other_cell, space).unwrap();
    assert_eq!(other.file_open(ROOT, b"file", READ, 0).unwrap_err(), Refusal::TooManyFiles);
    world.files.file_close(open[50]);
    assert!(other.file_open(ROOT, b"file", READ, 0).is_ok());
    assert_eq!(world.open("file", READ).unwrap_err(), Refusal::TooManyFiles);
    // A cell that ends closes its files.
    drop(other);
    assert!(world.open("file", READ).is_ok());
}

#[test]
fn the_beginning_of_a_file_comes_with_it() {
    let mut world = World::new("open-beginning");
    world.put("inside/hello", "hello");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    let mut beginning = |path: &str, how, most| {
        let opened = world.files.file_open(ROOT, path.as_bytes(), how, most).unwrap();
        opened.beginning.map(|beginning| (beginning.bytes.to_vec(), beginning.is_all))
    };
    assert_eq!(beginning("hello", READ, 0), None);
    assert_eq!(beginning("hello", READ, 4), Some((b"hell".to_vec(), false)));
    // Whether it ends there was not seen.
    assert_eq!(beginning("hello", READ, 5), Some((b"hello".to_vec(), false)));
    assert_eq!(beginning("hello", READ, 6), Some((b"hello".to_vec(), true)));
    assert_eq!(beginning("hello", READ, u32::MAX), Some((b"hello".to_vec(), true)));
    assert_eq!(beginning("hello", WRITE, 9), None);
    assert_eq!(beginning("sub", READ, 9), None);
    assert_eq!(beginning("new", READ | WRITE | CREATE, 9), Some((Vec::new(), true)));
}

/// As some file systems give a file, and as Linux gives what it makes when it is read (which is not opened for programs, but is here on
/// every host): in pieces, however much is asked for, and with 0 for its size.
#[test]
fn a_file_that_is_read_in_pieces_is_not_taken_for_its_first_piece() {
    let path = "/proc/self/smaps";
    let mut file = OpenFile::granted(&grant(std::path::Path::new("/"), true)).unwrap();
    file.descriptor = std::fs::File::open(path).unwrap().into();
    file.is_directory = false;
    let (length, is_all) = Frame::new().beginning(&file, 0, u32::MAX).unwrap();
    let whole = std::fs::read(path).unwrap().len();
    assert!(length < whole);
    assert!(!is_all, "{length} of {whole} bytes");
    // It ends where a read gives nothing.
    file.descriptor = std::fs::File::open("/proc/self/comm").unwrap().into();
    assert!(Frame::new().beginning(&file, 0, u32::MAX).unwrap().1);
}
