//! The kernel checks its own books: how much of everything is in use, and what cannot be when nothing runs. For tests
//! and simulations; nothing here is on a path of a call.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::cell::{CellRecord, CellState};
use crate::lock::Token;
use crate::{CellId, Engine, Kernel};

/// How many of everything there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Cells beside the root.
    pub cells: usize,
    /// Endpoints.
    pub endpoints: usize,
    /// Notifications.
    pub notifications: usize,
    /// Timers.
    pub timers: usize,
    /// Budgets beside the root's.
    pub budgets: usize,
    /// Regions.
    pub regions: usize,
    /// Programs.
    pub programs: usize,
    /// Capabilities in spaces.
    pub capabilities: usize,
    /// Slots of capabilities on their way or kept by kernel objects.
    pub held: usize,
    /// Messages waiting or unanswered.
    pub messages: usize,
    /// Answers owed or not taken.
    pub pending: usize,
    /// Entries in timer queues.
    pub due: usize,
}

impl<E: Engine> Kernel<E> {
    /// Counts everything.
    pub fn usage(&self) -> Usage {
        let (mut entry, mut token) = (Token::at_entry(), Token::at_entry());
        let mut usage = Usage {
            cells: self.cells.used(&mut entry).skip(1).filter(|(_, cell)| cell.generation.is_alive()).count(),
            endpoints: self.endpoints.used(&mut entry).filter(|(_, one)| one.generation.is_alive()).count(),
            notifications: self
                .notifications
                .used(&mut entry)
                .filter(|(_, one)| one.generation.is_alive())
                .count(),
            timers: self.timers.used(&mut entry).filter(|(_, one)| one.generation.is_alive()).count(),
            budgets: self
                .budgets
                .used(&mut entry)
                .skip(1)
                .filter(|(_, one)| one.generation.is_alive())
                .count(),
            regions: self.regions.used(&mut entry).filter(|(_, one)| one.generation.is_alive()).count(),
            programs: self.programs.used(&mut entry).filter(|(_, one)| one.generation.is_alive()).count(),
            ..Usage::default()
        };
        for (_, cell) in self.cells.used(&mut entry) {
            let (inbox, _) = cell.inbox.lock(&mut token);
            usage.messages += inbox.messages();
            usage.pending += inbox.outstanding();
        }
        usage.due = self.cores.iter().map(|core| core.agenda.change(&mut token, |queue| queue.len())).sum();
        let (mut tree, _) = self.capabilities.lock(&mut token);
        (usage.capabilities, usage.held) = tree.count_all();
        usage
    }

    /// Cells that are held by a thread that stands still until its time budget is replenished: never any, at no moment.
    pub fn throttled_holders(&self) -> Vec<CellId> {
        let mut entry = Token::at_entry();
        let held = |cell: &CellRecord<E::Bytes, E::Program>| {
            // The kernel itself is no thread: it is never throttled.
            cell.monitor.holder().is_some_and(|holder| self.threads.at(holder.thread).standing.is_throttled())
        };
        self.cells.used(&mut entry).filter(|(_, cell)| held(cell)).map(|(index, _)| CellId(index)).collect()
    }

    /// What cannot be while everything is quiet (see [`Kernel::is_quiet`]): somebody waits for what is there, a server is held by
    /// nobody who runs, an end does not come to its end, the books of the capabilities are wrong.
    pub fn contradictions(&self) -> Vec<String> {
        let (mut entry, mut token) = (Token::at_entry(), Token::at_entry());
        let mut wrong = Vec::new();
        for (index, cell) in self.cells.used(&mut entry).skip(1) {
            let state = cell.state();
            if state == CellState::Dying {
                wrong.push(format!("cell {index} does not come to its end"));
            }
            if let Some(holder) = cell.monitor.holder() {
                wrong.push(format!("thread {} stands inside of cell {index}", holder.thread));
            }
            if !cell.monitor.waiters().lock(&mut token).0.is_empty() {
                wrong.push(format!("somebody waits for cell {index}, which is free"));
            }
            let thread = self.threads.at(index);
            if thread.state.is_runnable() || thread.state.is_running() {
                wrong.push(format!("thread {index} should run"));
            }
            if matches!(state, CellState::Running | CellState::Starting) {
                let (inbox, _) = cell.inbox.lock(&mut token);
                if inbox.waits_with_events() {
                    wrong.push(format!("cell {index} waits and has events"));
                }
                if inbox.has_answered_call() {
                    wrong.push(format!("cell {index} waits for an answer that has come"));
                }
            }
        }
        self.contradictions_of_serving(&mut wrong);
        let (mut tree, _) = self.capabilities.lock(&mut token);
        tree.contradictions(&mut wrong);
        wrong
    }

    /// Who serves an endpoint knows it, and nobody else; its messages are with its server or a former one.
    fn contradictions_of_serving(&self, wrong: &mut Vec<String>) {
        let (mut entry, mut token) = (Token::at_entry(), Token::at_entry());
        for (index, endpoint) in self.endpoints.used(&mut entry) {
            let former = endpoint.serving.former(&mut token);
            for (cell, record) in self.cells.used(&mut token).skip(1) {
                let mut token = Token::at_entry();
                let serves =
                    record.control.lock(&mut token).0.serves.iter().filter(|one| **one == index).count();
                let should = usize::from(endpoint.generation.is_alive() && endpoint.serving.is(cell));
                if serves != should {
                    wrong.push(format!("cell {cell} serves endpoint {index} {serves} times, not {should}"));
                }
                let messages = record.inbox.lock(&mut token).0.messages_to(index);
                if messages > 0 && should == 0 && !former.contains(&cell) {
                    wrong.push(format!("cell {cell} has messages to endpoint {index}, and nobody knows"));
                }
            }
        }
    }
}
