//! A session from plugging in ours to the report, as `hallows bench` uses the library.

use std::time::Duration;

use hallows_bench::registry::{PerCall, ours, select};
use hallows_bench::report::colour::Colour;
use hallows_bench::rivals::{ClockGettime, IndirectCall};
use hallows_bench::{Bench, Contestant, Cores, Format, Ours, Plan, Turn, registry, session};

/// `null-call` with a plain call in the place of ours.
fn null_call() -> Vec<Bench<'static>> {
    let stand_in = ours("an indirect call", 1, |turn: &Turn<'_>| IndirectCall.turn(turn));
    select(registry(Ours { null_call: stand_in, ..Ours::default() }), &["null-call".to_owned()])
        .expect("known")
}

fn short_plan() -> Plan {
    let mut plan = Plan::on(Cores::default_pair().expect("cores"));
    (plan.rounds, plan.turn_budget) = (Some(2), Some(Duration::from_millis(2)));
    plan
}

#[test]
fn json_has_ours_the_rival_and_a_verdict_that_follows_from_their_figures() {
    let mut output = Vec::new();
    let met = session(null_call(), &short_plan(), Format::Json, &mut output).expect("a session");
    let lines: Vec<&str> = std::str::from_utf8(&output).expect("text").lines().collect();
    assert_eq!(lines.len(), 1);
    let line: serde_json::Value = serde_json::from_str(lines[0]).expect("JSON");
    assert_eq!(line["bench"], "null-call");
    assert_eq!(line["rounds"], 2);
    assert_eq!(line["rivals"][0]["name"], "getppid");
    let median = |contestant: &serde_json::Value| contestant["p50"].as_f64().expect("a figure");
    let ratio = median(&line["rivals"][0]) / median(&line["ours"]);
    let printed = line["rivals"][0]["ratio"].as_f64().expect("a ratio");
    assert!((printed / ratio - 1.0).abs() < 0.01, "{printed} {ratio}");
    assert_eq!(line["requirements"][0]["reached"], line["rivals"][0]["ratio"]);
    assert_eq!(line["met"], printed >= 6.0);
    assert_eq!(line["met"], met);
}

#[test]
fn the_table_has_a_head_the_contestants_and_their_configurations() {
    let mut output = Vec::new();
    session(null_call(), &short_plan(), Format::Detailed(Colour::Off), &mut output).expect("a session");
    let text = String::from_utf8(output).expect("text");
    for part in [
        "rivals at",
        "null-call  kernel call",
        "\n  ours ",
        "\n  getppid ",
        "must reach",
        "ours: an indirect call",
    ] {
        assert!(text.contains(part), "'{part}' is missing in\n{text}");
    }
}

#[test]
fn the_calls_of_wasi_stand_beside_the_same_calls_of_linux() {
    // The clock in the place of our write: cheaper than Linux's write, as is required.
    let stand_in = ours("a clock", 1, |turn: &Turn<'_>| ClockGettime.turn(turn));
    let benches = registry(Ours {
        wasi_call: PerCall { write_null: stand_in, ..PerCall::default() },
        ..Ours::default()
    });
    let mut output = Vec::new();
    let benches = select(benches, &["wasi-call".to_owned()]).expect("known");
    let met = session(benches, &short_plan(), Format::Json, &mut output).expect("a session");
    assert!(!met, "nobody has measured our clock");
    let lines: Vec<serde_json::Value> = std::str::from_utf8(&output)
        .expect("text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let [clock, write] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&clock["rivals"][0]["name"], &clock["met"]), (&"clock-gettime".into(), &false.into()));
    assert_eq!(write["rivals"][0]["name"], "write-null");
    let median = |contestant: &serde_json::Value| contestant["p50"].as_f64().expect("a figure");
    let ratio = median(&write["ours"]) / median(&write["rivals"][0]);
    assert_eq!(write["met"], ratio <= 1.0, "{ratio}");
    assert_eq!(write["requirements"][0]["requirement"], "≤ 1× write-null");
}
