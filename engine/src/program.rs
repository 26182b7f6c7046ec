//! Programs: artefacts that were checked and loaded, ready to be instantiated; or native ones.

use alloc::string::{String, ToString};
use alloc::sync::Arc;

use hallows_abi::{
    HANDLE_EXPORT, INBOX_EXPORT, INIT_EXPORT, MAIN_EXPORT, STACK_POINTER_EXPORT, THREAD_EXPORT,
};
use hallows_artifact::{Artifact, Digest, Refusal};
use hallows_kernel::{Machine, Style};
#[cfg(feature = "wasi")]
use hallows_wasi::START_EXPORT;
use wasmtime::{ExternType, InstancePre, Module, ModuleExport, Mutability, ValType};

use crate::WasmEngine;
use crate::ahead::{self, Shelf};
use crate::platform::PAGE_BYTES;
use crate::resident::{ELEMENT_BYTES, Resident};
use crate::slots::{SLOTS, Stock};
use crate::stacks::{LARGEST_STACK_BYTES, WASM_STACK_BYTES};

/// Bytes of a page of WebAssembly.
const WASM_PAGE_BYTES: u64 = 65_536;

/// Bytes that an instance keeps of a function that it imports, or that can be referred to, at most: wasmtime's records are four words.
const FUNCTION_BYTES: u64 = 4 * size_of::<usize>() as u64;

/// The name under which the normalising pass exports the memory, whatever the program itself exports.
pub(crate) const MEMORY_EXPORT: &str = "hallows:memory";

/// The entry that programs of WASI have, where there is WASI.
const OR_START: &str = if cfg!(feature = "wasi") { ", or, as a program of WASI, `_start`" } else { "" };

/// Why a program was not loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// Not an artefact of ours, or not of this program and machine: compile it again.
    Refused(Refusal),
    /// wasmtime does not take the artefact, for this reason.
    Incompatible(String),
    /// It imports what no machine offers, or not as it is offered; wasmtime's words.
    Imports(String),
    /// It exports neither `hallows_main`, nor `hallows_handle` and `hallows_inbox`, nor (with WASI) `_start`.
    NoEntry,
    /// The export of this name is not of the type that the engine calls.
    ExportType(&'static str),
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Refused(refusal) => write!(formatter, "{refusal}; compile the program again"),
            Self::Incompatible(reason) => {
                write!(formatter, "the engine does not take the artefact: {reason}")
            }
            Self::Imports(reason) => {
                write!(formatter, "the program needs what this machine does not offer: {reason}")
            }
            Self::NoEntry => write!(
                formatter,
                "the program exports no entry: export `{MAIN_EXPORT}`, or `{HANDLE_EXPORT}` and `{INBOX_EXPORT}`{OR_START}"
            ),
            Self::ExportType(name) => {
                write!(formatter, "the export `{name}` has another type than the engine calls")
            }
        }
    }
}

impl core::error::Error for LoadError {}

/// A program, ready to be instantiated.
pub struct Program<M: Machine>(pub(crate) Kind<M>);

#[cfg_attr(
    feature = "native",
    expect(
        clippy::large_enum_variant,
        reason = "it lives in an `Arc`, and nearly every program is the large one"
    )
)]
pub(crate) enum Kind<M: Machine> {
    Wasm(WasmProgram<M>),
    #[cfg(feature = "native")]
    Native(&'static hallows_sdk::native::NativeProgram),
}

/// A WebAssembly program.
pub(crate) struct WasmProgram<M: Machine> {
    pub instance: InstancePre<Resident<M>>,
    pub entry: Entry,
    pub memory: Option<ModuleExport>,
    /// Slots that its memory may start in; without a memory, none.
    pub stock: Option<Arc<Stock>>,
    /// Bytes of memory and tables that an instance starts with.
    pub initial: u64,
    /// Bytes that an instance takes of the host beside its memory.
    pub instance_bytes: u64,
    /// How many memories and tables those are.
    pub memories: u32,
    pub tables: u32,
    /// What it may use of a stack, in bytes.
    pub stack_bytes: usize,
    /// Several threads can use its memory at a time.
    pub shares_memory: bool,
    /// What its further threads are started by, if it can have any.
    pub threads: Option<ThreadExports>,
    /// Instances made ahead; none of a program whose making runs its code.
    pub shelf: Option<Shelf<M>>,
}

/// What a further thread is started by.
pub(crate) struct ThreadExports {
    /// Its function: [`THREAD_EXPORT`].
    pub function: ModuleExport,
    /// Where its stack is: [`STACK_POINTER_EXPORT`].
    pub stack_pointer: ModuleExport,
}

/// The exports that the engine calls.
pub(crate) enum Entry {
    Main(ModuleExport),
    Reactor { init: Option<ModuleExport>, inbox: ModuleExport, handle: ModuleExport },
}

impl<M: Machine> Program<M> {
    /// A program that is linked into the machine.
    #[cfg(feature = "native")]
    pub fn native(program: &'static hallows_sdk::native::NativeProgram) -> Arc<Self> {
        Arc::new(Self(Kind::Native(program)))
    }

    /// Which style of program it is.
    #[must_use]
    pub fn style(&self) -> Style {
        match &self.0 {
            Kind::Wasm(WasmProgram { entry: Entry::Main(_), .. }) => Style::Main,
            Kind::Wasm(WasmProgram { entry: Entry::Reactor { .. }, .. }) => Style::Reactor,
            #[cfg(feature = "native")]
            Kind::Native(program) => crate::native::style(program),
        }
    }

    /// What it may use of a stack at one entry, in bytes.
    pub(crate) fn stack_bytes(&self) -> usize {
        match &self.0 {
            Kind::Wasm(program) => program.stack_bytes,
            #[cfg(feature = "native")]
            Kind::Native(_) => WASM_STACK_BYTES,
        }
    }

    /// Bytes that a new instance has from the start.
    #[must_use]
    pub fn initial_memory(&self) -> u64 {
        match &self.0 {
            Kind::Wasm(program) => program.initial,
            #[cfg(feature = "native")]
            Kind::Native(program) => crate::native::initial_memory(program),
        }
    }
}

impl<M: Machine> WasmEngine<M> {
    /// Loads a program from its artefact: verifies it, maps its code, and looks at what it imports and exports. Not for a
    /// program's core: it allocates, maps and hashes.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub fn load(&self, artifact: &[u8], program: Digest) -> Result<Arc<Program<M>>, LoadError> {
        self.load_with_stack(artifact, program, 0)
    }

    /// The same for a main program that may use so many bytes of its stack, within [`LARGEST_STACK_BYTES`]; 0: what all programs may.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    pub fn load_with_stack(
        &self,
        artifact: &[u8],
        program: Digest,
        stack_bytes: usize,
    ) -> Result<Arc<Program<M>>, LoadError> {
        let artifact = self.open(artifact, program)?;
        // SAFETY: the artefact carries the seal of our own compiler, unaltered.
        let module = unsafe { Module::deserialize(&self.wasmtime, artifact.code()) };
        self.prepare(&artifact, module, stack_bytes)
    }

    /// The same for an artefact that stays where it is for good, in pages of its own that nobody writes to: its code is run there, without a
    /// copy. (One that does not begin with a page is copied.) A main program may use so many bytes of its stack, within
    /// [`LARGEST_STACK_BYTES`]; 0: what all programs may.
    ///
    /// # Errors
    ///
    /// [`LoadError`].
    ///
    /// # Safety
    ///
    /// The artefact lies in a private mapping of the caller's, of which it has all pages that it touches, and nobody changes their protection
    /// but the engine. Somebody who has the key that it is sealed with has verified it as it lies there: that is not done again.
    pub unsafe fn load_in_place(
        &self,
        artifact: &'static [u8],
        program: Digest,
        stack_bytes: usize,
    ) -> Result<Arc<Program<M>>, LoadError> {
        let is_in_place = artifact.as_ptr().addr().is_multiple_of(PAGE_BYTES);
        let (key, settings) = (&self.configuration.seal_key, &self.configuration.settings);
        let artifact = Artifact::open_again(artifact, key, program, settings).map_err(LoadError::Refused)?;
        let code = artifact.code();
        // SAFETY: the artefact carries the seal of our own compiler, and is unaltered, as the caller promises; it lies there for good, whole pages
        // of it.
        let module = unsafe {
            if is_in_place {
                Module::deserialize_raw(&self.wasmtime, code.into())
            } else {
                Module::deserialize(&self.wasmtime, code)
            }
        };
        self.prepare(&artifact, module, stack_bytes)
    }

    /// Verifies an artefact.
    fn open<'a>(&self, artifact: &'a [u8], program: Digest) -> Result<Artifact<'a>, LoadError> {
        Artifact::open(artifact, &self.configuration.seal_key, program, &self.configuration.settings)
            .map_err(LoadError::Refused)
    }

    /// Looks at what a module imports and exports.
    fn prepare(
        &self,
        artifact: &Artifact<'_>,
        module: wasmtime::Result<Module>,
        stack_bytes: usize,
    ) -> Result<Arc<Program<M>>, LoadError> {
        let module = module.map_err(|error| LoadError::Incompatible(reason(&error)))?;
        let entry = entry(&module)?;
        let instance =
            self.linker.instantiate_pre(&module).map_err(|error| LoadError::Imports(reason(&error)))?;
        let resources = module.resources_required();
        let memory_bytes = resources.max_initial_memory_size.unwrap_or(0).saturating_mul(WASM_PAGE_BYTES);
        let tables = u64::from(resources.num_tables) * resources.max_initial_table_size.unwrap_or(0);
        let table_bytes = tables.saturating_mul(ELEMENT_BYTES);
        let initial = memory_bytes.saturating_add(table_bytes);
        // An import may be referred to as well.
        let functions = module.functions().len() + 2 * module.imports().len();
        // Globals and function references take no more than the code that they belong to.
        let held = initial.saturating_add(artifact.code().len() as u64);
        let stock = usize::try_from(memory_bytes).ok().filter(|_| resources.num_memories > 0);
        let shares_memory =
            artifact.metadata().memory.as_ref().is_some_and(|memory| memory.shared && !memory.imported);
        let threads = if shares_memory { thread_exports(&module)? } else { None };
        let is_main = matches!(entry, Entry::Main(_));
        let stack_bytes = match stack_bytes {
            bytes @ 1.. if is_main => bytes.min(LARGEST_STACK_BYTES),
            _ => WASM_STACK_BYTES,
        };
        let program = WasmProgram {
            instance,
            entry,
            stack_bytes,
            memory: module.get_export_index(MEMORY_EXPORT),
            stock: stock.map(|bytes| SLOTS.stock(bytes)),
            initial,
            instance_bytes: table_bytes.saturating_add(functions as u64 * FUNCTION_BYTES),
            memories: resources.num_memories,
            tables: resources.num_tables,
            shares_memory,
            threads,
            shelf: (!artifact.metadata().has_start && !shares_memory)
                .then(|| Shelf::new(usize::try_from(held).unwrap_or(usize::MAX), self.configuration.chaos)),
        };
        let program = Arc::new(Program(Kind::Wasm(program)));
        ahead::register(&program);
        Ok(program)
    }
}

/// An error and its causes in one line.
fn reason(error: &wasmtime::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause.to_string());
    }
    text
}

/// Finds the exports that the engine calls and checks their types.
fn entry(module: &Module) -> Result<Entry, LoadError> {
    use ValType::{I32, I64};
    if module.get_export(MAIN_EXPORT).is_some() {
        return Ok(Entry::Main(function(module, MAIN_EXPORT, &[], &[])?));
    }
    if module.get_export(HANDLE_EXPORT).is_none() || module.get_export(INBOX_EXPORT).is_none() {
        #[cfg(feature = "wasi")]
        if module.get_export(START_EXPORT).is_some() {
            return Ok(Entry::Main(function(module, START_EXPORT, &[], &[])?));
        }
        return Err(LoadError::NoEntry);
    }
    let init = match module.get_export(INIT_EXPORT) {
        Some(_) => Some(function(module, INIT_EXPORT, &[], &[])?),
        None => None,
    };
    let inbox = function(module, INBOX_EXPORT, &[], &[I32])?;
    let handle = function(module, HANDLE_EXPORT, &[I32, I64, I64, I32, I32], &[I64])?;
    Ok(Entry::Reactor { init, inbox, handle })
}

/// Finds what further threads are started by: nothing of a program that has none.
fn thread_exports(module: &Module) -> Result<Option<ThreadExports>, LoadError> {
    if module.get_export(THREAD_EXPORT).is_none() {
        return Ok(None);
    }
    let function = function(module, THREAD_EXPORT, &[ValType::I32], &[])?;
    let is_pointer = matches!(module.get_export(STACK_POINTER_EXPORT), Some(ExternType::Global(global))
        if matches!(global.content(), ValType::I32) && global.mutability() == Mutability::Var);
    let stack_pointer = module.get_export_index(STACK_POINTER_EXPORT).filter(|_| is_pointer);
    let stack_pointer = stack_pointer.ok_or(LoadError::ExportType(STACK_POINTER_EXPORT))?;
    Ok(Some(ThreadExports { function, stack_pointer }))
}

/// The export of a function with exactly these parameters and results.
fn function(
    module: &Module,
    name: &'static str,
    parameters: &[ValType],
    results: &[ValType],
) -> Result<ModuleExport, LoadError> {
    let Some(ExternType::Func(found)) = module.get_export(name) else {
        return Err(LoadError::ExportType(name));
    };
    let same = |types: &mut dyn ExactSizeIterator<Item = ValType>, expected: &[ValType]| {
        types.len() == expected.len()
            && types.zip(expected).all(|(found, expected)| ValType::eq(&found, expected))
    };
    if !same(&mut found.params(), parameters) || !same(&mut found.results(), results) {
        return Err(LoadError::ExportType(name));
    }
    module.get_export_index(name).ok_or(LoadError::ExportType(name))
}
