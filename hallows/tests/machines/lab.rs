//! `hallows lab` on this host: everybody works on the same requests, and the report has what happened.

use libtest_mimic::Trial;

use crate::running::say;
use crate::{root_test, test, two_core_test};

pub fn tests() -> Vec<Trial> {
    vec![
        two_core_test("everybody_in_the_laboratory_does_all_requests", everybody),
        two_core_test("cells_that_say_how_long_their_work_takes_do_the_short_one_first", declared),
        two_core_test("the_laboratory_writes_for_people_and_draws", drawn),
        root_test("real_time_threads_take_part_in_the_laboratory", real_time),
        two_core_test("everybody_in_the_laboratory_gets_and_scans_what_is_in_the_store", store),
        test("what_the_laboratory_cannot_do_is_said_before_anything_is_measured", refused),
        test("the_laboratory_simulates_machines_of_many_cores", simulated),
    ]
}

/// Few requests at low loads: this is about what is done, not about how fast.
const QUICK: [&str; 8] =
    ["--loads", "0.05,0.1", "--requests", "12000", "--rounds", "1", "--percentile", "99"];
const SPEC: &str = "bimodal:0.99:2us:100us";

fn lab(spec: &str, more: &[&str]) -> (String, String, i32) {
    say(&[&["lab", spec], &QUICK[..], more].concat())
}

/// A JSON report of which every request was done: of several, since a busy host may take the cores for longer than anybody waits.
fn finished(arguments: &[&str]) -> serde_json::Value {
    let mut reports = (0..5).map(|_| {
        let (output, error, code) = say(arguments);
        assert_eq!(code, 0, "{error}");
        serde_json::from_str::<serde_json::Value>(&output).unwrap()
    });
    let is_done = |report: &serde_json::Value| {
        let participants = report["participants"].as_array().unwrap();
        let mut points = participants.iter().flat_map(|one| one["points"].as_array().unwrap());
        points.all(|point| point["unfinished"] == 0)
    };
    reports.find(is_done).expect("all requests are done in one of five runs")
}

/// The participants of a JSON report, each with all points.
fn done(contenders: &str, more: &[&str]) -> serde_json::Value {
    let report =
        finished(&[&["lab", SPEC], &QUICK[..], &["--json", "--contenders", contenders], more].concat());
    for participant in report["participants"].as_array().unwrap() {
        let points = participant["points"].as_array().unwrap();
        assert_eq!(points.len(), 2, "{participant}");
        for point in points {
            let classes = point["classes"].as_array().unwrap();
            let samples: Vec<u64> = classes.iter().map(|class| class["samples"].as_u64().unwrap()).collect();
            assert!(samples[0] == 10_800 && samples[1] + samples[2] == 10_800, "{point}");
            for (class, least_ns) in classes.iter().zip([1_800.0, 1_800.0, 90_000.0]) {
                let p50 = class["latency_ns"]["p50"].as_f64().unwrap();
                assert!(p50 > least_ns, "{} did not do its work: {point}", participant["name"]);
            }
        }
    }
    report
}

fn names(report: &serde_json::Value) -> Vec<&str> {
    report["participants"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

fn everybody() {
    let report = done("ours,fcfs,tokio,threads-fair", &["--models", "ideal,darc-model"]);
    assert_eq!(names(&report), ["ours", "fcfs", "tokio", "threads-fair", "ideal", "darc-model"]);
    assert_eq!(report["service"], SPEC);
    assert!(report["participants"][0]["cores_used"] == 2 && report["participants"][4]["cores_used"] == 0);
}

/// The p50 of short requests where cells take turns, and where they say how long their work takes.
fn short_ones() -> (f64, f64) {
    let spec = ["lab", "bimodal:0.5:30us:300us", "--loads", "0.8", "--requests", "4000", "--rounds", "1"];
    let who = ["--contenders", "ours,ours-declared", "--models", "none", "--percentile", "90", "--json"];
    let (output, error, code) = say(&[&spec[..], &who[..]].concat());
    assert_eq!(code, 0, "{error}");
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(names(&report), ["ours", "ours-declared"]);
    let short = |participant: usize| {
        let class = &report["participants"][participant]["points"][0]["classes"][1];
        assert_eq!(class["class"], "short");
        class["latency_ns"]["p50"].as_f64().unwrap()
    };
    (short(0), short(1))
}

/// Several long requests are there most of the time. Where cells take turns a short one, of several quanta, waits for a turn of each of them in between; where
/// the shorter goes first, for none. In one of several runs, since a host may take cores away in any.
fn declared() {
    let mut runs = Vec::new();
    let is_seen = (0..5).any(|_| {
        let (turns_ns, declared_ns) = short_ones();
        runs.push((turns_ns, declared_ns));
        1.5 * declared_ns < turns_ns
    });
    assert!(is_seen, "{runs:?}");
}

fn real_time() {
    let report = done("threads-fifo,threads-rr", &["--models", "none"]);
    assert_eq!(names(&report), ["threads-fifo", "threads-rr"]);
}

fn drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curves.svg");
    let svg = path.to_str().unwrap();
    let (output, error, code) =
        lab(SPEC, &["--contenders", "ours,fcfs", "--models", "ideal", "--quantum", "10", "--svg", svg]);
    assert_eq!((error.as_str(), code), ("", 0));
    for part in [
        "load 0.05:",
        "load 0.1:",
        "o ours",
        "highest load with",
        "better than ours",
        "a quantum of 10000 ns",
        "2 cores",
    ] {
        assert!(output.contains(part), "{part} is not in\n{output}");
    }
    let picture = std::fs::read_to_string(path).unwrap();
    assert!(picture.starts_with("<svg") && picture.matches("<polyline").count() == 3, "{picture}");
}

/// Half GETs, half SCANs of a small store: answers are compared with what is right, and who gives a wrong one has no points.
fn store() {
    let spec = "kv:0.5:keys=2000:scan=1500";
    // So that even a host that takes most of its cores away is done in time.
    let quick = ["--loads", "0.05", "--requests", "6000", "--rounds", "1", "--percentile", "98", "--json"];
    let who = ["--contenders", "ours,ours-declared,fcfs,tokio,threads-fair", "--models", "ideal,srpt-model"];
    let report = finished(&[&["lab", spec], &quick[..], &who[..]].concat());
    assert_eq!(report["service"], spec);
    let own = ["get_ns", "scan_ns"].map(|time| report["own_times"][time].as_u64().unwrap());
    assert!(0 < own[0] && own[0] < own[1], "{own:?}");
    assert_eq!(
        names(&report),
        ["ours", "ours-declared", "fcfs", "tokio", "threads-fair", "ideal", "srpt-model"]
    );
    for participant in report["participants"].as_array().unwrap() {
        assert_eq!(participant["failed"], serde_json::Value::Null, "{participant}");
        let point = &participant["points"][0];
        let classes = point["classes"].as_array().unwrap();
        let names: Vec<_> = classes.iter().map(|class| class["class"].as_str().unwrap()).collect();
        assert_eq!(names, ["all", "GET", "SCAN"]);
        let samples = |class: usize| classes[class]["samples"].as_u64().unwrap();
        assert!(samples(1) + samples(2) == 5_400 && samples(1).abs_diff(2_700) < 400, "{point}");
    }
}

fn refused() {
    for (spec, more, part) in [
        ("gamma:1us", &[][..], "there are constant:TIME"),
        ("constant:0us", &[], "1ns at least"),
        ("constant:1us", &["--loads", "0.5,0.2"], "from the lowest to the highest"),
        ("constant:1us", &["--loads", "0"], "between 0.01 and 2"),
        ("constant:1us", &["--requests", "5"], "between 1,000 and"),
        ("constant:1us", &["--requests", "10000", "--rounds", "2"], "p99.9 needs 111112 requests"),
        ("constant:1us", &["--models", "perfect"], "there is no model 'perfect'"),
        ("constant:1us", &["--contenders", "windows"], "threads-fair"),
        ("constant:1us", &["--quantum", "0"], "1..=1000000"),
        ("constant:1us", &["--svg", "/nowhere/at/all"], "cannot write /nowhere/at/all"),
        ("constant:1us", &["--skew", "even"], "--simulate"),
        ("constant:1us", &["--simulate", "64", "--skew", "steep"], "zipf:EXPONENT"),
        ("constant:1us", &["--simulate", "64,5000"], "5000 cores cannot be simulated"),
        ("constant:1us", &["--simulate", "64", "--contenders", "fcfs"], "cannot be used with"),
        ("kv:2", &[], "write for example kv:0.5"),
        ("kv:0.5:keys=0", &[], "there are keys=NUMBER"),
        ("kv:0.5:keys=10:scan=11", &[], "scan=NUMBER"),
        ("trace:/nowhere", &[], "the trace /nowhere: cannot be read"),
    ] {
        let (output, error, code) = say(&[&["lab", spec], more].concat());
        assert!(code == 64 && output.is_empty() && error.contains(part), "{spec} {more:?}: {code} {error}");
    }
}

fn simulated() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("scale.svg");
    let asked: [&str; 12] = [
        "lab",
        "exponential:10us",
        "--simulate",
        "4,12",
        "--loads",
        "0.5",
        "--requests",
        "3000",
        "--transfer",
        "60",
        "--svg",
        picture.to_str().unwrap(),
    ];
    let (output, error, code) = say(&[&asked[..], &["--json"]].concat());
    assert_eq!(code, 0, "{error}");
    let report: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(
        (&report["skew"], &report["calibration"]["costs"]["transfer_ps"]),
        (&"zipf:0.5".into(), &60_000.into())
    );
    let points = report["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    for (point, cores) in points.iter().zip([4, 12]) {
        assert_eq!(
            (point["cores"].as_u64(), point["unfinished"].as_u64()),
            (Some(cores), Some(0)),
            "{point}"
        );
        // Virtual time: the same everywhere.
        assert!(point["efficiency"].as_f64().unwrap() > 0.97, "{point}");
    }
    assert!(std::fs::read_to_string(&picture).unwrap().contains("<polyline"));
    let (text, error, code) = say(&asked);
    assert!(code == 0 && text.contains("12 cores, and one that looks after time"), "{code} {error}\n{text}");
}
