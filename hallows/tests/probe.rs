//! `hallows probe` on the host that the tests run on, as a user types it.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// A user without any right, on every Linux.
const NOBODY: u32 = 65_534;

/// What it writes, its errors, and its exit code.
fn probe(arguments: &[&str]) -> (String, String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallows"));
    let output = command.arg("probe").args(arguments).output().expect("it can be started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

fn json() -> (serde_json::Value, Option<i32>) {
    let (text, error, code) = probe(&["--json"]);
    assert_eq!(text.lines().count(), 1, "{text}{error}");
    (serde_json::from_str(&text).expect("JSON"), code)
}

/// Findings by topic and name, with verdicts.
fn checked(report: &serde_json::Value, code: Option<i32>) -> Vec<(String, String, String)> {
    let findings = report["findings"].as_array().expect("a list");
    let word = |finding: &serde_json::Value, key: &str| {
        let word = finding[key].as_str().unwrap_or_else(|| panic!("{key} of {finding}")).to_owned();
        assert!(!word.is_empty(), "{key} of {finding}");
        word
    };
    let all: Vec<_> = findings
        .iter()
        .map(|finding| {
            let verdict = word(finding, "verdict");
            let why = word(finding, "why");
            assert!(why.ends_with('.') && !word(finding, "found").is_empty(), "{finding}");
            match verdict.as_str() {
                "pass" => assert!(finding["fix"].is_null(), "{finding}"),
                "warn" | "fail" => assert!(!word(finding, "fix").is_empty(), "{finding}"),
                _ => panic!("{finding}"),
            }
            (word(finding, "topic"), word(finding, "name"), verdict)
        })
        .collect();
    for verdict in ["pass", "warn", "fail"] {
        let count = all.iter().filter(|(_, _, each)| each == verdict).count();
        assert_eq!(report[verdict].as_u64(), Some(count as u64), "{verdict}: {report}");
    }
    let fails = all.iter().any(|(_, _, verdict)| verdict == "fail");
    assert_eq!(code, Some(i32::from(fails)), "{report}");
    all
}

#[test]
fn every_topic_has_findings_and_each_that_does_not_pass_its_fix() {
    let (report, code) = json();
    let all = checked(&report, code);
    let topics: BTreeSet<&str> = all.iter().map(|(topic, _, _)| topic.as_str()).collect();
    let expected = [
        "cores",
        "gpu",
        "iommu",
        "jail",
        "kernel",
        "memory",
        "network",
        "power",
        "processor",
        "scheduling",
        "storage",
        "tier",
        "time",
    ];
    assert_eq!(topics, BTreeSet::from(expected), "{report}");
    let names: BTreeSet<_> = all.iter().map(|(topic, name, _)| (topic, name)).collect();
    assert_eq!(names.len(), all.len(), "a name stands twice: {report}");
    // Tests of machines run on this host.
    assert_eq!(report["fail"].as_u64(), Some(0), "{report}");
}

#[test]
fn people_read_the_same_findings_in_plain_letters() {
    let (text, error, code) = probe(&[]);
    let (report, _) = json();
    assert!(!text.contains('\x1b') && error.is_empty(), "{text}{error}");
    for finding in report["findings"].as_array().expect("a list") {
        let name = finding["name"].as_str().expect("a name");
        assert!(
            text.lines().any(|line| line.get(8..).is_some_and(|rest| rest.starts_with(name))),
            "{name}: {text}"
        );
    }
    let summary = format!("{} pass, {} warn, {} fail: ", report["pass"], report["warn"], report["fail"]);
    let last = text.lines().last().expect("a line");
    assert!(last.starts_with(&summary), "{last} is not {summary}");
    assert_eq!(code, Some(0), "{text}");
}

#[test]
fn an_ordinary_user_may_probe_and_is_told_what_only_root_can_see() {
    // Copied to where everybody may execute it: the checkout may be root's alone.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("hallows");
    std::fs::copy(env!("CARGO_BIN_EXE_hallows"), &copy).expect("copied");
    std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("open to all");
    let is_root = rustix::process::geteuid().is_root();
    let mut command = Command::new(&copy);
    command.args(["probe", "--json"]).current_dir("/");
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().expect("it can be started");
    let report = serde_json::from_slice(&output.stdout).expect("JSON");
    let all = checked(&report, output.status.code());
    assert!(all.iter().any(|(_, name, verdict)| name == "tier" && verdict != "fail"), "{report}");
    assert!(report.to_string().contains("only root can see"), "{report}");
    let passes = report["pass"].as_u64();
    let root_passes = json().0["pass"].as_u64();
    assert!(!is_root || passes < root_passes, "root sees {root_passes:?} passes, nobody {passes:?}");
}

#[test]
fn a_host_that_hallows_cannot_run_on_ends_with_one() {
    let command = format!("ulimit -v 16777216; exec {:?} probe", env!("CARGO_BIN_EXE_hallows"));
    let output = Command::new("sh").args(["-c", &command]).output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("FAIL  address space       RLIMIT_AS is 16 GiB"), "{text}");
    assert!(text.contains("fix: `ulimit -v unlimited` before the start"), "{text}");
    assert!(text.trim_end().ends_with("cannot run here until what fails is mended"), "{text}");
    assert_eq!(output.status.code(), Some(1), "{text}");
}
