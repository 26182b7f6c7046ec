//! `hallows interface`, as a user types it.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What it writes, its errors, and its exit code; from the root of the tree.
fn interface(arguments: &[&str]) -> (String, String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_hallows"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .arg("interface")
        .args(arguments)
        .output()
        .expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

#[test]
fn hashes_are_printed_for_people_and_programs() {
    let (text, _, code) = interface(&["hash", "wit/system"]);
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once("  ")).map(|(_, name)| name).collect();
    assert_eq!(
        (names, code),
        (
            vec![
                "clock",
                "console",
                "files",
                "invocation",
                "machine",
                "net",
                "random",
                "registry",
                "served",
                "told",
                "tuning",
            ],
            Some(0)
        )
    );
    let (short, _, _) = interface(&["hash", "--short", "wit/system", "--interface", "clock"]);
    assert_eq!(short, format!("{}  clock\n", &text[..12]));
    let (json, _, _) = interface(&["hash", "--json", "wit/system", "--interface", "clock"]);
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(object["hash"].as_str(), text.get(..64));
}

#[test]
fn the_canonical_form_is_shown() {
    let (text, _, code) = interface(&["show", "wit/examples", "--interface", "calc"]);
    let line = "func calculate(operation: enum{add, subtract, multiply, divide}, a: s64, b: s64) \
                -> result<s64, enum{division-by-zero, overflow}>\n";
    assert!(text.starts_with("# calc ") && text.ends_with(&format!("\ninterface 1\n{line}")), "{text}");
    assert_eq!(code, Some(0));
    let (json, _, _) = interface(&["show", "--json", "wit/examples", "--interface", "calc"]);
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(object["functions"][0]["canonical"].as_str(), Some(line.trim_end()));
}

#[test]
fn what_a_program_declares_is_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("sums.wasm");
    let name = b"hallows.interfaces";
    let record = [&[1, 2, 4][..], &[0xab; 32], b"calc"].concat();
    let inside = [&[18][..], name, &record].concat();
    let length = u8::try_from(inside.len()).expect("short");
    let module = [&b"\0asm\x01\0\0\0"[..], &[0, length], &inside].concat();
    fs::write(&program, &module).expect("written");
    let path = program.to_str().expect("a path of letters");
    let hash = "ab".repeat(32);
    assert_eq!(interface(&["show", path]), (format!("serves {hash}  calc\n"), String::new(), Some(0)));
    let (json, _, _) = interface(&["show", "--json", path]);
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((object["direction"].as_str(), object["hash"].as_str()), (Some("serves"), Some(&*hash)));
    fs::write(&program, &module[..module.len() - 1]).expect("written");
    let (_, error, code) = interface(&["show", path]);
    assert!(error.contains("cut off"), "{error}");
    assert_eq!(code, Some(64));
}

#[test]
fn a_difference_is_told_and_ends_with_one_and_none_with_zero() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("written");
        path.to_str().expect("a path of letters").to_owned()
    };
    let old = file("old.wit", "package a:b; interface disk { write: func(at: u64, what: list<u8>); }");
    let new = file("new.wit", "package c:d@2.0.0; interface disk { write: func(at: u64, what: string); }");
    let same = file(
        "same.wit",
        "package e:f; /// Other words.\ninterface drive { type a = u64; write: func(at: a, what: list<u8>); }",
    );
    let (text, _, code) = interface(&["diff", &old, &new]);
    assert_eq!(text, "disk: write: parameter 2: list<u8> -> string (breaks callers and servers)\n");
    assert_eq!(code, Some(1));
    let (json, _, code) = interface(&["diff", "--json", &old, &new]);
    let object: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!((object["breaks"].as_str(), object["interface"].as_str()), (Some("both"), Some("disk")));
    assert_eq!(code, Some(1));
    assert_eq!(interface(&["diff", &old, &same]), (String::new(), String::new(), Some(0)));
    let (text, _, code) = interface(&["diff", "wit/examples", "wit/system"]);
    assert!(text.contains("calc: the interface: removed (breaks callers)"), "{text}");
    assert!(text.contains("clock: the interface: added (breaks servers)"), "{text}");
    assert_eq!(code, Some(1));
}

#[test]
fn stubs_are_those_in_the_tree_and_a_file_that_has_them_is_left_alone() {
    let (text, _, code) = interface(&["stubs", "wit/examples", "--interface", "calc", "--lang", "rust"]);
    assert_eq!(text, include_str!("../../programs/protocols/src/calc.rs"));
    assert_eq!(code, Some(0));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("calc.rs");
    let arguments =
        ["stubs", "wit/examples", "--interface", "calc", "--output", path.to_str().expect("letters")];
    assert_eq!(interface(&arguments), (String::new(), String::new(), Some(0)));
    assert_eq!(fs::read_to_string(&path).expect("written"), text);
    let old = std::time::SystemTime::UNIX_EPOCH;
    fs::File::options().append(true).open(&path).expect("it is there").set_modified(old).expect("ours");
    assert_eq!(interface(&arguments).2, Some(0));
    assert_eq!(fs::metadata(&path).expect("it is there").modified().expect("a time"), old);
}

#[test]
fn what_is_wrong_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let broken = folder.path().join("broken.wit");
    fs::write(&broken, "package a:b; interface c { d: func(; }").expect("written");
    let empty = folder.path().join("empty.wit");
    fs::write(&empty, "package a:b;").expect("written");
    let empty = empty.to_str().expect("letters");
    for (arguments, expected) in [
        (
            &["hash", "wit/system", "--interface", "clocks"][..],
            "clock, console, files, invocation, machine, net, random, registry, served, told, tuning",
        ),
        (&["hash", "no/such.wit"], "no/such.wit"),
        (&["hash", broken.to_str().expect("letters")], "broken.wit:1:"),
        (&["hash", empty], "`a:b` has no interfaces"),
        (&["show", empty], "`a:b` has no interfaces"),
        (&["diff", empty, "wit/system"], "`a:b` has no interfaces"),
        (&["stubs", empty], "`a:b` has no interfaces"),
        (&["stubs", "wit/system"], "--interface"),
        (&["stubs", "wit/system", "--lang", "cobol"], "rust"),
        (&["frobnicate"], "Usage"),
    ] {
        let (_, error, code) = interface(arguments);
        // A long one is broken into lines, with a bar before each.
        let error = error.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(error.contains(expected), "{arguments:?}: {error}");
        assert_eq!(code, Some(64), "{arguments:?}: {error}");
    }
}
