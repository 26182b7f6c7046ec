//! The example as its user starts it, with each policy.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::process::{Command, Output, Stdio};

fn example(policy: &str) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallows-least-attained"));
    let Output { stdout, stderr, status } = command.arg(policy).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

/// Who was done, one after another.
fn done(policy: &str) -> Vec<String> {
    let (output, error, code) = example(policy);
    assert_eq!(code, 0, "{output}{error}");
    let name = |line: &str| Some(line.split_once(" is done")?.0.rsplit(' ').next()?.to_owned());
    output.lines().filter_map(name).collect()
}

#[test]
fn who_has_run_least_goes_first() {
    let done = done("least-attained");
    assert!(done.len() == 5 && done[4] == "long", "{done:?}");
}

#[test]
fn who_comes_first_is_served_first() {
    // The machine ends with it: others may have had their turns by then.
    assert_eq!(done("first-come")[0], "long");
}

#[test]
fn a_policy_that_there_is_not_is_named_with_those_that_there_are() {
    let (output, error, code) = example("fairest");
    assert_eq!((output.as_str(), code), ("", 1));
    let (what, known) = ("there is no policy `fairest`", "turns, first-come, least-attained");
    assert!(error.contains(what) && error.contains(known), "{error}");
}
