//! Timers, notifications and deadlines: nothing comes too early, nothing is lost, however late the timekeeper is.

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{EventKind, Handle, NO_DEADLINE, OnBudget, OnNotification, OnTimer, Transfer};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Simulation};

use crate::{MANY_STEPS, choices, each_seed, seen};

#[test]
fn timers_fire_when_they_are_due_and_deadlines_end_waits() {
    each_seed(
        "timers_fire_when_they_are_due_and_deadlines_end_waits",
        &["timer", "deadline", "disarmed"],
        |seed| {
            let mut random = choices(seed);
            let faults = Faults::rough(&mut random);
            let cores = 1 + random.below(3) as u32;
            let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
            let done = Rc::new(Cell::new(0));
            let sleepers = 1 + random.below(5);
            for _ in 0..sleepers {
                let (done, rounds) = (Rc::clone(&done), 1 + random.below(10));
                let program = sim.main(move |process| {
                    let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
                    process.operate(bell, OnNotification::Bind { badge: 5 }, &[])?;
                    let timer = process.make(
                        Handle::BUDGET,
                        OnBudget::CreateTimer { bits: 9 },
                        &[Transfer::copy(bell)],
                    )?;
                    for _ in 0..rounds {
                        let now = process.time_ns();
                        let at = now + process.choose(40_000);
                        let period = if process.choose(3) == 0 { 1 + process.choose(5_000) } else { 0 };
                        let slack_ns = if process.choose(2) == 0 { process.choose(20_000) } else { 0 };
                        process.operate(
                            timer,
                            OnTimer::Arm { at_ns: at, every_ns: period, slack_ns },
                            &[],
                        )?;
                        let deadline = match process.choose(3) {
                            0 => now + process.choose(40_000),
                            _ => NO_DEADLINE,
                        };
                        let event = process.wait(deadline)?;
                        match event.kind {
                            EventKind::Notification => {
                                assert_eq!((event.badge, event.value), (5, 9));
                                assert!(process.time_ns() >= at, "a timer fired too early");
                                seen("timer", 1);
                            }
                            EventKind::Deadline => {
                                assert!(process.time_ns() >= deadline, "a deadline came too early");
                                seen("deadline", 1);
                            }
                            kind => panic!("a sleeper got {kind:?}"),
                        }
                        process.operate(timer, OnTimer::Disarm, &[])?;
                        // What it did until then is there; nothing comes after.
                        while process.wait(0)?.kind == EventKind::Notification {}
                        let quiet = process.time_ns() + 12_000;
                        let event = process.wait(quiet)?;
                        assert_eq!(event.kind, EventKind::Deadline, "a disarmed timer fired");
                        seen("disarmed", 1);
                    }
                    done.set(done.get() + 1);
                    Ok(())
                });
                let (cell, _) = sim.cell("sleeper", &program, None, false, random.below(8) as u8);
                sim.start(cell);
            }
            sim.run(MANY_STEPS).unwrap();
            assert_eq!(done.get(), sleepers, "a sleeper sleeps on: {:?}", sim.log());
            sim.finish(MANY_STEPS).unwrap();
        },
    );
}

#[test]
fn signals_are_collected_and_none_is_lost() {
    each_seed("signals_are_collected_and_none_is_lost", &["all bits"], |seed| {
        let mut random = choices(seed);
        let faults = Faults::rough(&mut random);
        let cores = 1 + random.below(4) as u32;
        let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
        let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
        let signallers = 1 + random.below(5);
        let program = sim.main(move |process| {
            process.operate(Handle(3), OnNotification::Bind { badge: 1 }, &[])?;
            let mut bits = 0;
            while bits != (1 << signallers) - 1 {
                let event = process.wait(NO_DEADLINE)?;
                assert_eq!(event.kind, EventKind::Notification);
                assert_eq!(bits & event.value, 0, "a bit came twice and was set once");
                bits |= event.value;
                let work = process.choose(1_000);
                process.compute(work)?;
            }
            seen("all bits", 1);
            Ok(())
        });
        let (listener, _) = sim.cell("listener", &program, None, false, random.below(8) as u8);
        sim.grant(listener, &notification);
        sim.start(listener);
        for bit in 0..signallers {
            let program = sim.main(move |process| {
                let work = process.choose(4_000);
                process.compute(work)?;
                process.operate(Handle(3), OnNotification::Signal { bits: 1 << bit }, &[])?;
                Ok(())
            });
            let (cell, _) = sim.cell("signaller", &program, None, false, random.below(8) as u8);
            sim.grant(cell, &notification);
            sim.start(cell);
        }
        sim.run(MANY_STEPS).unwrap();
        assert!(!sim.kernel.is_live(listener), "the listener waits for a bit that was set: {:?}", sim.log());
        sim.finish(MANY_STEPS).unwrap();
    });
}

/// A handler that never ends: the timekeeper ends its server, and the caller gets the error.
#[test]
fn a_handler_over_its_budget_ends_its_server_and_not_its_caller() {
    each_seed("a_handler_over_its_budget_ends_its_server_and_not_its_caller", &["overran"], |seed| {
        let mut random = choices(seed);
        let faults = Faults::rough(&mut random);
        let cores = 1 + random.below(3) as u32;
        let configuration =
            Configuration { handler_budget_ns: 50_000, coarse_tick_ns: 20_000, ..Configuration::tiny(cores) };
        let mut sim = Simulation::new(seed, configuration, faults);
        let endless = sim.reactor(|_| {
            Ok(Box::new(|process, _| {
                loop {
                    process.compute(1_000)?;
                }
            }))
        });
        let (server, _) = sim.cell("endless", &endless, None, true, 3);
        let inner = sim.passive(server);
        sim.start(server);
        let patient = sim.reactor(|_| {
            Ok(Box::new(|process: &mut hallows_sim::Process<'_>, _| {
                assert_eq!(
                    process.call(Handle(3), &[], &[], NO_DEADLINE),
                    Err(hallows_abi::Error::ServerDied)
                );
                Ok(hallows_sim::Response::bytes(b"survived".as_slice()))
            }))
        });
        let (outer_server, _) = sim.cell("patient", &patient, None, true, 3);
        let outer =
            sim.endpoint(outer_server, hallows_kernel::Service::Passive { handler_budget_ns: 10_000_000 });
        sim.grant(outer_server, &inner);
        sim.start(outer_server);
        sim.run(MANY_STEPS).unwrap();
        let client = sim.main(|process| {
            let answer = process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            assert_eq!(answer.bytes, b"survived");
            seen("overran", 1);
            Ok(())
        });
        let (client, _) = sim.cell("client", &client, None, false, random.below(8) as u8);
        sim.grant(client, &outer);
        sim.start(client);
        sim.run(MANY_STEPS).unwrap();
        assert_eq!(sim.kernel.state(server), hallows_kernel::CellState::Dead);
        assert_eq!(sim.kernel.state(outer_server), hallows_kernel::CellState::Running);
        assert!(sim.log().iter().all(|line| line.contains("overran")), "{:?}", sim.log());
        sim.finish(MANY_STEPS).unwrap();
    });
}
