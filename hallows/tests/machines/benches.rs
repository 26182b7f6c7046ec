//! `hallows bench`, where its contestants need a machine: they all take part, and each does its work.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::running::{Running, say, send};
use crate::two_core_test;

pub fn tests() -> Vec<Trial> {
    let mut tests = vec![
        two_core_test("workers_are_woken_in_cells_and_in_threads_of_linux", wakeup),
        two_core_test("cells_share_a_core_and_have_one_alone_with_the_same_results", loss),
        two_core_test("datagrams_of_two_machines_come_back_over_a_wire", wired),
        two_core_test("streams_of_a_machine_reach_another_over_a_wire", || streams("stream/wire-64")),
        two_core_test("a_bench_one_of_whose_machines_ends_says_so_and_does_not_wait", killed),
    ];
    // Interfaces are root's.
    if rustix::process::geteuid().is_root() {
        tests.extend([
            two_core_test("datagrams_come_back_over_a_wire_of_the_benchs_own", echo),
            two_core_test("streams_of_linux_reach_a_machine_over_af_xdp", || {
                ["stream/xdp", "stream/xdp-64"].into_iter().for_each(streams);
            }),
            two_core_test("a_core_answers_a_flood_over_af_xdp_by_a_call_for_each_batch", flood),
        ]);
    }
    tests
}

/// The report on a bench; met or not is a matter of the build and the host.
fn reported(bench: &str) -> serde_json::Value {
    let (output, error, code) = say(&["bench", bench, "--json"]);
    assert!(code == 0 || code == 1, "{code} {error}");
    serde_json::from_str(&output).unwrap()
}

/// The report on a bench whose contestants all took part, so that every requirement could be checked.
fn report(bench: &str, contestants: &[&str]) -> serde_json::Value {
    let report = reported(bench);
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

fn streams(bench: &str) {
    // The other end says how many bytes it has, which is compared.
    let report = reported(bench);
    assert!(report["ours"]["p50"].as_f64().is_some_and(|each| each > 0.0), "{report}");
    let rival = &report["rivals"][0];
    assert_eq!(rival["name"], "iperf3");
    if rival["p50"].is_null() {
        let why = rival["unavailable"].as_str().unwrap();
        assert!(why.contains("apt-get install iperf3") || why.contains("as root"), "{why}");
    }
}

fn flood() {
    // Only answers to what was asked are counted.
    let packets = report("packets/xdp", &["ours", "socket-batches"]);
    for one in [&packets["ours"], &packets["rivals"][0]] {
        assert!(one["samples"].as_u64().is_some_and(|samples| samples > 100), "{one}");
        assert!(one["remark"].as_str().unwrap().contains("datagrams were answered"), "{one}");
    }
    let calls = reported("syscalls/xdp");
    match calls["ours"]["p50"].as_f64() {
        // The call itself, and perhaps others.
        Some(p50) => {
            assert!((1.0..100.0).contains(&p50), "{calls}");
            assert!(calls["ours"]["remark"].as_str().unwrap().contains("a batch had"), "{calls}");
        }
        None => assert!(calls["ours"]["unavailable"].as_str().unwrap().contains("install strace"), "{calls}"),
    }
}

/// The machines that a bench has started, in that order.
fn machines_of(bench: i32) -> Vec<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{bench}/task")).unwrap().flatten();
    let children =
        tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    let children: Vec<_> = children.collect();
    let children = children.iter().flat_map(|line| line.split_whitespace());
    let runs = |pid: &&str| {
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.windows(5).any(|part| part == b"wire:")
    };
    children.filter(runs).map(|pid| pid.parse().unwrap()).collect()
}

fn killed() {
    for (place, name) in ["the machine that answers", "the machine that asks"].into_iter().enumerate() {
        let mut bench = Running::start(&["bench", "echo-wire/one-side", "--json"], None);
        let began = Instant::now();
        // The second is started when the first one answers.
        let machines = loop {
            let machines = machines_of(bench.pid());
            if machines.len() == 2 {
                break machines;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{machines:?}");
        };
        send(machines[place], Signal::KILL);
        // It fails here if nothing comes for a minute.
        assert_eq!(bench.code(), 1, "{}", bench.heard);
        let line = bench.heard.lines().find(|line| line.starts_with('{')).unwrap();
        let report: serde_json::Value = serde_json::from_str(line).unwrap();
        let why = report["ours"]["unavailable"].as_str().unwrap();
        assert!(why.contains(&format!("{name} has ended before its time")), "{why}");
    }
}
