//! Directories that are for reading only, and everything below them.

use std::os::unix::fs::MetadataExt;

use hallows_sdk::stub::Client;
use hallows_system::files::{Moment, Opening, Refusal, Service};

use super::{READ, READ_ONLY, ROOT, WRITE, World};

const READ_ONLY_REFUSAL: Result<(), Refusal> = Err(Refusal::ReadOnly);

fn world(name: &str) -> World {
    let world = World::new(name);
    std::fs::create_dir(world.path("fixed/sub")).unwrap();
    world.put("fixed/file", "text");
    world.put("fixed/sub/file", "below");
    world.symlink("file", "fixed/link");
    world.put("inside/mine", "mine");
    world
}

/// Refuses every change, through one directory in which `file` is.
fn refuses_everything(world: &mut World, directory: Client) {
    for how in [
        WRITE,
        READ | WRITE,
        READ | Opening::TRUNCATE,
        WRITE | Opening::CREATE,
        READ | Opening::CREATE | Opening::TRUNCATE,
    ] {
        assert_eq!(world.open_at(directory, "file", how), Err(Refusal::ReadOnly), "{how:?}");
    }
    assert_eq!(world.open_at(directory, "new", READ | Opening::CREATE), Err(Refusal::ReadOnly));
    let exclusive = READ | Opening::CREATE | Opening::EXCLUSIVE;
    assert_eq!(world.open_at(directory, "new", exclusive), Err(Refusal::ReadOnly));
    assert_eq!(world.open_at(directory, "file", exclusive), Err(Refusal::Exists));
    let (now, kept) = (Moment::Now, Moment::Kept);
    let (here, mine) = (world.lend(directory), world.lend(ROOT));
    let files = &mut world.files;
    assert_eq!(files.file_set_times_of(directory, b"file", true, now, kept), READ_ONLY_REFUSAL);
    assert_eq!(files.file_set_times(directory, now, kept), READ_ONLY_REFUSAL);
    assert_eq!(files.file_make_directory(directory, b"new"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_remove_directory(directory, b"sub"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_remove_file(directory, b"file"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_make_link(directory, b"file", b"new"), READ_ONLY_REFUSAL);
    // Neither out of it nor into it. A second name elsewhere would be a way to write to the file.
    assert_eq!(files.file_rename(directory, b"file", here, b"new"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_rename(directory, b"file", mine, b"new"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_rename(ROOT, b"mine", here, b"new"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_link(directory, b"file", false, mine, b"new"), READ_ONLY_REFUSAL);
    assert_eq!(files.file_link(ROOT, b"mine", false, here, b"new"), READ_ONLY_REFUSAL);
}

#[test]
fn nothing_is_changed_and_everything_can_be_read() {
    let mut world = world("read-only");
    let before = std::fs::metadata(world.path("fixed")).unwrap();
    refuses_everything(&mut world, READ_ONLY);
    let (sub, _) = world.open_at(READ_ONLY, "sub", READ).unwrap();
    refuses_everything(&mut world, sub);
    let (again, _) = world.open_at(sub, ".", Opening::DIRECTORY).unwrap();
    refuses_everything(&mut world, again);
    for how in [READ, READ | Opening::CREATE, READ | Opening::FOLLOW] {
        let (file, _) = world.open_at(READ_ONLY, "file", how).unwrap();
        assert_eq!(world.read(file), Ok(b"text".to_vec()));
        assert_eq!(world.files.file_write(file, 0, b"x"), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_append(file, b"x"), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_set_size(file, 0), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_allocate(file, 0, 99), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_set_times(file, Moment::Now, Moment::Now), READ_ONLY_REFUSAL);
        assert_eq!(world.files.file_sync(file, false), Ok(()));
    }
    assert_eq!(world.entries(READ_ONLY).unwrap().len(), 5);
    assert!(world.files.file_status_of(READ_ONLY, b"sub/file", true).is_ok());
    assert_eq!(world.files.file_link_target(READ_ONLY, b"link"), Ok(&b"file"[..]));
    assert_eq!(world.text("fixed/file"), "text");
    let after = std::fs::metadata(world.path("fixed")).unwrap();
    assert_eq!((before.mtime(), before.mtime_nsec()), (after.mtime(), after.mtime_nsec()));
    assert_eq!(world.text("inside/mine"), "mine");
}
