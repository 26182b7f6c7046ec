//! Boot: from a plan to running cells.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hallows_engine::{LoadError, Program, WasmEngine};
use hallows_kernel::{BootCapability, CellId, CellSpecification, CellState, CoreId, Rooted, Service, Style};
use hallows_sdk::start_info;

use super::linux_machine::LinuxMachine;
use super::plan::{CellPlan, PlacePlan, Plan, ProgramPlan, ServiceKind, TimePlan, UseKind};
use crate::host::memory::Sealed;
use crate::host::quantity::ByteSize;
use hallows_abi::{Error, Handle, MAX_START_INFO, Rights, TimeBudget};

/// The kernel of a Linux machine.
pub type Kernel = hallows_kernel::Kernel<WasmEngine<LinuxMachine>>;

/// Why a plan was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A program's artefact was not taken.
    #[error("cannot load the program {name}: {error}")]
    Load {
        /// The program.
        name: String,
        /// Why.
        error: LoadError,
    },
    /// A program is not linked in.
    #[error("no native program {name} is linked into this machine; there are: {known}")]
    UnknownNative {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The kernel refused an object.
    #[error("cannot make {what} of the cell {cell}: {error}")]
    Kernel {
        /// The object.
        what: &'static str,
        /// The cell's name.
        cell: String,
        /// The kernel's error.
        error: Error,
    },
    /// Its cells may have more memory than there is.
    #[error(
        "the machine has {} of memory, too little for the cell {cell}: all cells together may have {}, and the kernel needs some for each; give it \
         more, --memory {enough_mib}M, or less to a cell",
        ByteSize(*memory_bytes), ByteSize(*planned_bytes)
    )]
    NoMemory {
        /// The first cell that does not fit.
        cell: String,
        /// What the machine has.
        memory_bytes: u64,
        /// What all cells of the plan may have.
        planned_bytes: u64,
        /// What is enough for that, in MiB.
        enough_mib: u64,
    },
    /// Arguments and names do not fit.
    #[error("too many arguments and names for the cell {cell}: {error}")]
    StartInfo {
        /// The cell's name.
        cell: String,
        /// Why.
        error: start_info::StartInfoError,
    },
    /// A time budget that this machine is too coarse for.
    #[error(
        "the cell {cell} has a time budget with a period of {period_us} µs, and this machine can keep none below {least_us} µs: ten of its \
         quanta (a core for the timekeeper, and a shorter --quantum-us, make them shorter)"
    )]
    PeriodTooShort {
        /// The cell's name.
        cell: String,
        /// Its period.
        period_us: u64,
        /// The shortest that this machine can keep.
        least_us: u64,
    },
    /// The plan names something that is not in it.
    #[error("the plan of the cell {cell} names a {what} that is not there")]
    Dangling {
        /// The cell's name.
        cell: String,
        /// What.
        what: &'static str,
    },
}

/// What the kernel may need for one cell, in bytes: some 300 KiB where it may have many capabilities, and its endpoints.
const KERNEL_BYTES: u64 = 1 << 20;

/// How long, of a whole boot, clients wait until their servers have begun, and how often one looks.
const LONGEST_START: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_micros(20);

/// There is too little memory for a plan's cells, of which this is the first that does not fit.
fn no_memory(plan: &Plan, cell: String) -> BootError {
    let planned_bytes: u64 = plan.cells.iter().map(|cell| cell.memory_bytes).sum();
    let enough_bytes = planned_bytes + plan.cells.len() as u64 * KERNEL_BYTES;
    let enough_mib = enough_bytes.div_ceil(1 << 20);
    BootError::NoMemory { cell, memory_bytes: plan.memory_bytes, planned_bytes, enough_mib }
}

/// A cell of a booted plan.
#[derive(Clone, Debug)]
pub struct Booted {
    /// Which.
    pub cell: CellId,
    /// Its name.
    pub name: String,
    /// The root's capability of it.
    pub capability: Rooted,
    /// The endpoints that it serves: their names within it, and the root's capabilities of them.
    pub endpoints: Vec<(String, Rooted)>,
    /// The system cannot go on without it.
    pub is_system: bool,
    /// The plan's first cell looks after it.
    pub is_supervised: bool,
}

/// Carries out a plan, and tells the machine which cell it ends with. `artifacts` are those that it names; `natives` the programs that are linked in.
///
/// # Errors
/// [`BootError`]; cells made before stay, unstarted.
pub fn boot(
    kernel: &Kernel,
    right: &BootCapability,
    plan: &Plan,
    artifacts: &'static Sealed,
    natives: &[&'static hallows_sdk::native::NativeProgram],
) -> Result<Vec<Booted>, BootError> {
    let programs = plan
        .programs
        .iter()
        .map(|program| load(kernel, program, artifacts, natives))
        .collect::<Result<Vec<_>, _>>()?;
    let rooted: Vec<Rooted> = programs
        .iter()
        .map(|program| kernel.boot_program(right, program.clone()))
        .collect::<Result<_, _>>()
        .map_err(|error| BootError::Kernel { what: "the programs", cell: "root".to_owned(), error })?;
    let notifications = (0..plan.notifications)
        .map(|_| kernel.boot_notification(right))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BootError::Kernel { what: "the notifications", cell: "root".to_owned(), error })?;
    let mut made = Vec::with_capacity(plan.cells.len());
    for cell in &plan.cells {
        let cell = Made::new(kernel, right, cell, &rooted, &made).map_err(|error| match error {
            BootError::Kernel { error: Error::BudgetExhausted, cell, .. } => no_memory(plan, cell),
            error => error,
        })?;
        made.push(cell);
    }
    if plan.tells {
        for cell in plan.cells.iter().filter(|cell| waits_for_nobody(cell, &programs)) {
            let line = format!(
                "hallows: {} only answers others, and nobody was given a way to call it: it waits until it is stopped (a \
                 system says who may call whom; `hallows list` shows some)",
                cell.name
            );
            kernel.machine.console().line(line.as_bytes());
        }
    }
    // Said before anything starts: a short system is over before the last of its cells has been started.
    if let Some(teller) = plan.code_of.and_then(|place| made.get(place)) {
        kernel.machine.takes_code_of(teller.cell);
    }
    if let Some(last) = plan.ends_with.and_then(|place| made.get(place)) {
        kernel.machine.ends_with(last.cell);
    }
    let mut booted = Vec::with_capacity(made.len());
    let mut started = vec![false; made.len()];
    let began = Instant::now();
    for number in servers_first(plan) {
        let cell = &plan.cells[number];
        let info = grant_all(
            kernel,
            right,
            cell,
            made[number].cell,
            &Given { programs: &rooted, notifications: &notifications, made: &made },
        )?;
        let refused = |error| BootError::Kernel { what: "the start", cell: cell.name.clone(), error };
        let Made { cell: id, capability, ref endpoints } = made[number];
        for server in servers_of(cell).filter(|server| started[*server]) {
            await_start(kernel, made[server].cell, began);
        }
        kernel.boot_start(right, id, &info).map_err(refused)?;
        started[number] = true;
        let names = cell.serves.iter().map(|service| service.name.clone());
        let is_system = plan.system.contains(&number);
        booted.push(Booted {
            cell: id,
            name: cell.name.clone(),
            capability,
            endpoints: names.zip(endpoints.iter().copied()).collect(),
            is_system,
            is_supervised: !is_system && plan.system.contains(&0) && cell.faults == Some((0, 0)),
        });
    }
    Ok(booted)
}

/// An endpoint that a cell is granted.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// Under which name.
    pub name: &'a str,
    /// Which.
    pub endpoint: Rooted,
    /// What it allows.
    pub rights: Rights,
    /// What the server sees of who sends.
    pub badge: u64,
}

impl<'a> Grant<'a> {
    /// To call, and to watch.
    pub const fn to_call(name: &'a str, endpoint: Rooted) -> Self {
        Self { name, endpoint, rights: Rights(Rights::SEND.0 | Rights::WATCH.0), badge: 0 }
    }
}

/// Where in the plan those stand whose endpoints a cell uses.
fn servers_of(cell: &CellPlan) -> impl Iterator<Item = usize> {
    cell.uses.iter().filter_map(|used| match used.what {
        UseKind::Endpoint { cell, .. } => Some(cell),
        UseKind::Notification { .. } | UseKind::Cell { .. } | UseKind::Program { .. } => None,
    })
}

/// Places of cells: as in the plan, but that servers come before their clients, where they do not use each other. The first one looks after all.
fn servers_first(plan: &Plan) -> Vec<usize> {
    fn visit(place: usize, plan: &Plan, seen: &mut [bool], order: &mut Vec<usize>) {
        if seen.get(place).is_none_or(|seen| *seen) {
            return;
        }
        seen[place] = true;
        servers_of(&plan.cells[place]).for_each(|server| visit(server, plan, seen, order));
        order.push(place);
    }
    let (mut seen, mut order) = (vec![false; plan.cells.len()], Vec::with_capacity(plan.cells.len()));
    if let Some(first) = seen.first_mut() {
        *first = true;
        order.push(0);
    }
    (0..plan.cells.len()).for_each(|place| visit(place, plan, &mut seen, &mut order));
    order
}

/// Waits until a cell that was started can be called. Servers that never come so far hold up a boot that began then only once.
fn await_start(kernel: &Kernel, cell: CellId, began: Instant) {
    while kernel.state(cell) == CellState::Starting && began.elapsed() < LONGEST_START {
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Grants a cell that was not started endpoints; its start information.
///
/// # Errors
/// Why not, for people.
pub fn give(
    kernel: &Kernel,
    right: &BootCapability,
    cell: CellId,
    arguments: &[String],
    grants: &[Grant<'_>],
) -> Result<Vec<u8>, String> {
    let mut granted: Vec<(&str, Handle)> = Vec::with_capacity(grants.len());
    for Grant { name, endpoint, rights, badge } in grants {
        let handle = kernel.boot_grant(right, cell, endpoint, *rights, *badge);
        granted.push((name, handle.map_err(|error| format!("cannot grant {name}: {error}"))?));
    }
    start_information(arguments, &granted).map_err(|error| format!("too many arguments and names: {error}"))
}

fn start_information(
    arguments: &[String],
    grants: &[(&str, Handle)],
) -> Result<Vec<u8>, start_info::StartInfoError> {
    let mut info = vec![0; MAX_START_INFO as usize];
    let length = start_info::emit(arguments, grants, &mut info)?;
    info.truncate(length);
    Ok(info)
}

/// Whether a cell has no work of its own and serves nothing.
fn waits_for_nobody(cell: &CellPlan, programs: &[Arc<Program<LinuxMachine>>]) -> bool {
    let program = programs.get(cell.program);
    cell.serves.is_empty() && program.is_some_and(|program| program.style() == Style::Reactor)
}

fn load(
    kernel: &Kernel,
    program: &ProgramPlan,
    artifacts: &'static Sealed,
    natives: &[&'static hallows_sdk::native::NativeProgram],
) -> Result<Arc<Program<LinuxMachine>>, BootError> {
    match program {
        ProgramPlan::Artifact { name, offset, length, program, stack_bytes } => {
            let dangling = || BootError::Dangling { cell: name.clone(), what: "program" };
            let end = offset.checked_add(*length).ok_or_else(dangling)?;
            let artifact = artifacts.get(*offset..end).ok_or_else(dangling)?;
            let stack = usize::try_from(*stack_bytes).unwrap_or(usize::MAX);
            // SAFETY: a private mapping, which stays for good; artefacts in it that begin with a page have all of their pages. The parent, from which
            // the key is as well, has verified each on its way into the file, which is sealed: nobody has changed it since.
            unsafe { kernel.engine.load_in_place(artifact, (*program).into(), stack) }
                .map_err(|error| BootError::Load { name: name.clone(), error })
        }
        ProgramPlan::Native { name } => {
            let known = || natives.iter().map(|native| native.name).collect::<Vec<_>>().join(", ");
            natives
                .iter()
                .find(|native| native.name == name)
                .map(|native| Program::native(native))
                .ok_or_else(|| BootError::UnknownNative { name: name.clone(), known: known() })
        }
    }
}

/// A cell that was made, and its endpoints.
struct Made {
    cell: CellId,
    capability: Rooted,
    endpoints: Vec<Rooted>,
}

impl Made {
    fn new(
        kernel: &Kernel,
        right: &BootCapability,
        plan: &CellPlan,
        programs: &[Rooted],
        made: &[Self],
    ) -> Result<Self, BootError> {
        let refused = |what| move |error| BootError::Kernel { what, cell: plan.name.clone(), error };
        let dangling = |what| move || BootError::Dangling { cell: plan.name.clone(), what };
        let program = programs.get(plan.program).ok_or_else(dangling("program"))?;
        let faults = match plan.faults {
            None => None,
            Some((cell, service)) => {
                let endpoint = made.get(cell).and_then(|cell: &Self| cell.endpoints.get(service));
                Some(endpoint.ok_or_else(dangling("supervisor"))?)
            }
        };
        let passive = plan.serves.iter().any(|service| matches!(service.kind, ServiceKind::Passive { .. }));
        let specification = CellSpecification {
            name: &plan.name,
            memory_bytes: plan.memory_bytes,
            slots: plan.slots,
            class: plan.class.into(),
            priority: plan.priority,
            passive,
            pinned: match plan.place {
                PlacePlan::Anywhere | PlacePlan::Pool(_) => None,
                PlacePlan::Core(core) => Some(CoreId(core)),
                PlacePlan::ServiceCore(number) => {
                    Some(CoreId(kernel.configuration().general_cores() + number))
                }
            },
            pool: if let PlacePlan::Pool(pool) = plan.place { pool } else { 0 },
            time: plan.time.map(|TimePlan { budget_ns, period_ns }| TimeBudget { budget_ns, period_ns }),
        };
        let least_ns = kernel.shortest_budget_period_ns();
        if let Some(time) = plan.time.filter(|time| time.period_ns < least_ns) {
            let (period_us, least_us) = (time.period_ns / 1_000, least_ns.div_ceil(1_000));
            return Err(BootError::PeriodTooShort { cell: plan.name.clone(), period_us, least_us });
        }
        let (cell, capability) =
            kernel.boot_cell(right, program, faults, &specification).map_err(refused("the cell"))?;
        let endpoints = plan
            .serves
            .iter()
            .map(|service| {
                let service = match service.kind {
                    ServiceKind::Active { limit } => Service::Active { limit },
                    ServiceKind::Passive { handler_budget_ns } => Service::Passive { handler_budget_ns },
                };
                kernel.boot_endpoint(right, cell, service)
            })
            .collect::<Result<_, _>>()
            .map_err(refused("an endpoint"))?;
        Ok(Self { cell, capability, endpoints })
    }
}

/// Everything that cells can be given.
struct Given<'a> {
    programs: &'a [Rooted],
    notifications: &'a [Rooted],
    made: &'a [Made],
}

impl Given<'_> {
    /// The capability, with its rights and badge; or what is not there.
    fn find(&self, what: UseKind) -> Result<(&Rooted, Rights, u64), &'static str> {
        match what {
            UseKind::Endpoint { cell, service, rights, badge } => {
                let endpoint = self.made.get(cell).and_then(|cell| cell.endpoints.get(service));
                Ok((endpoint.ok_or("service")?, Rights(rights), badge))
            }
            UseKind::Notification { number, rights } => {
                Ok((self.notifications.get(number).ok_or("notification")?, Rights(rights), 0))
            }
            UseKind::Cell { cell } => {
                let cell = self.made.get(cell).ok_or("cell")?;
                Ok((&cell.capability, Rights::SEND | Rights::MANAGE, u64::from(cell.cell.0)))
            }
            UseKind::Program { program } => {
                Ok((self.programs.get(program).ok_or("program")?, Rights::SEND, 0))
            }
        }
    }
}

/// Grants what a cell uses; its start information.
fn grant_all(
    kernel: &Kernel,
    right: &BootCapability,
    plan: &CellPlan,
    cell: CellId,
    given: &Given<'_>,
) -> Result<Vec<u8>, BootError> {
    let mut grants: Vec<(&str, Handle)> = Vec::with_capacity(plan.uses.len());
    for used in &plan.uses {
        let (what, rights, badge) =
            given.find(used.what).map_err(|what| BootError::Dangling { cell: plan.name.clone(), what })?;
        let handle = kernel
            .boot_grant(right, cell, what, rights, badge)
            .map_err(|error| BootError::Kernel { what: "a grant", cell: plan.name.clone(), error })?;
        grants.push((&used.name, handle));
    }
    start_information(&plan.arguments, &grants)
        .map_err(|error| BootError::StartInfo { cell: plan.name.clone(), error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::plan::UsePlan;

    fn cell(servers: &[usize]) -> CellPlan {
        let endpoint = |cell| UseKind::Endpoint { cell, service: 0, rights: 0, badge: 0 };
        let uses = servers.iter().map(|server| UsePlan { name: String::new(), what: endpoint(*server) });
        CellPlan {
            name: String::new(),
            program: 0,
            memory_bytes: 0,
            slots: 0,
            class: Default::default(),
            priority: 0,
            place: PlacePlan::Anywhere,
            time: None,
            arguments: Vec::new(),
            serves: Vec::new(),
            uses: uses.collect(),
            faults: None,
        }
    }

    #[test]
    fn servers_start_before_their_clients_and_the_first_before_all() {
        let order = |cells: &[&[usize]]| {
            let cells = cells.iter().map(|servers| cell(servers)).collect();
            servers_first(&Plan { cells, ..Plan::default() })
        };
        assert_eq!(order(&[]), [0; 0]);
        assert_eq!(order(&[&[], &[], &[]]), [0, 1, 2]);
        assert_eq!(order(&[&[2], &[2, 3], &[3], &[]]), [0, 3, 2, 1]);
        // Each other's, and one's own.
        assert_eq!(order(&[&[], &[2], &[1], &[3]]), [0, 2, 1, 3]);
        // What is not there is said later.
        assert_eq!(order(&[&[], &[9]]), [0, 1]);
    }
}
