//! Operations: messages to kernel objects. Every one is 32 bytes and, for some, capabilities; every reply is 16 bytes
//! (and the text of [`Code::StartInfo`]).

use crate::{Reader, Writer};

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

/// What an operation does. The object's kind and the right it needs stand behind each; `a`, `b`, `c` are
/// [`Operation::arguments`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Code {
    /// Any object: nothing (for measuring).
    Null = 0,
    /// Any object but an endpoint: reply a = kind number (low 8 bits) and rights (bits 16 to 31), b = badge. SELF, with a not 0: the
    /// same of handle a.
    Identify = 1,

    // On a cell's own space: `Handle::SELF` only.
    /// SELF: derive a child of handle a with the same rights and badge. Reply a: the new handle.
    Copy = 16,
    /// SELF: derive a child of handle a with rights a AND b and badge c (c must be 0 to keep the badge; a badged
    /// capability cannot be badged again). Reply a: the new handle.
    Mint = 17,
    /// SELF: move handle a to a new slot (the old handle becomes stale). Reply a: the new handle.
    Move = 18,
    /// SELF: delete handle a. Its children become its parent's.
    Delete = 19,
    /// SELF: delete everything derived from handle a, everywhere. When it returns, nothing through them starts or still runs.
    /// `Deadlock`: they are gone, but a handler that runs through one waits for the caller.
    Revoke = 20,
    /// SELF: reply bytes: the start information (see `hallows-sdk`), instead of the 16 bytes.
    StartInfo = 21,
    /// SELF: end this cell with status a.
    Exit = 22,
    /// SELF: let others of the same priority run.
    Yield = 23,
    /// SELF: reply a: now, in nanoseconds of the machine's monotonic clock.
    Now = 24,
    /// SELF: reply a, b: 16 random bytes.
    Random = 25,
    /// SELF: write the text in the message's bytes after the first 32 to the machine's log (at most 1,024 bytes).
    Log = 26,
    /// SELF: for the endpoint of handle a, which the calling cell serves: what its server sees when somebody calls through this
    /// capability. Reply a: its badge. `NoRight` if another cell serves it.
    Recognise = 27,

    // On a budget: MANAGE.
    /// Budget: make an endpoint. a: 0 active, 1 passive; b: how many messages may wait in it (1 to 4,096; passive: ignored);
    /// c: handler budget in nanoseconds (passive; 0: the default). With one capability (a cell, MANAGE): that cell serves it;
    /// without: the caller does. Only a passive cell serves passive endpoints, only others active ones. Reply capability: the endpoint, all rights.
    CreateEndpoint = 32,
    /// Budget: make a notification. Reply capability.
    CreateNotification = 33,
    /// Budget: make a timer that signals the notification that comes with the message (SEND) with bits a. Reply capability.
    CreateTimer = 34,
    /// Budget: make a region of a bytes (rounded up to pages). Reply capability.
    CreateRegion = 35,
    /// Budget: make a cell, not yet started. a: memory limit in bytes; b: slots of its capability space (0: the default) and, in
    /// bits 32 to 39, its priority (0 the lowest, 7 the highest, not above the caller's); c: 1 for a passive server, or a
    /// [`TimeBudget`](crate::TimeBudget) of an active one (not a larger share than the caller's, if that has one). With
    /// capabilities: its program, and (optional) the endpoint that gets its faults (SEND). Reply capability: the cell.
    CreateCell = 36,
    /// Budget: make a child budget of a bytes out of this one. Reply capability.
    Split = 37,
    /// Budget: reply a: bytes in all, b: bytes used.
    Query = 38,

    // On an endpoint. What is sent to an endpoint goes to its server, so these go to SELF and name the endpoint by its handle.
    /// SELF: for the endpoint of handle a (WATCH): signal the notification that comes with the message (SEND): bit 0 when there is
    /// room again after `Busy`, bit 1 when the server died, bit 2 when it is running again. One watch for each capability used.
    Watch = 48,
    /// Notification, timer, region, budget, cell (MANAGE), or SELF for the endpoint of handle a (MANAGE): end the object. Everything
    /// waiting on it ends with an error.
    Destroy = 49,

    // On a notification.
    /// Notification (SEND): set the bits a.
    Signal = 64,
    /// Notification (RECEIVE): from now on the calling cell's `wait` gets its events, with badge a.
    Bind = 65,
    /// Notification (RECEIVE): take the bits that are set without waiting. Reply a: bits.
    Poll = 66,

    // On a timer (SEND).
    /// Timer: fire at time a (absolute ns), then every b ns (0: once).
    Arm = 80,
    /// Timer: do not fire.
    Disarm = 81,

    // On a region (READ, and WRITE for writing).
    /// Region: show it in the caller's memory from address a (page-aligned, inside the memory), b: 1 to write.
    Map = 96,
    /// Region: take it out of the caller's memory; zeroes stand there then.
    Unmap = 97,
    /// Region: reply a: bytes.
    Size = 98,

    // On a cell (MANAGE).
    /// Cell: put the capability that comes with the message into its space. Only before `Start`. Reply a: its handle there.
    Grant = 112,
    /// Cell: start it. Bytes after the first 32: its start information.
    Start = 113,
    /// Cell: kill it.
    Kill = 114,
    /// Cell: start it again after it ended, with the grants it first had. Reply a: the new generation.
    Restart = 115,
    /// Cell: reply a: state number, generation in bits 32 to 63; b: memory in use, bytes.
    Inspect = 116,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 36] = [
        Self::Null,
        Self::Identify,
        Self::Copy,
        Self::Mint,
        Self::Move,
        Self::Delete,
        Self::Revoke,
        Self::StartInfo,
        Self::Exit,
        Self::Yield,
        Self::Now,
        Self::Random,
        Self::Log,
        Self::Recognise,
        Self::CreateEndpoint,
        Self::CreateNotification,
        Self::CreateTimer,
        Self::CreateRegion,
        Self::CreateCell,
        Self::Split,
        Self::Query,
        Self::Watch,
        Self::Destroy,
        Self::Signal,
        Self::Bind,
        Self::Poll,
        Self::Arm,
        Self::Disarm,
        Self::Map,
        Self::Unmap,
        Self::Size,
        Self::Grant,
        Self::Start,
        Self::Kill,
        Self::Restart,
        Self::Inspect,
    ];
}

impl Code {
    /// The code of this number, if there is one.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.iter().find(|code| **code as u32 == number).copied()
    }
}

/// An operation as a message: 32 bytes, little-endian: code `u32`, zero `u32`, three `u64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What to do.
    pub code: Code,
    /// The arguments a, b and c of the code's description.
    pub arguments: [u64; 3],
}

impl Operation {
    /// Bytes of an operation in a message.
    pub const SIZE: usize = 32;

    /// Its form in a message.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer::new(&mut bytes);
        let _ = writer.u32(self.code as u32);
        let _ = writer.u32(0);
        for argument in self.arguments {
            let _ = writer.u64(argument);
        }
        bytes
    }

    /// From its form in a message: `None` if its code is unknown, or it is too short.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let code = Code::from_number(reader.u32()?)?;
        reader.u32()?;
        Some(Self { code, arguments: [reader.u64()?, reader.u64()?, reader.u64()?] })
    }
}

/// The reply to an operation: 16 bytes, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Reply {
    /// Reply a of the code's description.
    pub a: u64,
    /// Reply b.
    pub b: u64,
}

impl Reply {
    /// Bytes of a reply.
    pub const SIZE: usize = 16;

    /// Its form in a message.
    #[must_use]
    pub fn emit(&self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let mut writer = Writer::new(&mut bytes);
        let _ = writer.u64(self.a);
        let _ = writer.u64(self.b);
        bytes
    }

    /// From its form in a message; `None` if it is too short.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self { a: reader.u64()?, b: reader.u64()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Operation};

    #[test]
    fn every_code_survives_its_wire_form() {
        for code in Code::ALL {
            let operation = Operation { code, arguments: [1, u64::MAX, 3] };
            assert_eq!(Operation::parse(&operation.emit()), Some(operation));
        }
        assert_eq!(Operation::parse(&[0xff; Operation::SIZE]), None);
        assert_eq!(Operation::parse(&[0; Operation::SIZE - 1]), None);
    }
}
