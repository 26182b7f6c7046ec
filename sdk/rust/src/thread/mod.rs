//! Threads of one cell: several at a time in one program, over one memory (feature `threads`).
//!
//! ```no_run
//! use hallows_sdk::thread::{self, Mutex};
//!
//! # fn sums() -> Result<(), hallows_sdk::Error> {
//! let (numbers, sum) = ([3, 4, 5, 6], Mutex::new(0));
//! thread::scope(|threads| {
//!     for half in numbers.chunks(2) {
//!         threads.spawn(|| *sum.lock() += half.iter().sum::<i32>())?;
//!     }
//!     Ok::<_, hallows_sdk::Error>(())
//! })?;
//! assert_eq!(sum.into_inner(), 18);
//! # Ok(())
//! # }
//! ```
//!
//! - A thread is scheduled like a cell: on any core that its cell may run on, and stopped like anything else. It has the cell's capabilities, and
//!   an inbox of its own: notifications that it binds and answers to what it sends are its own, messages to the cell's endpoints the first thread's.
//! - It costs the cell's budget 80 KiB, as WebAssembly also its tables and some bytes for each function, and its stack ([`Builder::stack_bytes`]) the
//!   heap. When either is used up, or the cell has 64 further threads, [`spawn`] says so.
//! - When the first thread returns, the cell is over, and with it all of them. A thread that traps ends its cell.
//! - [`Mutex`], [`Condvar`] and [`Barrier`] are for threads to wait for each other; who waits gives his core to others.
//! - [`thread_local!`](crate::thread_local) declares what each thread has of its own.
//!
//! As WebAssembly a program with threads is built with atomics and a shared memory: `docs/programs.md` says how. Built without, [`spawn`] is
//! [`Error::Unsupported`], and all else works.

mod barrier;
mod condvar;
mod scope;

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;

use hallows_abi::Error;

use crate::sys::thread::{Patience, Running, start};

pub use crate::sys::thread::local::LocalKey;
pub use crate::sys::thread::mutex::{Mutex, MutexGuard};
pub use barrier::Barrier;
pub use condvar::Condvar;
pub use scope::{Scope, ScopedJoinHandle, scope};

/// Bytes of a thread's stack if nothing else is said: as the first one's.
pub const STACK_BYTES: usize = 65_536;

/// Starts a thread that runs this.
///
/// # Errors
///
/// [`Error::BudgetExhausted`], [`Error::TableFull`]: there cannot be one more. [`Error::Unsupported`] of a cell with a time budget, and of a program
/// that was built without atomics; [`Error::NotInHandler`] in a passive server; [`Error::Killed`].
pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<JoinHandle<T>, Error> {
    Builder::new().spawn(work)
}

/// How a thread is started.
#[derive(Clone, Copy, Debug)]
pub struct Builder {
    stack_bytes: usize,
}

impl Builder {
    /// With a stack of [`STACK_BYTES`].
    #[must_use]
    pub const fn new() -> Self {
        Self { stack_bytes: STACK_BYTES }
    }

    /// With a stack of so many bytes, at least 1,024, out of the program's heap. One that is too small ends the cell at the thread's end, or makes
    /// other data wrong before: nothing guards it. Natively all stacks are large and guarded.
    #[must_use]
    pub const fn stack_bytes(self, bytes: usize) -> Self {
        Self { stack_bytes: bytes }
    }

    /// Starts a thread.
    ///
    /// # Errors
    ///
    /// As [`spawn`]; [`Error::BadArgument`] of a stack that no memory has room for.
    pub fn spawn<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, Error> {
        let (work, result) = returning(work);
        Ok(JoinHandle { running: start(work, self.stack_bytes)?, result })
    }
}

/// Where a thread leaves what it returns.
type Returned<T> = Arc<Mutex<Option<T>>>;

/// Work that leaves what it returns there.
fn returning<'w, T: Send + 'w>(
    work: impl FnOnce() -> T + Send + 'w,
) -> (Box<impl FnOnce() + Send + 'w>, Returned<T>) {
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    let work = move || {
        let value = work();
        *place.lock() = Some(value);
    };
    (Box::new(work), result)
}

/// Waits for a thread's end: what it has returned.
fn joined<T>(running: &Running, result: &Returned<T>) -> Result<T, Error> {
    running.wait(Patience::UntilKilled)?;
    let value = result.lock().take();
    value.ok_or(Error::Killed)
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

/// A thread that was started. When this is dropped the thread goes on, and nobody learns what it returns.
pub struct JoinHandle<T> {
    running: Running,
    result: Returned<T>,
}

impl<T> JoinHandle<T> {
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

    /// The number that `hallows ps` and backtraces name it by.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.running.number()
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JoinHandle").field("number", &self.number()).finish_non_exhaustive()
    }
}

/// Declares data that each thread has of its own, made by this expression when the thread first asks for it, and dropped with the thread.
///
/// ```no_run
/// use core::cell::Cell;
///
/// hallows_sdk::thread_local! {
///     /// How often this thread was asked.
///     static ASKED: Cell<u32> = Cell::new(0);
/// }
///
/// ASKED.with(|asked| asked.set(asked.get() + 1));
/// ```
#[macro_export]
macro_rules! thread_local {
    ($($(#[$attribute:meta])* $visible:vis static $name:ident: $type:ty = $value:expr;)+) => {$(
        $(#[$attribute])*
        $visible static $name: $crate::thread::LocalKey<$type> = $crate::thread::LocalKey::new(|| $value);
    )+};
}
