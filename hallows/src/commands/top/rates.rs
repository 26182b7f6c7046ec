//! What happened between two samples of a machine.

use hallows_linux::host::control::inspection::{CellStatistics, Histogram, Statistics};
use hallows_linux::host::control::protocol::{CellState, MemoryStatus, TimekeeperState};
use serde::Serialize;

use crate::cli::SortBy;

/// A machine over an interval.
#[derive(Clone, Debug, Serialize)]
pub struct Rates {
    /// Nanoseconds since boot, at its end.
    pub uptime_ns: u64,
    /// Its length, in ns.
    pub interval_ns: u64,
    /// Memory, at its end.
    pub memory: MemoryStatus,
    /// What the timekeeper did at its end.
    pub timekeeper: TimekeeperState,
    /// Its share of a core, in percent.
    pub timekeeper_percent: f64,
    /// Calls that cells made, in a second.
    pub calls_per_second: f64,
    /// Cores.
    pub cores: Vec<CoreRates>,
    /// Cells.
    pub cells: Vec<CellRates>,
}

/// A core.
#[derive(Clone, Debug, Serialize)]
pub struct CoreRates {
    /// Which of Linux's.
    pub core: String,
    /// The share of time that it was awake, in percent.
    pub percent: f64,
    /// The cell that ran at the end.
    pub running: Option<String>,
    /// Threads that waited for it.
    pub waiting: u32,
    /// Switches to a thread, in a second.
    pub switches_per_second: f64,
    /// How often it was lent to a thread of another pool, in a second.
    pub loans_per_second: f64,
}

/// A cell.
#[derive(Clone, Debug, Serialize)]
pub struct CellRates {
    /// Its number.
    pub cell: u64,
    /// Its name.
    pub name: String,
    /// What it did at the end.
    pub state: CellState,
    /// Where it ran last.
    pub core: Option<String>,
    /// Its share of a core, in percent: more than 100 of none.
    pub percent: f64,
    /// Memory in use, in bytes.
    pub memory_bytes: u64,
    /// Calls that it made, in a second.
    pub calls_per_second: f64,
    /// Messages that it answered, in a second.
    pub answers_per_second: f64,
    /// Half of the calls that it answered took no longer, in ns; if it answered none, of those that it made.
    pub p50_ns: Option<u64>,
    /// The same of 99 of 100.
    pub p99_ns: Option<u64>,
    /// Restarts since it was made.
    pub restarts: u64,
    /// Faults since it was made.
    pub faults: u64,
}

impl Rates {
    /// From an earlier and a later sample. A cell that was not there before counts from its beginning.
    pub fn between(earlier: &Statistics, later: &Statistics) -> Self {
        let interval_ns = later.uptime_ns.saturating_sub(earlier.uptime_ns);
        let per_second =
            |before: u64, now: u64| now.saturating_sub(before) as f64 * 1e9 / interval_ns.max(1) as f64;
        let percent = |before: u64, now: u64| per_second(before, now) / 1e7;
        let name_of = |number: u64| {
            let cell = later.cells.iter().find(|cell| cell.status.cell == number);
            cell.map_or_else(|| number.to_string(), |cell| cell.status.name.clone())
        };
        let cores = later.cores.iter().enumerate().map(|(place, core)| {
            let before = earlier.cores.get(place).unwrap_or(core);
            CoreRates {
                core: core.core.to_string(),
                percent: percent(before.cpu_ns, core.cpu_ns),
                running: core.running.map(name_of),
                waiting: core.waiting,
                switches_per_second: per_second(before.switches, core.switches),
                loans_per_second: per_second(before.loans, core.loans),
            }
        });
        let cells = later.cells.iter().map(|cell| {
            let is_same = |before: &&CellStatistics| {
                before.status.cell == cell.status.cell && before.status.name == cell.status.name
            };
            let before = earlier.cells.iter().find(is_same);
            let count = |of: fn(&CellStatistics) -> u64| per_second(before.map_or(0, of), of(cell));
            let since = |of: fn(&CellStatistics) -> &Histogram| {
                before.map_or_else(|| of(cell).clone(), |before| of(cell).since(of(before)))
            };
            let mut latencies = since(|cell| &cell.calls.answered_ns);
            if latencies.0.is_empty() {
                latencies = since(|cell| &cell.calls.made_ns);
            }
            CellRates {
                cell: cell.status.cell,
                name: cell.status.name.clone(),
                state: cell.status.state,
                core: cell.status.core.map(|core| core.to_string()),
                percent: count(|cell| cell.status.cpu_ns) / 1e7,
                memory_bytes: cell.status.memory_bytes,
                calls_per_second: count(|cell| cell.calls.made),
                answers_per_second: count(|cell| cell.calls.answered),
                p50_ns: latencies.quantile_ns(0.5),
                p99_ns: latencies.quantile_ns(0.99),
                restarts: cell.status.restarts,
                faults: cell.faults,
            }
        });
        let cells: Vec<CellRates> = cells.collect();
        Self {
            uptime_ns: later.uptime_ns,
            interval_ns,
            memory: later.memory,
            timekeeper: later.timekeeper,
            timekeeper_percent: percent(earlier.timekeeper_ns, later.timekeeper_ns),
            calls_per_second: cells.iter().map(|cell| cell.calls_per_second).sum(),
            cores: cores.collect(),
            cells,
        }
    }

    /// The cells in the order that is wanted; by number among equals.
    pub fn sorted(&self, by: SortBy) -> Vec<&CellRates> {
        let mut cells: Vec<&CellRates> = self.cells.iter().collect();
        let most = |value: f64| -value;
        match by {
            SortBy::Cpu => cells.sort_by(|a, b| most(a.percent).total_cmp(&most(b.percent))),
            SortBy::Calls => {
                let calls = |cell: &CellRates| most(cell.calls_per_second + cell.answers_per_second);
                cells.sort_by(|a, b| calls(a).total_cmp(&calls(b)));
            }
            SortBy::Memory => cells.sort_by_key(|cell| std::cmp::Reverse(cell.memory_bytes)),
            SortBy::Restarts => cells.sort_by_key(|cell| std::cmp::Reverse((cell.restarts, cell.faults))),
            SortBy::Name => cells.sort_by(|a, b| a.name.cmp(&b.name)),
        }
        cells
    }
}
