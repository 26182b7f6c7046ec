//! The machine process: from what the parent passed on to a running, jailed machine, until it ends.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use hallows_engine::SealKey;
use hallows_kernel::{Configuration, Machine};
use hallows_sdk::native::NativeProgram;
use serde::{Deserialize, Serialize};

use super::boot::{BootError, boot};
use super::budget::Budget;
use super::plan::{Plan, UnixPlan};
use super::running::{Running, StartError, make_kernel};
use super::status::{Surroundings, select};
use crate::host::child::MachineProcess;
use crate::host::control::protocol::{Request, Response};
use crate::host::cores::CoreChoice;
use crate::host::jail::{Confined, JailError, Reachable};
use crate::host::link::{FromMachine, LinkReceiver, LinkSender, ToMachine};
use crate::host::memory::{Locking, Sealed, heap, raise_lock_limit};
use crate::host::threads::{self, ThreadRole};
use crate::host::tier::{Step, StepName};
use crate::host::timer::clock::Calibration;
use crate::services::{self, GrantedDirectory, HostResources};

/// What the parent passes on as bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct MachineConfig {
    /// The cores.
    pub choice: CoreChoice,
    /// What to run. Its artefacts are the first attachment.
    pub plan: Plan,
    /// What they are sealed with.
    pub seal_key: [u8; 32],
}

/// Why a machine process ended before it ran anything.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The parent's bytes make no sense: parent and machine are one executable, so this is a defect.
    #[error("cannot read what the parent process passed on: {0}")]
    Config(#[from] serde_json::Error),
    /// The artefacts could not be read.
    #[error("cannot read the compiled programs: {0}")]
    Artifacts(io::Error),
    /// What a Unix program is given did not come along.
    #[error("cannot take over the program's streams and directories: {0}")]
    Host(io::Error),
    /// The jail did not close.
    #[error(transparent)]
    Jail(#[from] JailError),
    /// The machine did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The plan was not carried out.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// The parent is gone.
    #[error("lost the parent process: {0}")]
    Link(io::Error),
}

/// Runs the machine; its exit code.
///
/// # Errors
/// [`ProcessError`]; nothing ran then.
pub fn run(process: MachineProcess, natives: &[&'static NativeProgram]) -> Result<u8, ProcessError> {
    let calibration = Calibration::begin();
    heap::prepare();
    let MachineProcess { config, attachments, console, receiver, sender } = process;
    let MachineConfig { choice, plan, seal_key } = serde_json::from_slice(&config)?;
    let mut attachments = attachments.into_iter();
    let artifacts =
        attachments.next().ok_or_else(|| ProcessError::Artifacts(io::ErrorKind::NotFound.into()))?;
    let artifacts = Sealed::map(&artifacts).map_err(ProcessError::Artifacts)?;
    let resources = plan.unix.as_ref().map(|unix| host_resources(unix, attachments, &console)).transpose()?;
    // This thread waits for the end; the listener inherits its place.
    let own = threads::adopt(ThreadRole::Control(choice.cleaner_core()));
    raise_lock_limit();
    let configuration = Configuration {
        memory_bytes: plan.memory_bytes,
        quantum_ns: plan.quantum_ns,
        chaos: plan.chaos,
        cells: cells_for(&plan),
        service_cores: plan.service_cores(),
        ..Configuration::default()
    };
    let (kernel, right) =
        make_kernel(&choice, configuration, calibration.finish(), SealKey::from_bytes(seal_key))?;
    // The kernel has reserved its address space and runs nothing yet.
    let locking = Locking::begin(plan.memory_bytes);
    let confined = Confined::enter_with(&resources.as_ref().map_or_else(Vec::new, reachable))?;
    if let Some(resources) = resources {
        services::install(resources).map_err(|error| ProcessError::Host(io::Error::other(error)))?;
    }
    let budget = Budget::new(plan.memory_bytes, &locking).map_err(StartError::Memory)?;
    let surroundings = Arc::new(Surroundings::new(choice.clone(), kernel.machine.now().0));
    let running = Arc::new(Running::start(kernel, right, &choice, budget, File::from(console))?);
    let listener = start_listener(&running, &surroundings, receiver, sender.clone())?;
    let mut threads = running.infos().to_vec();
    threads.push(own);
    sender
        .send(FromMachine::Step(Step { name: StepName::Memory, outcome: locking.outcome() }))
        .map_err(ProcessError::Link)?;
    sender.send(FromMachine::Threads { threads }).map_err(ProcessError::Link)?;
    // From here on the process can do nothing but run what it has: programs start after this.
    let jail = confined.seal()?;
    if plan.tells {
        running.kernel().machine.console().line(format!("hallows: {}", jail.line()).as_bytes());
    }
    boot(running.kernel(), running.right(), &plan, &artifacts, natives)?;
    running.budget().begin();
    let code = running.kernel().machine.wait_for_end();
    // The listener waits for the parent and holds the machine: it ends with the process.
    drop(listener);
    running.stop();
    Ok(code)
}

fn cells_for(plan: &Plan) -> u32 {
    // Programs may make as many cells again, and some more.
    let planned = u32::try_from(plan.cells.len()).unwrap_or(u32::MAX / 4);
    planned.saturating_mul(2).max(Configuration::default().cells)
}

/// What the parent passed on for a Unix program.
fn host_resources(
    unix: &UnixPlan,
    mut descriptors: impl Iterator<Item = OwnedFd>,
    console: &OwnedFd,
) -> Result<HostResources, ProcessError> {
    let mut next = || descriptors.next().ok_or_else(|| ProcessError::Host(io::ErrorKind::NotFound.into()));
    let streams = [next()?, next()?, next()?];
    let carried = unix.input_by_parent.then(|| console.try_clone()).transpose();
    let directories = unix.directories.iter().map(|directory| {
        let descriptor = next()?;
        Ok(GrantedDirectory { descriptor, read_only: directory.read_only, name: directory.name.clone() })
    });
    let directories = directories.collect::<Result<_, ProcessError>>()?;
    Ok(HostResources {
        directories,
        streams,
        carried_input: carried.map_err(ProcessError::Host)?,
        arguments: unix.arguments.clone(),
        variables: unix.variables.clone(),
    })
}

fn reachable(resources: &HostResources) -> Vec<Reachable<'_>> {
    let directories = resources.directories.iter();
    directories
        .map(|directory| Reachable {
            directory: directory.descriptor.as_fd(),
            read_only: directory.read_only,
        })
        .collect()
}

/// The thread that answers the parent.
fn start_listener(
    running: &Arc<Running>,
    surroundings: &Arc<Surroundings>,
    receiver: LinkReceiver,
    sender: LinkSender,
) -> Result<std::thread::JoinHandle<()>, ProcessError> {
    let (running, surroundings) = (running.clone(), surroundings.clone());
    let (ready, started) = std::sync::mpsc::channel();
    let handle = std::thread::Builder::new()
        .name("listener".to_owned())
        .spawn(move || {
            let _ = ready.send(());
            listen(&running, &surroundings, receiver, &sender);
        })
        .map_err(StartError::Thread)?;
    // The jail lets no thread start: it must have.
    let _ = started.recv();
    Ok(handle)
}

fn listen(running: &Running, surroundings: &Surroundings, mut receiver: LinkReceiver, sender: &LinkSender) {
    loop {
        match receiver.receive() {
            Ok(Some((ToMachine::Tier(report), _))) => surroundings.set_tier(report.tier),
            Ok(Some((ToMachine::Request { id, request }, _))) => {
                let response = answer(running, surroundings, &request);
                if sender.send(FromMachine::Reply { id, response }).is_err() {
                    return running.kernel().machine.end(0);
                }
            }
            Ok(Some((ToMachine::Stop { .. }, _))) => running.kernel().machine.end(0),
            Ok(Some((ToMachine::WindowSize { .. }, _))) => {}
            // The parent is gone, and with it everybody who could ask for anything.
            Ok(None) | Err(_) => return running.kernel().machine.end(0),
        }
    }
}

fn answer(running: &Running, surroundings: &Surroundings, request: &Request) -> Response {
    match request {
        Request::Ps => Response::Machine(surroundings.status(running)),
        Request::Kill { cell } => match select(running, cell) {
            Some(cell) if running.kernel().boot_kill(running.right(), cell) => Response::Done,
            Some(_) => Response::Failed { error: "that cell is over already".to_owned() },
            None => Response::Failed { error: "there is no such cell; `hallows ps` lists them".to_owned() },
        },
        Request::Tier | Request::Stop { .. } => {
            Response::Failed { error: "that is the parent process's to answer".to_owned() }
        }
    }
}
