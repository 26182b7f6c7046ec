//! Making, removing, moving and linking names, by the rules of POSIX.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use hallows_system::files::{Kind, Moment, Opening, Refusal, Service};

use super::{READ, ROOT, World};

#[test]
fn directories_are_made_and_removed() {
    let mut world = World::new("names-directories");
    world.put("inside/file", "");
    let files = &mut world.files;
    assert_eq!(files.file_make_directory(ROOT, b"sub"), Ok(()));
    assert_eq!(files.file_make_directory(ROOT, b"sub/deep///"), Ok(()));
    for there in [&b"sub"[..], b"sub/", b"file", b".", b"sub/.", b"sub/deep/.."] {
        assert_eq!(files.file_make_directory(ROOT, there), Err(Refusal::Exists));
    }
    assert_eq!(files.file_make_directory(ROOT, b"none/sub"), Err(Refusal::NoEntry));
    assert_eq!(files.file_make_directory(ROOT, b"file/sub"), Err(Refusal::NotDirectory));
    assert_eq!(files.file_make_directory(ROOT, b""), Err(Refusal::NoEntry));
    assert_eq!(files.file_make_directory(ROOT, &[b'x'; 256]), Err(Refusal::NameTooLong));
    assert_eq!(files.file_remove_directory(ROOT, b"sub"), Err(Refusal::NotEmpty));
    assert_eq!(files.file_remove_directory(ROOT, b"sub/deep/."), Err(Refusal::Invalid));
    assert_eq!(files.file_remove_directory(ROOT, b"file"), Err(Refusal::NotDirectory));
    assert_eq!(files.file_remove_directory(ROOT, b"sub/deep/"), Ok(()));
    assert_eq!(files.file_remove_directory(ROOT, b"sub"), Ok(()));
    assert_eq!(files.file_remove_directory(ROOT, b"sub"), Err(Refusal::NoEntry));
}

#[test]
fn files_are_removed_and_stay_open() {
    let mut world = World::new("names-files");
    world.put("inside/file", "still there");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    world.symlink("sub", "inside/link");
    let file = world.open("file", READ).unwrap();
    assert_eq!(world.files.file_remove_file(ROOT, b"file/"), Err(Refusal::NotDirectory));
    assert_eq!(world.files.file_remove_file(ROOT, b"sub"), Err(Refusal::IsDirectory));
    assert_eq!(world.files.file_remove_file(ROOT, b"sub/"), Err(Refusal::IsDirectory));
    assert_eq!(world.files.file_remove_file(ROOT, b"."), Err(Refusal::IsDirectory));
    assert_eq!(world.files.file_remove_file(ROOT, b"none/"), Err(Refusal::NoEntry));
    assert_eq!(world.files.file_remove_file(ROOT, b"link/"), Err(Refusal::NotDirectory));
    assert_eq!(world.files.file_remove_file(ROOT, b"link"), Ok(()), "the link, not where it leads");
    assert_eq!(world.files.file_remove_file(ROOT, b"file"), Ok(()));
    assert_eq!(world.files.file_remove_file(ROOT, b"file"), Err(Refusal::NoEntry));
    assert_eq!(world.read(file), Ok(b"still there".to_vec()));
    assert_eq!(world.files.file_status(file).map(|status| status.links), Ok(0));
    assert!(world.path("inside/sub").is_dir());
}

#[test]
fn things_are_moved_within_and_between_directories() {
    let mut world = World::new("names-rename");
    world.put("inside/a", "a");
    world.put("inside/b", "b");
    for directory in ["one", "two", "two/full"] {
        world.files.file_make_directory(ROOT, directory.as_bytes()).unwrap();
    }
    let two = world.open("two", READ).unwrap();
    assert_eq!(world.rename("a", ROOT, "b"), Ok(()), "in place of what was there");
    assert_eq!(world.text("inside/b"), "a");
    assert_eq!(world.rename("a", ROOT, "c"), Err(Refusal::NoEntry));
    assert_eq!(world.rename("b", two, "c"), Ok(()));
    assert_eq!(world.text("inside/two/c"), "a");
    assert_eq!(world.rename("one", ROOT, "two"), Err(Refusal::NotEmpty));
    assert_eq!(world.rename("two", ROOT, "two/full/below-itself"), Err(Refusal::Invalid));
    assert_eq!(world.rename("one", ROOT, "two/c"), Err(Refusal::NotDirectory));
    assert_eq!(world.rename("two/c", ROOT, "one"), Err(Refusal::IsDirectory));
    assert_eq!(world.rename("two/c/", ROOT, "d"), Err(Refusal::NotDirectory));
    assert_eq!(world.rename("two/c", ROOT, "d/"), Err(Refusal::NotDirectory));
    assert_eq!(world.rename("one/", ROOT, "three/"), Ok(()));
    assert_eq!(world.rename("three", ROOT, "two/full"), Ok(()), "in place of an empty one");
    for dots in [".", "two/.", "two/full/.."] {
        assert_eq!(world.rename(dots, ROOT, "d"), Err(Refusal::Busy));
        assert_eq!(world.rename("two/c", ROOT, dots), Err(Refusal::Busy));
    }
    let file = world.open("two/c", READ).unwrap();
    assert_eq!(world.rename("two/c", file, "d"), Err(Refusal::NotDirectory));
    assert_eq!(world.text("inside/two/c"), "a");
}

#[test]
fn a_file_may_have_several_names() {
    let mut world = World::new("names-link");
    world.put("inside/file", "text");
    world.files.file_make_directory(ROOT, b"sub").unwrap();
    world.symlink("../file", "inside/sub/link");
    world.symlink("sub/link", "inside/links");
    world.symlink("none", "inside/dangling");
    assert_eq!(world.link("file", false, "sub/second"), Ok(()));
    assert_eq!(world.link("sub/second", true, "third"), Ok(()));
    assert_eq!(world.files.file_status_of(ROOT, b"file", false).map(|status| status.links), Ok(3));
    // A link by its own name, and what it leads to.
    assert_eq!(world.link("links", false, "fourth"), Ok(()));
    assert_eq!(world.link("links", true, "fifth"), Ok(()));
    let kind = |world: &mut World, name: &[u8]| {
        world.files.file_status_of(ROOT, name, false).map(|status| (status.kind, status.links))
    };
    assert_eq!(kind(&mut world, b"fourth"), Ok((Kind::SymbolicLink, 2)));
    assert_eq!(kind(&mut world, b"fifth"), Ok((Kind::Regular, 4)));
    assert_eq!(world.link("dangling", true, "sixth"), Err(Refusal::NoEntry));
    assert_eq!(world.link("dangling", false, "sixth"), Ok(()));
    assert_eq!(world.link("file", false, "third"), Err(Refusal::Exists));
    assert_eq!(world.link("file", false, "third/"), Err(Refusal::Exists));
    assert_eq!(world.link("file", false, "seventh/"), Err(Refusal::NoEntry));
    assert_eq!(world.link("file", false, "."), Err(Refusal::Exists));
    assert_eq!(world.link("file/", false, "seventh"), Err(Refusal::NotDirectory));
    for directory in ["sub", "sub/", "sub/.", "."] {
        assert_eq!(world.link(directory, true, "seventh"), Err(Refusal::NotPermitted));
    }
}

#[test]
fn links_say_where_they_lead_and_lead_nowhere_absolute() {
    let mut world = World::new("names-symlink");
    world.put("inside/file", "");
    let files = &mut world.files;
    assert_eq!(files.file_make_link(ROOT, b"any/../thing at all\xff", b"link"), Ok(()));
    assert_eq!(files.file_link_target(ROOT, b"link"), Ok(&b"any/../thing at all\xff"[..]));
    let long = [b'x'; 4095];
    assert_eq!(files.file_make_link(ROOT, &long, b"long"), Ok(()));
    assert_eq!(files.file_link_target(ROOT, b"long"), Ok(&long[..]));
    assert_eq!(files.file_make_link(ROOT, &[b'x'; 4096], b"longer"), Err(Refusal::NameTooLong));
    assert_eq!(files.file_make_link(ROOT, b"/etc", b"new"), Err(Refusal::NotPermitted));
    assert_eq!(files.file_make_link(ROOT, b"", b"new"), Err(Refusal::NoEntry));
    assert_eq!(files.file_make_link(ROOT, b"a\0b", b"new"), Err(Refusal::Invalid));
    assert_eq!(files.file_make_link(ROOT, b"a", b"file"), Err(Refusal::Exists));
    assert_eq!(files.file_make_link(ROOT, b"a", b"file/"), Err(Refusal::Exists));
    assert_eq!(files.file_make_link(ROOT, b"a", b"new/"), Err(Refusal::NoEntry));
    assert_eq!(files.file_make_link(ROOT, b"a", b"."), Err(Refusal::Exists));
    assert_eq!(files.file_link_target(ROOT, b"file"), Err(Refusal::Invalid));
    assert_eq!(files.file_link_target(ROOT, b"."), Err(Refusal::Invalid));
    assert_eq!(files.file_link_target(ROOT, b"file/"), Err(Refusal::NotDirectory));
    assert_eq!(files.file_link_target(ROOT, b"none"), Err(Refusal::NoEntry));
    world.symlink("/somewhere/else", "inside/absolute");
    assert_eq!(world.files.file_link_target(ROOT, b"absolute"), Ok(&b"/somewhere/else"[..]));
}

#[test]
fn the_status_is_of_the_link_or_of_where_it_leads() {
    let mut world = World::new("names-status");
    world.put("inside/file", "12345");
    world.files.file_make_directory(ROOT, b"sub").unwrap();
    world.symlink("../file", "inside/sub/link");
    world.symlink("sub/link", "inside/link");
    world.symlink("sub", "inside/directory");
    let mut status = |path: &str, follow| {
        world.files.file_status_of(ROOT, path.as_bytes(), follow).map(|status| (status.kind, status.size))
    };
    for path in ["link", "sub/link", "directory/link"] {
        assert_eq!(status(path, true), Ok((Kind::Regular, 5)), "{path}");
        assert_eq!(status(path, false).unwrap().0, Kind::SymbolicLink, "{path}");
    }
    assert_eq!(status("directory", false).unwrap().0, Kind::SymbolicLink);
    assert_eq!(
        status("directory/", false).unwrap().0,
        Kind::Directory,
        "what stands before a slash is followed"
    );
    assert_eq!(status("none", true), Err(Refusal::NoEntry));
    assert_eq!(status("file/", true), Err(Refusal::NotDirectory));
    assert_eq!(status("", true), Err(Refusal::NoEntry));
    assert_eq!(status(".", false).unwrap().0, Kind::Directory);
    let file = world.open("file", READ).unwrap();
    assert_eq!(world.files.file_status_of(file, b"x", true), Err(Refusal::NotDirectory));
}

#[test]
fn times_are_of_the_link_or_of_where_it_leads() {
    let mut world = World::new("names-times");
    world.put("inside/file", "");
    world.files.file_make_directory(ROOT, b"sub").unwrap();
    world.symlink("../file", "inside/sub/link");
    let modified = |world: &mut World, path: &str| {
        world.files.file_status_of(ROOT, path.as_bytes(), false).unwrap().modified
    };
    let set = |world: &mut World, path: &str, follow, time| {
        world.files.file_set_times_of(ROOT, path.as_bytes(), follow, Moment::Kept, Moment::At(time))
    };
    assert_eq!(set(&mut world, "sub/link", true, 11), Ok(()));
    assert_eq!(modified(&mut world, "file"), 11);
    assert_eq!(set(&mut world, "sub/link", false, 12), Ok(()));
    assert_eq!((modified(&mut world, "file"), modified(&mut world, "sub/link")), (11, 12));
    for (path, time) in [("sub", 13), ("sub/", 14), ("sub/.", 15), ("sub/../sub", 16)] {
        assert_eq!(set(&mut world, path, false, time), Ok(()));
        assert_eq!(modified(&mut world, "sub"), time);
    }
    assert_eq!(set(&mut world, "file/", true, 1), Err(Refusal::NotDirectory));
    assert_eq!(set(&mut world, "none", true, 1), Err(Refusal::NoEntry));
    world.symlink("loop", "inside/loop");
    assert_eq!(set(&mut world, "loop", true, 1), Err(Refusal::TooManyLinksFollowed));
    assert_eq!(std::fs::metadata(world.path("inside/file")).unwrap().mtime_nsec(), 11);
}

#[test]
fn what_linux_denies_is_denied() {
    // Root may do everything, so this needs another user's process: a directory that nobody may write to is enough elsewhere.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let mut world = World::new("names-denied");
    std::fs::create_dir(world.path("inside/closed")).unwrap();
    std::fs::set_permissions(world.path("inside/closed"), std::fs::Permissions::from_mode(0o500)).unwrap();
    let how = super::WRITE | Opening::CREATE;
    assert_eq!(world.open("closed/new", how).unwrap_err(), Refusal::Access);
    assert_eq!(world.files.file_make_directory(ROOT, b"closed/new"), Err(Refusal::Access));
}
