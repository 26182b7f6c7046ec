//! All that the simulated engine and machine know, in one place that belongs to the host thread; and who goes on when.
//!
//! Whoever is furthest behind in virtual time goes on: until it has waited for a cache line, or is ahead of the next one by more than [`AHEAD_PS`]. So what
//! one core sees of another is at most that old.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

use hallows_counted_atomics::{Access, AtomicU64, Touch, listen};
use hallows_counted_kernel::ThreadId;

use crate::costs::Costs;
use crate::fiber::{self, CoreFiber, CoreYielder, ThreadFiber, ThreadYielder};
use crate::lines::{LINE, Lines, Outcome, Picoseconds, Use};
use crate::names::{Names, Who};

/// No actor, no thread.
pub const NOBODY: u32 = u32::MAX;
/// A third of what a cache line takes from core to core.
const AHEAD_PS: Picoseconds = 20_000;

/// One thread of execution.
#[derive(Default)]
pub struct ThreadState {
    /// Its stack, while it stands still.
    pub fiber: Option<ThreadFiber>,
    /// How the code on that stack switches away.
    pub yielder: Option<ThreadYielder>,
    /// What was written to its cell's memory: the number of its request.
    pub memory: u64,
}

/// What an actor waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Its turn.
    Turn,
    /// Time to pass, or something to do before: a request, its thread's preemption word.
    Time,
    /// Somebody to wake it.
    Sleeps,
}

/// How an actor's time went, in ps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// On requests.
    pub work: Picoseconds,
    /// In the kernel and in the driver, on what the core has.
    pub kernel: Picoseconds,
    /// Until lines came from others…
    pub transfers: Picoseconds,
    /// …and, before that, until others had them.
    pub queues: Picoseconds,
    /// Until locks were free.
    pub locks: Picoseconds,
}

impl Spent {
    fn each(self, other: Self, what: impl Fn(Picoseconds, Picoseconds) -> Picoseconds) -> Self {
        Self {
            work: what(self.work, other.work),
            kernel: what(self.kernel, other.kernel),
            transfers: what(self.transfers, other.transfers),
            queues: what(self.queues, other.queues),
            locks: what(self.locks, other.locks),
        }
    }

    /// Both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.each(other, |one, other| one + other)
    }

    /// What is beyond an earlier one.
    #[must_use]
    pub fn minus(self, earlier: Self) -> Self {
        self.each(earlier, |one, other| one - other)
    }
}

/// A core, or a timekeeper.
pub struct Actor {
    pub fiber: Option<CoreFiber>,
    pub yielder: Option<CoreYielder>,
    /// The thread whose stack is on top of the core's.
    pub thread: u32,
    /// Its own time.
    pub clock: Picoseconds,
    pub waits: Waits,
    /// An `unpark` that it has not slept for yet.
    pub woken: bool,
    /// When it wakes by itself, while it sleeps.
    wakes_at: Picoseconds,
    /// Of its entry in the heap that counts.
    ticket: u32,
    /// It runs programs, and keeps no time.
    pub is_core: bool,
    /// It looks for work: what it does costs nobody anything but the lines that it takes.
    pub idle: bool,
    /// What it has done since it last had a request: for the next one, unless it has to look for that.
    after: Vec<(usize, Picoseconds)>,
    /// How long that took.
    after_spent: Spent,
    /// It has had a request, and has none.
    pub is_done: bool,
    pub spent: Spent,
}

impl Actor {
    /// Its time goes somewhere.
    pub fn spend(&mut self, how: impl FnOnce(&mut Spent)) {
        if self.is_done {
            how(&mut self.after_spent);
        } else if !self.idle {
            how(&mut self.spent);
        }
    }

    /// It has a request, and what it did before was for that; or has none, and looks for one.
    pub fn settle(&mut self, names: &mut Names, who: Who) {
        self.idle = who == Who::Idle;
        if std::mem::take(&mut self.is_done) {
            self.after.drain(..).for_each(|(address, waited)| names.count(address, who, waited));
            let spent = std::mem::take(&mut self.after_spent);
            if who == Who::Busy {
                self.spent = self.spent.plus(spent);
            }
        }
    }
}

/// What tells a core's driver that a cell is free: on a line of its own, which the core that ran it writes.
#[repr(align(64))]
pub struct Box(pub AtomicU64);

impl Box {
    /// The cell has no request.
    pub const FREE: u64 = u64::MAX;
}

/// Everything.
pub struct World {
    pub costs: Costs,
    pub lines: Lines,
    pub names: Names,
    pub actors: Vec<Actor>,
    pub threads: Vec<ThreadState>,
    /// The actor whose fiber runs now.
    pub on: u32,
    turns: BinaryHeap<Reverse<(Picoseconds, u32, u32)>>,
    /// Whoever runs is not to get beyond.
    horizon: Picoseconds,
    /// The earliest time that a timekeeper is to be awake by, of which none knows.
    pub alarm_at: Picoseconds,
    /// For each thread, the core that computes for it: whom a store to its word concerns.
    pub computes: Vec<u32>,
    /// Cache lines of the preemption words: from the first one on, one every so many lines.
    pub words: (usize, usize),
    /// Transfers are counted.
    pub counting: bool,
    /// Requests are over as soon as they begin: what is there comes to its end.
    pub over: bool,
    /// Looks of the timekeeper at all cores.
    pub looks: u64,
}

thread_local! {
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
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

impl World {
    /// So many actors and threads, none of which does anything.
    pub fn new(actors: u32, threads: u32, costs: Costs) -> Self {
        let actor = || Actor {
            fiber: None,
            yielder: None,
            thread: NOBODY,
            clock: 0,
            waits: Waits::Turn,
            woken: false,
            wakes_at: Picoseconds::MAX,
            ticket: 0,
            is_core: true,
            idle: false,
            after: Vec::new(),
            after_spent: Spent::default(),
            is_done: false,
            spent: Spent::default(),
        };
        Self {
            costs,
            lines: Lines::new(),
            names: Names::default(),
            actors: (0..actors).map(|_| actor()).collect(),
            threads: (0..threads).map(|_| ThreadState::default()).collect(),
            on: NOBODY,
            turns: BinaryHeap::new(),
            horizon: Picoseconds::MAX,
            alarm_at: Picoseconds::MAX,
            computes: vec![NOBODY; threads as usize],
            words: (0, 1),
            counting: false,
            over: false,
            looks: 0,
        }
    }

    /// The actor that runs has a request, or looks for one.
    pub fn settle(&mut self, who: Who) {
        let on = self.on;
        if on != NOBODY {
            self.actors[on as usize].settle(&mut self.names, who);
        }
    }

    /// The thread's state.
    pub fn thread(&mut self, thread: ThreadId) -> &mut ThreadState {
        &mut self.threads[thread.index()]
    }

    /// The actor's state.
    pub fn actor(&mut self, actor: u32) -> &mut Actor {
        &mut self.actors[actor as usize]
    }

    /// The actor that runs.
    pub fn here(&mut self) -> &mut Actor {
        let on = self.on;
        self.actor(on)
    }

    /// The thread whose stack runs, or [`NOBODY`].
    pub fn standing(&mut self) -> u32 {
        self.here().thread
    }

    /// An actor has its turn at a time, and not when it was to have it.
    pub fn turn(&mut self, actor: u32, at: Picoseconds) {
        let one = &mut self.actors[actor as usize];
        one.ticket = one.ticket.wrapping_add(1);
        self.turns.push(Reverse((at, actor, one.ticket)));
        self.horizon = self.horizon.min(at.saturating_add(AHEAD_PS));
    }

    /// The actor whose turn it is, with its clock set, or none if nothing will ever happen again.
    pub fn next(&mut self) -> Option<u32> {
        loop {
            let Reverse((at, actor, ticket)) = self.turns.pop()?;
            let one = &mut self.actors[actor as usize];
            if one.ticket == ticket {
                one.clock = one.clock.max(at);
                one.waits = Waits::Turn;
                let next = self.turns.peek().map_or(Picoseconds::MAX, |Reverse((at, ..))| *at);
                self.horizon = next.saturating_add(AHEAD_PS);
                return Some(actor);
            }
        }
    }

    /// When the next turn is.
    pub fn next_at(&self) -> Picoseconds {
        self.turns.peek().map_or(Picoseconds::MAX, |Reverse((at, ..))| *at)
    }

    /// Wakes an actor at a time, if it waits for something that may come early.
    pub fn interrupt(&mut self, actor: u32, at: Picoseconds) {
        if self.actors[actor as usize].waits == Waits::Time {
            self.turn(actor, at);
        }
    }

    /// Wakes an actor that sleeps, or keeps it from falling asleep.
    pub fn wake(&mut self, actor: u32, now: Picoseconds) {
        let at = now + self.costs.wake_ps;
        let one = self.actor(actor);
        if one.waits == Waits::Sleeps {
            self.turn(actor, at);
        } else {
            one.woken = true;
        }
    }

    /// The timekeepers are to be awake by a time.
    pub fn alarm(&mut self, at: Picoseconds, now: Picoseconds) {
        self.alarm_at = self.alarm_at.min(at);
        for keeper in 0..self.actors.len() as u32 {
            let one = self.actor(keeper);
            if !one.is_core && one.waits == Waits::Sleeps && one.wakes_at > at {
                one.wakes_at = at;
                let wake_ps = self.costs.wake_ps;
                self.turn(keeper, at.max(now) + wake_ps);
            }
        }
    }

    /// The actor that runs touches a line at a time. When it has it, and for how long it waited for others at it.
    fn touch_line(
        &mut self,
        address: usize,
        how: Use,
        now: Picoseconds,
    ) -> Option<(Picoseconds, Picoseconds)> {
        let (on, number) = (self.on, address / LINE);
        match self.lines.touch(on as u16, number, how, now, self.costs.transfer_ps) {
            Outcome::Hit => None,
            Outcome::Transfer { at, waited } => {
                if how == Use::Write {
                    self.tell_word(number, at);
                }
                if self.counting {
                    match &mut self.actors[on as usize] {
                        Actor { is_core: false, .. } => self.names.count(address, Who::Timekeeper, waited),
                        Actor { is_done: true, after, .. } => after.push((address, waited)),
                        Actor { idle: true, .. } => self.names.count(address, Who::Idle, waited),
                        _ => self.names.count(address, Who::Busy, waited),
                    }
                }
                Some((at, waited))
            }
        }
    }

    /// A line is written: if it is the preemption word of a thread that computes, its core sees that at its next check.
    fn tell_word(&mut self, number: usize, at: Picoseconds) {
        let (first, stride) = self.words;
        let Some(behind) = number.checked_sub(first).filter(|behind| behind % stride == 0) else { return };
        match self.computes.get(behind / stride) {
            None | Some(&NOBODY) => {}
            Some(&core) => self.interrupt(core, at + self.costs.check_ps),
        }
    }

    fn touched(&mut self, touch: Touch) -> bool {
        let (access, relax) = (self.costs.access_ps, self.costs.relax_ps);
        let here = self.here();
        if touch.access == Access::Wait {
            here.clock += relax;
            here.spend(|spent| spent.locks += relax);
            return true;
        }
        // Instructions for plain memory behind a lock are paid for with the lock.
        if touch.access != Access::Plain {
            here.clock += access;
            here.spend(|spent| spent.kernel += access);
        }
        let how = if touch.access == Access::Load { Use::Read } else { Use::Write };
        let (first, last) = (touch.address / LINE, (touch.address + touch.bytes.max(1) - 1) / LINE);
        let began = self.here().clock;
        // All lines of one value are asked for at once; the last to come counts.
        let addresses = (first..=last).map(|number| touch.address.max(number * LINE));
        let moved = addresses.filter_map(|address| self.touch_line(address, how, began)).max();
        if let Some((at, waited)) = moved {
            let here = self.here();
            here.clock = at;
            here.spend(|spent| {
                spent.transfers += at - began - waited;
                spent.queues += waited;
            });
        }
        moved.is_some() || self.here().clock > self.horizon
    }
}

/// Has all accesses of the kernel take virtual time.
pub fn charge() {
    listen(Some(|touch| {
        if world(|world| world.on != NOBODY && world.touched(touch)) {
            let_others_go_on();
        }
    }));
}

/// The actor that runs goes on when it is its turn.
pub fn let_others_go_on() {
    world(|world| {
        let (on, clock) = (world.on, world.here().clock);
        world.turn(on, clock);
    });
    fiber::pause();
}

/// The actor that runs does something for so long that touches nothing.
pub fn pass(time: Picoseconds) {
    let ahead = world(|world| {
        if world.on == NOBODY {
            return false;
        }
        world.here().clock += time;
        world.here().clock > world.horizon
    });
    if ahead {
        let_others_go_on();
    }
}

/// The time of the actor that runs; of the simulation where none does.
pub fn now_ps() -> Picoseconds {
    world(|world| if world.on == NOBODY { 0 } else { world.here().clock })
}

/// The actor that runs waits until a time, or until something is to be done before.
pub fn wait_until(at: Picoseconds) {
    world(|world| {
        let on = world.on;
        world.turn(on, at);
        world.here().waits = Waits::Time;
    });
    fiber::pause();
}

/// The actor that runs sleeps until it is woken, or until a time.
pub fn sleep_until(at: Picoseconds) {
    let sleeps = world(|world| {
        let on = world.on;
        if std::mem::take(&mut world.here().woken) {
            return false;
        }
        world.here().wakes_at = at;
        if at == Picoseconds::MAX {
            // Its old entries count no more.
            world.here().ticket = world.here().ticket.wrapping_add(1);
        } else {
            world.turn(on, at);
        }
        world.here().waits = Waits::Sleeps;
        true
    });
    if sleeps {
        fiber::pause();
    }
}
