//! From what a user names to what a machine is booted from: a system is found, checked, its programs compiled, and all of it put into a
//! plan.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hallows_abi::Rights;
use hallows_linux::machine::plan::{
    CellPlan, PlacePlan, Plan, ProgramPlan, ServiceKind, ServicePlan, TimePlan, UseKind, UsePlan,
};

use crate::compile::{Compiled, Compiler};
use crate::embedded;
use crate::failure::Failure;
use crate::system::{Cell, EndpointPlace, ProgramSource, Programs, Service, System};
use crate::unix::{self, Given, Invocation};

/// The supervisor's memory: its records, and a heap for reports.
const SUPERVISOR_BYTES: u64 = 4 << 20;
/// Above every cell that it looks after: a restart does not wait for who spins.
const SUPERVISOR_PRIORITY: u8 = 7;
/// Faults of as many cells as a kernel has may wait: they are few and short.
const FAULT_QUEUE: u32 = 4_096;

/// A plan, and the artefacts that it names.
pub struct Planned {
    /// What to boot.
    pub plan: Plan,
    /// The artefacts, one after another.
    pub artifacts: Vec<u8>,
    /// The system's name.
    pub name: String,
    /// What a Unix program is given, if it is one.
    pub given: Option<Given>,
}

/// Finds a system: one that comes with hallows, a TOML file, or a single program.
///
/// # Errors
/// When there is none of that name, or it is wrong.
pub fn find(what: &str, has_arguments: bool, native: bool) -> Result<System, Failure> {
    let (built_in, natives) = (embedded::names(), embedded::native_names());
    let programs = Programs { built_in: &built_in, native: &natives };
    let path = Path::new(what);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read the system {what}: {error}")))?;
        return System::parse(path, &text, programs).map_err(|problem| Failure::system(*problem));
    }
    let is_file = what.contains('/') || path.extension().is_some_and(|extension| extension == "wasm");
    if !is_file
        && !native
        && !has_arguments
        && let Some(text) = crate::systems::text(what)
    {
        return System::parse(Path::new(&format!("{what}.toml")), text, programs)
            .map_err(|problem| Failure::system(*problem));
    }
    let source = if is_file {
        if !path.is_file() {
            return Err(Failure::usage(format!("there is no file {what}")));
        }
        ProgramSource::File(PathBuf::from(what))
    } else if native {
        if !natives.contains(&what) {
            let names = natives.join(", ");
            return Err(Failure::usage(format!("no program {what} is linked in; there are {names}")));
        }
        ProgramSource::Native(what.to_owned())
    } else if embedded::program(what).is_some() {
        ProgramSource::BuiltIn(what.to_owned())
    } else {
        return Err(Failure::usage(format!(
            "there is no system and no program {what}; `hallows list` shows what there is, and a file is named with its folder \
             (./{what}) or its ending (.toml, .wasm)"
        )));
    };
    let name = path.file_stem().map_or_else(|| what.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(System::of_one(&name, source))
}

/// Compiles a system's programs and plans its cells, in a machine with so much memory.
///
/// # Errors
/// When a program cannot be read or compiled, or cannot be given what it is given.
pub fn plan(
    system: &System,
    compiler: &Compiler,
    invocation: &Invocation,
    memory_bytes: u64,
) -> Result<Planned, Failure> {
    let mut planner = Planner {
        compiler,
        sources: Vec::new(),
        programs: Vec::new(),
        artifacts: Vec::new(),
        unix: Vec::new(),
    };
    let programs = system.cells.iter().map(|cell| planner.program(&cell.program));
    let programs = programs.collect::<Result<Vec<_>, _>>()?;
    let given = planner.given(system, &programs, invocation)?;
    let plan = match &given {
        Some(given) => {
            let mut native = |name: &str| planner.program(&ProgramSource::Native(name.to_owned()));
            let services = unix::Services {
                host: native(unix::SERVICE)?,
                null: given.needs_null().then(|| native(unix::NULL)).transpose()?,
            };
            let program = cell_plan(&system.cells[0], programs[0]);
            given.plan(services, program, memory_bytes)
        }
        None => {
            let texts = invocation.texts(&system.name)?;
            let supervisor = planner.program(&ProgramSource::Native("supervisor".to_owned()))?;
            let mut plan = supervised(system, supervisor, &programs);
            if system.is_of_one {
                plan.cells[FIRST].arguments = texts;
            }
            plan
        }
    };
    let Planner { programs, artifacts, .. } = planner;
    Ok(Planned { plan: Plan { programs, ..plan }, artifacts, name: system.name.clone(), given })
}

/// Where the cells of a system begin in its plan: behind their supervisor, so that their faults go to an endpoint that exists already.
const FIRST: usize = 1;

/// A system's cells, and the supervisor that looks after them; its programs are at these places.
fn supervised(system: &System, supervisor: usize, programs: &[usize]) -> Plan {
    let mut cells = vec![supervisor_plan(system, supervisor)];
    cells.extend(system.cells.iter().zip(programs).map(|(cell, program)| cell_plan(cell, *program)));
    let mut notifications = 0;
    for supervised in &system.supervised {
        let name = &system.cells[supervised.cell].name;
        cells[0].uses.push(UsePlan {
            name: format!("cell.{name}"),
            what: UseKind::Cell { cell: supervised.cell + FIRST },
        });
        for (number, dependent) in supervised.dependents.iter().enumerate() {
            let told = |rights: Rights| UseKind::Notification { number: notifications, rights: rights.0 };
            cells[0].uses.push(UsePlan { name: format!("gone.{name}.{number}"), what: told(Rights::SEND) });
            cells[dependent.cell + FIRST]
                .uses
                .push(UsePlan { name: dependent.grant.clone(), what: told(Rights::RECEIVE) });
            notifications += 1;
        }
    }
    Plan { cells, notifications, ends_with: Some(0), ..Plan::default() }
}

fn supervisor_plan(system: &System, program: usize) -> CellPlan {
    CellPlan {
        name: "supervisor".to_owned(),
        program,
        memory_bytes: SUPERVISOR_BYTES,
        slots: 4_096,
        priority: SUPERVISOR_PRIORITY,
        place: PlacePlan::Anywhere,
        time: None,
        arguments: system.supervised.iter().map(|supervised| supervised.ward.to_string()).collect(),
        serves: vec![ServicePlan {
            name: "faults".to_owned(),
            kind: ServiceKind::Active { limit: FAULT_QUEUE },
        }],
        uses: Vec::new(),
        faults: None,
    }
}

fn cell_plan(cell: &Cell, program: usize) -> CellPlan {
    let place = |EndpointPlace { cell, endpoint }: EndpointPlace| (cell + FIRST, endpoint);
    CellPlan {
        name: cell.name.clone(),
        program,
        memory_bytes: cell.memory_bytes,
        slots: cell.slots,
        priority: cell.priority,
        place: cell.core.map_or(PlacePlan::Anywhere, PlacePlan::Core),
        time: cell.time.map(|time| TimePlan { budget_ns: time.budget_ns, period_ns: time.period_ns }),
        arguments: cell.arguments.clone(),
        serves: cell
            .serves
            .iter()
            .map(|endpoint| ServicePlan {
                name: endpoint.name.clone(),
                kind: match endpoint.service {
                    Service::Active { queue } => ServiceKind::Active { limit: u32::from(queue) },
                    Service::Passive { budget } => {
                        ServiceKind::Passive { handler_budget_ns: budget.map_or(0, nanoseconds) }
                    }
                },
            })
            .collect(),
        uses: cell
            .uses
            .iter()
            .map(|used| {
                let (cell, service) = place(used.of);
                let what = UseKind::Endpoint { cell, service, rights: used.rights.0, badge: used.badge };
                UsePlan { name: used.name.clone(), what }
            })
            .collect(),
        faults: Some(cell.faults.map_or((0, 0), place)),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Collects programs, each once.
struct Planner<'a> {
    compiler: &'a Compiler,
    sources: Vec<ProgramSource>,
    programs: Vec<ProgramPlan>,
    artifacts: Vec<u8>,
    /// Which of the programs are of Unix.
    unix: Vec<usize>,
}

impl Planner<'_> {
    fn program(&mut self, source: &ProgramSource) -> Result<usize, Failure> {
        if let Some(place) = self.sources.iter().position(|known| known == source) {
            return Ok(place);
        }
        let planned = match source {
            ProgramSource::Native(name) => ProgramPlan::Native { name: name.clone() },
            ProgramSource::BuiltIn(name) => {
                let wasm = embedded::program(name).ok_or_else(|| {
                    Failure::usage(format!("there is no program {name}; see `hallows list`"))
                })?;
                self.compiled(name, wasm)?
            }
            ProgramSource::File(path) => {
                let shown = path.display().to_string();
                let wasm = std::fs::read(path)
                    .map_err(|error| Failure::usage(format!("cannot read the program {shown}: {error}")))?;
                self.compiled(&shown, &wasm)?
            }
        };
        self.sources.push(source.clone());
        self.programs.push(planned);
        Ok(self.programs.len() - 1)
    }

    /// Opens what a Unix program is given; nothing, if there is none in the system.
    fn given(
        &self,
        system: &System,
        programs: &[usize],
        invocation: &Invocation,
    ) -> Result<Option<Given>, Failure> {
        let unix = system.cells.iter().zip(programs).find(|(_, program)| self.unix.contains(program));
        let Some((cell, _)) = unix else { return Ok(None) };
        if !system.is_of_one {
            return Err(Failure::usage(format!(
                "{} of the system {} is a program of Unix; such run alone, by `hallows run FILE`",
                cell.name, system.name
            )));
        }
        let path = match &cell.program {
            ProgramSource::File(path) => path.as_path(),
            ProgramSource::BuiltIn(name) | ProgramSource::Native(name) => Path::new(name),
        };
        invocation.open(path).map(Some)
    }

    fn compiled(&mut self, name: &str, wasm: &[u8]) -> Result<ProgramPlan, Failure> {
        let Compiled { artifact, program, is_unix } = self.compiler.compile(name, wasm)?;
        if is_unix {
            self.unix.push(self.programs.len());
        }
        let (offset, length) = (self.artifacts.len(), artifact.len());
        // Tens of megabytes for a large program, which mostly is alone.
        if offset == 0 {
            self.artifacts = artifact;
        } else {
            self.artifacts.extend_from_slice(&artifact);
        }
        Ok(ProgramPlan::Artifact { name: name.to_owned(), offset, length, program })
    }
}
