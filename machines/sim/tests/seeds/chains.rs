//! Chains of passive servers: several clients on several cores call servers that call servers.

use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE};
use hallows_kernel::CellState;
use hallows_sim::{Faults, Process, Response, Simulation};

use crate::lives::Supervisor;
use crate::{Books, MANY_STEPS, SharedBooks, answer_to, call, choices, each_seed, rough_machine};

/// What a server of a chain does: calls the next one, if it has one, then answers.
pub fn link(
    sim: &mut Simulation,
    books: &SharedBooks,
    next: Option<Handle>,
    work_ns: u64,
) -> hallows_kernel::Rooted {
    let books = Rc::clone(books);
    sim.reactor(move |_| {
        let books = Rc::clone(&books);
        Ok(Box::new(move |process: &mut Process<'_>, message| {
            let id = books.borrow_mut().receive(&message.bytes);
            let work_ns = process.choose(work_ns + 1);
            process.compute(work_ns)?;
            if let Some(next) = next {
                match call(&books, process, next, &[], NO_DEADLINE) {
                    Ok(_) | Err(Error::ServerDied | Error::NotReady | Error::TooDeep) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            process.check()?;
            Ok(Response::bytes(answer_to(id)))
        }))
    })
}

#[test]
fn calls_through_chains_of_passive_servers_get_their_own_answers() {
    each_seed(
        "calls_through_chains_of_passive_servers_get_their_own_answers",
        &["call: answered", "call: DeadlinePassed"],
        |seed| {
            let mut random = choices(seed);
            let mut sim = rough_machine(seed, &mut random);
            let books = SharedBooks::default();
            let depth = 1 + random.below(4);
            let mut next = None;
            let mut endpoints = Vec::new();
            for _ in 0..depth {
                let program = link(&mut sim, &books, next.is_some().then_some(Handle(3)), 1_500);
                let priority = random.below(8) as u8;
                let (cell, _) = sim.cell("link", &program, None, true, priority);
                if let Some(next) = &next {
                    sim.grant(cell, next);
                }
                sim.start(cell);
                let endpoint = sim.passive(cell);
                endpoints.push(endpoint);
                next = Some(endpoint);
            }
            sim.run(MANY_STEPS).unwrap();
            let clients = 1 + random.below(4);
            for _ in 0..clients {
                let (books, rounds) = (Rc::clone(&books), 1 + random.below(12));
                let program = sim.main(move |process| {
                    for _ in 0..rounds {
                        let endpoint = Handle(3 + process.choose(depth) as u32);
                        let deadline = match process.choose(4) {
                            0 => process.time_ns() + process.choose(8_000),
                            _ => NO_DEADLINE,
                        };
                        match call(&books, process, endpoint, &[], deadline) {
                            Ok(_) => {}
                            Err(Error::DeadlinePassed) if deadline != NO_DEADLINE => {}
                            Err(error) => panic!("a call failed with {error:?}"),
                        }
                        let rest = process.choose(3_000);
                        process.compute(rest)?;
                    }
                    Ok(())
                });
                let priority = random.below(8) as u8;
                let (cell, _) = sim.cell("client", &program, None, false, priority);
                for endpoint in &endpoints {
                    sim.grant(cell, endpoint);
                }
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            books.borrow().close();
            assert!(books.borrow().count(None) > 0 || books.borrow().count(Some(Error::DeadlinePassed)) > 0);
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}

#[test]
fn kills_in_the_middle_of_chains_end_calls_with_errors_and_servers_are_restarted() {
    each_seed(
        "kills_in_the_middle_of_chains_end_calls_with_errors_and_servers_are_restarted",
        &["call: answered", "call: ServerDied", "call: NotReady", "call: Killed"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random);
            let faults = faults.with_kills(random.below(30_000), 12).with_faults(random.below(20_000));
            let cores = 1 + random.below(4) as u32;
            let mut sim = Simulation::new(seed, hallows_kernel::Configuration::tiny(cores), faults);
            let books = Rc::new(std::cell::RefCell::new(Books::default()));
            let mut supervisor = Supervisor::new(&mut sim);
            let depth = 1 + random.below(4);
            let mut next = None;
            let mut endpoints = Vec::new();
            let mut servers = Vec::new();
            for _ in 0..depth {
                let program = link(&mut sim, &books, next.is_some().then_some(Handle(3)), 1_500);
                let (cell, rooted) = sim.cell("link", &program, Some(&supervisor.endpoint), true, 3);
                if let Some(next) = &next {
                    sim.grant(cell, next);
                }
                supervisor.watch(&mut sim, cell, &rooted);
                sim.victims.push(cell);
                sim.make_fragile(cell);
                let endpoint = sim.passive(cell);
                endpoints.push(endpoint);
                next = Some(endpoint);
                servers.push(cell);
            }
            supervisor.start(&mut sim);
            for cell in &servers {
                sim.start(*cell);
            }
            let clients = 1 + random.below(4);
            for _ in 0..clients {
                let (books, rounds) = (Rc::clone(&books), 1 + random.below(12));
                let program = sim.main(move |process| {
                    for _ in 0..rounds {
                        let endpoint = Handle(3 + process.choose(depth) as u32);
                        match call(&books, process, endpoint, &[], NO_DEADLINE) {
                            Ok(_) | Err(Error::ServerDied | Error::NotReady) => {}
                            Err(Error::Killed) => return Err(Error::Killed.into()),
                            Err(error) => panic!("a call failed with {error:?}"),
                        }
                        let rest = process.choose(3_000);
                        process.compute(rest)?;
                    }
                    Ok(())
                });
                let (cell, _) = sim.cell("client", &program, None, false, random.below(8) as u8);
                for endpoint in &endpoints {
                    sim.grant(cell, endpoint);
                }
                sim.victims.push(cell);
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            books.borrow().close();
            for cell in servers {
                assert_eq!(sim.kernel.state(cell), CellState::Running, "server {cell} was not restarted");
            }
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}
