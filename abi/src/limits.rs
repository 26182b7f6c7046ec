//! The bounds of the interface. Each is part of what programs may rely on.

/// The longest message, in bytes. Long enough for any control message and small enough that one copy of it (about
/// 5 µs) stays within the shortest quantum; bulk data goes through regions.
pub const MAX_MESSAGE: u32 = 65_536;

/// The most capabilities in one message: delivery is one stretch that cannot be preempted, ~100 ns for each.
pub const MAX_TRANSFERS: u32 = 8;

/// The longest chain of protected calls. Each level holds a frame of engine and program on the caller's stack.
pub const MAX_CHAIN: u32 = 8;

/// The most bytes that the start information (arguments and grants by name) of a cell may have.
pub const MAX_START_INFO: u32 = 16_384;

/// The longest backtrace text in a fault report, in bytes.
pub const MAX_BACKTRACE: u32 = 1_024;
