//! What capabilities name.

/// What a capability names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// A place to send messages to, served by one cell.
    Endpoint = 1,
    /// A set of 64 bits that a cell can be told of.
    Notification = 2,
    /// Signals a notification at a time.
    Timer = 3,
    /// An amount of memory that objects and cells are made from.
    Budget = 4,
    /// Page-granular memory that cells can share.
    Region = 5,
    /// A program in execution, and its capability space.
    Cell = 6,
    /// A program that can be started.
    Program = 7,
}

impl ObjectKind {
    /// Every kind, in the order of their numbers and of the interface's cases.
    pub const ALL: [Self; 7] = [
        Self::Endpoint,
        Self::Notification,
        Self::Timer,
        Self::Budget,
        Self::Region,
        Self::Cell,
        Self::Program,
    ];
}
