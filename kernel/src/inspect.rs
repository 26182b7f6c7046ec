//! The kernel's picture of itself, for `ps` and for tests.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hallows_abi::{Handle, ObjectKind, Rights, TimeBudget, TraceRecord};

use crate::cell::{CellState, LastFault};
use crate::class::Class;
use crate::lock::Token;
use crate::slot::Capability;
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::{CellId, CoreId, Engine, Kernel, Machine};

/// One cell at a moment.
#[derive(Clone, Debug)]
pub struct CellPicture {
    /// Which.
    pub cell: CellId,
    /// For people.
    pub name: Box<str>,
    /// Where it is in its life.
    pub state: CellState,
    /// Whether it runs on its callers' threads.
    pub passive: bool,
    /// The life it is in, from 1.
    pub life: u32,
    /// The core that last ran it.
    pub core: CoreId,
    /// Whether it runs at this moment.
    pub running: bool,
    /// Whether it waits for a core.
    pub runnable: bool,
    /// The cell that its thread waits for: the active server that it calls, or the passive one that is busy. [`Kernel::circle`] says
    /// whether they wait for each other.
    pub waits_for: Option<CellId>,
    /// How its last life ended that did not end in an orderly way.
    pub last_fault: Option<LastFault>,
    /// How many lives ended so.
    pub faults: u32,
    /// How long the timekeeper saw its thread run, in ns: to the grain of its looks.
    pub used_ns: u64,
    /// Before whom it runs.
    pub class: Class,
    /// Deadlines that it has missed, in the real-time class.
    pub missed: u64,
    /// The longest that it was seen to run on after it was asked to stop, in ns: between two checks, or in the host.
    pub stretch_ns: u64,
    /// What has become of its time budget, if it has one.
    pub time: Option<TimePicture>,
    /// Bytes of linear memory in use.
    pub memory_bytes: u64,
    /// Bytes of its budget, and how many of them are used.
    pub budget_bytes: (u64, u64),
}

/// A time budget at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimePicture {
    /// How much time in each period.
    pub budget: TimeBudget,
    /// How much of it is used in the present period, in ns: at most all.
    pub used_ns: u64,
    /// What was used beyond it, to be paid from the next periods, in ns.
    pub debt_ns: u64,
    /// Whether it stands still until the next replenishment.
    pub throttled: bool,
    /// How often it has done so.
    pub throttlings: u64,
}

/// A capability in a cell's space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapabilityPicture {
    /// What the cell names it by.
    pub handle: Handle,
    /// What it is of.
    pub kind: ObjectKind,
    /// Which one of that kind: its place in the kernel's table.
    pub object: u32,
    /// What it allows.
    pub rights: Rights,
    /// What a server sees of who sends.
    pub badge: u64,
    /// The cell that it leads to: an endpoint's server, or the cell itself.
    pub leads_to: Option<CellId>,
    /// Its object has ended: it is good for nothing.
    pub stale: bool,
}

/// One core at a moment.
#[derive(Clone, Copy, Debug)]
pub struct CorePicture {
    /// Which.
    pub core: CoreId,
    /// The thread's cell that runs.
    pub running: Option<CellId>,
    /// How many wait.
    pub waiting: u32,
    /// Switches to a thread since boot.
    pub switches: u64,
    /// Messages and answers that went straight to a thread that waited for them on another core, in its lane.
    pub posts: u64,
    /// How often it was lent to a thread of another pool.
    pub loans: u64,
}

impl<E: Engine> Kernel<E> {
    /// Every cell but the root.
    pub fn picture_cells(&self) -> Vec<CellPicture> {
        let (mut token, mut entry) = (Token::at_entry(), Token::at_entry());
        let cells = self.cells.used(&mut entry).skip(1);
        let now = self.machine.now();
        cells
            .filter(|(_, record)| record.state() != CellState::Free)
            .map(|(index, record)| {
                let thread = self.threads.at(index);
                // Replenished, it may still wait for a core.
                let throttled = thread.standing.is_throttled() && !thread.state.is_runnable();
                let budget = self.budgets.at(record.budget.load(Ordering::Relaxed));
                let (name, last_fault, faults) = {
                    let (control, _) = record.control.lock(&mut token);
                    (control.name.clone(), control.last_fault.clone(), control.faulted)
                };
                CellPicture {
                    cell: CellId(index),
                    name,
                    waits_for: self.waits_for(&mut token, index),
                    last_fault,
                    faults,
                    state: record.state(),
                    passive: record.is_passive(),
                    life: record.life.load(Ordering::Relaxed),
                    core: CoreId(thread.core.load(Ordering::Relaxed)),
                    running: thread.state.is_running(),
                    runnable: thread.state.is_runnable(),
                    used_ns: thread.used_ns.load(Ordering::Relaxed),
                    class: Class::of(thread.rank.load(Ordering::Relaxed)),
                    missed: thread.missed.load(Ordering::Relaxed),
                    stretch_ns: thread.stretch_ns.load(Ordering::Relaxed),
                    time: thread.meter.lock(&mut token).0.picture(now.0, throttled),
                    memory_bytes: self.engine.memory_in_use(CellId(index)),
                    budget_bytes: (budget.limit.load(Ordering::Relaxed), budget.used.load(Ordering::Relaxed)),
                }
            })
            .collect()
    }

    /// At most `most` capabilities of a cell, in the order of its space, and how many it has.
    pub fn picture_capabilities(&self, cell: CellId, most: usize) -> (Vec<CapabilityPicture>, usize) {
        let mut token = Token::at_entry();
        let (mut pictures, mut count, mut from) = (Vec::new(), 0, 0);
        loop {
            // One at a time: a space may have 65,536, and the tree's lock is everybody's.
            let next = {
                let (mut tree, _) = self.capabilities.lock(&mut token);
                tree.next_in_space(cell.0, from)
                    .map(|(index, found)| (index, tree.handle(cell.0, &found), found))
            };
            let Some((index, handle, found)) = next else { return (pictures, count) };
            (from, count) = (index + 1, count + 1);
            if pictures.len() < most {
                pictures.push(self.picture_capability(handle, &found.capability));
            }
        }
    }

    fn picture_capability(&self, handle: Handle, capability: &Capability) -> CapabilityPicture {
        let Capability { kind, index, generation, rights, badge } = *capability;
        let (leads_to, lives) = match kind {
            ObjectKind::Endpoint => {
                let endpoint = self.endpoints.at(index);
                let server = endpoint.serving.server();
                ((server != NOBODY).then_some(CellId(server)), endpoint.generation.is(generation))
            }
            ObjectKind::Notification => (None, self.notifications.at(index).generation.is(generation)),
            ObjectKind::Timer => (None, self.timers.at(index).generation.is(generation)),
            ObjectKind::Budget => (None, self.budgets.at(index).generation.is(generation)),
            ObjectKind::Region => (None, self.regions.at(index).generation.is(generation)),
            ObjectKind::Cell => (Some(CellId(index)), self.cells.at(index).generation.is(generation)),
            ObjectKind::Program => (None, self.programs.at(index).generation.is(generation)),
        };
        CapabilityPicture { handle, kind, object: index, rights, badge, leads_to, stale: !lives }
    }

    /// What a cell was started with, as its creator left it.
    pub fn picture_start(&self, cell: CellId) -> Arc<[u8]> {
        self.cells.at(cell.0).control.lock(&mut Token::at_entry()).0.start_info.clone()
    }

    /// Every core.
    pub fn picture_cores(&self) -> Vec<CorePicture> {
        (0..self.configuration.cores)
            .map(|core| {
                let record = self.core(core);
                let running = record.running.load(Ordering::Relaxed);
                CorePicture {
                    core: CoreId(core),
                    running: (running != NOBODY).then_some(CellId(running)),
                    waiting: record.waiting().count(),
                    switches: record.switches.load(Ordering::Relaxed),
                    posts: record.posts.load(Ordering::Relaxed),
                    loans: record.loans.load(Ordering::Relaxed),
                }
            })
            .collect()
    }

    /// The last trace records of a core, oldest first.
    pub fn trace(&self, core: CoreId) -> Vec<TraceRecord> {
        let ring = &self.core(core.0).trace;
        let made = ring.made();
        let from = made.saturating_sub(u64::from(self.configuration.trace_records));
        (from..made).filter_map(|sequence| ring.read(sequence)).collect()
    }

    /// Whether a cell is running or waiting for events (not ending, not over).
    pub fn is_live(&self, cell: CellId) -> bool {
        self.cells.at(cell.0).is_live()
    }

    /// Where a cell is in its life.
    pub fn state(&self, cell: CellId) -> CellState {
        self.cells.at(cell.0).state()
    }

    /// Whether no thread runs or could run now: everything waits for a message, a time, or nothing.
    pub fn is_quiet(&self) -> bool {
        (0..self.configuration.cores).all(|core| {
            let record = self.core(core);
            !record.waiting().any()
                && record.running.load(Ordering::SeqCst) == NOBODY
                && record.handoff.load(Ordering::SeqCst) == NOBODY
                && record.next.load(Ordering::SeqCst) == NOBODY
        })
    }
}
