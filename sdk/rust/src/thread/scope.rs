//! Threads that use what lives longer than they do.

use alloc::sync::Arc;
use core::marker::PhantomData;

use hallows_abi::Error;

use super::{Mutex, Returned, STACK_BYTES, joined, returning};
use crate::sys::thread::block::start_borrowing;
use crate::sys::thread::{Patience, Running};

/// Within which threads are started that are over when it is.
#[derive(Debug)]
pub struct Scope<'scope, 'env: 'scope> {
    /// Those that nobody has joined.
    threads: Mutex<alloc::vec::Vec<Arc<Running>>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Runs this with a scope, and waits for the threads that it has started there. They may use whatever lives outside of it.
///
/// Natively, when the program is being ended, it still waits for them: they must return as well.
pub fn scope<'env, T>(body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T) -> T {
    /// Waits also if the body unwinds, as in a test.
    struct End<'s, 'scope, 'env>(&'s Scope<'scope, 'env>);
    impl Drop for End<'_, '_, '_> {
        fn drop(&mut self) {
            // They may start others meanwhile.
            while let Some(running) = self.0.next() {
                let ended = running.wait(Patience::Endless);
                assert!(ended.is_ok(), "a thread cannot be waited for here: {ended:?}");
            }
        }
    }
    let scope = Scope { threads: Mutex::default(), scope: PhantomData, env: PhantomData };
    let end = End(&scope);
    let result = body(end.0);
    drop(end);
    result
}

impl<'scope> Scope<'scope, '_> {
    /// Starts a thread that runs this.
    ///
    /// # Errors
    ///
    /// As [`spawn`](super::spawn).
    pub fn spawn<T: Send + 'scope>(
        &'scope self,
        work: impl FnOnce() -> T + Send + 'scope,
    ) -> Result<ScopedJoinHandle<'scope, T>, Error> {
        let (work, result) = returning(work);
        // Held before the thread starts: it is among those that are waited for, or there is none.
        let mut threads = self.threads.lock();
        threads.retain(|running| !running.is_over());
        threads.reserve(1);
        let running = Arc::new(start_borrowing(self, work, STACK_BYTES)?);
        threads.push(Arc::clone(&running));
        Ok(ScopedJoinHandle { running, result, scope: PhantomData })
    }

    fn next(&self) -> Option<Arc<Running>> {
        self.threads.lock().pop()
    }
}

/// A thread that was started in a [`Scope`].
#[derive(Debug)]
pub struct ScopedJoinHandle<'scope, T> {
    running: Arc<Running>,
    result: Returned<T>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits for the thread's end: what it returns.
    ///
    /// # Errors
    ///
    /// [`Error::Killed`].
    pub fn join(self) -> Result<T, Error> {
        joined(&self.running, &self.result)
    }

    /// Whether the thread is over.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.running.is_over()
    }
}
