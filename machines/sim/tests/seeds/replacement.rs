//! Servers that are replaced while they are called: no call is lost, none gets an error that a kill does not explain.

use std::cell::RefCell;
use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE, OnCell, OnEndpoint, Reply, Rights, Transfer};
use hallows_kernel::{CellId, Configuration, Rooted};
use hallows_sim::{Faults, Process, Simulation};

use crate::chains::link;
use crate::lives::{OrKilled, Supervisor};
use crate::messages::{client, server};
use crate::{Books, MANY_STEPS, SharedBooks, call, choices, each_seed, seen};

/// Starts a cell that gives endpoints to servers for ever, one after the other, with rests of up to `rest_ns`. It restarts servers that have
/// ended, unless somebody else does.
pub fn replace(
    sim: &mut Simulation,
    endpoints: &[Rooted],
    servers: &[Rooted],
    rest_ns: u64,
    restarts: bool,
) -> CellId {
    let (first, kinds) = (3 + endpoints.len() as u64, (endpoints.len() as u64, servers.len() as u64));
    let program = sim.main(move |process| {
        loop {
            let endpoint = Handle(3 + process.choose(kinds.0) as u32);
            let server = Handle((first + process.choose(kinds.1)) as u32);
            let transfers = [Transfer::copy(server)];
            let given = process
                .operate(Handle::SELF, OnEndpoint::Reassign { endpoint, to_another: true }, &transfers)
                .or_killed()?;
            match given {
                Ok((reply, _)) => {
                    seen("replaced", 1);
                    seen("replaced with calls under way", u64::from(reply != Reply::Number(0)));
                }
                Err(Error::NotReady) if restarts => {
                    match process.operate(server, OnCell::Restart, &[]).or_killed()? {
                        Ok(_) => seen("restarted to serve", 1),
                        // It ends just now, or its supervisor was first.
                        Err(Error::BadState) => {}
                        Err(error) => panic!("a server cannot be restarted: {error:?}"),
                    }
                }
                Err(Error::NotReady) => {}
                Err(error) => panic!("an endpoint cannot be given: {error:?}"),
            }
            let rest = process.time_ns() + 1 + process.choose(rest_ns);
            process.wait(rest)?;
        }
    });
    let (cell, _) = sim.cell("replacer", &program, None, false, 7);
    for what in endpoints.iter().chain(servers) {
        sim.grant_some(cell, what, Rights::ALL, 0);
    }
    sim.start(cell);
    cell
}

/// Active servers, of which the last stays.
fn messages(seed: u64, kills: bool) {
    let mut random = choices(seed);
    let mut faults = Faults::rough(&mut random);
    if kills {
        faults = faults.with_kills(random.below(20_000), 8).with_faults(random.below(20_000));
    }
    let cores = 1 + random.below(4) as u32;
    let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
    let books = Rc::new(RefCell::new(Books::default()));
    let mut supervisor = Supervisor::new(&mut sim);
    let (mut endpoints, mut servers) = (Vec::new(), Vec::new());
    for place in 0..3 {
        let reactor = random.below(2) == 0;
        let program = server(&mut sim, &books, reactor);
        // Those that nobody kills end when they serve nothing more, and are restarted by who needs them.
        let faults = kills.then_some(&supervisor.endpoint);
        let (cell, rooted) = sim.cell("server", &program, faults, false, random.below(8) as u8);
        let endpoint = sim.active(cell, 2 + random.below(6) as u32);
        if place < 2 {
            endpoints.push(endpoint);
        }
        if kills {
            // It always serves something, or its supervisor would restart it for ever.
            sim.active(cell, 1);
            supervisor.watch(&mut sim, cell, &rooted);
            sim.make_fragile(cell);
            sim.victims.push(cell);
        }
        sim.start(cell);
        servers.push(rooted);
    }
    supervisor.start(&mut sim);
    let replacer = replace(&mut sim, &endpoints, &servers, 4_000, !kills);
    let mut clients = Vec::new();
    for _ in 0..1 + random.below(4) {
        let program = sim.main(client(Rc::clone(&books), 1 + random.below(12)));
        let (cell, _) = sim.cell("client", &program, None, false, random.below(8) as u8);
        for endpoint in &endpoints {
            sim.grant(cell, endpoint);
        }
        if kills {
            sim.victims.push(cell);
        }
        sim.start(cell);
        clients.push(cell);
    }
    // A reactor may keep the last message for as long as nobody else comes: then somebody comes.
    let pusher = {
        let books = Rc::clone(&books);
        sim.main(move |process| {
            loop {
                for endpoint in [Handle(3), Handle(4)] {
                    let deadline = process.time_ns() + 3_000;
                    let _ = call(&books, process, endpoint, &[], deadline).or_killed()?;
                }
                process.compute(2_000)?;
            }
        })
    };
    let (pusher, _) = sim.cell("pusher", &pusher, None, false, 0);
    for endpoint in &endpoints {
        sim.grant(pusher, endpoint);
    }
    sim.start(pusher);
    sim.run_until(MANY_STEPS, |sim| clients.iter().all(|cell| !sim.kernel.is_live(*cell))).unwrap();
    sim.kill(pusher);
    sim.kill(replacer);
    sim.run(MANY_STEPS).unwrap();
    let books = books.borrow();
    books.close();
    if !kills {
        assert!(books.owed.is_empty(), "a send was never answered");
        for error in [Error::ServerDied, Error::NotReady, Error::Gone, Error::Revoked] {
            assert_eq!(books.count(Some(error)), 0, "a replacement led to {error:?}");
        }
    }
    seen("posts from core to core", sim.kernel.picture_cores().iter().map(|core| core.posts).sum());
    sim.finish(MANY_STEPS).unwrap();
}

#[test]
fn no_message_is_lost_when_an_active_server_is_replaced() {
    each_seed(
        "no_message_is_lost_when_an_active_server_is_replaced",
        &[
            "call: answered",
            "call: Busy",
            "call: DeadlinePassed",
            "send: answered",
            "replaced",
            "replaced with calls under way",
            "restarted to serve",
            "posts from core to core",
        ],
        |seed| messages(seed, false),
    );
}

#[test]
fn every_message_gets_one_answer_or_one_error_when_servers_are_replaced_and_killed() {
    each_seed(
        "every_message_gets_one_answer_or_one_error_when_servers_are_replaced_and_killed",
        &["call: answered", "call: ServerDied", "send: ServerDied", "replaced with calls under way"],
        |seed| messages(seed, true),
    );
}

/// Passive servers, some of which are called through others.
fn calls(seed: u64, kills: bool) {
    let mut random = choices(seed);
    let mut faults = Faults::rough(&mut random);
    if kills {
        faults = faults.with_kills(random.below(30_000), 12).with_faults(random.below(20_000));
    }
    let cores = 1 + random.below(4) as u32;
    let configuration = Configuration { slots: 2_048, ..Configuration::tiny(cores) };
    let mut sim = Simulation::new(seed, configuration, faults);
    let books = SharedBooks::default();
    let mut supervisor = Supervisor::new(&mut sim);
    // Two servers that may serve the end of the chain, two that call them.
    let (mut endpoints, mut servers): (Vec<Rooted>, Vec<Rooted>) = Default::default();
    for place in 0..4 {
        let calls = (place >= 2).then_some(Handle(3));
        let program = link(&mut sim, &books, calls, 1_500);
        let (cell, rooted) =
            sim.cell("link", &program, kills.then_some(&supervisor.endpoint), true, random.below(8) as u8);
        if calls.is_some() {
            sim.grant(cell, &endpoints[0]);
        }
        let endpoint = sim.passive(cell);
        if place % 2 == 0 {
            endpoints.push(endpoint);
        }
        if kills {
            supervisor.watch(&mut sim, cell, &rooted);
            sim.make_fragile(cell);
            sim.victims.push(cell);
        }
        sim.start(cell);
        servers.push(rooted);
    }
    supervisor.start(&mut sim);
    if !kills {
        // They serve from the beginning: nobody finds them not ready.
        sim.run(MANY_STEPS).unwrap();
    }
    let replacers = [0, 1]
        .map(|end| replace(&mut sim, &endpoints[end..=end], &servers[2 * end..2 * end + 2], 4_000, !kills));
    let mut clients = Vec::new();
    for _ in 0..1 + random.below(4) {
        let (books, rounds) = (Rc::clone(&books), 1 + random.below(12));
        let program = sim.main(move |process: &mut Process<'_>| {
            for _ in 0..rounds {
                let endpoint = Handle(3 + process.choose(2) as u32);
                let deadline = match process.choose(4) {
                    0 => process.time_ns() + process.choose(8_000),
                    _ => NO_DEADLINE,
                };
                match call(&books, process, endpoint, &[], deadline).or_killed()? {
                    Ok(_) => {}
                    Err(Error::DeadlinePassed) if deadline != NO_DEADLINE => {}
                    Err(Error::NotReady | Error::ServerDied) if kills => {}
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
        if kills {
            sim.victims.push(cell);
        }
        sim.start(cell);
        clients.push(cell);
    }
    sim.run_until(MANY_STEPS, |sim| clients.iter().all(|cell| !sim.kernel.is_live(*cell))).unwrap();
    assert_eq!(replacers.map(|cell| sim.kill(cell)), [true; 2]);
    sim.run(MANY_STEPS).unwrap();
    let panics: Vec<String> = sim.log().into_iter().filter(|line| line.contains("panic")).collect();
    assert!(panics.is_empty(), "{panics:?}");
    let books = books.borrow();
    books.close();
    if !kills {
        for error in [Error::ServerDied, Error::NotReady, Error::Gone, Error::Revoked, Error::Deadlock] {
            assert_eq!(books.count(Some(error)), 0, "a replacement led to {error:?}");
        }
    }
    sim.finish(MANY_STEPS).unwrap();
}

#[test]
fn no_call_is_lost_when_a_passive_server_is_replaced() {
    each_seed(
        "no_call_is_lost_when_a_passive_server_is_replaced",
        &["call: answered", "call: DeadlinePassed", "replaced", "replaced with calls under way"],
        |seed| calls(seed, false),
    );
}

#[test]
fn every_call_gets_one_answer_or_one_error_when_passive_servers_are_replaced_and_killed() {
    each_seed(
        "every_call_gets_one_answer_or_one_error_when_passive_servers_are_replaced_and_killed",
        &["call: answered", "call: ServerDied", "replaced with calls under way"],
        |seed| calls(seed, true),
    );
}
