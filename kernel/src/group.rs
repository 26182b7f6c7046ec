//! Further threads of a cell: started by it, in its capability space, ended with it.
//!
//! A further thread is a cell's record more, for its inbox and its thread of execution, and nothing else of a cell: no capability names it, it
//! has its *leader's* space and budget, and it is gone when its function has returned. Rule: whatever else ends it ends the leader, and an end of
//! the leader ends all of them before anything of it is given back. Consequence: what they share (space, memory) outlives each of them.

use alloc::boxed::Box;
use alloc::format;

use hallows_abi::{Error, FaultKind};

use crate::cell::CellState;
use crate::lock::{Token, level};
use crate::make::{CELL_BYTES, Runs};
use crate::slot::Name;
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::{CellId, Context, Ended, Engine, Kernel, Nanos, ThreadId};

type Unlocked<'t> = &'t mut Token<'static, { level::NONE }>;

/// Further threads that a cell may have at a time: many for any host's cores, and few enough to look through under a lock. Where several threads
/// start one in the same instant, each may be one more.
pub const MOST_THREADS: usize = 64;

/// How a thread waits for another of its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Until its cell ends.
    UntilKilled,
    /// Whatever becomes of its cell: natively, for what it cannot return without.
    Endless,
}

impl<E: Engine> Kernel<E> {
    /// The cell that a cell's record belongs to: a further thread's leader, or itself.
    #[inline]
    pub(crate) fn leader(&self, cell: u32) -> u32 {
        // Relaxed: a thread's is set before it first runs, and cleared after it ended.
        let leader = self.cells.at(cell).leader.load(Ordering::Relaxed);
        if leader == NOBODY { cell } else { leader }
    }

    /// Starts a further thread of the calling cell, whose instance takes so many bytes. `prepare` notes what it runs, under the record that it
    /// is given: [`Engine::resume`] and [`Engine::release`] come for that as for a cell.
    ///
    /// # Errors
    /// `NotInHandler` of a passive server; `Unsupported` of a cell with a time budget, which its threads would escape; `TableFull` behind
    /// [`MOST_THREADS`] or where the machine has no cell left; `BudgetExhausted`, `Killed`.
    pub fn start_thread(
        &self,
        context: &mut Context,
        bytes: u64,
        prepare: impl FnOnce(CellId),
    ) -> Result<CellId, Error> {
        let (caller, core, token) = (context.thread.0, context.core.0, &mut context.token);
        let leader = self.leader(caller);
        let (cell, runs) = (self.cells.at(leader), self.threads.at(leader));
        if self.threads.at(caller).innermost().is_some() || cell.is_passive() {
            return Err(Error::NotInHandler);
        }
        if runs.standing.is_metered() {
            return Err(Error::Unsupported);
        }
        self.check_live(caller)?;
        if cell.control.lock(token).0.threads.len() >= MOST_THREADS {
            return Err(Error::TableFull);
        }
        let budget = Name {
            index: cell.budget.load(Ordering::Relaxed),
            generation: cell.budget_generation.load(Ordering::Relaxed),
        };
        let own = CELL_BYTES.checked_add(bytes).ok_or(Error::BudgetExhausted)?;
        self.charge_to(token, budget, own)?;
        let taken = self.cells.take(token);
        let index = taken.map_err(|error| self.undo_charge(token, budget.index, own, error))?;
        let record = self.cells.at(index);
        record.life.store(1, Ordering::Relaxed);
        record.passive.store(0, Ordering::Relaxed);
        record.budget.store(budget.index, Ordering::Relaxed);
        record.leader.store(leader, Ordering::Relaxed);
        let runs = Runs {
            rank: runs.rank.load(Ordering::Relaxed),
            pinned: runs.pinned.load(Ordering::Relaxed),
            pool: runs.pool.load(Ordering::Relaxed),
        };
        self.reset_thread(token, index, &runs, None);
        let thread = self.threads.at(index);
        thread.depth.store(0, Ordering::Relaxed);
        thread.word.clear();
        self.capabilities.lock(token).0.share_space(index, leader);
        let name = Name { index, generation: record.generation.begin() };
        let called = format!("{}/{index}", cell.control.lock(token).0.name);
        {
            let (mut control, _) = record.control.lock(token);
            control.own_bytes = own;
            control.abandoned = false;
            control.thread_busy = true;
            control.cause = None;
            control.backtrace = Box::default();
            control.name = called.into();
            record.set_state(CellState::Created);
        }
        prepare(CellId(index));
        // Under the lock that the leader's end is noted under: it finds this thread, or the thread does not begin. The caller keeps the leader
        // from being over meanwhile.
        let lives = {
            let (mut control, _) = cell.control.lock(token);
            control.threads.push(name);
            cell.is_live()
        };
        // Busy until here, so that it is this life of the record; from here on it may be another one's.
        let begins = {
            let (mut control, mut token) = record.control.lock(token);
            let begins = lives && record.state() == CellState::Created;
            control.thread_busy = begins;
            if begins {
                thread.state.begin();
                record.inbox.lock(&mut token).0.open();
                record.set_state(CellState::Running);
            }
            begins
        };
        if !begins {
            self.begin_end(token, core, name, FaultKind::Killed, 0, Box::default());
            self.try_finish(token, core, index);
            return Err(Error::Killed);
        }
        self.wake(token, core, index);
        Ok(CellId(index))
    }

    /// A thread is over: if it did not just return, so is its cell.
    pub(crate) fn end_leader(&self, token: Unlocked<'_>, core: u32, thread: u32, ended: &Ended) {
        let leader = self.leader(thread);
        if leader != thread && ended.kind != FaultKind::Returned {
            let named = self.present_cell(leader);
            self.begin_end(token, core, named, ended.kind, 0, ended.backtrace.clone());
        }
    }

    /// Gives the record of a further thread back that is over. Its leader may have waited for that.
    pub(crate) fn bury_thread(&self, token: Unlocked<'_>, core: u32, thread: u32) {
        let (record, leader) = (self.cells.at(thread), self.leader(thread));
        let name = self.present_cell(thread);
        let own = {
            let (control, _) = record.control.lock(token);
            record.set_state(CellState::Free);
            record.generation.end(name.generation);
            control.own_bytes
        };
        self.capabilities.lock(token).0.leave_space(thread);
        record.leader.store(NOBODY, Ordering::Relaxed);
        self.refund(token, record.budget.load(Ordering::Relaxed), own);
        self.cells.give_back(token, thread);
        self.cells.at(leader).control.lock(token).0.threads.retain(|one| *one != name);
        self.try_finish(token, core, leader);
    }

    /// Blocks the calling thread as long as `waits` says so, or until a deadline: whether it was the deadline. Whoever makes `waits` false then
    /// calls [`Self::unpark_thread`]. Nothing is held while it waits, and `waits` is called with nothing held.
    ///
    /// # Errors
    /// `NotInHandler` inside of a passive server, where nobody waits; `Killed`, unless it is `Endless`.
    pub fn park_thread(
        &self,
        context: &mut Context,
        patience: Patience,
        deadline: Nanos,
        waits: impl Fn() -> bool,
    ) -> Result<bool, Error> {
        let thread = context.thread.0;
        if self.threads.at(thread).innermost().is_some() || self.cells.at(thread).is_passive() {
            return Err(Error::NotInHandler);
        }
        if deadline != Nanos(0) {
            self.arm(context, deadline);
        }
        let result = loop {
            if patience == Patience::UntilKilled
                && let Err(error) = self.check_live(thread)
            {
                break Err(error);
            }
            if !waits() {
                break Ok(false);
            }
            if deadline == Nanos(0) || self.has_expired(context, deadline) {
                break Ok(true);
            }
            self.block(context);
        };
        self.disarm(context);
        result
    }

    /// Wakes a thread of the calling one's cell, if it is parked.
    pub fn unpark_thread(&self, context: &mut Context, thread: ThreadId) {
        self.wake(&mut context.token, context.core.0, thread.0);
    }
}
