//! The guide to writing programs: every program in it is built as it stands there, and every system booted, and says what it is said to say.
//!
//! Marks behind a block's language: `program=NAME` (and `,alloc` or `,threads`) is the source of a program, `configuration=threads` what those with threads
//! are built with, `fails=CODE` one that does not compile,
//! `system=NAME` a description, and `says=NAME` (and `,status=N`) lines of what that system writes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

const GUIDE: &str = include_str!("../../docs/programs.md");
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TARGET: &str = "wasm32-unknown-unknown";
/// So many seconds are more than a system of the guide needs; `timeout` then ends it with code 124.
const LONGEST_SECONDS: &str = "60";

/// A block: its marks, and its text.
struct Block {
    marks: BTreeMap<&'static str, &'static str>,
    text: &'static str,
}

fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rest = GUIDE;
    while let Some((_, opened)) = rest.split_once("\n```") {
        let (info, opened) = opened.split_once('\n').expect("a block begins with a line");
        let (text, after) = opened.split_once("\n```").expect("a block ends");
        let marks = info.split(',').map(|mark| mark.split_once('=').unwrap_or((mark, ""))).collect();
        blocks.push(Block { marks, text });
        rest = after;
    }
    blocks
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("is in a folder")).expect("made");
    std::fs::write(path, text).expect("written");
}

/// What programs are built with that have no threads.
const CONFIGURATION: &str =
    "[target.wasm32-unknown-unknown]\nrustflags = [\"-C\", \"link-arg=-zstack-size=65536\"]\n";

/// A program of the guide: its name, its source, the features of the SDK that it needs.
type Source<'a> = (&'a str, &'a str, &'a [&'static str]);

/// A workspace with a package for each program, so that the SDK is built once.
fn workspace(folder: &Path, programs: &[Source<'_>], configuration: &str) {
    let members: Vec<_> = programs.iter().map(|(name, ..)| *name).collect();
    let profile = if configuration == CONFIGURATION { "" } else { "[profile.release]\nlto = \"fat\"\n" };
    let root = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n{profile}");
    write(&folder.join("Cargo.toml"), &root);
    write(&folder.join(".cargo/config.toml"), configuration);
    for (name, source, features) in programs {
        let mut manifest = format!("[package]\nname = {name:?}\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        // Linked as one piece is only what is nothing else.
        let kinds: &[&str] = if features.contains(&"threads") { &["cdylib"] } else { &["cdylib", "rlib"] };
        let _ = write!(
            manifest,
            "[lib]\ncrate-type = {kinds:?}\n[dependencies]\n\
             hallows = {{ package = \"hallows-sdk\", features = {features:?}, path = \"{REPOSITORY}/sdk/rust\" }}\n"
        );
        write(&folder.join(name).join("Cargo.toml"), &manifest);
        write(&folder.join(name).join("src/lib.rs"), source);
    }
}

fn cargo(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(format!("{REPOSITORY}/scripts/toolchain.sh"));
    command.arg(TARGET).args(arguments).current_dir(folder);
    // What this test's own cargo has told it is not for another one.
    for (key, _) in std::env::vars_os() {
        let key = key.to_string_lossy().into_owned();
        if key == "RUSTFLAGS"
            || (key.starts_with("CARGO_") && key != "CARGO_HOME" && key != "CARGO_BUILD_JOBS")
        {
            command.env_remove(key);
        }
    }
    command.output().expect("it can be started")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn every_program_of_the_guide_builds_and_every_system_says_what_it_is_said_to_say() {
    let blocks = blocks();
    let folder = tempfile::tempdir().expect("a folder");
    let with = |mark| blocks.iter().filter_map(move |block| Some((*block.marks.get(mark)?, block)));

    let needs = |block: &Block| -> &'static [&'static str] {
        match (block.marks.contains_key("threads"), block.marks.contains_key("alloc")) {
            (true, _) => &["threads"],
            (false, true) => &["alloc"],
            (false, false) => &[],
        }
    };
    let sources = with("program").map(|(name, block)| (name, block.text, needs(block)));
    let (threaded, programs): (Vec<_>, Vec<_>) =
        sources.partition(|(_, _, features)| features.contains(&"threads"));
    assert!(programs.len() >= 9 && !threaded.is_empty(), "the guide has lost its programs");
    let configured = with("configuration").find(|(name, _)| *name == "threads").expect("it says how");
    for (part, programs, configuration) in
        [("programs", programs, CONFIGURATION), ("threads", threaded, configured.1.text)]
    {
        let part = folder.path().join(part);
        workspace(&part, &programs, configuration);
        let built = cargo(&part, &["build", "--workspace", "--release"]);
        assert!(built.status.success(), "{}", text(&built));
        for (name, ..) in &programs {
            let made = part.join(format!("target/{TARGET}/release/{}.wasm", name.replace('-', "_")));
            std::fs::copy(made, folder.path().join(format!("{name}.wasm"))).expect("it was built");
        }
    }

    let said: BTreeMap<_, _> = with("says").collect();
    let systems: Vec<_> = with("system").collect();
    assert_eq!(systems.len(), said.len(), "a system of which nothing is said, or the other way round");
    for (name, system) in systems {
        let file = folder.path().join(format!("{name}.toml"));
        write(&file, system.text);
        let runtime = tempfile::tempdir().expect("a folder");
        let output = Command::new("timeout")
            .args([LONGEST_SECONDS, env!("CARGO_BIN_EXE_hallows")])
            .args(["run", "--quiet", "--tier", "shared", "--cores", "0"])
            .arg(&file)
            .env("XDG_RUNTIME_DIR", runtime.path())
            .output()
            .expect("it can be started");
        let expected = said.get(name).unwrap_or_else(|| panic!("nothing is said of {name}"));
        for line in expected.text.lines() {
            assert!(text(&output).contains(line), "{name} does not say `{line}`: {}", text(&output));
        }
        let status = expected.marks.get("status").map_or(0, |status| status.parse().expect("a number"));
        assert_eq!(output.status.code(), Some(status), "{name}: {}", text(&output));
    }
}

#[test]
fn what_the_guide_says_does_not_compile_does_not_for_that_reason() {
    let blocks = blocks();
    let failing: Vec<_> = blocks.iter().filter(|block| block.marks.contains_key("fails")).collect();
    assert!(!failing.is_empty(), "the guide shows nothing that does not compile");
    for block in failing {
        let code = block.marks["fails"];
        let folder = tempfile::tempdir().expect("a folder");
        let source = format!("#![no_std]\n#![allow(dead_code)]\n{}", block.text);
        workspace(folder.path(), &[("failing", &source, &[])], CONFIGURATION);
        let built = cargo(folder.path(), &["check"]);
        assert!(!built.status.success(), "it compiles: {}", block.text);
        assert!(text(&built).contains(code), "it fails for another reason than {code}: {}", text(&built));
    }
}
