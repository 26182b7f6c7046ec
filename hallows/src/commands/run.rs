//! `hallows run`: boots a machine and stays its parent until it has ended.

use std::io::Write;
use std::time::{Duration, Instant};

use hallows_linux::host::cores::{self, CoreChoice, CoreRequest, Topology};
use hallows_linux::host::facts::HostFacts;
use hallows_linux::host::limits;
use hallows_linux::host::memory::check_available;
use hallows_linux::host::parent::{DEFAULT_GRACE, Ended, Event, Launch, RestartPolicy, Streams, supervise};
use hallows_linux::host::tier::{TierLimit, TierReport};
use hallows_linux::machine::paths::Requirement;
use hallows_linux::machine::plan::Plan;
use hallows_linux::machine::process::MachineConfig;

use super::launch::{self, Background};
use super::stop::{directory, restored};
use crate::cli::{MachineOptions, Run};
use crate::compile::Compiler;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::network::Networks;
use crate::planner::{self, Found, Planned};
use crate::system::System;
use crate::unix::Invocation;

/// Says a line on standard error. One that is gone (a terminal that was closed, a pipe that nobody reads) must not end the parent before it
/// has put the host back.
macro_rules! say {
    ($($words:tt)*) => {{
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

/// Runs a system; the exit code.
///
/// # Errors
/// When there is no such system, its programs do not compile, or the machine does not start.
pub fn run(options: Run) -> Result<u8, Failure> {
    if options.detach {
        return launch::detached(&options);
    }
    let background = if options.background { Some(launch::leave_terminal()?) } else { None };
    let place = Place::take(&options.machine)?;
    let Found { system, .. } = planner::find(&options.what, !options.arguments.is_empty(), options.native)?;
    let invocation = Invocation {
        arguments: options.arguments,
        variables: options.variables,
        directories: options.directories,
        stack_bytes: options.stack.map(|stack| stack.0),
        networks: Networks::Now(options.networks),
    };
    let compiler = Compiler::open(options.quiet)?;
    let settings = Settings {
        machine: options.machine,
        chaos: options.chaos,
        quiet: options.quiet,
        verbose: options.verbose,
        requires: options.requires,
        background,
    };
    boot(place, &system, &invocation, &compiler, settings).map(|finished| finished.exit_code())
}

/// How a machine is set up, whatever runs on it.
#[derive(Debug)]
pub struct Settings {
    /// Cores and memory.
    pub machine: MachineOptions,
    /// Preempt and migrate at every check.
    pub chaos: bool,
    /// Say nothing about the machine.
    pub quiet: bool,
    /// Say it also where a Unix program has the terminal.
    pub verbose: bool,
    /// Fast paths without which the machine does not start.
    pub requires: Vec<Requirement>,
    /// In the background, somebody waits for the boot.
    pub background: Option<Background>,
}

/// The cores that a machine gets, before anything else is known of it.
pub struct Place {
    topology: Topology,
    choice: CoreChoice,
}

impl Place {
    /// Chooses cores, and leaves them with all that this process does: it, and the compiler that it starts, stay on Linux's.
    ///
    /// # Errors
    /// When there are no such cores, or this process may not have what a machine needs.
    pub fn take(options: &MachineOptions) -> Result<Self, Failure> {
        limits::prepare_parent().map_err(|error| Failure::other(USAGE, error))?;
        let topology = Topology::read().map_err(|error| Failure::other(SOFTWARE, error))?;
        let choice = choose_cores(options, &topology)?;
        choice.confine().map_err(|error| {
            Failure::other(SOFTWARE, format!("cannot stay on core {}: {error}", choice.housekeeping))
        })?;
        Ok(Self { topology, choice })
    }
}

/// A machine that has come to its end.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub ended: Ended,
    /// How well its cores were its own; nothing if it was over before that was known.
    pub tier: Option<TierReport>,
    /// How long it was there.
    pub took: Duration,
    /// Whether it ran a Unix program, alone.
    pub is_unix: bool,
    /// Its cores.
    pub choice: CoreChoice,
}

impl Finished {
    /// The exit code of a command that ran it.
    pub fn exit_code(&self) -> u8 {
        // Whoever waits for a Unix program wants to know that it did not come to its end.
        let signal =
            self.ended.stopped_by.filter(|_| self.is_unix).and_then(|signal| u8::try_from(signal).ok());
        signal.map_or_else(|| self.ended.exit_code(), |signal| 128 + signal)
    }
}

/// Boots a system and stays until it has ended.
///
/// # Errors
/// When its programs do not compile, or the machine does not start.
pub fn boot(
    place: Place,
    system: &System,
    invocation: &Invocation,
    compiler: &Compiler,
    options: Settings,
) -> Result<Finished, Failure> {
    let Place { topology, choice } = place;
    check_available(options.machine.memory).map_err(|error| Failure::other(USAGE, error))?;
    let background = options.background;
    let planned = || planner::plan(system, compiler, invocation, options.machine.memory.0);
    let Planned { plan, artifacts, name, given, network } = match &background {
        Some(background) => background.hiding_its_words(planned)?,
        None => planned()?,
    };
    let (wanted, there) =
        (plan.pools.iter().map(|pool| u64::from(pool.cores)).sum::<u64>(), choice.programs.len());
    if wanted > there as u64 {
        let what = format!(
            "the pools of this system want {wanted} cores, the machine has {there}: give it more with --cores"
        );
        return Err(Failure::usage(what));
    }
    // A Unix program that runs alone has the terminal for itself.
    let is_unix = given.is_some() && system.is_of_one;
    let quiet = options.quiet || is_unix && !options.verbose;
    let limit = options.machine.tier.unwrap_or(if is_unix { TierLimit::SharedOnly } else { TierLimit::Best });
    let plan = Plan {
        memory_bytes: options.machine.memory.0,
        // A Unix program is often over before the memory was taken, and waits for files on the core that takes it.
        takes_memory: !is_unix || limit == TierLimit::Best,
        quantum_ns: options.machine.quantum_us * 1_000,
        chaos: options.chaos,
        tells: !quiet,
        requires: options.requires,
        ..plan
    };
    let facts = HostFacts::read();
    let taken = if plan.takes_memory { "in the background" } else { "as programs touch it" };
    if !quiet {
        say!("hallows: {name} on {}", facts.line());
        choice.lines().iter().for_each(|line| say!("hallows: {line}"));
        say!("hallows: {} of memory, taken from Linux {taken}", options.machine.memory);
    }
    let config = MachineConfig { choice: choice.clone(), plan, seal_key: compiler.seal_key() };
    let streams = match &given {
        None => Streams::Console,
        Some(given) if is_unix => given.streams_alone(),
        Some(given) => given.streams_in_a_system(),
    };
    let mut attachments = vec![artifacts.sealed()?];
    attachments.extend(given.into_iter().flat_map(|given| given.descriptors));
    attachments.extend(network.descriptors);
    let launch = Launch {
        directory: directory()?,
        cores: choice.clone(),
        topology,
        kernel: facts.kernel_version(),
        // Programs of Unix are run in pipelines, several at once.
        owns_cores: !is_unix || options.machine.cores.is_some(),
        limit,
        config: serde_json::to_vec(&config).map_err(|error| Failure::other(SOFTWARE, error))?,
        attachments,
        streams,
        grace: DEFAULT_GRACE,
        restart: RestartPolicy::Never,
        seal: compiler.seal_mark(),
        leash: background.as_ref().map(Background::leash).transpose()?,
        wires: network.wires,
    };
    let began = Instant::now();
    let mut tier = None;
    let ended = supervise(launch, &mut |event| {
        if let Event::Tier(report) = &event {
            tier = Some((*report).clone());
        }
        if !quiet {
            tell(&event);
        }
        if let (Event::Tier(_), Some(background)) = (&event, &background) {
            // Who waited has all of it now. Without a way to nowhere, what there is takes no more at some time.
            let _ = background.fall_silent();
        }
    })
    .map_err(|error| Failure::other(error.exit_code(), error))?;
    if !quiet {
        say!("hallows: after {:.1} s the machine {}", began.elapsed().as_secs_f64(), ended.end);
    }
    Ok(Finished { ended, tier, took: began.elapsed(), is_unix, choice })
}

/// The cores that are meant.
pub(crate) fn choose_cores(options: &MachineOptions, topology: &Topology) -> Result<CoreChoice, Failure> {
    let request = CoreRequest { programs: options.cores.clone(), housekeeping: options.housekeeping.clone() };
    cores::choose(&request, topology, cores::siblings_of).map_err(|error| Failure::other(USAGE, error))
}

fn tell(event: &Event<'_>) {
    match event {
        Event::LeftoversRestored(report) => {
            say!("hallows: put back what a killed machine had changed");
            restored(report).iter().for_each(|line| say!("hallows:   {line}"));
        }
        Event::LeftoversRemain(error) => say!("hallows: {error}"),
        Event::Tier(report) => report.lines().iter().for_each(|line| say!("hallows: {line}")),
        Event::Restarting { end } => say!("hallows: the machine {end}; starting it again"),
        Event::Released(report) => {
            for line in restored(report) {
                say!("hallows: {line}");
            }
        }
    }
}
