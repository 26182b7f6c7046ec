//! Ways in which a machine ends: asked, forced, crashed, killed.

use hallows_linux::host::control::{CellSelector, Request, ask};
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::running::{Running, send, wait_for_end};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("each_ordinary_signal_stops_it_cleanly", ordinary_signals),
        test("a_second_signal_forces_the_end", second_signal),
        test("quit_forces_the_end_at_once", quit),
        test("the_grace_period_ends_it", grace),
        test("a_machine_that_was_killed_ends_its_parent", killed),
        test("a_crashed_machine_is_restarted_until_it_crashes_too_often", restarted),
        test("a_parent_that_was_killed_takes_its_machine_along", parent_killed),
    ]
}

fn ordinary_signals() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let mut running = Running::start(&["--shared"]);
        running.machine();
        running.signal(signal);
        assert_eq!(running.hear("asked to stop within"), "5000000000 ns");
        assert_eq!(running.code(), Some(0));
    }
}

fn second_signal() {
    let mut running = Running::start(&["--shared", "--stubborn"]);
    let machine = running.machine();
    running.signal(Signal::INT);
    running.hear("asked to stop within");
    assert!(machine.is_alive());
    running.signal(Signal::INT);
    assert_eq!(running.code(), Some(137));
    assert!(!machine.is_alive());
}

fn quit() {
    let mut running = Running::start(&["--shared"]);
    running.machine();
    running.signal(Signal::QUIT);
    assert_eq!(running.code(), Some(137));
}

fn grace() {
    let mut running = Running::start(&["--shared", "--stubborn", "--grace-ms=1"]);
    running.machine();
    running.signal(Signal::TERM);
    assert_eq!(running.code(), Some(137));
}

fn killed() {
    let mut running = Running::start(&["--shared"]);
    let machine = running.machine();
    send(machine.pid, Signal::KILL);
    assert_eq!(running.code(), Some(137));
}

fn restarted() {
    let mut running = Running::start(&["--shared", "--restart=2"]);
    let first = running.machine();
    assert_eq!(running.hear("attached"), "a program");
    running.placed();
    let crash = Request::Kill { cell: CellSelector::Name("everything".to_owned()) };
    ask(&running.control(), &crash).unwrap();
    assert_eq!(running.hear("restarting:"), "was ended by signal 6");
    let second = running.machine();
    assert_ne!(first, second);
    assert_eq!(running.hear("attached"), "a program");
    running.placed();
    ask(&running.control(), &crash).unwrap();
    assert_eq!(running.code(), Some(134));
}

fn parent_killed() {
    let mut running = Running::start(&["--shared"]);
    let machine = running.machine();
    running.signal(Signal::KILL);
    running.status();
    wait_for_end(machine);
}
