//! `hallows run`: boots a machine and stays its parent until it has ended.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::time::Instant;

use hallows_linux::host::cores::{self, CoreChoice, CoreRequest, Topology};
use hallows_linux::host::facts::HostFacts;
use hallows_linux::host::memory::check_available;
use hallows_linux::host::parent::{DEFAULT_GRACE, Event, Launch, RestartPolicy, Streams, supervise};
use hallows_linux::host::tier::TierLimit;
use hallows_linux::machine::plan::Plan;
use hallows_linux::machine::process::MachineConfig;
use rustix::fs::{MemfdFlags, SealFlags};

use super::stop::{directory, restored};
use crate::cli::{MachineOptions, Run};
use crate::compile::Compiler;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::planner::{self, Planned};
use crate::unix::{Given, Invocation};

/// Runs a system; the exit code.
///
/// # Errors
/// When there is no such system, its programs do not compile, or the machine does not start.
pub fn run(options: Run) -> Result<u8, Failure> {
    let topology = Topology::read().map_err(|error| Failure::other(SOFTWARE, error))?;
    let choice = choose_cores(&options.machine, &topology)?;
    choice.confine().map_err(|error| {
        Failure::other(SOFTWARE, format!("cannot stay on core {}: {error}", choice.housekeeping))
    })?;
    let system = planner::find(&options.what, !options.arguments.is_empty(), options.native)?;
    let invocation = Invocation {
        arguments: options.arguments,
        variables: options.variables,
        directories: options.directories,
    };
    check_available(options.machine.memory).map_err(|error| Failure::other(USAGE, error))?;
    let compiler = Compiler::open(options.quiet)?;
    let Planned { plan, artifacts, name, given } =
        planner::plan(&system, &compiler, &invocation, options.machine.memory.0)?;
    // A Unix program has the terminal for itself.
    let is_unix = given.is_some();
    let quiet = options.quiet || is_unix && !options.verbose;
    let plan = Plan {
        memory_bytes: options.machine.memory.0,
        quantum_ns: options.machine.quantum_us * 1_000,
        chaos: options.chaos,
        tells: !quiet,
        ..plan
    };
    let facts = HostFacts::read();
    if !quiet {
        eprintln!("hallows: {name} on {}", facts.line());
        choice.lines().iter().for_each(|line| eprintln!("hallows: {line}"));
        eprintln!("hallows: {} of memory, taken from Linux in the background", options.machine.memory);
    }
    let config = MachineConfig { choice: choice.clone(), plan, seal_key: compiler.seal_key() };
    let streams = given.as_ref().map_or(Streams::Console, Given::streams);
    let mut attachments = vec![sealed_file(&artifacts)?];
    attachments.extend(given.into_iter().flat_map(|given| given.descriptors));
    let launch = Launch {
        directory: directory()?,
        cores: choice,
        topology,
        kernel: facts.kernel_version(),
        // Programs of Unix are run in pipelines, several at once.
        owns_cores: !is_unix || options.machine.cores.is_some(),
        limit: options.machine.tier.unwrap_or(if is_unix { TierLimit::SharedOnly } else { TierLimit::Best }),
        config: serde_json::to_vec(&config).map_err(|error| Failure::other(SOFTWARE, error))?,
        attachments,
        streams,
        grace: DEFAULT_GRACE,
        restart: RestartPolicy::Never,
    };
    let began = Instant::now();
    let ended = supervise(launch, &mut |event| {
        if !quiet {
            tell(&event);
        }
    })
    .map_err(|error| Failure::other(error.exit_code(), error))?;
    if !quiet {
        eprintln!("hallows: after {:.1} s the machine {}", began.elapsed().as_secs_f64(), ended.end);
    }
    // Whoever waits for a Unix program wants to know that it did not come to its end.
    let signal = ended.stopped_by.filter(|_| is_unix).and_then(|signal| u8::try_from(signal).ok());
    Ok(signal.map_or_else(|| ended.exit_code(), |signal| 128 + signal))
}

/// The cores that are meant.
pub(super) fn choose_cores(options: &MachineOptions, topology: &Topology) -> Result<CoreChoice, Failure> {
    let request = CoreRequest { programs: options.cores.clone(), housekeeping: options.housekeeping.clone() };
    cores::choose(&request, topology, cores::siblings_of).map_err(|error| Failure::other(USAGE, error))
}

fn tell(event: &Event<'_>) {
    match event {
        Event::LeftoversRestored(report) => {
            eprintln!("hallows: put back what a killed machine had changed");
            restored(report).iter().for_each(|line| eprintln!("hallows:   {line}"));
        }
        Event::LeftoversRemain(error) => eprintln!("hallows: {error}"),
        Event::Tier(report) => report.lines().iter().for_each(|line| eprintln!("hallows: {line}")),
        Event::Restarting { end } => eprintln!("hallows: the machine {end}; starting it again"),
        Event::Released(report) => {
            for line in restored(report) {
                eprintln!("hallows: {line}");
            }
        }
    }
}

/// A file in memory that nobody can change any more.
fn sealed_file(bytes: &[u8]) -> Result<OwnedFd, Failure> {
    let refused =
        |error: std::io::Error| Failure::other(SOFTWARE, format!("cannot pass the programs on: {error}"));
    let file = rustix::fs::memfd_create("hallows-programs", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .map_err(|error| refused(error.into()))?;
    let mut file = File::from(file);
    file.write_all(bytes).map_err(refused)?;
    let seals = SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL;
    rustix::fs::fcntl_add_seals(&file, seals).map_err(|error| refused(error.into()))?;
    Ok(file.into())
}
