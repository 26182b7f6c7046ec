//! A kernel over an engine, and cells made from the files that the machine was given.

use alloc::{boxed::Box, format, string::String, sync::Arc, vec};

use hallows_abi::{MAX_START_INFO, Rights};
use hallows_artifact::{Artifact, CpuFeatures, Platform};
use hallows_engine::{EngineConfiguration, Program, SealKey, Settings, WasmEngine};
use hallows_kernel::{BootCapability, CellId, CellSpecification, Configuration, Rooted, Service};
use hallows_sdk::start_info;

use crate::{
    drive::Kernel,
    image::Image,
    machine::{MetalMachine, Recording},
    memory, platform,
};

/// The key that the files' artefacts are sealed with: who makes the archive makes one.
const KEY_FILE: &str = "seal.key";

/// The kernel's tables are made at once and never grow; a canary has some dozens of cells.
const CELLS: u32 = 64;
const OBJECTS: u32 = 256;
const SLOTS: u32 = 4096;

/// How long a program runs while another waits. Under emulation an alarm comes 10 to 30 µs late, beside which a shorter quantum would
/// mean little.
const QUANTUM_NS: u64 = 1_000_000;

/// Memory of a cell, in bytes: room for a small program's memory, tables and messages.
const CELL_MEMORY_BYTES: u64 = 8 << 20;

/// A machine's software: the kernel, the right to make its first objects, the files.
pub struct System {
    kernel: Box<Kernel>,
    right: BootCapability,
    image: Image,
}

/// A cell that was made, with the endpoint that it serves.
pub struct Made {
    /// Which.
    pub cell: CellId,
    capability: Rooted,
    endpoint: Option<Rooted>,
}

/// How a cell serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// Not at all.
    Nothing,
    /// On its callers' threads.
    Passive,
    /// By a thread of its own.
    Active,
}

impl System {
    /// Makes kernel and engine over the machine. What is free of its memory now is what cells may have, but for a quarter that stays with
    /// kernel and engine.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub fn new(image: Image, recording: Recording) -> Result<Self, String> {
        platform::install();
        let key = image.file(KEY_FILE).map_err(|error| format!("{error}"))?;
        let key =
            key.try_into().map_err(|_| format!("the file {KEY_FILE} has {} bytes, not 32", key.len()))?;
        // The baseline and not all that this processor has: the same archive runs on every machine.
        let settings =
            Settings::new(Platform::Metal, CpuFeatures::BASELINE).map_err(|error| format!("{error}"))?;
        let (free, _) = memory::space().available_and_total_frames();
        let configuration = Configuration {
            cells: CELLS,
            objects: OBJECTS,
            slots: SLOTS,
            memory_bytes: free * memory::PAGE_BYTES / 4 * 3,
            quantum_ns: QUANTUM_NS,
            ..Configuration::default()
        };
        let engine = WasmEngine::new(EngineConfiguration {
            cells: CELLS,
            cores: configuration.cores,
            chaos: configuration.chaos,
            settings,
            seal_key: SealKey::from_bytes(key),
        })
        .map_err(|error| format!("no engine: {error}"))?;
        let (kernel, right) = Kernel::new(engine, MetalMachine::new(recording), configuration);
        Ok(Self { kernel: Box::new(kernel), right, image })
    }

    /// The kernel.
    pub const fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Makes a cell that runs the program of this name; it is not started.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the file, or what the kernel refused.
    pub fn make_cell(&self, name: &str, program: &str, serving: Serving) -> Result<Made, String> {
        let refused =
            |what: &str, error: hallows_abi::Error| format!("cannot make {what} of the cell {name}: {error}");
        let program = self.load(program)?;
        let program =
            self.kernel.boot_program(&self.right, program).map_err(|error| refused("the program", error))?;
        let specification = CellSpecification {
            name,
            memory_bytes: CELL_MEMORY_BYTES,
            slots: 0,
            // In the middle: there is room on both sides.
            class: Default::default(),
            priority: 3,
            passive: serving == Serving::Passive,
            pinned: None,
            pool: 0,
            time: None,
        };
        let made = self.kernel.boot_cell(&self.right, &program, None, &specification);
        let (cell, capability) = made.map_err(|error| refused("the record", error))?;
        let service = match serving {
            Serving::Nothing => None,
            Serving::Passive => Some(Service::Passive { handler_budget_ns: 0 }),
            Serving::Active => Some(Service::Active { limit: 16 }),
        };
        let endpoint =
            service.map(|service| self.kernel.boot_endpoint(&self.right, cell, service)).transpose();
        Ok(Made { cell, capability, endpoint: endpoint.map_err(|error| refused("the endpoint", error))? })
    }

    /// Starts a cell with arguments and the endpoints that it may call, by name.
    ///
    /// # Errors
    /// A sentence that says what the kernel refused.
    pub fn start(&self, cell: CellId, arguments: &[&str], calls: &[(&str, &Made)]) -> Result<(), String> {
        let mut grants = vec::Vec::with_capacity(calls.len());
        for (name, made) in calls {
            let endpoint = made.endpoint.as_ref().ok_or_else(|| format!("{name} serves nothing"))?;
            let rights = Rights::SEND | Rights::WATCH | Rights::TRANSFER;
            let handle = self.kernel.boot_grant(&self.right, cell, endpoint, rights, 0);
            grants.push((*name, handle.map_err(|error| format!("cannot grant {name}: {error}"))?));
        }
        let mut information = vec![0; MAX_START_INFO as usize];
        let length =
            start_info::emit(arguments, &grants, &mut information).map_err(|error| format!("{error}"))?;
        let started = self.kernel.boot_start(&self.right, cell, &information[..length]);
        started.map(|_| ()).map_err(|error| format!("cannot start cell {cell}: {error}"))
    }

    /// Kills a cell.
    pub fn kill(&self, cell: CellId) {
        self.kernel.boot_kill(&self.right, cell);
    }

    /// Ends a cell for good: its memory and its place are free again.
    pub fn destroy(&self, made: &Made) {
        self.kernel.boot_destroy(&self.right, &made.capability);
    }

    fn load(&self, name: &str) -> Result<Arc<Program<MetalMachine>>, String> {
        let path = format!("programs/{name}");
        let artifact = self.image.file(&path).map_err(|error| format!("{error}"))?;
        let wrong = |reason: &dyn core::fmt::Display| format!("cannot load {path}: {reason}");
        // The archive's word for which program it is; the seal says that it was not altered since.
        let program = Artifact::inspect(artifact).map_err(|refusal| wrong(&refusal))?.header().program;
        self.kernel.engine.load(artifact, program).map_err(|error| wrong(&error))
    }
}
