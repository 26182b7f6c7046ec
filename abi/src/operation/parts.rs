//! What some operations are told in more than one word.

use crate::TimeBudget;

/// How an endpoint is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// By a thread of its server's own.
    Active {
        /// How many messages may wait, 1 to 4,096.
        queue: u16,
    },
    /// On its callers' threads.
    Passive {
        /// The longest that its handler may run for one message, in ns; `None`: the machine's default.
        handler_budget_ns: Option<u64>,
    },
}

/// On whose time a cell runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    /// On its own, of which it may have a budget: not a larger share than the caller's, if that has one.
    Active(Option<TimeBudget>),
    /// On its callers', when it has started.
    Passive,
}

/// A cell to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewCell {
    /// The most linear memory that it may have, in bytes.
    pub memory_bytes: u64,
    /// Slots of its capability space; `None`: the default.
    pub slots: Option<u32>,
    /// 0 the lowest, 7 the highest, not above the caller's.
    pub priority: u8,
    /// On whose time.
    pub running: Running,
}

/// What a cell may do with a region that it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// READ.
    Read,
    /// READ and WRITE.
    ReadWrite,
}
