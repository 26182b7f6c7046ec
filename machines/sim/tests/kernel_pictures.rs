//! What the kernel tells of itself: who waits for whom, circles of calls, the last fault of a cell.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{Error, FaultKind, Handle, NO_DEADLINE, OnCell, Rights, TraceKind};
use hallows_kernel::{CellId, CellPicture, CellState, Configuration, CoreId, LastFault, Rooted};
use hallows_sim::{Faults, Halt, Response, Simulation};

const STEPS: u64 = 200_000;

fn picture(sim: &Simulation, cell: CellId) -> CellPicture {
    sim.kernel.picture_cells().into_iter().find(|picture| picture.cell == cell).unwrap()
}

/// An active cell that calls the server of its first grant, waiting no longer than `patience_ns`, and then ends.
fn caller(sim: &mut Simulation, name: &str, patience_ns: Option<u64>) -> (CellId, Rooted) {
    let program = sim.main(move |process| {
        let deadline_ns = patience_ns.map_or(NO_DEADLINE, |patience| process.time_ns() + patience);
        match process.call(Handle(3), &[], &[], deadline_ns) {
            Err(Error::DeadlinePassed | Error::ServerDied) => Ok(()),
            Err(error) => Err(Halt::from(error)),
            Ok(_) => panic!("nobody answers"),
        }
    });
    let (cell, _) = sim.cell(name, &program, None, false, 3);
    let endpoint = sim.active(cell, 2);
    (cell, endpoint)
}

fn circles(sim: &Simulation) -> Vec<String> {
    sim.log().into_iter().filter(|line| line.starts_with("calls wait for each other")).collect()
}

#[test]
fn a_circle_of_calls_is_named_when_a_deadline_ends_it() {
    for cores in [1, 3] {
        let mut sim = Simulation::new(3, Configuration::tiny(cores), Faults::CALM);
        let cells: Vec<_> = [("a", 900_000), ("b", 50_000), ("c", 900_000)]
            .map(|(name, patience_ns)| caller(&mut sim, name, Some(patience_ns)))
            .to_vec();
        for (place, (cell, _)) in cells.iter().enumerate() {
            let next = cells[(place + 1) % cells.len()].1;
            sim.grant_some(*cell, &next, Rights::SEND, 0);
        }
        cells.iter().for_each(|(cell, _)| sim.start(*cell));
        let [a, b, c] = [0, 1, 2].map(|place| cells[place].0);
        sim.run_until(STEPS, |sim| cells.iter().all(|(cell, _)| picture(sim, *cell).waits_for.is_some()))
            .unwrap();
        assert_eq!(picture(&sim, a).waits_for, Some(b));
        assert_eq!(sim.kernel.circle(c), Some(vec![c, a, b]));
        assert!(circles(&sim).is_empty(), "named before its time");
        sim.run(STEPS).unwrap();
        // Only the first deadline finds it: with it, the circle is open.
        let line = format!(
            "calls wait for each other: cell {b} (b) calls cell {c} (c) calls cell {a} (a) calls cell {b} (b)"
        );
        assert_eq!(circles(&sim), [line]);
        let records = (0..cores).flat_map(|core| sim.kernel.trace(CoreId(core)));
        let traced: Vec<_> = records.filter(|record| record.kind == TraceKind::Circle).collect();
        assert_eq!(traced.len(), 1);
        assert_eq!((traced[0].thread, traced[0].object, traced[0].value), (b.0, b.0, 3));
        sim.finish(STEPS).unwrap();
    }
}

#[test]
fn a_caller_whose_server_is_in_a_circle_names_the_circle_without_itself() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let (a, a_endpoint) = caller(&mut sim, "a", None);
    let (b, b_endpoint) = caller(&mut sim, "b", None);
    let (outside, _) = caller(&mut sim, "outside", Some(50_000));
    sim.grant_some(a, &b_endpoint, Rights::SEND, 0);
    sim.grant_some(b, &a_endpoint, Rights::SEND, 0);
    sim.grant_some(outside, &a_endpoint, Rights::SEND, 0);
    [a, b, outside].into_iter().for_each(|cell| sim.start(cell));
    sim.run(STEPS).unwrap();
    let line = format!("calls wait for each other: cell {a} (a) calls cell {b} (b) calls cell {a} (a)");
    assert_eq!(circles(&sim), [line]);
    assert!(sim.kernel.is_live(a) && !sim.kernel.is_live(outside));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_call_that_waits_for_a_slow_server_names_no_circle() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let slow = sim.main(|process| {
        loop {
            process.wait(NO_DEADLINE)?;
        }
    });
    let (server, _) = sim.cell("slow", &slow, None, false, 3);
    let endpoint = sim.active(server, 2);
    let (cell, _) = caller(&mut sim, "caller", Some(50_000));
    sim.grant_some(cell, &endpoint, Rights::SEND, 0);
    sim.start(server);
    sim.start(cell);
    sim.run_until(STEPS, |sim| picture(sim, cell).waits_for == Some(server)).unwrap();
    assert_eq!(sim.kernel.circle(cell), None);
    sim.run(STEPS).unwrap();
    assert!(circles(&sim).is_empty());
    assert!(!sim.kernel.is_live(cell), "its deadline did not come");
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_caller_of_a_busy_passive_server_waits_for_it() {
    let mut sim = Simulation::new(3, Configuration::tiny(2), Faults::CALM);
    let program = sim.reactor(|_| {
        Ok(Box::new(|process, _| {
            process.compute(100_000)?;
            Ok(Response::bytes([]))
        }))
    });
    let (server, _) = sim.cell("busy", &program, None, true, 3);
    let endpoint = sim.passive(server);
    let clients = [0, 1].map(|_| {
        let client = sim
            .main(|process| process.call(Handle(3), &[], &[], NO_DEADLINE).map(|_| ()).map_err(Halt::from));
        let (cell, _) = sim.cell("client", &client, None, false, 3);
        sim.grant_some(cell, &endpoint, Rights::SEND, 0);
        cell
    });
    sim.start(server);
    sim.run(STEPS).unwrap();
    clients.iter().for_each(|cell| sim.start(*cell));
    sim.run_until(STEPS, |sim| clients.iter().any(|cell| picture(sim, *cell).waits_for == Some(server)))
        .unwrap();
    sim.run(STEPS).unwrap();
    assert!(clients.iter().all(|cell| picture(&sim, *cell).waits_for.is_none()));
    sim.finish(STEPS).unwrap();
}

#[test]
fn the_last_fault_of_a_cell_stays_when_it_runs_again() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let lives = Rc::new(Cell::new(0));
    let lived = Rc::clone(&lives);
    let program = sim.main(move |process| {
        lived.set(lived.get() + 1);
        if lived.get() == 1 {
            return Err(Halt::Fault(FaultKind::Arithmetic));
        }
        process.wait(NO_DEADLINE).map(|_| ()).map_err(Halt::from)
    });
    let restarter = sim.main(|process| {
        let report = process.wait(NO_DEADLINE)?;
        process.answer(report.token, &[], &[])?;
        process.operate(Handle(3), OnCell::Restart, &[])?;
        Ok(())
    });
    let (supervisor, _) = sim.cell("supervisor", &restarter, None, false, 3);
    let faults = sim.active(supervisor, 1);
    let (cell, rooted) = sim.cell("divides", &program, Some(&faults), false, 3);
    sim.active(cell, 1);
    sim.grant(supervisor, &rooted);
    assert_eq!(picture(&sim, cell).last_fault, None);
    sim.start(supervisor);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    let now = picture(&sim, cell);
    assert_eq!((lives.get(), now.state, now.life), (2, CellState::Running, 2));
    let fault =
        LastFault { kind: FaultKind::Arithmetic, detail: 0, life: 1, backtrace: "simulated_program".into() };
    assert_eq!(now.last_fault, Some(fault.clone()));
    // An orderly end is none.
    sim.kill(cell);
    sim.run(STEPS).unwrap();
    assert_eq!(picture(&sim, cell).last_fault, Some(fault));
    sim.finish(STEPS).unwrap();
}

#[test]
fn of_a_last_fault_the_innermost_frames_are_kept() {
    let kept = |backtrace: &str| LastFault::new((FaultKind::Other, 0), 1, backtrace).backtrace;
    assert_eq!(&*kept(""), "");
    assert_eq!(&*kept("one\ntwo"), "one\ntwo");
    assert_eq!(&*kept("one\ntwo\nthree\nfour\n"), "one\ntwo\nthree");
    // Cut between two characters of two bytes each.
    assert_eq!(kept(&format!("a{}", "\u{e9}".repeat(200))).len(), 255);
}
