//! Scopes: tasks that end before the scope does.
//!
//! The tasks are kept in the future of the scope, and polled by it. So they can borrow what lives longer than it, and there is
//! no way for them to go on without it: when it is dropped they are, and when it is forgotten nobody polls them.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};

use hallows_abi::Error;

use super::flag::Flag;

/// Where tasks are started. A clone is the same scope, so that a task can start others.
#[derive(Clone)]
pub struct Scope<'env>(Rc<Tasks<'env>>);

struct Tasks<'env> {
    /// Those that are not being polled just now.
    jobs: RefCell<Vec<Job<'env>>>,
    /// No task is started any more.
    is_closed: Cell<bool>,
    /// Who polls the scope.
    waker: RefCell<Option<Waker>>,
}

struct Job<'env> {
    future: Pin<Box<dyn Future<Output = ()> + 'env>>,
    flag: Arc<Flag>,
}

/// Runs `body`, which starts tasks, and ends when it and all of them are done. They may borrow what lives outside of it. If it is
/// dropped before, all of them are.
///
/// ```
/// use hallows_sdk::task::{self, Events};
///
/// let numbers = [1, 2, 3];
/// let sum = Events::new().block_on(task::scope(async |scope| {
///     let tasks: Vec<_> = numbers.iter().map(|number| scope.spawn(async move { number * 10 })).collect();
///     let mut sum = 0;
///     for task in tasks {
///         sum += task.await.expect("nobody cancels the scope");
///     }
///     sum
/// }));
/// # hallows_testing::link();
/// assert_eq!(sum, Ok(60));
/// ```
///
/// What lives inside of the body is gone before its tasks, so they cannot borrow it:
///
/// ```compile_fail,E0373
/// use hallows_sdk::task::{self, Events};
///
/// Events::new().block_on(task::scope(async |scope| {
///     let number = 1;
///     scope.spawn(async { number + 1 });
/// }));
/// ```
pub async fn scope<'env, T>(body: impl AsyncFnOnce(Scope<'env>) -> T) -> T {
    let tasks =
        Rc::new(Tasks { jobs: RefCell::default(), is_closed: Cell::new(false), waker: RefCell::default() });
    // Dropped after the body, which is declared later: what the tasks of a dropped scope hold goes last.
    let _end = End(&tasks);
    let mut body = pin!(body(Scope(tasks.clone())));
    let mut flag = Flag::new(Waker::noop().clone());
    let mut output = None;
    poll_fn(|context| {
        *tasks.waker.borrow_mut() = Some(context.waker().clone());
        Flag::under(&mut flag, context.waker());
        if output.is_none()
            && flag.take()
            && let Poll::Ready(done) =
                body.as_mut().poll(&mut Context::from_waker(&Waker::from(flag.clone())))
        {
            output = Some(done);
        }
        let are_done = tasks.poll(context.waker());
        if are_done && let Some(output) = output.take() { Poll::Ready(output) } else { Poll::Pending }
    })
    .await
}

impl<'env> Scope<'env> {
    /// Starts a task. It is first polled when the body or the task that starts it waits. Wait for what it gives with `.await`, or let it
    /// go: the scope waits for it anyhow.
    pub fn spawn<T: 'env>(&self, future: impl Future<Output = T> + 'env) -> Task<T> {
        let place = Rc::new(Place { state: RefCell::new(Progress::Running(None)) });
        let task = Task(place.clone());
        let finish = Finish(place);
        if !self.0.is_closed.get() {
            let future = Box::pin(async move {
                let output = future.await;
                finish.0.settle(Progress::Done(output));
            });
            let flag = Flag::new(Waker::noop().clone());
            self.0.jobs.borrow_mut().push(Job { future, flag });
            self.0.wake();
        }
        task
    }

    /// Ends all tasks where they wait: their futures are dropped before any of them is polled again. None is started any more. The body goes
    /// on.
    pub fn cancel(&self) {
        self.0.is_closed.set(true);
        self.0.wake();
    }

    /// Whether the scope was cancelled or is over.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.is_closed.get()
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Scope").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

impl Tasks<'_> {
    fn wake(&self) {
        if let Some(waker) = &*self.waker.borrow() {
            waker.wake_by_ref();
        }
    }

    /// Polls the tasks that were woken, and those that they start. Whether none is left.
    fn poll(&self, parent: &Waker) -> bool {
        let mut kept = Vec::new();
        loop {
            let round = core::mem::take(&mut *self.jobs.borrow_mut());
            if round.is_empty() {
                break;
            }
            for mut job in round {
                // A task that is cancelled is not polled again: it is dropped here.
                if self.is_closed.get() {
                    continue;
                }
                Flag::under(&mut job.flag, parent);
                let waker = Waker::from(job.flag.clone());
                let is_done =
                    job.flag.take() && job.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
                if !is_done {
                    kept.push(job);
                }
            }
        }
        if self.is_closed.get() {
            kept.clear();
        }
        // Dropping a task may have started others on a scope that is open.
        let mut jobs = self.jobs.borrow_mut();
        kept.append(&mut jobs);
        *jobs = kept;
        jobs.is_empty()
    }
}

/// The end of a scope, however it comes.
struct End<'s, 'env>(&'s Rc<Tasks<'env>>);

impl Drop for End<'_, '_> {
    fn drop(&mut self) {
        self.0.is_closed.set(true);
        // Taken out first: a task's own end may look at the scope.
        let jobs = core::mem::take(&mut *self.0.jobs.borrow_mut());
        drop(jobs);
    }
}

/// A task of a scope. As a future it gives what the task gave.
pub struct Task<T>(Rc<Place<T>>);

/// The task's scope was cancelled before it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled;

impl fmt::Display for Cancelled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the task's scope was cancelled before it was done")
    }
}

impl core::error::Error for Cancelled {}

impl From<Cancelled> for Error {
    fn from(_: Cancelled) -> Self {
        Self::Gone
    }
}

enum Progress<T> {
    Running(Option<Waker>),
    Done(T),
    Ended,
}

struct Place<T> {
    state: RefCell<Progress<T>>,
}

impl<T> Place<T> {
    fn settle(&self, progress: Progress<T>) {
        let before = self.state.replace(progress);
        if let Progress::Running(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// Says so when a task is dropped before it is done.
struct Finish<T>(Rc<Place<T>>);

impl<T> Drop for Finish<T> {
    fn drop(&mut self) {
        let is_running = matches!(*self.0.state.borrow(), Progress::Running(_));
        if is_running {
            self.0.settle(Progress::Ended);
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Cancelled>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state.borrow_mut();
        match core::mem::replace(&mut *state, Progress::Ended) {
            Progress::Running(_) => {
                *state = Progress::Running(Some(context.waker().clone()));
                Poll::Pending
            }
            Progress::Done(output) => Poll::Ready(Ok(output)),
            Progress::Ended => Poll::Ready(Err(Cancelled)),
        }
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_running = matches!(*self.0.state.borrow(), Progress::Running(_));
        formatter.debug_struct("Task").field("is_running", &is_running).finish_non_exhaustive()
    }
}
