//! Single behaviours of scheduling and of the books, each of which was wrong once: the simulation found them.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{
    Error, Handle, NO_DEADLINE, OnBudget, OnCell, OnEndpoint, OnNotification, OnObject, OnSpace, OnTimer,
    Reply, Rights, Transfer,
};
use hallows_kernel::{CellSpecification, Configuration, CoreId, Nanos, Rooted};
use hallows_sim::{Faults, Process, Response, Simulation};

const STEPS: u64 = 20_000;

fn specification(priority: u8, pinned: Option<CoreId>) -> CellSpecification<'static> {
    CellSpecification {
        name: "cell",
        memory_bytes: 1 << 20,
        slots: 0,
        class: Default::default(),
        priority,
        passive: false,
        pinned,
        pool: 0,
        time: None,
    }
}

#[test]
fn an_idle_core_takes_a_movable_thread_from_behind_pinned_ones_of_higher_priority() {
    let mut sim = Simulation::new(1, Configuration::tiny(2), Faults::CALM);
    let spinner = sim.main(|process| {
        loop {
            process.compute(1_000)?;
        }
    });
    // More than a thief would look at, and all of them for core 0.
    for _ in 0..9 {
        let (cell, _) = sim.cell_of(&spinner, None, &specification(6, Some(CoreId(0))));
        sim.start(cell);
    }
    let ran_on = Rc::new(Cell::new(None));
    let noted = Rc::clone(&ran_on);
    let movable = sim.main(move |process| {
        noted.set(Some(process.core()));
        Ok(())
    });
    let (cell, _) = sim.cell_of(&movable, None, &specification(1, None));
    sim.start(cell);
    let done = Rc::clone(&ran_on);
    sim.run_until(STEPS, |_| done.get().is_some()).unwrap();
    assert_eq!(ran_on.get(), Some(CoreId(1)));
    sim.finish(STEPS).unwrap();
}

/// More cores than one looks at at a time, each with a program of high priority that stays there until `goes_on` says no; and a place where a program
/// that may run anywhere notes where it did.
fn many_cores(
    busy: u32,
    goes_on: impl Fn(CoreId) -> bool + 'static,
) -> (Simulation, Rc<Cell<Option<CoreId>>>, Rooted) {
    let room = Configuration { cells: 64, slots: 8_192, ..Configuration::tiny(MANY) };
    let mut sim = Simulation::new(1, room, Faults::CALM);
    let spinner = sim.main(move |process| {
        while goes_on(process.core()) {
            process.compute(1_000)?;
        }
        Ok(())
    });
    for core in (0..busy).map(CoreId) {
        let (cell, _) = sim.cell_of(&spinner, None, &specification(6, Some(core)));
        sim.start(cell);
    }
    let ran_on = Rc::new(Cell::new(None));
    let noted = Rc::clone(&ran_on);
    let movable = sim.main(move |process| {
        noted.set(Some(process.core()));
        Ok(())
    });
    for _ in 0..STEPS {
        sim.step();
    }
    (sim, ran_on, movable)
}

const MANY: u32 = 20;

#[test]
fn a_thread_that_is_woken_runs_on_a_core_that_sleeps_however_far_away_that_is() {
    let (mut sim, ran_on, movable) = many_cores(MANY - 1, |_| true);
    let (cell, _) = sim.cell_of(&movable, None, &specification(1, None));
    sim.start(cell);
    sim.run_until(STEPS, |_| ran_on.get().is_some()).unwrap();
    assert_eq!(ran_on.get(), Some(CoreId(MANY - 1)));
    sim.finish(2 * STEPS).unwrap();
}

#[test]
fn a_core_that_looks_for_work_finds_it_however_far_away_it_waits() {
    const FAR: CoreId = CoreId(11);
    let over = Rc::new(Cell::new(false));
    let seen = Rc::clone(&over);
    let (mut sim, ran_on, movable) = many_cores(MANY, move |core| core != FAR || !seen.get());
    let (cell, _) = sim.cell_of(&movable, None, &specification(1, None));
    sim.start(cell);
    for _ in 0..STEPS {
        sim.step();
    }
    // All cores have something better to do.
    assert_eq!(ran_on.get(), None);
    over.set(true);
    sim.run_until(STEPS, |_| ran_on.get().is_some()).unwrap();
    assert_eq!(ran_on.get(), Some(FAR));
    sim.finish(2 * STEPS).unwrap();
}

#[test]
fn a_stale_capability_of_a_destroyed_object_does_not_keep_the_next_one_alive() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let counts = Rc::new(Cell::new((0, 0)));
    let noted = Rc::clone(&counts);
    let program = sim.main(move |process| {
        let used = |process: &mut Process<'_>| {
            process.operate(Handle::BUDGET, OnBudget::Query, &[]).map(|(reply, _)| match reply {
                Reply::Account(account) => account.used_bytes,
                other => panic!("no account: {other:?}"),
            })
        };
        let before = used(process)?;
        let first = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(first, OnObject::Destroy, &[])?;
        // Lives in the same record; its only capability goes, while the stale one of the first is still there.
        let second = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(Handle::SELF, OnSpace::Delete { what: second }, &[])?;
        noted.set((before, used(process)?));
        Ok(())
    });
    let (cell, _) = sim.cell_of(&program, None, &specification(3, None));
    sim.start(cell);
    sim.run(STEPS).unwrap();
    let (before, after) = counts.get();
    assert!(before > 0);
    assert_eq!(before, after, "the second notification lives on");
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_capability_in_the_slot_of_a_former_grant_does_not_outlive_a_restart() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let notification = sim.kernel.boot_notification(&sim.boot).unwrap();
    let alive = Rc::new(Cell::new(0));
    let noted = Rc::clone(&alive);
    let program = sim.main(move |process| {
        // The second life finds nothing where the first has put something else.
        if process.operate(Handle(4), OnNotification::Poll, &[]).is_err() {
            let slots = (3..8).map(|slot| Handle::new(slot, 1));
            noted.set(
                1 + slots.filter(|one| process.operate(*one, OnNotification::Poll, &[]).is_ok()).count(),
            );
            return Ok(());
        }
        process.operate(Handle::SELF, OnSpace::Delete { what: Handle(4) }, &[])?;
        let made = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        assert_eq!(made, Handle::new(4, 1));
        Ok(())
    });
    let (cell, rooted) = sim.cell_of(&program, None, &specification(3, None));
    for _ in 0..2 {
        sim.grant(cell, &notification);
    }
    sim.start(cell);
    sim.run(STEPS).unwrap();
    let restarter = sim.main(|process| {
        process.operate(Handle(3), OnCell::Restart, &[])?;
        Ok(())
    });
    let (restarter, _) = sim.cell_of(&restarter, None, &specification(3, None));
    sim.grant(restarter, &rooted);
    sim.start(restarter);
    sim.run(STEPS).unwrap();
    assert_eq!(alive.get(), 1, "a capability of the first life is there in the second");
    sim.finish(STEPS).unwrap();
}

#[test]
fn watchers_of_an_endpoint_are_told_of_its_servers_death_and_rebirth() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let server = sim.main(|process| {
        loop {
            process.wait(NO_DEADLINE)?;
        }
    });
    let (server, rooted) = sim.cell_of(&server, None, &specification(3, None));
    let endpoint = sim.active(server, 4);
    sim.start(server);
    let told = Rc::new(Cell::new(0));
    let noted = Rc::clone(&told);
    let watcher = sim.main(move |process| {
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(bell, OnNotification::Bind { badge: 0 }, &[])?;
        process.operate(Handle::SELF, OnEndpoint::Watch { endpoint: Handle(3) }, &[Transfer::copy(bell)])?;
        process.operate(Handle(4), OnCell::Kill, &[])?;
        noted.set(noted.get() | process.wait(NO_DEADLINE)?.value);
        process.operate(Handle(4), OnCell::Restart, &[])?;
        noted.set(noted.get() | process.wait(NO_DEADLINE)?.value);
        Ok(())
    });
    let (watcher, _) = sim.cell_of(&watcher, None, &specification(3, None));
    sim.grant_some(watcher, &endpoint, Rights::WATCH, 0);
    sim.grant(watcher, &rooted);
    sim.start(watcher);
    sim.run(STEPS).unwrap();
    assert_eq!(told.get(), 2 | 4);
    sim.finish(STEPS).unwrap();
}

#[test]
fn the_answered_client_of_a_server_that_goes_on_is_not_left_in_its_hands() {
    let mut sim = Simulation::new(1, Configuration::tiny(2), Faults::CALM);
    let server = sim.main(|process| {
        let first = process.wait(NO_DEADLINE)?;
        // Both are there: the second comes at once, and then this server never gives the core up by itself.
        process.compute(50_000)?;
        let second = process.answer_wait(first.token, &[], &[], NO_DEADLINE)?;
        process.answer(second.token, &[], &[])?;
        loop {
            process.compute(1_000)?;
        }
    });
    let (server, _) = sim.cell_of(&server, None, &specification(3, None));
    let endpoint = sim.active(server, 4);
    sim.start(server);
    let answered = Rc::new(Cell::new(0));
    for _ in 0..2 {
        let noted = Rc::clone(&answered);
        let client = sim.main(move |process| {
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            noted.set(noted.get() + 1);
            Ok(())
        });
        let (client, _) = sim.cell_of(&client, None, &specification(3, None));
        sim.grant(client, &endpoint);
        sim.start(client);
    }
    let done = Rc::clone(&answered);
    sim.run_until(STEPS, |_| done.get() == 2).unwrap();
    sim.finish(STEPS).unwrap();
}

#[test]
fn one_seed_always_gives_the_same_history() {
    let history = |seed| {
        let faults =
            Faults { pause: 300_000, word: 50_000, stall: 10_000, late_tick: 300_000, ..Faults::CALM };
        let mut sim = Simulation::new(seed, Configuration::tiny(3), faults);
        let server = sim.reactor(|_| {
            Ok(Box::new(|process, _| {
                process.compute(700)?;
                Ok(Response::bytes([]))
            }))
        });
        let (server, _) = sim.cell("server", &server, None, true, 3);
        let endpoint = sim.passive(server);
        sim.start(server);
        sim.run(STEPS).unwrap();
        for _ in 0..3 {
            let client = sim.main(|process| {
                for _ in 0..5 {
                    process.call(Handle(3), &[], &[], NO_DEADLINE)?;
                    let rest = process.choose(2_000);
                    process.compute(rest)?;
                }
                Ok(())
            });
            let (client, _) = sim.cell("client", &client, None, false, 3);
            sim.grant(client, &endpoint);
            sim.start(client);
        }
        sim.run(STEPS).unwrap();
        let trace: Vec<_> = (0..3).flat_map(|core| sim.kernel.trace(CoreId(core))).collect();
        let end = (sim.steps(), sim.time_ns(), format!("{trace:?}"));
        sim.finish(STEPS).unwrap();
        end
    };
    assert_eq!(history(5), history(5));
    assert_ne!(history(5).2, history(6).2);
}

#[test]
fn a_core_that_is_between_two_threads_is_contended() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let spinner = sim.main(|process| {
        loop {
            process.compute(1_000)?;
        }
    });
    for _ in 0..2 {
        let (cell, _) = sim.cell_of(&spinner, None, &specification(1, None));
        sim.start(cell);
        sim.victims.push(cell);
    }
    // Nobody runs yet: as seen by a timekeeper that looks just while one thread has stopped and the next has not begun.
    let next = sim.kernel.tick(Nanos(1));
    assert!(next.spin, "it would sleep over the next thread's quantum: {next:?}");
    for cell in sim.victims.clone() {
        sim.kill(cell);
    }
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_watch_goes_with_the_last_capability_of_its_notification() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let server = sim.reactor(|_| Ok(Box::new(|_, _| Ok(Response::bytes(Vec::new())))));
    let (serving, _) = sim.cell("server", &server, None, true, 0);
    let endpoint = sim.passive(serving);
    sim.start(serving);
    let rounds = Rc::new(Cell::new(0));
    let counted = Rc::clone(&rounds);
    let watcher = sim.main(move |process| {
        // More often than an endpoint has room for watchers.
        for _ in 0..200 {
            let notification = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
            for _ in 0..2 {
                process.operate(
                    Handle::SELF,
                    OnEndpoint::Watch { endpoint: Handle(3) },
                    &[Transfer::copy(notification)],
                )?;
            }
            process.operate(Handle::SELF, OnSpace::Delete { what: notification }, &[])?;
            counted.set(counted.get() + 1);
        }
        Ok(())
    });
    let (cell, _) = sim.cell("watcher", &watcher, None, false, 0);
    sim.grant(cell, &endpoint);
    sim.start(cell);
    sim.run(STEPS * 10).unwrap();
    assert_eq!(rounds.get(), 200);
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_server_that_only_polls_hears_callers_from_other_cores() {
    let mut posts = 0;
    for seed in 0..200 {
        let configuration = Configuration { idle_looks: 30, ..Configuration::tiny(2) };
        let mut sim = Simulation::new(seed, configuration, Faults::CALM);
        let server = sim.main(|process| {
            let mut event = process.wait(NO_DEADLINE)?;
            loop {
                // It listens to whom it answers, and never comes to rest.
                event = process.answer_wait(event.token, &[], &[], 0)?;
                while event.kind != hallows_abi::EventKind::Message {
                    process.compute(100)?;
                    event = process.wait(0)?;
                }
            }
        });
        let (serving, _) = sim.cell_of(&server, None, &specification(1, Some(CoreId(0))));
        let endpoint = sim.active(serving, 4);
        sim.start(serving);
        let answered = Rc::new(Cell::new(0));
        let counted = Rc::clone(&answered);
        let caller = sim.main(move |process| {
            for _ in 0..50 {
                process.call(Handle(Handle::FIRST_GRANT), &[1; 8], &[], NO_DEADLINE)?;
                counted.set(counted.get() + 1);
            }
            Ok(())
        });
        let (calling, _) = sim.cell_of(&caller, None, &specification(1, Some(CoreId(1))));
        sim.grant(calling, &endpoint);
        sim.start(calling);
        sim.run_until(STEPS * 10, |_| answered.get() == 50).unwrap();
        posts += sim.kernel.picture_cores().iter().map(|core| core.posts).sum::<u64>();
        sim.kill(serving);
        sim.finish(STEPS).unwrap();
    }
    assert!(posts > 0, "nobody met in a lane");
}

/// A server gives its endpoint away while a call is in its lane, so it passes the call on; its caller gives up before the next server looks.
#[test]
fn a_call_that_was_passed_on_is_not_served_once_its_caller_has_given_up() {
    let mut passed_on = 0;
    for seed in 0..200 {
        let configuration = Configuration { idle_looks: 30, ..Configuration::tiny(3) };
        let mut sim = Simulation::new(seed, configuration, Faults::CALM);
        let (calls, was_in_lane, gave_up) =
            (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let former = {
            let (calls, was_in_lane) = (Rc::clone(&calls), Rc::clone(&was_in_lane));
            sim.main(move |process| {
                let event = process.wait(NO_DEADLINE)?;
                // It listens to whom it answers, and does something else while that calls again.
                process.answer(event.token, &[], &[])?;
                while calls.get() < 2 {
                    process.compute(100)?;
                }
                process.compute(3_000)?;
                let next = [Transfer::copy(Handle(4))];
                let (left, _) = process.operate(
                    Handle::SELF,
                    OnEndpoint::Reassign { endpoint: Handle(3), to_another: true },
                    &next,
                )?;
                was_in_lane.set(left == Reply::Number(0));
                let ended = process.wait(NO_DEADLINE);
                assert_eq!(ended.err(), Some(Error::NothingToWaitFor));
                Ok(())
            })
        };
        let next = {
            let gave_up = Rc::clone(&gave_up);
            sim.main(move |process| {
                while !gave_up.get() {
                    process.compute(100)?;
                }
                let event = process.wait(0)?;
                assert_eq!(event.kind, hallows_abi::EventKind::Deadline, "nobody waits for this message");
                Ok(())
            })
        };
        let caller = {
            let (calls, gave_up) = (Rc::clone(&calls), Rc::clone(&gave_up));
            sim.main(move |process| {
                process.call(Handle(3), &[1; 8], &[], NO_DEADLINE)?;
                calls.set(2);
                let deadline = process.time_ns() + 30_000;
                let result = process.call(Handle(3), &[2; 8], &[], deadline);
                assert_eq!(result, Err(Error::DeadlinePassed));
                gave_up.set(true);
                Ok(())
            })
        };
        let (serving, _) = sim.cell_of(&former, None, &specification(1, Some(CoreId(0))));
        let (later, rooted) = sim.cell_of(&next, None, &specification(1, Some(CoreId(2))));
        let (calling, _) = sim.cell_of(&caller, None, &specification(1, Some(CoreId(1))));
        let endpoint = sim.active(serving, 4);
        sim.grant(serving, &endpoint);
        sim.grant(serving, &rooted);
        sim.grant(calling, &endpoint);
        [serving, later, calling].into_iter().for_each(|cell| sim.start(cell));
        sim.run(STEPS * 10).unwrap();
        assert!(gave_up.get(), "{:?} {}", sim.log(), sim.picture());
        let panics: Vec<String> = sim.log().into_iter().filter(|line| line.contains("panic")).collect();
        assert!(panics.is_empty(), "seed {seed}: {panics:?}");
        passed_on += u32::from(was_in_lane.get());
        sim.finish(STEPS).unwrap();
    }
    assert!(passed_on > 0, "nobody met in a lane");
}

#[test]
fn a_timer_of_a_nanosecond_fires_every_ten_microseconds() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let fired = Rc::new(Cell::new(0));
    let counted = Rc::clone(&fired);
    let program = sim.main(move |process| {
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(bell, OnNotification::Bind { badge: 7 }, &[])?;
        let timer =
            process.make(Handle::BUDGET, OnBudget::CreateTimer { bits: 9 }, &[Transfer::copy(bell)])?;
        let begin = process.time_ns();
        process.operate(timer, OnTimer::Arm { at_ns: begin + 1, every_ns: 1, slack_ns: 0 }, &[])?;
        while process.time_ns() < begin + 1_000_000 {
            process.wait(NO_DEADLINE)?;
            counted.set(counted.get() + 1);
        }
        process.operate(timer, OnTimer::Disarm, &[])?;
        Ok(())
    });
    let (cell, _) = sim.cell("impatient", &program, None, false, 0);
    sim.start(cell);
    sim.run(STEPS * 10).unwrap();
    assert!((50..=102).contains(&fired.get()), "{} times in a millisecond", fired.get());
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_service_core_runs_what_is_pinned_to_it_and_nothing_else() {
    const SERVICE: CoreId = CoreId(2);
    let mut answered = 0;
    for seed in 0..200 {
        let configuration = Configuration {
            service_cores: 1,
            chaos: seed % 2 == 1,
            idle_looks: 30 * (seed % 3) as u32,
            ..Configuration::tiny(3)
        };
        let mut sim = Simulation::new(seed, configuration, Faults::CALM);
        let server = sim.main(|process| {
            let mut event = process.wait(NO_DEADLINE)?;
            loop {
                assert_eq!(process.core(), SERVICE);
                process.compute(500)?;
                event = process.answer_wait(event.token, &[], &[], NO_DEADLINE)?;
            }
        });
        let (server, _) = sim.cell_of(&server, None, &specification(3, Some(SERVICE)));
        let endpoint = sim.active(server, 8);
        sim.start(server);
        let done = Rc::new(Cell::new(0));
        // More than the general cores can hold, and as they wait for answers the server's core could hand itself to them.
        for _ in 0..5 {
            let noted = Rc::clone(&done);
            let client = sim.main(move |process| {
                for _ in 0..10 {
                    process.call(Handle(3), &[], &[], NO_DEADLINE)?;
                    assert_ne!(process.core(), SERVICE);
                    process.compute(700)?;
                    assert_ne!(process.core(), SERVICE);
                    noted.set(noted.get() + 1);
                }
                Ok(())
            });
            let (client, _) = sim.cell_of(&client, None, &specification(3, None));
            sim.grant(client, &endpoint);
            sim.start(client);
        }
        sim.run(STEPS * 10).unwrap();
        answered += done.get();
        sim.finish(STEPS).unwrap();
    }
    assert_eq!(answered, 200 * 50);
}

#[test]
fn the_timekeeper_does_not_spin_for_who_waits_for_a_service_core() {
    let mut sim =
        Simulation::new(1, Configuration { service_cores: 1, ..Configuration::tiny(2) }, Faults::CALM);
    let program = sim.main(|process| process.compute(500));
    for (core, spins) in [(CoreId(1), false), (CoreId(0), true)] {
        let (cell, _) = sim.cell_of(&program, None, &specification(3, Some(core)));
        // It waits for its core, which has not taken it yet.
        sim.start(cell);
        let now = Nanos(sim.time_ns());
        let next = sim.kernel.tick(now);
        assert_eq!((next.spin, next.at > now && !spins), (spins, !spins), "{core:?}: {next:?}");
    }
    sim.run(STEPS).unwrap();
    sim.finish(STEPS).unwrap();
}

#[test]
fn the_timekeeper_sleeps_while_those_that_take_turns_are_of_different_ranks() {
    let looks = |client_priority: u8| {
        let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
        let server = sim.main(|process| {
            let mut event = process.wait(NO_DEADLINE)?;
            loop {
                process.answer(event.token, &[], &[])?;
                // The client could go on, and does if it comes first.
                process.compute(1_000)?;
                event = process.wait(NO_DEADLINE)?;
            }
        });
        let (serving, _) = sim.cell_of(&server, None, &specification(3, Some(CoreId(0))));
        let endpoint = sim.active(serving, 4);
        sim.start(serving);
        let answered = Rc::new(Cell::new(0));
        let counted = Rc::clone(&answered);
        let client = sim.main(move |process| {
            for _ in 0..1_000 {
                process.call(Handle(Handle::FIRST_GRANT), &[], &[], NO_DEADLINE)?;
                process.compute(500)?;
                counted.set(counted.get() + 1);
            }
            Ok(())
        });
        let (client, _) = sim.cell_of(&client, None, &specification(client_priority, Some(CoreId(0))));
        sim.grant(client, &endpoint);
        sim.start(client);
        sim.run_until(STEPS * 10, |_| answered.get() == 1_000).unwrap();
        let looks = sim.looks();
        sim.kill(serving);
        sim.finish(STEPS).unwrap();
        looks
    };
    // Of equals each has its quantum. Whoever comes before or behind the other all the time has none that would be kept.
    let [below, equal, above] = [2, 3, 4].map(looks);
    assert!(equal > 1_000, "{equal}");
    assert!(below < 100 && above < 100, "{below} {above}");
}

#[test]
fn the_longest_stretch_without_a_check_is_seen_where_somebody_waits() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let mut cells = Vec::new();
    for stretch_ns in [0, 90_000] {
        let program = sim.main(move |process| {
            loop {
                process.compute(3_000)?;
                process.stretch(stretch_ns);
            }
        });
        let (cell, _) = sim.cell("cell", &program, None, false, 3);
        sim.start(cell);
        cells.push(cell);
    }
    sim.run_until(1_000_000, |sim| sim.time_ns() > 3_000_000).unwrap();
    let pictures = sim.kernel.picture_cells();
    let stretch_ns =
        cells.iter().map(|cell| pictures.iter().find(|picture| picture.cell == *cell).unwrap().stretch_ns);
    let stretches: Vec<u64> = stretch_ns.collect();
    // Its quantum is over at some time in between.
    assert!(stretches[0] < 5_000 && (60_000..130_000).contains(&stretches[1]), "{stretches:?}");
    sim.finish(1_000_000).unwrap();
}
