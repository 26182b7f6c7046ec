//! Cores that are lent to threads of another pool, and taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hallows_abi::Error;
use hallows_bench::cores::{Priority, on_core, settle};
use hallows_bench::kernels::Loop;
use hallows_bench::registry::{Place, ours};
use hallows_bench::turn::Turn;
use hallows_bench::{BenchError, Pace, clock};
use hallows_kernel::{Configuration, CoreId, Machine, Pool, Rooted, Service, ThreadId};
use hallows_linux::platform::TrapStack;
use hallows_sdk::native::{NativeProgram, NativeReactor, NativeStyle};
use hallows_sdk::{Answer, Message, Server, Start};

use super::machine::{Bench, Checks, Programs, wrong};

/// Which way a core goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// To a thread that waits, of the other pool.
    Lent,
    /// To a thread of its own, from a guest that would run for ever.
    TakenBack,
}

/// The pool whose core is lent, the kernel's core 0, and the one that has a core which is never driven.
const LENDER: u32 = 0;
const NEEDY: u32 = 1;
/// Between two samples a guest gets the core again, which takes some 6 µs.
const REST: Duration = Duration::from_micros(20);

/// When the program that is woken began last, by the time-stamp counter. A static, since a native program has no other way to its bench.
static BEGAN: AtomicU64 = AtomicU64::new(0);

struct Noting;

impl Server for Noting {
    fn new(_: &Start<'_>) -> Result<Self, Error> {
        Ok(Self)
    }

    fn message<'a>(&'a mut self, _: Message<'a>) -> Answer<'a> {
        BEGAN.store(clock::end(), Ordering::Release);
        Answer::Later
    }
}

static NOTING: NativeProgram =
    NativeProgram { name: "bench-noting", style: NativeStyle::Reactor(NativeReactor::of::<Noting, 8, 8>()) };

/// From a message's sending to its receiver's first instruction on the core that is lent, or taken back.
pub fn lend(programs: &Arc<Programs>, way: Way) -> Place<'static> {
    let programs = programs.clone();
    let set_up = "two pools in one kernel of this executable; one core is driven, the other's threads can only run there; who sends looks after time \
                  on the second core";
    ours(set_up, 2, move |turn| {
        let pools = [true, false].map(|lends| Pool { cores: 1, lends }).to_vec();
        let configuration =
            Configuration { cores: 2, pools, memory_bytes: 1 << 30, ..Configuration::default() };
        let bench = Bench::new(&programs, turn, Checks::With, configuration)?;
        let pool = if way == Way::Lent { NEEDY } else { LENDER };
        let noting = bench.native_in(&NOTING, pool)?;
        let endpoint = bench.endpoint(&noting, Service::Active { limit: 1 })?;
        bench.start(&noting, &[], &[])?;
        let mut guest = None;
        if way == Way::TakenBack {
            let spinner = bench.cell_in("spinner", NEEDY, 80 << 20)?;
            bench.start(&spinner, &[&format!("loop={}", Loop::Arithmetic.name())], &[])?;
            guest = Some(bench.kernel.word(ThreadId(spinner.id.0)));
        }
        let over = AtomicBool::new(false);
        let second = turn.cores.second()?;
        let ticks = std::thread::scope(|scope| {
            let driver = scope.spawn(|| {
                settle(second, Priority::Ordinary)?;
                let Ok(_stack) = TrapStack::install() else {
                    return Err(wrong("no memory for a trap stack"));
                };
                bench.kernel.machine.adopt(CoreId(0));
                while !over.load(Ordering::Relaxed) {
                    if !bench.kernel.step(CoreId(0)) {
                        std::hint::spin_loop();
                    }
                }
                Ok(())
            });
            let ticks = on_core(turn.cores.first(), Priority::Ordinary, || {
                sample(turn, way, &bench, &endpoint, &driver)
            });
            over.store(true, Ordering::SeqCst);
            // A guest that runs for ever has to be asked.
            bench.kernel.shut_down();
            while !driver.is_finished() {
                guest.iter().for_each(|word| word.stop());
            }
            driver.join().map_err(|_| wrong("the core that is lent panicked"))?.and(ticks?)
        })?;
        Ok(turn.single(ticks))
    })
}

fn sample<T>(
    turn: &Turn<'_>,
    way: Way,
    bench: &Bench,
    endpoint: &Rooted,
    driver: &std::thread::ScopedJoinHandle<'_, T>,
) -> Result<Vec<u64>, BenchError> {
    let tick = || bench.kernel.tick(bench.kernel.machine.now());
    let send = || {
        let before = BEGAN.load(Ordering::Acquire);
        let asked = clock::begin();
        bench
            .kernel
            .boot_send(&bench.right, endpoint, 0, &[])
            .map_err(|error| bench.failed(&error.to_string()))?;
        loop {
            let began = BEGAN.load(Ordering::Acquire);
            if began != before {
                return Ok(began.saturating_sub(asked));
            }
            if driver.is_finished() {
                return Err(bench.failed("the core that is lent has stopped"));
            }
            tick();
        }
    };
    let rest = turn.clock.ticks(REST);
    let loans = || bench.kernel.picture_cores().first().map_or(0, |core| core.loans);
    // A receiver of the other pool borrows the core itself; to one of its own it is given back only if a guest has it.
    let mut seen = 0;
    let mut wait = || {
        loop {
            let until = clock::glance() + rest;
            while clock::glance() < until {
                tick();
            }
            let before = std::mem::replace(&mut seen, loans());
            if way == Way::Lent || seen > before || driver.is_finished() {
                return;
            }
        }
    };
    let (mut ticks, mut pace) = (turn.sample_buffer(), Pace::new(turn));
    // The first ones start the programs.
    for _ in 0..10 {
        send()?;
        wait();
    }
    let until = clock::glance() + turn.clock.ticks(turn.budget);
    while ticks.len() < turn.sample_limit && clock::glance() < until {
        pace.pause();
        ticks.push(send()?);
        wait();
    }
    Ok(ticks)
}
