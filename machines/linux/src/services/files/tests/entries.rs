//! Names in directories.

use std::collections::BTreeSet;

use hallows_sdk::stub::Client;
use hallows_system::files::{Kind, Opening, Refusal, Service};

use super::{READ, ROOT, World};
use crate::services::files::Frame;

fn names(entries: &[(Vec<u8>, hallows_system::files::Entry<'_>)]) -> Vec<Vec<u8>> {
    let mut names: Vec<_> = entries.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names
}

#[test]
fn an_empty_directory_has_itself_and_the_one_above() {
    let mut world = World::new("entries-empty");
    let entries = world.entries(ROOT).unwrap();
    assert_eq!(names(&entries), [b".".to_vec(), b"..".to_vec()]);
    assert_eq!(names(&world.entries(ROOT).unwrap()), names(&entries), "and again from the front");
}

#[test]
fn entries_say_kind_and_inode() {
    let mut world = World::new("entries-kinds");
    world.put("inside/file", "");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    world.symlink("file", "inside/link");
    let entries = world.entries(ROOT).unwrap();
    for (name, kind) in [("file", Kind::Regular), ("sub", Kind::Directory), ("link", Kind::SymbolicLink)] {
        let (_, entry) = entries.iter().find(|(found, _)| found == name.as_bytes()).expect("is listed");
        let status = world.files.file_status_of(ROOT, name.as_bytes(), false).unwrap();
        assert_eq!((entry.kind, entry.inode), (kind, status.inode));
    }
}

#[test]
fn what_is_new_is_seen_from_the_front() {
    let mut world = World::new("entries-new");
    world.entries(ROOT).unwrap();
    for name in ["a", "b", "c"] {
        world.put(&format!("inside/{name}"), "");
        assert!(names(&world.entries(ROOT).unwrap()).contains(&name.as_bytes().to_vec()));
    }
}

#[test]
fn many_names_come_in_batches_each_once_and_any_place_goes_on_from_there() {
    const COUNT: usize = 4_000;
    let mut world = World::new("entries-many");
    for number in 0..COUNT {
        world.put(&format!("inside/{number:-<40}"), "");
    }
    let entries = world.entries(ROOT).unwrap();
    let distinct: BTreeSet<_> = entries.iter().map(|(name, _)| name).collect();
    assert_eq!((entries.len(), distinct.len()), (COUNT + 2, COUNT + 2));
    let batch = world.files.file_entries(ROOT, 0).unwrap().len();
    assert!(batch > 500 && batch < COUNT, "{batch} in one batch");
    // From any place on, in any order; two directories have a place each.
    let other = world.open(".", READ).unwrap();
    let mut from_place = |directory: Client, place: usize| {
        let from = entries[place].1.next;
        let listed = world.files.file_entries(directory, from).unwrap();
        assert_eq!(listed.iter().next().map(|entry| entry.name), Some(&entries[place + 1].0[..]), "{place}");
    };
    for place in [3_000, 10, 2_000, 2_000, 0, 4_000] {
        from_place(ROOT, place);
        from_place(other, 4_000 - place);
    }
    let last = entries.last().unwrap().1.next;
    assert!(world.files.file_entries(ROOT, last).unwrap().is_empty());
    assert!(world.files.file_entries(ROOT, last).unwrap().is_empty());
}

#[test]
fn the_shortest_names_fill_a_batch_and_the_batch_fits_into_an_answer() {
    // What takes the most room in an answer for its room in Linux's form is a name of four bytes, one of 24 there.
    let mut world = World::new("entries-short");
    for number in 0..2_700 {
        world.put(&format!("inside/{number:04}"), "");
    }
    let most = Frame::new().room(u32::MAX).len();
    let batch = world.files.file_entries(ROOT, 0).unwrap();
    let bytes: usize = 4 + batch.iter().map(|entry| 21 + entry.name.len()).sum::<usize>();
    assert!(bytes > 60_000 && bytes <= most, "{bytes} bytes of {most}");
    assert_eq!(world.entries(ROOT).unwrap().len(), 2_702);
}

#[test]
fn places_that_are_none_are_refused_or_have_no_names() {
    let mut world = World::new("entries-places");
    world.put("inside/file", "");
    for from in [1 << 63, u64::MAX] {
        assert_eq!(world.files.file_entries(ROOT, from).unwrap_err(), Refusal::Invalid);
    }
    // Whatever Linux makes of others, it is an answer.
    for from in [3, 1 << 20, i64::MAX as u64] {
        let _ = world.files.file_entries(ROOT, from);
    }
    assert_eq!(world.entries(ROOT).unwrap().len(), 3);
}

#[test]
fn files_have_no_names_in_them_and_removed_directories_none_any_more() {
    let mut world = World::new("entries-none");
    world.put("inside/file", "");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    let file = world.open("file", READ).unwrap();
    assert_eq!(world.files.file_entries(file, 0).unwrap_err(), Refusal::NotDirectory);
    let sub = world.open("sub", Opening::DIRECTORY).unwrap();
    std::fs::remove_dir(world.path("inside/sub")).unwrap();
    assert_eq!(world.files.file_entries(sub, 0).unwrap_err(), Refusal::NoEntry);
    assert_eq!(world.open_at(sub, "new", READ | super::WRITE | Opening::CREATE), Err(Refusal::NoEntry));
}
