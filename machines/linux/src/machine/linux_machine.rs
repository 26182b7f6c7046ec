//! What the kernel asks of Linux: the time, sleep, random numbers, a line on the console.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use hallows_abi::{FaultKind, FaultReport, Printable};
use hallows_kernel::{CellId, CoreId, Machine, Nanos};

use super::console::Console;
use super::faults::Faults;
use super::lead::Lead;
use super::outlet::{Outlet, Outlets};
use super::thread_clock::ThreadClock;
use crate::host::timer::{Clock, Parker};

/// The highest exit code that is the system's own.
const HIGHEST_CODE: u8 = 63;

/// The Linux side of one kernel.
#[derive(Debug)]
pub struct LinuxMachine {
    clock: Clock,
    cores: Box<[(Parker, Lead)]>,
    /// The processor time of each core's thread.
    core_clocks: Box<[ThreadClock]>,
    timekeeper: Parker,
    /// How often the timekeeper was woken from sleep by somebody, for `ps`.
    alarms: AtomicU64,
    console: Arc<Console>,
    /// Of Unix programs that an operator has started.
    outlets: Outlets,
    faults: Faults,
    /// The cell that the machine ends with; its number plus 1, 0 for none.
    last_cell: AtomicU32,
    /// The cell whose status becomes the machine's code; its number plus 1, 0 for the last one.
    teller: AtomicU32,
    /// The code of its status, plus 1; 0 before its end.
    told: AtomicU32,
    /// Who waits for the end of the machine.
    end: Parker,
    /// The code that the machine ends with, plus 1; 0 while it goes on.
    code: AtomicU32,
    /// The last cell has ended, and nobody has asked for the end.
    is_done: AtomicBool,
    /// Whether an idle core may sleep; false only while a bench measures two awake cores.
    sleepless: AtomicBool,
}

impl LinuxMachine {
    /// For so many cores.
    #[must_use]
    pub fn new(cores: usize, clock: Clock, console: Console) -> Self {
        Self {
            clock,
            cores: (0..cores).map(|_| (Parker::new(), Lead::default())).collect(),
            core_clocks: (0..cores).map(|_| ThreadClock::default()).collect(),
            timekeeper: Parker::new(),
            alarms: AtomicU64::new(0),
            console: Arc::new(console),
            outlets: Outlets::default(),
            faults: Faults::default(),
            last_cell: AtomicU32::new(0),
            teller: AtomicU32::new(0),
            told: AtomicU32::new(0),
            end: Parker::new(),
            code: AtomicU32::new(0),
            is_done: AtomicBool::new(false),
            sleepless: AtomicBool::new(false),
        }
    }

    /// The calling thread drives a core from now on: the core's own time is the thread's.
    pub fn adopt(&self, core: CoreId) {
        if let Some(clock) = self.core_clocks.get(core.index()) {
            clock.adopt();
        }
    }

    /// The machine's clock.
    #[must_use]
    pub const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Where lines go.
    #[must_use]
    pub fn console(&self) -> &Console {
        &self.console
    }

    /// A way to the console for the bytes that a Unix program of that name writes.
    #[must_use]
    pub fn outlet(&self, name: &str) -> Arc<Outlet> {
        Arc::new(Outlet::new(Arc::clone(&self.console), name.to_owned()))
    }

    /// The output of a cell, which is about to be started, goes there: the end of each of its lives ends a line, and is said. Without: it serves
    /// such a one, and that it is ended is not said.
    pub(super) fn let_out(&self, cell: CellId, outlet: Option<Arc<Outlet>>) {
        self.outlets.add(cell, outlet);
    }

    /// The cell is no more.
    pub(super) fn shut_out(&self, cell: CellId) {
        self.outlets.remove(cell);
    }

    /// The faults that are remembered.
    #[must_use]
    pub const fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Lets the timekeeper sleep until a time, an alarm, or a reason of its own.
    pub(super) fn sleep_timekeeper(&self, until: Nanos) {
        let until = (until != Nanos::NEVER).then(|| self.clock.to_monotonic_ns(until.0));
        self.timekeeper.park(until);
    }

    /// Lets the timekeeper sleep until shortly before a time, an alarm, or a reason of its own. Whether it is awake for that time now.
    pub(super) fn sleep_timekeeper_before(&self, time: Nanos, lead: &Lead) -> bool {
        lead.park(&self.timekeeper, &self.clock, time)
    }

    /// Wakes the timekeeper.
    pub(super) fn wake_timekeeper(&self) {
        self.timekeeper.unpark();
    }

    /// How often the timekeeper was woken by an alarm.
    #[must_use]
    pub fn alarms(&self) -> u64 {
        self.alarms.load(Ordering::Relaxed)
    }

    /// The machine ends when this cell has ended, with its status.
    pub fn ends_with(&self, cell: CellId) {
        self.last_cell.store(cell.0 + 1, Ordering::SeqCst);
    }

    /// The machine's code is this cell's status, whatever the last one's is.
    pub fn takes_code_of(&self, cell: CellId) {
        self.teller.store(cell.0 + 1, Ordering::SeqCst);
    }

    /// Lets the machine end with a code. Only the first counts.
    pub fn end(&self, code: u8) {
        // Whoever comes second finds a code there already.
        let _ = self.code.compare_exchange(0, u32::from(code) + 1, Ordering::SeqCst, Ordering::SeqCst);
        self.end.unpark();
    }

    /// Waits until [`LinuxMachine::end`]; its code. For one thread.
    pub fn wait_for_end(&self) -> u8 {
        loop {
            if let Some(code) = self.code.load(Ordering::SeqCst).checked_sub(1) {
                return u8::try_from(code).unwrap_or(u8::MAX);
            }
            self.end.park(None);
        }
    }

    /// Whether it ends because its last cell has ended, and not because somebody wants it to.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::SeqCst)
    }

    /// Keeps idle cores awake, looking for work, or lets them sleep.
    pub fn keep_awake(&self, awake: bool) {
        self.sleepless.store(awake, Ordering::Relaxed);
    }
}

impl Machine for LinuxMachine {
    #[inline]
    fn now(&self) -> Nanos {
        Nanos(self.clock.now_ns())
    }

    fn core_time(&self, core: CoreId) -> Nanos {
        let used_ns = self.core_clocks.get(core.index()).and_then(ThreadClock::used_ns);
        used_ns.map_or_else(|| self.now(), Nanos)
    }

    fn park(&self, core: CoreId, until: Nanos) -> bool {
        // Relaxed: a core that sees it late sleeps or looks once more.
        if self.sleepless.load(Ordering::Relaxed) {
            std::hint::spin_loop();
            return false;
        }
        let Some((parker, lead)) = self.cores.get(core.index()) else { return false };
        if until == Nanos::NEVER {
            parker.park(None);
            return false;
        }
        lead.park(parker, &self.clock, until)
    }

    fn unpark(&self, core: CoreId) {
        if let Some((parker, _)) = self.cores.get(core.index()) {
            parker.unpark();
        }
    }

    fn alarm(&self, _at: Nanos) {
        // Whatever it is, the timekeeper looks for itself what is due and when.
        self.alarms.fetch_add(1, Ordering::Relaxed);
        self.timekeeper.unpark();
    }

    fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        crate::host::random::fill(&mut bytes);
        bytes
    }

    fn cell_ended(&self, cell: CellId, kind: FaultKind, status: u32) {
        self.outlets.end(cell, kind, status);
        let code = |highest: u8| match kind {
            FaultKind::Returned => 0,
            FaultKind::Exited => u8::try_from(status).unwrap_or(highest).min(highest),
            _ => 1,
        };
        if self.teller.load(Ordering::SeqCst) == cell.0 + 1 {
            self.told.store(u32::from(code(u8::MAX)) + 1, Ordering::SeqCst);
        }
        if self.last_cell.load(Ordering::SeqCst) == cell.0 + 1 {
            // Codes of the machine's own are from 64 on; what the last cell says beyond is a failure all the same.
            self.is_done.store(true, Ordering::SeqCst);
            let told = self.told.load(Ordering::SeqCst).checked_sub(1);
            self.end(told.and_then(|code| u8::try_from(code).ok()).unwrap_or_else(|| code(HIGHEST_CODE)));
        }
    }

    fn cell_faulted(&self, name: &str, report: &FaultReport<'_>) {
        self.faults.add(name, report);
        // Before the log says of it.
        self.outlets.finish(CellId(report.cell));
    }

    fn deadline_missed(&self, name: &str, cell: CellId, missed: u64) {
        // The first, and then ever fewer: who misses all of them would fill the log.
        if missed.is_power_of_two() {
            let line = format!("cell {} ({}): missed a deadline, {missed} so far", Printable(name), cell.0);
            self.console.line(line.as_bytes());
        }
    }

    fn tells_end_itself(&self, cell: CellId, kind: FaultKind) -> bool {
        // The status becomes this process's, or comes behind the program's last line.
        let is_tellers = kind == FaultKind::Exited && self.teller.load(Ordering::SeqCst) == cell.0 + 1;
        is_tellers || self.outlets.tells_end(cell, kind)
    }

    fn log(&self, line: &[u8]) {
        self.console.line(line);
    }
}
