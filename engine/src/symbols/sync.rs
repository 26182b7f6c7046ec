//! wasmtime's locks: spinning ones. They guard its registries of types and code, which change when programs are loaded; starting
//! a program and a trap only read them. None is held across a call of ours, so none is ever held by a suspended fiber.

use core::sync::atomic::{AtomicUsize, Ordering};

use crate::platform::platform;

/// A lock that is held for writing; any other number is that of its readers.
const WRITER: usize = usize::MAX;

fn word<'a>(lock: *mut usize) -> &'a AtomicUsize {
    // SAFETY: wasmtime passes the address of a lock's own word, which lives as long as the lock.
    unsafe { AtomicUsize::from_ptr(lock) }
}

/// Changes the word from what `next` accepts to what it says, and waits until it accepts something.
fn until(lock: *mut usize, next: impl Fn(usize) -> Option<usize>) {
    let mut looks = 0;
    // Acquire: what the last holder wrote is seen. Relaxed on failure: the loop looks again.
    while word(lock).fetch_update(Ordering::Acquire, Ordering::Relaxed, &next).is_err() {
        looks += 1;
        platform().relax(looks);
    }
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_lock_free(_lock: *mut usize) {}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_lock_acquire(lock: *mut usize) {
    until(lock, |value| (value == 0).then_some(WRITER));
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_lock_release(lock: *mut usize) {
    // Release, here and below: what the holder wrote is seen by the next one.
    word(lock).store(0, Ordering::Release);
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_rwlock_read(lock: *mut usize) {
    until(lock, |value| (value < WRITER - 1).then(|| value + 1));
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_rwlock_read_release(lock: *mut usize) {
    word(lock).fetch_sub(1, Ordering::Release);
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_rwlock_write(lock: *mut usize) {
    until(lock, |value| (value == 0).then_some(WRITER));
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_rwlock_write_release(lock: *mut usize) {
    word(lock).store(0, Ordering::Release);
}

#[unsafe(no_mangle)]
extern "C" fn wasmtime_sync_rwlock_free(_lock: *mut usize) {}
