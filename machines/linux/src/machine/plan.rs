//! What a machine is to run: made by the command, carried out by the machine's boot.
//!
//! Everything is checked by the one who makes it; what is wrong in one all the same is an error of boot, not a panic.

use hallows_kernel::Class;
use hallows_policy::Module;
use serde::{Deserialize, Serialize};

use super::paths::Requirement;
use crate::host::wire::End;
use crate::host::xdp::XdpTraits;

/// The largest stack that a program can be given, in bytes.
pub const LARGEST_STACK_BYTES: u64 = hallows_engine::LARGEST_STACK_BYTES as u64;

/// A whole system: programs, and cells that run them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Plan {
    /// Programs, each once.
    pub programs: Vec<ProgramPlan>,
    /// Cells, in the order of their start. One may use what a later one serves.
    pub cells: Vec<CellPlan>,
    /// Memory of all cells together, in bytes.
    pub memory_bytes: u64,
    /// Whether the machine takes all of its memory from Linux at its start, in the background, and not only what its programs touch.
    pub takes_memory: bool,
    /// How long a program runs while another waits for its core, in nanoseconds.
    pub quantum_ns: u64,
    /// Policies of its classes.
    #[serde(default)]
    pub policies: PoliciesPlan,
    /// Pools of the machine's cores, in their order; none: all are one.
    #[serde(default)]
    pub pools: Vec<PoolPlan>,
    /// Preempt and migrate at every check.
    pub chaos: bool,
    /// Whether the machine says what it is set up with.
    pub tells: bool,
    /// Fast paths without which the machine ends before any program runs.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// How many notifications there are, to be given to cells.
    pub notifications: usize,
    /// The machine ends when this cell, a place in [`Plan::cells`], has ended, with that cell's status; by a request only, if none.
    pub ends_with: Option<usize>,
    /// The machine's exit code is this cell's status, up to 255; that of the cell it ends with, up to 63, if none.
    pub code_of: Option<usize>,
    /// Cells, by their places, that the system cannot go on without: an operator may not end them alone. If the first is among them, it is
    /// a supervisor (`hallows_supervisor`) of those whose faults go to its first endpoint.
    pub system: Vec<usize>,
    /// What Linux gives to each of its Unix programs. The descriptors come with the plan, behind the artefacts.
    #[serde(default)]
    pub unix: Vec<UnixPlan>,
    /// Interfaces of the host, in the order of their numbers. Their descriptors come with the plan, behind the artefacts.
    #[serde(default)]
    pub interfaces: Vec<InterfacePlan>,
    /// Ports of the host. Their descriptors come with the plan, behind those of interfaces.
    #[serde(default)]
    pub ports: Option<PortsPlan>,
    /// Directories that Unix programs may be given, or what is below them, which are started while the machine runs. Their names are for people.
    #[serde(default)]
    pub lends: Vec<DirectoryPlan>,
}

impl Plan {
    /// How many service cores there are: those that its cells are on, and one for files of programs that come later, if it lends any.
    #[must_use]
    pub fn service_cores(&self) -> u32 {
        self.taken_service_cores() + u32::from(!self.lends.is_empty())
    }

    /// The service core that serves files of programs which come later; none, if it lends no directories.
    #[must_use]
    pub fn lending_core(&self) -> Option<u32> {
        (!self.lends.is_empty()).then(|| self.taken_service_cores())
    }

    /// The cells that are told when Linux's network has something for them, in the order of its numbers.
    pub fn told_of_network(&self) -> impl Iterator<Item = usize> {
        self.interfaces
            .iter()
            .map(|interface| interface.cell)
            .chain(self.ports.iter().map(|ports| ports.cell))
            .chain(self.ports.iter().filter(|ports| ports.outgoing.is_some()).map(|ports| ports.cell))
    }

    /// How many its cells are on.
    #[must_use]
    pub fn taken_service_cores(&self) -> u32 {
        let numbers = self.cells.iter().filter_map(|cell| match cell.place {
            PlacePlan::ServiceCore(number) => Some(number + 1),
            PlacePlan::Anywhere | PlacePlan::Core(_) | PlacePlan::Pool(_) => None,
        });
        numbers.max().unwrap_or(0)
    }
}

/// A pool of cores.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolPlan {
    /// For people.
    pub name: String,
    /// How many, of those that the pools before it have left.
    pub cores: u32,
    /// Whether programs of other pools get those that its own do not want.
    pub lends: bool,
}

/// Which policies the classes have; their own, if none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoliciesPlan {
    /// The latency class's.
    pub latency: Option<PolicyPlan>,
    /// The batch class's.
    pub batch: Option<PolicyPlan>,
}

/// Where a policy is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PolicyPlan {
    /// One that is linked in.
    Linked {
        /// Its name among those.
        name: String,
    },
    /// One that was WebAssembly.
    Module {
        /// For people.
        name: String,
        /// It, verified.
        module: Box<Module>,
    },
}

/// What Linux gives to a Unix program. The cells of the host service that serve it name its place in [`Plan::unix`] as their only argument.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnixPlan {
    /// Arguments; the first is the program's name.
    pub arguments: Vec<Vec<u8>>,
    /// The environment: `NAME=value`.
    pub variables: Vec<Vec<u8>>,
    /// Input, output, errors.
    pub streams: [StreamPlan; 3],
    /// Directories.
    pub directories: Vec<DirectoryPlan>,
}

/// A stream that a program is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPlan {
    /// Its place among the descriptors that come with the plan. Several may name the same.
    pub descriptor: usize,
    /// How it is reached.
    pub way: StreamWay,
}

/// How a program reaches a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamWay {
    /// Its descriptor is read, or written to.
    #[default]
    Direct,
    /// Input that the parent carries, as from a terminal, whose reader must be in the foreground.
    Carried,
    /// Output to nowhere, or input that is at its end: no thread of Linux is asked.
    Nowhere,
}

/// A directory of the host that a program is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryPlan {
    /// Its place among the descriptors that come with the plan.
    pub descriptor: usize,
    /// What the program knows it by.
    pub name: String,
    /// It may not be changed.
    pub read_only: bool,
}

/// An interface of the host that a packet device is driven over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfacePlan {
    /// What its frames come and go by.
    pub way: WayPlan,
    /// The cell that drives it, a place in [`Plan::cells`].
    pub cell: usize,
    /// The most bytes that a frame carries behind its head.
    pub mtu: u32,
    /// The address of the machine's end.
    pub address: [u8; 6],
    /// The place of a file among the descriptors, which gets a copy of all frames.
    pub capture: Option<usize>,
}

/// What frames of an interface come and go by; places among the descriptors that come with the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WayPlan {
    /// A TAP interface's descriptor.
    Tap {
        /// Its place.
        descriptor: usize,
    },
    /// A queue over AF_XDP, as [`Xdp`](crate::host::xdp::Xdp).
    Xdp {
        /// The place of its socket.
        socket: usize,
        /// Of the file with its frames.
        memory: usize,
        /// Of what keeps its frames coming.
        link: usize,
        /// Its measures.
        traits: XdpTraits,
    },
    /// An end of a wire, as [`Wire`](crate::host::wire::Wire).
    Wire {
        /// Which.
        end: End,
        /// The place of what it listens to.
        bell: usize,
        /// Of what rings that.
        ringer: usize,
    },
}

/// Ports of the host that a machine is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortsPlan {
    /// The cell that serves them, a place in [`Plan::cells`].
    pub cell: usize,
    /// Which: each was bound to one address.
    pub ports: Vec<PortPlan>,
    /// The place, among the descriptors that come with the plan, of the socket to the parent, which makes connections to elsewhere, if there may be any.
    #[serde(default)]
    pub outgoing: Option<usize>,
}

/// A port that was bound.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortPlan {
    /// Its place among the descriptors that come with the plan.
    pub descriptor: usize,
    /// Its number.
    pub port: u16,
    /// For datagrams and not for connections.
    pub is_datagrams: bool,
}

/// Where a cell runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlacePlan {
    /// On any of the machine's cores; if they are in pools, of the first one's.
    #[default]
    Anywhere,
    /// On this one, counted from 0.
    Core(u32),
    /// On those of a pool, its place in [`Plan::pools`].
    Pool(u32),
    /// On a service core, counted from 0: a thread beside the machine's cores, which may block in the host.
    ServiceCore(u32),
}

/// Where a program's code is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ProgramPlan {
    /// A compiled program: its place in the bytes that come with the plan.
    Artifact {
        /// For people.
        name: String,
        /// Where it begins.
        offset: usize,
        /// How many bytes it has.
        length: usize,
        /// The hash of the program that it was compiled from.
        program: [u8; 32],
        /// What a main program may use of its stack, in bytes; 0: what all cells may.
        #[serde(default)]
        stack_bytes: u64,
    },
    /// A program that is linked in.
    Native {
        /// Its name among those linked in.
        name: String,
    },
}

/// One cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CellPlan {
    /// For people; unique.
    pub name: String,
    /// Its program's place in [`Plan::programs`].
    pub program: usize,
    /// Its memory, in bytes.
    pub memory_bytes: u64,
    /// Slots of its capability space; 0: the kernel's default.
    pub slots: u32,
    /// Before whom it runs.
    #[serde(default)]
    pub class: ClassPlan,
    /// 0 the lowest, 7 the highest, within its class.
    pub priority: u8,
    /// Where it runs.
    pub place: PlacePlan,
    /// The most processor time that it may use; all that nobody else wants, if none.
    pub time: Option<TimePlan>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What it serves: all passive, or all active.
    pub serves: Vec<ServicePlan>,
    /// What it is given, in the order of its grants.
    pub uses: Vec<UsePlan>,
    /// The endpoint that its faults go to: a cell's place in [`Plan::cells`] (an earlier one), and a place in its `serves`.
    pub faults: Option<(usize, usize)>,
}

/// A scheduling class, as [`Class`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassPlan {
    /// Before all others, within what is reserved for it.
    RealTime,
    /// What answers somebody.
    #[default]
    Latency,
    /// What nobody else wants.
    Batch,
}

impl From<ClassPlan> for Class {
    fn from(class: ClassPlan) -> Self {
        match class {
            ClassPlan::RealTime => Self::RealTime,
            ClassPlan::Latency => Self::Latency,
            ClassPlan::Batch => Self::Batch,
        }
    }
}

impl From<Class> for ClassPlan {
    fn from(class: Class) -> Self {
        match class {
            Class::RealTime => Self::RealTime,
            Class::Latency => Self::Latency,
            Class::Batch => Self::Batch,
        }
    }
}

/// A time budget, as [`hallows_abi::TimeBudget`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimePlan {
    /// Time in each period, in ns.
    pub budget_ns: u64,
    /// The period, in ns.
    pub period_ns: u64,
}

/// An endpoint that a cell serves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServicePlan {
    /// Its name, unique in its cell.
    pub name: String,
    /// How.
    pub kind: ServiceKind,
}

/// How an endpoint is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ServiceKind {
    /// By the cell's own thread; so many messages may wait.
    Active {
        /// 1 to 4,096.
        limit: u32,
    },
    /// On its callers' threads.
    Passive {
        /// How long a handler may run, in ns; 0: the machine's default.
        handler_budget_ns: u64,
    },
}

/// Something that a cell is given, under a name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct UsePlan {
    /// The name in its start information.
    pub name: String,
    /// What.
    pub what: UseKind,
}

/// What a cell can be given.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum UseKind {
    /// An endpoint that a cell serves, to send to and to watch.
    Endpoint {
        /// The cell's place in [`Plan::cells`].
        cell: usize,
        /// The endpoint's place in its `serves`.
        service: usize,
        /// What it allows, as the bits of [`hallows_abi::Rights`].
        rights: u16,
        /// What the server sees of who sends.
        badge: u64,
    },
    /// A notification: to signal it, or to be told.
    Notification {
        /// Its number, below [`Plan::notifications`].
        number: usize,
        /// What it allows, as the bits of [`hallows_abi::Rights`].
        rights: u16,
    },
    /// A cell, to restart and to kill, with its number as badge.
    Cell {
        /// Its place in [`Plan::cells`].
        cell: usize,
    },
    /// A program, to make cells of.
    Program {
        /// Its place in [`Plan::programs`].
        program: usize,
    },
}
