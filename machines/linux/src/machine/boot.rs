//! Boot: from a plan to running cells.

use std::sync::Arc;

use hallows_engine::{LoadError, Program, WasmEngine};
use hallows_kernel::{BootCapability, CellId, CellSpecification, CoreId, Rooted, Service, Style};
use hallows_sdk::start_info;

use super::linux_machine::LinuxMachine;
use super::plan::{CellPlan, PlacePlan, Plan, ProgramPlan, ServiceKind, TimePlan, UseKind};
use hallows_abi::{Handle, MAX_START_INFO, Rights, TimeBudget};

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
        error: hallows_abi::Error,
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

/// A cell of a booted plan.
#[derive(Clone, Debug)]
pub struct Booted {
    /// Which.
    pub cell: CellId,
    /// Its name.
    pub name: String,
    /// The root's capability of it.
    pub capability: Rooted,
}

/// Carries out a plan, and tells the machine which cell it ends with. `bytes` are the artefacts that it names; `natives` the programs that are linked in.
///
/// # Errors
/// [`BootError`]; cells made before stay, unstarted.
pub fn boot(
    kernel: &Kernel,
    right: &BootCapability,
    plan: &Plan,
    bytes: &[u8],
    natives: &[&'static hallows_sdk::native::NativeProgram],
) -> Result<Vec<Booted>, BootError> {
    let programs = plan
        .programs
        .iter()
        .map(|program| load(kernel, program, bytes, natives))
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
        let cell = Made::new(kernel, right, cell, &rooted, &made)?;
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
    for (number, cell) in plan.cells.iter().enumerate() {
        let info = grant_all(
            kernel,
            right,
            cell,
            made[number].cell,
            &Given { programs: &rooted, notifications: &notifications, made: &made },
        )?;
        let refused = |error| BootError::Kernel { what: "the start", cell: cell.name.clone(), error };
        let Made { cell: id, capability, .. } = made[number];
        kernel.boot_start(right, id, &info).map_err(refused)?;
        booted.push(Booted { cell: id, name: cell.name.clone(), capability });
    }
    Ok(booted)
}

/// Whether a cell has no work of its own and serves nothing.
fn waits_for_nobody(cell: &CellPlan, programs: &[Arc<Program<LinuxMachine>>]) -> bool {
    let program = programs.get(cell.program);
    cell.serves.is_empty() && program.is_some_and(|program| program.style() == Style::Reactor)
}

fn load(
    kernel: &Kernel,
    program: &ProgramPlan,
    bytes: &[u8],
    natives: &[&'static hallows_sdk::native::NativeProgram],
) -> Result<Arc<Program<LinuxMachine>>, BootError> {
    match program {
        ProgramPlan::Artifact { name, offset, length, program } => {
            let dangling = || BootError::Dangling { cell: name.clone(), what: "program" };
            let end = offset.checked_add(*length).ok_or_else(dangling)?;
            let artifact = bytes.get(*offset..end).ok_or_else(dangling)?;
            kernel
                .engine
                .load(artifact, (*program).into())
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
            priority: plan.priority,
            passive,
            pinned: match plan.place {
                PlacePlan::Anywhere => None,
                PlacePlan::Core(core) => Some(CoreId(core)),
                PlacePlan::ServiceCore(number) => {
                    Some(CoreId(kernel.configuration().general_cores() + number))
                }
            },
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
    let mut info = vec![0; MAX_START_INFO as usize];
    let length = start_info::emit(&plan.arguments, &grants, &mut info)
        .map_err(|error| BootError::StartInfo { cell: plan.name.clone(), error })?;
    info.truncate(length);
    Ok(info)
}
