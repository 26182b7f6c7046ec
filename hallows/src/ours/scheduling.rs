//! Preemption, quanta: spinning programs and who stops them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hallows_bench::Pace;
use hallows_bench::clock;
use hallows_bench::cores::{Priority, on_core, settle};
use hallows_bench::kernels::Loop;
use hallows_bench::registry::{Place, ours};
use hallows_kernel::{Configuration, CoreId, Machine, Nanos, ThreadId};
use hallows_linux::host::cores::TimekeeperPlace;
use hallows_linux::machine::{TimekeeperMeter, keep_time_until};
use hallows_linux::platform::TrapStack;

use super::SET_UP;
use super::machine::{Bench, Cell, Checks, Programs, wrong};

/// Memory of a spinner: the loops that miss caches and fill memory need 16 MiB and more.
const SPINNER_BYTES: u64 = 80 << 20;
/// Memory of the machine of a bench.
const MACHINE_BYTES: u64 = 9 << 30;

fn spinner(bench: &Bench, kind: Loop) -> Result<Cell, hallows_bench::BenchError> {
    let cell = bench.cell("spinner", false, 0, SPINNER_BYTES)?;
    bench.start(&cell, &[&format!("loop={}", kind.name())], &[])?;
    Ok(cell)
}

fn configuration() -> Configuration {
    Configuration { memory_bytes: MACHINE_BYTES, ..Configuration::default() }
}

/// Two spinning programs, each stopped at its first check by the other's waiting: a turn is a resume, a check, and a suspension.
pub fn preempt(programs: &Arc<Programs>) -> Place<'static> {
    let programs = programs.clone();
    ours(SET_UP, 1, move |turn| {
        let bench = Bench::new(&programs, turn, Checks::With, configuration())?;
        let cells = [spinner(&bench, Loop::Arithmetic)?, spinner(&bench, Loop::Arithmetic)?];
        on_core(turn.cores.first(), Priority::Ordinary, || {
            let Ok(_stack) = TrapStack::install() else { return Err(wrong("no memory for a trap stack")) };
            let words = cells.each_ref().map(|cell| bench.kernel.word(ThreadId(cell.id.0)));
            turn.measure(|| {
                words.iter().for_each(|word| word.stop());
                if bench.kernel.step(CoreId(0)) { Ok(()) } else { Err(wrong("a spinner has ended")) }
            })
        })?
    })
}

/// One core asks, a program on the other stops.
pub fn preempt_remote(programs: &Arc<Programs>, kind: Loop) -> Place<'static> {
    let programs = programs.clone();
    ours(SET_UP, 2, move |turn| {
        let bench = Bench::new(&programs, turn, Checks::With, configuration())?;
        // Whoever is asked stops though nobody waits: the kernel is told that it ends.
        bench.kernel.shut_down();
        let cell = spinner(&bench, kind)?;
        let word = bench.kernel.word(ThreadId(cell.id.0));
        let (stopped, over, failed) = (AtomicU64::new(0), AtomicBool::new(false), AtomicBool::new(false));
        let second = turn.cores.second()?;
        let ticks = std::thread::scope(|scope| {
            scope.spawn(|| {
                let ready = settle(second, Priority::Ordinary).is_ok();
                let Ok(_stack) = TrapStack::install() else { return failed.store(true, Ordering::SeqCst) };
                while ready && !over.load(Ordering::Relaxed) {
                    let ran = bench.kernel.step(CoreId(0));
                    stopped.store(clock::end(), Ordering::Release);
                    if !ran {
                        break;
                    }
                }
                failed.store(!over.load(Ordering::Relaxed), Ordering::SeqCst);
            });
            on_core(turn.cores.first(), Priority::Ordinary, || {
                let mut ticks = turn.sample_buffer();
                let mut pace = Pace::new(turn);
                let until = clock::glance() + turn.clock.ticks(turn.budget);
                while ticks.len() < turn.sample_limit
                    && clock::glance() < until
                    && !failed.load(Ordering::Relaxed)
                {
                    pace.pause();
                    let before = stopped.load(Ordering::Acquire);
                    let asked = clock::begin();
                    word.stop();
                    let mut after = before;
                    while after == before && !failed.load(Ordering::Relaxed) {
                        after = stopped.load(Ordering::Acquire);
                    }
                    ticks.push(after.saturating_sub(asked));
                }
                over.store(true, Ordering::SeqCst);
                word.stop();
                ticks
            })
        })?;
        if failed.load(Ordering::SeqCst) {
            return Err(wrong("the spinner has ended"));
        }
        Ok(turn.single(ticks))
    })
}

/// A hundred spinning programs on one core; a run is as long as the core's loop sees it.
pub fn quantum(programs: &Arc<Programs>) -> Place<'static> {
    let programs = programs.clone();
    ours(SET_UP, 2, move |turn| {
        let bench = Bench::new(&programs, turn, Checks::With, configuration())?;
        for _ in 0..100 {
            spinner(&bench, Loop::Arithmetic)?;
        }
        let (stop, meter) = (AtomicBool::new(false), TimekeeperMeter::default());
        let second = turn.cores.second()?;
        let ticks = std::thread::scope(|scope| {
            scope.spawn(|| {
                if settle(second, Priority::Ordinary).is_ok() {
                    keep_time_until(&bench.kernel, TimekeeperPlace::OwnCore, &meter, &stop);
                }
            });
            let ticks = on_core(turn.cores.first(), Priority::Ordinary, || {
                let Ok(_stack) = TrapStack::install() else { return Vec::new() };
                let mut ticks = turn.sample_buffer();
                // Every program's start is not a run: its instance is made.
                for _ in 0..200 {
                    bench.kernel.step(CoreId(0));
                }
                let until = clock::glance() + turn.clock.ticks(turn.budget);
                while ticks.len() < turn.sample_limit && clock::glance() < until {
                    let begin = clock::begin();
                    bench.kernel.step(CoreId(0));
                    ticks.push(clock::end() - begin);
                }
                ticks
            });
            stop.store(true, Ordering::SeqCst);
            bench.kernel.machine.alarm(Nanos(0));
            ticks
        })?;
        Ok(turn.single(ticks))
    })
}
