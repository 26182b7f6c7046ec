//! `hallows bench jitter` on this host: everybody is measured, the report has what happened, and the host is as it was.
//!
//! Never how late anybody was: a test's host may be as busy as it likes.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;
use serde_json::Value;

use crate::host::Snapshot;
use crate::running::{Running, say};
use crate::{root_test, test, two_core_test};

pub fn tests() -> Vec<Trial> {
    vec![
        two_core_test("jitter_has_distributions_and_counters_of_ours_and_of_linux", shared),
        root_test("jitter_takes_the_core_for_rivals_too_and_puts_the_host_back", isolated),
        root_test("jitter_that_is_interrupted_puts_the_host_back_whoever_has_the_core", interrupted),
        test("what_jitter_cannot_do_is_said_before_anything_is_measured", refused),
    ]
}

/// Lines of a report of these cases, a second of periods of 200 µs each.
fn report(names: &[&str]) -> Vec<Value> {
    let options = ["--json", "--seconds", "1", "--period-us", "200"];
    let (output, error, code) = say(&[&["bench"], names, &options[..]].concat());
    // Whether bounds were met is this host's affair.
    assert!((code == 0 || code == 1) && error.is_empty(), "{code}: {error}");
    output.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What must be so of everybody who has figures.
fn check(contestant: &Value) {
    let histogram = contestant["histogram"].as_array().unwrap();
    let counted: u64 = histogram.iter().map(|class| class[1].as_u64().unwrap()).sum();
    assert_eq!(contestant["samples"].as_u64(), Some(counted), "{contestant}");
    let figures = ["p50", "p99", "p99.9", "max"].map(|name| contestant[name].as_f64().unwrap());
    assert!(figures.is_sorted(), "{contestant}");
    assert!(contestant["counted"]["seconds"].as_f64().unwrap() > 0.0, "{contestant}");
    assert!(!contestant["counted"]["threads"].as_array().unwrap().is_empty(), "{contestant}");
    for culprit in contestant["culprits"].as_array().unwrap() {
        assert!(!culprit["advice"].as_str().unwrap().is_empty(), "{culprit}");
        assert!(
            culprit["of_gaps_at_most"].as_f64().is_none_or(|share| (0.0..=1.0).contains(&share)),
            "{culprit}"
        );
    }
}

/// Of two turns of half a second: 5,000 times in all.
fn check_periods(contestant: &Value) {
    let number = |name: &str| contestant[name].as_u64().unwrap();
    assert_eq!(number("samples") + number("missed"), 5_000, "{contestant}");
}

/// A program of rt-tests, which may not be installed.
fn check_installed(contestant: &Value, name: &str) -> bool {
    assert_eq!(contestant["name"], name);
    let is_installed =
        ["/usr/bin", "/usr/sbin"].iter().any(|folder| std::path::Path::new(folder).join(name).exists());
    if !is_installed {
        assert!(
            contestant["unavailable"].as_str().unwrap().contains("apt-get install rt-tests"),
            "{contestant}"
        );
    }
    is_installed
}

fn shared() {
    let lines = report(&["jitter/shared/sleeping/alone", "jitter/shared/spinning/antagonist"]);
    let variants: Vec<&str> = lines.iter().map(|line| line["variant"].as_str().unwrap()).collect();
    assert_eq!(variants, ["shared/sleeping/alone", "shared/spinning/antagonist"]);
    let [sleeping, spinning] = lines.try_into().unwrap();
    for line in [&sleeping, &spinning] {
        assert!(line["bench"] == "jitter" && line["period_ns"] == 200_000 && line["rounds"] == 2, "{line}");
        // The four figures; and of who spins, the time that was lost.
        let requirements = if line["how"] == "spinning" { 5 } else { 4 };
        assert_eq!(line["requirements"].as_array().unwrap().len(), requirements);
        check(&line["ours"]);
        check_periods(&line["ours"]);
    }
    assert!(sleeping["antagonist_core"].is_null() && spinning["antagonist_core"].is_u64());

    assert!(sleeping["ours"]["gaps"].is_null());
    // Whoever sleeps is woken by the timekeeper, which sleeps itself.
    let threads = sleeping["ours"]["counted"]["threads"].as_array().unwrap();
    let timekeeper = threads.iter().find(|thread| thread["name"] == "timekeeper").unwrap();
    assert!(timekeeper["voluntary"].as_u64().unwrap() > 0 && timekeeper["cores"].is_string(), "{sleeping}");
    let cyclictest = &sleeping["rivals"][0];
    if check_installed(cyclictest, "cyclictest") {
        check(cyclictest);
        assert_eq!(cyclictest["samples"], 5_000);
        assert!(cyclictest["ratio"].is_f64(), "{cyclictest}");
    } else {
        assert_eq!(sleeping["requirements"][0]["state"], "unverified");
    }

    let thread = &spinning["rivals"][0];
    assert_eq!(thread["name"], "linux-thread");
    check(thread);
    check_periods(thread);
    for spinner in [&spinning["ours"], thread] {
        let gaps = &spinner["gaps"];
        assert!(
            gaps["look_ns"].as_u64().unwrap() > 0 && gaps["count"].is_u64() && gaps["lost_ns"].is_u64(),
            "{gaps}"
        );
    }
    if check_installed(&spinning["rivals"][1], "oslat") {
        let oslat = &spinning["rivals"][1];
        assert!(
            oslat["gaps"]["count"].is_u64() && oslat["unavailable"] == "it measures gaps only",
            "{oslat}"
        );
    }
}

fn isolated() {
    let before = Snapshot::take();
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let names = [
        "jitter/isolated/sleeping/antagonist",
        "jitter/isolated/spinning/alone",
        "--html",
        page.to_str().unwrap(),
    ];
    for line in report(&names) {
        assert_eq!(line["tier"], "isolated");
        assert!(
            line["tier_notes"][0].as_str().unwrap().starts_with("tier isolated: cores to itself"),
            "{line}"
        );
        for contestant in std::iter::once(&line["ours"]).chain(line["rivals"].as_array().unwrap()) {
            match contestant["unavailable"].as_str() {
                None => check(contestant),
                Some(why) => assert!(why.contains("rt-tests") || why == "it measures gaps only", "{why}"),
            }
        }
    }
    before.assert_restored();
    let page = std::fs::read_to_string(page).unwrap();
    for part in ["jitter/isolated/sleeping/antagonist", "linux-thread", "<svg"] {
        assert!(page.contains(part), "{part} is not in the page");
    }
}

/// Its children that have this in their command line.
fn has_child(parent: i32, part: &str) -> bool {
    let children =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    children.split_whitespace().any(|child| {
        std::fs::read(format!("/proc/{child}/cmdline"))
            .is_ok_and(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(part))
    })
}

fn interrupted() {
    // A machine of ours, and the thread of Linux behind the word that it waits for, both with the core taken.
    for (who, others_name) in [("run jitter", "sh -c"), ("bench --linux-thread", "sh -c")] {
        let before = Snapshot::take();
        let mut running =
            Running::start(&["bench", "jitter/isolated/spinning/alone", "--seconds", "10"], None);
        let began = Instant::now();
        let has_core = || {
            has_child(running.pid(), who)
                && !has_child(running.pid(), others_name)
                && before.differs_from_now()
        };
        while !has_core() {
            assert!(began.elapsed() < Duration::from_secs(120), "{who} does not get the core");
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal(Signal::INT);
        assert_eq!(running.code(), 130, "{}", running.heard);
        assert!(running.heard.contains("has been put back"), "{}", running.heard);
        before.assert_restored();
    }
}

fn refused() {
    for (arguments, part) in [
        (&["jitter/asleep"][..], "there is no bench 'jitter/asleep'; known are"),
        (&["jitter", "null-cal"], "jitter"),
        (&["jitter", "--seconds", "0"], "0.1 to 86400"),
        (&["jitter", "--period-us", "1"], "10..=1000000"),
        (&["jitter", "--cores", "0"], "a second core"),
        (&["--linux-thread", "0,0,1"], "CORE,NANOSECONDS,COUNT"),
    ] {
        let (output, error, code) = say(&[&["bench"], arguments].concat());
        assert!(
            code == 64 && output.is_empty() && error.contains(part),
            "{arguments:?}: {code} {output}{error}"
        );
    }
}
