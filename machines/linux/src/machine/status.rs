//! The machine's picture of itself, for `hallows ps`.

use std::sync::atomic::{AtomicU64, Ordering};

use hallows_kernel::{CellId, CellPicture, CellState as Life, LastFault, Machine};

use super::running::Running;
use crate::host::control::protocol::{
    CellSelector, CellState, CellStatus, MachineStatus, MemoryStatus, TimeStatus, TimekeeperState,
    TimekeeperStatus,
};
use crate::host::cores::CoreChoice;
use crate::host::tier::Tier;

/// What the parent has told of the host, and when the machine began.
#[derive(Debug)]
pub struct Surroundings {
    choice: CoreChoice,
    tier: AtomicU64,
    began_ns: u64,
}

impl Surroundings {
    /// Of a machine that begins now, by its own clock.
    #[must_use]
    pub const fn new(choice: CoreChoice, began_ns: u64) -> Self {
        Self { choice, tier: AtomicU64::new(0), began_ns }
    }

    /// The parent has reached a tier.
    pub fn set_tier(&self, tier: Tier) {
        self.tier.store(tier as u64, Ordering::Relaxed);
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
        let uptime_ns = kernel.machine.now().0.saturating_sub(self.began_ns);
        let (used_bytes, budget_bytes) = kernel.memory();
        let meter = running.meter();
        MachineStatus {
            tier: self.tier(),
            cores: self.choice.programs.clone(),
            housekeeping: self.choice.housekeeping.clone(),
            uptime_ns,
            memory: MemoryStatus {
                budget_bytes,
                populated_bytes: running.budget().populated_bytes(),
                used_bytes,
                is_locked: running.budget().is_locked(),
            },
            timekeeper: TimekeeperStatus {
                core: self.choice.timekeeper_core(),
                place: self.choice.timekeeper,
                state: if meter.is_spinning() {
                    TimekeeperState::Spinning
                } else {
                    TimekeeperState::Sleeping
                },
                percent_now: meter.measure_percent(),
                percent_since_boot: (meter.used_ns() as f64 * 100.0 / uptime_ns.max(1) as f64) as f32,
                wakeups: kernel.machine.alarms(),
            },
            cells: kernel.picture_cells().into_iter().map(|cell| self.cell(cell)).collect(),
        }
    }

    fn cell(&self, picture: CellPicture) -> CellStatus {
        // Service cores, which are numbered behind those of programs, are threads beside the cleaner.
        let core =
            self.choice.programs.iter().nth(picture.core.index()).unwrap_or(self.choice.cleaner_core());
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

/// A fault in one line: why, in which life, and where.
fn describe(fault: &LastFault) -> String {
    let place =
        fault.backtrace.lines().next().map_or_else(String::new, |frame| format!(" at {}", frame.trim()));
    format!("{} (life {}){place}", fault.kind.message(), fault.life)
}

/// The cell that is meant, if there is one.
#[must_use]
pub fn select(running: &Running, selector: &CellSelector) -> Option<CellId> {
    running.kernel().picture_cells().into_iter().find_map(|picture| {
        let is_meant = match selector {
            CellSelector::Number(number) => u64::from(picture.cell.0) == *number,
            CellSelector::Name(name) => *picture.name == **name,
        };
        is_meant.then_some(picture.cell)
    })
}
