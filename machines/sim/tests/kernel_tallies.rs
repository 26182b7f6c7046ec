//! What the kernel counts for `top` and shows to an operator: calls and their latencies, faults, capabilities; and what it lets one do.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{Error, FaultKind, Handle, NO_DEADLINE, ObjectKind, Rights};
use hallows_kernel::{CallPicture, CellId, CellPicture, CellState, Configuration};
use hallows_sim::{Faults, Halt, Response, Simulation};

const STEPS: u64 = 2_000_000;

fn picture(sim: &Simulation, cell: CellId) -> CellPicture {
    sim.kernel.picture_cells().into_iter().find(|picture| picture.cell == cell).unwrap()
}

/// How many calls a histogram counts, and the duration that no call of it exceeds.
fn counted(histogram: &[(u64, u64)]) -> (u64, u64) {
    (histogram.iter().map(|(_, count)| count).sum(), histogram.last().map_or(0, |(longest, _)| *longest))
}

/// A client that makes so many calls of its first grant.
fn client(sim: &mut Simulation, calls: u64) -> CellId {
    let program = sim.main(move |process| {
        for _ in 0..calls {
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
        }
        Ok(())
    });
    sim.cell("client", &program, None, false, 3).0
}

/// A server whose handler computes for so long.
fn server(sim: &mut Simulation, passive: bool, takes_ns: u64) -> CellId {
    let program = sim.reactor(move |_| {
        Ok(Box::new(move |process, _| {
            process.compute(takes_ns)?;
            Ok(Response::bytes([]))
        }))
    });
    sim.cell("server", &program, None, passive, 3).0
}

#[test]
fn calls_are_counted_on_both_sides_and_their_latency_is_known() {
    for (passive, takes_ns) in [(true, 300_000), (false, 300_000), (true, 2_000_000), (false, 2_000_000)] {
        let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
        let server = server(&mut sim, passive, takes_ns);
        let endpoint = if passive { sim.passive(server) } else { sim.active(server, 4) };
        let client = client(&mut sim, 20);
        sim.grant_some(client, &endpoint, Rights::SEND, 0);
        sim.start(server);
        sim.run(STEPS).unwrap();
        assert_eq!(sim.kernel.picture_calls(client), CallPicture::default());
        sim.start(client);
        sim.run(STEPS).unwrap();
        let (made, answered) = (sim.kernel.picture_calls(client), sim.kernel.picture_calls(server));
        assert_eq!((made.made, made.answered), (20, 0), "passive: {passive}");
        assert_eq!((answered.made, answered.answered), (0, 20), "passive: {passive}");
        assert_eq!(made.made_ns, answered.answered_ns);
        let (count, longest_ns) = counted(&made.made_ns);
        // So far apart that every one is sampled.
        assert_eq!(count, 20);
        let due = takes_ns..2 * takes_ns;
        assert!(
            due.contains(&made.made_ns[0].0) && due.contains(&longest_ns),
            "{takes_ns} {:?}",
            made.made_ns
        );
        sim.finish(STEPS).unwrap();
    }
}

#[test]
fn a_handler_that_calls_counts_for_itself() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let inner = server(&mut sim, true, 1_000);
    let inner_endpoint = sim.passive(inner);
    let program = sim.reactor(|_| {
        Ok(Box::new(|process, _| {
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            Ok(Response::bytes([]))
        }))
    });
    let (outer, _) = sim.cell("outer", &program, None, true, 3);
    let outer_endpoint = sim.passive(outer);
    sim.grant_some(outer, &inner_endpoint, Rights::SEND, 0);
    let client = client(&mut sim, 5);
    sim.grant_some(client, &outer_endpoint, Rights::SEND, 0);
    [inner, outer, client].into_iter().for_each(|cell| sim.start(cell));
    sim.run(STEPS).unwrap();
    let counts = [client, outer, inner].map(|cell| {
        let calls = sim.kernel.picture_calls(cell);
        (calls.made, calls.answered)
    });
    assert_eq!(counts, [(5, 0), (10, 5), (0, 10)]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_failed_call_is_made_and_not_answered() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let program = sim.reactor(|_| Ok(Box::new(|_: &mut _, _| Err(Halt::Fault(FaultKind::Arithmetic)))));
    let (server, _) = sim.cell("server", &program, None, true, 3);
    let endpoint = sim.passive(server);
    let failed = Rc::new(Cell::new(None));
    let told = Rc::clone(&failed);
    let program = sim.main(move |process| {
        told.set(process.call(Handle(3), &[], &[], NO_DEADLINE).err());
        Ok(())
    });
    let (client, _) = sim.cell("client", &program, None, false, 3);
    sim.grant_some(client, &endpoint, Rights::SEND, 0);
    sim.start(server);
    sim.run(STEPS).unwrap();
    sim.start(client);
    sim.run(STEPS).unwrap();
    assert_eq!(failed.get(), Some(Error::ServerDied));
    assert_eq!(sim.kernel.picture_calls(client).made, 1);
    assert_eq!(sim.kernel.picture_calls(server).answered, 0);
    assert_eq!((picture(&sim, server).faults, picture(&sim, client).faults), (1, 0));
    sim.finish(STEPS).unwrap();
}

#[test]
fn the_capabilities_of_a_cell_are_shown_with_what_they_lead_to() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let server = server(&mut sim, false, 1_000);
    let endpoint = sim.active(server, 4);
    let client = client(&mut sim, 0);
    let handle = sim.grant_some(client, &endpoint, Rights::SEND, 77);
    let (shown, count) = sim.kernel.picture_capabilities(client, 100);
    // Itself, its budget, and the grant.
    assert_eq!((shown.len(), count), (3, 3), "{shown:?}");
    assert_eq!((shown[0].kind, shown[0].leads_to), (ObjectKind::Cell, Some(client)));
    assert_eq!(shown[1].kind, ObjectKind::Budget);
    let grant = shown[2];
    assert_eq!((grant.handle, grant.kind, grant.leads_to), (handle, ObjectKind::Endpoint, Some(server)));
    assert_eq!((grant.rights, grant.badge, grant.stale), (Rights::SEND, 77, false));
    let (first, count) = sim.kernel.picture_capabilities(client, 1);
    assert_eq!((first.as_slice(), count), (&shown[..1], 3));
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_operator_restarts_what_is_dead_and_nothing_else() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let program = sim.main(|process| process.wait(NO_DEADLINE).map(|_| ()).map_err(Halt::from));
    let (cell, _) = sim.cell("one", &program, None, false, 3);
    sim.active(cell, 1);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    assert_eq!(sim.restart(cell), Err(Error::BadState));
    sim.kill(cell);
    sim.run(STEPS).unwrap();
    assert_eq!(sim.restart(cell), Ok(2));
    sim.run(STEPS).unwrap();
    assert_eq!((picture(&sim, cell).state, picture(&sim, cell).life), (CellState::Running, 2));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_message_of_an_operator_arrives_with_its_badge_or_says_why_not() {
    let mut sim = Simulation::new(3, Configuration::tiny(1), Faults::CALM);
    let heard = Rc::new(Cell::new(None));
    let hears = Rc::clone(&heard);
    let program = sim.main(move |process| {
        let message = process.wait(NO_DEADLINE)?;
        hears.set(Some((message.badge, message.bytes.len())));
        process.answer(message.token, &[], &[])?;
        Ok(())
    });
    let (cell, _) = sim.cell("one", &program, None, false, 3);
    let endpoint = sim.active(cell, 1);
    assert_eq!(sim.send_as_operator(&endpoint, 9, b"hello"), Err(Error::NotReady));
    sim.start(cell);
    sim.run(STEPS).unwrap();
    assert_eq!(sim.send_as_operator(&endpoint, 9, b"hello"), Ok(()));
    sim.run(STEPS).unwrap();
    assert_eq!(heard.get(), Some((9, 5)));
    let passive = server(&mut sim, true, 1);
    let passive = sim.passive(passive);
    assert_eq!(sim.send_as_operator(&passive, 9, b"hello"), Err(Error::WrongObject));
    sim.finish(STEPS).unwrap();
}
