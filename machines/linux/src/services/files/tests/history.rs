//! Random histories of names, beside the same calls of the standard library on a directory of their own.

use std::io::{Error, ErrorKind};
use std::path::Path;

use hallows_system::files::{Opening, Refusal, Service};
use proptest::prelude::*;

use super::{ROOT, WRITE, World};

#[derive(Clone, Debug)]
enum Step {
    Make(usize),
    Remove(usize),
    Create(usize),
    Unlink(usize),
    Rename(usize, usize),
    Link(usize, usize),
    Symlink(usize, usize),
}

const PATHS: [&str; 9] = ["a", "b", "a/a", "a/b", "b/a", "b/a/c", "a/", "b/a/", "./b"];

fn steps() -> impl Strategy<Value = Step> {
    let path = || 0..PATHS.len();
    prop_oneof![
        path().prop_map(Step::Make),
        path().prop_map(Step::Remove),
        path().prop_map(Step::Create),
        path().prop_map(Step::Unlink),
        (path(), path()).prop_map(|(from, to)| Step::Rename(from, to)),
        (path(), path()).prop_map(|(from, to)| Step::Link(from, to)),
        (path(), path()).prop_map(|(target, path)| Step::Symlink(target, path)),
    ]
}

fn natively(root: &Path, step: &Step) -> Result<(), Error> {
    let at = |path: &usize| format!("{}/{}", root.display(), PATHS[*path]);
    match step {
        Step::Make(path) => std::fs::create_dir(at(path)),
        Step::Remove(path) => std::fs::remove_dir(at(path)),
        Step::Create(path) => {
            let mut how = std::fs::OpenOptions::new();
            let no_follow = std::os::unix::fs::OpenOptionsExt::custom_flags(&mut how, libc::O_NOFOLLOW);
            no_follow.write(true).create(true).truncate(false).open(at(path)).map(|_| ())
        }
        Step::Unlink(path) => std::fs::remove_file(at(path)),
        Step::Rename(from, to) => std::fs::rename(at(from), at(to)),
        Step::Link(from, to) => std::fs::hard_link(at(from), at(to)),
        Step::Symlink(target, path) => std::os::unix::fs::symlink(PATHS[*target], at(path)),
    }
}

fn served(world: &mut World, step: &Step) -> Result<(), Refusal> {
    let bytes = |path: &usize| PATHS[*path].as_bytes();
    match step {
        Step::Make(path) => world.files.file_make_directory(ROOT, bytes(path)),
        Step::Remove(path) => world.files.file_remove_directory(ROOT, bytes(path)),
        Step::Create(path) => {
            let file = world.open(bytes(path), WRITE | Opening::CREATE)?;
            world.files.file_close(file);
            Ok(())
        }
        Step::Unlink(path) => world.files.file_remove_file(ROOT, bytes(path)),
        Step::Rename(from, to) => world.rename(PATHS[*from], ROOT, PATHS[*to]),
        Step::Link(from, to) => world.link(PATHS[*from], false, PATHS[*to]),
        Step::Symlink(target, path) => world.files.file_make_link(ROOT, bytes(target), bytes(path)),
    }
}

/// All that lies below a directory: paths, kinds, where links lead.
fn tree(root: &Path, below: &str) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(root.join(below)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{below}{}", entry.file_name().to_str().unwrap());
        let target = std::fs::read_link(entry.path());
        all.push(format!("{path} {:?} {target:?}", entry.file_type().unwrap()));
        if entry.file_type().unwrap().is_dir() {
            all.extend(tree(root, &format!("{path}/")));
        }
    }
    all.sort();
    all
}

/// Errors that are worth to be the same.
fn same(refusal: Refusal, error: &Error) -> bool {
    let number = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error).expect("of Linux");
    refusal == super::super::refusal::refused(number)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]
    #[test]
    fn names_are_as_linux_has_them(steps in prop::collection::vec(steps(), 1..25)) {
        let mut world = World::new("history");
        let (native, inside) = (world.path("beside/native"), world.path("inside"));
        std::fs::create_dir(&native).unwrap();
        for step in &steps {
            let (expected, result) = (natively(&native, step), served(&mut world, step));
            match (&expected, result) {
                (Ok(()), Ok(())) => {}
                (Err(error), Err(refusal)) => prop_assert!(
                    same(refusal, error) || error.kind() == ErrorKind::InvalidInput,
                    "{step:?} of {steps:?}: {refusal:?}, and Linux: {error}"
                ),
                (expected, result) => prop_assert!(false, "{step:?} of {steps:?}: {result:?}, and Linux: {expected:?}"),
            }
            prop_assert_eq!(tree(&inside, ""), tree(&native, ""), "after {:?} of {:?}", step, steps);
        }
    }
}
