//! Newtypes for everything that is counted, so that a core is never taken for a cell.

use crate::lock::{Token, level};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// Its place in a table.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

id! {
    /// A core of the machine, counted from 0 whatever the host calls it.
    CoreId
}
id! {
    /// A thread of execution: its place in the kernel's table of threads.
    ThreadId
}
id! {
    /// A cell: its place in the kernel's table of cells.
    CellId
}

/// Nanoseconds of the machine's monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[repr(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// Never.
    pub const NEVER: Self = Self(hallows_abi::NO_DEADLINE);

    /// So many nanoseconds later; never wraps.
    #[must_use]
    pub const fn after(self, nanoseconds: u64) -> Self {
        Self(self.0.saturating_add(nanoseconds))
    }
}

/// Who is in the kernel: the thread that calls and the core it is on now. A suspension may change the core.
#[derive(Debug)]
pub struct Context {
    /// Where the thread runs now.
    pub core: CoreId,
    /// The thread whose stack this is, also while it runs a passive server's handler.
    pub thread: ThreadId,
    /// No lock is held: borrowed by every lock, so that no suspension compiles under one.
    pub(crate) token: Token<'static, { level::NONE }>,
}

impl Context {
    /// For the engine, at a program's way into the kernel.
    #[must_use]
    pub const fn new(core: CoreId, thread: ThreadId) -> Self {
        Self { core, thread, token: Token::at_entry() }
    }
}
