//! The engine as the kernel sees it.

use core::sync::atomic::{AtomicUsize, Ordering};

use alloc::sync::Arc;

use hallows_artifact::{SealKey, Settings};
use hallows_kernel::{
    Access, Activation, CellId, Context, CoreId, Engine, Failure, Handled, Kernel, Machine, Role, Stop,
    Style, ThreadId, Unmappable,
};
use spin::Mutex;
use wasmtime::{AsContextMut, Func, Linker};

use crate::bytes::Bytes;
use crate::cells::{Cells, Plan};
use crate::layout::{Layout, OtherLayout, call_back_at_every_check};
use crate::platform::{NoMemory, is_installed, platform};
use crate::program::Program;
use crate::resident::Resident;
use crate::slots::SLOTS;
use crate::stacks::STACKS;
use crate::threads::Threads;
use crate::{calls, finished, regions, run, settings, thread_calls};

/// What an engine is made for.
#[derive(Clone, Debug)]
pub struct EngineConfiguration {
    /// Cells of the kernel, each with one thread of execution.
    pub cells: u32,
    /// Cores of the kernel.
    pub cores: u32,
    /// Every check calls the kernel back: a test mode.
    pub chaos: bool,
    /// What programs are compiled with; [`crate::machine_settings`] but for tests.
    pub settings: Settings,
    /// What artefacts must be sealed with.
    pub seal_key: SealKey,
}

/// Why there is no engine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EngineError {
    /// [`crate::install`] was not called.
    NoPlatform,
    /// The settings ask for another address space than the engine's.
    OtherReservation,
    /// The machine gives no address space.
    NoAddressSpace,
    /// wasmtime does not accept the settings, for this reason.
    Settings(alloc::string::String),
}

impl core::fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoPlatform => {
                formatter.write_str("the machine registered no platform before it made its engine")
            }
            Self::OtherReservation => formatter
                .write_str("the settings reserve other address ranges than the engine's memories have"),
            Self::NoAddressSpace => formatter.write_str(
                "the host gives no address space for memories (66 TiB, none of it used); lift `ulimit -v`",
            ),
            Self::Settings(reason) => write!(formatter, "wasmtime does not take these settings: {reason}"),
        }
    }
}

impl core::error::Error for EngineError {}

impl From<NoMemory> for EngineError {
    fn from(NoMemory: NoMemory) -> Self {
        Self::NoAddressSpace
    }
}

/// Runs WebAssembly programs (and native ones) as kernel threads.
///
/// The kernel that it is part of must not move from the first [`Engine::resume`] on: suspended fibers hold its address. The
/// engine ends the process if it did.
pub struct WasmEngine<M: Machine> {
    pub(crate) configuration: EngineConfiguration,
    pub(crate) wasmtime: wasmtime::Engine,
    pub(crate) linker: Linker<Resident<M>>,
    pub(crate) cells: Cells<M>,
    threads: Threads<M>,
    /// Threads of native programs that wait by a word.
    #[cfg(feature = "native")]
    pub(crate) native_sleepers: crate::sleepers::Sleepers,
    layout: Mutex<Option<Layout>>,
    /// Where the kernel was when it first resumed a thread.
    home: AtomicUsize,
}

impl<M: Machine> WasmEngine<M> {
    /// An engine without programs.
    ///
    /// # Errors
    ///
    /// [`EngineError`].
    pub fn new(configuration: EngineConfiguration) -> Result<Self, EngineError> {
        if !is_installed() {
            return Err(EngineError::NoPlatform);
        }
        if !settings::fits_slots(&configuration.settings) {
            return Err(EngineError::OtherReservation);
        }
        SLOTS.reserve()?;
        STACKS.reserve()?;
        finished::reserve();
        let refused = |error: wasmtime::Error| EngineError::Settings(alloc::format!("{error}"));
        let wasmtime = wasmtime::Engine::new(&settings::config(&configuration.settings)).map_err(refused)?;
        call_back_at_every_check(&wasmtime);
        let mut linker = Linker::new(&wasmtime);
        calls::define(&mut linker).map_err(refused)?;
        thread_calls::define(&mut linker).map_err(refused)?;
        #[cfg(feature = "wasi")]
        crate::wasi::define(&mut linker).map_err(refused)?;
        Ok(Self {
            cells: Cells::new(configuration.cells),
            threads: Threads::new(configuration.cells, configuration.cores),
            #[cfg(feature = "native")]
            native_sleepers: crate::sleepers::Sleepers::new(),
            layout: Mutex::new(None),
            home: AtomicUsize::new(0),
            configuration,
            wasmtime,
            linker,
        })
    }

    /// wasmtime's layout, proven with this instance if it was not before.
    pub(crate) fn layout(&self, store: impl AsContextMut, function: Func) -> Result<Layout, OtherLayout> {
        let mut layout = self.layout.lock();
        if let Some(layout) = *layout {
            return Ok(layout);
        }
        let proven = Layout::prove(&self.wasmtime, store, function)?;
        *layout = Some(proven);
        Ok(proven)
    }

    /// Checks that the kernel is where it was.
    #[inline(always)]
    fn check_home(&self, kernel: &Kernel<Self>) {
        let address = &raw const *kernel as usize;
        // Relaxed: only a value that never changes again is of interest.
        let home = self.home.load(Ordering::Relaxed);
        if home != address {
            self.settle(home, address);
        }
    }

    #[cold]
    fn settle(&self, home: usize, address: usize) {
        assert!(
            home == 0,
            "the kernel was moved after it ran a program: keep it in one place (a Box, an Arc, a static)"
        );
        self.home.store(address, Ordering::Relaxed);
    }
}

impl<M: Machine> Engine for WasmEngine<M> {
    type Machine = M;
    type Program = Program<M>;
    type Bytes = Bytes;

    #[inline]
    fn length(&self, bytes: Bytes) -> usize {
        bytes.length()
    }

    #[inline]
    fn read(&self, from: Bytes, to: &mut [u8]) {
        from.read(to);
    }

    #[inline]
    fn write(&self, to: Bytes, from: &[u8]) {
        to.write(from);
    }

    #[inline]
    fn read_words(&self, from: Bytes, take: impl FnMut(usize, u64)) {
        from.read_words(take);
    }

    #[inline]
    fn write_words(&self, to: Bytes, length: usize, give: impl Fn(usize) -> u64) {
        to.write_words(length, give);
    }

    #[inline]
    fn copy(&self, from: Bytes, to: Bytes, length: usize) {
        from.copy_to(to, length);
    }

    fn style(&self, program: &Program<M>) -> Style {
        program.style()
    }

    fn initial_memory(&self, program: &Program<M>) -> u64 {
        program.initial_memory()
    }

    fn memory_in_use(&self, cell: CellId) -> u64 {
        // Relaxed: only shown.
        self.cells.entry(cell).in_use().load(Ordering::Relaxed)
    }

    fn prepare(&self, cell: CellId, program: &Arc<Program<M>>, memory_limit: u64) {
        self.cells.entry(cell).prepare(Plan::Program { program: program.clone(), limit: memory_limit });
    }

    fn release(&self, cell: CellId) {
        // SAFETY: the kernel releases a cell only when no thread is inside.
        unsafe { self.cells.entry(cell).release() };
    }

    #[inline]
    fn resume(
        &self,
        kernel: &Kernel<Self>,
        core: CoreId,
        thread: ThreadId,
        cell: CellId,
        role: Role,
    ) -> Stop {
        self.check_home(kernel);
        self.threads.resume(self, kernel, core, thread, cell, role)
    }

    #[inline]
    fn suspend(&self, context: &mut Context) {
        self.threads.suspend(context);
    }

    #[inline]
    fn activate(
        &self,
        kernel: &Kernel<Self>,
        context: &mut Context,
        activation: &Activation<'_, Self>,
    ) -> Result<Handled, Failure> {
        run::activate(self, kernel, context, activation)
    }

    fn map_region(
        &self,
        cell: CellId,
        address: u64,
        bytes: u64,
        region: Option<(u64, Access)>,
    ) -> Result<(), Unmappable> {
        regions::map(self, cell, address, bytes, region)
    }

    fn create_region(&self, bytes: u64) -> Result<u64, Unmappable> {
        regions::create(bytes)
    }

    fn destroy_region(&self, region: u64) {
        platform().destroy_object(region);
    }
}
