//! All that the simulated engine and machine know, in one place that belongs to the host thread.
//!
//! The kernel wants its engine to be shareable between threads; the simulation has one thread and fibers that may not leave it.
//! So [`crate::SimEngine`] and [`crate::SimMachine`] are empty, and what they work on is here.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use hallows_kernel::{CoreId, ThreadId};

use crate::fiber::{CoreFiber, CoreYielder, ThreadFiber, ThreadYielder};
use crate::memory::Memories;
use crate::program::{Code, Handler};
use crate::{Random, SimKernel};

/// One thread of execution.
#[derive(Default)]
pub struct ThreadState {
    /// Its stack, while it stands still.
    pub fiber: Option<ThreadFiber>,
    /// How the code on that stack switches away; of the fiber that runs or stands.
    pub yielder: Option<ThreadYielder>,
    /// A core resumes it now.
    pub resumed: bool,
}

/// One core.
pub struct CoreState {
    pub fiber: Option<CoreFiber>,
    pub yielder: Option<CoreYielder>,
    /// The thread whose stack is on top of the core's.
    pub thread: Option<u32>,
    /// It sleeps until it is woken.
    pub parked: bool,
    /// It wakes by itself then, if it is parked.
    pub until_ns: u64,
    /// An `unpark` that no `park` has taken yet.
    pub woken: bool,
    /// The simulation's step before which it does nothing.
    pub stalled_until: u64,
}

/// What a cell runs.
pub struct Instance {
    pub code: Code,
    /// Of a reactor after its init function; out while it runs.
    pub handler: Option<Handler>,
    /// Somebody is inside.
    pub entered: bool,
    /// Its program's main or init function was begun.
    pub begun: bool,
}

/// One program.
pub struct Registered {
    pub code: Code,
}

/// How likely what goes wrong is, in millionths for each chance that it has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chances {
    pub pause: u64,
    pub fault: u64,
    pub too_deep: u64,
    pub oversleep: u64,
}

/// Everything.
pub struct World {
    pub kernel: Option<Arc<SimKernel>>,
    pub random: Random,
    pub now_ns: u64,
    pub step: u64,
    pub alarm_ns: u64,
    pub cores: Vec<CoreState>,
    pub threads: BTreeMap<u32, ThreadState>,
    /// The core whose fiber runs now; none while the simulation itself does.
    pub on: Option<u32>,
    pub memories: Memories,
    pub instances: BTreeMap<u32, Instance>,
    pub programs: Vec<Registered>,
    pub chances: Chances,
    /// Cells whose code may fault at any check.
    pub fragile: Vec<u32>,
    pub log: Vec<String>,
    /// Regions can be made and mapped.
    pub regions: bool,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

impl World {
    /// A machine of so many cores, with nothing on it.
    pub fn new(cores: u32, seed: u64) -> Self {
        let core = || CoreState {
            fiber: None,
            yielder: None,
            thread: None,
            parked: false,
            until_ns: u64::MAX,
            woken: false,
            stalled_until: 0,
        };
        Self {
            kernel: None,
            random: Random::new(seed),
            // Not 0: a time of 0 means "now" to the kernel.
            now_ns: 1_000,
            step: 0,
            alarm_ns: u64::MAX,
            cores: (0..cores).map(|_| core()).collect(),
            threads: BTreeMap::new(),
            on: None,
            memories: Memories::default(),
            instances: BTreeMap::new(),
            programs: Vec::new(),
            chances: Chances::default(),
            fragile: Vec::new(),
            log: Vec::new(),
            regions: true,
        }
    }

    /// The thread's state.
    pub fn thread(&mut self, thread: ThreadId) -> &mut ThreadState {
        self.threads.entry(thread.0).or_default()
    }

    /// The core's state.
    pub fn core(&mut self, core: CoreId) -> &mut CoreState {
        &mut self.cores[core.index()]
    }
}

/// Works on the world. Not across a switch of stacks, nor a call of the kernel.
pub fn world<T>(work: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with_borrow_mut(|world| match world {
        Some(world) => work(world),
        None => panic!("no simulation on this host thread"),
    })
}

/// Puts a world in, or takes it away; gives back what was there.
pub fn exchange(new: Option<World>) -> Option<World> {
    WORLD.with_borrow_mut(|world| std::mem::replace(world, new))
}
