//! How much processor time a thread has had, asked from any other thread.

use std::sync::atomic::{AtomicI32, Ordering};

/// No clock: the wall's. (`CLOCK_MONOTONIC` is 1; clocks of threads are negative.)
const NO_CLOCK: i32 = libc::CLOCK_MONOTONIC;

/// The processor-time clock of a thread, once it has one.
#[derive(Debug)]
pub struct ThreadClock(AtomicI32);

impl Default for ThreadClock {
    fn default() -> Self {
        Self(AtomicI32::new(NO_CLOCK))
    }
}

impl ThreadClock {
    /// It is the calling thread's from now on.
    pub fn adopt(&self) {
        let mut clock = 0;
        // SAFETY: asks for the clock of the calling thread, which is alive, and writes it to a variable of ours.
        let failed = unsafe { libc::pthread_getcpuclockid(libc::pthread_self(), &raw mut clock) } != 0;
        // Relaxed: only a number; who reads the old one has no clock yet.
        self.0.store(if failed { NO_CLOCK } else { clock }, Ordering::Relaxed);
    }

    /// Nanoseconds of processor time that the thread has had; nothing if it has no clock or is over.
    pub fn used_ns(&self) -> Option<u64> {
        let clock = self.0.load(Ordering::Relaxed);
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: reads a clock into a variable of ours; of a thread that is gone it fails.
        if clock == NO_CLOCK || unsafe { libc::clock_gettime(clock, &raw mut time) } != 0 {
            return None;
        }
        Some(time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_threads_own_work_counts() {
        let clock = ThreadClock::default();
        assert_eq!(clock.used_ns(), None);
        std::thread::scope(|scope| {
            let (ready, wait) = std::sync::mpsc::channel();
            let (end, ended) = std::sync::mpsc::channel::<()>();
            let clock = &clock;
            scope.spawn(move || {
                clock.adopt();
                ready.send(()).unwrap();
                let _ = ended.recv();
            });
            wait.recv().unwrap();
            let before = clock.used_ns().unwrap();
            let own = ThreadClock::default();
            own.adopt();
            let start = own.used_ns().unwrap();
            while own.used_ns().unwrap() < start + 20_000_000 {}
            assert!(clock.used_ns().unwrap() - before < 10_000_000, "it slept meanwhile");
            drop(end);
        });
    }
}
