//! `hallows bench`, where its contestants need a machine: they all take part, and each does its work.

use libtest_mimic::Trial;

use crate::running::say;
use crate::two_core_test;

pub fn tests() -> Vec<Trial> {
    let mut tests = vec![
        two_core_test("workers_are_woken_in_cells_and_in_threads_of_linux", wakeup),
        two_core_test("cells_share_a_core_and_have_one_alone_with_the_same_results", loss),
        two_core_test("datagrams_of_two_machines_come_back_over_a_wire", wired),
    ];
    // Interfaces are root's.
    if rustix::process::geteuid().is_root() {
        tests.push(two_core_test("datagrams_come_back_over_a_wire_of_the_benchs_own", echo));
    }
    tests
}

/// The report on a bench, of which every requirement could be checked; met or not is a matter of the build and the host.
fn report(bench: &str, contestants: &[&str]) -> serde_json::Value {
    let (output, error, code) = say(&["bench", bench, "--json"]);
    assert!(code == 0 || code == 1, "{code} {error}");
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    let rivals = report["rivals"].as_array().unwrap();
    let all: Vec<_> = std::iter::once(&report["ours"]).chain(rivals).collect();
    let names: Vec<_> = all.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, contestants);
    for one in all {
        assert!(one["p50"].as_f64().is_some_and(|p50| p50 > 0.0), "{bench}: {one}");
    }
    for requirement in report["requirements"].as_array().unwrap() {
        assert_ne!(requirement["state"], "unverified", "{requirement}");
    }
    report
}

fn wakeup() {
    let report = report("wakeup/four-workers", &["ours", "futex-workers-fair", "futex-workers-fifo"]);
    // Four workers, each woken every hundred microseconds or two in five turns of half a second; a busy host leaves a part of that.
    for one in [&report["ours"], &report["rivals"][0]] {
        assert!(one["samples"].as_u64().is_some_and(|samples| samples > 100), "{one}");
    }
    assert_eq!(report["requirements"].as_array().unwrap().len(), 2);
}

fn loss() {
    let together = ["ours", "one-after-another", "linux-threads", "linux-one-after-another"];
    // Every run's checksum is compared with that of the native run, and a turn in which nobody was preempted is an error.
    report("preemption-loss/hash-table", &together);
    report("preemption-loss/hash-table-alone", &["ours", "without-timekeeper"]);
}

fn wired() {
    // Lost ones are asked for again, and their answers are checked.
    let report = report("echo-wire/one-side", &["ours"]);
    assert!(report["ours"]["samples"].as_u64().is_some_and(|samples| samples > 1_000), "{report}");
}

fn echo() {
    // Every answer is compared with what was said, and one that does not come is an error.
    let report = report("echo-xdp", &["ours", "socket-echo", "af-xdp-echo"]);
    assert!(report["ours"]["samples"].as_u64().is_some_and(|samples| samples > 100), "{report}");
}
