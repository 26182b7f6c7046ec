//! Threads of one cell as threads of the host. They run beside the machine, whose calls answer the first one only, in real time.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hallows_sdk::Error;
use hallows_sdk::abi::{NO_DEADLINE, THREAD_IS_OVER};

use crate::exports::store;
use crate::kernel;

/// How a wait ended, as the engine says it.
const NOTIFIED: i64 = 0;
const DIFFERENT: i64 = 1;
const LATE: i64 = 2;

/// Those that wait, the longest first: the addresses of their words, and a number for each.
struct Sleepers {
    list: Vec<(usize, u64)>,
    next: u64,
}

static SLEEPERS: Mutex<Sleepers> = Mutex::new(Sleepers { list: Vec::new(), next: 0 });
static WOKEN: Condvar = Condvar::new();

/// What a thread has the machine do when it is over.
struct Release(Option<Box<dyn FnOnce()>>);

impl Drop for Release {
    fn drop(&mut self) {
        if let Some(release) = self.0.take() {
            release();
        }
    }
}

thread_local! {
    static BLOCK: Cell<usize> = const { Cell::new(0) };
    static RELEASE: RefCell<Release> = const { RefCell::new(Release(None)) };
}

fn sleepers() -> MutexGuard<'static, Sleepers> {
    SLEEPERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a thread that runs this, and then says so in its block.
pub fn start(run: impl FnOnce() + Send + 'static, block: usize) -> Result<(), Error> {
    kernel::now()?;
    let thread = std::thread::Builder::new().spawn(move || {
        BLOCK.set(block);
        // Whoever waits for it must not wait for ever: the test sees that it has no result.
        let _ = catch_unwind(AssertUnwindSafe(run));
        store(block, THREAD_IS_OVER);
        notify(block, u32::MAX);
    });
    thread.map(drop).map_err(|_| Error::BudgetExhausted)
}

/// What this thread keeps.
pub fn block() -> usize {
    BLOCK.get()
}

/// Lets this thread keep something.
pub fn keep(block: usize, release: Box<dyn FnOnce()>) {
    BLOCK.set(block);
    RELEASE.set(Release(Some(release)));
}

/// Waits by a word, until a time of the machine's.
pub fn wait(address: usize, is_expected: impl Fn() -> bool, deadline: u64) -> i64 {
    let mut sleepers = sleepers();
    if !is_expected() {
        return DIFFERENT;
    }
    let left = deadline.saturating_sub(kernel::now().unwrap_or(0));
    let until = (deadline != NO_DEADLINE).then(|| Instant::now() + Duration::from_nanos(left));
    let me = sleepers.next;
    sleepers.next += 1;
    sleepers.list.push((address, me));
    loop {
        let Some(place) = sleepers.list.iter().position(|(_, number)| *number == me) else { return NOTIFIED };
        sleepers = match until.map(|until| until.saturating_duration_since(Instant::now())) {
            None => WOKEN.wait(sleepers).unwrap_or_else(PoisonError::into_inner),
            Some(Duration::ZERO) => {
                sleepers.list.remove(place);
                return LATE;
            }
            Some(left) => WOKEN.wait_timeout(sleepers, left).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}

/// Wakes at most so many of those that wait by a word: how many.
pub fn notify(address: usize, most: u32) -> u32 {
    let mut sleepers = sleepers();
    let mut count = 0;
    sleepers.list.retain(|(word, _)| {
        let wakes = *word == address && count < most;
        count += u32::from(wakes);
        !wakes
    });
    WOKEN.notify_all();
    count
}
