//! Floods: who sends more than there is room for gets `Busy` at once, is told when there is room, and nobody else suffers.

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{Error, EventKind, Handle, NO_DEADLINE, OnBudget, OnEndpoint, OnNotification, Transfer};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Simulation};

use crate::lives::OrKilled;
use crate::{MANY_STEPS, SharedBooks, answer_to, choices, each_seed, seen};

#[test]
fn flooders_get_busy_and_are_told_of_room_until_all_is_sent() {
    each_seed(
        "flooders_get_busy_and_are_told_of_room_until_all_is_sent",
        &["busy", "told of room"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random);
            let cores = 1 + random.below(4) as u32;
            let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
            let books = SharedBooks::default();
            let known = Rc::clone(&books);
            // Some messages do not fit into the server's buffer: refusing them makes room as well.
            let server = sim.main(move |process| {
                loop {
                    let event = process.wait(NO_DEADLINE)?;
                    let id = known.borrow_mut().receive(&event.bytes);
                    let work = process.choose(600);
                    process.compute(work)?;
                    process.answer(event.token, &answer_to(id), &[])?;
                }
            });
            let (server, _) = sim.cell("server", &server, None, false, 3);
            let endpoint = sim.active(server, 1 + random.below(4) as u32);
            sim.start(server);
            let done = Rc::new(Cell::new(0));
            let flooders = 1 + random.below(3);
            for _ in 0..flooders {
                let (books, done, messages) = (Rc::clone(&books), Rc::clone(&done), 1 + random.below(20));
                let program = sim.main(move |process| {
                    let room = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
                    process.operate(room, OnNotification::Bind { badge: 77 }, &[])?;
                    process.operate(
                        Handle::SELF,
                        OnEndpoint::Watch { endpoint: Handle(3) },
                        &[Transfer::copy(room)],
                    )?;
                    let (mut sent, mut answered, mut blocked) = (0, 0, false);
                    while answered < messages {
                        if sent < messages && !blocked {
                            let id = books.borrow_mut().id();
                            // One in eight is longer than the server's buffer, and comes back with `TooLong`.
                            let long = process.choose(8) == 0;
                            let result = if long {
                                let range = process.range(0, 5_000)?;
                                process.send_range(Handle(3), range, &[], 8)
                            } else {
                                process.send(Handle(3), &id.to_le_bytes(), &[], 8)
                            };
                            match result.or_killed()? {
                                Ok(_) => sent += 1,
                                Err(Error::Busy) => {
                                    seen("busy", 1);
                                    blocked = true;
                                }
                                Err(error) => panic!("a send failed with {error:?}"),
                            }
                            continue;
                        }
                        let event = process.wait(NO_DEADLINE)?;
                        match event.kind {
                            EventKind::Answer => {
                                assert!(matches!(event.status, None | Some(Error::TooLong)), "{event:?}");
                                answered += 1;
                            }
                            EventKind::Notification => {
                                assert_eq!((event.badge, event.value & 1), (77, 1), "{event:?}");
                                seen("told of room", 1);
                                blocked = false;
                            }
                            kind => panic!("a flooder got {kind:?}"),
                        }
                    }
                    done.set(done.get() + 1);
                    Ok(())
                });
                let (cell, _) = sim.cell("flooder", &program, None, false, random.below(8) as u8);
                sim.grant(cell, &endpoint);
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            assert_eq!(done.get(), flooders, "a flooder waits for room that is there: {:?}", sim.log());
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}
