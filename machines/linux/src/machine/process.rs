//! The machine process: from what the parent passed on to a running, jailed machine, until it ends.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use hallows_engine::SealKey;
use hallows_kernel::{BUILT_IN, Configuration, CoreId, Machine, Policies, Policy, Pool};
use hallows_policy::{Module, WasmPolicy};
use hallows_sdk::native::NativeProgram;
use serde::{Deserialize, Serialize};

use super::boot::{BootError, boot};
use super::budget::Budget;
use super::interrupts::start_interrupts;
use super::operator::{Operator, Taken, Workers};
use super::paths::{Paths, PathsError};
use super::plan::{
    DirectoryPlan, InterfacePlan, Plan, PoliciesPlan, PolicyPlan, PortPlan, PortsPlan, StreamWay, UnixPlan,
    WayPlan,
};
use super::running::{Running, StartError, make_kernel};
use super::status::Surroundings;
use crate::host::child::MachineProcess;
use crate::host::cores::CoreChoice;
use crate::host::jail::{Confined, JailError, Reachable};
use crate::host::limits::allow_many_files;
use crate::host::link::{FromMachine, LinkReceiver, LinkSender, ToMachine, WireWord};
use crate::host::memory::{Locking, Sealed, heap, raise_lock_limit};
use crate::host::nearness::nearest;
use crate::host::threads::{self, ThreadRole};
use crate::host::tier::{Step, StepName};
use crate::host::timer::clock::Calibration;
use crate::services::packets::{Interface, Way, WireNews, hear_of_wire};
use crate::services::sockets::{self, HostNetwork, HostPort};
use crate::services::{self, GrantedDirectory, HostResources, network};

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
    /// A policy is not linked in.
    #[error("the policy `{0}` is not linked in: give it to hallows::init_with")]
    Policy(String),
    /// What a Unix program is given did not come along.
    #[error("cannot take over the program's streams and directories: {0}")]
    Host(io::Error),
    /// An interface or a port did not come along, or cannot be waited for.
    #[error("cannot take over what was given of the host's network: {0}")]
    Network(io::Error),
    /// The jail did not close.
    #[error(transparent)]
    Jail(#[from] JailError),
    /// The machine did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The plan was not carried out.
    #[error(transparent)]
    Boot(#[from] BootError),
    /// A service did not take the path that was required.
    #[error(transparent)]
    Paths(#[from] PathsError),
    /// The parent is gone.
    #[error("lost the parent process: {0}")]
    Link(io::Error),
}

/// Runs the machine; its exit code.
///
/// # Errors
/// [`ProcessError`]; nothing ran then.
pub fn run(
    process: MachineProcess,
    natives: &'static [&'static NativeProgram],
    policies: &[&'static dyn Policy],
) -> Result<u8, ProcessError> {
    let calibration = Calibration::begin();
    heap::prepare();
    let MachineProcess { config, attachments, console, receiver, sender } = process;
    let MachineConfig { choice, plan, seal_key } = serde_json::from_slice(&config)?;
    let mut attachments = attachments.into_iter();
    let artifacts =
        attachments.next().ok_or_else(|| ProcessError::Artifacts(io::ErrorKind::NotFound.into()))?;
    // Programs run where they lie there, as long as the process does.
    let artifacts: &Sealed = Box::leak(Box::new(Sealed::map(&artifacts).map_err(ProcessError::Artifacts)?));
    let given: Vec<OwnedFd> = attachments.collect();
    let resources = plan.unix.iter().map(|unix| host_resources(unix, &given, &console));
    let resources = resources.collect::<io::Result<Vec<_>>>().map_err(ProcessError::Host)?;
    let lends = plan.lends.iter().map(|directory| lent(directory, &given));
    let lends = lends.collect::<io::Result<Vec<_>>>().map_err(ProcessError::Host)?;
    let interfaces = plan.interfaces.iter().map(|interface| opened(interface, &given));
    let interfaces = interfaces.collect::<io::Result<Vec<_>>>().map_err(ProcessError::Network)?;
    let host = plan.ports.as_ref().map(|ports| host_network(ports, &given));
    let host = host.transpose().map_err(ProcessError::Network)?;
    // Each program has its own.
    drop(given);
    // This thread waits for the end; the listener inherits its place.
    let own = threads::adopt(ThreadRole::Control(choice.cleaner_core()));
    raise_lock_limit();
    let serves_unix = !plan.unix.is_empty() || !lends.is_empty();
    if serves_unix || host.is_some() {
        allow_many_files();
    }
    let configuration = Configuration {
        memory_bytes: plan.memory_bytes,
        quantum_ns: plan.quantum_ns,
        pools: plan.pools.iter().map(|pool| Pool { cores: pool.cores, lends: pool.lends }).collect(),
        nearest: nearest(&choice.programs),
        policies: policies_of(&plan.policies, policies)?,
        chaos: plan.chaos,
        cells: cells_for(&plan),
        service_cores: plan.service_cores(),
        ..Configuration::default()
    };
    let (clock, paths) = (calibration.finish(), Arc::new(Paths::default()));
    paths.report_cores(&choice);
    paths.report_clock(clock.reads_counter());
    let (kernel, right) = make_kernel(&choice, configuration, clock, SealKey::from_bytes(seal_key))?;
    // The kernel has reserved its address space and runs nothing yet.
    let locking = Locking::begin(plan.memory_bytes);
    paths.report_memory(&locking);
    paths.report_streams(plan.unix.iter().map(|unix| unix.streams.map(|stream| stream.way)));
    let directories = resources.iter().flat_map(|resources| &resources.directories).chain(&lends);
    let reachable: Vec<_> = directories.map(reachable).collect();
    let files = if reachable.is_empty() { &[] } else { services::SYSTEM_CALLS };
    let sockets = if host.is_none() { &[] } else { services::SOCKET_CALLS };
    let confined = Confined::enter_with(&reachable, [files, sockets].concat())?;
    if serves_unix {
        services::install(resources).map_err(|error| ProcessError::Host(io::Error::other(error)))?;
    }
    paths.report_network(interfaces.iter().map(|interface| &interface.way), host.is_some());
    network::install(interfaces, host).map_err(ProcessError::Network)?;
    let budget = Budget::new(plan.memory_bytes, &locking, plan.takes_memory).map_err(StartError::Memory)?;
    let surroundings = Arc::new(Surroundings::new(choice.clone(), paths.clone(), kernel.machine.now().0));
    let running = Arc::new(Running::start(kernel, right, &choice, budget, File::from(console))?);
    let lending =
        plan.lending_core().map(|core| CoreId(running.kernel().configuration().general_cores() + core));
    let operator = Arc::new(Operator::new(running.clone(), surroundings.clone(), natives, lending));
    let learning = operator.learning();
    let workers = operator.start_workers(&sender).map_err(StartError::Thread)?;
    let listener = start_listener(&operator, &surroundings, workers, receiver, sender.clone())?;
    let interrupts = start_interrupts(&running, &plan).map_err(StartError::Thread)?;
    let mut threads = running.infos().to_vec();
    threads.push(own);
    sender
        .send(FromMachine::Step(Step { name: StepName::Memory, outcome: locking.outcome() }))
        .map_err(ProcessError::Link)?;
    sender.send(FromMachine::Threads { threads }).map_err(ProcessError::Link)?;
    // From here on the process can do nothing but run what it has: programs start after this.
    let jail = confined.seal()?;
    paths.report_jail(&jail);
    paths.check(&plan.requires)?;
    if plan.tells {
        running.kernel().machine.console().line(format!("hallows: {}", jail.line()).as_bytes());
    }
    let booted = boot(running.kernel(), running.right(), &plan, artifacts, natives)?;
    interrupts.tell(&plan, &booted);
    learning.learn(booted);
    sender.send(FromMachine::Begun).map_err(ProcessError::Link)?;
    running.budget().begin();
    let code = running.kernel().machine.wait_for_end();
    if running.kernel().machine.is_done() {
        sockets::drain(LONGEST_DRAIN);
    }
    // The listener waits for the parent and holds the machine: it ends with the process.
    drop(listener);
    running.stop();
    Ok(code)
}

/// How long who has not read yet what programs have said to the end is waited for.
const LONGEST_DRAIN: Duration = Duration::from_secs(5);

fn cells_for(plan: &Plan) -> u32 {
    // Programs may make as many cells again, and some more.
    let planned = u32::try_from(plan.cells.len()).unwrap_or(u32::MAX / 4);
    planned.saturating_mul(2).max(Configuration::default().cells)
}

/// What the parent passed on for a Unix program. Descriptors that several use are there once; each gets its own.
fn host_resources(unix: &UnixPlan, given: &[OwnedFd], console: &OwnedFd) -> io::Result<HostResources> {
    let own = |place: usize| given.get(place).ok_or(io::ErrorKind::NotFound)?.try_clone();
    let [input, output, errors] = unix.streams;
    let directories = unix.directories.iter().map(|directory| lent(directory, given));
    Ok(HostResources {
        directories: directories.collect::<io::Result<_>>()?,
        streams: [own(input.descriptor)?, own(output.descriptor)?, own(errors.descriptor)?],
        carried_input: (input.way == StreamWay::Carried).then(|| console.try_clone()).transpose()?,
        arguments: unix.arguments.clone(),
        variables: unix.variables.clone(),
    })
}

fn lent(directory: &DirectoryPlan, given: &[OwnedFd]) -> io::Result<GrantedDirectory> {
    let descriptor = given.get(directory.descriptor).ok_or(io::ErrorKind::NotFound)?.try_clone()?;
    Ok(GrantedDirectory { descriptor, read_only: directory.read_only, name: directory.name.clone() })
}

fn opened(interface: &InterfacePlan, given: &[OwnedFd]) -> io::Result<Interface> {
    let own = |number: usize| given.get(number).ok_or(io::ErrorKind::NotFound)?.try_clone();
    let capture = interface.capture.map(own).transpose()?;
    let way = match interface.way {
        WayPlan::Tap { descriptor } => Way::Tap(own(descriptor)?),
        WayPlan::Xdp { socket, memory, link, traits } => {
            Way::Xdp { socket: own(socket)?, memory: own(memory)?, link: own(link)?, traits }
        }
        WayPlan::Wire { end, bell, ringer } => Way::Wire { end, bell: own(bell)?, ringer: own(ringer)? },
    };
    Ok(Interface { way, mtu: interface.mtu, address: interface.address, capture })
}

fn host_network(plan: &PortsPlan, given: &[OwnedFd]) -> io::Result<HostNetwork> {
    let own = |number: usize| given.get(number).ok_or(io::ErrorKind::NotFound)?.try_clone();
    let bound = |port: &PortPlan| {
        let PortPlan { descriptor, port, is_datagrams } = *port;
        Ok(HostPort { port, is_datagrams, socket: Arc::new(own(descriptor)?) })
    };
    let ports = plan.ports.iter().map(bound).collect::<io::Result<_>>()?;
    Ok(HostNetwork { ports, outgoing: plan.outgoing.map(own).transpose()? })
}

fn reachable(directory: &GrantedDirectory) -> Reachable<'_> {
    let access = services::landlock_access(directory.read_only);
    Reachable { directory: directory.descriptor.as_fd(), access }
}

/// The thread that answers the parent.
fn start_listener(
    operator: &Arc<Operator>,
    surroundings: &Arc<Surroundings>,
    workers: Workers,
    receiver: LinkReceiver,
    sender: LinkSender,
) -> Result<std::thread::JoinHandle<()>, ProcessError> {
    let (operator, surroundings) = (operator.clone(), surroundings.clone());
    let (ready, started) = std::sync::mpsc::channel();
    let handle = std::thread::Builder::new()
        .name("listener".to_owned())
        .spawn(move || {
            let _ = ready.send(());
            listen(&operator, &surroundings, &workers, receiver, &sender);
            // The parent is gone, and with it everybody who could ask for anything.
            operator.end_machine();
        })
        .map_err(StartError::Thread)?;
    // The jail lets no thread start: it must have.
    let _ = started.recv();
    Ok(handle)
}

/// Hears the parent until it is gone.
fn listen(
    operator: &Operator,
    surroundings: &Surroundings,
    workers: &Workers,
    mut receiver: LinkReceiver,
    sender: &LinkSender,
) {
    while let Ok(Some((message, files))) = receiver.receive() {
        match message {
            ToMachine::Tier(report) => surroundings.set_tier(&report),
            ToMachine::Request { id, request } => {
                let response = match workers.take(id, request, files) {
                    Taken::Later => continue,
                    Taken::Now(request, files) => operator.answer(&request, files),
                    Taken::Refused(response) => response,
                };
                if sender.send(FromMachine::Reply { id, response }).is_err() {
                    return;
                }
            }
            ToMachine::Stop { .. } => operator.end_machine(),
            ToMachine::WindowSize { .. } => {}
            ToMachine::Wire { interface, what } => {
                if let Some(news) = wire_news(what, files) {
                    hear_of_wire(interface, news);
                }
            }
        }
    }
}

/// What becomes of a wire; none where not all of it came along.
fn wire_news(what: WireWord, files: Vec<OwnedFd>) -> Option<WireNews> {
    Some(match what {
        WireWord::Met => {
            let [memory, ringer] = files.try_into().ok()?;
            WireNews::Met { memory, ringer }
        }
        WireWord::Parted => WireNews::Parted,
        WireWord::Unfit { why } => WireNews::Unfit { why },
    })
}

/// The policies of a plan.
fn policies_of(plan: &PoliciesPlan, linked: &[&'static dyn Policy]) -> Result<Policies, ProcessError> {
    let find = |wanted: &Option<PolicyPlan>, usual| -> Result<Arc<dyn Policy>, ProcessError> {
        match wanted {
            None => Ok(usual),
            Some(PolicyPlan::Module { name, module }) => {
                Ok(Arc::new(WasmPolicy::new(name, Module::clone(module))))
            }
            Some(PolicyPlan::Linked { name }) => {
                let mut all = BUILT_IN.into_iter().chain(linked.iter().copied());
                let found = all.find(|policy| policy.name() == name);
                Ok(Arc::new(found.ok_or_else(|| ProcessError::Policy(name.clone()))?))
            }
        }
    };
    let usual = Policies::default();
    Ok(Policies { latency: find(&plan.latency, usual.latency)?, batch: find(&plan.batch, usual.batch)? })
}
