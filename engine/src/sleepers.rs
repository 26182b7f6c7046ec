//! Who sleeps by which word of memory: `wait` and `notify` of threads that share it.
//!
//! A thread that waits leaves its core, as in any call. Rule: it notes itself under the lock that it looks at the word under, and whoever changes
//! the word looks for sleepers behind that. Consequence: no wake-up is lost. (The futex of Linux: Franke, Russell, Kirkwood, "Fuss, futexes and
//! furwocks", OLS 2002.)

use alloc::vec::Vec;

use hallows_abi::Error;
use hallows_kernel::{Context, Engine, Kernel, Nanos, Patience, ThreadId};
use spin::Mutex;

use crate::lock::lock;

/// How a wait ended, with the numbers of the instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Woken {
    /// By somebody who notified.
    Notified = 0,
    /// It did not wait: the word was another one.
    Different = 1,
    /// By its deadline.
    Late = 2,
}

/// One that sleeps.
struct Sleeper {
    address: usize,
    thread: ThreadId,
}

/// Those that sleep, the longest first.
#[derive(Default)]
pub(crate) struct Sleepers(Mutex<Vec<Sleeper>>);

impl Sleepers {
    /// Nobody.
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// Lets the calling thread sleep by an address, if `is_expected` says that the word there is as it was.
    ///
    /// # Errors
    ///
    /// `NotInHandler`; `Killed` if its patience is not endless.
    pub fn wait<E: Engine>(
        &self,
        kernel: &Kernel<E>,
        context: &mut Context,
        address: usize,
        is_expected: impl FnOnce() -> bool,
        (patience, deadline): (Patience, Nanos),
    ) -> Result<Woken, Error> {
        let thread = context.thread;
        {
            let mut sleepers = lock(&self.0);
            if !is_expected() {
                return Ok(Woken::Different);
            }
            sleepers.push(Sleeper { address, thread });
        }
        let sleeps = || lock(&self.0).iter().any(|sleeper| sleeper.thread == thread);
        let result = kernel.park_thread(context, patience, deadline, sleeps);
        if result == Ok(false) {
            return Ok(Woken::Notified);
        }
        let mut sleepers = lock(&self.0);
        let place = sleepers.iter().position(|sleeper| sleeper.thread == thread);
        let Some(place) = place else {
            // Notified meanwhile, which is not lost with its deadline.
            return result.map(|_| Woken::Notified);
        };
        sleepers.remove(place);
        result.map(|_| Woken::Late)
    }

    /// Wakes at most so many of those that sleep by an address, the longest first: how many.
    pub fn notify<E: Engine>(
        &self,
        kernel: &Kernel<E>,
        context: &mut Context,
        address: usize,
        most: u32,
    ) -> u32 {
        let mut count = 0;
        while count < most {
            let woken = {
                let mut sleepers = lock(&self.0);
                let place = sleepers.iter().position(|sleeper| sleeper.address == address);
                place.map(|place| sleepers.remove(place))
            };
            let Some(woken) = woken else { break };
            kernel.unpark_thread(context, woken.thread);
            count += 1;
        }
        count
    }
}
