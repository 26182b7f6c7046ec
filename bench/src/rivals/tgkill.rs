//! `tgkill`: stop a thread on another core, whatever it is doing, by a signal. How Go and others preempt.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use hallows_bench_kernels::{Loop, Spinner};
use nix::sys::signal::{SaFlags, SigHandler, SigSet};

use super::priority_text;
use crate::clock;
use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, on_core};
use crate::error::BenchError;
use crate::pace::Pace;
use crate::samples::Samples;
use crate::turn::Turn;

/// Which real-time signal: the first few are used by libraries.
const SIGNAL_OFFSET: libc::c_int = 7;

/// When the handler began last. Statics, since a handler has no other way to reach anything.
static STOPPED_AT: AtomicU64 = AtomicU64::new(0);
/// How often it began.
static STOPS: AtomicU64 = AtomicU64::new(0);
/// One user of the signal at a time.
static IN_USE: Mutex<()> = Mutex::new(());

/// From asking on the first core until a handler runs on the second, which is busy with a loop.
pub struct Tgkill {
    kind: Loop,
}

impl Tgkill {
    /// A rival that interrupts this loop.
    #[must_use]
    pub const fn new(kind: Loop) -> Self {
        Self { kind }
    }
}

impl Contestant for Tgkill {
    fn describe(&self) -> Description {
        Description {
            name: "tgkill".to_owned(),
            configuration: format!(
                "two threads, pinned, {}; from before the tgkill system call to the handler's first instruction, \
                 by the two cores' time-stamp counters; 5 to 7 µs between signals; the other core runs the {} loop",
                priority_text(Priority::RealtimeIfAllowed),
                self.kind.name()
            ),
            cores_used: 2,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let spinning_core = turn.cores.second()?;
        let _only_us = IN_USE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let _handler = Handler::install()?;
        let (thread, stop) = (AtomicI32::new(0), AtomicBool::new(false));
        let mut spinner = Spinner::new(self.kind);
        std::thread::scope(|scope| {
            let spinning = scope.spawn(|| {
                on_core(spinning_core, Priority::RealtimeIfAllowed, || {
                    thread.store(nix::unistd::gettid().as_raw(), Ordering::SeqCst);
                    // Relaxed: it carries nothing but itself.
                    while !stop.load(Ordering::Relaxed) {
                        spinner.step();
                    }
                })
            });
            while thread.load(Ordering::SeqCst) == 0 && !spinning.is_finished() {
                std::thread::yield_now();
            }
            let target = thread.load(Ordering::SeqCst);
            let samples =
                on_core(turn.cores.first(), Priority::RealtimeIfAllowed, || interrupt(turn, target));
            stop.store(true, Ordering::Relaxed);
            match spinning.join() {
                Ok(result) => result?,
                Err(panic) => std::panic::resume_unwind(panic),
            }
            samples?
        })
    }
}

fn interrupt(turn: &Turn<'_>, target: libc::pid_t) -> Result<Samples, BenchError> {
    let process = nix::unistd::getpid().as_raw();
    let signal = signal_number();
    let mut ticks = turn.sample_buffer();
    let until = clock::glance() + turn.clock.ticks(turn.budget);
    let mut pace = Pace::new(turn);
    // The first few only warm up.
    let mut warm_ups = 10u32;
    loop {
        pace.pause();
        let stops = STOPS.load(Ordering::SeqCst);
        let asked = clock::begin();
        // SAFETY: no memory is involved; the handler is installed.
        if unsafe { libc::syscall(libc::SYS_tgkill, process, target, signal) } != 0 {
            return Err(BenchError::last_os("send a signal to a thread"));
        }
        while STOPS.load(Ordering::SeqCst) == stops {}
        let took = STOPPED_AT
            .load(Ordering::SeqCst)
            .checked_sub(asked)
            .ok_or_else(|| BenchError::Wrong("the two cores' time-stamp counters disagree".to_owned()))?;

        if warm_ups > 0 {
            warm_ups -= 1;
            continue;
        }
        ticks.push(took);
        if ticks.len() == turn.sample_limit || clock::glance() >= until {
            return Ok(turn.single(ticks));
        }
    }
}

extern "C" fn note_the_time(_signal: libc::c_int) {
    let now = clock::glance();
    STOPPED_AT.store(now, Ordering::SeqCst);
    STOPS.fetch_add(1, Ordering::SeqCst);
}

fn signal_number() -> libc::c_int {
    libc::SIGRTMIN() + SIGNAL_OFFSET
}

/// The installed handler; the previous action returns when it is dropped.
struct Handler {
    previous: libc::sigaction,
}

impl Handler {
    fn install() -> Result<Self, BenchError> {
        // nix knows no real-time signals; its types still build the action.
        let action = nix::sys::signal::SigAction::new(
            SigHandler::Handler(note_the_time),
            SaFlags::SA_RESTART,
            SigSet::empty(),
        );
        let action: libc::sigaction = action.into();
        let mut previous = std::mem::MaybeUninit::uninit();
        // SAFETY: both pointers are valid; the handler only touches atomics and reads a counter.
        match unsafe { libc::sigaction(signal_number(), &raw const action, previous.as_mut_ptr()) } {
            // SAFETY: the call succeeded, so it wrote the previous action.
            0 => Ok(Self { previous: unsafe { previous.assume_init() } }),
            _ => Err(BenchError::last_os("install a signal handler")),
        }
    }
}

impl Drop for Handler {
    fn drop(&mut self) {
        // SAFETY: the action came from the kernel. It cannot fail: the same signal was accepted before.
        unsafe { libc::sigaction(signal_number(), &raw const self.previous, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, play_twice, refuses_one_core};
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn every_loop_is_interrupted() {
        for kind in Loop::ALL {
            if has_second_core() {
                play_twice(&mut Tgkill::new(kind), Sampling::Single, 5);
            }
            refuses_one_core(&mut Tgkill::new(kind));
        }
    }

    #[test]
    fn the_previous_action_comes_back() {
        let _only_us = IN_USE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let current = || {
            let mut action = std::mem::MaybeUninit::uninit();
            // SAFETY: a query writes the current action.
            unsafe {
                assert_eq!(libc::sigaction(signal_number(), std::ptr::null(), action.as_mut_ptr()), 0);
                action.assume_init().sa_sigaction
            }
        };
        let before = current();
        let handler = Handler::install().expect("installed");
        assert_ne!(current(), before);
        drop(handler);
        assert_eq!(current(), before);
    }
}
