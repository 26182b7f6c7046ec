//! Endpoints that end and make place for others while they are called: nobody comes to a server by an endpoint of which it has no capability.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{
    Error, Handle, NO_DEADLINE, OnBudget, OnEndpoint, OnNotification, Rights, Serving, Transfer,
};
use hallows_kernel::{CellId, Configuration, Rooted};
use hallows_sim::{Faults, Process, Response, Simulation};

use crate::lives::OrKilled;
use crate::{MANY_STEPS, choices, each_seed, seen};

/// Which endpoints have ended, by number.
type Ended = Rc<RefCell<Vec<bool>>>;

/// A server that answers who comes with its badge, and nobody else: started.
fn server(sim: &mut Simulation, number: u64, passive: bool) -> (CellId, Rooted) {
    let program = sim.reactor(move |_| {
        Ok(Box::new(move |process, message| {
            assert_eq!(message.badge, number, "it came by an endpoint of another");
            let work = process.choose(6_000);
            process.compute(work)?;
            Ok(Response::bytes(message.bytes))
        }))
    });
    let made = sim.cell("server", &program, None, passive, 3);
    sim.start(made.0);
    made
}

/// Ends the endpoints one after the other, and makes one for another server at the place of each: nobody gets a capability of those.
fn make_place(
    sim: &mut Simulation,
    endpoints: &[Rooted],
    servers: &[(bool, Rooted)],
    ended: &Ended,
) -> CellId {
    let (count, first_server) = (endpoints.len(), 3 + endpoints.len() as u32);
    let passive: Vec<bool> = servers.iter().map(|(passive, _)| *passive).collect();
    let ended = Rc::clone(ended);
    let program = sim.main(move |process| {
        for number in 0..count {
            let rest = process.time_ns() + 1 + process.choose(6_000);
            process.wait(rest)?;
            ended.borrow_mut()[number] = true;
            let endpoint = Handle(3 + number as u32);
            process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint }, &[])?;
            let next = process.choose(passive.len() as u64) as usize;
            let server = [Transfer::copy(Handle(first_server + next as u32))];
            let serving = if passive[next] {
                Serving::Passive { handler_budget_ns: None }
            } else {
                Serving::Active { queue: 4 }
            };
            process.make(Handle::BUDGET, OnBudget::CreateEndpoint { serving, of_another: true }, &server)?;
        }
        // They live for as long as there may be somebody who could come: nobody rings.
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(bell, OnNotification::Bind { badge: 0 }, &[])?;
        process.wait(NO_DEADLINE).map(drop).map_err(Into::into)
    });
    let (cell, _) = sim.cell("replacer", &program, None, false, 7);
    for what in endpoints.iter().chain(servers.iter().map(|(_, rooted)| rooted)) {
        sim.grant(cell, what);
    }
    sim.start(cell);
    cell
}

#[test]
fn nobody_comes_to_the_server_of_the_next_endpoint_at_a_place() {
    each_seed(
        "nobody_comes_to_the_server_of_the_next_endpoint_at_a_place",
        &["answered", "gone before", "it ended while it was called"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random);
            let cores = 1 + random.below(4) as u32;
            let configuration = Configuration { slots: 2_048, ..Configuration::tiny(cores) };
            let mut sim = Simulation::new(seed, configuration, faults);
            let (mut endpoints, mut servers) = (Vec::new(), Vec::new());
            for number in 0..2 + random.below(3) {
                let passive = random.below(3) != 0;
                let (cell, rooted) = server(&mut sim, 1 + number, passive);
                endpoints.push(if passive { sim.passive(cell) } else { sim.active(cell, 4) });
                servers.push((passive, rooted));
            }
            let ended = Ended::new(RefCell::new(vec![false; endpoints.len()]));
            sim.run(MANY_STEPS).unwrap();
            let replacer = make_place(&mut sim, &endpoints, &servers, &ended);
            let left = Rc::new(Cell::new(0));
            for _ in 0..2 + random.below(4) {
                let ended = Rc::clone(&ended);
                let (count, rounds, left_now) =
                    (endpoints.len() as u64, 1 + random.below(8), Rc::clone(&left));
                left.set(left.get() + 1);
                let program = sim.main(move |process: &mut Process<'_>| {
                    for round in 0..rounds {
                        let number = process.choose(count);
                        let was_there = !ended.borrow()[number as usize];
                        let endpoint = Handle(3 + number as u32);
                        let message = [number as u8, round as u8];
                        match process.call(endpoint, &message, &[], NO_DEADLINE).or_killed()? {
                            Ok(answer) => {
                                assert_eq!(answer.bytes, message);
                                seen("answered", 1);
                            }
                            Err(Error::Busy) => {}
                            Err(Error::Gone) => {
                                assert!(ended.borrow()[number as usize], "it has not ended");
                                seen("gone before", u64::from(!was_there));
                                seen("it ended while it was called", u64::from(was_there));
                            }
                            Err(error) => panic!("a call failed with {error:?}"),
                        }
                    }
                    left_now.set(left_now.get() - 1);
                    Ok(())
                });
                let (cell, _) = sim.cell("client", &program, None, false, random.below(8) as u8);
                for (number, endpoint) in endpoints.iter().enumerate() {
                    sim.grant_some(cell, endpoint, Rights::SEND, 1 + number as u64);
                }
                sim.start(cell);
            }
            let done = sim.run_until(MANY_STEPS, |_| left.get() == 0);
            let panics: Vec<String> =
                sim.log().into_iter().filter(|line| line.contains("unreachable")).collect();
            assert!(done.is_ok() && panics.is_empty(), "{done:?} {panics:?} {}", sim.picture());
            assert!(sim.kill(replacer));
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}
