//! The functions of `files` over directories of the test's own, called as the stubs call them.

mod bytes;
mod entries;
mod escapes;
mod history;
mod names;
mod opening;
mod read_only;

use std::path::{Path, PathBuf};

use hallows_sdk::stub::{Borrow, Client, Handle, Resource};
use hallows_system::files::{Entry, File, Opening, Refusal, Service, Status};

use super::Files;
use crate::host::test_support::Scratch;
use crate::services::badge::Badge;
use crate::services::own_endpoint::OwnEndpoint;
use crate::services::tests::{Space, grant, installed_with};

/// The badge of the granted directory, and of one that is for reading only.
const ROOT: Client = Client { badge: 2 << 56 };
const READ_ONLY: Client = Client { badge: 2 << 56 | 1 };

const READ: Opening = Opening::READ;
const WRITE: Opening = Opening::WRITE;

/// Files below `inside/` (everything) and `fixed/` (reading only). Beside them lies `secret`, which nothing may reach.
struct World {
    files: Files<Space>,
    space: Space,
    scratch: Scratch,
}

impl World {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(&format!("services-files-{name}"));
        let at = |name: &str| scratch.path().join(name);
        for directory in ["inside", "fixed", "beside"] {
            std::fs::create_dir(at(directory)).unwrap();
        }
        std::fs::write(at("secret"), "the secret").unwrap();
        std::fs::write(at("beside/secret"), "the other secret").unwrap();
        let (files, space) = Self::serve(&scratch);
        Self { files, space, scratch }
    }

    /// What a cell of the service begins with.
    fn serve(scratch: &Scratch) -> (Files<Space>, Space) {
        let space = Space::default();
        let installed = installed_with(|resources| {
            resources.directories = vec![
                grant(&scratch.path().join("inside"), false),
                grant(&scratch.path().join("fixed"), true),
            ];
        });
        (Files::new(installed, space.clone()).expect("both are there"), space)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    fn symlink(&self, target: impl AsRef<Path>, name: &str) {
        std::os::unix::fs::symlink(target, self.path(name)).unwrap();
    }

    /// Opens below a directory.
    fn open_at(
        &mut self,
        directory: Client,
        path: impl AsRef<[u8]>,
        how: Opening,
    ) -> Result<(Client, Status), Refusal> {
        let opened = self.files.file_open(directory, path.as_ref(), how, 0)?;
        Ok((Client { badge: self.space.badge(opened.file.0.capability()) }, opened.status))
    }

    fn open(&mut self, path: impl AsRef<[u8]>, how: Opening) -> Result<Client, Refusal> {
        self.open_at(ROOT, path, how).map(|(file, _)| file)
    }

    /// A capability of a file as it comes as a parameter.
    fn lend(&self, file: Client) -> Borrow<File> {
        Borrow(File::from_capability(self.space.mint(file.badge).expect("there is room")))
    }

    fn rename(&mut self, path: &str, to: Client, new_path: &str) -> Result<(), Refusal> {
        let to = self.lend(to);
        self.files.file_rename(ROOT, path.as_bytes(), to, new_path.as_bytes())
    }

    fn link(&mut self, path: &str, follow: bool, new_path: &str) -> Result<(), Refusal> {
        let to = self.lend(ROOT);
        self.files.file_link(ROOT, path.as_bytes(), follow, to, new_path.as_bytes())
    }

    /// All of a file's bytes.
    fn read(&mut self, file: Client) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        loop {
            let part = self.files.file_read(file, bytes.len() as u64, u32::MAX)?;
            if part.is_empty() {
                return Ok(bytes);
            }
            bytes.extend_from_slice(part);
        }
    }

    /// All names of a directory with what else is known of them, in the order in which they come.
    fn entries(&mut self, directory: Client) -> Result<Vec<(Vec<u8>, Entry<'static>)>, Refusal> {
        let mut all = Vec::new();
        let mut from = 0;
        loop {
            let batch = self.files.file_entries(directory, from)?;
            let known = batch.iter().map(|entry| (entry.name.to_vec(), Entry { name: b"", ..entry }));
            let before = all.len();
            all.extend(known);
            match all.last() {
                Some((_, last)) if all.len() > before => from = last.next,
                _ => return Ok(all),
            }
        }
    }
}

#[test]
fn a_badge_of_nothing_is_no_target_and_all_its_functions_refuse() {
    let mut world = World::new("nothing");
    world.put("inside/file", "text");
    for badge in [0, Badge::Stream(0).number(), Badge::Clock.number(), Badge::Directory(2).number(), u64::MAX]
    {
        let client = Client { badge };
        assert_eq!(world.files.target(badge), None);
        assert_eq!(world.files.file_status(client), Err(Refusal::BadDescriptor));
        assert_eq!(world.files.file_read(client, 0, 1), Err(Refusal::BadDescriptor));
        assert_eq!(world.open_at(client, "file", READ), Err(Refusal::BadDescriptor));
        world.files.file_close(client);
    }
}

#[test]
fn a_badge_of_a_closed_file_never_names_a_later_one() {
    let mut world = World::new("stale");
    world.put("inside/one", "1");
    world.put("inside/two", "2");
    let first = world.open("one", READ).unwrap();
    let kept = world.open("two", READ).unwrap();
    world.files.file_close(first);
    let mut seen = vec![first.badge, kept.badge];
    for _ in 0..1000 {
        assert_eq!(world.files.target(first.badge), None);
        assert_eq!(world.files.file_read(first, 0, 1), Err(Refusal::BadDescriptor));
        let later = world.open("two", READ).unwrap();
        assert!(!seen.contains(&later.badge));
        seen.push(later.badge);
        // Also when another file has its place; and to close what is closed is nothing.
        for stale in &seen[2..seen.len() - 1] {
            assert_eq!(world.files.target(*stale), None);
        }
        assert_eq!(world.files.target(first.badge), None);
        assert_eq!(world.files.file_write(first, 0, b"x"), Err(Refusal::BadDescriptor));
        world.files.file_close(first);
        assert_eq!(world.read(later), Ok(b"2".to_vec()));
        world.files.file_close(later);
    }
    assert_eq!(world.read(kept), Ok(b"2".to_vec()));
    // Another cell, or the next life of this one, begins with an empty table and names no file as one of the last life was named.
    let (files, space) = World::serve(&world.scratch);
    (world.files, world.space) = (files, space);
    for badge in &seen {
        assert_eq!(world.files.target(*badge), None);
    }
    let later = world.open("two", READ).unwrap();
    assert!(!seen.contains(&later.badge));
}

#[test]
fn a_granted_directory_cannot_be_closed() {
    let mut world = World::new("close-root");
    world.files.file_close(ROOT);
    assert!(world.files.file_status(ROOT).is_ok());
}

#[test]
fn closing_gives_the_descriptor_back() {
    let mut world = World::new("descriptors");
    world.put("inside/file", "");
    let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = count();
    let files: Vec<_> = (0..20).map(|_| world.open("file", READ).unwrap()).collect();
    assert_eq!(count(), before + 20);
    for file in files {
        world.files.file_close(file);
    }
    assert_eq!(count(), before);
    for refused in ["none", "file/", "../secret", "file/x"] {
        world.open(refused, READ).unwrap_err();
        world.files.file_status_of(ROOT, refused.as_bytes(), true).unwrap_err();
        world.rename(refused, ROOT, "new").unwrap_err();
        world.link(refused, true, "new").unwrap_err();
    }
    assert_eq!(count(), before);
}

#[test]
fn a_capability_of_somebody_else_is_no_file() {
    let mut world = World::new("foreign");
    world.put("inside/file", "");
    let foreign = || Borrow(File::from_capability(Handle(1_000_000)));
    assert_eq!(world.files.file_rename(ROOT, b"file", foreign(), b"new"), Err(Refusal::BadDescriptor));
    assert_eq!(world.files.file_link(ROOT, b"file", true, foreign(), b"new"), Err(Refusal::BadDescriptor));
    let file = world.open("file", READ).unwrap();
    let to = world.lend(file);
    world.files.file_close(file);
    assert_eq!(world.files.file_rename(ROOT, b"file", to, b"new"), Err(Refusal::BadDescriptor));
}
