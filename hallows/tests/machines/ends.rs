//! However a machine ends, the host is as it was: cores, interrupts, kernel work, sleep states, limits.

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::host::Snapshot;
use crate::root_test;
use crate::running::{Running, await_end, say, send};

pub fn tests() -> Vec<Trial> {
    vec![
        root_test("ctrl_c_ends_a_machine_with_isolated_cores_and_puts_all_back", ctrl_c),
        root_test("after_kill_9_of_the_machine_process_all_is_as_before", machine_killed),
        root_test("after_kill_9_of_the_parent_restore_puts_all_back", parent_killed),
        root_test("after_kill_9_of_the_parent_the_next_run_puts_all_back_and_says_so", next_run),
    ]
}

/// Two that compete, so that timekeeper and core are busy when the end comes.
fn start(before: &Snapshot) -> Running {
    let mut running = Running::of("[cells.one]\nprogram = \"spin\"\n[cells.two]\nprogram = \"spin\"\n", &[]);
    let tier = running.placed();
    assert!(tier.contains("tier isolated: cores to itself"), "{tier}");
    assert!(tier.contains("memory locked"), "{tier}");
    assert!(before.differs_from_now(), "the test is about what is changed");
    running
}

fn ctrl_c() {
    let before = Snapshot::take();
    let mut running = start(&before);
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
    assert!(running.heard.contains("have their old values again"), "{}", running.heard);
    assert!(running.heard.contains("the machine ended with code 0"), "{}", running.heard);
    before.assert_restored();
}

fn machine_killed() {
    let before = Snapshot::take();
    let mut running = start(&before);
    send(running.machine(), Signal::KILL);
    assert_eq!(running.code(), 137);
    assert!(running.heard.contains("was ended by signal 9"), "{}", running.heard);
    before.assert_restored();
}

fn kill_parent(before: &Snapshot) -> i32 {
    let mut running = start(before);
    let (machine, pid) = (running.machine(), running.pid());
    running.signal(Signal::KILL);
    // Closed by the last of both.
    assert_eq!(running.code(), 137);
    await_end(machine);
    assert!(before.differs_from_now(), "the test is about what is left");
    pid
}

fn parent_killed() {
    let before = Snapshot::take();
    kill_parent(&before);
    let (output, error, code) = say(&["restore"]);
    assert!(output.contains("have their old values again"), "{output}{error}");
    assert_eq!(code, 0);
    before.assert_restored();
    assert!(say(&["restore"]).0.contains("nothing to put back"));
}

fn next_run() {
    let before = Snapshot::take();
    kill_parent(&before);
    let (output, error, code) = say(&["run", "calculator", "--tier", "shared"]);
    assert!(error.contains("put back what a killed machine had changed"), "{error}");
    assert!(output.contains("7000 answers"), "{output}");
    assert_eq!(code, 0);
    before.assert_restored();
}
