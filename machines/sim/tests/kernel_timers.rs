//! Timers: many at one instant, and times in the past.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{Error, Handle, NO_DEADLINE, OnBudget, OnNotification, OnTimer, Reply, Transfer};
use hallows_kernel::{CellSpecification, Configuration};
use hallows_sim::{Faults, Process, Simulation};

const STEPS: u64 = 4_000_000;
const US: u64 = 1_000;
const MS: u64 = 1_000_000;
/// A notification's bits.
const BITS: u64 = 64;

fn specification(slots: u32) -> CellSpecification<'static> {
    CellSpecification {
        name: "cell",
        memory_bytes: 16 << 20,
        slots,
        class: Default::default(),
        priority: 3,
        passive: false,
        pinned: None,
        pool: 0,
        time: None,
    }
}

/// A notification's bits, which are taken.
fn poll(process: &mut Process<'_>, notification: Handle) -> Result<u64, Error> {
    match process.operate(notification, OnNotification::Poll, &[])? {
        (Reply::Number(bits), _) => Ok(bits),
        (other, _) => panic!("bits are a number, not {other:?}"),
    }
}

#[test]
fn ten_thousand_timers_at_one_instant_all_fire_and_others_are_woken_meanwhile() {
    const NOTIFICATIONS: u64 = 157;
    let configuration =
        Configuration { objects: 10_400, slots: 1 << 18, memory_bytes: 64 << 20, ..Configuration::tiny(1) };
    let mut sim = Simulation::new(1, configuration, Faults::CALM);
    let (fired, at_ns) = (Rc::new(RefCell::new(Vec::new())), Rc::new(Cell::new(0)));
    let (noted, instant) = (Rc::clone(&fired), Rc::clone(&at_ns));
    let program = sim.main(move |process| {
        let mut notifications = Vec::new();
        let mut timers = Vec::new();
        for _ in 0..NOTIFICATIONS {
            let notification = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
            for bit in 0..BITS {
                let target = [Transfer::copy(notification)];
                timers.push(process.make(
                    Handle::BUDGET,
                    OnBudget::CreateTimer { bits: 1 << bit },
                    &target,
                )?);
            }
            notifications.push(notification);
        }
        let at_ns = process.time_ns() + 50 * MS;
        for timer in timers {
            process.operate(timer, OnTimer::Arm { at_ns, every_ns: 0, slack_ns: 0 }, &[])?;
        }
        instant.set(at_ns);
        // They fire one after another; who is woken by its own deadline looks until all have.
        for notification in notifications {
            let mut bits = 0;
            while bits != u64::MAX {
                process.wait(process.time_ns().max(at_ns) + 5 * US)?;
                bits |= poll(process, notification)?;
            }
            noted.borrow_mut().push(process.time_ns());
        }
        Ok(())
    });
    let (cell, _) = sim.cell_of(&program, None, &specification(16_384));
    sim.start(cell);
    // Another one wakes up every 100 µs.
    let latest = Rc::new(Cell::new(0));
    let noted = Rc::clone(&latest);
    let program = sim.main(move |process| {
        loop {
            let due_ns = process.time_ns() + 100 * US;
            process.wait(due_ns)?;
            noted.set(noted.get().max(process.time_ns().saturating_sub(due_ns)));
        }
    });
    let (other, _) = sim.cell_of(&program, None, &specification(0));
    sim.run_until(STEPS, |_| at_ns.get() > 0).unwrap();
    sim.start(other);
    sim.run_until(STEPS, |_| fired.borrow().len() as u64 == NOTIFICATIONS).unwrap();
    assert!(fired.borrow().iter().all(|at| *at >= at_ns.get()), "none fired early");
    assert!(latest.get() < 200 * US, "{} ns", latest.get());
    sim.finish(STEPS).unwrap();
}

#[test]
fn a_deadline_in_the_past_has_passed_and_a_timer_in_the_past_fires_at_once() {
    let mut sim = Simulation::new(1, Configuration::tiny(1), Faults::CALM);
    let done = Rc::new(Cell::new(0));
    let counted = Rc::clone(&done);
    let program = sim.main(move |process| {
        process.compute(10 * US)?;
        let now_ns = process.time_ns();
        for past_ns in [0, 1, now_ns - 1, now_ns] {
            process.wait(past_ns)?;
            counted.set(counted.get() + 1);
        }
        let notification = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        let target = [Transfer::copy(notification)];
        let timer = process.make(Handle::BUDGET, OnBudget::CreateTimer { bits: 1 }, &target)?;
        for at_ns in [0, 1, now_ns] {
            process.operate(timer, OnTimer::Arm { at_ns, every_ns: 0, slack_ns: 0 }, &[])?;
            loop {
                process.wait(process.time_ns() + 5 * US)?;
                if poll(process, notification)? == 1 {
                    break;
                }
            }
            counted.set(counted.get() + 1);
        }
        Ok(())
    });
    let (cell, _) = sim.cell_of(&program, None, &specification(0));
    sim.start(cell);
    sim.run_until(STEPS, |_| done.get() == 7).unwrap();
    sim.finish(STEPS).unwrap();
}

/// How late a program was woken at most, in ns, that waits for times of its own, and for a timer's, with nothing else to run.
fn lateness(faults: Faults) -> u64 {
    let mut sim = Simulation::new(3, Configuration::tiny(1), faults);
    let worst = Rc::new(Cell::new(0));
    let noted = Rc::clone(&worst);
    let program = sim.main(move |process| {
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(bell, OnNotification::Bind { badge: 1 }, &[])?;
        let timer =
            process.make(Handle::BUDGET, OnBudget::CreateTimer { bits: 1 }, &[Transfer::copy(bell)])?;
        for round in 0..200 {
            let at_ns = process.time_ns() + 10 * US + round * 17 * US;
            if round % 2 == 0 {
                process.operate(timer, OnTimer::Arm { at_ns, every_ns: 0, slack_ns: 0 }, &[])?;
                process.wait(NO_DEADLINE)?;
            } else {
                process.wait(at_ns)?;
            }
            assert!(process.time_ns() >= at_ns, "it was woken too early");
            noted.set(noted.get().max(process.time_ns() - at_ns));
        }
        Ok(())
    });
    let (cell, _) = sim.cell_of(&program, None, &specification(64));
    sim.start(cell);
    sim.run(STEPS).unwrap();
    assert!(worst.get() > 0, "it has not run");
    worst.get()
}

/// Reading the clock, and the steps of the simulation, take time.
const GRAIN_NS: u64 = 3 * US;

#[test]
fn an_idle_core_sees_to_its_own_time_and_needs_no_timekeeper_for_that() {
    let away = lateness(Faults { late_tick: 1_000_000, ..Faults::CALM });
    assert!(away < GRAIN_NS, "{away} ns");
}

#[test]
fn the_timekeeper_sees_to_it_where_an_idle_core_does_not() {
    let asleep = lateness(Faults { oversleep: 1_000_000, ..Faults::CALM });
    assert!((20 * US..20 * US + GRAIN_NS).contains(&asleep), "{asleep} ns");
}

#[test]
fn timers_with_slack_fire_together_and_none_early_or_later_than_it_may() {
    const TIMERS: u64 = 16;
    let mut sim = Simulation::new(5, Configuration::tiny(1), Faults::CALM);
    let times = Rc::new(RefCell::new([Vec::new(), Vec::new()]));
    let noted = Rc::clone(&times);
    let program = sim.main(move |process| {
        let bell = process.make(Handle::BUDGET, OnBudget::CreateNotification, &[])?;
        process.operate(bell, OnNotification::Bind { badge: 1 }, &[])?;
        let target = [Transfer::copy(bell)];
        for (which, slack_ns) in [0, MS].into_iter().enumerate() {
            let begin = process.time_ns() + MS;
            let at_ns = |timer: u64| begin + timer * 40 * US;
            for timer in 0..TIMERS {
                let made =
                    process.make(Handle::BUDGET, OnBudget::CreateTimer { bits: 1 << timer }, &target)?;
                process.operate(made, OnTimer::Arm { at_ns: at_ns(timer), every_ns: 0, slack_ns }, &[])?;
            }
            let mut seen = 0u64;
            while seen.count_ones() < TIMERS as u32 {
                let event = process.wait(NO_DEADLINE)?;
                let (now_ns, new) = (process.time_ns(), event.value & !seen);
                seen |= new;
                for timer in (0..TIMERS).filter(|timer| new & 1 << timer != 0) {
                    let may = at_ns(timer)..at_ns(timer) + slack_ns + GRAIN_NS;
                    assert!(may.contains(&now_ns), "timer {timer} of slack {slack_ns}: {may:?}, {now_ns}");
                }
                if new != 0 {
                    noted.borrow_mut()[which].push(now_ns);
                }
            }
        }
        Ok(())
    });
    let (cell, _) = sim.cell_of(&program, None, &specification(128));
    sim.start(cell);
    sim.run(STEPS).unwrap();
    let woken = times.borrow().each_ref().map(Vec::len);
    assert_eq!(woken[0], TIMERS as usize, "without slack each fires by itself");
    // Each fires at a multiple of 2^19 ns, of which there are at most four within 1.6 ms.
    assert!((1..=4).contains(&woken[1]), "{woken:?}");
}
