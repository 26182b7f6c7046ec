//! Native programs: what the engine needs to run a program that is linked into the machine.
//!
//! A native program is trusted code from the same source as its WebAssembly form. It makes the same calls, through
//! the `hallows_native_*` functions that the engine exports, holds the same kind of handles and has the same styles.
//! Only addresses differ: they are the machine's own. Several cells may run one native program, so a reactor's state
//! is never a static: [`NativeReactor::init`] makes it, and the engine keeps the pointer for the cell's life.
//!
//! [`#[main]`](crate::main) and [`crate::server!`] put a `pub static PROGRAM: NativeProgram` into the program's crate root.

use core::fmt;

/// A program that is linked in.
#[derive(Debug)]
pub struct NativeProgram {
    /// Its name, as a system description gives it: the package's name without the leading `hallows-`.
    pub name: &'static str,
    /// How it runs.
    pub style: NativeStyle,
}

impl NativeProgram {
    /// Runs a main program on this thread, to its end: for tests. Of a server, which others call, it does nothing.
    pub fn run(&self) {
        if let NativeStyle::Main(main) = self.style {
            main();
        }
    }
}

/// The style of a native program, with its entry points.
#[derive(Clone, Copy, Debug)]
pub enum NativeStyle {
    /// Runs from start to end on the cell's thread; when it returns, the cell is done. It returns early, by itself,
    /// after a call gave it [`hallows_abi::Error::Killed`].
    Main(fn()),
    /// Exports event handlers; the engine runs the loop, or calls it as a passive server.
    Reactor(NativeReactor),
}

/// The entry points of a native reactor: the counterparts of `hallows_init`, `hallows_inbox` and `hallows_handle`.
#[derive(Clone, Copy)]
pub struct NativeReactor {
    /// Bytes of heap that `init` takes for the state and its inbox, to be charged to the cell's budget.
    pub state_bytes: usize,
    /// Makes a state, on the cell's own thread; it may use every call, and so be suspended inside. Null: it could not
    /// start, has said why in the log, and there is nothing to release.
    pub init: fn() -> *mut (),
    /// Where the state wants messages put; asked once, after `init`.
    ///
    /// Safety: the state comes from `init` and is not released; nothing else runs with it.
    pub inbox: unsafe fn(state: *mut ()) -> NativeInbox,
    /// Handles one event, with the arguments of `hallows_handle` (see `hallows_abi::HANDLE_EXPORT`). The message's bytes
    /// and handles lie in the inbox.
    ///
    /// Safety: as `inbox`; and `length` bytes and the low 8 bits of `handles` handles were put into the inbox.
    pub handle: unsafe fn(
        state: *mut (),
        kind: u32,
        badge: u64,
        token: u64,
        length: u32,
        handles: u32,
    ) -> NativeAnswer,
    /// Drops the state. It makes no calls.
    ///
    /// Safety: as `inbox`; the state is not used any more.
    pub release: unsafe fn(state: *mut ()),
}

impl NativeReactor {
    /// The entry points of a server; what [`crate::server!`] calls.
    #[cfg(not(target_arch = "wasm32"))]
    #[must_use]
    pub const fn of<S: crate::Server, const INBOX: usize, const REPLY: usize>() -> Self {
        use crate::sys;
        Self {
            state_bytes: sys::state_bytes::<S, INBOX, REPLY>(),
            init: sys::state_init::<S, INBOX, REPLY>,
            inbox: sys::state_inbox::<S, INBOX, REPLY>,
            handle: sys::state_handle::<S, INBOX, REPLY>,
            release: sys::state_release::<S, INBOX, REPLY>,
        }
    }
}

impl fmt::Debug for NativeReactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("NativeReactor")
            .field("state_bytes", &self.state_bytes)
            .finish_non_exhaustive()
    }
}

/// Where a native reactor wants messages put: [`hallows_abi::Inbox`] with the machine's addresses. Valid until the state is
/// released.
#[derive(Clone, Copy, Debug)]
pub struct NativeInbox {
    /// The buffer for message bytes.
    pub buffer: *mut u8,
    /// Its length in bytes.
    pub buffer_length: usize,
    /// The list for received handles and, when the handler returns, of the answer's [`hallows_abi::Transfer`]s in their
    /// 8-byte form: 64 bytes, aligned to 8.
    pub handles: *mut u32,
    /// How many handles it takes.
    pub handles_length: usize,
}

/// What a handler gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeAnswer {
    /// The answer. Its bytes stay where they are until the state is used again; its transfers lie in the inbox's
    /// list of handles. Of an event that is no message, it is empty and means nothing.
    Now {
        /// The answer's bytes.
        bytes: *const u8,
        /// How many.
        length: usize,
        /// How many transfers.
        transfers: usize,
    },
    /// It will answer later, with `answer` (active servers only): [`hallows_abi::DEFERRED`].
    Later,
}
