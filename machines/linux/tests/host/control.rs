//! The control socket of a running machine.

use hallows_linux::host::control::{CellSelector, Request, Response, ask, list, stop};
use hallows_linux::host::runtime_dir::RuntimeDir;

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::running::Running;
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_client_sees_the_machine_and_stops_it", sees_and_stops),
        test("a_client_of_a_machine_that_dies_gets_an_answer", machine_dies),
    ]
}

fn sees_and_stops() {
    let mut running = Running::start(&["--shared"]);
    running.machine();
    let placed = running.placed();
    let machine = running.control();
    let Response::Machine(status) = ask(&machine, &Request::Ps).unwrap() else { panic!("no status") };
    assert_eq!((status.tier, &status.cores), (crate::host::unprivileged_tier(), &placed.programs));
    assert_eq!(status.memory.budget_bytes, 64 << 20);
    let Response::Tier { report, .. } = ask(&machine, &Request::Tier).unwrap() else { panic!("no tier") };
    assert_eq!(report, Some(placed));
    let kill = Request::Kill { cell: CellSelector::Number(1) };
    let Response::Failed { error } = ask(&machine, &kill).unwrap() else { panic!("no cells to kill") };
    assert!(error.contains("no cells"), "{error}");
    assert_eq!(stop(&machine, None).unwrap(), Response::Done);
    assert_eq!(running.code(), Some(0));
    assert!(!machine.socket.exists());
    let still_there = list(&RuntimeDir::of_this_user().unwrap()).unwrap();
    assert!(still_there.iter().all(|other| other.pid != machine.pid));
}

fn machine_dies() {
    let mut running = Running::start(&["--shared"]);
    running.machine();
    running.placed();
    let kill = Request::Kill { cell: CellSelector::Name("everything".to_owned()) };
    let Response::Failed { error } = ask(&running.control(), &kill).unwrap() else { panic!("it aborted") };
    assert!(error.contains("ended before"), "{error}");
    assert_eq!(running.code(), Some(128 + Signal::ABORT.as_raw()));
}
