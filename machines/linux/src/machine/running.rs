//! A running machine: its kernel, and the threads of Linux that drive it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hallows_artifact::{Preemption, Settings};
use hallows_engine::{
    EngineConfiguration, EngineError, SealKey, SettingsError, WasmEngine, machine_settings,
};
use hallows_kernel::{BootCapability, Configuration, CoreId};

use super::boot::Kernel;
use super::budget::Budget;
use super::console::Console;
use super::linux_machine::LinuxMachine;
use super::timekeeping::{TimekeeperMeter, keep_time};
use crate::host::cores::{CoreChoice, SHARED_QUANTUM_FLOOR_NS, TimekeeperPlace};
use crate::host::quantity::ByteSize;
use crate::host::threads::{self, PinnedThread, ThreadInfo, ThreadPlan, ThreadRole};
use crate::host::timer::Clock;
use crate::platform::{self, TrapStack};

/// Why a machine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The processor lacks what every program is compiled for.
    #[error("this processor cannot run programs: {0}")]
    Processor(SettingsError),
    /// The engine was not made.
    #[error("{0}")]
    Engine(EngineError),
    /// Linux refused the file that holds the memory.
    #[error("cannot take memory from Linux: {0}")]
    Memory(io::Error),
    /// Linux refused a thread.
    #[error("cannot start a thread of the machine: {0}")]
    Thread(#[from] io::Error),
}

/// How long programs have to come to a check when the machine stops. A native program that never calls the kernel has none; the
/// process ends over its head.
const LONGEST_STOP: Duration = Duration::from_secs(1);
/// How often they are asked meanwhile.
const STOP_INTERVAL: Duration = Duration::from_micros(200);

/// A thread of the machine.
struct Driver {
    role: ThreadRole,
    handle: JoinHandle<()>,
}

/// A machine whose threads run.
pub struct Running {
    kernel: Arc<Kernel>,
    right: BootCapability,
    meter: Arc<TimekeeperMeter>,
    threads: Mutex<Vec<Driver>>,
    infos: Vec<ThreadInfo>,
    budget: Arc<Budget>,
}

/// A kernel over a new engine, not yet driven. The cores are those of `choice`, counted from 0 in their order.
///
/// # Errors
/// [`StartError`].
pub fn make_kernel(
    choice: &CoreChoice,
    configuration: Configuration,
    clock: Clock,
    seal_key: SealKey,
) -> Result<(Arc<Kernel>, BootCapability), StartError> {
    make_kernel_with(choice, configuration, clock, seal_key, Preemption::Word)
}

/// [`make_kernel`], for programs compiled with another kind of preemption: to measure what the checks cost.
///
/// # Errors
/// [`StartError`].
pub fn make_kernel_with(
    choice: &CoreChoice,
    configuration: Configuration,
    clock: Clock,
    seal_key: SealKey,
    preemption: Preemption,
) -> Result<(Arc<Kernel>, BootCapability), StartError> {
    platform::install();
    let cores = choice.programs.len() + configuration.service_cores as usize;
    let floor_ns = match choice.timekeeper {
        TimekeeperPlace::OwnCore => 0,
        TimekeeperPlace::WithPrograms => SHARED_QUANTUM_FLOOR_NS,
    };
    let configuration = Configuration {
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        quantum_ns: configuration.quantum_ns.max(floor_ns),
        least_quantum_ns: configuration.least_quantum_ns.max(floor_ns),
        // On a core that Linux and the timekeeper need too, looking for work takes it from them.
        idle_looks: if floor_ns > 0 { 0 } else { configuration.idle_looks },
        ..configuration
    };
    let engine = WasmEngine::new(EngineConfiguration {
        cells: configuration.cells,
        cores: configuration.cores,
        chaos: configuration.chaos,
        settings: Settings { preemption, ..machine_settings().map_err(StartError::Processor)? },
        seal_key,
    })
    .map_err(StartError::Engine)?;
    let machine = LinuxMachine::new(cores, clock, Console::new());
    let (kernel, right) = Kernel::new(engine, machine, configuration);
    Ok((Arc::new(kernel), right))
}

impl Running {
    /// Starts the threads that drive a kernel: one for each core of programs and each service core, timekeeper, cleaner, and the console's writer. Returns
    /// when every thread runs where it belongs.
    ///
    /// # Errors
    /// When Linux refuses a thread; those that were started end.
    pub fn start(
        kernel: Arc<Kernel>,
        right: BootCapability,
        choice: &CoreChoice,
        budget: Budget,
        output: impl Write + Send + 'static,
    ) -> Result<Self, StartError> {
        let (meter, budget) = (Arc::new(TimekeeperMeter::default()), Arc::new(budget));
        crate::services::runs(&kernel);
        let mut started = start_cores(&kernel, choice)?;
        {
            let (kernel, meter, place) = (kernel.clone(), meter.clone(), choice.timekeeper);
            let role = ThreadRole::Timekeeper(choice.timekeeper_core());
            started.push((
                role,
                threads::spawn(ThreadPlan::new(role), move || keep_time(&kernel, place, &meter))?,
            ));
        }
        {
            let (kernel, budget) = (kernel.clone(), budget.clone());
            let role = ThreadRole::Cleaner(choice.cleaner_core());
            let cleaner = threads::spawn(ThreadPlan::new(role), move || clean(&kernel, &budget))?;
            started.push((role, cleaner));
        }
        {
            let kernel = kernel.clone();
            let role = ThreadRole::Control(choice.cleaner_core());
            let console = threads::spawn(ThreadPlan::new(role), move || {
                // A terminal that is gone takes nothing more; the machine runs on.
                let _ = kernel.machine.console().write_to(output);
            })?;
            started.push((role, console));
        }
        let infos = started.iter().map(|(_, thread)| thread.info()).collect::<Result<_, _>>()?;
        let threads =
            started.into_iter().map(|(role, thread)| Driver { role, handle: thread.handle }).collect();
        Ok(Self { kernel, right, meter, threads: Mutex::new(threads), infos, budget })
    }

    /// The kernel.
    #[must_use]
    pub const fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// The right to make objects of boot.
    #[must_use]
    pub const fn right(&self) -> &BootCapability {
        &self.right
    }

    /// What the timekeeper has done.
    #[must_use]
    pub fn meter(&self) -> &TimekeeperMeter {
        &self.meter
    }

    /// Its memory.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The machine's threads, for the parent to place.
    #[must_use]
    pub fn infos(&self) -> &[ThreadInfo] {
        &self.infos
    }

    /// Stops the cores, writes what the console still has, and ends all threads. Programs stop where they are.
    pub fn stop(&self) {
        let asked = Instant::now();
        while asked.elapsed() < LONGEST_STOP && !self.is_over(|role| matches!(role, ThreadRole::Programs(_)))
        {
            self.kernel.shut_down();
            std::thread::sleep(STOP_INTERVAL);
        }
        self.kernel.machine.wake_timekeeper();
        platform::stop_cleaning();
        self.join(|thread| !matches!(thread.role, ThreadRole::Control(_)) && thread.handle.is_finished());
        self.join(|thread| matches!(thread.role, ThreadRole::Timekeeper(_) | ThreadRole::Cleaner(_)));
        self.kernel.machine.console().close();
        self.join(|thread| matches!(thread.role, ThreadRole::Control(_)));
    }

    /// Whether threads have ended.
    fn is_over(&self, which: impl Fn(ThreadRole) -> bool) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.iter().filter(|thread| which(thread.role)).all(|thread| thread.handle.is_finished())
    }

    /// Waits for the ends of threads.
    fn join(&self, which: impl Fn(&Driver) -> bool) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.extract_if(.., |thread| which(thread)) {
            // One that panicked has aborted the process already.
            let _ = thread.handle.join();
        }
    }
}

/// The cleaner's life: what programs wait for first, then the budget.
fn clean(kernel: &Kernel, budget: &Budget) {
    while !kernel.is_stopping() && platform::wait_for_cleaning() {
        while hallows_engine::clean() && !kernel.is_stopping() {}
        if let Err(error) = budget.settle(|| kernel.is_stopping() || platform::is_wanted()) {
            let taken = ByteSize(budget.populated_bytes());
            let line = format!(
                "hallows: Linux has no more memory ({error}); {taken} of the budget are taken, and programs that grow beyond may \
                 end the machine: stop something else, or ask for less with --memory"
            );
            kernel.machine.console().line(line.as_bytes());
        }
    }
}

type Started = (ThreadRole, PinnedThread<()>);

fn start_cores(kernel: &Arc<Kernel>, choice: &CoreChoice) -> io::Result<Vec<Started>> {
    let services = kernel.configuration().service_cores as usize;
    let roles = choice.programs.iter().map(ThreadRole::Programs);
    let roles = roles.chain(std::iter::repeat_n(ThreadRole::Service(choice.cleaner_core()), services));
    (0..)
        .zip(roles)
        .map(|(number, role)| {
            let kernel = kernel.clone();
            let thread = threads::spawn(ThreadPlan::new(role), move || {
                // Without it a program's stack overflow ends the machine: better not to start.
                match TrapStack::install() {
                    Ok(_stack) => {
                        kernel.machine.adopt(CoreId(number));
                        kernel.run_core(CoreId(number));
                    }
                    Err(error) => panic!("no memory for a trap stack: {error:?}"),
                }
            })?;
            Ok((role, thread))
        })
        .collect()
}
