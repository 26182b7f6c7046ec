//! Unix programs: those that import WASI preview 1. What they are given of this host, and the cells of the service that hands it to them.

mod directory;

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use hallows_abi::Rights;
use hallows_artifact::Metadata;
use hallows_linux::host::parent::Streams;
use hallows_linux::machine::plan::{
    CellPlan, DirectoryPlan, PlacePlan, Plan, ServiceKind, ServicePlan, UnixPlan, UseKind, UsePlan,
};
use hallows_linux::services::{Badge, ENDPOINT_GRANT, ENDPOINT_RIGHTS};
use rustix::fs::{FileType, Mode, OFlags};

use crate::failure::{Failure, USAGE};

pub use directory::Directory;

/// The module that programs import WASI preview 1 from.
const WASI: &str = "wasi_snapshot_preview1";
/// The service's name among the programs that are linked in.
pub const SERVICE: &str = "hallows-host";
/// The null console's name among them.
pub const NULL: &str = "hallows-null";
/// What Linux knows `/dev/null` by: major and minor number of a character device.
const NULL_DEVICE: (u32, u32) = (1, 3);
/// Memory of each of the service's cells, counted in its budget.
const SERVICE_BYTES: u64 = 2 << 20;
/// What a program leaves of the machine's memory to the service, the supervisor, and the kernel's objects.
const OTHERS_BYTES: u64 = 16 << 20;
/// Messages that may wait for the service: each program asks for one thing at a time.
const SERVICE_QUEUE: u32 = 64;
/// The service answers before anything else runs on its core.
const SERVICE_PRIORITY: u8 = 7;
/// Capabilities of a program's space: one for each file that it may have open, and some.
const PROGRAM_SLOTS: u32 = 4_096;
/// As the service: it holds the files.
const SERVICE_SLOTS: u32 = 4_096;
/// Descriptors that come along, of which streams and artefacts take some.
const MOST_DIRECTORIES: usize = 32;
/// What the start information has room for, beside the rest.
const MOST_NAME_BYTES: usize = 8_192;

/// How a person starts a program.
#[derive(Debug, Default)]
pub struct Invocation {
    /// Arguments, without the program's name.
    pub arguments: Vec<OsString>,
    /// `NAME=value`, or `NAME` for the value that it has here.
    pub variables: Vec<OsString>,
    /// Directories.
    pub directories: Vec<Directory>,
}

/// What goes to the machine for a Unix program.
pub struct Given {
    /// The plan's part.
    pub plan: UnixPlan,
    /// Streams and directories, in the order that the machine expects.
    pub descriptors: Vec<OwnedFd>,
    /// Whether the output and the errors go to nowhere.
    nowhere: [bool; 2],
}

/// Places, in a plan's programs, of those that serve a Unix program.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    /// Of [`SERVICE`].
    pub host: usize,
    /// Of [`NULL`], if [`Given::needs_null`].
    pub null: Option<usize>,
}

/// Whether a program is one of Unix.
#[must_use]
pub fn is_unix(program: &Metadata) -> bool {
    let exports = |name: &str| program.exports.iter().any(|export| export.name == name);
    program.imports.iter().any(|import| import.module == WASI)
        || exports("_start") && !exports(hallows_abi::MAIN_EXPORT)
}

impl Invocation {
    /// Arguments of a program that is not one of Unix, which all are texts, and which nothing else can be given to.
    ///
    /// # Errors
    /// When they are not, or something else is given.
    pub fn texts(&self, program: &str) -> Result<Vec<String>, Failure> {
        if !self.directories.is_empty() || !self.variables.is_empty() {
            return Err(Failure::usage(format!(
                "{program} is not a program of Unix (it imports nothing of {WASI}): it takes no --dir and no --env; a system says what a \
                 program of hallows may use"
            )));
        }
        let text = |argument: &OsString| {
            argument.clone().into_string().map_err(|argument| {
                Failure::usage(format!(
                    "the argument {} is not UTF-8; only programs of Unix take such",
                    argument.display()
                ))
            })
        };
        self.arguments.iter().map(text).collect()
    }

    /// Opens what a Unix program is given.
    ///
    /// # Errors
    /// When a directory is not there, or may not be opened.
    pub fn open(&self, program: &Path) -> Result<Given, Failure> {
        if self.directories.len() > MOST_DIRECTORIES {
            return Err(Failure::usage(format!(
                "{} directories are more than the {MOST_DIRECTORIES} that a program can be given; give one above them",
                self.directories.len()
            )));
        }
        let names = self.directories.iter().map(|directory| directory.guest.as_str());
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) = names.clone().find(|name| !seen.insert(*name)) {
            return Err(Failure::usage(format!(
                "two directories have the name {twice} for the program: give one of them another, --dir HOST:GUEST"
            )));
        }
        if names.map(str::len).sum::<usize>() > MOST_NAME_BYTES {
            return Err(Failure::usage(format!(
                "the program's names for its directories are longer than {MOST_NAME_BYTES} bytes together: give shorter ones, --dir HOST:GUEST"
            )));
        }
        let system = |error: std::io::Error| {
            Failure::other(USAGE, format!("cannot pass the standard streams on: {error}"))
        };
        let streams = [
            stream(&std::io::stdin(), OFlags::RDONLY),
            stream(&std::io::stdout(), OFlags::WRONLY),
            stream(&std::io::stderr(), OFlags::WRONLY),
        ];
        let mut descriptors = streams.into_iter().collect::<Result<Vec<_>, _>>().map_err(system)?;
        let [_, output, errors] =
            [0, 1, 2].map(|number| descriptors.get(number).is_some_and(takes_everything));
        let input_by_parent = rustix::termios::isatty(std::io::stdin());
        for directory in &self.directories {
            descriptors.push(directory.open()?);
        }
        let name = program.file_name().unwrap_or(program.as_os_str());
        let mut arguments = vec![name.as_bytes().to_vec()];
        arguments.extend(self.arguments.iter().map(|argument| argument.clone().into_vec()));
        let plan = UnixPlan {
            arguments,
            variables: self.variables.iter().filter_map(variable).collect(),
            directories: self
                .directories
                .iter()
                .map(|Directory { guest, read_only, .. }| DirectoryPlan {
                    name: guest.clone(),
                    read_only: *read_only,
                })
                .collect(),
            input_by_parent,
        };
        Ok(Given { plan, descriptors, nowhere: [output, errors] })
    }
}

/// A stream of one's own; one that is closed reads as empty and takes everything.
fn stream(stream: &impl AsFd, direction: OFlags) -> std::io::Result<OwnedFd> {
    match stream.as_fd().try_clone_to_owned() {
        Ok(own) => Ok(own),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BADF.raw_os_error()) => {
            Ok(rustix::fs::open(c"/dev/null", direction | OFlags::CLOEXEC, Mode::empty())?)
        }
        Err(error) => Err(error),
    }
}

/// Whether it is `/dev/null`, under whatever name, and open for writing.
fn takes_everything(descriptor: &OwnedFd) -> bool {
    let is_null = rustix::fs::fstat(descriptor).is_ok_and(|status| {
        let device = (rustix::fs::major(status.st_rdev), rustix::fs::minor(status.st_rdev));
        FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice && device == NULL_DEVICE
    });
    let is_writable =
        |flags: OFlags| flags & OFlags::RWMODE != OFlags::RDONLY && !flags.contains(OFlags::PATH);
    is_null && rustix::fs::fcntl_getfl(descriptor).is_ok_and(is_writable)
}

/// `NAME=value`; of a name alone, what it is here, or nothing.
fn variable(variable: &OsString) -> Option<Vec<u8>> {
    let bytes = variable.as_bytes();
    if bytes.contains(&b'=') {
        return Some(bytes.to_vec());
    }
    let value = std::env::var_os(variable)?;
    Some([bytes, b"=", value.as_bytes()].concat())
}

impl Given {
    /// Who uses the standard streams of this process.
    pub const fn streams(&self) -> Streams {
        Streams::Program { carries_input: self.plan.input_by_parent }
    }

    /// Whether the null console is needed: output or errors go to nowhere.
    pub const fn needs_null(&self) -> bool {
        self.nowhere[0] || self.nowhere[1]
    }

    /// The service's cells, the second of which only waits for input, the null console if there is one, and the program behind them. Nobody
    /// supervises: the machine ends with the program. Memory is the machine's.
    pub fn plan(&self, services: Services, mut program: CellPlan, memory_bytes: u64) -> Plan {
        let [host, input, null] = [0, 1, 2];
        let (service, nowhere) =
            (services.host, self.nowhere.map(|nowhere| nowhere && services.null.is_some()));
        let output_to = |stream: usize| if nowhere[stream] { null } else { host };
        let mut uses = |name: String, cell: usize, badge: Badge| {
            let rights = Rights::SEND.0 | Rights::TRANSFER.0;
            let what = UseKind::Endpoint { cell, service: 0, rights, badge: badge.number() };
            program.uses.push(UsePlan { name, what });
        };
        uses("console.in".to_owned(), input, Badge::Stream(0));
        uses("console.out".to_owned(), output_to(0), Badge::Stream(1));
        uses("console.err".to_owned(), output_to(1), Badge::Stream(2));
        uses("invocation".to_owned(), host, Badge::Invocation);
        uses("clock".to_owned(), host, Badge::Clock);
        for (number, directory) in (0..).zip(&self.plan.directories) {
            uses(format!("dir:{}", directory.name), host, Badge::Directory(number));
        }
        let program = CellPlan {
            slots: PROGRAM_SLOTS,
            memory_bytes: memory_bytes.saturating_sub(OTHERS_BYTES).max(SERVICE_BYTES),
            faults: None,
            ..program
        };
        let mut cells = vec![service_cell("host", host, service), service_cell("host-input", input, service)];
        cells.extend(services.null.map(null_cell));
        cells.push(program);
        Plan {
            ends_with: Some(cells.len() - 1),
            code_of: Some(cells.len() - 1),
            unix: Some(self.plan.clone()),
            cells,
            ..Plan::default()
        }
    }
}

/// A cell of the service, at this place of the plan, on the service core of the same number.
fn service_cell(name: &str, place: usize, program: usize) -> CellPlan {
    CellPlan {
        name: name.to_owned(),
        program,
        memory_bytes: SERVICE_BYTES,
        slots: SERVICE_SLOTS,
        priority: SERVICE_PRIORITY,
        place: PlacePlan::ServiceCore(place as u32),
        time: None,
        arguments: Vec::new(),
        serves: vec![ServicePlan {
            name: "host".to_owned(),
            kind: ServiceKind::Active { limit: SERVICE_QUEUE },
        }],
        // It makes capabilities of its own endpoint: the files that it has opened.
        uses: vec![UsePlan {
            name: ENDPOINT_GRANT.to_owned(),
            what: UseKind::Endpoint { cell: place, service: 0, rights: ENDPOINT_RIGHTS.0, badge: 0 },
        }],
        faults: None,
    }
}

/// The null console's cell. It has no core of its own: it runs on its callers' threads.
fn null_cell(program: usize) -> CellPlan {
    CellPlan {
        name: "null".to_owned(),
        program,
        memory_bytes: SERVICE_BYTES,
        slots: 0,
        priority: SERVICE_PRIORITY,
        place: PlacePlan::Anywhere,
        time: None,
        arguments: Vec::new(),
        serves: vec![ServicePlan {
            name: "null".to_owned(),
            kind: ServiceKind::Passive { handler_budget_ns: 0 },
        }],
        uses: Vec::new(),
        faults: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(path: &str, flags: OFlags) -> OwnedFd {
        rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).expect("every Linux has it")
    }

    #[test]
    fn only_the_null_device_open_for_writing_takes_everything() {
        assert!(takes_everything(&device("/dev/null", OFlags::WRONLY)));
        assert!(takes_everything(&device("/dev/null", OFlags::RDWR)));
        assert!(!takes_everything(&device("/dev/null", OFlags::RDONLY)));
        assert!(!takes_everything(&device("/dev/null", OFlags::PATH)));
        assert!(!takes_everything(&device("/dev/zero", OFlags::WRONLY)));
        assert!(!takes_everything(&device("/dev/full", OFlags::WRONLY)));
        assert!(!takes_everything(&tempfile::tempfile().expect("a file").into()));
    }

    /// Which cell each console of a plan is of, and the plan.
    fn planned(nowhere: [bool; 2]) -> (Vec<String>, Plan) {
        let given = Given { plan: UnixPlan::default(), descriptors: Vec::new(), nowhere };
        let services = Services { host: 1, null: given.needs_null().then_some(2) };
        let program = CellPlan { name: "program".to_owned(), uses: Vec::new(), ..null_cell(0) };
        let plan = given.plan(services, program, 64 << 20);
        let cells = &plan.cells;
        let consoles = cells.last().expect("the program").uses.iter().filter_map(|used| match used.what {
            UseKind::Endpoint { cell, .. } if used.name.starts_with("console.") => {
                Some(cells[cell].name.clone())
            }
            _ => None,
        });
        (consoles.collect(), plan)
    }

    #[test]
    fn what_goes_to_nowhere_goes_to_the_null_console_on_the_programs_own_thread() {
        for (nowhere, expected) in [
            ([false, false], ["host-input", "host", "host"]),
            ([true, false], ["host-input", "null", "host"]),
            ([false, true], ["host-input", "host", "null"]),
            ([true, true], ["host-input", "null", "null"]),
        ] {
            let (consoles, plan) = planned(nowhere);
            assert_eq!(consoles, expected);
            assert_eq!(
                (plan.ends_with, plan.code_of),
                (Some(plan.cells.len() - 1), Some(plan.cells.len() - 1))
            );
            let null = plan.cells.iter().find(|cell| cell.name == "null");
            assert_eq!(null.is_some(), nowhere != [false, false]);
            if let Some(null) = null {
                assert!(
                    matches!(null.serves[0].kind, ServiceKind::Passive { .. })
                        && null.place == PlacePlan::Anywhere
                );
                assert_eq!(null.program, 2);
            }
        }
    }

    #[test]
    fn a_variable_may_be_taken_over() {
        assert_eq!(variable(&"A=1=2".into()), Some(b"A=1=2".to_vec()));
        assert_eq!(variable(&"HALLOWS_IS_NOT_SET".into()), None);
        let path = std::env::var_os("PATH").expect("a path");
        assert_eq!(variable(&"PATH".into()), Some([b"PATH=", path.as_bytes()].concat()));
    }
}
