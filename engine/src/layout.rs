//! The four places in wasmtime's instance and its store that the engine reads or writes, and the proof that they are where it thinks.
//!
//! Problem: wasmtime has one epoch counter for all programs, and no way to point one program's checks elsewhere; and its
//! interface finds a memory's length by several lookups. A check calls back where the word that it reads is not zero (`compiler/patch`), and the
//! counter never is: an instance whose checks were not pointed elsewhere calls back at each of them. Both words lie in the instance's context, which machine
//! code addresses by constant offsets. Rule: the offsets are checked, by what wasmtime itself then does, with the first
//! instance ([`Layout::prove`]), and each instance is checked against what was found, before anything is written there or any of its exports
//! runs. Not sooner: an instance runs its program's start function, which may only happen in its cell. Consequence: with another
//! layout the engine runs nothing, and every cell ends with an error that says so.
//!
//! The fourth is the stack's limit. wasmtime sets it at an entry from its configuration, to one distance for all programs, unless one is set already: then it
//! takes the entry for one from within, and leaves it. So a program that may use more of its stack gets its limit before it is entered
//! ([`Places::limit_stack`]).
//!
//! Layout: `wasmtime_environ::VMOffsets`, `VMStoreContext` and `VMFuncRef` of wasmtime 48.0.8.

use core::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use wasmtime::{AsContextMut, Engine, Func, Memory};

/// Where a function's reference has the pointer to its instance's context.
const FUNCTION_CONTEXT: usize = 24;
/// Where the context has its mark.
const CONTEXT_MARK: usize = 0;
/// The mark of an instance's context.
const MARK: u32 = u32::from_le_bytes(*b"core");
/// Where the context points to its store's.
const CONTEXT_STORE: usize = 8;
/// Where the store's context has the limit of the stack.
const STORE_STACK_LIMIT: usize = 24;
/// What stands there while nothing of the store runs.
const NO_LIMIT: usize = usize::MAX;
/// Where the context points to the epoch counter.
const CONTEXT_EPOCH: usize = 24;
/// Where the context points to the definition of its first own memory.
const CONTEXT_MEMORY: usize = 48;
/// What the engine's counter holds after [`call_back_at_every_check`]; it is counted up from zero once.
const EVERY_CHECK: u64 = 1;

/// A linear memory as machine code sees it: `wasmtime::runtime::vm::VMMemoryDefinition`.
#[derive(Debug)]
#[repr(C)]
pub struct MemoryDefinition {
    /// Where it starts. Never moves, as memories are in slots.
    pub base: *mut u8,
    /// Its length in bytes; grows with `memory.grow`.
    length: AtomicUsize,
}

impl MemoryDefinition {
    /// Its length in bytes now.
    #[inline(always)]
    pub fn length(&self) -> usize {
        // Relaxed: it grows on the thread that runs the program, before a switch that orders it, or before another thread of the program tells.
        self.length.load(Ordering::Relaxed)
    }

    /// Another instance has grown the memory that this one shares.
    pub fn has_grown_to(&self, bytes: usize) {
        // Relaxed: the instance's thread learns of what lies there by other means, which order this before.
        self.length.store(bytes, Ordering::Relaxed);
    }
}

/// For programs without a memory. Not a `static` of `MemoryDefinition`, which is not `Sync`.
struct NoMemory(MemoryDefinition);
// SAFETY: nothing changes it, and no byte is reached through a base with length 0.
unsafe impl Sync for NoMemory {}
static NO_MEMORY: NoMemory =
    NoMemory(MemoryDefinition { base: core::ptr::dangling_mut(), length: AtomicUsize::new(0) });

/// wasmtime's instances are not laid out as this engine knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherLayout;

impl core::fmt::Display for OtherLayout {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(
            "wasmtime lays instances out otherwise than this engine knows; build with wasmtime 48.0.8",
        )
    }
}

/// What was found about wasmtime's layout.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// The address of the engine's own epoch counter.
    epoch_counter: usize,
}

/// The places in one instance. Valid as long as its store.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    epoch: *const AtomicPtr<AtomicU64>,
    memory: *const MemoryDefinition,
    stack_limit: *const AtomicUsize,
}

/// Where an instance that keeps calling back at every check believes its epoch's place.
static NOWHERE: AtomicPtr<AtomicU64> = AtomicPtr::new(core::ptr::null_mut());

/// Makes every check of every instance call back, until [`Places::watch`] lets an instance's read another word.
pub fn call_back_at_every_check(engine: &Engine) {
    engine.increment_epoch();
}

impl Layout {
    /// Proves the layout with an instance, by a function that it exports: the word at the epoch's place points to a
    /// counter that counts when the engine is told to count.
    pub fn prove(engine: &Engine, store: impl AsContextMut, function: Func) -> Result<Self, OtherLayout> {
        let context = context(store, function).ok_or(OtherLayout)?;
        // SAFETY: `context` found the mark of an instance's context, which has this word.
        let address = unsafe { context.byte_add(CONTEXT_EPOCH).cast::<*const AtomicU64>().read() };
        if address.is_null() || !address.is_aligned() {
            return Err(OtherLayout);
        }
        // SAFETY: in the only layout that has been seen it is the engine's counter. In another it would be another pointer of the
        // context's, all of which point to memory that can be read.
        let counter = unsafe { &*address };
        let before = counter.load(Ordering::SeqCst);
        engine.increment_epoch();
        if before != EVERY_CHECK || counter.load(Ordering::SeqCst) != before + 1 {
            return Err(OtherLayout);
        }
        // Back: only one value says that the counter is the one that was set at the engine's making.
        counter.store(before, Ordering::SeqCst);
        Ok(Self { epoch_counter: address as usize })
    }

    /// The places of an instance, from a function that it exports and the memory that it exports.
    pub fn places(
        self,
        mut store: impl AsContextMut,
        function: Func,
        memory: Option<Memory>,
    ) -> Result<Places, OtherLayout> {
        let context = context(store.as_context_mut(), function).ok_or(OtherLayout)?;
        // SAFETY: `context` found the mark of an instance's context, which has these words.
        let (epoch, definition) = unsafe {
            (
                context.byte_add(CONTEXT_EPOCH).cast::<AtomicPtr<AtomicU64>>(),
                context.byte_add(CONTEXT_MEMORY).cast::<*const MemoryDefinition>(),
            )
        };
        // SAFETY: as above. Relaxed: only this thread uses the instance.
        if unsafe { &*epoch }.load(Ordering::Relaxed) as usize != self.epoch_counter {
            return Err(OtherLayout);
        }
        // SAFETY: as above: the context points to its store's, which has these words.
        let stack_limit = unsafe {
            let store = context.byte_add(CONTEXT_STORE).cast::<*const u8>().read();
            store.byte_add(STORE_STACK_LIMIT).cast::<AtomicUsize>()
        };
        // SAFETY: as above.
        if unsafe { &*stack_limit }.load(Ordering::Relaxed) != NO_LIMIT {
            return Err(OtherLayout);
        }
        let Some(memory) = memory else {
            return Ok(Places { epoch, memory: &raw const NO_MEMORY.0, stack_limit });
        };
        // SAFETY: as above; an instance with a memory of its own has a pointer there.
        let definition = unsafe { definition.read() };
        // Own memories are defined in the context itself, right behind the pointers to them.
        if definition as usize != context as usize + CONTEXT_MEMORY + size_of::<usize>() {
            return Err(OtherLayout);
        }
        // SAFETY: the definition lies in the context.
        let seen = unsafe { &*definition };
        if seen.base != memory.data_ptr(&store) || seen.length() != memory.data_size(&store) {
            return Err(OtherLayout);
        }
        Ok(Places { epoch, memory: definition, stack_limit })
    }
}

impl Places {
    /// Lets the instance's checks read another word.
    ///
    /// # Safety
    ///
    /// The instance's store is alive and this thread's to use; `word` lives until another one is set.
    #[inline(always)]
    pub unsafe fn watch(&self, word: *const AtomicU64) {
        // SAFETY: the place lies in the context of a live store, or is a static. Relaxed: only machine code of that store reads it, on
        // this thread.
        unsafe { &*self.epoch }.store(word.cast_mut(), Ordering::Relaxed);
    }

    /// Lets what the store runs from now on use the stack down to this address, whatever wasmtime is configured to, until it is over.
    ///
    /// # Safety
    ///
    /// The instance's store is alive and this thread's to use; nothing of it runs. The stack that it is entered on goes on below the address,
    /// as far as calls out of it need.
    pub unsafe fn limit_stack(&self, limit: usize) {
        // SAFETY: the place lies in the context of a live store. Relaxed: only code of that store reads it, on this thread.
        unsafe { &*self.stack_limit }.store(limit, Ordering::Relaxed);
    }

    /// The same, for an instance that goes on calling back at every check whatever it is let watch: a test mode.
    pub fn deaf(self) -> Self {
        Self { epoch: &raw const NOWHERE, ..self }
    }

    /// The instance's memory.
    pub fn memory(&self) -> *const MemoryDefinition {
        self.memory
    }
}

/// The context of the instance that a function belongs to, if it has the mark.
fn context(store: impl AsContextMut, function: Func) -> Option<*mut u8> {
    let reference = function.to_raw(store).cast::<u8>();
    // SAFETY: `to_raw` gives the address of the function's reference, which has four words.
    let context = unsafe { reference.byte_add(FUNCTION_CONTEXT).cast::<*mut u8>().read() };
    if context.is_null() || !context.is_aligned_to_word() {
        return None;
    }
    // SAFETY: whatever kind of context it is, it begins with a mark.
    let mark = unsafe { context.byte_add(CONTEXT_MARK).cast::<u32>().read() };
    (mark == MARK).then_some(context)
}

/// Alignment to a machine word.
trait WordAligned {
    fn is_aligned_to_word(&self) -> bool;
}

impl WordAligned for *mut u8 {
    fn is_aligned_to_word(&self) -> bool {
        self.addr().is_multiple_of(size_of::<usize>())
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Config, Store};

    use super::*;

    #[test]
    fn what_is_no_instance_is_taken_for_another_layout() {
        crate::platform::bare::install();
        let mut config = Config::new();
        config.epoch_interruption(true);
        let engine = Engine::new(&config).unwrap();
        let mut store = Store::new(&engine, ());
        // A function of the host's has a context of another kind.
        let function = Func::wrap(&mut store, || 1);
        assert_eq!(Layout::prove(&engine, &mut store, function).err(), Some(OtherLayout));
        // And to an instance whose counter is elsewhere nothing is done.
        let layout = Layout { epoch_counter: 16 };
        assert_eq!(layout.places(&mut store, function, None).err(), Some(OtherLayout));
    }
}
