//! Active servers: calls, sends and their answers, answers that come later, deadlines, kills on both sides.

use std::cell::RefCell;
use std::rc::Rc;

use hallows_abi::{Error, EventKind, Handle, NO_DEADLINE};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Halt, Process, Response, Simulation};

use crate::lives::{OrKilled, Supervisor};
use crate::{Books, MANY_STEPS, SharedBooks, answer_to, call, choices, each_seed, seen};

/// A server that answers some messages at once and others later, out of order; as a main or as a reactor. As a main it returns when it
/// serves nothing any more.
pub fn server(sim: &mut Simulation, books: &SharedBooks, reactor: bool) -> hallows_kernel::Rooted {
    let books = Rc::clone(books);
    let answer = |process: &mut Process<'_>, token: u64, id: u64| -> Result<(), Halt> {
        match process.answer(token, &answer_to(id), &[]).or_killed()? {
            // The sender gave up or is gone.
            Ok(()) | Err(Error::BadToken) => {}
            Err(error) => panic!("an answer failed with {error:?}"),
        }
        match process.answer(token, &[], &[]).or_killed()? {
            Err(Error::BadToken) => Ok(()),
            other => panic!("a message was answered twice: {other:?}"),
        }
    };
    if reactor {
        return sim.reactor(move |_| {
            let books = Rc::clone(&books);
            let mut later: Vec<(u64, u64)> = Vec::new();
            Ok(Box::new(move |process, message| {
                assert_eq!(message.kind, EventKind::Message);
                let id = books.borrow_mut().receive(&message.bytes);
                process.check()?;
                if later.is_empty() && process.choose(3) == 0 {
                    later.push((message.token, id));
                    return Ok(Response::Deferred);
                }
                for (token, id) in later.drain(..) {
                    answer(process, token, id)?;
                }
                Ok(Response::bytes(answer_to(id)))
            }))
        });
    }
    sim.main(move |process| {
        let mut later: Vec<(u64, u64)> = Vec::new();
        let mut fused: Option<(u64, u64)> = None;
        // For one that is restarted to serve what another does: it serves nothing at first.
        let mut young = true;
        loop {
            // What waits is answered before the server would sleep for good.
            let deadline = match core::mem::take(&mut young) {
                true => process.time_ns() + 20_000,
                false if later.is_empty() => NO_DEADLINE,
                false => process.time_ns() + 2_000,
            };
            let event = match fused.take() {
                None => match process.wait(deadline).or_killed()? {
                    Err(Error::NothingToWaitFor) => return Ok(()),
                    event => event?,
                },
                Some((token, id)) => {
                    match process.answer_wait(token, &answer_to(id), &[], deadline).or_killed()? {
                        Ok(event) => event,
                        Err(Error::BadToken) => continue,
                        Err(Error::NothingToWaitFor) => return Ok(()),
                        Err(error) => panic!("answer_wait failed with {error:?}"),
                    }
                }
            };
            match event.kind {
                EventKind::Message => {
                    let id = books.borrow_mut().receive(&event.bytes);
                    let work = process.choose(800);
                    process.compute(work)?;
                    match process.choose(3) {
                        0 => later.push((event.token, id)),
                        1 => answer(process, event.token, id)?,
                        _ => fused = Some((event.token, id)),
                    }
                }
                EventKind::Deadline => {
                    while let Some((token, id)) = later.pop() {
                        answer(process, token, id)?;
                    }
                }
                kind => panic!("a server got {kind:?}"),
            }
        }
    })
}

/// A client that calls and sends, with and without deadlines.
pub fn client(books: SharedBooks, rounds: u64) -> impl Fn(&mut Process<'_>) -> Result<(), Halt> {
    move |process| {
        let (me, life) = (process.cell().0, books.borrow_mut().id());
        let mut owed = 0u32;
        let settle = |process: &Process<'_>, event: hallows_sim::Incoming| {
            let mut books = books.borrow_mut();
            assert_eq!(event.kind, EventKind::Answer);
            let Some(id) = books.owed.remove(&(me, life, event.token)) else {
                panic!("an answer to nothing, or a second one: {event:?} of {}", process.cell())
            };
            match event.status {
                None => seen("send: answered", 1),
                Some(error) => seen(&format!("send: {error:?}"), 1),
            }
            match event.status {
                None => assert_eq!(event.bytes, answer_to(id), "message {id} got another's answer"),
                Some(Error::ServerDied) => {}
                Some(error) => panic!("a send ended with {error:?}"),
            }
        };
        for _ in 0..rounds {
            let endpoint = Handle(3 + process.choose(2) as u32);
            match process.choose(3) {
                0 => {
                    let deadline = process.time_ns() + process.choose(6_000);
                    match call(&books, process, endpoint, &[], deadline).or_killed()? {
                        Ok(_) => {}
                        Err(Error::DeadlinePassed | Error::ServerDied | Error::NotReady | Error::Busy) => {}
                        Err(error) => panic!("a call failed with {error:?}"),
                    }
                }
                1 => match call(&books, process, endpoint, &[], NO_DEADLINE).or_killed()? {
                    Ok(_) | Err(Error::ServerDied | Error::NotReady | Error::Busy) => {}
                    Err(error) => panic!("a call failed with {error:?}"),
                },
                _ => {
                    let id = books.borrow_mut().id();
                    match process.send(endpoint, &id.to_le_bytes(), &[], 64).or_killed()? {
                        Ok(token) => {
                            let before = books.borrow_mut().owed.insert((me, life, token), id);
                            assert_eq!(before, None, "a token was given twice");
                            owed += 1;
                        }
                        Err(error @ (Error::NotReady | Error::Busy)) => {
                            seen(&format!("send: {error:?}"), 1);
                            assert!(!books.borrow().was_received(id), "a refused message was received");
                        }
                        Err(error) => panic!("a send failed with {error:?}"),
                    }
                }
            }
            if owed > 0 && process.choose(2) == 0 {
                let event = process.wait(0)?;
                if event.kind != EventKind::Deadline {
                    settle(process, event);
                    owed -= 1;
                }
            }
        }
        while owed > 0 {
            let event = process.wait(NO_DEADLINE)?;
            settle(process, event);
            owed -= 1;
        }
        assert_eq!(process.wait(NO_DEADLINE).map(|_| ()).or_killed()?, Err(Error::NothingToWaitFor));
        Ok(())
    }
}

fn talk(seed: u64, kills: bool) {
    let mut random = choices(seed);
    let mut faults = Faults::rough(&mut random);
    if kills {
        faults = faults.with_kills(random.below(20_000), 8).with_faults(random.below(20_000));
    }
    let cores = 1 + random.below(4) as u32;
    let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
    let books = Rc::new(RefCell::new(Books::default()));
    let mut supervisor = Supervisor::new(&mut sim);
    let mut endpoints = Vec::new();
    for _ in 0..2 {
        let reactor = random.below(2) == 0;
        let program = server(&mut sim, &books, reactor);
        let (cell, rooted) =
            sim.cell("server", &program, Some(&supervisor.endpoint), false, random.below(8) as u8);
        endpoints.push(sim.active(cell, 2 + random.below(6) as u32));
        supervisor.watch(&mut sim, cell, &rooted);
        sim.make_fragile(cell);
        if kills {
            sim.victims.push(cell);
        }
        sim.start(cell);
    }
    supervisor.start(&mut sim);
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
    sim.run(MANY_STEPS).unwrap();
    books.borrow().close();
    if !kills {
        assert!(books.borrow().owed.is_empty(), "a send was never answered");
        assert_eq!(books.borrow().count(Some(Error::ServerDied)), 0);
    }
    let posts = sim.kernel.picture_cores().iter().map(|core| core.posts).sum();
    seen("posts from core to core", posts);
    sim.finish(MANY_STEPS).unwrap();
}

#[test]
fn every_message_to_an_active_server_gets_one_answer() {
    each_seed(
        "every_message_to_an_active_server_gets_one_answer",
        &[
            "call: answered",
            "call: Busy",
            "call: DeadlinePassed",
            "send: answered",
            "send: Busy",
            "posts from core to core",
        ],
        |seed| talk(seed, false),
    );
}

#[test]
fn every_message_gets_one_answer_or_one_error_when_either_side_is_killed() {
    each_seed(
        "every_message_gets_one_answer_or_one_error_when_either_side_is_killed",
        &[
            "call: answered",
            "call: ServerDied",
            "call: Killed",
            "send: ServerDied",
            "posts from core to core",
        ],
        |seed| talk(seed, true),
    );
}
