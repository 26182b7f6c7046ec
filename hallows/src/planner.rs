//! From what a user names to what a machine is booted from: a system is found, checked, its programs compiled, and all of it put into a
//! plan.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallows_abi::Rights;
use hallows_cache::Look;
use hallows_interface::declared::{Declared, Malformed};
use hallows_linux::machine::plan::{
    CellPlan, ClassPlan, PlacePlan, Plan, PoliciesPlan, PolicyPlan, ProgramPlan, ServiceKind, ServicePlan,
    TimePlan, UseKind, UsePlan,
};
use hallows_linux::services::sockets::SOCKETS;

use crate::artifacts::Artifacts;
use crate::compile::{Compiled, Compiler};
use crate::embedded;
use crate::failure::Failure;
use crate::network::{self, Opened};
use crate::policies;
use crate::system::{
    Cell, EndpointPlace, HandedOn, PolicySource, ProgramSource, Programs, Service, StreamEnd, System,
    interfaces,
};
use crate::system::{USUAL_MEMORY_BYTES, USUAL_UNIX_MEMORY_BYTES};
use crate::unix::{self, Directory, Given, Invocation, Served, Sockets, Wanted};

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
    /// The artefacts.
    pub artifacts: Artifacts,
    /// The system's name.
    pub name: String,
    /// What Unix programs are given, if there are any.
    pub given: Option<Given>,
    /// What was opened of the host's network; its descriptors come behind those of Unix programs.
    pub network: Opened,
}

/// A system that was found.
pub struct Found {
    /// It.
    pub system: System,
    /// What it was read from; nothing of a single program.
    pub description: Option<Description>,
}

/// A system's text, as it was read: once, since a file may change meanwhile.
pub struct Description {
    /// Its file's name, for messages.
    pub file: String,
    /// It.
    pub text: String,
}

impl Description {
    fn parse(self, programs: Programs<'_>) -> Result<Found, Failure> {
        let system = System::parse(Path::new(&self.file), &self.text, programs)
            .map_err(|problem| Failure::system(*problem))?;
        Ok(Found { system, description: Some(self) })
    }
}

/// Finds a system: one that comes with hallows, a TOML file, or a single program.
///
/// # Errors
/// When there is none of that name, or it is wrong.
pub fn find(what: &str, has_arguments: bool, native: bool) -> Result<Found, Failure> {
    let (built_in, natives, policies) =
        (embedded::names(), embedded::native_names(), embedded::policy_names());
    let programs = Programs {
        built_in: &built_in,
        native: &natives,
        policies: &policies,
        declared: &embedded::declared,
    };
    let path = Path::new(what);
    if path.extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable("the system", path, &error))?;
        return Description { file: what.to_owned(), text }.parse(programs);
    }
    let is_file = is_file(what);
    if !is_file
        && !native
        && !has_arguments
        && let Some(text) = crate::systems::text(what)
    {
        return Description { file: format!("{what}.toml"), text: text.to_owned() }.parse(programs);
    }
    let source = if is_file {
        check_file(path)?;
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
             (./{what}) or its ending (.toml, .wasm, .wat)"
        )));
    };
    let name = path.file_stem().map_or_else(|| what.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(Found { system: System::of_one(&name, source), description: None })
}

/// Whether what a person names is a program in a file: by its folder, or by its ending.
#[must_use]
pub fn is_file(what: &str) -> bool {
    let ending = Path::new(what).extension();
    what.contains('/') || ending.is_some_and(|ending| ending == "wasm" || ending == "wat")
}

/// That there is a file at a path.
///
/// # Errors
/// When there is none, or nobody knows.
pub fn check_file(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    match path.metadata() {
        Ok(found) if found.is_file() => Ok(()),
        Ok(found) if found.is_dir() => {
            Err(Failure::usage(format!("{shown} is a directory; name the program that is in it")))
        }
        Ok(_) => Err(Failure::usage(format!("{shown} is a pipe or a device; give a file"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Failure::usage(format!("there is no file {shown}")))
        }
        Err(error) => Err(unreadable("the program", path, &error)),
    }
}

/// A file could not be read; if that is forbidden, what to do.
pub fn unreadable(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    let shown = path.display();
    if error.kind() != std::io::ErrorKind::PermissionDenied {
        return Failure::usage(format!("cannot read {what} {shown}: {error}"));
    }
    Failure::usage(format!(
        "you may not read {what} {shown}: let its owner permit it (`chmod a+r` for the file, `chmod a+x` for the folders that it is in), or give a copy"
    ))
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
    // Before anything is compiled, which may take long.
    let policies = PoliciesPlan {
        latency: policy_plan(system.policies.latency.as_ref())?,
        batch: policy_plan(system.policies.batch.as_ref())?,
    };
    let mut planner = Planner {
        compiler,
        sources: Vec::new(),
        programs: Vec::new(),
        artifacts: Artifacts::new()?,
        unix: Vec::new(),
        alone: system.is_of_one,
    };
    let stack = invocation.stack_bytes;
    let programs = system
        .cells
        .iter()
        .map(|cell| planner.program(&cell.program, stack.unwrap_or(cell.unix.stack_bytes)));
    let programs = programs.collect::<Result<Vec<_>, _>>()?;
    let given = planner.given(system, &programs, invocation)?;
    let mut native = |name: &str| planner.program(&ProgramSource::Native(name.to_owned()), 0);
    let services = match &given {
        None => None,
        Some(given) => Some(unix::Services {
            host: native(unix::SERVICE)?,
            null: given.needs_null().then(|| native(unix::NULL)).transpose()?,
        }),
    };
    let given_by = given.as_ref().zip(services);
    let plan = match given_by {
        Some((given, services)) if system.is_of_one => {
            let program = cell_plan(&system.cells[0], programs[0], FIRST);
            let ports = invocation.networks.inner_ports()?;
            let sockets = if ports.is_empty() { None } else { Some(native(SOCKETS.name)?) };
            given.alone(services, sockets.map(|program| Sockets { program, ports }), program, memory_bytes)
        }
        _ => {
            let texts = if system.is_of_one { Some(invocation.texts(&system.name)?) } else { None };
            let supervisor = native("supervisor")?;
            let mut plan = supervised(system, supervisor, &programs, &planner.unix, given_by);
            if let Some(texts) = texts {
                plan.cells[FIRST].arguments = texts;
            }
            plan
        }
    };
    let Planner { programs, artifacts, .. } = planner;
    let mut plan = Plan { programs, policies, pools: system.pools.clone(), ..plan };
    let descriptors = given.as_ref().map_or(0, |given| given.descriptors.len());
    let network = network::give(&mut plan, system, &invocation.networks, descriptors)?;
    Ok(Planned { plan, artifacts, name: system.name.clone(), given, network })
}

/// Where the cells of a system begin in its plan: behind their supervisor, so that their faults go to an endpoint that exists already. Behind it
/// come the cells that serve Unix programs, if there are any, and then those of the system.
const FIRST: usize = 1;

/// A system's cells, and the supervisor that looks after them; its programs are at these places, and those of them are of Unix.
fn supervised(
    system: &System,
    supervisor: usize,
    programs: &[usize],
    unix: &[usize],
    given: Option<(&Given, unix::Services)>,
) -> Plan {
    let mut cells = vec![supervisor_plan(system, supervisor)];
    let mut served: Vec<Option<unix::Service>> = programs.iter().map(|_| None).collect();
    if let Some((given, services)) = given {
        let mut serving = Served::from(FIRST, services);
        serving.add_null("unix.null");
        let all = system.cells.iter().zip(programs).zip(&mut served);
        let theirs = all.filter(|((cell, program), _)| unix.contains(program) || cell.has_host());
        for (number, (((cell, _), place), plan)) in theirs.zip(&given.plans).enumerate() {
            // No cell of a description has a dot in its name.
            let names = [format!("{}.host", cell.name), format!("{}.input", cell.name)];
            *place = Some(serving.serve(plan, number, [&names[0], &names[1]]));
        }
        cells.extend(serving.cells);
    }
    let first = cells.len();
    for ((cell, program), service) in system.cells.iter().zip(programs).zip(&served) {
        let mut plan = cell_plan(cell, *program, first);
        if let Some(service) = service.as_ref().filter(|_| !unix.contains(program)) {
            plan.uses.extend(service.uses.iter().filter(|given| unix::is_of_host(&given.name)).cloned());
        } else if let Some(service) = service {
            plan.uses.extend(service.uses.iter().cloned());
            plan.arguments = Vec::new();
            plan.memory_bytes = cell.memory_bytes.unwrap_or(USUAL_UNIX_MEMORY_BYTES);
            if plan.slots == 0 {
                plan.slots = unix::PROGRAM_SLOTS;
            }
        }
        cells.push(plan);
    }
    let mut notifications = 0;
    for supervised in &system.supervised {
        let name = &system.cells[supervised.cell].name;
        cells[0].uses.push(UsePlan {
            name: format!("cell.{name}"),
            what: UseKind::Cell { cell: supervised.cell + first },
        });
        if let Some(Some(service)) = served.get(supervised.cell) {
            cells[0].uses.push(UsePlan { name: format!("ended.{name}"), what: service.keeper });
        }
        for (number, dependent) in supervised.dependents.iter().enumerate() {
            let told = |rights: Rights| UseKind::Notification { number: notifications, rights: rights.0 };
            cells[0].uses.push(UsePlan { name: format!("gone.{name}.{number}"), what: told(Rights::SEND) });
            cells[dependent.cell + first]
                .uses
                .push(UsePlan { name: dependent.grant.clone(), what: told(Rights::RECEIVE) });
            notifications += 1;
        }
    }
    Plan {
        cells,
        notifications,
        ends_with: Some(0),
        system: (0..first).collect(),
        unix: given.map_or_else(Vec::new, |(given, _)| given.plans.clone()),
        lends: given.map_or_else(Vec::new, |(given, _)| given.lends.clone()),
        ..Plan::default()
    }
}

/// The directories that a cell of a system is given: those of its description, and those of the command if they are handed on to it.
fn directories_of(system: &System, cell: &Cell, invocation: &Invocation) -> Result<Vec<Directory>, Failure> {
    let mut directories = cell.unix.directories.clone();
    if cell.unix.handed_on == HandedOn::Nothing {
        return Ok(directories);
    }
    if invocation.directories.is_empty() {
        return Err(Failure::usage(format!(
            "the cell {} of {} is given the directories that the command names, and there is none: say `--dir FOLDER`",
            cell.name, system.name
        )));
    }
    for directory in &invocation.directories {
        // Those of a description count from its folder, these from here.
        let host = std::path::absolute(&directory.host)
            .map_err(|error| Failure::usage(format!("cannot give {}: {error}", directory.host.display())))?;
        let read_only = directory.read_only || cell.unix.handed_on == HandedOn::ToRead;
        directories.push(Directory { host, read_only, ..directory.clone() });
    }
    Ok(directories)
}

fn supervisor_plan(system: &System, program: usize) -> CellPlan {
    CellPlan {
        name: "supervisor".to_owned(),
        program,
        memory_bytes: SUPERVISOR_BYTES,
        slots: 4_096,
        class: ClassPlan::Latency,
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

/// A cell of a system whose cells begin at this place.
fn cell_plan(cell: &Cell, program: usize, first: usize) -> CellPlan {
    let place = |EndpointPlace { cell, endpoint }: EndpointPlace| (cell + first, endpoint);
    CellPlan {
        name: cell.name.clone(),
        program,
        memory_bytes: cell.memory_bytes.unwrap_or(USUAL_MEMORY_BYTES),
        slots: cell.slots,
        class: cell.class.into(),
        priority: cell.priority,
        place: match (cell.core, cell.pool) {
            (Some(core), _) => PlacePlan::Core(core),
            (None, Some(pool)) => PlacePlan::Pool(pool),
            (None, None) => PlacePlan::Anywhere,
        },
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

/// A policy, verified if it is WebAssembly.
fn policy_plan(source: Option<&PolicySource>) -> Result<Option<PolicyPlan>, Failure> {
    let (name, verified) = match source {
        None => return Ok(None),
        Some(PolicySource::Named(name)) => return Ok(Some(PolicyPlan::Linked { name: name.clone() })),
        Some(PolicySource::File(path)) => (policies::name(path), policies::of_file(path)?),
        Some(PolicySource::Carried { name, wasm }) => (name.clone(), policies::verify(name, wasm.to_vec())?),
    };
    Ok(Some(PolicyPlan::Module { name, module: Box::new(verified.module) }))
}

/// Collects programs, each once.
struct Planner<'a> {
    compiler: &'a Compiler,
    /// What they are, and what stack they have if they are of Unix.
    sources: Vec<(ProgramSource, u64)>,
    programs: Vec<ProgramPlan>,
    artifacts: Artifacts,
    /// Which of the programs are of Unix.
    unix: Vec<usize>,
    /// The system has one program, which nobody serves.
    alone: bool,
}

impl Planner<'_> {
    fn program(&mut self, source: &ProgramSource, stack_bytes: u64) -> Result<usize, Failure> {
        let known = |(known, stack): &(ProgramSource, u64)| known == source && *stack == stack_bytes;
        if let Some(place) = self.sources.iter().position(known) {
            return Ok(place);
        }
        let planned = match source {
            ProgramSource::Native(name) => {
                self.check_alone(name, embedded::declared(source))?;
                ProgramPlan::Native { name: name.clone() }
            }
            ProgramSource::BuiltIn(name) => {
                let wasm = embedded::program(name).ok_or_else(|| {
                    Failure::usage(format!("there is no program {name}; see `hallows list`"))
                })?;
                let compiled = self.compiled(name, wasm)?;
                self.put(name, &compiled, stack_bytes)
            }
            ProgramSource::File(path) => self.file(path, stack_bytes)?,
            ProgramSource::Carried { name, wasm } => {
                let compiled = self.compiled(name, wasm)?;
                self.put(name, &compiled, stack_bytes)
            }
        };
        self.sources.push((source.clone(), stack_bytes));
        self.programs.push(planned);
        Ok(self.programs.len() - 1)
    }

    /// Opens what the Unix programs of a system are given, and what it lends; nothing, if there is none of both.
    fn given(
        &self,
        system: &System,
        programs: &[usize],
        invocation: &Invocation,
    ) -> Result<Option<Given>, Failure> {
        if !system.is_of_one {
            invocation.nothing_but_directories(&system.name)?;
        }
        let mut given = Given::default();
        for (cell, program) in system.cells.iter().zip(programs) {
            let name = |what: &str| format!("{} of the system {} {what}", cell.name, system.name);
            let is_unix = self.unix.contains(program);
            if !is_unix {
                if let Some(key) = cell.unix.named.iter().find(|key| **key != unix::DIRS) {
                    return Err(Failure::usage(name(&format!(
                        "takes no `{key}`: its program is not one of Unix (it imports nothing of {})",
                        unix::WASI
                    ))));
                }
                if !cell.has_host() {
                    continue;
                }
            }
            if is_unix && !cell.serves.is_empty() {
                return Err(Failure::usage(name(
                    "is a program of Unix, which serves nobody: leave `serves` out",
                )));
            }
            let path = match &cell.program {
                ProgramSource::File(path) => path.as_path(),
                ProgramSource::BuiltIn(name)
                | ProgramSource::Native(name)
                | ProgramSource::Carried { name, .. } => Path::new(name),
            };
            if system.is_of_one {
                given.add(&invocation.wanted(path))?;
                continue;
            }
            let directories = directories_of(system, cell, invocation)?;
            let wanted = Wanted {
                program: path,
                arguments: cell.arguments.iter().map(OsStr::new).collect(),
                variables: &cell.unix.variables,
                directories: &directories,
                folder: &system.folder,
                // What a program of hallows says goes to the machine's log.
                streams: if is_unix { cell.unix.streams } else { [StreamEnd::Nowhere; 3] },
            };
            given.add(&wanted).map_err(|failure| Failure::usage(format!("{}: {failure}", cell.name)))?;
        }
        if !system.is_of_one && !system.hands_directories_on() {
            invocation.directories.iter().try_for_each(|directory| given.lend(directory))?;
        }
        let is_nothing = given.plans.is_empty() && given.lends.is_empty();
        Ok((!is_nothing).then_some(given))
    }

    /// A program that runs alone is served by nobody.
    fn check_alone(&self, name: &str, declared: Result<Vec<Declared>, Malformed>) -> Result<(), Failure> {
        if !self.alone {
            return Ok(());
        }
        let declared = declared.map_err(|malformed| {
            Failure::usage(format!("what {name} declares cannot be read: {malformed}"))
        })?;
        let Some(missing) = interfaces::missing(&declared, |_| false) else { return Ok(()) };
        let names = embedded::names();
        let programs =
            Programs { built_in: &names, native: &[], policies: &[], declared: &embedded::declared };
        let (says, could) = (interfaces::says(name, missing), interfaces::who_could(programs, missing.hash));
        Err(Failure::usage(format!("{says}\nit runs alone: write a system (TOML); {could}")))
    }

    /// A program in a file. One that is known is not read; only such are kept in mind as declare nothing, and so need nobody to serve them.
    fn file(&mut self, path: &Path, stack_bytes: u64) -> Result<ProgramPlan, Failure> {
        let (shown, unread) = (path.display().to_string(), |error| unreadable("the program", path, &error));
        let mut file = File::open(path).map_err(unread)?;
        self.artifacts.begin()?;
        if let Some(known) = self.compiler.known(&file, &mut self.artifacts)? {
            return Ok(self.put(&shown, &known, stack_bytes));
        }
        let (look, mut wasm) = (Look::at(&file), Vec::new());
        file.read_to_end(&mut wasm).map_err(unread)?;
        let declares_nothing = embedded::declared_of_file(&wasm).is_ok_and(|declared| declared.is_empty());
        let compiled = self.compiled(&shown, &wasm)?;
        if let Some(look) = look.filter(|_| declares_nothing) {
            self.compiler.remember(&file, &look, &compiled);
        }
        Ok(self.put(&shown, &compiled, stack_bytes))
    }

    /// Has a program compiled, with the artefact behind the others.
    fn compiled(&mut self, name: &str, wasm: &[u8]) -> Result<Compiled, Failure> {
        self.check_alone(name, embedded::declared_of_file(wasm))?;
        self.artifacts.begin()?;
        self.compiler.compile(name, wasm, &mut self.artifacts)
    }

    /// The plan of the program whose artefact was put last.
    fn put(&mut self, name: &str, compiled: &Compiled, stack_bytes: u64) -> ProgramPlan {
        if compiled.is_unix {
            self.unix.push(self.programs.len());
        }
        let ((offset, length), program) = (self.artifacts.last(), compiled.program);
        let stack_bytes = if compiled.is_unix { stack_bytes } else { 0 };
        ProgramPlan::Artifact { name: name.to_owned(), offset, length, program, stack_bytes }
    }
}
