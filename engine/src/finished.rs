//! Instances that the cleaner made and that are over, until it drops them: dropping one frees dozens of pieces of memory, which is no
//! work for a program's core.

use alloc::boxed::Box;
use alloc::vec::Vec;
use hallows_kernel::Machine;
use spin::Mutex;

use crate::body::Body;
use crate::lock::lock;
use crate::platform::platform;

/// How many may wait. Beyond, who ends a program drops its instance: the cleaner does not keep up.
const WAITING_MOST: usize = 256;

/// The cleaner is told when so many more wait: often enough for their memories to be missed by nobody, seldom enough for the telling,
/// which may be a system call, not to be felt.
const TOLD_EVERY: usize = 16;

/// The cleaner is told at once of a memory of so many bytes.
const LARGE_BYTES: u64 = 1 << 20;

/// Instances of all engines of the process.
static FINISHED: Mutex<Vec<Box<dyn Send>>> = Mutex::new(Vec::new());

/// Takes the room, the first time: putting one there does not allocate.
pub(crate) fn reserve() {
    lock(&FINISHED).reserve_exact(WAITING_MOST);
}

/// Leaves an instance, which holds so many bytes, to the cleaner.
pub(crate) fn put<M: Machine>(body: Box<Body<M>>, bytes: u64) {
    let waiting = {
        let mut finished = lock(&FINISHED);
        if finished.len() >= WAITING_MOST {
            drop(finished);
            drop(body);
            return;
        }
        finished.push(body);
        finished.len()
    };
    if waiting.is_multiple_of(TOLD_EVERY) || bytes >= LARGE_BYTES {
        platform().wake_cleaner();
    }
}

/// Drops those that wait. Whether there were any.
pub(crate) fn clean() -> bool {
    let mut busy = false;
    // One at a time: who ends a program meanwhile waits for no drop.
    loop {
        let Some(body) = lock(&FINISHED).pop() else { return busy };
        drop(body);
        busy = true;
    }
}
