//! Drives the kernel on the only core: runs threads, keeps time, cleans, sleeps.

use core::{
    ptr::null_mut,
    sync::atomic::{AtomicPtr, Ordering},
};

use hallows_engine::WasmEngine;
use hallows_kernel::{CoreId, Machine};
use x86_64::instructions::interrupts;

use crate::{
    arch::{clock, interrupts::Interrupted, timer},
    machine::MetalMachine,
    platform,
};

/// The kernel of a bare machine.
pub type Kernel = hallows_kernel::Kernel<WasmEngine<MetalMachine>>;

/// The only core.
const CORE: CoreId = CoreId(0);

/// When the alarm tries again that found the machine at work, in nanoseconds: short beside a quantum, long beside the interrupt
/// that a try costs.
const RETRY_NS: u64 = 20_000;

/// How long after a rest the first thread that runs is looked at, at most, in nanoseconds: quanta and budgets begin with that look.
const FIRST_LOOK_NS: u64 = 100_000;

/// The kernel that is being driven, for the alarm; null when none is.
static DRIVEN: AtomicPtr<Kernel> = AtomicPtr::new(null_mut());

/// Runs threads until `is_over` says so, which is asked whenever one has stopped and before every sleep.
pub fn run(kernel: &Kernel, mut is_over: impl FnMut(&Kernel) -> bool) {
    timer::on_alarm(on_alarm);
    DRIVEN.store((&raw const *kernel).cast_mut(), Ordering::SeqCst);
    let mut rested = true;
    while !is_over(kernel) {
        if kernel.machine.is_tick_due() {
            tick(kernel);
        }
        if platform::take_cleaning_wish() {
            hallows_engine::clean();
        }
        if rested {
            // A timekeeper that saw nothing run may not look for long, and nobody tells it when a thread starts on the core.
            kernel.machine.alarm(kernel.machine.now().after(FIRST_LOOK_NS));
        }
        rested = !kernel.step(CORE);
        if rested {
            tick(kernel);
            sleep(kernel);
        }
    }
    timer::set_alarm(timer::NEVER);
    DRIVEN.store(null_mut(), Ordering::SeqCst);
}

fn tick(kernel: &Kernel) {
    let next = kernel.tick(kernel.machine.now());
    // "As soon as possible, again and again" is for a timekeeper with a core of its own; a timer can wait for the quantum's end.
    kernel.machine.plan_tick(next.at);
}

/// Halts the processor until an interrupt has made something to do.
fn sleep(kernel: &Kernel) {
    interrupts::disable();
    if kernel.machine.is_tick_due() || platform::is_cleaning_wanted() {
        interrupts::enable();
    } else {
        // No interrupt comes between the two instructions: the one that matters ends the sleep.
        interrupts::enable_and_hlt();
    }
}

/// The alarm, in the interrupt.
///
/// A program that was interrupted holds no lock of the machine, nor does anybody else on the only core: time is kept at once,
/// which stops the program if its quantum is over. Otherwise the machine is at work, and the next turn of [`run`] keeps time, or, if the
/// machine goes back into a program first, the next try.
fn on_alarm(interrupted: Interrupted) {
    // SAFETY: `run` borrows the kernel for as long as the pointer is there.
    let Some(kernel) = (unsafe { DRIVEN.load(Ordering::SeqCst).as_ref() }) else { return };
    match interrupted {
        Interrupted::Program => tick(kernel),
        Interrupted::Machine => timer::set_alarm(clock::now_ns() + RETRY_NS),
    }
}
