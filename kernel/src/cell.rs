//! Cells: programs in execution, and the lives they lead.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hallows_abi::FaultKind;

use crate::inbox::Inbox;
use crate::lock::{Lock, level};
use crate::monitor::Monitor;
use crate::objects::Generation;
use crate::slot::{Name, Via};
use crate::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::tally::Tally;
use crate::thread::NOBODY;

/// Where a cell is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CellState {
    /// No cell.
    Free = 0,
    /// Made, not started: its creator fills its space.
    Created = 1,
    /// Its thread runs the program's start.
    Starting = 2,
    /// It runs, or waits for events.
    Running = 3,
    /// It was killed or has faulted, and unwinds.
    Dying = 4,
    /// It is over, and may be started again.
    Dead = 5,
}

impl CellState {
    /// The state of this number.
    #[must_use]
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Created,
            2 => Self::Starting,
            3 => Self::Running,
            4 => Self::Dying,
            5 => Self::Dead,
            _ => Self::Free,
        }
    }

    /// What programs are told; nothing of a cell that there is not.
    #[must_use]
    pub const fn of_interface(self) -> Option<hallows_abi::CellState> {
        use hallows_abi::CellState;
        Some(match self {
            Self::Free => return None,
            Self::Created => CellState::Created,
            Self::Starting => CellState::Starting,
            Self::Running => CellState::Running,
            Self::Dying => CellState::Dying,
            Self::Dead => CellState::Dead,
        })
    }
}

/// One cell. On lines of its own: its inbox's lock is taken with every message.
#[repr(align(128))]
pub struct CellRecord<B, P> {
    pub generation: Generation,
    /// A [`CellState`]; changed under `control`, read anywhere.
    state: AtomicU8,
    /// Whether its program runs on its callers' threads.
    pub passive: AtomicU8,
    /// The life it is in: 1 after the first start.
    pub life: AtomicU32,
    /// Its own budget.
    pub budget: AtomicU32,
    /// Which of the budgets at that index.
    pub budget_generation: AtomicU32,
    /// Of a further thread of a cell, that cell; else [`NOBODY`].
    pub leader: AtomicU32,
    /// Bytes of linear memory that its budget is charged for.
    pub memory_charged: AtomicU64,
    pub monitor: Monitor,
    pub tally: Tally,
    pub inbox: Lock<{ level::INBOX }, Inbox<B>>,
    pub control: Lock<{ level::CONTROL }, CellControl<P>>,
    /// Taken by whoever maps a region into it.
    pub maps: Lock<{ level::SERVING }, ()>,
}

/// What its creator set, and how it ended.
pub struct CellControl<P> {
    pub program: Option<Arc<P>>,
    pub memory_limit: u64,
    /// What its budget is charged for the cell itself, in bytes.
    pub own_bytes: u64,
    pub start_info: Arc<[u8]>,
    /// The endpoint that its faults go to, held.
    pub faults: Via,
    /// Slot indices below this one are its creator's grants: they survive a restart.
    pub grants_end: u32,
    /// Why it is dying, once that is known.
    pub cause: Option<(FaultKind, u32)>,
    pub backtrace: Box<str>,
    /// Its last capability is gone: when dead, its place is free.
    pub abandoned: bool,
    /// Its thread was started and has not ended.
    pub thread_busy: bool,
    /// Somebody has begun its end, and tells whom that concerns.
    pub ending: bool,
    /// Its further threads. It is not over before they are.
    pub threads: Vec<Name>,
    /// Endpoints that it serves, and notifications bound to it.
    pub serves: Vec<u32>,
    pub bound: Vec<u32>,
    pub name: Box<str>,
    /// How its last life ended that did not end in an orderly way.
    pub last_fault: Option<LastFault>,
    /// How many lives ended so.
    pub faulted: u32,
}

/// A fault, or an exit with a status that says so, that is over: for who asks later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastFault {
    /// Why.
    pub kind: FaultKind,
    /// Of an exit, its status, else 0.
    pub detail: u32,
    /// The life that it ended, from 1.
    pub life: u32,
    /// The innermost frames, one a line; a supervisor gets all of them in the fault message.
    pub backtrace: Box<str>,
}

impl LastFault {
    /// Innermost frames that are kept, and bytes of them: what a line of `ps` and the one below it have room for.
    const FRAMES: usize = 3;
    const BYTES: usize = 256;

    /// Of an end.
    #[must_use]
    pub fn new((kind, detail): (FaultKind, u32), life: u32, backtrace: &str) -> Self {
        let lines = backtrace.split_inclusive('\n').take(Self::FRAMES).map(str::len).sum::<usize>();
        let kept = backtrace.get(..backtrace.floor_char_boundary(lines.min(Self::BYTES)));
        Self { kind, detail, life, backtrace: kept.unwrap_or_default().trim_end().into() }
    }
}

impl<P> CellControl<P> {
    /// Whether nobody has anything to do any more with a life that ends.
    pub const fn is_left(&self) -> bool {
        !self.thread_busy && !self.ending && self.threads.is_empty()
    }
}

impl<P> Default for CellControl<P> {
    fn default() -> Self {
        Self {
            program: None,
            memory_limit: 0,
            own_bytes: 0,
            start_info: Arc::default(),
            faults: Via::KERNEL,
            grants_end: 0,
            cause: None,
            backtrace: Box::default(),
            abandoned: false,
            thread_busy: false,
            ending: false,
            threads: Vec::new(),
            serves: Vec::new(),
            bound: Vec::new(),
            name: Box::default(),
            last_fault: None,
            faulted: 0,
        }
    }
}

impl<B: Copy, P> CellRecord<B, P> {
    /// No cell.
    pub fn new() -> Self {
        Self {
            generation: Generation::default(),
            state: AtomicU8::new(0),
            passive: AtomicU8::new(0),
            life: AtomicU32::new(0),
            budget: AtomicU32::new(NOBODY),
            budget_generation: AtomicU32::new(0),
            leader: AtomicU32::new(NOBODY),
            memory_charged: AtomicU64::new(0),
            monitor: Monitor::default(),
            tally: Tally::default(),
            inbox: Lock::new(Inbox::new()),
            control: Lock::new(CellControl::default()),
            maps: Lock::new(()),
        }
    }

    /// Where it is in its life.
    #[inline]
    pub fn state(&self) -> CellState {
        // Acquire: who sees it running sees what its start set up. SeqCst is not needed: whoever acts on the state looks again under
        // the lock of what it acts on.
        CellState::from_number(self.state.load(Ordering::Acquire))
    }

    /// Moves it on. Under `control`.
    pub fn set_state(&self, state: CellState) {
        self.state.store(state as u8, Ordering::SeqCst);
    }

    /// Whether its program runs on its callers' threads.
    #[inline]
    pub fn is_passive(&self) -> bool {
        self.passive.load(Ordering::Relaxed) != 0
    }

    /// Whether its code may run: starting or running.
    #[inline]
    pub fn is_live(&self) -> bool {
        matches!(self.state(), CellState::Starting | CellState::Running)
    }
}
