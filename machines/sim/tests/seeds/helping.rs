//! Helping: who waits for a server lends its holder its priority and core, so that it waits for the handler and for nothing else.

use std::cell::Cell;
use std::rc::Rc;

use hallows_abi::{Handle, NO_DEADLINE};
use hallows_kernel::Configuration;
use hallows_sim::{Faults, Process, Response, Simulation};

use crate::{MANY_STEPS, choices, each_seed, seen};

/// The classic inversion: a low one holds the server, middle ones spin for ever, a high one calls.
#[test]
fn a_high_caller_waits_for_the_handler_and_not_for_middle_spinners() {
    each_seed("a_high_caller_waits_for_the_handler_and_not_for_middle_spinners", &["had to wait"], |seed| {
        /// How long a handler computes, in ns of virtual time.
        const WORK_NS: u64 = 5_000;
        /// The most that a high call may take: two handlers, the looks of the timekeeper, the steps of the others.
        const MOST_NS: u64 = 120_000;
        let mut random = choices(seed);
        // Neither late timers nor stalls: those delay the highest too.
        let faults = Faults { pause: random.below(300_000), ..Faults::CALM };
        let cores = 1 + random.below(2) as u32;
        let mut sim = Simulation::new(seed, Configuration::tiny(cores), faults);
        let inside = Rc::new(Cell::new(false));
        let entered = Rc::clone(&inside);
        let server = sim.reactor(move |_| {
            let inside = Rc::clone(&entered);
            Ok(Box::new(move |process: &mut Process<'_>, _| {
                inside.set(true);
                process.compute(WORK_NS)?;
                inside.set(false);
                Ok(Response::bytes([]))
            }))
        });
        let (server, _) = sim.cell("server", &server, None, true, 0);
        let endpoint = sim.passive(server);
        sim.start(server);
        sim.run(MANY_STEPS).unwrap();
        let low = sim.main(|process| {
            loop {
                process.call(Handle(3), &[], &[], NO_DEADLINE)?;
                process.compute(100)?;
            }
        });
        let (low, _) = sim.cell("low", &low, None, false, 1);
        sim.grant(low, &endpoint);
        sim.start(low);
        let alarm = sim.kernel.boot_notification(&sim.boot).unwrap();
        let done = Rc::new(Cell::new(0u32));
        let (count, busy) = (Rc::clone(&done), Rc::clone(&inside));
        let high = sim.main(move |process| {
            for _ in 0..6 {
                // Sleeps, so that the lower ones run.
                let wake = process.time_ns() + 20_000 + process.choose(10_000);
                process.wait(wake)?;
                let (begun, waited) = (process.time_ns(), busy.get());
                process.call(Handle(3), &[], &[], NO_DEADLINE)?;
                let took = process.time_ns() - begun;
                seen("had to wait", u64::from(waited));
                assert!(took <= MOST_NS, "a high call took {took} ns");
                count.set(count.get() + 1);
            }
            Ok(())
        });
        let (high, _) = sim.cell("high", &high, None, false, 7);
        sim.grant(high, &endpoint);
        sim.grant(high, &alarm);
        sim.start(high);
        // The low one gets in before the middle ones take the cores for good.
        let holds = Rc::clone(&inside);
        sim.run_until(MANY_STEPS, |_| holds.get()).unwrap();
        for _ in 0..cores + 1 {
            let middle = sim.main(|process| {
                loop {
                    process.compute(1_000)?;
                }
            });
            let (middle, _) = sim.cell("middle", &middle, None, false, 4);
            sim.start(middle);
        }
        let finished = Rc::clone(&done);
        sim.run_until(MANY_STEPS, |_| finished.get() == 6).unwrap();
        sim.finish(MANY_STEPS).unwrap();
    });
}

/// A loan whose lender gave up: nobody is there to hand the monitor over to when its holder leaves.
#[test]
fn what_is_lent_is_given_back_when_the_handler_returns() {
    each_seed("what_is_lent_is_given_back_when_the_handler_returns", &["high gave up"], |seed| {
        let mut random = choices(seed);
        let faults = Faults { pause: random.below(300_000), ..Faults::CALM };
        let mut sim = Simulation::new(seed, Configuration::tiny(1), faults);
        let inside = Rc::new(Cell::new(false));
        let entered = Rc::clone(&inside);
        let server = sim.reactor(move |_| {
            let inside = Rc::clone(&entered);
            Ok(Box::new(move |process: &mut Process<'_>, _| {
                inside.set(true);
                process.compute(20_000)?;
                inside.set(false);
                Ok(Response::bytes([]))
            }))
        });
        let (server, _) = sim.cell("server", &server, None, true, 0);
        let endpoint = sim.passive(server);
        sim.start(server);
        sim.run(MANY_STEPS).unwrap();
        let out = Rc::new(Cell::new(false));
        let left = Rc::clone(&out);
        let low = sim.main(move |process| {
            process.call(Handle(3), &[], &[], NO_DEADLINE)?;
            left.set(true);
            loop {
                process.compute(1_000)?;
            }
        });
        let (low, _) = sim.cell("low", &low, None, false, 1);
        sim.grant(low, &endpoint);
        sim.start(low);
        let holds = Rc::clone(&inside);
        sim.run_until(MANY_STEPS, |_| holds.get()).unwrap();
        // The high one lends its priority and gives up by its deadline: nobody waits when the handler returns.
        let high = sim.main(|process| {
            let deadline = process.time_ns() + 3_000;
            if process.call(Handle(3), &[], &[], deadline).is_err() {
                seen("high gave up", 1);
            }
            Ok(())
        });
        let (high, _) = sim.cell("high", &high, None, false, 7);
        sim.grant(high, &endpoint);
        sim.start(high);
        let (gone, outside) = (high, Rc::clone(&out));
        sim.run_until(MANY_STEPS, |sim| outside.get() && !sim.kernel.is_live(gone)).unwrap();
        // A middle one must run now, although the low one never stops.
        let ran = Rc::new(Cell::new(false));
        let mark = Rc::clone(&ran);
        let middle = sim.main(move |_| {
            mark.set(true);
            Ok(())
        });
        let (middle, _) = sim.cell("middle", &middle, None, false, 4);
        sim.start(middle);
        if let Err(trouble) = sim.run_until(2_000, |_| ran.get()) {
            panic!("a middle one does not run beside a low one: {trouble:?}");
        }
        sim.finish(MANY_STEPS).unwrap();
    });
}
