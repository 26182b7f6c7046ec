//! Fibers: a core's loop is one, and every thread of execution is one on top of the core that runs it.
//!
//! A thread's fiber stops for two reasons: it suspends itself (the kernel's `suspend`: the core goes on with another
//! thread), or it pauses (the simulation takes the whole core out of time at this point, and other cores go on).

use std::cell::RefCell;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use hallows_kernel::{CoreId, Stop, ThreadId};

use crate::world::world;

/// Bytes of a fiber's stack: eight nested handlers of unoptimised code with their kernel frames take about a quarter of it.
const STACK_BYTES: usize = 512 << 10;

/// Why a thread's fiber stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The core is taken out of time.
    Paused,
    /// The thread gives the core up.
    Suspended,
}

/// Why a core's fiber stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreStopped {
    /// It goes on whenever it is its turn.
    Paused,
    /// It sleeps.
    Parked,
}

/// The stack of a thread of execution.
pub type ThreadFiber = Coroutine<CoreId, Stopped, Stop, DefaultStack>;
/// The stack of a core's loop.
pub type CoreFiber = Coroutine<(), CoreStopped, (), DefaultStack>;

/// How code on a thread's stack switches away.
#[derive(Clone, Copy)]
pub struct ThreadYielder(*const Yielder<CoreId, Stopped>);
/// How code on a core's stack switches away.
#[derive(Clone, Copy)]
pub struct CoreYielder(*const Yielder<(), CoreStopped>);

thread_local! {
    /// Stacks for the next fibers: making one is a system call.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

fn stack() -> DefaultStack {
    STACKS.with_borrow_mut(Vec::pop).unwrap_or_else(|| match DefaultStack::new(STACK_BYTES) {
        Ok(stack) => stack,
        Err(error) => panic!("no memory for a fiber's stack: {error}"),
    })
}

fn keep(stack: DefaultStack) {
    STACKS.with_borrow_mut(|stacks| stacks.push(stack));
}

/// A thread's fiber that runs `body`.
pub fn thread_fiber(thread: ThreadId, body: impl FnOnce(CoreId) -> Stop + 'static) -> ThreadFiber {
    Coroutine::with_stack(stack(), move |yielder, core| {
        world(|world| world.thread(thread).yielder = Some(ThreadYielder(yielder)));
        let stop = body(core);
        world(|world| world.thread(thread).yielder = None);
        stop
    })
}

/// A core's fiber that runs `body`.
pub fn core_fiber(core: CoreId, body: impl FnOnce() + 'static) -> CoreFiber {
    Coroutine::with_stack(stack(), move |yielder, ()| {
        world(|world| world.core(core).yielder = Some(CoreYielder(yielder)));
        body();
        world(|world| world.core(core).yielder = None);
    })
}

/// Runs a thread on the calling core's fiber until it suspends itself or ends.
pub fn run_thread(core: CoreId, thread: ThreadId, mut fiber: ThreadFiber) -> Stop {
    world(|world| world.core(core).thread = Some(thread.0));
    loop {
        match fiber.resume(core) {
            CoroutineResult::Yield(Stopped::Paused) => yield_core(core, CoreStopped::Paused),
            CoroutineResult::Yield(Stopped::Suspended) => {
                world(|world| {
                    world.core(core).thread = None;
                    world.thread(thread).fiber = Some(fiber);
                });
                return Stop::Suspended;
            }
            CoroutineResult::Return(stop) => {
                world(|world| world.core(core).thread = None);
                keep(fiber.into_stack());
                return stop;
            }
        }
    }
}

/// Lets a core's fiber go on. What it did; none when its loop has returned.
pub fn run_core(core: CoreId) -> Option<CoreStopped> {
    let fiber = world(|world| {
        world.on = Some(core.0);
        world.core(core).fiber.take()
    });
    let Some(mut fiber) = fiber else { panic!("core {core} has no fiber") };
    let stopped = fiber.resume(());
    world(|world| world.on = None);
    match stopped {
        CoroutineResult::Yield(stopped) => {
            world(|world| world.core(core).fiber = Some(fiber));
            Some(stopped)
        }
        CoroutineResult::Return(()) => {
            keep(fiber.into_stack());
            None
        }
    }
}

fn yield_core(core: CoreId, why: CoreStopped) {
    let yielder = world(|world| world.core(core).yielder);
    let Some(CoreYielder(yielder)) = yielder else { panic!("core {core} has no stack to leave") };
    // SAFETY: a core's yielder is set by its fiber and taken back before the fiber's function returns, and only code on
    // that fiber's own stack comes here, so the yielder lives further down this very stack.
    unsafe { &*yielder }.suspend(why);
}

fn yield_thread(thread: ThreadId, why: Stopped) -> CoreId {
    let yielder = world(|world| world.thread(thread).yielder);
    let Some(ThreadYielder(yielder)) = yielder else { panic!("thread {thread} has no stack to leave") };
    // SAFETY: as in `yield_core`: `on_stack_of` and `suspend_thread` make sure that the calling code is on this thread's stack.
    unsafe { &*yielder }.suspend(why)
}

/// Whose stack is running: the core's, and the thread's on top of it.
fn standing() -> Option<(CoreId, Option<ThreadId>)> {
    world(|world| {
        let core = CoreId(world.on?);
        Some((core, world.core(core).thread.map(ThreadId)))
    })
}

/// Takes the running core out of time here. Does nothing on the simulation's own stack (boot, the timekeeper).
pub fn pause() {
    match standing() {
        None => {}
        Some((core, None)) => yield_core(core, CoreStopped::Paused),
        Some((_, Some(thread))) => {
            yield_thread(thread, Stopped::Paused);
        }
    }
}

/// Puts the running core to sleep. On its own stack only: a thread does not park.
pub fn park(core: CoreId) {
    assert_eq!(standing(), Some((core, None)), "a core was parked by somebody else");
    yield_core(core, CoreStopped::Parked);
}

/// Suspends the running thread; the core that resumes it.
pub fn suspend_thread(thread: ThreadId) -> CoreId {
    assert!(
        matches!(standing(), Some((_, Some(on))) if on == thread),
        "thread {thread} was suspended by somebody else"
    );
    yield_thread(thread, Stopped::Suspended)
}
