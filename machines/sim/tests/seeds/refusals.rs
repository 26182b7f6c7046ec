//! Messages and answers that are refused, in every way that there is: what they would have moved is where it was, under the same
//! handle; what was accepted has left.

use std::rc::Rc;

use hallows_abi::{
    Error, Handle, NO_DEADLINE, OnBudget, OnNotification, OnSpace, Rights, Transfer, TransferMode,
};
use hallows_kernel::{CellSpecification, Configuration, Rooted};
use hallows_sim::{Faults, Halt, Process, Response, Simulation};

use crate::lives::{OrKilled, Supervisor};
use crate::{MANY_STEPS, choices, each_seed, seen};

/// Whether a handle names a capability of the caller.
fn names(process: &mut Process<'_>, handle: Handle) -> Result<bool, Halt> {
    let found = process.operate(Handle::SELF, OnSpace::Identify { what: handle }, &[]);
    Ok(found.or_killed()?.is_ok())
}

fn moved(handle: Handle) -> Transfer {
    Transfer { handle, rights: Rights::ALL, mode: TransferMode::Move }
}

fn drop_all(process: &mut Process<'_>, kept: &mut Vec<Handle>) -> Result<(), Halt> {
    for handle in kept.drain(..) {
        process.operate(Handle::SELF, OnSpace::Delete { what: handle }, &[])?;
    }
    Ok(())
}

/// A passive server that keeps what it is given until its space is full.
fn passive(sim: &mut Simulation) -> Rooted {
    sim.reactor(|_| {
        let mut kept = Vec::new();
        Ok(Box::new(move |process, message| {
            process.check()?;
            kept.extend(message.handles.into_iter().filter(|handle| *handle != Handle::NULL));
            if message.bytes.is_empty() {
                drop_all(process, &mut kept)?;
            }
            Ok(Response::bytes([]))
        }))
    })
}

/// An active server that answers late, with a capability of its own: its caller may have given up.
fn active(sim: &mut Simulation) -> Rooted {
    sim.main(|process| {
        let mut kept = Vec::new();
        loop {
            let event = process.wait(NO_DEADLINE)?;
            kept.extend(event.handles.into_iter().filter(|handle| *handle != Handle::NULL));
            drop_all(process, &mut kept)?;
            let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[]).or_killed()?;
            let Ok(gift) = made else {
                assert_eq!(made, Err(Error::TableFull));
                continue;
            };
            let work = process.choose(2_000);
            process.compute(work)?;
            match process.answer(event.token, &[], &[moved(gift)]).or_killed()? {
                Ok(()) => {
                    seen("answer: moved", 1);
                    assert!(!names(process, gift)?, "an answer left its capability behind");
                }
                Err(Error::BadToken) => {
                    seen("answer: refused", 1);
                    assert!(names(process, gift)?, "a refused answer took its capability along");
                    kept.push(gift);
                }
                Err(error) => panic!("an answer failed with {error:?}"),
            }
        }
    })
}

/// Moves capabilities of its own to both, in all ways.
fn sender(rounds: u64) -> impl Fn(&mut Process<'_>) -> Result<(), Halt> {
    move |process| {
        let (passive, active) = (Handle(3), Handle(4));
        for _ in 0..rounds {
            let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[]).or_killed()?;
            let mine = match made {
                Ok(mine) => mine,
                // The server keeps all that there are.
                Err(Error::TableFull) => {
                    let _ = process.call(passive, &[], &[], NO_DEADLINE).or_killed()?;
                    continue;
                }
                Err(error) => panic!("no notification: {error:?}"),
            };
            let deadline = process.time_ns() + process.choose(3_000);
            let long = process.range(0, 4_096 + process.choose(2) as usize).map_err(Halt::from)?;
            let reply = process.range(4_096, 64).map_err(Halt::from)?;
            let way = process.choose(6);
            // Twice: the second time, one that is moved with it is named again and nothing may go.
            let twice = [moved(mine), Transfer { mode: TransferMode::Copy, ..moved(mine) }];
            let transfers = if process.choose(16) == 0 { &twice[..] } else { &twice[..1] };
            let result = match way {
                0 | 1 => process.call_ranges(passive, long, transfers, reply, deadline),
                2 => process.call(passive, &[1], transfers, NO_DEADLINE),
                3 => process.call(active, &[1], transfers, deadline),
                4 => process
                    .send(active, &[1], transfers, 0)
                    .map(|_| hallows_sim::Received { bytes: Vec::new(), handles: Vec::new() }),
                _ => process.call(active, &[1], &[moved(active)], NO_DEADLINE),
            }
            .or_killed()?;
            let is_passive = way < 3;
            let there = names(process, mine)?;
            assert!(names(process, active)?, "an endpoint went away with a message through itself");
            let error = result.as_ref().err().copied();
            let refused = match error {
                // Nothing was moved: the endpoint itself may not be.
                Some(Error::BadArgument) => true,
                None | Some(Error::ServerDied) => false,
                Some(
                    Error::Busy | Error::NotReady | Error::SpaceFull | Error::TooDeep | Error::TableFull,
                ) => true,
                // A passive server was not entered; an active one had the message.
                Some(Error::DeadlinePassed | Error::TooLong) => is_passive,
                Some(error) => panic!("a call failed with {error:?}"),
            };
            if way != 5 {
                assert_eq!(there, refused, "after {error:?} of way {way}");
            }
            if refused {
                let kind = if is_passive { "passive" } else { "active" };
                seen(&format!("{kind}: {:?}", error.unwrap_or(Error::Gone)), 1);
            }
            if there {
                // It works as before, and its slot is one that can be used again.
                process.operate(mine, OnNotification::Signal { bits: 1 }, &[])?;
                process.operate(Handle::SELF, OnSpace::Delete { what: mine }, &[])?;
                assert!(!names(process, mine)?);
            }
            for handle in result.map(|answer| answer.handles).unwrap_or_default() {
                process.operate(Handle::SELF, OnSpace::Delete { what: handle }, &[])?;
            }
            if process.choose(24) == 0 {
                let _ = process.call(passive, &[], &[], NO_DEADLINE).or_killed()?;
            }
            // What answers of sends have brought.
            loop {
                match process.wait(0).or_killed()? {
                    Ok(event) if event.kind == hallows_abi::EventKind::Answer => {
                        for handle in event.handles.iter().filter(|handle| **handle != Handle::NULL) {
                            process.operate(Handle::SELF, OnSpace::Delete { what: *handle }, &[])?;
                        }
                    }
                    Ok(_) | Err(Error::NothingToWaitFor) => break,
                    Err(error) => panic!("a look failed with {error:?}"),
                }
            }
        }
        Ok(())
    }
}

#[test]
fn a_refused_message_leaves_what_it_would_have_moved_under_its_handle() {
    each_seed(
        "a_refused_message_leaves_what_it_would_have_moved_under_its_handle",
        &[
            "passive: TooLong",
            "passive: TooDeep",
            "passive: SpaceFull",
            "passive: NotReady",
            "passive: DeadlinePassed",
            "passive: BadArgument",
            "active: Busy",
            "active: NotReady",
            "active: BadArgument",
            "answer: moved",
            "answer: refused",
        ],
        |seed| {
            let mut random = choices(seed);
            let rough = Faults::rough(&mut random).with_kills(random.below(3_000), 20);
            let faults = Faults { too_deep: random.below(100_000), ..rough };
            let cores = 1 + random.below(4) as u32;
            let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
            let mut supervisor = Supervisor::new(&mut sim);
            let (passive, active) = (passive(&mut sim), active(&mut sim));
            let priority = random.below(8) as u8;
            let small = CellSpecification {
                name: "passive",
                memory_bytes: 1 << 20,
                slots: 8,
                class: Default::default(),
                priority,
                passive: true,
                pinned: None,
                pool: 0,
                time: None,
            };
            let (first, first_root) = sim.cell_of(&passive, Some(&supervisor.endpoint), &small);
            let (second, second_root) =
                sim.cell("active", &active, Some(&supervisor.endpoint), false, priority);
            let (first_endpoint, second_endpoint) = (sim.passive(first), sim.active(second, 1));
            for (cell, root) in [(first, &first_root), (second, &second_root)] {
                supervisor.watch(&mut sim, cell, root);
                sim.victims.push(cell);
            }
            supervisor.start(&mut sim);
            sim.start(first);
            sim.start(second);
            let program = Rc::new(sender(5 + random.below(80)));
            let mut senders = Vec::new();
            for _ in 0..1 + random.below(3) {
                let program = Rc::clone(&program);
                let main = sim.main(move |process| program(process));
                let (cell, _) = sim.cell("sender", &main, None, false, random.below(8) as u8);
                sim.grant(cell, &first_endpoint);
                sim.grant(cell, &second_endpoint);
                sim.start(cell);
                senders.push(cell);
            }
            sim.run_until(MANY_STEPS, |sim| senders.iter().all(|cell| !sim.kernel.is_live(*cell))).unwrap();
            sim.calm();
            sim.run(MANY_STEPS).unwrap();
            assert!(!sim.log().iter().any(|line| line.contains("panicked")), "{:?}", sim.log());
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}
