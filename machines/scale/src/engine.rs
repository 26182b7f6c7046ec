//! The engine under the counted kernel: reactors that take their requests' time, and a word of memory for each cell.

use std::sync::Arc;

use hallows_abi::{Error, EventKind, FaultKind, MAX_MESSAGE};
use hallows_counted_kernel::{
    Access, Activation, CellId, Context, CoreId, Ended, Engine, Failure, HandleList, Handled, Kernel,
    Outgoing, Role, Stop, Style, ThreadId, Unmappable,
};

use crate::driver::{Driver, driver};
use crate::fiber;
use crate::machine::ScaleMachine;
use crate::names::Who;
use crate::world::{NOBODY, now_ps, wait_until, world};

/// Empty: the world of this host thread holds its state.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScaleEngine;

/// The front of a cell's memory, of which only a word is there: the number of a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    cell: u32,
    length: usize,
}

const WORD: usize = size_of::<u64>();

/// Takes as long as a request does, with checks of the preemption word. Requests that come to the core meanwhile are handed over at the next check,
/// as by a driver that polls.
fn compute(driver: &Driver, context: &mut Context, request: u32) -> Result<(), Error> {
    let mut left = driver.service_ps(request);
    let thread = context.thread;
    while left > 0 && !world(|world| world.over) {
        if driver.kernel.word(thread).is_set() {
            driver.kernel.preempted(context)?;
            continue;
        }
        let core = context.core.0;
        let came = driver.hand_over(context.core);
        let began = now_ps();
        world(|world| world.computes[thread.index()] = core);
        wait_until((began + left).min(came.unwrap_or(u64::MAX)).max(began));
        world(|world| world.computes[thread.index()] = NOBODY);
        let got = (now_ps() - began).min(left);
        left -= got;
        world(|world| world.here().spent.work += got);
    }
    Ok(())
}

/// The loop of a reactor: as an engine runs it.
fn react(core: CoreId, thread: ThreadId, cell: CellId) -> Stop {
    let driver = driver();
    let mut context = Context::new(core, thread);
    let buffer = Memory { cell: cell.0, length: WORD };
    loop {
        let mut handles = HandleList::EMPTY;
        let event = match driver.kernel.next_event(&mut context, buffer, &mut handles) {
            Ok(None) => return Stop::Idle,
            Ok(Some(event)) if event.kind == EventKind::Message => event,
            Ok(Some(_)) => continue,
            Err(_) => break,
        };
        let request = world(|world| world.thread(thread).memory) as u32;
        if compute(&driver, &mut context, request).is_err() {
            break;
        }
        driver.done(request);
        let nothing = Outgoing { bytes: Memory::default(), transfers: &[] };
        // Nobody waits for it: all that it could say is that its sender is gone.
        let _ = driver.kernel.answer_and_continue(&mut context, event.token, nothing);
        driver.free(context.core, cell.0);
    }
    Stop::Finished(Ended { kind: FaultKind::Killed, backtrace: "".into() })
}

impl Engine for ScaleEngine {
    type Machine = ScaleMachine;
    type Program = ();
    type Bytes = Memory;

    fn length(&self, bytes: Memory) -> usize {
        bytes.length
    }

    fn read(&self, from: Memory, to: &mut [u8]) {
        let word = world(|world| world.threads[from.cell as usize].memory.to_le_bytes());
        to.copy_from_slice(&word[..to.len()]);
    }

    fn write(&self, to: Memory, from: &[u8]) {
        let mut word = [0; WORD];
        word[..from.len()].copy_from_slice(from);
        world(|world| world.threads[to.cell as usize].memory = u64::from_le_bytes(word));
    }

    fn copy(&self, from: Memory, to: Memory, length: usize) {
        let mut bytes = [0; WORD];
        self.read(from, &mut bytes[..length]);
        self.write(to, &bytes[..length]);
    }

    fn style(&self, (): &()) -> Style {
        Style::Reactor
    }

    fn initial_memory(&self, (): &()) -> u64 {
        u64::from(MAX_MESSAGE)
    }

    fn memory_in_use(&self, _: CellId) -> u64 {
        u64::from(MAX_MESSAGE)
    }

    fn prepare(&self, _: CellId, _: &Arc<()>, _: u64) {}

    fn release(&self, _: CellId) {}

    fn resume(&self, _: &Kernel<Self>, core: CoreId, thread: ThreadId, cell: CellId, _: Role) -> Stop {
        let fiber = world(|world| {
            world.settle(Who::Busy);
            world.thread(thread).fiber.take()
        });
        let fiber =
            fiber.unwrap_or_else(|| fiber::thread_fiber(thread, move |core| react(core, thread, cell)));
        let stop = fiber::run_thread(core, thread, fiber);
        world(|world| world.actor(core.0).is_done = true);
        stop
    }

    fn suspend(&self, context: &mut Context) {
        context.core = fiber::suspend_thread(context.thread);
    }

    fn activate(
        &self,
        _: &Kernel<Self>,
        _: &mut Context,
        _: &Activation<'_, Self>,
    ) -> Result<Handled, Failure> {
        unreachable!("no cell here is passive")
    }

    fn map_region(&self, _: CellId, _: u64, _: u64, _: Option<(u64, Access)>) -> Result<(), Unmappable> {
        Err(Unmappable::Unsupported)
    }

    fn create_region(&self, _: u64) -> Result<u64, Unmappable> {
        Err(Unmappable::Unsupported)
    }

    fn destroy_region(&self, _: u64) {}
}
