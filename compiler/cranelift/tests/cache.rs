//! The cache with the real compiler: hits, misses, damage, forgery, concurrency, eviction.
use hallows_cache::{Cache, Compiler, CpuFeatures, Limits, Origin, Platform, Settings};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

fn compiler() -> Compiler {
    Compiler::from_path(env!("CARGO_BIN_EXE_hallows-compiler").into())
}

fn cache(directory: &TempDir) -> Cache {
    Cache::open(directory.path(), compiler()).unwrap()
}

fn settings() -> Settings {
    Settings::new(Platform::Linux, CpuFeatures::BASELINE).unwrap()
}

/// A program that differs from that of every other number.
fn program(number: u32) -> Vec<u8> {
    format!("(module (func (export \"run\") (result i32) (i32.const {number})))").into_bytes()
}

/// Asks for a program; where it came from and its bytes, verified.
fn ask(cache: &Cache, program: &[u8]) -> (bool, Vec<u8>) {
    let compiled = cache.artifact(program, &settings(), &Limits::DEFAULT).unwrap();
    assert!(!compiled.open(&cache.seal_key()).unwrap().code().is_empty());
    (compiled.origin == Origin::Cache, compiled.into_bytes())
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(directory.join("artifacts")).unwrap();
    let mut entries: Vec<_> = listing.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

#[test]
fn a_program_is_compiled_once_and_for_each_settings() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (cache(&directory), cache(&directory));
    let (hit, bytes) = ask(&first, &program(1));
    assert!(!hit);
    assert_eq!(ask(&second, &program(1)), (true, bytes));
    assert!(!ask(&second, &program(2)).0);
    let metal = Settings::new(Platform::Metal, CpuFeatures::BASELINE).unwrap();
    let other = first.artifact(&program(1), &metal, &Limits::DEFAULT).unwrap();
    assert_ne!(other.origin, Origin::Cache);
    assert_eq!(entries(directory.path()).len(), 3);
}

#[test]
fn damaged_cut_and_odd_entries_are_compiled_again() {
    let directory = tempfile::tempdir().unwrap();
    let cache = cache(&directory);
    let (_, good) = ask(&cache, &program(1));
    let entry = entries(directory.path()).remove(0);
    let mut flipped = good.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for damaged in [flipped, good[..good.len() - 1].to_vec(), vec![], b"\x7fELF".to_vec()] {
        fs::write(&entry, damaged).unwrap();
        assert_eq!(ask(&cache, &program(1)), (false, good.clone()));
        assert_eq!(ask(&cache, &program(1)), (true, good.clone()));
    }
    // Not files at all: a link to a good artefact, a directory, a pipe that nobody writes to.
    let elsewhere = directory.path().join("elsewhere");
    fs::rename(&entry, &elsewhere).unwrap();
    symlink(&elsewhere, &entry).unwrap();
    assert!(!ask(&cache, &program(1)).0);
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    assert!(!ask(&cache, &program(1)).0);
    let pipe = std::process::Command::new("mkfifo").arg(directory.path().join("pipe")).status().unwrap();
    assert!(pipe.success());
    fs::rename(directory.path().join("pipe"), &entry).unwrap();
    assert!(!ask(&cache, &program(1)).0);
}

#[test]
fn entries_of_others_and_of_other_programs_are_not_taken() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (our_cache, their_cache) = (cache(&ours), cache(&theirs));
    let (_, good) = ask(&our_cache, &program(1));
    let (_, foreign) = ask(&their_cache, &program(1));
    assert_eq!(good[4096..], foreign[4096..], "the same code");
    assert_ne!(good, foreign, "under another seal");
    let entry = entries(ours.path()).remove(0);
    fs::write(&entry, &foreign).unwrap();
    assert_eq!(ask(&our_cache, &program(1)), (false, good));
    // Ours, but under another program's name.
    ask(&our_cache, &program(2));
    let both = entries(ours.path());
    let (one, other) = (fs::read(&both[0]).unwrap(), fs::read(&both[1]).unwrap());
    fs::write(&both[0], other).unwrap();
    fs::write(&both[1], one).unwrap();
    assert!(!ask(&our_cache, &program(1)).0 && !ask(&our_cache, &program(2)).0);
}

#[test]
fn the_key_is_private_and_one_that_was_not_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let first = cache(&directory);
    let (_, bytes) = ask(&first, &program(1));
    let key = directory.path().join("seal.key");
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(directory.path().join("artifacts")).unwrap().permissions().mode() & 0o777, 0o700);
    let secret = fs::read(&key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let second = cache(&directory);
    assert_ne!(fs::read(&key).unwrap(), secret);
    let (hit, resealed) = ask(&second, &program(1));
    assert!(!hit && resealed != bytes);
    // Cut short, or a link to where somebody else can read it: replaced as well.
    fs::write(&key, b"short").unwrap();
    cache(&directory);
    assert_eq!(fs::read(&key).unwrap().len(), 32);
    fs::rename(&key, directory.path().join("other.key")).unwrap();
    symlink("other.key", &key).unwrap();
    cache(&directory);
    assert!(fs::symlink_metadata(&key).unwrap().is_file());
}

#[test]
fn many_users_at_the_same_time_agree() {
    let directory = tempfile::tempdir().unwrap();
    let results: Vec<Vec<Vec<u8>>> = std::thread::scope(|scope| {
        let users: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let cache = cache(&directory);
                    (0..12).map(|turn| ask(&cache, &program(turn % 3)).1).collect()
                })
            })
            .collect();
        users.into_iter().map(|user| user.join().unwrap()).collect()
    });
    assert!(results.iter().all(|result| *result == results[0]));
    assert_eq!(entries(directory.path()).len(), 3, "and nothing half-written stays");
}

#[test]
fn the_least_recently_used_go_first() {
    let directory = tempfile::tempdir().unwrap();
    let size = ask(&cache(&directory), &program(1)).1.len() as u64;
    fs::remove_file(&entries(directory.path())[0]).unwrap();
    let cache = cache(&directory).with_bound(2 * size + size / 2);
    let mut made = Vec::new();
    for number in 1..=2 {
        ask(&cache, &program(number));
        let new = entries(directory.path()).into_iter().find(|entry| !made.contains(entry)).unwrap();
        // As if it had been made an hour ago: file times are coarse.
        let past = SystemTime::now() - Duration::from_secs(3_000 - u64::from(number));
        fs::File::options().write(true).open(&new).unwrap().set_modified(past).unwrap();
        made.push(new);
    }
    // The first is used, so the second goes.
    assert!(ask(&cache, &program(1)).0);
    ask(&cache, &program(3));
    assert!(made[0].exists() && !made[1].exists());
    assert_eq!(entries(directory.path()).len(), 2);
    // What a dead process left goes when it is old.
    let left = directory.path().join("artifacts/.writing-0");
    fs::write(&left, b"half").unwrap();
    ask(&cache, &program(4));
    assert!(left.exists());
    let past = SystemTime::now() - Duration::from_secs(7_200);
    fs::File::options().write(true).open(&left).unwrap().set_modified(past).unwrap();
    ask(&cache, &program(5));
    assert!(!left.exists());
}

#[test]
fn a_cache_that_cannot_be_written_still_compiles() {
    let directory = tempfile::tempdir().unwrap();
    let cache = cache(&directory);
    fs::remove_dir_all(directory.path().join("artifacts")).unwrap();
    assert!(!ask(&cache, &program(1)).0);
    assert!(!ask(&cache, &program(1)).0);
    let nothing_fits = self::cache(&directory).with_bound(10);
    assert!(!ask(&nothing_fits, &program(1)).0 && !ask(&nothing_fits, &program(1)).0);
}

#[test]
fn an_embedded_compiler_and_more_threads_give_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let (_, expected) = ask(&cache(&directory), &program(1));
    fs::remove_dir_all(directory.path().join("artifacts")).unwrap();
    let executable = fs::read(env!("CARGO_BIN_EXE_hallows-compiler")).unwrap().leak();
    let embedded = Cache::open(directory.path(), Compiler::from_bytes(executable)).unwrap().with_threads(2);
    assert_eq!(ask(&embedded, &program(1)), (false, expected));
}
