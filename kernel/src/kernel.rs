//! The kernel value: the tables, the cores, and the small steps that all calls share.

use alloc::boxed::Box;

use hallows_abi::{Error, Transfer};

use crate::capabilities::{Capabilities, InFlight, Orphan};
use crate::cell::CellRecord;
use crate::configuration::Configuration;
use crate::core_record::Core;
use crate::lane::Lane;
use crate::lock::{Lock, Token, level};
use crate::objects::{Budget, Endpoint, Notification, Program, Region, Timer};
use crate::plan::Plan;
use crate::policy::Judges;
use crate::sync::{AtomicU8, AtomicU32, Ordering};
use crate::table::Table;
use crate::thread::{NOBODY, Thread};
use crate::timekeeper::Timekeeper;
use crate::tuning::Tuned;
use crate::{CellId, Context, Engine, Machine, Nanos, PreemptionWord, ThreadId};

/// The kernel of one machine. All of it is shared: cores, programs' calls and the timekeeper use it at the same time.
pub struct Kernel<E: Engine> {
    /// What runs the programs.
    pub engine: E,
    /// What is below.
    pub machine: E::Machine,
    pub(crate) configuration: Configuration,
    pub(crate) capabilities: Capabilities,
    pub(crate) cells: Table<CellRecord<E::Bytes, E::Program>>,
    pub(crate) threads: Table<Thread>,
    /// One for each thread.
    pub(crate) lanes: Table<Lane>,
    pub(crate) endpoints: Table<Endpoint>,
    pub(crate) notifications: Table<Notification>,
    pub(crate) timers: Table<Timer>,
    pub(crate) budgets: Table<Budget>,
    pub(crate) regions: Table<Region>,
    pub(crate) programs: Table<Program<E::Program>>,
    /// One for each core, and one more for the timekeeper, which runs no threads.
    pub(crate) cores: Box<[Core]>,
    pub(crate) timekeeper: Lock<{ level::CONTROL }, Timekeeper>,
    pub(crate) plan: Plan,
    pub(crate) judges: Judges,
    pub(crate) tuned: Tuned,
    pub(crate) stopping: AtomicU8,
    /// How many cores sleep, or are about to.
    pub(crate) parked: AtomicU32,
}

/// The right to make a kernel's first objects. Who has made the kernel has it.
#[derive(Debug)]
pub struct BootCapability(pub(crate) ());

/// A message as its sender gives it.
pub struct Outgoing<'a, E: Engine> {
    /// Its bytes, in the sender's memory.
    pub bytes: E::Bytes,
    /// The capabilities that go with it.
    pub transfers: &'a [Transfer],
}

impl<E: Engine> Kernel<E> {
    /// A kernel with empty tables, over an engine and a machine.
    pub fn new(engine: E, machine: E::Machine, configuration: Configuration) -> (Self, BootCapability) {
        let Configuration { cores, service_cores, cells, objects, slots, .. } = configuration;
        let cores = cores.max(service_cores.saturating_add(1));
        let kernel = Self {
            engine,
            machine,
            capabilities: Capabilities::new(cells, objects, slots),
            cells: Table::new(cells, |_| CellRecord::new()),
            threads: Table::new(cells, |_| Thread::new()),
            lanes: Table::new(cells, |_| Lane::default()),
            endpoints: Table::new(objects, |_| Endpoint::default()),
            notifications: Table::new(objects, |_| Notification::default()),
            timers: Table::new(objects, |_| Timer::default()),
            budgets: Table::new(objects.max(cells), |_| Budget::default()),
            regions: Table::new(objects, |_| Region::default()),
            programs: Table::new(objects, |_| Program::default()),
            cores: (0..=cores).map(|core| Core::new(core, &configuration)).collect(),
            timekeeper: Lock::new(Timekeeper::new(cores)),
            plan: Plan::new(),
            judges: Judges::new(&configuration),
            tuned: Tuned::new(&configuration),
            stopping: AtomicU8::new(0),
            parked: AtomicU32::new(0),
            configuration: Configuration { cores, ..configuration },
        };
        kernel.open_root();
        (kernel, BootCapability(()))
    }

    /// What it was made with.
    #[must_use]
    pub const fn configuration(&self) -> &Configuration {
        &self.configuration
    }

    /// The preemption word of a thread.
    #[inline]
    pub fn word(&self, thread: ThreadId) -> &PreemptionWord {
        &self.threads.at(thread.0).word
    }

    /// The cell whose code is running: the innermost passive server, or the thread's own cell.
    #[inline]
    pub(crate) fn current(&self, context: &Context) -> u32 {
        self.threads.at(context.thread.0).innermost().unwrap_or(context.thread.0)
    }

    /// An error if the cell's code must not go on.
    #[inline]
    pub(crate) fn check_live(&self, cell: u32) -> Result<(), Error> {
        if self.cells.at(cell).is_live() { Ok(()) } else { Err(Error::Killed) }
    }

    /// The time, for the program that a thread is inside of: what [`hallows_abi::OnSpace::Now`] answers, without a message.
    ///
    /// # Errors
    /// `Killed`: the program must unwind.
    #[inline]
    pub fn now(&self, context: &Context) -> Result<Nanos, Error> {
        self.check_live(self.current(context))?;
        Ok(self.machine.now())
    }

    /// The core's record; of an index outside, the timekeeper's.
    #[inline]
    pub(crate) fn core(&self, core: u32) -> &Core {
        match self.cores.get(core as usize) {
            Some(core) => core,
            None => self.timekeeper_core(),
        }
    }

    /// The record of the timekeeper's pseudo-core: the last one.
    #[expect(clippy::indexing_slicing, reason = "made with one record more than cores")]
    pub(crate) fn timekeeper_core(&self) -> &Core {
        &self.cores[self.configuration.cores as usize]
    }

    /// Asks every core's loop to return, and what runs on it to stop at its next check. A thread that was just being resumed may
    /// miss it: ask again until the loops have returned.
    pub fn shut_down(&self) {
        self.stopping.store(1, Ordering::SeqCst);
        for core in 0..self.configuration.cores {
            let running = self.core(core).running.load(Ordering::SeqCst);
            if running != NOBODY {
                self.threads.at(running).word.stop();
            }
            self.machine.unpark(crate::CoreId(core));
        }
    }

    /// Whether [`Self::shut_down`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire) != 0
    }

    /// Takes so many more bytes of linear memory for a cell: before its memory grows.
    ///
    /// # Errors
    /// `BudgetExhausted`: the memory must not grow.
    pub fn charge(&self, cell: CellId, bytes: u64) -> Result<(), Error> {
        let record = self.cells.at(cell.0);
        self.budgets.at(record.budget.load(Ordering::Relaxed)).charge(bytes)?;
        record.memory_charged.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Ends the objects that no capability names any more.
    pub(crate) fn end_orphans(
        &self,
        token: &mut Token<'static, { level::NONE }>,
        core: u32,
        orphans: &[Orphan],
    ) {
        for orphan in orphans {
            self.end_object(token, core, *orphan);
        }
    }

    /// Drops capabilities that will not arrive.
    pub(crate) fn drop_flight(
        &self,
        token: &mut Token<'static, { level::NONE }>,
        core: u32,
        flight: &InFlight,
    ) {
        if flight.is_empty() {
            return;
        }
        let mut orphans = alloc::vec::Vec::new();
        self.change(token, |tree, _| tree.drop_flight(flight, |orphan| orphans.push(orphan)));
        self.end_orphans(token, core, &orphans);
    }

    /// How much of the machine's memory is in use, and how much there is, in bytes.
    pub fn memory(&self) -> (u64, u64) {
        let root = self.budgets.at(0);
        (root.used.load(Ordering::Relaxed), root.limit.load(Ordering::Relaxed))
    }
}
