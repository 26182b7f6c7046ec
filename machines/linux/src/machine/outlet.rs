//! The output of a Unix program that an operator has started: lines of the machine's console, each with the program's name in front, as those of
//! other programs.
//!
//! Such a program writes bytes, in pieces that end anywhere. What has no end of line yet waits for it here, until the program has ended.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hallows_abi::FaultKind;
use hallows_kernel::CellId;

use super::console::Console;

/// A line that is longer is cut into several: a program that never ends one costs no memory.
const LINE_BYTES: usize = 4_096;

/// One of a program's two ways out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its output.
    Output,
    /// Its errors.
    Errors,
}

/// The way out of one program.
pub struct Outlet {
    console: Arc<Console>,
    name: String,
    /// What has no end of line yet, of each way.
    waiting: Mutex<[Vec<u8>; 2]>,
}

impl Outlet {
    pub(super) fn new(console: Arc<Console>, name: String) -> Self {
        Self { console, name, waiting: Mutex::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, [Vec<u8>; 2]> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the program writes.
    pub fn write(&self, way: Way, bytes: &[u8]) {
        let mut waiting = self.waiting();
        let [output, errors] = &mut *waiting;
        let begun = match way {
            Way::Output => output,
            Way::Errors => errors,
        };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = part.strip_suffix(b"\n").map_or((part, false), |text| (text, true));
            let mut rest = text;
            while begun.len() + rest.len() > LINE_BYTES {
                let (front, behind) = rest.split_at(LINE_BYTES - begun.len());
                begun.extend_from_slice(front);
                self.line(begun);
                rest = behind;
            }
            begun.extend_from_slice(rest);
            if ends {
                self.line(begun);
            }
        }
    }

    /// The program has ended: what waits is a line, too.
    fn finish(&self) {
        for begun in self.waiting().iter_mut().filter(|begun| !begun.is_empty()) {
            self.line(begun);
        }
    }

    /// Says how it ended, if it ended by itself: of all else the kernel does.
    fn end(&self, cell: CellId, kind: FaultKind, status: u32) {
        self.finish();
        if matches!(kind, FaultKind::Returned | FaultKind::Exited) {
            let line = format!("cell {} ({}) exited with status {status}", cell.0, self.name);
            self.console.line(line.as_bytes());
        }
    }

    fn line(&self, text: &mut Vec<u8>) {
        self.console.line(&[self.name.as_bytes(), b": ", text].concat());
        text.clear();
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outlet").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The outlets of a machine, by the cells whose output they take; and the cells that serve those.
#[derive(Debug, Default)]
pub(super) struct Outlets {
    /// `None`: a cell that serves one. It is ended behind its program, which is worth no line.
    outlets: Mutex<BTreeMap<u32, Option<Arc<Outlet>>>>,
    /// How many there are: where there are none, the end of a cell costs a look at this.
    count: AtomicUsize,
}

impl Outlets {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Option<Arc<Outlet>>>> {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cell's output goes there; it serves such a one, without.
    pub fn add(&self, cell: CellId, outlet: Option<Arc<Outlet>>) {
        let mut outlets = self.lock();
        outlets.insert(cell.0, outlet);
        self.count.store(outlets.len(), Ordering::SeqCst);
    }

    /// The cell is no more.
    pub fn remove(&self, cell: CellId) {
        let mut outlets = self.lock();
        outlets.remove(&cell.0);
        self.count.store(outlets.len(), Ordering::SeqCst);
    }

    /// Whether [`Outlets::end`] says all that there is to say of such an end.
    pub fn tells_end(&self, cell: CellId, kind: FaultKind) -> bool {
        match self.known(cell) {
            Some(Some(_)) => kind == FaultKind::Exited,
            Some(None) => kind == FaultKind::Killed,
            None => false,
        }
    }

    fn of(&self, cell: CellId) -> Option<Arc<Outlet>> {
        self.known(cell).flatten()
    }

    fn known(&self, cell: CellId) -> Option<Option<Arc<Outlet>>> {
        // It is added before its cell starts, which orders that before anything of the cell's.
        if self.count.load(Ordering::SeqCst) == 0 { None } else { self.lock().get(&cell.0).cloned() }
    }

    /// Writes the line that a cell has begun, whose end is about to be said.
    pub fn finish(&self, cell: CellId) {
        self.of(cell).iter().for_each(|outlet| outlet.finish());
    }

    /// A cell's life is over.
    pub fn end(&self, cell: CellId, kind: FaultKind, status: u32) {
        self.of(cell).iter().for_each(|outlet| outlet.end(cell, kind, status));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outlet() -> (Arc<Console>, Arc<Outlet>) {
        let console = Arc::new(Console::new());
        let outlet = Outlet::new(console.clone(), "tool".to_owned());
        (console, Arc::new(outlet))
    }

    #[test]
    fn pieces_become_lines_and_the_two_ways_are_not_mixed_within_one() {
        let (console, outlet) = outlet();
        outlet.write(Way::Output, b"one\ntw");
        outlet.write(Way::Errors, b"oh");
        outlet.write(Way::Output, b"o\n\nlast");
        assert_eq!(console.take(), "tool: one\ntool: two\ntool: \n");
        outlet.finish();
        outlet.finish();
        assert_eq!(console.take(), "tool: last\ntool: oh\n");
    }

    #[test]
    fn a_line_without_an_end_is_cut() {
        let (console, outlet) = outlet();
        for _ in 0..100 {
            outlet.write(Way::Output, &[b'x'; 100]);
        }
        outlet.write(Way::Output, b"\n");
        let said = console.take();
        let lengths: Vec<_> = said.lines().map(|line| line.len() - "tool: ".len()).collect();
        assert_eq!(lengths, [LINE_BYTES, LINE_BYTES, 10_000 - 2 * LINE_BYTES]);
    }

    #[test]
    fn the_end_of_a_cell_ends_its_line_and_nobody_elses() {
        let (console, outlet) = outlet();
        let outlets = Outlets::default();
        let (exited, killed) = (FaultKind::Exited, FaultKind::Killed);
        outlets.add(CellId(3), Some(outlet.clone()));
        outlets.add(CellId(5), None);
        for (cell, kind, tells) in
            [(3, exited, true), (3, killed, false), (5, killed, true), (4, exited, false)]
        {
            assert_eq!(outlets.tells_end(CellId(cell), kind), tells, "{cell} {kind:?}");
        }
        outlet.write(Way::Output, b"begun");
        outlets.end(CellId(4), exited, 1);
        assert_eq!(console.take(), "");
        outlets.end(CellId(3), exited, 2);
        assert_eq!(console.take(), "tool: begun\ncell 3 (tool) exited with status 2\n");
        outlet.write(Way::Errors, b"begun");
        outlets.finish(CellId(3));
        outlets.end(CellId(3), killed, 0);
        assert_eq!(console.take(), "tool: begun\n", "the kernel says the rest");
        outlets.remove(CellId(3));
        assert!(!outlets.tells_end(CellId(3), exited));
    }
}
