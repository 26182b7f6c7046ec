//! How the cleaner sleeps and is woken: one word, and a futex only when somebody really sleeps.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Nothing wanted; nobody sleeps.
const AWAKE: u32 = 0;
/// The cleaner is wanted.
const WANTED: u32 = 1;
/// The cleaner sleeps.
const ASLEEP: u32 = 2;

static WORD: AtomicU32 = AtomicU32::new(AWAKE);
static STOPPED: AtomicBool = AtomicBool::new(false);

/// There is work for the cleaner. A system call only if it sleeps.
pub(super) fn wake() {
    if WORD.swap(WANTED, Ordering::SeqCst) == ASLEEP {
        // SAFETY: wakes a thread that sleeps on the word, which is a static.
        unsafe {
            libc::syscall(libc::SYS_futex, WORD.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1);
        }
    }
}

/// Sleeps until the engine has work for the cleaner; false: there will be no more. For the housekeeping thread, which then calls
/// [`hallows_engine::clean`].
pub fn wait_for_cleaning() -> bool {
    // A wish that came before is taken at once; else the word says that somebody sleeps, and a wish wakes.
    while WORD.swap(AWAKE, Ordering::SeqCst) != WANTED {
        if STOPPED.load(Ordering::SeqCst) {
            return false;
        }
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
    !STOPPED.load(Ordering::SeqCst)
}

/// Lets [`wait_for_cleaning`] return false, now and from now on.
pub fn stop_cleaning() {
    STOPPED.store(true, Ordering::SeqCst);
    wake();
}
