//! Who waits for whom. Calls of active servers that wait for each other in a circle end by their deadlines only; the walk that names
//! such a circle is taken when a deadline has passed, and on demand: never on the way of a call.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use hallows_abi::TraceKind;

use crate::lock::{Token, level};
use crate::sync::Ordering;
use crate::thread::NOBODY;
use crate::{CellId, Context, Engine, Kernel, Machine};

/// The longest way that is walked, in cells: it takes their inboxes' locks one after the other. A longer circle is not named.
const LONGEST: usize = 64;

/// A call that waits: who calls, and the ticket of the answer that it is owed, which is never used again.
type Waiting = (u32, u64);

impl<E: Engine> Kernel<E> {
    /// The cell that a cell's thread waits for: the active server that it calls, or the passive one that is busy.
    pub(crate) fn waits_for(&self, token: &mut Token<'static, { level::NONE }>, cell: u32) -> Option<CellId> {
        let called = self.cells.at(cell).inbox.lock(token).0.owed_call();
        let passive = self.threads.at(cell).waits_for.load(Ordering::Relaxed);
        called.map(|(_, server)| server).or((passive != NOBODY).then_some(passive)).map(CellId)
    }

    /// The cells that wait for each other in a circle, each for the next and the last for the first, if a cell's call waits for one.
    pub fn circle(&self, cell: CellId) -> Option<Vec<CellId>> {
        self.find_circle(&mut Token::at_entry(), cell.0)
    }

    fn find_circle(&self, token: &mut Token<'static, { level::NONE }>, cell: u32) -> Option<Vec<CellId>> {
        // The inboxes are looked at one after the other. What waits in both walks has waited all the time between them: then all of them
        // did so at the same time.
        let (first, second) = (self.walk(token, cell)?, self.walk(token, cell)?);
        (first == second).then(|| first.into_iter().map(|(cell, _)| CellId(cell)).collect())
    }

    fn walk(&self, token: &mut Token<'static, { level::NONE }>, cell: u32) -> Option<Vec<Waiting>> {
        let (mut way, mut cell): (Vec<Waiting>, u32) = (Vec::new(), cell);
        while way.len() < LONGEST {
            if let Some(start) = way.iter().position(|(before, _)| *before == cell) {
                return Some(way.split_off(start));
            }
            let (ticket, server) = self.cells.at(cell).inbox.lock(token).0.owed_call()?;
            way.push((cell, ticket));
            cell = server;
        }
        None
    }

    /// A call's deadline has passed: if that is because of a circle, the log and the trace say so.
    #[cold]
    pub(crate) fn name_circle(&self, context: &mut Context, cell: u32) {
        let Some(circle) = self.find_circle(&mut context.token, cell) else { return };
        let Some(first) = circle.first() else { return };
        let length = u64::try_from(circle.len()).unwrap_or(u64::MAX);
        let record = self.core(context.core.0);
        record.trace.record(TraceKind::Circle, context.thread.0, first.0, length);
        let mut line = String::from("calls wait for each other:");
        for cell in circle.iter().chain([first]) {
            let control = self.cells.at(cell.0).control.lock(&mut context.token).0;
            let separator = if line.ends_with(':') { "" } else { " calls" };
            // A string takes everything.
            let _ = write!(line, "{separator} cell {cell} ({})", control.name);
        }
        self.machine.log(line.as_bytes());
    }
}
