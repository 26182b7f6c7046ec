//! Fibers: a core's loop is one, and every thread of execution is one on top of the core that runs it. All unsafe code of this crate is here.
//!
//! As in `machines/sim`, a thread's fiber stops because it gives the core up, or because the whole core has to wait: for a cache line, for time to
//! pass.

use std::cell::RefCell;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};
use hallows_counted_kernel::{CoreId, Stop, ThreadId};

use crate::world::{NOBODY, world};

/// Bytes of a fiber's stack: kernel frames of unoptimised code, no programs.
const STACK_BYTES: usize = 128 << 10;

/// Why a thread's fiber stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// Its core waits.
    Paused,
    /// The thread gives the core up.
    Suspended,
}

/// The stack of a thread of execution.
pub type ThreadFiber = Coroutine<CoreId, Stopped, Stop, DefaultStack>;
/// The stack of a core's loop, or of a timekeeper's.
pub type CoreFiber = Coroutine<(), (), (), DefaultStack>;

/// How code on a thread's stack switches away.
#[derive(Clone, Copy)]
pub struct ThreadYielder(*const Yielder<CoreId, Stopped>);
/// How code on a core's stack switches away.
#[derive(Clone, Copy)]
pub struct CoreYielder(*const Yielder<(), ()>);

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

/// The fiber of an actor that runs `body`.
pub fn core_fiber(actor: u32, body: impl FnOnce() + 'static) -> CoreFiber {
    Coroutine::with_stack(stack(), move |yielder, ()| {
        world(|world| world.actor(actor).yielder = Some(CoreYielder(yielder)));
        body();
        world(|world| world.actor(actor).yielder = None);
    })
}

/// Runs a thread on the calling core's fiber until it suspends itself or ends.
pub fn run_thread(core: CoreId, thread: ThreadId, mut fiber: ThreadFiber) -> Stop {
    world(|world| world.actor(core.0).thread = thread.0);
    loop {
        match fiber.resume(core) {
            CoroutineResult::Yield(Stopped::Paused) => yield_actor(core.0),
            CoroutineResult::Yield(Stopped::Suspended) => {
                world(|world| {
                    world.actor(core.0).thread = NOBODY;
                    world.thread(thread).fiber = Some(fiber);
                });
                return Stop::Suspended;
            }
            CoroutineResult::Return(stop) => {
                world(|world| world.actor(core.0).thread = NOBODY);
                keep(fiber.into_stack());
                return stop;
            }
        }
    }
}

/// Lets an actor's fiber go on. False: its body has returned.
pub fn run_actor(actor: u32) -> bool {
    let fiber = world(|world| {
        world.on = actor;
        world.actor(actor).fiber.take()
    });
    let Some(mut fiber) = fiber else { panic!("actor {actor} has no fiber") };
    let stopped = fiber.resume(());
    world(|world| world.on = NOBODY);
    match stopped {
        CoroutineResult::Yield(()) => {
            world(|world| world.actor(actor).fiber = Some(fiber));
            true
        }
        CoroutineResult::Return(()) => {
            keep(fiber.into_stack());
            false
        }
    }
}

fn yield_actor(actor: u32) {
    let yielder = world(|world| world.actor(actor).yielder);
    let Some(CoreYielder(yielder)) = yielder else { panic!("actor {actor} has no stack to leave") };
    // SAFETY: an actor's yielder is set by its fiber and taken back before the fiber's function returns, and only code on that fiber's own stack
    // comes here, so the yielder lives further down this very stack.
    unsafe { &*yielder }.suspend(());
}

fn yield_thread(thread: ThreadId, why: Stopped) -> CoreId {
    let yielder = world(|world| world.thread(thread).yielder);
    let Some(ThreadYielder(yielder)) = yielder else { panic!("thread {thread} has no stack to leave") };
    // SAFETY: as in `yield_actor`: `pause` and `suspend_thread` make sure that the calling code is on this thread's stack.
    unsafe { &*yielder }.suspend(why)
}

/// Has the actor that runs wait until the simulation lets it go on.
pub fn pause() {
    let (actor, thread) = world(|world| (world.on, world.standing()));
    match thread {
        NOBODY => yield_actor(actor),
        thread => {
            yield_thread(ThreadId(thread), Stopped::Paused);
        }
    }
}

/// Suspends the running thread; the core that resumes it.
pub fn suspend_thread(thread: ThreadId) -> CoreId {
    assert_eq!(world(|world| world.standing()), thread.0, "a thread was suspended by somebody else");
    yield_thread(thread, Stopped::Suspended)
}
