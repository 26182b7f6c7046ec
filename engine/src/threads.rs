//! Threads of execution as fibers: resuming one, and suspending.
//!
//! A thread has a stack only while something of it is on one: it gets it when it is resumed anew, and gives it back when what it ran
//! returns. Between events a reactor has none.

use core::cell::UnsafeCell;

use alloc::boxed::Box;

use hallows_abi::FaultKind;
use hallows_kernel::{CellId, Context, CoreId, Kernel, Machine, Role, Stop, ThreadId};

use crate::WasmEngine;
#[cfg(feature = "native")]
use crate::cells::Plan;
use crate::ended::orderly;
#[cfg(feature = "native")]
use crate::family::ThreadStart;
use crate::fiber::{leave, prepare, switch};
#[cfg(feature = "native")]
use crate::native_threads::NativeThread;
use crate::platform::NoMemory;
use crate::platform::local::{self, Word};
use crate::stacks::{STACKS, Stack};

/// Stacks that a core keeps for its next fibers without taking a lock.
const CACHED: usize = 8;

/// What a fiber says when it leaves its stack: it will be back, or not.
const SUSPENDED: usize = 0;
const OVER: usize = 1;

/// What a new fiber needs to know.
struct Start<M: Machine> {
    engine: *const WasmEngine<M>,
    kernel: *const Kernel<WasmEngine<M>>,
    thread: ThreadId,
    cell: CellId,
    role: Role,
}

/// A thread of execution. Used by the core that runs it: its loop below, its fiber above.
struct Thread<M: Machine> {
    /// Where it goes on; null when it has no stack.
    fiber: *mut u8,
    /// Where the core goes on that runs it.
    host: *mut u8,
    stack: Option<Stack>,
    /// Its words of the core's own, while it does not run.
    wasmtime: *mut u8,
    native: *mut u8,
    start: Option<Start<M>>,
    stop: Option<Stop>,
}

/// All threads, and the stacks that each core keeps.
pub(crate) struct Threads<M: Machine> {
    threads: Box<[UnsafeCell<Thread<M>>]>,
    caches: Box<[Cache]>,
}

/// A core's own stacks, alone on their cache line.
#[derive(Default)]
#[repr(align(64))]
struct Cache(UnsafeCell<Kept>);

#[derive(Default)]
struct Kept {
    stacks: [Option<Stack>; CACHED],
    count: usize,
}

// SAFETY: a thread is resumed by one core at a time, and never while it runs (contract of `Engine`); a cache is used only by
// its core's loop, in `resume`.
unsafe impl<M: Machine> Sync for Threads<M> {}
// SAFETY: nothing in it belongs to a thread of the host.
unsafe impl<M: Machine> Send for Threads<M> {}

impl<M: Machine> Threads<M> {
    pub fn new(threads: u32, cores: u32) -> Self {
        let thread = || {
            UnsafeCell::new(Thread {
                fiber: core::ptr::null_mut(),
                host: core::ptr::null_mut(),
                stack: None,
                wasmtime: core::ptr::null_mut(),
                native: core::ptr::null_mut(),
                start: None,
                stop: None,
            })
        };
        Self {
            threads: (0..threads).map(|_| thread()).collect(),
            caches: (0..cores).map(|_| Cache::default()).collect(),
        }
    }

    fn take_stack(&self, core: CoreId) -> Result<Stack, NoMemory> {
        if let Some(cache) = self.caches.get(core.index()) {
            // SAFETY: this is the core's loop, alone with its cache.
            let kept = unsafe { &mut *cache.0.get() };
            if let Some(stack) = kept.count.checked_sub(1).and_then(|last| kept.stacks.get_mut(last)?.take())
            {
                kept.count -= 1;
                return Ok(stack);
            }
        }
        STACKS.take()
    }

    fn put_stack(&self, core: CoreId, stack: Stack) {
        if stack.is_large() {
            return STACKS.put(stack);
        }
        if let Some(cache) = self.caches.get(core.index()) {
            // SAFETY: as in `take_stack`.
            let kept = unsafe { &mut *cache.0.get() };
            if let Some(place) = kept.stacks.get_mut(kept.count) {
                *place = Some(stack);
                kept.count += 1;
                return;
            }
        }
        STACKS.put(stack);
    }

    /// Runs a thread until it stops; see `Engine::resume`.
    #[inline]
    pub fn resume(
        &self,
        engine: &WasmEngine<M>,
        kernel: &Kernel<WasmEngine<M>>,
        core: CoreId,
        thread: ThreadId,
        cell: CellId,
        role: Role,
    ) -> Stop {
        // A pointer and not a reference: the fiber uses the same record while this function waits in `switch`.
        let record = self.threads[thread.index()].get();
        // SAFETY: this core alone runs the thread; `record` is valid as long as the engine. What is switched to was saved by the
        // fiber's last `switch`, or is a new one on a stack of its own.
        unsafe {
            if (*record).fiber.is_null() {
                let is_large = engine.cells.entry(cell).wants_large_stack();
                let stack = if is_large { STACKS.take_large() } else { self.take_stack(core) };
                let Ok(stack) = stack else {
                    #[cfg(feature = "native")]
                    if let Some(Plan::Thread(ThreadStart::Native { function, block })) =
                        engine.cells.entry(cell).take_plan()
                    {
                        // Its program waits for it, whatever becomes of the cell.
                        NativeThread::new(function, block).is_over(kernel, &mut Context::new(core, thread));
                    }
                    return Stop::Finished(orderly(FaultKind::OutOfMemory));
                };
                (*record).start = Some(Start { engine, kernel, thread, cell, role });
                (*record).stack = Some(stack);
                (*record).fiber = prepare(STACKS.top(stack), fiber::<M>, record.cast());
            }
            let outside = local::get::<{ Word::Wasmtime as usize }>();
            let outside_native = local::get::<{ Word::Native as usize }>();
            local::set::<{ Word::Wasmtime as usize }>((*record).wasmtime);
            local::set::<{ Word::Native as usize }>((*record).native);
            let why = switch(&raw mut (*record).host, (*record).fiber, core.index());
            (*record).wasmtime = local::get::<{ Word::Wasmtime as usize }>();
            (*record).native = local::get::<{ Word::Native as usize }>();
            local::set::<{ Word::Wasmtime as usize }>(outside);
            local::set::<{ Word::Native as usize }>(outside_native);
            if why == SUSPENDED {
                return Stop::Suspended;
            }
            (*record).fiber = core::ptr::null_mut();
            (*record).wasmtime = core::ptr::null_mut();
            (*record).native = core::ptr::null_mut();
            if let Some(stack) = (*record).stack.take() {
                self.put_stack(core, stack);
            }
            (*record).stop.take().unwrap_or(Stop::Idle)
        }
    }

    /// Stops the calling thread; see `Engine::suspend`.
    #[inline]
    pub fn suspend(&self, context: &mut Context) {
        let record = self.threads[context.thread.index()].get();
        // SAFETY: the caller runs on the thread's fiber, which its core resumed and waits for at `host`.
        let core = unsafe { switch(&raw mut (*record).fiber, (*record).host, SUSPENDED) };
        context.core = core_id(core);
    }
}

impl<M: Machine> Drop for Threads<M> {
    fn drop(&mut self) {
        // Stacks go back to the process's pool, also those that something was suspended on: it can never go on, as resuming needs
        // this table. What lay on them is leaked, not dropped.
        for record in &mut self.threads {
            if let Some(stack) = record.get_mut().stack.take() {
                STACKS.put(stack);
            }
        }
        for cache in &mut self.caches {
            cache.0.get_mut().stacks.iter_mut().filter_map(Option::take).for_each(|stack| STACKS.put(stack));
        }
    }
}

/// A core's number as it went through a switch.
fn core_id(word: usize) -> CoreId {
    CoreId(u32::try_from(word).unwrap_or(u32::MAX))
}

/// The first function on every fiber's stack.
extern "sysv64" fn fiber<M: Machine>(argument: *mut (), core: usize) -> ! {
    let record = argument.cast::<Thread<M>>();
    // SAFETY: `resume` passed the thread's record, which lives as long as the engine, and waits for this fiber. Everything that
    // `run` had on this stack is dropped when the stack is left.
    unsafe {
        if let Some(start) = (*record).start.take() {
            let (engine, kernel) = (&*start.engine, &*start.kernel);
            let mut context = Context::new(core_id(core), start.thread);
            let stop = crate::run::run(engine, kernel, &mut context, start.cell, start.role);
            (*record).stop = Some(stop);
        }
        leave((*record).host, OVER)
    }
}
