//! The machine's picture of itself, for `hallows ps`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hallows_abi::Printable;
use hallows_kernel::{CellPicture, CellState as Life, LastFault, Machine};

use super::paths::Paths;
use super::running::Running;
use crate::host::control::protocol::{
    CellState, CellStatus, MachineStatus, MemoryStatus, TimeStatus, TimekeeperState, TimekeeperStatus,
};
use crate::host::cores::CoreChoice;
use crate::host::tier::{Tier, TierReport};

/// What the parent has told of the host, and when the machine began.
#[derive(Debug)]
pub struct Surroundings {
    choice: CoreChoice,
    tier: AtomicU64,
    paths: Arc<Paths>,
    began_ns: u64,
}

impl Surroundings {
    /// Of a machine that begins now, by its own clock.
    #[must_use]
    pub const fn new(choice: CoreChoice, paths: Arc<Paths>, began_ns: u64) -> Self {
        Self { choice, tier: AtomicU64::new(0), paths, began_ns }
    }

    /// Which path each service took.
    #[must_use]
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The parent has reached a tier.
    pub fn set_tier(&self, report: &TierReport) {
        self.tier.store(report.tier as u64, Ordering::Relaxed);
        self.paths.report_tier(report);
    }

    fn tier(&self) -> Tier {
        match self.tier.load(Ordering::Relaxed) {
            0 => Tier::Shared,
            1 => Tier::Isolated,
            _ => Tier::Booted,
        }
    }

    /// What the machine does now; it takes 50 ms to measure.
    #[must_use]
    pub fn status(&self, running: &Running) -> MachineStatus {
        let kernel = running.kernel();
        let uptime_ns = self.uptime_ns(running);
        let meter = running.meter();
        MachineStatus {
            tier: self.tier(),
            cores: self.choice.programs.clone(),
            housekeeping: self.choice.housekeeping.clone(),
            uptime_ns,
            memory: Self::memory(running),
            timekeeper: TimekeeperStatus {
                core: self.choice.timekeeper_core(),
                place: self.choice.timekeeper,
                state: Self::timekeeper_state(running),
                percent_now: meter.measure_percent(),
                percent_since_boot: (meter.used_ns() as f64 * 100.0 / uptime_ns.max(1) as f64) as f32,
                wakeups: kernel.machine.alarms(),
            },
            cells: kernel.picture_cells().into_iter().map(|cell| self.cell(cell)).collect(),
        }
    }

    /// When the machine began, by its own clock, in ns.
    pub(super) const fn began_ns(&self) -> u64 {
        self.began_ns
    }

    /// Nanoseconds since boot.
    pub(super) fn uptime_ns(&self, running: &Running) -> u64 {
        running.kernel().machine.now().0.saturating_sub(self.began_ns)
    }

    /// What has become of the machine's memory.
    pub(super) fn memory(running: &Running) -> MemoryStatus {
        let (used_bytes, budget_bytes) = running.kernel().memory();
        MemoryStatus {
            budget_bytes,
            populated_bytes: running.budget().populated_bytes(),
            used_bytes,
            is_locked: running.budget().is_locked(),
        }
    }

    /// What the timekeeper does.
    pub(super) fn timekeeper_state(running: &Running) -> TimekeeperState {
        if running.meter().is_spinning() { TimekeeperState::Spinning } else { TimekeeperState::Sleeping }
    }

    /// Which of Linux's cores one of the kernel's is. Service cores, which are numbered behind those of programs, are threads beside the
    /// cleaner.
    pub(super) fn core(&self, core: hallows_kernel::CoreId) -> crate::host::core_set::CoreId {
        self.choice.programs.iter().nth(core.index()).unwrap_or(self.choice.cleaner_core())
    }

    pub(super) fn cell(&self, picture: CellPicture) -> CellStatus {
        let core = self.core(picture.core);
        let has_run = picture.life > 0;
        CellStatus {
            cell: u64::from(picture.cell.0),
            name: picture.name.into(),
            state: match picture.state {
                Life::Free | Life::Dead => CellState::Ended,
                Life::Dying => CellState::Restarting,
                Life::Created | Life::Starting => CellState::Ready,
                Life::Running if picture.running => CellState::Running,
                Life::Running if picture.time.is_some_and(|time| time.throttled) => CellState::Throttled,
                Life::Running if picture.runnable => CellState::Ready,
                Life::Running => CellState::Waiting,
            },
            core: has_run.then_some(core),
            cpu_ns: picture.used_ns,
            class: picture.class.into(),
            missed_deadlines: picture.missed,
            longest_stretch_ns: picture.stretch_ns,
            time: picture.time.map(|time| TimeStatus {
                budget_ns: time.budget.budget_ns,
                period_ns: time.budget.period_ns,
                used_ns: time.used_ns,
                debt_ns: time.debt_ns,
                throttled: time.throttled,
                throttlings: time.throttlings,
            }),
            memory_bytes: picture.memory_bytes,
            memory_limit_bytes: picture.budget_bytes.0,
            restarts: u64::from(picture.life.saturating_sub(1)),
            waits_for: picture.waits_for.map(|cell| u64::from(cell.0)),
            last_fault: picture.last_fault.map(|fault| describe(&fault)),
        }
    }
}

/// A fault in one line: why, with which status, in which life, and where.
fn describe(fault: &LastFault) -> String {
    let first = fault.backtrace.lines().next();
    let place = first.map_or_else(String::new, |frame| format!(" at {}", Printable(frame.trim())));
    let status = if fault.detail == 0 { String::new() } else { format!(" with status {}", fault.detail) };
    format!("{}{status} (life {}){place}", fault.kind.message(), fault.life)
}
