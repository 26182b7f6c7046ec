//! Requests and responses of the control socket, as data.

use serde::{Deserialize, Serialize};

use crate::host::core_set::{CoreId, CoreSet};
use crate::host::cores::TimekeeperPlace;
use crate::host::tier::{Tier, TierReport};

/// What a client asks, for example `{"op":"kill","cell":7}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// The state of machine and cells: [`Response::Machine`].
    Ps,
    /// The tier and what is missing for a better one: [`Response::Tier`]. Answered by the parent.
    Tier,
    /// End the machine cleanly: [`Response::Done`] once it has ended. Handled by the parent.
    Stop {
        /// Nanoseconds until it is killed; the machine's own grace period when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grace_ns: Option<u64>,
    },
    /// End one cell: [`Response::Done`].
    Kill {
        /// Which.
        cell: CellSelector,
    },
}

/// Names a cell by its number or by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CellSelector {
    /// The number that `ps` shows.
    Number(u64),
    /// The name that `ps` shows.
    Name(String),
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Response {
    /// It is done.
    Done,
    /// State of machine and cells.
    Machine(MachineStatus),
    /// The tier.
    Tier {
        /// The report, or nothing while the claim is under way.
        report: Option<TierReport>,
    },
    /// It could not be done.
    Failed {
        /// Why, and what to do.
        error: String,
    },
}

/// A running machine, as `hallows ps` shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MachineStatus {
    /// How well its cores are its own.
    pub tier: Tier,
    /// Cores of programs.
    pub cores: CoreSet,
    /// Cores of timekeeper and cleaner.
    pub housekeeping: CoreSet,
    /// Nanoseconds since boot of the machine.
    pub uptime_ns: u64,
    /// Its memory.
    pub memory: MemoryStatus,
    /// The timekeeper, and what it costs.
    pub timekeeper: TimekeeperStatus,
    /// Its cells.
    pub cells: Vec<CellStatus>,
}

/// Memory of a machine, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryStatus {
    /// The budget, fixed at the start.
    pub budget_bytes: u64,
    /// Part of it that has been taken from Linux: what cells have, and what is held for them.
    pub populated_bytes: u64,
    /// Whether what cells get is locked.
    pub is_locked: bool,
    /// Part of it that cells have.
    pub used_bytes: u64,
}

/// The timekeeper of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimekeeperStatus {
    /// Where it runs.
    pub core: CoreId,
    /// Whether it may spin there.
    pub place: TimekeeperPlace,
    /// What it does now.
    pub state: TimekeeperState,
    /// Its share of that core at this moment, measured over 50 ms, in percent.
    pub percent_now: f32,
    /// Its share since boot, in percent.
    pub percent_since_boot: f32,
    /// Times that it has woken up.
    pub wakeups: u64,
}

/// What a timekeeper does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimekeeperState {
    /// Nothing is due soon: it costs nothing.
    Sleeping,
    /// Something is due within microseconds: it takes its whole core.
    Spinning,
}

/// A cell, as `hallows ps` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellStatus {
    /// Its number, for [`Request::Kill`].
    pub cell: u64,
    /// Its name.
    pub name: String,
    /// What it does.
    pub state: CellState,
    /// Where it runs or ran last; `None` before its first run.
    pub core: Option<CoreId>,
    /// Processor time that it has used, in nanoseconds.
    pub cpu_ns: u64,
    /// Its time budget, and what it has used of it; `None` if it may have all time that nobody else wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeStatus>,
    /// Memory that it has, in bytes.
    pub memory_bytes: u64,
    /// Memory that it may have, in bytes.
    pub memory_limit_bytes: u64,
    /// Times that it was restarted.
    pub restarts: u64,
    /// The number of the cell that it waits for: the active server that it calls, or the passive one that is busy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<u64>,
    /// Why it ended last, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<String>,
}

/// A cell's time budget, at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeStatus {
    /// Processor time that it may use in each period, in nanoseconds.
    pub budget_ns: u64,
    /// The period, in nanoseconds.
    pub period_ns: u64,
    /// What it has used of the present period's budget, in nanoseconds.
    pub used_ns: u64,
    /// What it has used beyond it, inside of servers, and pays from the next ones, in nanoseconds.
    pub debt_ns: u64,
    /// Whether it stands still until the next replenishment.
    pub throttled: bool,
    /// How often it has stood still.
    pub throttlings: u64,
}

/// What a cell does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellState {
    /// It runs on a core.
    Running,
    /// It could run.
    Ready,
    /// It waits for an event.
    Waiting,
    /// It could run, and has used up its time budget.
    Throttled,
    /// It ended by a fault and is about to be started again.
    Restarting,
    /// It ended for good.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_read_as_documented() {
        let parse = |text: &str| serde_json::from_str::<Request>(text).unwrap();
        assert_eq!(parse(r#"{"op":"ps"}"#), Request::Ps);
        assert_eq!(parse(r#"{"op":"stop"}"#), Request::Stop { grace_ns: None });
        assert_eq!(parse(r#"{"op":"stop","grace_ns":5}"#), Request::Stop { grace_ns: Some(5) });
        assert_eq!(parse(r#"{"op":"kill","cell":7}"#), Request::Kill { cell: CellSelector::Number(7) });
        assert_eq!(
            parse(r#"{"op":"kill","cell":"calc"}"#),
            Request::Kill { cell: CellSelector::Name("calc".into()) }
        );
        assert!(serde_json::from_str::<Request>(r#"{"op":"fly"}"#).unwrap_err().to_string().contains("fly"));
    }

    #[test]
    fn a_status_survives_the_way_to_the_client() {
        let status = Response::Machine(MachineStatus {
            tier: Tier::Isolated,
            cores: "1-3".parse().unwrap(),
            housekeeping: "0".parse().unwrap(),
            uptime_ns: 5,
            memory: MemoryStatus { budget_bytes: 3, populated_bytes: 2, is_locked: true, used_bytes: 1 },
            timekeeper: TimekeeperStatus {
                core: CoreId(0),
                place: TimekeeperPlace::OwnCore,
                state: TimekeeperState::Sleeping,
                percent_now: 1.5,
                percent_since_boot: 0.5,
                wakeups: 9,
            },
            cells: vec![CellStatus {
                cell: 1,
                name: "calculator".into(),
                state: CellState::Waiting,
                core: None,
                cpu_ns: 4,
                time: Some(TimeStatus {
                    budget_ns: 200,
                    period_ns: 1_000,
                    used_ns: 200,
                    debt_ns: 70,
                    throttled: true,
                    throttlings: 3,
                }),
                memory_bytes: 65536,
                memory_limit_bytes: 1 << 20,
                restarts: 0,
                waits_for: Some(2),
                last_fault: None,
            }],
        });
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Response>(&text).unwrap(), status);
    }
}
