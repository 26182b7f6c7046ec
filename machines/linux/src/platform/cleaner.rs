//! How the cleaner sleeps and is woken: one word, and a futex only when somebody really sleeps. A process has one cleaner at a time.

use std::sync::atomic::{AtomicU32, Ordering};

/// Nothing wanted; nobody sleeps.
const AWAKE: u32 = 0;
/// The cleaner is wanted.
const WANTED: u32 = 1;
/// The cleaner sleeps.
const ASLEEP: u32 = 2;

/// Wanted from the start: nothing is in stock yet.
static WORD: AtomicU32 = AtomicU32::new(WANTED);
/// How often the cleaner was stopped.
static STOPS: AtomicU32 = AtomicU32::new(0);

/// There is work for the cleaner. A system call only if it sleeps.
pub fn wake() {
    if WORD.swap(WANTED, Ordering::SeqCst) == ASLEEP {
        // SAFETY: wakes a thread that sleeps on the word, which is a static.
        unsafe {
            libc::syscall(libc::SYS_futex, WORD.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1);
        }
    }
}

/// Whether somebody wants the cleaner already: it may have something to do that can wait.
pub fn is_wanted() -> bool {
    WORD.load(Ordering::SeqCst) == WANTED
}

/// Sleeps until the engine has work for the cleaner; false if it was told to stop meanwhile. For the housekeeping thread, which
/// then calls [`hallows_engine::clean`]. A stop that came before counts as work: whoever stops says so elsewhere first.
pub fn wait_for_cleaning() -> bool {
    let stops = STOPS.load(Ordering::SeqCst);
    // A wish that came before is taken at once; else the word says that somebody sleeps, and a wish wakes.
    while WORD.swap(AWAKE, Ordering::SeqCst) != WANTED {
        if WORD.compare_exchange(AWAKE, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            // SAFETY: sleeps on a static word as long as it says so.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    WORD.as_ptr(),
                    libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                    ASLEEP,
                    std::ptr::null::<libc::timespec>(),
                );
            }
        }
    }
    STOPS.load(Ordering::SeqCst) == stops
}

/// Ends the cleaner's sleep, for good if it asks whether it should go on.
pub fn stop_cleaning() {
    STOPS.fetch_add(1, Ordering::SeqCst);
    wake();
}
