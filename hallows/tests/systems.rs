//! Boots every system that comes with hallows, as a user does, and looks at what it says and how it ends.

use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Machines of one test at a time: they want the same core.
static CORE: Mutex<()> = Mutex::new(());

/// So many seconds are more than any system needs on a machine that does other things too; `timeout` then ends it with code 124.
const LONGEST_SECONDS: &str = "240";

fn alone() -> MutexGuard<'static, ()> {
    CORE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the command with a runtime folder of its own, at the tier that changes nothing on the host.
fn hallows(arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    Command::new("timeout")
        .args([LONGEST_SECONDS, env!("CARGO_BIN_EXE_hallows")])
        .args(arguments)
        .env("XDG_RUNTIME_DIR", folder.path())
        .output()
        .expect("it can be started")
}

fn run(what: &[&str]) -> (String, i32) {
    run_on("0", what)
}

fn run_on(cores: &str, what: &[&str]) -> (String, i32) {
    let _alone = alone();
    let output = hallows(&[&["run", "--quiet", "--tier", "shared", "--cores", cores], what].concat());
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.code().unwrap_or(-1))
}

#[test]
fn a_client_gets_its_answers_from_a_passive_and_from_an_active_server() {
    for system in ["calculator", "calculator-active"] {
        let (text, code) = run(&[system]);
        assert!(text.contains("7000 answers, all of them right"), "{system}: {text}");
        assert_eq!(code, 0, "{system}: {text}");
    }
}

#[test]
fn nobody_can_tell_whether_a_program_is_web_assembly_or_linked_in() {
    let (text, code) = run(&["native"]);
    assert_eq!(text.matches("7 answers, all of them right").count(), 2, "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn no_forged_resource_reaches_a_handler_and_no_resource_anothers_functions() {
    let (text, code) = run(&["bank"]);
    assert_eq!(text.matches("money moved as it should").count(), 2, "{text}");
    assert_eq!(text.matches("every forgery was refused").count(), 2, "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_server_that_crashes_is_restarted_and_its_client_told() {
    let (text, code) = run(&["counter"]);
    assert_eq!(text.matches("the server died").count(), 3, "{text}");
    assert!(text.contains("hallows_sdk::process::crash"), "no symbolised backtrace: {text}");
    assert!(text.contains("after 3 crashes the counter counts again from 1"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_server_that_stays_down_ends_the_system_with_a_failure() {
    let (text, code) = run(&["give-up"]);
    assert!(text.contains("stays down"), "{text}");
    assert_eq!(code, 1, "{text}");
}

#[test]
fn work_is_spread_over_workers_and_all_of_it_is_done() {
    let (text, code) = run(&["fan-out"]);
    assert!(text.contains("10000 pieces"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn the_tuner_changes_quanta_until_calls_are_as_quick_as_was_asked_for() {
    let (text, code) = run(&["tuned"]);
    assert!(text.contains("for p90 < 60 µs of worker, quantum 5 µs to begin with"), "{text}");
    assert!(text.contains("quantum 5 µs -> "), "nothing was changed: {text}");
    // Of nine of ten calls, in the end: well below what they took with the loops in between.
    let said = text.split(" us (90 of 100) at first").next().and_then(|text| text.rsplit(' ').next());
    let first: f32 = said.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text}"));
    let said = text.split(" us in the end").next().and_then(|text| text.rsplit(' ').next());
    let last: f32 = said.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{text}"));
    assert!(last < 0.8 * first, "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn threads_of_one_cell_share_what_they_work_on_in_both_forms() {
    // Twice on one core, twice on two; each time also with a preemption at every check.
    for (cores, chaos) in [("0", false), ("0", true), ("0-1", false), ("0-1", true)] {
        // With chaos each check is a switch: less is enough.
        let what: &[&str] = if chaos { &["threads", "--chaos"] } else { &["threads"] };
        let (text, code) = run_on(cores, what);
        assert_eq!(
            text.matches("4 threads: sums, a queue, a barrier and memory that grows are right").count(),
            2,
            "{text}"
        );
        assert_eq!(code, 0, "{text}");
    }
}

#[test]
fn async_programs_gather_cut_off_and_cancel_in_both_forms() {
    let (text, code) = run(&["scatter"]);
    assert_eq!(text.matches("100 of 100 pieces have the right result").count(), 2, "{text}");
    assert_eq!(text.matches("3 calls were cancelled").count(), 2, "{text}");
    assert_eq!(text.matches("scattered, gathered, cut off and cancelled").count(), 2, "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_server_is_replaced_while_it_is_called_and_no_call_is_lost() {
    // The registry works in both ways.
    let system = include_str!("../../programs/systems/succession.toml");
    let active = system.replace("registry = \"passive\"", "registry = \"active\"");
    assert_ne!(system, active, "the system says how its registry serves in other words");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("succession.toml");
    std::fs::write(&file, active).expect("written");
    let file = file.to_str().expect("a path of letters");
    for options in [&["succession"][..], &["--chaos", "succession"], &[file]] {
        let (text, code) = run(options);
        assert!(text.contains("comes after version 1"), "{options:?}: {text}");
        assert!(text.contains("version 1 has counted"), "{options:?}: {text}");
        let last = |servers: u32, last: u32| {
            format!("{servers} servers have counted every call, the last one is version {last}")
        };
        assert!(text.contains(&last(2, 2)), "{options:?}: {text}");
        // In a namespace of its own there is another server, whatever happens outside of it.
        assert!(text.contains(&last(1, 9)), "{options:?}: {text}");
        assert_eq!(code, 0, "{options:?}: {text}");
    }
}

#[test]
fn capabilities_are_left_and_picked_up_and_go_when_they_are_revoked() {
    let (text, code) = run(&["file-drop"]);
    assert!(text.contains("where it was, there are zeroes"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_client_that_scribbles_over_its_rings_harms_neither_their_service_nor_other_clients() {
    // Preempted at every check, a checksum takes long.
    let system = include_str!("../../programs/systems/rings.toml");
    let short = system.replace("batches=200", "batches=8").replace("rings=60", "rings=20");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rings.toml");
    std::fs::write(&file, short).expect("written");
    let file = file.to_str().expect("a path of letters");
    for (options, checksums, rings) in [(&["rings"][..], 6_400, 60), (&["--chaos", file], 256, 20)] {
        let (text, code) = run(options);
        let right = format!("{checksums} checksums, all of them right");
        assert_eq!(text.matches(&right).count(), 4, "{options:?}: {text}");
        assert!(text.contains("client 4: the ring is broken"), "{options:?}: {text}");
        for honest in [2, 3, 6, 7] {
            let broken = format!("client {honest}: the ring is broken");
            assert!(!text.contains(&broken), "{options:?}: {text}");
        }
        assert!(text.contains(&format!("offered {rings} rings")), "{options:?}: {text}");
        assert!(text.contains("behaved for once, and was served"), "{options:?}: {text}");
        assert_eq!(code, 0, "{options:?}: {text}");
    }
}

#[test]
fn an_endless_loop_and_a_memory_hog_harm_no_neighbour() {
    for system in ["neighbours", "native-neighbours"] {
        let (text, code) = run(&[system]);
        assert!(text.contains("7000 answers, all of them right"), "{system}: {text}");
        assert!(text.contains("tick 3 of 3: still alive"), "{system}: {text}");
        assert_eq!(code, 0, "{system}: {text}");
    }
}

#[test]
fn a_greedy_loop_with_a_budget_leaves_the_rest_to_those_below_it() {
    let (text, code) = run(&["budget"]);
    assert!(text.contains("140000 answers, all of them right"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_periodic_program_with_a_reservation_runs_beside_loops_of_other_classes() {
    let (text, code) = run(&["deadlines"]);
    // How late it was is this host's affair.
    assert!(
        text.contains("1000 jobs, one in 1000 us: woken up") && text.contains("were not done in time"),
        "{text}"
    );
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_period_that_the_machine_is_too_coarse_for_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fine.toml");
    std::fs::write(&file, "[cells.fine]\nprogram = \"spin\"\ntime = \"200us/1ms\"\n").expect("written");
    let (text, code) = run(&["--quantum-us", "500", file.to_str().expect("a path of letters")]);
    assert!(text.contains("the cell fine has a time budget with a period of 1000 µs"), "{text}");
    assert!(text.contains("none below 5000 µs"), "{text}");
    assert_ne!(code, 0, "{text}");
}

#[test]
fn a_flood_is_told_to_wait_and_others_get_their_answers() {
    let (text, code) = run(&["flood"]);
    assert!(text.contains("times told to wait"), "{text}");
    assert!(text.contains("7000 answers, all of them right"), "{text}");
    let half =
        text.split_once("half of the answers came within ").and_then(|(_, rest)| rest.split(' ').next());
    let half_ns: u64 = half.and_then(|ns| ns.parse().ok()).unwrap_or_else(|| panic!("no times: {text}"));
    // Some 600 ns; 32 messages of the flooder in front of each answer would be tens of microseconds.
    assert!(half_ns < 20_000, "the flood is in front of the other client's messages: {text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_million_arbitrary_calls_disturb_nobody() {
    // `FUZZ=n` makes n calls instead.
    let (text, code) = match std::env::var("FUZZ") {
        Err(_) => run(&["fuzz"]),
        Ok(calls) => {
            let system = include_str!("../../programs/systems/fuzz.toml");
            let more = system.replace("count=1000000", &format!("count={calls}"));
            assert_ne!(system, more, "the system says how many calls it makes in other words");
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("fuzz.toml");
            std::fs::write(&file, more).expect("written");
            run(&[file.to_str().expect("a path of letters")])
        }
    };
    assert!(text.contains("all of them right"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn preempting_and_migrating_at_every_check_changes_no_answer() {
    let (text, code) = run(&["--chaos", "calculator-active"]);
    assert!(text.contains("7000 answers, all of them right"), "{text}");
    assert_eq!(code, 0, "{text}");
}

#[test]
fn what_is_wrong_is_said_before_anything_is_booted() {
    for (arguments, expected) in [
        (&["run", "no-such-thing"][..], "hallows list"),
        (&["run", "./no-such.wasm"], "there is no file"),
        (&["run", "calculator", "--cores", "4096"], "4096"),
        (&["run", "calculator", "--memory", "lots"], "lots"),
        (&["bench", "no-such-bench"], "protected-call"),
        (&["frobnicate"], "Usage"),
    ] {
        let output = hallows(arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(expected), "{arguments:?}: {text}");
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {text}");
    }
}

#[test]
fn a_program_that_is_no_program_is_a_clear_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("not-a-program.wasm");
    std::fs::write(&file, b"\0asm\x01\0\0\0 and then something else").expect("written");
    let (text, code) = run(&[file.to_str().expect("a path of letters")]);
    assert!(text.contains("cannot compile"), "{text}");
    assert_eq!(code, 64, "{text}");
}
