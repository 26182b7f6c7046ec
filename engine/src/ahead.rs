//! Instances made ahead: each program that starts often has some in stock, made by the cleaner.
//!
//! Problem: making an instance costs more than all the rest of a start, and it is the same every time. Rule: the cleaner makes them
//! before they are wanted, up to the point where code of the program would run, and a cell that starts takes one and becomes its owner.
//! Consequence: such a start is a few stores. Where the stock is empty, the cell makes its instance itself, as it does for a program
//! whose making runs its code: that may only happen in a cell.
//!
//! How many: twice as many as started while the cleaner was away, so that a burst that goes on finds them; half of that, and half
//! again, when nobody starts the program any more; none of a program that starts once. What they may hold altogether is bounded
//! ([`BYTES_MOST`]), they take no memory that the machine's budget has not, and where programs have grown into what is held for them, they go.

use core::sync::atomic::{AtomicU64, Ordering};

use alloc::boxed::Box;
use alloc::sync::{Arc, Weak};
use alloc::vec::Vec;
use hallows_kernel::Machine;
use spin::Mutex;

use crate::body::{Body, WasmBody};
use crate::layout::Layout;
use crate::lock::lock;
use crate::platform::platform;
use crate::program::{Kind, Program, WasmProgram};
use crate::slots::SLOTS;

/// Instances of one program at most: with half of them left when the cleaner is told, it has the time of 128 starts to come.
const INSTANCES_MOST: u32 = 256;

/// Starts between two looks of the cleaner that make a program one that starts often: one that starts, ends and starts again.
const STARTS_LEAST: u32 = 2;

/// Looks of the cleaner without a start after which a program's stock is halved at each. It comes when others need it, so a
/// program that starts now and then must outlast a few of their bursts.
const LOOKS_IDLE: u32 = 64;

/// Instances of one program that are made in one turn: some 100 µs, where cleaner and programs share a core.
const TURN_MOST: usize = 32;

/// Bytes that all instances in stock may hold, with their memories: a burst of the largest number of small ones, or a few large ones.
const BYTES_MOST: usize = 32 << 20;

/// What an instance holds beside its memory, rounded up.
const INSTANCE_BYTES: usize = 16 << 10;

/// The programs of all engines of the process.
static PROGRAMS: Mutex<Vec<Weak<dyn Stocked>>> = Mutex::new(Vec::new());

/// Starts that found an instance, and starts that made their own, of programs that are gone.
static FOUND: AtomicU64 = AtomicU64::new(0);
static MADE_LATE: AtomicU64 = AtomicU64::new(0);

/// What happened to a program's instances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Instances in stock.
    pub ready: usize,
    /// Starts that found one.
    pub found: u64,
    /// Starts that made their own.
    pub made_late: u64,
}

/// A program as the cleaner sees it.
trait Stocked: Send + Sync {
    /// Makes or drops instances as the program's starts ask for, of which all may hold so many bytes more. Whether it did something.
    fn look(&self, room: &mut usize) -> bool;
    /// Drops all of them. Whether there were any.
    fn empty(&self) -> bool;
    /// What happened, and the bytes that each instance holds.
    fn counts(&self) -> (Counts, usize);
}

/// A program's instances in stock. On a line of its own: the program's other words are only read.
#[repr(align(128))]
pub(crate) struct Shelf<M: Machine> {
    inside: Mutex<Inside<M>>,
    /// Bytes that each holds.
    each: usize,
    /// Every check of theirs calls the kernel back: a test mode.
    chaos: bool,
}

struct Inside<M: Machine> {
    #[expect(clippy::vec_box, reason = "a cell takes it as it is, without a copy on its core")]
    ready: Vec<Box<Body<M>>>,
    /// Starts since the cleaner last looked.
    started: u32,
    /// How many there should be.
    wanted: u32,
    /// Looks of the cleaner since the last start.
    idle: u32,
    found: u64,
    made_late: u64,
    /// What the first instance has proven; none is made ahead before.
    layout: Option<Layout>,
}

impl<M: Machine> Shelf<M> {
    /// For a program whose instances hold so many bytes each, beside what every instance holds.
    pub fn new(held_bytes: usize, chaos: bool) -> Self {
        let inside = Inside {
            ready: Vec::new(),
            started: 0,
            wanted: 0,
            idle: 0,
            found: 0,
            made_late: 0,
            layout: None,
        };
        Self { inside: Mutex::new(inside), each: held_bytes.saturating_add(INSTANCE_BYTES), chaos }
    }

    /// An instance for a cell that starts, if there is one.
    pub fn take(&self) -> Option<Box<Body<M>>> {
        let (ready, wake) = {
            let mut inside = lock(&self.inside);
            inside.started = inside.started.saturating_add(1);
            let ready = inside.ready.pop();
            // At half: the cleaner has the other half's time. At any other number it is told already, or need not come.
            let wake = match ready {
                Some(_) => {
                    inside.found += 1;
                    inside.ready.is_empty() || inside.ready.len() as u32 == inside.wanted / 2
                }
                None => {
                    inside.made_late += 1;
                    inside.started == STARTS_LEAST || inside.started.is_multiple_of(INSTANCES_MOST / 2)
                }
            };
            (ready, wake)
        };
        if wake {
            platform().wake_cleaner();
        }
        ready
    }

    /// A cell has made its instance itself: from now on they can be made ahead.
    pub fn learn(&self, layout: Layout) {
        lock(&self.inside).layout = Some(layout);
    }

    /// Takes all but so many out, to be dropped.
    fn trim(&self, keep: u32) -> bool {
        let surplus: Vec<_> = {
            let mut inside = lock(&self.inside);
            let keep = inside.ready.len().min(keep as usize);
            inside.ready.split_off(keep)
        };
        !surplus.is_empty()
    }

    /// What should be there, after another look at what was started.
    fn plan(&self) -> u32 {
        let mut inside = lock(&self.inside);
        let started = core::mem::take(&mut inside.started);
        if started >= STARTS_LEAST || started > 0 && inside.wanted > 0 {
            inside.idle = 0;
            inside.wanted = inside.wanted.max(started.saturating_mul(2).min(INSTANCES_MOST));
        } else {
            inside.idle = inside.idle.saturating_add(1);
            if inside.idle > LOOKS_IDLE {
                inside.wanted /= 2;
            }
        }
        inside.wanted
    }

    /// Fills it up to so many.
    fn fill(&self, program: &WasmProgram<M>, wanted: u32, room: &mut usize) -> bool {
        let mut busy = false;
        for _ in 0..TURN_MOST {
            let layout = {
                let mut inside = lock(&self.inside);
                if inside.ready.len() as u32 >= wanted {
                    return busy;
                }
                // Once, and never again while a start waits for the lock.
                let missing = INSTANCES_MOST as usize - inside.ready.len();
                inside.ready.reserve_exact(missing);
                inside.layout
            };
            let (Some(layout), Some(left)) = (layout, room.checked_sub(self.each)) else { return busy };
            // One that cannot be made fails in its cell, which says why.
            let Ok(body) = WasmBody::ahead(program, layout, self.chaos) else { return busy };
            *room = left;
            lock(&self.inside).ready.push(Box::new(Body::Wasm(body)));
            busy = true;
        }
        busy
    }
}

impl<M: Machine> Drop for Shelf<M> {
    fn drop(&mut self) {
        // Relaxed: only counted.
        let inside = self.inside.get_mut();
        FOUND.fetch_add(inside.found, Ordering::Relaxed);
        MADE_LATE.fetch_add(inside.made_late, Ordering::Relaxed);
    }
}

impl<M: Machine> Stocked for Program<M> {
    fn look(&self, room: &mut usize) -> bool {
        let Some((program, shelf)) = shelf(self) else { return false };
        let wanted = shelf.plan();
        let trimmed = shelf.trim(wanted);
        shelf.fill(program, wanted, room) || trimmed
    }

    fn empty(&self) -> bool {
        shelf(self).is_some_and(|(_, shelf)| shelf.trim(0))
    }

    fn counts(&self) -> (Counts, usize) {
        let Some((_, shelf)) = shelf(self) else { return (Counts::default(), 0) };
        let inside = lock(&shelf.inside);
        let Inside { found, made_late, .. } = *inside;
        (Counts { ready: inside.ready.len(), found, made_late }, shelf.each)
    }
}

fn shelf<M: Machine>(program: &Program<M>) -> Option<(&WasmProgram<M>, &Shelf<M>)> {
    match &program.0 {
        Kind::Wasm(program) => Some((program, program.shelf.as_ref()?)),
        #[cfg(feature = "native")]
        Kind::Native(_) => None,
    }
}

/// Lets the cleaner know of a program.
pub(crate) fn register<M: Machine>(program: &Arc<Program<M>>) {
    let program = Arc::downgrade(program);
    lock(&PROGRAMS).push(program);
}

/// The programs that there are.
fn programs() -> Vec<Arc<dyn Stocked>> {
    let mut programs = lock(&PROGRAMS);
    programs.retain(|program| program.strong_count() > 0);
    programs.iter().filter_map(Weak::upgrade).collect()
}

/// A turn of the cleaner over all programs. Whether it did something.
pub(crate) fn clean() -> bool {
    let programs = programs();
    if SLOTS.is_over() {
        // Programs have grown into what is held for them: what is given back here, the slots' own balance gives to the host.
        return for_all(&programs, |program| program.empty());
    }
    let held = |program: &Arc<dyn Stocked>| {
        let (counts, each) = program.counts();
        counts.ready.saturating_mul(each)
    };
    let mut room = BYTES_MOST.saturating_sub(programs.iter().map(held).sum());
    for_all(&programs, |program| program.look(&mut room))
}

/// Does something with each program. Whether it was work for one of them.
fn for_all(programs: &[Arc<dyn Stocked>], mut act: impl FnMut(&dyn Stocked) -> bool) -> bool {
    let mut busy = false;
    for program in programs {
        busy |= act(&**program);
    }
    busy
}

/// What happened to all instances.
pub(crate) fn counts() -> Counts {
    let gone = Counts {
        ready: 0,
        found: FOUND.load(Ordering::Relaxed),
        made_late: MADE_LATE.load(Ordering::Relaxed),
    };
    programs().iter().fold(gone, |sum, program| {
        let (counts, _) = program.counts();
        Counts {
            ready: sum.ready + counts.ready,
            found: sum.found + counts.found,
            made_late: sum.made_late + counts.made_late,
        }
    })
}
