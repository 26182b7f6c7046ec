//! Timers: many at one instant, and times in the past.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hallows_abi::{Error, Handle, OnBudget, OnNotification, OnTimer, Reply, Transfer};
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
            process.operate(timer, OnTimer::Arm { at_ns, every_ns: 0 }, &[])?;
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
            process.operate(timer, OnTimer::Arm { at_ns, every_ns: 0 }, &[])?;
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
