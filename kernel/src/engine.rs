//! What the kernel asks of an engine: run a thread until it stops, call a passive server, move bytes.
//!
//! The kernel never sees a stack, a program's memory or an instruction. The engine never sees a queue, a capability or a
//! priority. Host calls of a program re-enter the kernel on the thread's own stack, inside of [`Engine::resume`], so the
//! kernel holds no lock and no `&mut` across `resume`, `suspend` and `activate`.

use alloc::boxed::Box;
use alloc::sync::Arc;

use hallows_abi::{FaultKind, Handle};

use crate::{CellId, Context, CoreId, Kernel, Machine, ThreadId, TransferList};

/// Runs programs. Implemented by the WebAssembly engine and by the simulated machine.
///
/// Contract: a thread is resumed by one core at a time, and never while it runs; a cell's body is entered by one thread
/// at a time (its own, or one activation); `release` comes only when no thread is inside of the cell.
pub trait Engine: Sized + Send + Sync + 'static {
    /// The machine under kernel and engine.
    type Machine: Machine;
    /// A checked program, ready to be instantiated.
    type Program: Send + Sync + 'static;
    /// A range of a program's memory that the engine has checked to lie inside. It stays valid while the call that brought it
    /// lasts, also when it is used from another core.
    type Bytes: Copy + Send + Sync + Default;

    /// The number of bytes in a range.
    fn length(&self, bytes: Self::Bytes) -> usize;
    /// Copies the front of `from` into all of `to`, which must not be longer.
    fn read(&self, from: Self::Bytes, to: &mut [u8]);
    /// Copies all of `from` to the front of `to`, which must not be shorter.
    fn write(&self, to: Self::Bytes, from: &[u8]);
    /// Takes all of `from`, of which there are at most [`crate::MAX_POST`] bytes, a word of 8 bytes at a time in the order of memory, the
    /// last place first; what is behind the end of the last one is anything.
    #[inline]
    fn read_words(&self, from: Self::Bytes, mut take: impl FnMut(usize, u64)) {
        let mut bytes = [0; crate::MAX_POST];
        if let Some(bytes) = bytes.get_mut(..self.length(from)) {
            self.read(from, bytes);
        }
        let words = self.length(from).div_ceil(8);
        for (place, word) in bytes.as_chunks().0.iter().enumerate().take(words).rev() {
            take(place, u64::from_le_bytes(*word));
        }
    }
    /// Copies `length` bytes, at most [`crate::MAX_POST`], to the front of `to`, which must not be shorter: words of 8 bytes in the order
    /// of memory.
    #[inline]
    fn write_words(&self, to: Self::Bytes, length: usize, give: impl Fn(usize) -> u64) {
        let mut bytes = [0; crate::MAX_POST];
        for (place, word) in bytes.as_chunks_mut().0.iter_mut().enumerate().take(length.div_ceil(8)) {
            *word = give(place).to_le_bytes();
        }
        self.write(to, bytes.get(..length).unwrap_or_default());
    }
    /// Copies the first `length` bytes of `from` to the front of `to`; both must have them.
    fn copy(&self, from: Self::Bytes, to: Self::Bytes, length: usize);

    /// Which style of program it is.
    fn style(&self, program: &Self::Program) -> Style;
    /// Bytes of memory that a new instance has from the start: charged to the cell's budget before `prepare`.
    fn initial_memory(&self, program: &Self::Program) -> u64;
    /// Bytes of linear memory in use by the cell now.
    fn memory_in_use(&self, cell: CellId) -> u64;

    /// Notes what a cell runs from now on. The instance is made on the cell's own thread when it is first resumed.
    fn prepare(&self, cell: CellId, program: &Arc<Self::Program>, memory_limit: u64);
    /// Drops the cell's instance, if there is one.
    fn release(&self, cell: CellId);

    /// Runs the thread until it stops. Not on a thread's stack: called by the core's loop.
    ///
    /// A thread that never ran starts the program of `cell`: a main program's main function, a reactor's init function. A
    /// reactor of `Role::Active` then takes events with [`Kernel::next_event`] and answers them, and stops as
    /// [`Stop::Idle`] when there is none; of `Role::Passive`, it stops as [`Stop::Ready`] after its init function.
    fn resume(&self, kernel: &Kernel<Self>, core: CoreId, thread: ThreadId, cell: CellId, role: Role)
    -> Stop;

    /// Stops the calling thread: `resume` returns [`Stop::Suspended`] on its core. Returns when the thread is resumed; then
    /// `context.core` is the core that resumed it.
    fn suspend(&self, context: &mut Context);

    /// Calls the handler of a passive server on the calling thread's stack: copies the request into its inbox, runs it, copies
    /// the answer into `reply`.
    fn activate(
        &self,
        kernel: &Kernel<Self>,
        context: &mut Context,
        activation: &Activation<'_, Self>,
    ) -> Result<Handled, Failure>;

    /// Shows a region in the memory of a cell from `address` (or, with no region, zeroes again). `region` is the number that
    /// [`Self::create_region`] gave.
    fn map_region(
        &self,
        cell: CellId,
        address: u64,
        bytes: u64,
        region: Option<(u64, Access)>,
    ) -> Result<(), Unmappable>;
    /// Makes page-granular shared memory of so many bytes.
    fn create_region(&self, bytes: u64) -> Result<u64, Unmappable>;
    /// Frees it; nothing maps it any more.
    fn destroy_region(&self, region: u64);
}

/// What a mapping of a region allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Loads.
    Read,
    /// Loads and stores.
    ReadWrite,
}

/// The machine could not make or map a region there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmappable {
    /// This machine has no aliased pages.
    Unsupported,
    /// The range is not page-aligned or lies outside of the cell's memory.
    BadRange,
    /// The host has no memory left.
    NoMemory,
}

/// The style of a program: DESIGN §4, "two styles of program".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Has its own loop around `wait`.
    Main,
    /// Exports event handlers; the engine runs the loop.
    Reactor,
}

/// How a cell serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// With its own thread of execution.
    Active,
    /// On its callers' threads.
    Passive,
}

/// Why a thread stopped.
#[derive(Debug)]
pub enum Stop {
    /// It called [`Engine::suspend`]; the kernel knows why.
    Suspended,
    /// An active reactor has handled what there was; its stack is empty.
    Idle,
    /// A passive reactor has run its init function and can be called.
    Ready,
    /// The program is over.
    Finished(Ended),
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why. The engine says `Killed` for a program that unwound because a kernel call returned [`hallows_abi::Error::Killed`].
    pub kind: FaultKind,
    /// The backtrace, one frame a line; empty for an orderly end.
    pub backtrace: Box<str>,
}

/// One call of a passive server's handler.
pub struct Activation<'a, E: Engine> {
    /// The cell whose handler runs.
    pub server: CellId,
    /// The badge of the capability that was called.
    pub badge: u64,
    /// The message, in the caller's memory.
    pub request: E::Bytes,
    /// The capabilities that came with it, in the server's space.
    pub handles: &'a [Handle],
    /// Where the answer goes, in the caller's memory.
    pub reply: E::Bytes,
}

/// What a passive server's handler gave back; the answer's bytes are copied already, if they fit.
#[derive(Debug)]
pub struct Handled {
    /// The answer's length in bytes; nothing was copied if it is longer than `reply`.
    pub length: usize,
    /// The answer's capabilities, named in the server's space.
    pub transfers: TransferList,
}

/// Why a handler gave nothing back.
#[derive(Debug)]
pub enum Failure {
    /// The stack has no room for it: nothing was run.
    TooDeep,
    /// The request does not fit into the server's inbox: nothing was run.
    RequestTooLong,
    /// The server's program trapped or broke the rules, or unwound because it is being killed or overran.
    Ended(Ended),
}
