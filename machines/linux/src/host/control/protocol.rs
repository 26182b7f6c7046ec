//! Requests and responses of the control socket, as data.

use serde::{Deserialize, Serialize};

use super::inspection::{FaultRecord, Inspection, Statistics};

use crate::host::core_set::{CoreId, CoreSet};
use crate::host::cores::TimekeeperPlace;
use crate::host::tier::{Tier, TierReport};
use crate::machine::paths::PathTaken;
use crate::machine::plan::ClassPlan;

/// Version of this protocol: counts the changes that a client which does not know of them trips over.
pub const PROTOCOL: u32 = 1;

/// What a client asks, for example `{"op":"kill","cell":7}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// The state of machine and cells: [`Response::Machine`].
    Ps,
    /// Which path each service took: [`Response::Paths`].
    Paths,
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
    /// What this protocol is: [`Response::Version`]. Answered by the parent.
    Version,
    /// Counters for a live view: [`Response::Statistics`]. Quicker than [`Request::Ps`].
    Statistics,
    /// One cell in all its parts: [`Response::Cell`].
    Inspect {
        /// Which.
        cell: CellSelector,
    },
    /// Begin a new life of a cell, by its supervisor if it has one: [`Response::Done`] once it runs.
    Restart {
        /// Which.
        cell: CellSelector,
    },
    /// End a cell for as long as nobody restarts it: [`Response::Done`] once it is down. One that was [started](Request::Start) by
    /// a client is gone then, and its memory with it.
    End {
        /// Which.
        cell: CellSelector,
    },
    /// Make a cell that runs a program, and start it: [`Response::Started`].
    Start(Box<StartRequest>),
    /// Call an endpoint with a message, from a cell that is made for it: [`Response::Answered`].
    Send {
        /// `CELL.ENDPOINT`, or the name of a cell that serves only one.
        endpoint: String,
        /// The message, two hexadecimal digits a byte: at most 4,096 bytes.
        hex: String,
        /// Nanoseconds that the answer may take, at most a minute; 5 seconds when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        patience_ns: Option<u64>,
    },
    /// The faults behind this one that are still remembered: [`Response::Faults`].
    Faults {
        /// A [sequence](FaultRecord::sequence); all when absent.
        #[serde(default)]
        after: u64,
    },
    /// What the machine has said behind this place of its log: [`Response::Log`]. Answered by the parent.
    Log {
        /// A place that an answer has given; the start of what is kept when absent.
        #[serde(default)]
        after: u64,
        /// Answer only when there is something.
        #[serde(default)]
        waits: bool,
    },
    /// This connection is a monitor's from now on: [`Response::Attached`]. Answered by the parent.
    Attach {
        /// The machine ends when this connection closes and was not detached before.
        #[serde(default)]
        owns: bool,
    },
    /// Answer when this monitor is detached, with [`Response::Detached`]; the connection closes when the machine ends. For a
    /// connection that is attached. Answered by the parent.
    AwaitDetach,
    /// Detach a monitor: [`Response::Detached`]. The machine goes on. Answered by the parent.
    Detach {
        /// Its number; all when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        monitor: Option<u64>,
    },
}

/// Directories that a Unix program is given at most.
pub const MOST_DIRECTORIES: usize = 32;

impl Request {
    /// How many open files go with it.
    #[must_use]
    pub fn files(&self) -> usize {
        let Self::Start(start) = self else { return 0 };
        let directories = start.unix.as_ref().map_or(0, |unix| unix.directories.len());
        usize::from(start.program.is_in_a_file()).saturating_add(directories)
    }

    /// Whether the machine waits for something before it answers: for cells, or for an answer of theirs. All others are answered at once.
    #[must_use]
    pub const fn takes_time(&self) -> bool {
        matches!(self, Self::Restart { .. } | Self::End { .. } | Self::Start(_) | Self::Send { .. })
    }
}

/// A cell to be made and started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// What it runs.
    pub program: StartProgram,
    /// Its name; one that is taken gets a number behind it.
    pub name: String,
    /// Its arguments: at most 64, and what start information has room for.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// What it may call: the name that it knows it by, and `CELL.ENDPOINT`. At most 32.
    #[serde(default)]
    pub uses: Vec<(String, String)>,
    /// What it serves: names, all `passive` or all `active`. At most 32.
    #[serde(default)]
    pub serves: Vec<(String, StartService)>,
    /// The most memory that it may have, in bytes.
    pub memory_bytes: u64,
    /// What a program of Unix is given beside; absent for others. Such a program has no `uses` and no `serves`, and may have 4,096 arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unix: Option<UnixStart>,
}

/// What a program of Unix is given that is started in a machine that runs. Its output and its errors are lines of the log, its input is at its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnixStart {
    /// The program's name, which is the first of its arguments.
    pub program: String,
    /// Its environment: `NAME=value`.
    #[serde(default)]
    pub variables: Vec<String>,
    /// What it may use of its stack, in bytes; what all programs may, if 0.
    #[serde(default)]
    pub stack_bytes: u64,
    /// Directories: at most 32, each an open file of the request, in their order, behind the program's. The machine takes those that it reaches: what
    /// it was started with, and what is below that.
    #[serde(default)]
    pub directories: Vec<LentDirectory>,
}

/// A directory that a Unix program is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LentDirectory {
    /// What the program knows it by.
    pub name: String,
    /// It may not be changed.
    #[serde(default)]
    pub read_only: bool,
}

/// Where the program of a [`StartRequest`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum StartProgram {
    /// It is linked into the machine.
    Native {
        /// Its name.
        name: String,
    },
    /// An artefact, compiled and sealed for this machine, in a file in memory that is sealed against changes and goes with the
    /// request as its open file.
    Artifact {
        /// The hash of the program that it was compiled from, 64 hexadecimal digits.
        program: String,
    },
}

impl StartProgram {
    /// Whether it comes as an open file of its request.
    #[must_use]
    pub const fn is_in_a_file(&self) -> bool {
        matches!(self, Self::Artifact { .. })
    }
}

/// How an endpoint of a [`StartRequest`] is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartService {
    /// On its callers' threads.
    Passive,
    /// By a thread of its own.
    Active,
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
    /// The path of each service.
    Paths {
        /// In the order of [`SERVICES`](crate::machine::paths::SERVICES); without what this machine does not have, and without the tier while
        /// the cores are being claimed.
        paths: Vec<PathTaken>,
    },
    /// The tier.
    Tier {
        /// The report, or nothing while the claim is under way.
        report: Option<TierReport>,
        /// Whether the machine has booted: its cells are there, and started. The claim goes on beside, and may be done before.
        #[serde(default)]
        began: bool,
    },
    /// What this protocol is.
    Version {
        /// [`PROTOCOL`].
        protocol: u32,
        /// The version of hallows.
        hallows: String,
        /// Which key the machine's compiled programs are sealed with, as [`Launch::seal`](crate::host::parent::Launch::seal): who has another need
        /// not compile for it.
        #[serde(default)]
        seal: String,
    },
    /// Counters.
    Statistics(Box<Statistics>),
    /// One cell.
    Cell(Box<Inspection>),
    /// The cell runs.
    Started {
        /// Its number.
        cell: u64,
        /// Its name.
        name: String,
    },
    /// The endpoint has answered.
    Answered {
        /// The answer, two hexadecimal digits a byte.
        hex: String,
        /// How long it took, in ns, from the call to its return.
        took_ns: u64,
    },
    /// Faults.
    Faults {
        /// The last one's sequence, to ask for what comes behind it.
        last: u64,
        /// They, oldest first.
        faults: Vec<FaultRecord>,
    },
    /// A part of the log.
    Log {
        /// The place behind it, to ask for what comes next.
        next: u64,
        /// Bytes that were forgotten between the place that was asked for and what is here.
        missed: u64,
        /// It: whole lines, as far as there are any.
        text: String,
    },
    /// This connection is a monitor's.
    Attached {
        /// Its number.
        monitor: u64,
    },
    /// So many monitors were detached; to one that waited for it, that it was.
    Detached {
        /// How many.
        monitors: u64,
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
    /// Before whom it runs.
    #[serde(default)]
    pub class: ClassPlan,
    /// Deadlines that it has missed, in the real-time class.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed_deadlines: u64,
    /// The longest that it was seen to run on after it was asked to stop, in nanoseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub longest_stretch_ns: u64,
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
    /// How it last failed: by a fault, or by an exit with another status than 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_fault: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
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
        assert_eq!(parse(r#"{"op":"log"}"#), Request::Log { after: 0, waits: false });
        assert_eq!(parse(r#"{"op":"attach"}"#), Request::Attach { owns: false });
        assert_eq!(parse(r#"{"op":"await_detach"}"#), Request::AwaitDetach);
        assert_eq!(
            parse(r#"{"op":"send","endpoint":"calc.calc","hex":"00"}"#),
            Request::Send { endpoint: "calc.calc".into(), hex: "00".into(), patience_ns: None }
        );
        let start = r#"{"op":"start","program":{"from":"native","name":"spin"},"name":"s","memory_bytes":1}"#;
        let Request::Start(start) = parse(start) else { panic!("a start") };
        assert_eq!(start.program, StartProgram::Native { name: "spin".into() });
        assert!(start.uses.is_empty() && start.serves.is_empty());
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
                class: ClassPlan::RealTime,
                missed_deadlines: 2,
                longest_stretch_ns: 900,
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
