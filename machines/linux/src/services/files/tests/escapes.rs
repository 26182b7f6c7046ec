//! Ways out of a granted directory, none of which leads out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hallows_sdk::stub::Client;
use hallows_system::files::{Moment, Opening, Refusal, Service};
use proptest::prelude::*;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{READ, ROOT, WRITE, World};

const FOLLOW: Opening = Opening::FOLLOW;

/// Tries every function with a path that leads outside, to something that is there, and gives what each said.
fn everything(world: &mut World, directory: Client, path: &str) -> Vec<Result<(), Refusal>> {
    let path = path.as_bytes();
    let below = [path, b"/new"].concat();
    world.put("inside/mine", "mine");
    let (to, here) = (world.lend(directory), world.lend(ROOT));
    let mut results = Vec::new();
    for how in [READ, READ | WRITE, WRITE | Opening::CREATE, WRITE | Opening::TRUNCATE] {
        results.push(world.open_at(directory, path, how | FOLLOW).map(|_| ()));
    }
    results.push(world.open_at(directory, &below, WRITE | Opening::CREATE | FOLLOW).map(|_| ()));
    let (now, kept) = (Moment::Now, Moment::Kept);
    let files = &mut world.files;
    results.push(files.file_status_of(directory, path, true).map(|_| ()));
    results.push(files.file_set_times_of(directory, path, true, now, kept));
    results.push(files.file_link(directory, path, true, here, b"linked"));
    for path in [&below, &[path, b"/../secret"].concat(), &[path, b"/secret"].concat()] {
        results.push(files.file_status_of(directory, path, false).map(|_| ()));
        results.push(files.file_set_times_of(directory, path, false, now, kept));
        results.push(files.file_make_directory(directory, path));
        results.push(files.file_remove_directory(directory, path));
        results.push(files.file_remove_file(directory, path));
        results.push(files.file_make_link(directory, b"x", path));
        results.push(files.file_link_target(directory, path).map(|_| ()));
        results.push(files.file_rename(directory, path, here, b"stolen"));
        results.push(files.file_rename(ROOT, b"mine", to, path));
        results.push(files.file_link(directory, path, false, here, b"linked"));
        results.push(files.file_link(ROOT, b"mine", false, to, path));
    }
    results
}

fn nothing_has_happened(world: &World) {
    assert_eq!(world.text("secret"), "the secret");
    assert_eq!(world.text("beside/secret"), "the other secret");
    let names = |path: &str| {
        let names = std::fs::read_dir(world.path(path)).unwrap();
        let mut names: Vec<_> = names.map(|name| name.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("beside"), ["secret"]);
    assert_eq!(names("."), ["beside", "fixed", "inside", "secret"]);
    assert!(!world.path("inside/stolen").exists() && !world.path("inside/linked").exists());
}

#[test]
fn dots_lead_nowhere() {
    let mut world = World::new("escape-dots");
    world.files.file_make_directory(ROOT, b"sub").unwrap();
    let sub = world.open("sub", READ).unwrap();
    for (directory, path) in [
        (ROOT, ".."),
        (ROOT, "../beside"),
        (ROOT, "./../beside"),
        (ROOT, "sub/../../beside"),
        (ROOT, "sub/../../inside/../beside"),
        (sub, ".."),
        (sub, "../../beside"),
    ] {
        for result in everything(&mut world, directory, path) {
            assert_eq!(result, Err(Refusal::LeadsOutside), "{path}");
        }
    }
    let files = &mut world.files;
    assert_eq!(files.file_remove_directory(ROOT, b".."), Err(Refusal::LeadsOutside));
    assert_eq!(files.file_make_directory(ROOT, b"../new"), Err(Refusal::LeadsOutside));
    assert_eq!(files.file_remove_file(ROOT, b"../secret"), Err(Refusal::LeadsOutside));
    assert_eq!(files.file_status_of(ROOT, b"../inside", true), Err(Refusal::LeadsOutside), "nor back in");
    nothing_has_happened(&world);
}

#[test]
fn absolute_paths_lead_nowhere() {
    let mut world = World::new("escape-absolute");
    for path in ["beside", "inside", "secret"] {
        let path = world.path(path);
        for result in everything(&mut world, ROOT, path.to_str().unwrap()) {
            assert_eq!(result, Err(Refusal::LeadsOutside));
        }
    }
    nothing_has_happened(&world);
}

#[test]
fn links_lead_nowhere() {
    let mut world = World::new("escape-links");
    std::fs::create_dir(world.path("inside/sub")).unwrap();
    // As others may have left them.
    world.symlink(world.path("beside"), "inside/absolute");
    world.symlink("../beside", "inside/relative");
    world.symlink("../../beside", "inside/sub/deep");
    world.symlink("sub/deep", "inside/by-way-of-another");
    world.symlink(world.path("inside"), "inside/back");
    // As a client may make them.
    world.files.file_make_link(ROOT, b"sub/../../beside", b"made").unwrap();
    for path in ["absolute", "relative", "sub/deep", "by-way-of-another", "made", "back"] {
        for result in everything(&mut world, ROOT, path) {
            assert_eq!(result, Err(Refusal::LeadsOutside), "{path}");
        }
        // A slash behind a link follows it.
        let slash = format!("{path}/");
        let files = &mut world.files;
        assert_eq!(files.file_status_of(ROOT, slash.as_bytes(), false), Err(Refusal::LeadsOutside));
        let (now, kept) = (Moment::Now, Moment::Kept);
        assert_eq!(
            files.file_set_times_of(ROOT, slash.as_bytes(), false, now, kept),
            Err(Refusal::LeadsOutside)
        );
        assert_eq!(files.file_link_target(ROOT, slash.as_bytes()), Err(Refusal::LeadsOutside));
        assert_eq!(world.link(&slash, false, "linked"), Err(Refusal::LeadsOutside));
    }
    nothing_has_happened(&world);
}

#[test]
fn a_link_to_a_file_outside_is_neither_read_written_nor_made() {
    let mut world = World::new("escape-file-links");
    world.symlink("../secret", "inside/link");
    world.symlink(world.path("new"), "inside/dangling");
    let before = std::fs::metadata(world.path("secret")).unwrap().modified().unwrap();
    for how in [READ, WRITE, WRITE | Opening::TRUNCATE, WRITE | Opening::CREATE] {
        for link in ["link", "dangling"] {
            assert_eq!(world.open(link, how | FOLLOW).unwrap_err(), Refusal::LeadsOutside);
            assert_eq!(world.open(link, how).unwrap_err(), Refusal::TooManyLinksFollowed);
        }
    }
    let (now, kept) = (Moment::Now, Moment::At(1));
    assert_eq!(world.files.file_set_times_of(ROOT, b"link", true, now, kept), Err(Refusal::LeadsOutside));
    assert_eq!(world.link("link", true, "linked"), Err(Refusal::LeadsOutside));
    // What is of the link itself is done to the link itself.
    assert_eq!(world.files.file_set_times_of(ROOT, b"link", false, now, kept), Ok(()));
    assert_eq!(world.rename("link", ROOT, "renamed"), Ok(()));
    assert_eq!(world.files.file_remove_file(ROOT, b"renamed"), Ok(()));
    assert_eq!(std::fs::metadata(world.path("secret")).unwrap().modified().unwrap(), before);
    nothing_has_happened(&world);
}

#[test]
fn a_hard_link_reaches_what_it_names_and_nothing_around_it() {
    // Whoever makes one for a client gives it that file; the client cannot make one to what it has not.
    let mut world = World::new("escape-hard-links");
    std::fs::hard_link(world.path("secret"), world.path("inside/given")).unwrap();
    let file = world.open("given", READ).unwrap();
    assert_eq!(world.read(file), Ok(b"the secret".to_vec()));
    assert_eq!(world.open_at(file, "..", READ), Err(Refusal::NotDirectory));
    assert_eq!(world.link("../beside/secret", false, "linked"), Err(Refusal::LeadsOutside));
    nothing_has_happened(&world);
}

#[test]
fn a_directory_that_is_moved_out_while_it_is_open_leads_to_what_is_below_it_only() {
    let mut world = World::new("escape-moved");
    std::fs::create_dir_all(world.path("inside/sub/deep")).unwrap();
    world.put("inside/sub/file", "mine");
    let sub = world.open("sub", READ).unwrap();
    let deep = world.open("sub/deep", READ).unwrap();
    std::fs::rename(world.path("inside/sub"), world.path("beside/sub")).unwrap();
    for (directory, path) in
        [(sub, ".."), (sub, "../secret"), (sub, "deep/../../secret"), (deep, "../file"), (deep, "..")]
    {
        assert_eq!(world.open_at(directory, path, READ), Err(Refusal::LeadsOutside), "{path}");
        let result = world.files.file_status_of(directory, path.as_bytes(), true);
        assert_eq!(result, Err(Refusal::LeadsOutside), "{path}");
    }
    assert_eq!(world.files.file_remove_file(sub, b"../secret"), Err(Refusal::LeadsOutside));
    let (file, _) = world.open_at(sub, "file", READ).unwrap();
    assert_eq!(world.read(file), Ok(b"mine".to_vec()));
    assert_eq!(world.open("sub", READ).unwrap_err(), Refusal::NoEntry);
    std::fs::rename(world.path("beside/sub"), world.path("inside/sub")).unwrap();
    nothing_has_happened(&world);
}

/// Says that it is over when it goes, also by a failure: or the other thread goes on for ever.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Swaps two names for one another, again and again, until `body` is over.
fn while_swapping(world: &mut World, one: &str, other: &str, body: impl FnOnce(&mut World)) {
    let (one, other) = (world.path(one), world.path(other));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let _over = Over(&over);
        body(world);
    });
}

/// How often a race is run. A check before the act, in place of `openat2`, loses it within a few hundred.
const RACES: usize = 20_000;

#[test]
fn who_swaps_a_directory_for_a_link_meanwhile_leads_nowhere() {
    let mut world = World::new("race-links");
    std::fs::create_dir(world.path("inside/now")).unwrap();
    world.put("inside/now/secret", "mine");
    world.symlink("../beside", "inside/then");
    let mut seen = [0; 2];
    while_swapping(&mut world, "inside/now", "inside/then", |world| {
        for _ in 0..RACES {
            match world.open("now/secret", READ | WRITE) {
                Ok(file) => {
                    assert_eq!(world.files.file_read(file, 0, 99), Ok(&b"mine"[..]));
                    world.files.file_close(file);
                    seen[0] += 1;
                }
                Err(Refusal::LeadsOutside) => seen[1] += 1,
                Err(refusal) => assert_eq!(refusal, Refusal::Again),
            }
            let times = world.files.file_set_times_of(ROOT, b"now/secret", true, Moment::Kept, Moment::At(5));
            assert!(matches!(times, Ok(()) | Err(Refusal::LeadsOutside | Refusal::Again)), "{times:?}");
            let removed = world.files.file_remove_file(ROOT, b"now/none");
            assert!(
                matches!(removed, Err(Refusal::NoEntry | Refusal::LeadsOutside | Refusal::Again)),
                "{removed:?}"
            );
        }
    });
    assert!(seen.iter().all(|seen| *seen > 0), "both were met: {seen:?}");
    assert!(
        std::fs::metadata(world.path("beside/secret"))
            .unwrap()
            .modified()
            .unwrap()
            .elapsed()
            .is_ok_and(|age| age.as_secs() < 3_600)
    );
    std::fs::rename(world.path("inside/now"), world.path("inside/x")).unwrap();
    nothing_has_happened(&world);
}

#[test]
fn who_swaps_a_file_for_a_link_meanwhile_leads_nowhere() {
    let mut world = World::new("race-last");
    world.put("inside/file", "mine");
    world.symlink("../secret", "inside/link");
    while_swapping(&mut world, "inside/file", "inside/link", |world| {
        for number in 0..RACES {
            let times = world.files.file_set_times_of(ROOT, b"file", true, Moment::Kept, Moment::At(5));
            assert!(matches!(times, Ok(()) | Err(Refusal::LeadsOutside)), "{times:?}");
            let to = format!("linked-{number}");
            match world.link("file", true, &to) {
                // Either the file or the link itself, never what it leads to.
                Ok(()) => {
                    let read = world.open(&to, READ | WRITE | FOLLOW).and_then(|file| {
                        let read = world.read(file);
                        world.files.file_close(file);
                        read
                    });
                    assert!(matches!(read.as_deref(), Ok(b"mine") | Err(Refusal::LeadsOutside)), "{read:?}");
                    world.files.file_remove_file(ROOT, to.as_bytes()).unwrap();
                }
                Err(refusal) => assert_eq!(refusal, Refusal::LeadsOutside),
            }
        }
    });
    let modified = std::fs::metadata(world.path("secret")).unwrap().modified().unwrap();
    assert!(modified.elapsed().is_ok_and(|age| age.as_secs() < 3_600), "its times are its own");
    nothing_has_happened(&world);
}

#[test]
fn who_moves_a_directory_out_while_a_path_goes_up_in_it_leads_nowhere() {
    let mut world = World::new("race-up");
    std::fs::create_dir_all(world.path("inside/sub/deep")).unwrap();
    world.put("inside/secret", "mine");
    let (within, without) = (world.path("inside/sub/deep"), world.path("beside/deep"));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                std::fs::rename(&within, &without).unwrap();
                std::fs::rename(&without, &within).unwrap();
            }
        });
        let _over = Over(&over);
        for _ in 0..RACES {
            match world.open("sub/deep/../../secret", READ) {
                Ok(file) => {
                    assert_eq!(world.files.file_read(file, 0, 99), Ok(&b"mine"[..]));
                    world.files.file_close(file);
                }
                Err(refusal) => assert!(
                    matches!(refusal, Refusal::NoEntry | Refusal::LeadsOutside | Refusal::Again),
                    "{refusal:?}"
                ),
            }
            // Above where it was moved to lies the other secret.
            if let Ok(file) = world.open("sub/deep/../secret", READ) {
                panic!("opened {:?}", world.read(file));
            }
        }
    });
    nothing_has_happened(&world);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]
    /// Whatever a path is made of, and whatever links lie on its way, it comes to something inside, or to nothing.
    #[test]
    fn no_path_leads_outside(
        links in prop::collection::vec(prop::collection::vec(0..8_usize, 1..5), 0..4),
        path in prop::collection::vec(0..8_usize, 1..7),
        follow: bool,
    ) {
        const STEPS: [&str; 8] = ["..", ".", "sub", "link0", "link1", "link2", "secret", "beside"];
        let mut world = World::new("escape-random");
        std::fs::create_dir(world.path("inside/sub")).unwrap();
        let join = |steps: &[usize]| steps.iter().map(|step| STEPS[*step]).collect::<Vec<_>>().join("/");
        for (number, link) in links.iter().enumerate() {
            let place = if number == 2 { "inside/sub" } else { "inside" };
            world.symlink(join(link), &format!("{place}/link{number}"));
        }
        let path = join(&path);
        let root = world.files.file_status(ROOT).unwrap();
        let outside: Vec<u64> = ["", "secret", "beside", "beside/secret", "fixed", ".."].iter()
            .map(|name| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(world.path(name)).unwrap()))
            .collect();
        if let Ok(status) = world.files.file_status_of(ROOT, path.as_bytes(), follow) {
            prop_assert!(status.device == root.device && !outside.contains(&status.inode), "{path}");
        }
        let how = if follow { READ | FOLLOW } else { READ };
        if let Ok((_, status)) = world.open_at(ROOT, &path, how) {
            prop_assert!(!outside.contains(&status.inode), "{path}");
        }
        let _ = world.files.file_make_directory(ROOT, path.as_bytes());
        let _ = world.rename(&path, ROOT, "moved");
        let _ = world.link(&path, follow, "linked");
        let _ = world.files.file_remove_file(ROOT, path.as_bytes());
        let _ = world.files.file_remove_directory(ROOT, path.as_bytes());
        prop_assert_eq!(world.text("secret"), "the secret");
        prop_assert_eq!(world.text("beside/secret"), "the other secret");
        prop_assert_eq!(std::fs::read_dir(world.path("")).unwrap().count(), 4);
        prop_assert_eq!(std::fs::read_dir(world.path("beside")).unwrap().count(), 1);
    }
}
