//! `hallows new` as a newcomer uses it: what it makes is tested, built and run, natively and as cells.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// So many seconds are more than a machine needs for these; `timeout` then ends it with code 124.
const LONGEST_SECONDS: &str = "60";
/// Chooses who provides `core` for WebAssembly, also where the target cannot be downloaded.
const TOOLCHAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/toolchain.sh");

fn hallows(folder: &Path, arguments: &[&str]) -> Output {
    let runtime = tempfile::tempdir().expect("a folder");
    Command::new("timeout")
        .args([LONGEST_SECONDS, env!("CARGO_BIN_EXE_hallows")])
        .args(arguments)
        .current_dir(folder)
        .env("XDG_RUNTIME_DIR", runtime.path())
        .output()
        .expect("it can be started")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A cargo without what this test's own has told it.
fn build(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder);
    for (key, _) in std::env::vars_os() {
        let key = key.to_string_lossy().into_owned();
        if key == "RUSTFLAGS"
            || (key.starts_with("CARGO_") && key != "CARGO_HOME" && key != "CARGO_BUILD_JOBS")
        {
            command.env_remove(key);
        }
    }
    let output = command.output().expect("it can be started");
    assert!(output.status.success(), "{program} {arguments:?}: {}", text(&output));
    text(&output)
}

/// Makes a project, tests it, builds it, and runs it.
fn whole_life(options: &[&str], tests: usize) -> (String, PathBuf, tempfile::TempDir) {
    let parent = tempfile::tempdir().expect("a folder");
    let made = hallows(parent.path(), &[&["new", "my-first"], options].concat());
    assert!(made.status.success(), "{}", text(&made));
    let folder = parent.path().join("my-first");
    let tested = build(&folder, "cargo", &["test", "--workspace", "--offline"]);
    let passed = tested.matches(" ... ok").count();
    assert_eq!(passed, tests, "{tested}");
    build(&folder, TOOLCHAIN, &["wasm32-unknown-unknown", "build", "--workspace", "--release"]);
    let ran = hallows(&folder, &["run", "--quiet", "--tier", "shared", "--cores", "0", "system.toml"]);
    assert_eq!(ran.status.code(), Some(0), "{}", text(&ran));
    (text(&ran), folder, parent)
}

#[test]
fn a_new_program_is_tested_built_and_run() {
    let (said, folder, _parent) = whole_life(&[], 1);
    assert!(said.contains("hello, world"), "{said}");
    let lock = std::fs::read_to_string(folder.join("Cargo.lock")).expect("cargo wrote it");
    assert!(!lock.contains("registry"), "it needs something that is not in its folder: {lock}");
}

#[test]
fn a_new_server_and_its_client_are_tested_built_and_run() {
    let (said, _, _parent) = whole_life(&["--server"], 3);
    assert!(said.contains("1 + 2 = 3 (sum number 1)"), "{said}");
    assert!(said.contains("20 + 22 = 42 (sum number 2)"), "{said}");
}

#[test]
fn a_name_that_is_none_and_a_folder_that_is_there_are_said_and_nothing_is_changed() {
    let parent = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(parent.path().join("mine")).expect("made");
    for (name, expected) in [
        ("mine", "already something called ./mine"),
        ("Mine", "a to z"),
        ("a/b", "go there first"),
        ("fn", "of this name already"),
        ("2", "begins with a letter"),
    ] {
        let output = hallows(parent.path(), &["new", name]);
        assert_eq!(output.status.code(), Some(64), "{}", text(&output));
        // A message is broken into lines, each behind a bar.
        let words = text(&output).replace('│', " ");
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(expected), "{words}");
    }
    let left = std::fs::read_dir(parent.path()).expect("is there").count();
    assert_eq!(left, 1);
    assert_eq!(std::fs::read_dir(parent.path().join("mine")).expect("is there").count(), 0);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_an_error_of_the_host() {
    let output = hallows(Path::new("/proc"), &["new", "greeter"]);
    assert_eq!(output.status.code(), Some(70), "{}", text(&output));
    assert!(text(&output).contains("cannot write ./greeter"), "{}", text(&output));
}
