//! Every error of the interface, reached through the calls of programs: one test each, named by what leads to it.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::RefCell;
use std::rc::Rc;

use hallows_abi::{
    Access, Error, Handle, MAX_CHAIN, MAX_MESSAGE, MAX_TRANSFERS, NO_DEADLINE, NewCell, OnBudget, OnCell,
    OnEndpoint, OnNotification, OnObject, OnRegion, OnSpace, OnTimer, Reply, Rights, Running, Serving,
    TimeBudget, Transfer, TransferMode,
};
use hallows_kernel::{CellId, CellSpecification, Configuration, Rooted};
use hallows_sim::{Faults, Halt, Process, Response, Simulation};

const STEPS: u64 = 200_000;

/// A calm machine of one core.
fn machine() -> Simulation {
    Simulation::new(7, Configuration::tiny(1), Faults::CALM)
}

/// A cell that runs `main` with these grants (its handles 3, 4, …); not started.
fn cell(
    sim: &mut Simulation,
    grants: &[(&Rooted, Rights)],
    main: impl Fn(&mut Process<'_>) -> Result<(), Halt> + 'static,
) -> CellId {
    let program = sim.large_main(1 << 18, main);
    let (cell, _) = sim.cell("cell", &program, None, false, 3);
    for (what, rights) in grants {
        sim.grant_some(cell, what, *rights, 0);
    }
    cell
}

/// Runs `main` in a cell of its own and gives what it came to.
fn result_of<T: 'static>(
    sim: &mut Simulation,
    grants: &[(&Rooted, Rights)],
    main: impl Fn(&mut Process<'_>) -> T + 'static,
) -> T {
    let result = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&result);
    let cell = cell(sim, grants, move |process| {
        let value = main(process);
        *slot.borrow_mut() = Some(value);
        Ok(())
    });
    sim.start(cell);
    sim.run(STEPS).unwrap();
    let value = result.borrow_mut().take();
    value.unwrap_or_else(|| panic!("the program did not come to its end: {:?} {}", sim.log(), sim.picture()))
}

/// A passive server that answers with so many bytes.
fn passive(sim: &mut Simulation, answer: usize) -> (CellId, Rooted) {
    let program = sim.reactor(move |_| Ok(Box::new(move |_, _| Ok(Response::bytes(vec![1; answer])))));
    let (cell, _) = sim.cell("passive", &program, None, true, 3);
    let endpoint = sim.passive(cell);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    (cell, endpoint)
}

/// An active server that answers everything with so many bytes.
fn active(sim: &mut Simulation, limit: u32, answer: usize) -> (CellId, Rooted) {
    let program = sim.reactor(move |_| Ok(Box::new(move |_, _| Ok(Response::bytes(vec![1; answer])))));
    let (cell, _) = sim.cell("active", &program, None, false, 3);
    let endpoint = sim.active(cell, limit);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    (cell, endpoint)
}

/// An active server that receives and never answers.
fn silent(sim: &mut Simulation, limit: u32) -> (CellId, Rooted) {
    let program = sim.reactor(|_| Ok(Box::new(|_, _| Ok(Response::Deferred))));
    let (cell, _) = sim.cell("silent", &program, None, false, 3);
    let endpoint = sim.active(cell, limit);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    (cell, endpoint)
}

fn error_of(
    sim: &mut Simulation,
    grants: &[(&Rooted, Rights)],
    main: impl Fn(&mut Process<'_>) -> Result<(), Error> + 'static,
) -> Error {
    result_of(sim, grants, main).expect_err("the call succeeded")
}

#[test]
fn a_forged_or_deleted_handle_is_a_bad_handle() {
    let mut sim = machine();
    let (_, endpoint) = passive(&mut sim, 0);
    let errors = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
        let forged = [Handle::NULL, Handle(63), Handle(u32::MAX), Handle::new(3, 1), Handle::new(1 << 19, 0)]
            .map(|handle| process.call(handle, &[], &[], NO_DEADLINE).unwrap_err());
        process.operate(Handle::SELF, OnSpace::Delete { what: Handle(3) }, &[]).unwrap();
        (forged, process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap_err())
    });
    assert_eq!(errors, ([Error::BadHandle; 5], Error::BadHandle));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_message_whose_capability_is_revoked_before_its_answer_is_revoked() {
    let mut sim = machine();
    let (_, endpoint) = silent(&mut sim, 4);
    let caller = Rc::new(RefCell::new(None));
    let result = Rc::clone(&caller);
    let child = cell(&mut sim, &[], move |process| {
        let gift = process.wait(NO_DEADLINE)?;
        let answer = process.call(gift.handles[0], b"wait", &[], NO_DEADLINE);
        *result.borrow_mut() = Some(answer);
        Ok(())
    });
    let door = sim.active(child, 1);
    sim.start(child);
    let revoker = cell(&mut sim, &[(&endpoint, Rights::ALL), (&door, Rights::SEND)], |process| {
        process.send(Handle(4), &[], &[Transfer::copy(Handle(3))], 0)?;
        process.compute(100_000)?;
        process.operate(Handle::SELF, OnSpace::Revoke { what: Handle(3) }, &[])?;
        Ok(())
    });
    sim.start(revoker);
    sim.run(STEPS).unwrap();
    assert_eq!(caller.borrow_mut().take(), Some(Err(Error::Revoked)));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_capability_without_the_right_says_no_right() {
    let mut sim = machine();
    let (_, endpoint) = passive(&mut sim, 0);
    let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
    let grants = [(&endpoint, Rights::WATCH), (&notification, Rights::RECEIVE)];
    let errors = result_of(&mut sim, &grants, |process| {
        [
            process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap_err(),
            process.operate(Handle(4), OnNotification::Signal { bits: 1 }, &[]).unwrap_err(),
            process.operate(Handle(4), OnObject::Destroy, &[]).unwrap_err(),
            // To pass on what may not be passed on.
            process.call(Handle(3), &[], &[Transfer::copy(Handle(4))], NO_DEADLINE).unwrap_err(),
            // A cell's space and budget are its own for good.
            process.operate(Handle::SELF, OnSpace::Move { what: Handle(2) }, &[]).unwrap_err(),
            process.operate(Handle::SELF, OnSpace::Copy { what: Handle(1) }, &[]).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::NoRight; 6]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_cell_cannot_give_itself_or_its_budget_away() {
    let mut sim = machine();
    let (_, endpoint) = active(&mut sim, 4, 0);
    let errors = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
        let moved = Transfer { mode: TransferMode::Move, ..Transfer::copy(Handle::BUDGET) };
        [Transfer::copy(Handle::SELF), moved]
            .map(|transfer| process.call(Handle(3), &[], &[transfer], NO_DEADLINE).unwrap_err())
    });
    assert_eq!(errors, [Error::NoRight; 2]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_operation_of_another_kind_of_object_is_a_wrong_object() {
    let mut sim = machine();
    let (_, endpoint) = passive(&mut sim, 0);
    let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
    let grants = [(&endpoint, Rights::ALL), (&notification, Rights::ALL)];
    let errors = result_of(&mut sim, &grants, |process| {
        [
            process.operate(Handle(4), OnTimer::Arm { at_ns: 1, every_ns: 0, slack_ns: 0 }, &[]).unwrap_err(),
            process.operate(Handle::BUDGET, OnNotification::Signal { bits: 1 }, &[]).unwrap_err(),
            // A passive server has nobody who would run a sent message later.
            process.send(Handle(3), &[], &[], 0).unwrap_err(),
            process.send(Handle(4), &[], &[], 0).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::WrongObject; 4]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_capability_is_recognised_by_the_server_of_its_endpoint_and_nobody_else() {
    let recognise = |process: &mut Process<'_>, handle: Handle| {
        let reply = process.operate(Handle::SELF, OnEndpoint::Recognise { endpoint: handle }, &[]);
        reply.map(|(reply, _)| reply.number().unwrap())
    };
    let mut sim = machine();
    let (_, other) = passive(&mut sim, 0);
    let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
    let answers =
        result_of(&mut sim, &[(&other, Rights::ALL), (&notification, Rights::ALL)], move |process| {
            let own = process
                .make(
                    Handle::BUDGET,
                    OnBudget::CreateEndpoint { serving: Serving::Active { queue: 4 }, of_another: false },
                    &[],
                )
                .unwrap();
            let mint = |process: &mut Process<'_>, of: Handle| {
                process
                    .make(Handle::SELF, OnSpace::Mint { what: of, rights: Rights::NONE, badge: 7 }, &[])
                    .unwrap()
            };
            let (badged, look_alike) = (mint(process, own), mint(process, Handle(3)));
            let alive = [
                recognise(process, badged),
                recognise(process, own),
                // Of another server, with the badge of its choice.
                recognise(process, look_alike),
                recognise(process, Handle(4)),
                recognise(process, Handle::SELF),
                recognise(process, Handle::NULL),
                recognise(process, Handle::new(badged.index(), 1)),
                // It is asked of the caller's own space, and of no other object.
                process.operate(Handle::BUDGET, OnEndpoint::Recognise { endpoint: badged }, &[]).map(|_| 0),
            ];
            process.operate(Handle::SELF, OnSpace::Revoke { what: own }, &[]).unwrap();
            let revoked = recognise(process, badged);
            let again = mint(process, own);
            process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: own }, &[]).unwrap();
            (alive, revoked, recognise(process, again))
        });
    let (alive, revoked, destroyed) = answers;
    assert_eq!(
        alive,
        [
            Ok(7),
            Ok(0),
            Err(Error::NoRight),
            Err(Error::WrongObject),
            Err(Error::WrongObject),
            Err(Error::BadHandle),
            Err(Error::BadHandle),
            Err(Error::WrongObject),
        ]
    );
    assert_eq!((revoked, destroyed), (Err(Error::BadHandle), Err(Error::Gone)));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_handler_tells_its_own_capability_from_one_that_its_caller_made_to_look_like_it() {
    let mut sim = machine();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let program = sim.reactor(move |_| {
        let noted = Rc::clone(&noted);
        Ok(Box::new(move |process, message| {
            for handle in message.handles {
                let reply = process.operate(Handle::SELF, OnEndpoint::Recognise { endpoint: handle }, &[]);
                noted.borrow_mut().push(reply.map(|(reply, _)| reply.number().unwrap()));
            }
            Ok(Response::bytes([]))
        }))
    });
    for is_passive in [true, false] {
        let (server, _) = sim.cell("server", &program, None, is_passive, 3);
        let endpoint = if is_passive { sim.passive(server) } else { sim.active(server, 4) };
        sim.start(server);
        result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
            let mint = |process: &mut Process<'_>, of: Handle| {
                process
                    .make(Handle::SELF, OnSpace::Mint { what: of, rights: Rights::ALL, badge: 7 }, &[])
                    .unwrap()
            };
            let own = process
                .make(
                    Handle::BUDGET,
                    OnBudget::CreateEndpoint { serving: Serving::Active { queue: 4 }, of_another: false },
                    &[],
                )
                .unwrap();
            let gifts = [mint(process, Handle(3)), mint(process, own)].map(Transfer::copy);
            process.call(Handle(3), &[], &gifts, NO_DEADLINE).unwrap();
        });
        assert_eq!(seen.take(), [Ok(7), Err(Error::NoRight)], "passive: {is_passive}");
    }
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_number_that_is_no_operation_is_an_unknown_operation() {
    let mut sim = machine();
    let error = error_of(&mut sim, &[], |process| {
        process.call(Handle::SELF, &[0xff; 32], &[], NO_DEADLINE).map(|_| ())
    });
    assert_eq!(error, Error::UnknownOperation);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_argument_outside_of_what_an_operation_takes_is_a_bad_argument() {
    let mut sim = machine();
    let child = sim.main(|_| Ok(()));
    let errors = result_of(&mut sim, &[(&child, Rights::ALL)], |process| {
        let mut cell = |slots, time: Option<(u64, u64)>| {
            let program = [Transfer::copy(Handle(3))];
            let time = time.map(|(budget_us, period_us)| TimeBudget {
                budget_ns: 1_000 * budget_us,
                period_ns: 1_000 * period_us,
            });
            let new = NewCell {
                memory_bytes: 65_536,
                slots: Some(slots),
                priority: 0,
                running: Running::Active(time),
            };
            let create = OnBudget::CreateCell { with_faults: false, new };
            process.make(Handle::BUDGET, create, &program).unwrap_err()
        };
        // Slots; a priority that there is not is above the caller's as well. A time budget: without a period, without time, longer than its
        // period, with a period that no machine can keep.
        let cells = [
            cell(0, None),
            cell(7, None),
            cell(65_537, None),
            cell(8, Some((5, 0))),
            cell(8, Some((0, 1_000))),
            cell(8, Some((1_001, 1_000))),
            cell(8, Some((1, 1))),
        ];
        assert_eq!(cells, [Error::BadArgument; 7]);
        let passive = Serving::Passive { handler_budget_ns: Some(0) };
        [
            // Too short for a function's tag.
            process.call(Handle::SELF, &[0; 3], &[], NO_DEADLINE).map(|_| ()).unwrap_err(),
            process
                .operate(
                    Handle::BUDGET,
                    OnBudget::CreateEndpoint { serving: Serving::Active { queue: 0 }, of_another: false },
                    &[],
                )
                .unwrap_err(),
            process
                .operate(
                    Handle::BUDGET,
                    OnBudget::CreateEndpoint { serving: Serving::Active { queue: 4_097 }, of_another: false },
                    &[],
                )
                .unwrap_err(),
            process
                .operate(
                    Handle::BUDGET,
                    OnBudget::CreateEndpoint { serving: passive, of_another: false },
                    &[],
                )
                .unwrap_err(),
            process.operate(Handle::BUDGET, OnBudget::CreateRegion { bytes: 0 }, &[]).unwrap_err(),
            process.operate(Handle::BUDGET, OnBudget::CreateTimer { bits: 0 }, &[]).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::BadArgument; 6]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_range_outside_of_memory_is_a_bad_span() {
    let mut sim = machine();
    let errors = result_of(&mut sim, &[], |process| {
        let end = 1 << 18;
        [(0, end + 1), (end, 1), (usize::MAX, 1), (1, usize::MAX)]
            .map(|(offset, length)| process.range(offset, length).unwrap_err())
    });
    assert_eq!(errors, [Error::BadSpan; 4]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_message_that_is_longer_than_allowed_or_than_its_receivers_buffer_is_too_long() {
    let mut sim = machine();
    let (_, passive) = passive(&mut sim, 0);
    let (_, active) = active(&mut sim, 4, 0);
    let grants = [(&passive, Rights::ALL), (&active, Rights::ALL)];
    let errors = result_of(&mut sim, &grants, |process| {
        let reply = process.range(0, 0).unwrap();
        let huge = process.range(0, Process::too_long()).unwrap();
        let most = process.range(0, MAX_MESSAGE as usize).unwrap();
        let many = vec![Transfer::copy(Handle(3)); MAX_TRANSFERS as usize + 1];
        [
            process.call_ranges(Handle(3), huge, &[], reply, NO_DEADLINE).unwrap_err(),
            process.call_ranges(Handle(4), huge, &[], reply, NO_DEADLINE).unwrap_err(),
            process.send_range(Handle(4), huge, &[], 0).unwrap_err(),
            process.send(Handle(4), &[], &[], MAX_MESSAGE + 1).unwrap_err(),
            process.call(Handle(3), &[], &many, NO_DEADLINE).unwrap_err(),
            process.call(Handle(4), &[], &many, NO_DEADLINE).unwrap_err(),
            // As long as is allowed, but not by these servers.
            process.call_ranges(Handle(3), most, &[], reply, NO_DEADLINE).unwrap_err(),
            process.call_ranges(Handle(4), most, &[], reply, NO_DEADLINE).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::TooLong; 8]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_answer_that_is_longer_than_its_room_is_lost_with_its_capabilities() {
    let mut sim = machine();
    let giving = |_: &mut Process<'_>| -> Result<hallows_sim::Handler, Halt> {
        Ok(Box::new(|process, _| {
            let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
            Ok(Response::Answer(vec![1; 9], vec![Transfer::copy(made)]))
        }))
    };
    let program = sim.reactor(giving);
    let (passive_cell, _) = sim.cell("passive", &program, None, true, 3);
    let (active_cell, _) = sim.cell("active", &program, None, false, 3);
    let (passive, active) = (sim.passive(passive_cell), sim.active(active_cell, 4));
    sim.start(passive_cell);
    sim.start(active_cell);
    sim.run(STEPS).unwrap();
    let grants = [(&passive, Rights::ALL), (&active, Rights::ALL)];
    let (errors, event, next) = result_of(&mut sim, &grants, |process| {
        let (message, reply) = (process.range(0, 0).unwrap(), process.range(0, 8).unwrap());
        let errors = [
            process.call_ranges(Handle(3), message, &[], reply, NO_DEADLINE).unwrap_err(),
            process.call_ranges(Handle(4), message, &[], reply, NO_DEADLINE).unwrap_err(),
        ];
        process.send(Handle(4), &[], &[], 8).unwrap();
        let event = process.wait(NO_DEADLINE).unwrap();
        // Nothing came to lie in this cell's space: the next capability gets the first free slot.
        (errors, event, process.make(Handle::SELF, OnSpace::Copy { what: Handle(3) }, &[]).unwrap())
    });
    assert_eq!(errors, [Error::AnswerTooLong; 2]);
    assert_eq!((event.status, event.handles), (Some(Error::AnswerTooLong), Vec::new()));
    assert_eq!(next, Handle(5));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_full_queue_says_busy_at_once() {
    let mut sim = machine();
    let (_, endpoint) = silent(&mut sim, 2);
    let (times, error) = result_of(&mut sim, &[(&endpoint, Rights::SEND)], |process| {
        let mut times = 0;
        loop {
            match process.send(Handle(3), &[], &[], 0) {
                Ok(_) => times += 1,
                Err(error) => return (times, error),
            }
        }
    });
    assert_eq!((times, error), (2, Error::Busy));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_call_that_is_not_answered_in_time_says_deadline_passed() {
    let mut sim = machine();
    let (_, endpoint) = silent(&mut sim, 2);
    let (error, late_ns) = result_of(&mut sim, &[(&endpoint, Rights::SEND)], |process| {
        let deadline = process.time_ns() + 50_000;
        let error = process.call(Handle(3), &[], &[], deadline).unwrap_err();
        (error, process.time_ns() - deadline)
    });
    assert_eq!(error, Error::DeadlinePassed);
    assert!(late_ns < 10_000, "the deadline came {late_ns} ns late");
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_call_back_into_a_server_on_the_chain_is_a_deadlock() {
    let mut sim = machine();
    let ask_next = |_: &mut Process<'_>| -> Result<hallows_sim::Handler, Halt> {
        Ok(Box::new(|process, _| {
            let inner = process.call(Handle(3), &[], &[], NO_DEADLINE);
            Ok(Response::bytes(match inner {
                Ok(inner) => inner.bytes,
                Err(error) => vec![error.number()],
            }))
        }))
    };
    let program = sim.reactor(ask_next);
    let (first, _) = sim.cell("first", &program, None, true, 3);
    let (second, _) = sim.cell("second", &program, None, true, 3);
    let (to_first, to_second) = (sim.passive(first), sim.passive(second));
    sim.grant(first, &to_second);
    sim.grant(second, &to_first);
    sim.start(first);
    sim.start(second);
    sim.run(STEPS).unwrap();
    let answer = result_of(&mut sim, &[(&to_first, Rights::SEND)], |process| {
        process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap().bytes
    });
    assert_eq!(answer, [Error::Deadlock.number()]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_active_server_that_calls_itself_is_a_deadlock() {
    let mut sim = machine();
    let error = error_of(&mut sim, &[], |process| {
        let own = process.make(
            Handle::BUDGET,
            OnBudget::CreateEndpoint { serving: Serving::Active { queue: 4 }, of_another: false },
            &[],
        )?;
        process.call(own, &[], &[], NO_DEADLINE).map(|_| ())
    });
    assert_eq!(error, Error::Deadlock);
    sim.finish(STEPS).unwrap();
}

#[test]
fn one_server_more_than_the_longest_chain_is_too_deep() {
    let mut sim = machine();
    let mut next: Option<Rooted> = None;
    for _ in 0..=MAX_CHAIN {
        let last = next.is_none();
        let program = sim.reactor(move |_| {
            Ok(Box::new(move |process, _| {
                if last {
                    return Ok(Response::bytes([0]));
                }
                let bytes = match process.call(Handle(3), &[], &[], NO_DEADLINE) {
                    Ok(inner) => vec![inner.bytes[0] + 1, *inner.bytes.last().unwrap()],
                    Err(error) => vec![1, error.number()],
                };
                Ok(Response::bytes(bytes))
            }))
        });
        let (cell, _) = sim.cell("link", &program, None, true, 3);
        if let Some(next) = &next {
            sim.grant(cell, next);
        }
        next = Some(sim.passive(cell));
        sim.start(cell);
    }
    sim.run(STEPS).unwrap();
    let first = next.unwrap();
    let answer = result_of(&mut sim, &[(&first, Rights::SEND)], |process| {
        process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap().bytes
    });
    assert_eq!(answer, [MAX_CHAIN as u8, Error::TooDeep.number()]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_chain_of_derivations_ends_with_too_deep() {
    let mut sim = machine();
    let result = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&result);
    let program = sim.main(move |process| {
        let mut last = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        let mut derivations = 0;
        let error = loop {
            match process.make(Handle::SELF, OnSpace::Copy { what: last }, &[]) {
                Ok(copy) => last = copy,
                Err(error) => break error,
            }
            derivations += 1;
        };
        *slot.borrow_mut() = Some((derivations, error));
        Ok(())
    });
    let specification = CellSpecification {
        name: "deriver",
        memory_bytes: 1 << 20,
        slots: 128,
        class: Default::default(),
        priority: 3,
        passive: false,
        pinned: None,
        pool: 0,
        time: None,
    };
    let (cell, _) = sim.cell_of(&program, None, &specification);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    assert_eq!(*result.borrow(), Some((64, Error::TooDeep)));
    sim.finish(STEPS).unwrap();
}

#[test]
fn the_callers_of_a_server_that_dies_are_told_server_died() {
    let mut sim = machine();
    let faulty = |_: &mut Process<'_>| -> Result<hallows_sim::Handler, Halt> {
        Ok(Box::new(|_, _| Err(Halt::Fault(hallows_abi::FaultKind::Unreachable))))
    };
    let program = sim.reactor(faulty);
    let (passive_cell, _) = sim.cell("passive", &program, None, true, 3);
    let (active_cell, _) = sim.cell("active", &program, None, false, 3);
    let (passive, active) = (sim.passive(passive_cell), sim.active(active_cell, 4));
    sim.start(passive_cell);
    sim.start(active_cell);
    sim.run(STEPS).unwrap();
    let grants = [(&passive, Rights::SEND), (&active, Rights::SEND)];
    let errors = result_of(&mut sim, &grants, |process| {
        [Handle(3), Handle(4)].map(|server| process.call(server, &[], &[], NO_DEADLINE).unwrap_err())
    });
    assert_eq!(errors, [Error::ServerDied; 2]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn what_names_a_destroyed_object_is_gone() {
    let mut sim = machine();
    let (_, endpoint) = active(&mut sim, 4, 0);
    let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
    let grants = [(&endpoint, Rights::ALL), (&notification, Rights::ALL)];
    let errors = result_of(&mut sim, &grants, |process| {
        // An endpoint is named by its handle: what is sent to it goes to its server.
        process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: Handle(3) }, &[]).unwrap();
        process.operate(Handle(4), OnObject::Destroy, &[]).unwrap();
        [
            process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap_err(),
            process.send(Handle(3), &[], &[], 0).unwrap_err(),
            process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: Handle(3) }, &[]).unwrap_err(),
            process.operate(Handle(4), OnNotification::Signal { bits: 1 }, &[]).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::Gone; 4]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn every_call_of_a_cell_that_ends_says_killed() {
    let mut sim = machine();
    let (_, endpoint) = active(&mut sim, 4, 0);
    let errors = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
        [
            process.operate(Handle::SELF, OnSpace::Exit { status: 0 }, &[]).map(|_| ()).unwrap_err(),
            process.call(Handle(3), &[], &[], NO_DEADLINE).map(|_| ()).unwrap_err(),
            process.send(Handle(3), &[], &[], 0).map(|_| ()).unwrap_err(),
            process.wait(NO_DEADLINE).map(|_| ()).unwrap_err(),
            process.answer(0, &[], &[]).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::Killed; 5]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_answer_to_nothing_or_a_second_one_is_a_bad_token() {
    let mut sim = machine();
    let errors = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&errors);
    let server = cell(&mut sim, &[], move |process| {
        for token in [0, 1, u64::MAX, 1 << 32] {
            noted.borrow_mut().push(process.answer(token, &[], &[]));
        }
        let message = process.wait(NO_DEADLINE)?;
        noted.borrow_mut().push(process.answer(message.token, &[], &[]));
        noted.borrow_mut().push(process.answer(message.token, &[], &[]));
        Ok(())
    });
    let endpoint = sim.active(server, 1);
    sim.start(server);
    let answered = result_of(&mut sim, &[(&endpoint, Rights::SEND)], |process| {
        process.call(Handle(3), &[], &[], NO_DEADLINE).is_ok()
    });
    assert!(answered);
    let bad = Err(Error::BadToken);
    assert_eq!(*errors.borrow(), [bad, bad, bad, bad, Ok(()), bad]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_space_without_a_free_slot_is_full() {
    let mut sim = machine();
    let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
    let (_, endpoint) = active(&mut sim, 4, 0);
    let grants = [(&notification, Rights::ALL), (&endpoint, Rights::ALL)];
    let (copies, error, made) = result_of(&mut sim, &grants, |process| {
        let mut copies = 0;
        loop {
            match process.make(Handle::SELF, OnSpace::Copy { what: Handle(3) }, &[]) {
                Ok(_) => copies += 1,
                Err(error) => {
                    let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[]);
                    return (copies, error, made);
                }
            }
        }
    });
    // 64 slots without slot 0, itself, its budget and two grants.
    assert_eq!((copies, error, made), (59, Error::SpaceFull, Err(Error::SpaceFull)));
    assert_eq!(sim.kernel.usage().notifications, 1, "the object that found no slot lives on");
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_server_whose_space_is_full_refuses_capabilities_and_keeps_none() {
    let mut sim = machine();
    let program = sim.reactor(|process| {
        let one = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        while process.make(Handle::SELF, OnSpace::Copy { what: one }, &[]).is_ok() {}
        // Room for one.
        process.operate(Handle::SELF, OnSpace::Delete { what: one }, &[])?;
        Ok(Box::new(|_, message| Ok(Response::bytes([message.handles.len() as u8]))))
    });
    let (cell, _) = sim.cell("full", &program, None, true, 3);
    let endpoint = sim.passive(cell);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    let results = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
        let two = [Transfer::copy(Handle(3)); 2];
        [
            process.call(Handle(3), &[], &two, NO_DEADLINE).map(|answer| answer.bytes),
            process.call(Handle(3), &[], &two, NO_DEADLINE).map(|answer| answer.bytes),
            process.call(Handle(3), &[], &two[..1], NO_DEADLINE).map(|answer| answer.bytes),
        ]
    });
    assert_eq!(results, [Err(Error::SpaceFull), Err(Error::SpaceFull), Ok(vec![1])]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_answer_whose_capabilities_find_no_slot_is_too_long_and_keeps_none() {
    for is_passive in [true, false] {
        let mut sim = machine();
        let give = |process: &mut Process<'_>| {
            let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
            Ok::<_, Halt>(Transfer { mode: TransferMode::Move, ..Transfer::copy(made) })
        };
        let program = if is_passive {
            sim.reactor(move |_| {
                Ok(Box::new(move |process, _| Ok(Response::Answer(vec![1], vec![give(process)?]))))
            })
        } else {
            sim.main(move |process| {
                loop {
                    let message = process.wait(NO_DEADLINE)?;
                    let gift = give(process)?;
                    process.answer(message.token, &[1], &[gift])?;
                }
            })
        };
        let (server, _) = sim.cell("giver", &program, None, is_passive, 3);
        let endpoint = if is_passive { sim.passive(server) } else { sim.active(server, 1) };
        sim.start(server);
        sim.run(STEPS).unwrap();
        let results = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
            let copy = process.make(Handle::SELF, OnSpace::Copy { what: Handle(3) }, &[]).unwrap();
            while process.make(Handle::SELF, OnSpace::Copy { what: Handle(3) }, &[]).is_ok() {}
            let full = process.call(Handle(3), &[], &[], NO_DEADLINE).map(|answer| answer.handles.len());
            process.operate(Handle::SELF, OnSpace::Delete { what: copy }, &[]).unwrap();
            process.take_at_most(0);
            let unnamed = process.call(Handle(3), &[], &[], NO_DEADLINE).map(|answer| answer.handles.len());
            process.take_at_most(1);
            let fits = process.call(Handle(3), &[], &[], NO_DEADLINE).map(|answer| answer.handles.len());
            let full_again = process.make(Handle::SELF, OnSpace::Copy { what: Handle(3) }, &[]).map(|_| ());
            (full, unnamed, fits, full_again)
        });
        let lost = Err(Error::AnswerTooLong);
        assert_eq!(results, (lost, lost, Ok(1), Err(Error::SpaceFull)), "passive: {is_passive}");
        assert_eq!(sim.kernel.usage().notifications, 0, "a lost answer's capability lives on");
        sim.finish(STEPS).unwrap();
    }
}

#[test]
fn a_message_with_more_capabilities_than_its_receiver_takes_is_too_long_and_not_seen() {
    let mut sim = machine();
    let server = cell(&mut sim, &[], |process| {
        process.take_at_most(1);
        loop {
            let message = process.wait(NO_DEADLINE)?;
            let taken = message.handles.len() as u8;
            let mut copies = 0;
            while process.make(Handle::SELF, OnSpace::Copy { what: Handle(2) }, &[]).is_ok() {
                copies += 1;
            }
            process.answer(message.token, &[taken, copies], &[])?;
        }
    });
    let endpoint = sim.active(server, 1);
    sim.start(server);
    let results = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
        let two = [Transfer::copy(Handle(3)); 2];
        [
            process.call(Handle(3), &[], &two, NO_DEADLINE).map(|answer| answer.bytes),
            process.call(Handle(3), &[], &two[..1], NO_DEADLINE).map(|answer| answer.bytes),
        ]
    });
    // 64 slots without slot 0, itself, its budget and the one that it can name.
    assert_eq!(results, [Err(Error::TooLong), Ok(vec![1, 60])]);
    assert_eq!(sim.kernel.usage().held, 0);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_revoked_region_leaves_memories_also_when_its_capability_was_moved_or_deleted_since() {
    for moves in [true, false] {
        let mut sim = machine();
        let seen = Rc::new(RefCell::new(Vec::new()));
        let noted = Rc::clone(&seen);
        let mapper = cell(&mut sim, &[], move |process| {
            let message = process.wait(NO_DEADLINE)?;
            let region = message.handles[0];
            process.operate(region, OnRegion::Map { address: 12_288, access: Access::ReadWrite }, &[])?;
            let (moved, deleted) = (OnSpace::Move { what: region }, OnSpace::Delete { what: region });
            process.operate(Handle::SELF, if moves { moved } else { deleted }, &[])?;
            let byte = process.range(12_288, 1)?;
            noted.borrow_mut().extend(process.taken(byte));
            process.answer(message.token, &[], &[])?;
            let message = process.wait(NO_DEADLINE)?;
            noted.borrow_mut().extend(process.taken(byte));
            process.answer(message.token, &[], &[])?;
            Ok(())
        });
        let endpoint = sim.active(mapper, 1);
        sim.start(mapper);
        result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
            let region = process.make(Handle::BUDGET, OnBudget::CreateRegion { bytes: 4_096 }, &[]).unwrap();
            process
                .operate(region, OnRegion::Map { address: 12_288, access: Access::ReadWrite }, &[])
                .unwrap();
            process.store(12_288, &[7]).unwrap();
            process.call(Handle(3), &[], &[Transfer::copy(region)], NO_DEADLINE).unwrap();
            process.operate(Handle::SELF, OnSpace::Revoke { what: region }, &[]).unwrap();
            process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap();
        });
        assert_eq!(*seen.borrow(), [7, 0], "moved: {moves}");
        sim.finish(STEPS).unwrap();
    }
}

#[test]
fn a_budget_without_bytes_is_exhausted() {
    let mut sim = machine();
    let (_, endpoint) = silent(&mut sim, 4);
    let (errors, used) = result_of(&mut sim, &[(&endpoint, Rights::ALL)], |process| {
        let query = |process: &mut Process<'_>| match process.operate(Handle::BUDGET, OnBudget::Query, &[]) {
            Ok((Reply::Account(account), _)) => account,
            other => panic!("no account: {other:?}"),
        };
        let before = query(process);
        let rest = before.total_bytes - before.used_bytes;
        let errors = [
            process.make(Handle::BUDGET, OnBudget::Split { bytes: rest }, &[]).unwrap_err(),
            process.make(Handle::BUDGET, OnBudget::CreateRegion { bytes: rest }, &[]).unwrap_err(),
        ];
        let small = process.make(Handle::BUDGET, OnBudget::Split { bytes: 300 }, &[]).unwrap();
        process.make(small, OnBudget::CreateNotification, &[]).unwrap();
        let third = process.make(small, OnBudget::CreateNotification, &[]).unwrap_err();
        let after = query(process);
        ([errors[0], errors[1], third], after.used_bytes - before.used_bytes)
    });
    assert_eq!(errors, [Error::BudgetExhausted; 3]);
    assert_eq!(used, 300 + hallows_kernel::OBJECT_BYTES, "a failed operation has kept memory");
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_kernel_without_a_free_record_says_table_full() {
    let configuration = Configuration { objects: 18, ..Configuration::tiny(1) };
    let mut sim = Simulation::new(7, configuration, Faults::CALM);
    let (made, error) = result_of(&mut sim, &[], |process| {
        let mut made = 0;
        loop {
            match process.make(Handle::BUDGET, OnBudget::CreateNotification, &[]) {
                Ok(_) => made += 1,
                Err(error) => return (made, error),
            }
        }
    });
    assert_eq!((made, error), (18, Error::TableFull));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_message_for_whose_capabilities_there_is_no_room_on_the_way_changes_nothing() {
    // An eighth of the slots is for capabilities on their way.
    let configuration = Configuration { slots: 256, ..Configuration::tiny(1) };
    let mut sim = Simulation::new(7, configuration, Faults::CALM);
    let (_, silent_endpoint) = {
        // It receives nothing: its thread is busy for ever, so what is sent to it stays on its way.
        let program = sim.main(|process| {
            loop {
                process.compute(1_000)?;
            }
        });
        let (cell, _) = sim.cell("deaf", &program, None, false, 0);
        let endpoint = sim.active(cell, 16);
        sim.start(cell);
        (cell, endpoint)
    };
    let result = Rc::new(RefCell::new(None));
    let slot = Rc::clone(&result);
    let sender = cell(&mut sim, &[(&silent_endpoint, Rights::ALL)], move |process| {
        let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        let eight = [Transfer::copy(made); 8];
        let mut sent = 0;
        let error = loop {
            match process.send(Handle(3), &[], &eight, 0) {
                Ok(_) => sent += 1,
                Err(error) => break error,
            }
        };
        // A move that fails leaves the capability where it is.
        let own = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        let moved = Transfer { mode: TransferMode::Move, ..Transfer::copy(own) };
        let mut transfers = vec![moved];
        transfers.extend([Transfer::copy(made); 7]);
        let second = process.send(Handle(3), &[], &transfers, 0);
        let still = process.operate(own, OnNotification::Poll, &[]).is_ok();
        *slot.borrow_mut() = Some((sent, error, second, still));
        Ok(())
    });
    sim.start(sender);
    sim.run_until(STEPS, |_| result.borrow().is_some()).unwrap();
    assert_eq!(result.borrow_mut().take(), Some((4, Error::TableFull, Err(Error::TableFull), true)));
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_passive_handler_may_not_wait_send_or_call_active_servers() {
    let mut sim = machine();
    let (_, active) = active(&mut sim, 4, 0);
    let errors = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&errors);
    let program = sim.reactor(move |_| {
        let noted = Rc::clone(&noted);
        Ok(Box::new(move |process: &mut Process<'_>, _| {
            let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
            noted.borrow_mut().extend([
                process.wait(NO_DEADLINE).map(|_| ()).unwrap_err(),
                process.wait(0).map(|_| ()).unwrap_err(),
                process.call(Handle(3), &[], &[], NO_DEADLINE).map(|_| ()).unwrap_err(),
                process.send(Handle(3), &[], &[], 0).map(|_| ()).unwrap_err(),
                process.operate(bell, OnNotification::Bind { badge: 0 }, &[]).map(|_| ()).unwrap_err(),
            ]);
            Ok(Response::bytes([]))
        }))
    });
    let (cell, _) = sim.cell("passive", &program, None, true, 3);
    let endpoint = sim.passive(cell);
    sim.grant(cell, &active);
    sim.start(cell);
    sim.run(STEPS).unwrap();
    result_of(&mut sim, &[(&endpoint, Rights::SEND)], |process| {
        process.call(Handle(3), &[], &[], NO_DEADLINE).unwrap()
    });
    assert_eq!(*errors.borrow(), [Error::NotInHandler; 5]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_wait_that_could_never_end_says_so() {
    let mut sim = machine();
    let error = error_of(&mut sim, &[], |process| process.wait(NO_DEADLINE).map(|_| ()));
    assert_eq!(error, Error::NothingToWaitFor);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_wait_ends_when_the_last_thing_it_could_wait_for_is_destroyed() {
    let mut sim = machine();
    let results = Rc::new(RefCell::new(Vec::new()));
    let mut destroyed = Vec::new();
    for kind in 0..2 {
        let noted = Rc::clone(&results);
        let waiter = cell(&mut sim, &[], move |process| {
            if kind == 1 {
                process.operate(Handle(3), OnNotification::Bind { badge: 0 }, &[])?;
            }
            let result = process.wait(NO_DEADLINE).map(|_| ());
            noted.borrow_mut().push(result);
            Ok(())
        });
        let object = if kind == 0 {
            sim.active(waiter, 1)
        } else {
            let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
            sim.grant(waiter, &notification);
            notification
        };
        sim.start(waiter);
        destroyed.push(object);
    }
    sim.run(STEPS).unwrap();
    assert_eq!(results.borrow().len(), 0);
    let grants = [(&destroyed[0], Rights::ALL), (&destroyed[1], Rights::ALL)];
    result_of(&mut sim, &grants, |process| {
        process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: Handle(3) }, &[]).unwrap();
        process.operate(Handle(4), OnObject::Destroy, &[]).unwrap();
    });
    assert_eq!(*results.borrow(), [Err(Error::NothingToWaitFor); 2]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_cell_that_is_not_as_an_operation_needs_it_says_bad_state() {
    let mut sim = machine();
    let child = sim.main(|process| {
        process.compute(1_000_000)?;
        Ok(())
    });
    let errors = result_of(&mut sim, &[(&child, Rights::ALL)], |process| {
        let running = Running::Active(None);
        let new = NewCell { memory_bytes: 65_536, slots: None, priority: 0, running };
        let create = OnBudget::CreateCell { with_faults: false, new };
        let child = process.make(Handle::BUDGET, create, &[Transfer::copy(Handle(3))]).unwrap();
        let early = process.operate(child, OnCell::Restart, &[]).map(|_| ()).unwrap_err();
        process.operate(child, OnCell::Start { length: 0 }, &[]).unwrap();
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[]).unwrap();
        process.operate(bell, OnNotification::Bind { badge: 0 }, &[]).unwrap();
        [
            early,
            process.operate(child, OnCell::Start { length: 0 }, &[]).map(|_| ()).unwrap_err(),
            process
                .operate(child, OnCell::Grant { rights: Rights::ALL, badge: 0 }, &[Transfer::copy(bell)])
                .map(|_| ())
                .unwrap_err(),
            process.operate(bell, OnNotification::Bind { badge: 0 }, &[]).map(|_| ()).unwrap_err(),
            // An active cell serves no passive endpoint.
            process
                .operate(
                    Handle::BUDGET,
                    OnBudget::CreateEndpoint {
                        serving: Serving::Passive { handler_budget_ns: None },
                        of_another: false,
                    },
                    &[],
                )
                .map(|_| ())
                .unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::BadState; 5]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_server_that_was_not_started_is_not_ready() {
    let mut sim = machine();
    let program = sim.reactor(|_| Ok(Box::new(|_, _| Ok(Response::Deferred))));
    let (passive_cell, _) = sim.cell("passive", &program, None, true, 3);
    let (active_cell, _) = sim.cell("active", &program, None, false, 3);
    let (passive, active) = (sim.passive(passive_cell), sim.active(active_cell, 4));
    let grants = [(&passive, Rights::SEND), (&active, Rights::SEND)];
    let errors = result_of(&mut sim, &grants, |process| {
        [
            process.call(Handle(3), &[], &[], NO_DEADLINE).map(|_| ()).unwrap_err(),
            process.call(Handle(4), &[], &[], NO_DEADLINE).map(|_| ()).unwrap_err(),
            process.send(Handle(4), &[], &[], 0).map(|_| ()).unwrap_err(),
        ]
    });
    assert_eq!(errors, [Error::NotReady; 3]);
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_endpoint_is_given_only_by_who_manages_both_to_a_server_that_can_serve_it() {
    let mut sim = machine();
    let (_, endpoint) = active(&mut sim, 4, 1);
    let reactor = sim.reactor(|_| Ok(Box::new(|_, _| Ok(Response::bytes([])))));
    let mut server = |passive, started| {
        let (cell, rooted) = sim.cell("server", &reactor, None, passive, 3);
        // Of its own, to wait for.
        let own = if passive { sim.passive(cell) } else { sim.active(cell, 1) };
        if started {
            sim.start(cell);
        }
        (rooted, own)
    };
    let (running, other) = server(false, true);
    let (stopped, _) = server(false, false);
    let (passive, _) = server(true, true);
    sim.run(STEPS).unwrap();
    let all = Rights::ALL;
    let grants = [
        (&endpoint, Rights::SEND),
        (&endpoint, all),
        (&running, Rights::SEND),
        (&running, all),
        (&stopped, all),
        (&passive, all),
        (&other, all),
    ];
    let results = result_of(&mut sim, &grants, |process| {
        let mut give = |endpoint, server| {
            let given = process.operate(
                Handle::SELF,
                OnEndpoint::Reassign { endpoint: Handle(endpoint), to_another: true },
                &[Transfer::copy(Handle(server))],
            );
            given.map(|(reply, _)| reply.number().unwrap())
        };
        let results =
            [give(3, 6), give(4, 5), give(6, 6), give(4, 7), give(4, 8), give(4, 3), give(4, 6), give(4, 6)];
        process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: Handle(9) }, &[]).unwrap();
        let gone = process
            .operate(
                Handle::SELF,
                OnEndpoint::Reassign { endpoint: Handle(9), to_another: true },
                &[Transfer::copy(Handle(6))],
            )
            .map(|_| ());
        (results, gone)
    });
    let errors = [
        Err(Error::NoRight),
        Err(Error::NoRight),
        Err(Error::WrongObject),
        Err(Error::NotReady),
        Err(Error::BadState),
        Err(Error::WrongObject),
        Ok(0),
        Ok(0),
    ];
    assert_eq!(results, (errors, Err(Error::Gone)));
    sim.finish(STEPS).unwrap();
}

#[test]
fn what_a_former_server_has_it_answers_and_what_comes_later_the_next_one() {
    let mut sim = machine();
    let server = |sim: &mut Simulation, name: u8, waits: bool| {
        let program = sim.main(move |process| {
            let mut kept = Vec::new();
            loop {
                match process.wait(NO_DEADLINE) {
                    Ok(event) => kept.push(event.token),
                    // It serves nothing any more: the time to answer, and to go.
                    Err(Error::NothingToWaitFor) => break,
                    Err(error) => return Err(error.into()),
                }
                if !waits {
                    process.answer(kept.remove(0), &[name], &[])?;
                }
            }
            for token in kept {
                process.answer(token, &[name], &[])?;
            }
            Ok(())
        });
        sim.cell("server", &program, None, false, 3)
    };
    let (old, _) = server(&mut sim, 1, true);
    let (new, rooted) = server(&mut sim, 2, false);
    let endpoint = sim.active(old, 4);
    sim.active(new, 1);
    sim.start(old);
    sim.start(new);
    sim.run(STEPS).unwrap();
    let grants = [(&endpoint, Rights::ALL), (&rooted, Rights::ALL)];
    let answers = result_of(&mut sim, &grants, |process| {
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[]).unwrap();
        process
            .operate(Handle::SELF, OnEndpoint::Watch { endpoint: Handle(3) }, &[Transfer::copy(bell)])
            .unwrap();
        let mut sent = vec![process.send(Handle(3), &[1], &[], 8).unwrap()];
        process.compute(5_000).unwrap();
        sent.push(process.send(Handle(3), &[2], &[], 8).unwrap());
        let give = [Transfer::copy(Handle(4))];
        let (left, _) = process
            .operate(Handle::SELF, OnEndpoint::Reassign { endpoint: Handle(3), to_another: true }, &give)
            .unwrap();
        assert_eq!(left, Reply::Number(2), "one is received and one waits");
        let (told, _) = process.operate(bell, OnNotification::Poll, &[]).unwrap();
        assert_eq!(told, Reply::Number(4), "whoever watches is told");
        sent.push(process.send(Handle(3), &[3], &[], 8).unwrap());
        let mut answers = vec![0; 3];
        for _ in 0..3 {
            let event = process.wait(NO_DEADLINE).unwrap();
            assert_eq!(event.status, None);
            let place = sent.iter().position(|token| *token == event.token).unwrap();
            answers[place] = event.bytes[0];
        }
        let (left, _) = process
            .operate(Handle::SELF, OnEndpoint::Reassign { endpoint: Handle(3), to_another: true }, &give)
            .unwrap();
        assert_eq!(left, Reply::Number(0), "all are answered");
        answers
    });
    assert_eq!(answers, [1, 1, 2]);
    assert!(!sim.kernel.is_live(old), "it serves nothing any more, and has ended");
    sim.finish(STEPS).unwrap();
}

#[test]
fn an_endpoint_with_too_many_former_servers_that_owe_answers_is_not_given_on() {
    let configuration = Configuration { slots: 2_048, ..Configuration::tiny(1) };
    let mut sim = Simulation::new(7, configuration, Faults::CALM);
    let (_, endpoint) = silent(&mut sim, 4);
    let servers: Vec<Rooted> = (0..9)
        .map(|_| {
            let program = sim.reactor(|_| Ok(Box::new(|_, _| Ok(Response::Deferred))));
            let (cell, rooted) = sim.cell("silent", &program, None, false, 3);
            sim.start(cell);
            rooted
        })
        .collect();
    sim.run(STEPS).unwrap();
    let grants: Vec<_> = [&endpoint].into_iter().chain(&servers).map(|what| (what, Rights::ALL)).collect();
    let given = result_of(&mut sim, &grants, |process| {
        let mut given = Vec::new();
        for server in 4..13 {
            process.send(Handle(3), &[1], &[], 8).unwrap();
            let transfers = [Transfer::copy(Handle(server))];
            given.push(
                process
                    .operate(
                        Handle::SELF,
                        OnEndpoint::Reassign { endpoint: Handle(3), to_another: true },
                        &transfers,
                    )
                    .map(|(reply, _)| reply.number().unwrap()),
            );
        }
        // Errors for what all of them have.
        process.operate(Handle::SELF, OnEndpoint::Destroy { endpoint: Handle(3) }, &[]).unwrap();
        for _ in 0..9 {
            assert_eq!(process.wait(0).unwrap().status, Some(Error::Gone));
        }
        given
    });
    let expected: Vec<_> = (1..=8).map(Ok).chain([Err(Error::Busy)]).collect();
    assert_eq!(given, expected);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_machine_without_aliased_pages_does_not_support_regions() {
    let mut sim = machine();
    sim.forbid_regions();
    let error = error_of(&mut sim, &[], |process| {
        process.make(Handle::BUDGET, OnBudget::CreateRegion { bytes: 1 }, &[]).map(|_| ())
    });
    assert_eq!(error, Error::Unsupported);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_region_is_shared_while_mapped_and_zeroes_after_its_revocation() {
    let mut sim = machine();
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let reader = cell(&mut sim, &[], move |process| {
        let gift = process.wait(NO_DEADLINE)?;
        let at = 1 << 16;
        process.operate(gift.handles[0], OnRegion::Map { address: at, access: Access::Read }, &[])?;
        let window = process.range(at as usize, 4)?;
        noted.borrow_mut().push(process.taken(window));
        // It was given for reading only.
        assert_eq!(process.store(at as usize, b"mine"), Ok(false));
        let error = process
            .operate(gift.handles[0], OnRegion::Map { address: 2 * at, access: Access::ReadWrite }, &[])
            .unwrap_err();
        assert_eq!(error, Error::NoRight);
        process.answer(gift.token, &[], &[])?;
        process.wait(NO_DEADLINE)?;
        noted.borrow_mut().push(process.taken(window));
        Ok(())
    });
    let door = sim.active(reader, 2);
    sim.start(reader);
    result_of(&mut sim, &[(&door, Rights::SEND)], |process| {
        let region = process.make(Handle::BUDGET, OnBudget::CreateRegion { bytes: 5_000 }, &[]).unwrap();
        let at = 1 << 17;
        process.operate(region, OnRegion::Map { address: at, access: Access::ReadWrite }, &[]).unwrap();
        assert_eq!(process.operate(region, OnRegion::Size, &[]).unwrap().0, Reply::Number(8_192));
        assert_eq!(process.store(at as usize, b"ours"), Ok(true));
        let rights = Rights::READ | Rights::TRANSFER;
        let transfer = Transfer { rights, ..Transfer::copy(region) };
        process.call(Handle(3), &[], &[transfer], NO_DEADLINE).unwrap();
        process.operate(Handle::SELF, OnSpace::Revoke { what: region }, &[]).unwrap();
        process.send(Handle(3), &[], &[], 0).unwrap();
    });
    assert_eq!(*seen.borrow(), [b"ours".to_vec(), vec![0; 4]]);
    sim.finish(STEPS).unwrap();
}
