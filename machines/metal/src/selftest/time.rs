//! Checks of clock, timer and randomness.

use alloc::{format, string::String};
use core::sync::atomic::{AtomicU64, Ordering};

use x86_64::instructions::interrupts;

use super::{Outcome, ensure};
use crate::arch::{clock, entropy, interrupts::Interrupted, timer};

static ALARMS: AtomicU64 = AtomicU64::new(0);
static LAST_ALARM_NS: AtomicU64 = AtomicU64::new(0);

fn note_alarm(_: Interrupted) {
    LAST_ALARM_NS.store(clock::now_ns(), Ordering::SeqCst);
    ALARMS.fetch_add(1, Ordering::SeqCst);
}

/// Sleeps until so many alarms have come.
fn sleep_until(alarms: u64) {
    loop {
        interrupts::disable();
        if ALARMS.load(Ordering::SeqCst) >= alarms {
            interrupts::enable();
            return;
        }
        // No interrupt comes between the two: the one that matters ends the sleep.
        interrupts::enable_and_hlt();
    }
}

/// Alarms of 20 µs to 20 ms: each comes, once, and not before its time.
pub fn the_clock_and_the_timer_agree() -> Outcome {
    timer::on_alarm(note_alarm);
    let mut earliest_late_ns = u64::MAX;
    for round in 0..20 {
        let before = ALARMS.load(Ordering::SeqCst);
        let at_ns = clock::now_ns() + 20_000 * (1 << (round % 11));
        timer::set_alarm(at_ns);
        sleep_until(before + 1);
        let came_ns = LAST_ALARM_NS.load(Ordering::SeqCst);
        ensure!(came_ns >= at_ns, "an alarm for {at_ns} came at {came_ns}");
        ensure!(ALARMS.load(Ordering::SeqCst) == before + 1, "one alarm came twice");
        earliest_late_ns = earliest_late_ns.min(came_ns - at_ns);
    }
    // An alarm in the past is due at once.
    let before = ALARMS.load(Ordering::SeqCst);
    timer::set_alarm(1);
    sleep_until(before + 1);
    Ok(format!("at best {earliest_late_ns} ns late"))
}

/// An alarm that is replaced by a later one does not come.
pub fn a_cancelled_alarm_stays_silent() -> Outcome {
    timer::on_alarm(note_alarm);
    let before = ALARMS.load(Ordering::SeqCst);
    let start_ns = clock::now_ns();
    timer::set_alarm(start_ns + 1_000_000_000);
    timer::set_alarm(timer::NEVER);
    timer::set_alarm(start_ns + 3_000_000_000);
    timer::set_alarm(start_ns + 5_000_000);
    sleep_until(before + 1);
    let came_ns = LAST_ALARM_NS.load(Ordering::SeqCst) - start_ns;
    ensure!(came_ns >= 5_000_000, "came after {came_ns} ns");
    let mut distance_ns = 10_000_000;
    loop {
        let before = ALARMS.load(Ordering::SeqCst);
        let at_ns = clock::now_ns() + distance_ns;
        timer::set_alarm(at_ns);
        timer::set_alarm(timer::NEVER);
        if clock::now_ns() >= at_ns {
            // The host took the core away in between, and it may have come rightly: again, with more room.
            distance_ns *= 2;
            continue;
        }
        while clock::now_ns() < at_ns + distance_ns {
            core::hint::spin_loop();
        }
        ensure!(ALARMS.load(Ordering::SeqCst) == before, "a cancelled alarm came");
        break;
    }
    Ok(String::from("the last one set counts"))
}

/// A generator that is stuck would give the same bytes again.
pub fn random_bytes_differ() -> Outcome {
    let (first, second) = (entropy::random_bytes(), entropy::random_bytes());
    ensure!(first != second && first != [0; 16], "{first:x?} and {second:x?}");
    Ok(String::from("two draws"))
}
