//! Cycles of passive servers: whoever closes one gets `Deadlock` at once, and everyone else goes on.

use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE, OnSpace};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Process, Response, Simulation};

use crate::{MANY_STEPS, SharedBooks, answer_to, call, choices, each_seed, seen};

/// A ring of servers, each of which calls the next one once: threads that start at different places meet.
#[test]
fn servers_that_call_each_other_from_several_threads_get_deadlock_and_never_hang() {
    each_seed(
        "servers_that_call_each_other_from_several_threads_get_deadlock_and_never_hang",
        &["call: answered", "inner: Deadlock", "inner: answered"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random);
            let cores = 1 + random.below(4) as u32;
            let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
            let books = SharedBooks::default();
            let around = 2 + random.below(3);
            let mut cells = Vec::new();
            for _ in 0..around {
                let known = Rc::clone(&books);
                let program = sim.reactor(move |_| {
                    let books = Rc::clone(&known);
                    Ok(Box::new(move |process: &mut Process<'_>, message| {
                        let id = books.borrow_mut().receive(&message.bytes);
                        let work = process.choose(1_000);
                        process.compute(work)?;
                        match call(&books, process, Handle(3), &[], NO_DEADLINE) {
                            Ok(_) => seen("inner: answered", 1),
                            Err(Error::Deadlock) => seen("inner: Deadlock", 1),
                            Err(error) => panic!("a call failed with {error:?}"),
                        }
                        Ok(Response::bytes(answer_to(id)))
                    }))
                });
                let (cell, _) = sim.cell("ring", &program, None, true, 3);
                cells.push((cell, sim.passive(cell)));
            }
            for (place, (cell, _)) in cells.iter().enumerate() {
                sim.grant(*cell, &cells[(place + 1) % cells.len()].1);
                sim.start(*cell);
            }
            sim.run(MANY_STEPS).unwrap();
            for _ in 0..1 + random.below(4) {
                let (books, rounds) = (Rc::clone(&books), 1 + random.below(6));
                let program = sim.main(move |process| {
                    for _ in 0..rounds {
                        let endpoint = Handle(3 + process.choose(around) as u32);
                        match call(&books, process, endpoint, &[], NO_DEADLINE) {
                            Ok(_) => {}
                            // A client holds nothing, so it closes no cycle.
                            Err(error) => panic!("a call failed with {error:?}"),
                        }
                    }
                    Ok(())
                });
                let (cell, _) = sim.cell("client", &program, None, false, random.below(8) as u8);
                for (_, endpoint) in &cells {
                    sim.grant(cell, endpoint);
                }
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            books.borrow().close();
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}

/// A revoker inside of one server, and a thread inside of the revoked one that wants to get into the first.
#[test]
fn a_revocation_that_waits_for_its_waiter_is_a_deadlock_and_not_a_hang() {
    each_seed(
        "a_revocation_that_waits_for_its_waiter_is_a_deadlock_and_not_a_hang",
        &["revoke: done", "deadlock named"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random);
            let mut sim = Simulation::new(seed, Configuration::tiny(2 + random.below(3) as u32), faults);
            // `inner` calls back into `outer` for those who came from outside.
            let inner = sim.reactor(move |_| {
                Ok(Box::new(move |process: &mut Process<'_>, _| {
                    process.compute(2_000)?;
                    match process.call(Handle(3), b"back", &[], NO_DEADLINE) {
                        Ok(_) => {}
                        Err(Error::Deadlock) => seen("deadlock named", 1),
                        Err(error) => panic!("a call failed with {error:?}"),
                    }
                    Ok(Response::bytes([]))
                }))
            });
            // `outer` takes back what it gave of `inner` when told to.
            let outer = sim.reactor(move |_| {
                Ok(Box::new(move |process: &mut Process<'_>, message: hallows_sim::Incoming| {
                    if message.bytes == b"revoke" {
                        process.compute(1_000)?;
                        match process.operate(Handle::SELF, OnSpace::Revoke { what: Handle(4) }, &[]) {
                            Ok(_) => seen("revoke: done", 1),
                            Err(Error::Deadlock) => seen("deadlock named", 1),
                            Err(error) => panic!("a revocation failed with {error:?}"),
                        }
                    } else if message.bytes == b"give" {
                        let copy = process.make(Handle::SELF, OnSpace::Copy { what: Handle(4) }, &[])?;
                        let transfer = hallows_abi::Transfer {
                            mode: hallows_abi::TransferMode::Move,
                            ..hallows_abi::Transfer::copy(copy)
                        };
                        return Ok(Response::Answer(Vec::new(), vec![transfer]));
                    }
                    Ok(Response::bytes([]))
                }))
            });
            let (inner_cell, _) = sim.cell("inner", &inner, None, true, 3);
            let (outer_cell, _) = sim.cell("outer", &outer, None, true, 3);
            let (inner, outer) = (sim.passive(inner_cell), sim.passive(outer_cell));
            sim.grant(inner_cell, &outer);
            sim.grant(outer_cell, &outer);
            sim.grant(outer_cell, &inner);
            sim.start(inner_cell);
            sim.start(outer_cell);
            sim.run(MANY_STEPS).unwrap();
            let user = sim.main(move |process| {
                for _ in 0..4 {
                    let given = process.call(Handle(3), b"give", &[], NO_DEADLINE)?;
                    match process.call(given.handles[0], b"use", &[], NO_DEADLINE) {
                        Ok(_) | Err(Error::BadHandle | Error::Revoked) => {}
                        Err(error) => panic!("a call failed with {error:?}"),
                    }
                    // Whether it was revoked or not.
                    let _ = process.operate(Handle::SELF, OnSpace::Delete { what: given.handles[0] }, &[]);
                }
                Ok(())
            });
            let revoker = sim.main(move |process| {
                for _ in 0..4 {
                    let rest = process.choose(6_000);
                    process.compute(rest)?;
                    process.call(Handle(3), b"revoke", &[], NO_DEADLINE)?;
                }
                Ok(())
            });
            for program in [user, revoker] {
                let (cell, _) = sim.cell("client", &program, None, false, 3);
                sim.grant(cell, &outer);
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            assert_eq!(sim.log(), Vec::<String>::new());
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}
