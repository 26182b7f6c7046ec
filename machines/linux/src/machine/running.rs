//! A running machine: its kernel, and the threads of Linux that drive it.

use std::io::{self, Write};
use std::sync::Arc;

use hallows_engine::{
    EngineConfiguration, EngineError, SealKey, SettingsError, WasmEngine, machine_settings,
};
use hallows_kernel::{BootCapability, Configuration, CoreId};

use super::boot::Kernel;
use super::console::Console;
use super::linux_machine::LinuxMachine;
use super::timekeeping::{TimekeeperMeter, keep_time};
use crate::host::core_set::CoreSet;
use crate::host::cores::{CoreChoice, SHARED_QUANTUM_FLOOR_NS, TimekeeperPlace};
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
    /// Linux refused a thread.
    #[error("cannot start a thread of the machine: {0}")]
    Thread(#[from] io::Error),
}

/// A machine whose threads run.
pub struct Running {
    kernel: Arc<Kernel>,
    right: BootCapability,
    meter: Arc<TimekeeperMeter>,
    cores: Vec<PinnedThread<()>>,
    timekeeper: PinnedThread<()>,
    cleaner: PinnedThread<()>,
    console: PinnedThread<()>,
    infos: Vec<ThreadInfo>,
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
    platform::install();
    let cores = choice.programs.len();
    let floor_ns = match choice.timekeeper {
        TimekeeperPlace::OwnCore => 0,
        TimekeeperPlace::WithPrograms => SHARED_QUANTUM_FLOOR_NS,
    };
    let configuration = Configuration {
        cores: u32::try_from(cores).unwrap_or(u32::MAX),
        quantum_ns: configuration.quantum_ns.max(floor_ns),
        // On a core that Linux and the timekeeper need too, looking for work takes it from them.
        idle_looks: if floor_ns > 0 { 0 } else { configuration.idle_looks },
        ..configuration
    };
    let engine = WasmEngine::new(EngineConfiguration {
        cells: configuration.cells,
        cores: configuration.cores,
        chaos: configuration.chaos,
        settings: machine_settings().map_err(StartError::Processor)?,
        seal_key,
    })
    .map_err(StartError::Engine)?;
    let machine = LinuxMachine::new(cores, clock, Console::new());
    let (kernel, right) = Kernel::new(engine, machine, configuration);
    Ok((Arc::new(kernel), right))
}

impl Running {
    /// Starts the threads that drive a kernel: one for each core of programs, timekeeper, cleaner, and the console's writer. Returns
    /// when every thread runs where it belongs.
    ///
    /// # Errors
    /// When Linux refuses a thread; those that were started end.
    pub fn start(
        kernel: Arc<Kernel>,
        right: BootCapability,
        choice: &CoreChoice,
        output: impl Write + Send + 'static,
    ) -> Result<Self, StartError> {
        let meter = Arc::new(TimekeeperMeter::default());
        let cores = start_cores(&kernel, &choice.programs)?;
        let timekeeper = {
            let (kernel, meter, place) = (kernel.clone(), meter.clone(), choice.timekeeper);
            let role = ThreadRole::Timekeeper(choice.timekeeper_core());
            threads::spawn(ThreadPlan::new(role), move || keep_time(&kernel, place, &meter))?
        };
        let cleaner = {
            let kernel = kernel.clone();
            threads::spawn(ThreadPlan::new(ThreadRole::Cleaner(choice.cleaner_core())), move || {
                while !kernel.is_stopping() && platform::wait_for_cleaning() {
                    while hallows_engine::clean() && !kernel.is_stopping() {}
                }
            })?
        };
        let console = {
            let kernel = kernel.clone();
            threads::spawn(ThreadPlan::new(ThreadRole::Control(choice.cleaner_core())), move || {
                // A terminal that is gone takes nothing more; the machine runs on.
                let _ = kernel.machine.console().write_to(output);
            })?
        };
        let mut infos = Vec::new();
        for thread in cores.iter().chain([&timekeeper, &cleaner, &console]) {
            infos.push(thread.info()?);
        }
        Ok(Self { kernel, right, meter, cores, timekeeper, cleaner, console, infos })
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

    /// The machine's threads, for the parent to place.
    #[must_use]
    pub fn infos(&self) -> &[ThreadInfo] {
        &self.infos
    }

    /// Stops the cores, writes what the console still has, and ends all threads. Programs stop where they are.
    pub fn stop(self) -> Arc<Kernel> {
        self.kernel.shut_down();
        self.kernel.machine.wake_timekeeper();
        platform::stop_cleaning();
        for thread in self.cores.into_iter().chain([self.timekeeper, self.cleaner]) {
            // A thread that panicked has aborted the process already.
            let _ = thread.handle.join();
        }
        self.kernel.machine.console().close();
        let _ = self.console.handle.join();
        self.kernel
    }
}

fn start_cores(kernel: &Arc<Kernel>, cores: &CoreSet) -> io::Result<Vec<PinnedThread<()>>> {
    (0..)
        .zip(cores.iter())
        .map(|(number, core)| {
            let kernel = kernel.clone();
            threads::spawn(ThreadPlan::new(ThreadRole::Programs(core)), move || {
                // Without it a program's stack overflow ends the machine: better not to start.
                match TrapStack::install() {
                    Ok(_stack) => kernel.run_core(CoreId(number)),
                    Err(error) => panic!("no memory for a trap stack: {error:?}"),
                }
            })
        })
        .collect()
}
