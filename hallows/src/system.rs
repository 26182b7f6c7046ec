//! System descriptions: which cells there are, what they run, serve and use. Read from TOML, checked as a whole, and resolved into
//! what a machine is booted from.
//!
//! The schema, with every key and its default, is `docs/programs.md`. What is wrong is said with the file, the line, and what
//! is allowed there ([`Problem`]). [`document`] is the text's shape, [`resolve`] the checks.

mod document;
pub mod interfaces;
mod problem;
mod registry;
mod resolve;
mod unix;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hallows_abi::{Rights, TimeBudget};
use hallows_interface::declared::{Declared, Malformed};
use hallows_kernel::Class;
use hallows_linux::machine::plan::PoolPlan;
use hallows_supervisor::Ward;

pub use problem::Problem;
pub use unix::{HandedOn, StreamEnd, UnixKeys};

/// A system, checked: every name in it stands for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct System {
    /// For people.
    pub name: String,
    /// Its cells, in the order to start them in: servers before who uses them, else as they were written.
    pub cells: Vec<Cell>,
    /// Who is restarted and who is told, for the supervisor: its arguments, in order. It is granted each cell as `cell.NAME`
    /// (SEND and MANAGE, with the cell's number as badge), and their faults go to its one endpoint.
    pub supervised: Vec<Supervised>,
    /// Pools of the machine's cores.
    pub pools: Vec<PoolPlan>,
    /// Policies of its classes.
    pub policies: Policies,
    /// It was made of one program, not written down.
    pub is_of_one: bool,
    /// Where relative paths of its directories count from.
    pub folder: PathBuf,
}

/// A cell to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its name.
    pub name: String,
    /// What it runs.
    pub program: ProgramSource,
    /// The most memory that it and its objects may have, in bytes; if it was not said, it depends on the kind of program.
    pub memory_bytes: Option<u64>,
    /// Slots of its capability space; 0: the machine's default.
    pub slots: u32,
    /// Before whom it runs.
    pub class: Class,
    /// 0 the lowest, 7 the highest, within its class.
    pub priority: u8,
    /// The only core that it may run on, counted from 0 among the machine's.
    pub core: Option<u32>,
    /// The pool whose cores it runs on, in [`System::pools`].
    pub pool: Option<u32>,
    /// The most processor time that it may use; `None`: all that nobody else wants.
    pub time: Option<TimeBudget>,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What it is given of this host, if its program is one of Unix.
    pub unix: UnixKeys,
    /// Whether it runs on its callers' threads.
    pub passive: bool,
    /// The endpoints that it serves.
    pub serves: Vec<Endpoint>,
    /// The endpoints of others that it is granted.
    pub uses: Vec<Use>,
    /// Where its faults go if not to the supervisor.
    pub faults: Option<EndpointPlace>,
}

impl Cell {
    /// Whether the host service serves it although its program is not one of Unix: it has the key `dirs`.
    #[must_use]
    pub fn has_host(&self) -> bool {
        self.unix.named.contains(&crate::unix::DIRS)
    }
}

impl System {
    /// Whether a cell is given the directories that whoever starts the machine names.
    #[must_use]
    pub fn hands_directories_on(&self) -> bool {
        self.cells.iter().any(|cell| cell.unix.handed_on != HandedOn::Nothing)
    }
}

/// Where a cell's program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramSource {
    /// WebAssembly that `hallows` carries, by name.
    BuiltIn(String),
    /// A part of the machine, by name.
    Native(String),
    /// A file of WebAssembly.
    File(PathBuf),
    /// WebAssembly that somebody else carries: the user of the library, or an executable that was built.
    Carried {
        /// For people.
        name: String,
        /// Its bytes.
        wasm: Arc<[u8]>,
    },
}

/// Which policies the classes have; their own, if none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// The latency class's.
    pub latency: Option<PolicySource>,
    /// The batch class's.
    pub batch: Option<PolicySource>,
}

/// Where a policy comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// One that is linked in, or that somebody carries, by name.
    Named(String),
    /// A file of WebAssembly.
    File(PathBuf),
    /// WebAssembly that somebody carries, as with [`ProgramSource::Carried`].
    Carried {
        /// What it is called.
        name: String,
        /// Its bytes.
        wasm: Arc<[u8]>,
    },
}

/// An endpoint to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name within its cell.
    pub name: String,
    /// How it is served.
    pub service: Service,
}

/// How an endpoint is served. All of a cell's are of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// On its callers' time.
    Passive {
        /// The longest that its handler may run for one message; `None`: the machine's default.
        budget: Option<Duration>,
    },
    /// By a thread of its own.
    Active {
        /// How many messages may wait.
        queue: u16,
    },
}

/// Which endpoint: places in [`System::cells`] and in [`Cell::serves`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointPlace {
    /// Whose.
    pub cell: usize,
    /// Which of its.
    pub endpoint: usize,
}

/// An endpoint that a cell is granted under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The name that its start information gives the capability.
    pub name: String,
    /// Which endpoint.
    pub of: EndpointPlace,
    /// What the capability allows.
    pub rights: Rights,
    /// Its badge, by which the server knows its clients.
    pub badge: u64,
}

/// A cell that the supervisor looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supervised {
    /// Its place in [`System::cells`].
    pub cell: usize,
    /// The supervisor's argument.
    pub ward: Ward,
    /// Who is told when it stays down. For the n-th, a notification: to be granted to the supervisor (SEND) as
    /// `gone.WARD.n`, and to the dependent (RECEIVE) under its own name for it.
    pub dependents: Vec<Dependent>,
}

/// A cell that uses a supervised one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependent {
    /// Its place in [`System::cells`].
    pub cell: usize,
    /// The name of its notification: that of the endpoint that it uses, and `.gone`.
    pub grant: String,
}

/// The programs and policies that there are without a file.
#[derive(Clone, Copy)]
pub struct Programs<'a> {
    /// Those that `hallows` carries as WebAssembly.
    pub built_in: &'a [&'a str],
    /// Those that are part of the machine.
    pub native: &'a [&'a str],
    /// Policies that there are without a file.
    pub policies: &'a [&'a str],
    /// What a program declares that it uses and serves; nothing of one that cannot be read.
    pub declared: &'a dyn Fn(&ProgramSource) -> Result<Vec<Declared>, Malformed>,
}

/// The memory of a cell whose program is not one of Unix, if it was not said: enough for the example programs, small enough for a thousand of
/// them.
pub const USUAL_MEMORY_BYTES: u64 = 1 << 20;
/// The memory of a Unix program in a system, if it was not said: enough for interpreters and tools on moderate input.
pub const USUAL_UNIX_MEMORY_BYTES: u64 = 64 << 20;

impl System {
    /// Reads a description. Paths in it count from the folder of `file`, which also names the system if the text does not.
    ///
    /// # Errors
    ///
    /// What is wrong first: not TOML, not of the schema, or a name that stands for nothing.
    pub fn parse(file: &Path, text: &str, programs: Programs<'_>) -> Result<Self, Box<Problem>> {
        let document = document::Document::parse(file, text)?;
        resolve::resolve(file, text, programs, document)
    }

    /// Puts other sources in the place of those for which `other` has one.
    pub fn replace_sources(&mut self, other: impl Fn(&ProgramSource) -> Option<ProgramSource>) {
        for cell in &mut self.cells {
            if let Some(source) = other(&cell.program) {
                cell.program = source;
            }
        }
    }

    /// Puts other policies in the place of those for which `other` has one.
    pub fn replace_policies(&mut self, other: impl Fn(&PolicySource) -> Option<PolicySource>) {
        for policy in self.policies.chosen_mut() {
            if let Some(source) = other(policy) {
                *policy = source;
            }
        }
    }

    /// A system of one program that uses nobody.
    #[must_use]
    pub fn of_one(name: &str, program: ProgramSource) -> Self {
        let cell = Cell {
            name: name.to_owned(),
            program,
            memory_bytes: None,
            slots: 0,
            class: Class::default(),
            priority: document::USUAL_PRIORITY,
            core: None,
            pool: None,
            time: None,
            arguments: Vec::new(),
            unix: UnixKeys::default(),
            passive: false,
            serves: Vec::new(),
            uses: Vec::new(),
            faults: None,
        };
        let mut ward = Ward::new(name);
        // Who starts one program wants to see how it ends.
        ward.policy.restart = hallows_supervisor::Restart::Never;
        ward.awaited = true;
        let supervised = Supervised { cell: 0, ward, dependents: Vec::new() };
        Self {
            name: name.to_owned(),
            cells: vec![cell],
            supervised: vec![supervised],
            pools: Vec::new(),
            policies: Policies::default(),
            is_of_one: true,
            folder: PathBuf::new(),
        }
    }
}

impl Policies {
    /// Those that are chosen.
    pub fn chosen(&self) -> impl Iterator<Item = &PolicySource> {
        [&self.latency, &self.batch].into_iter().flatten()
    }

    fn chosen_mut(&mut self) -> impl Iterator<Item = &mut PolicySource> {
        [&mut self.latency, &mut self.batch].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests;
