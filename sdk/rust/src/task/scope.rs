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
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};

use hallows_abi::Error;

use super::flag::Flag;

/// Where tasks are started. A clone is the same scope, so that a task can start others.
#[derive(Clone)]
pub struct Scope<'env>(Rc<Tasks<'env>>);

struct Tasks<'env> {
    jobs: RefCell<Jobs<'env>>,
    /// Places of those that were started and not polled yet.
    fresh: RefCell<Vec<usize>>,
    /// No task is started any more.
    is_closed: Cell<bool>,
    /// Who polls the scope.
    waker: RefCell<Option<Waker>>,
}

/// All tasks that are not done, each in a place of its own.
#[derive(Default)]
struct Jobs<'env> {
    places: Vec<Place<'env>>,
    free: Vec<usize>,
    /// Which of 64 places each were woken.
    woken: Vec<Arc<AtomicU64>>,
}

enum Place<'env> {
    Free,
    /// Its task is being polled.
    Polled,
    Waits(Job<'env>),
}

struct Job<'env> {
    future: Pin<Box<dyn Future<Output = ()> + 'env>>,
    flag: Arc<Flag>,
}

impl<'env> Jobs<'env> {
    fn add(&mut self, future: Pin<Box<dyn Future<Output = ()> + 'env>>, parent: &Waker) -> usize {
        let place = self.free.pop().unwrap_or(self.places.len());
        if place == self.places.len() {
            self.places.push(Place::Free);
            self.woken.resize_with(place / 64 + 1, Arc::default);
        }
        let flag = self.flag(place, parent);
        self.put(place, Place::Waits(Job { future, flag }));
        place
    }

    fn flag(&self, place: usize, parent: &Waker) -> Arc<Flag> {
        let word = self.woken.get(place / 64).cloned().unwrap_or_default();
        Flag::of(word, 1 << (place % 64), parent.clone())
    }

    fn put(&mut self, place: usize, what: Place<'env>) {
        if let Some(old) = self.places.get_mut(place) {
            *old = what;
        }
    }

    /// The task of a place, which is put back or leaves it free.
    fn take(&mut self, place: usize) -> Option<Job<'env>> {
        let place = self.places.get_mut(place)?;
        match core::mem::replace(place, Place::Polled) {
            Place::Waits(job) => Some(job),
            other => {
                *place = other;
                None
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
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
    let tasks = Rc::new(Tasks {
        jobs: RefCell::default(),
        fresh: RefCell::default(),
        is_closed: Cell::new(false),
        waker: RefCell::default(),
    });
    // Dropped after the body, which is declared later: what the tasks of a dropped scope hold goes last.
    let _end = End(&tasks);
    let mut body = pin!(body(Scope(tasks.clone())));
    let mut flag = Flag::new(Waker::noop().clone());
    let mut output = None;
    poll_fn(|context| {
        tasks.come_under(context.waker());
        Flag::under(&mut flag, context.waker());
        if output.is_none()
            && flag.take()
            && let Poll::Ready(done) =
                body.as_mut().poll(&mut Context::from_waker(&Waker::from(flag.clone())))
        {
            output = Some(done);
        }
        let are_done = tasks.poll();
        if are_done && let Some(output) = output.take() { Poll::Ready(output) } else { Poll::Pending }
    })
    .await
}

impl<'env> Scope<'env> {
    /// Starts a task. It is first polled when the body or the task that starts it waits. Wait for what it gives with `.await`, or let it
    /// go: the scope waits for it anyhow.
    pub fn spawn<T: 'env>(&self, future: impl Future<Output = T> + 'env) -> Task<T> {
        let outcome = Rc::new(Outcome { state: RefCell::new(Progress::Running(None)) });
        let task = Task(outcome.clone());
        let finish = Finish(outcome);
        if !self.0.is_closed.get() {
            let future = Box::pin(async move {
                let output = future.await;
                finish.0.settle(Progress::Done(output));
            });
            let parent = self.0.waker.borrow().clone();
            let place =
                self.0.jobs.borrow_mut().add(future, &parent.unwrap_or_else(|| Waker::noop().clone()));
            self.0.fresh.borrow_mut().push(place);
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

    /// Who polls the scope from now on. If it is another one than before, all tasks are polled, because what they wait for would still wake that.
    fn come_under(&self, parent: &Waker) {
        let mut waker = self.waker.borrow_mut();
        if waker.as_ref().is_some_and(|waker| waker.will_wake(parent)) {
            return;
        }
        *waker = Some(parent.clone());
        let mut jobs = self.jobs.borrow_mut();
        // New words: a waker of before would set a bit, and the next one would find it set and wake nobody.
        jobs.woken = jobs.woken.iter().map(|_| Arc::new(AtomicU64::new(u64::MAX))).collect();
        let flags: Vec<_> = (0..jobs.places.len()).map(|place| jobs.flag(place, parent)).collect();
        for (place, flag) in jobs.places.iter_mut().zip(flags) {
            if let Place::Waits(job) = place {
                job.flag = flag;
            }
        }
    }

    /// Polls the tasks that were woken, and those that they start. Whether none is left.
    fn poll(&self) -> bool {
        let mut word = 0;
        // The words may become more meanwhile: what was started is polled below.
        while let Some(woken) = { self.jobs.borrow().woken.get(word).cloned() } {
            // AcqRel: as where one flag is taken. Mostly nobody was woken, and to look is cheaper.
            let mut bits =
                if woken.load(Ordering::Relaxed) == 0 { 0 } else { woken.swap(0, Ordering::AcqRel) };
            while bits != 0 {
                self.poll_one(word * 64 + bits.trailing_zeros() as usize);
                bits &= bits - 1;
            }
            word += 1;
        }
        loop {
            let fresh = core::mem::take(&mut *self.fresh.borrow_mut());
            if fresh.is_empty() {
                break;
            }
            for place in fresh {
                self.poll_one(place);
            }
        }
        if self.is_closed.get() {
            self.clear();
        }
        self.jobs.borrow().is_empty()
    }

    fn poll_one(&self, place: usize) {
        // A task that is cancelled is not polled again.
        if self.is_closed.get() {
            return;
        }
        let Some(mut job) = ({ self.jobs.borrow_mut().take(place) }) else { return };
        let waker = Waker::from(job.flag.clone());
        if job.future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            self.jobs.borrow_mut().put(place, Place::Waits(job));
            return;
        }
        // Its own end may look at the scope, and start others on it.
        drop(job);
        let mut jobs = self.jobs.borrow_mut();
        jobs.put(place, Place::Free);
        jobs.free.push(place);
    }

    /// Drops all tasks, of a scope that is closed.
    fn clear(&self) {
        // Taken out first: a task's own end may look at the scope.
        let jobs = core::mem::take(&mut *self.jobs.borrow_mut());
        drop(jobs);
    }
}

/// The end of a scope, however it comes.
struct End<'s, 'env>(&'s Rc<Tasks<'env>>);

impl Drop for End<'_, '_> {
    fn drop(&mut self) {
        self.0.is_closed.set(true);
        self.0.clear();
    }
}

/// A task of a scope. As a future it gives what the task gave.
pub struct Task<T>(Rc<Outcome<T>>);

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

struct Outcome<T> {
    state: RefCell<Progress<T>>,
}

impl<T> Outcome<T> {
    fn settle(&self, progress: Progress<T>) {
        let before = self.state.replace(progress);
        if let Progress::Running(Some(waker)) = before {
            waker.wake();
        }
    }
}

/// Says so when a task is dropped before it is done.
struct Finish<T>(Rc<Outcome<T>>);

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
