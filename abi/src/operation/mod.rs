//! Operations: what kernel objects are asked. Each is a function of an interface in `wit/kernel`, and stands in a message as
//! `docs/interfaces.md` has it; there is nothing that a program can only say to the kernel by another way.
//!
//! The types here are those of the interfaces, a kind of object each. Capabilities travel beside the bytes: a message has exactly
//! [`Operation::capabilities`], and its answer what [`Operation::answer`] says. The kernel looks at those that come with a message, with the rights
//! that the caller has, and takes none of them.

mod answer;
mod form;
#[rustfmt::skip]
mod function;
mod kind;
mod parts;
mod words;

pub use answer::{Account, AnswerForm, CellState, Identity, Inspection, Reply};
pub use form::Emitted;
pub use function::{Function, INTERFACES};
pub use kind::ObjectKind;
pub use parts::{Access, NewCell, Running, Serving};

use crate::{Handle, Rights};

/// What an object is asked. The right that it needs stands behind each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Of any object but an endpoint.
    Object(OnObject),
    /// Of `SELF`: the caller's own capability space, and the caller.
    Space(OnSpace),
    /// Of `SELF`, about an endpoint: messages to the endpoint itself go to its server.
    Endpoint(OnEndpoint),
    /// Of a budget.
    Budget(OnBudget),
    /// Of a notification.
    Notification(OnNotification),
    /// Of a timer.
    Timer(OnTimer),
    /// Of a region.
    Region(OnRegion),
    /// Of a cell of somebody else.
    Cell(OnCell),
}

/// Interface `object`: of any object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnObject {
    /// Nothing (for measuring). Any rights.
    Null,
    /// What this capability is: [`Reply::Identity`]. Any rights.
    Identify,
    /// End the object. Everything waiting on it ends with an error. MANAGE.
    Destroy,
}

/// Interface `space`: of the caller's own capability space, and of the caller. No rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSpace {
    /// Derive a child with the same rights and badge: [`Reply::Handle`].
    Copy {
        /// Of which capability.
        what: Handle,
    },
    /// Derive a child: [`Reply::Handle`].
    Mint {
        /// Of which capability.
        what: Handle,
        /// The rights that it has at most.
        rights: Rights,
        /// Its badge; 0 keeps the original's. A badged capability cannot be badged again.
        badge: u64,
    },
    /// Move it to a new slot (the old handle becomes stale): [`Reply::Handle`].
    Move {
        /// Which capability.
        what: Handle,
    },
    /// Delete it. Its children become its parent's.
    Delete {
        /// Which capability.
        what: Handle,
    },
    /// Delete everything derived from it, everywhere; how many: [`Reply::Number`]. When it returns, nothing through them starts or still runs.
    /// `Deadlock`: they are gone, but a handler that runs through one waits for the caller.
    Revoke {
        /// From which capability.
        what: Handle,
    },
    /// What a capability is: [`Reply::Identity`].
    Identify {
        /// Which capability.
        what: Handle,
    },
    /// The start information (see `hallows-sdk`): a list of bytes.
    StartInfo,
    /// End this cell. Does not return.
    Exit {
        /// 0 if all went well.
        status: u32,
    },
    /// Let others of the same priority run.
    Yield,
    /// Say how long the work takes that the caller has begun, until it next waits: others of its priority, whose work is shorter, may go first.
    /// `NotInHandler` in a passive server, which works on its callers' behalf.
    Expect {
        /// In ns; 0: it does not know.
        ns: u64,
    },
    /// Now, in nanoseconds of the machine's monotonic clock: [`Reply::Number`].
    Now,
    /// [`Reply::Random`].
    Random,
    /// Write the text behind this to the machine's log, at most 1,024 bytes.
    Log {
        /// Bytes of the text.
        length: u32,
    },
}

/// Interface `endpoint`: of endpoints, each named by its handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEndpoint {
    /// Signal the notification that comes with the message (SEND): bit 0 when there is room again after `Busy`, bit 1 when the server died, bit 2
    /// when it is running again. WATCH.
    Watch {
        /// Which endpoint.
        endpoint: Handle,
    },
    /// End it. Everything waiting on it ends with an error. MANAGE.
    Destroy {
        /// Which endpoint.
        endpoint: Handle,
    },
    /// It is served by another cell from now on: by the one that comes with the message (MANAGE), or by the caller. It must run, and be passive if
    /// and only if the present server is. What the present one has taken or queued it still answers. [`Reply::Number`]: how many such calls former
    /// servers have; asked again with the cell that serves already, how many are left. MANAGE.
    Reassign {
        /// Which endpoint.
        endpoint: Handle,
        /// Whether a cell comes with the message.
        to_another: bool,
    },
    /// What its server, which is the caller, sees when somebody calls through this capability: its badge, [`Reply::Number`]. `NoRight` if another
    /// cell serves it.
    Recognise {
        /// Which endpoint.
        endpoint: Handle,
    },
}

/// Interface `budget`: of a budget. MANAGE for all but [`Self::Query`]. What makes an object brings its capability with the answer, with all rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBudget {
    /// Make an endpoint. The cell that comes with the message (MANAGE) serves it, or the caller.
    CreateEndpoint {
        /// How. Only a passive cell serves passive endpoints, only others active ones.
        serving: Serving,
        /// Whether a cell comes with the message.
        of_another: bool,
    },
    /// Make a notification.
    CreateNotification,
    /// Make a timer that signals the notification that comes with the message (SEND).
    CreateTimer {
        /// With these bits.
        bits: u64,
    },
    /// Make a region.
    CreateRegion {
        /// So large, rounded up to pages.
        bytes: u64,
    },
    /// Make a cell, not yet started, of the program that comes with the message.
    CreateCell {
        /// Whether an endpoint comes too (SEND): it gets the cell's faults.
        with_faults: bool,
        /// What it is like.
        new: NewCell,
    },
    /// Make a child budget of so many bytes out of this one.
    Split {
        /// So many.
        bytes: u64,
    },
    /// [`Reply::Account`]. SEND.
    Query,
}

/// Interface `notification`: of a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNotification {
    /// Set bits. SEND.
    Signal {
        /// These.
        bits: u64,
    },
    /// From now on the calling cell's `wait` gets its events. RECEIVE.
    Bind {
        /// With this badge.
        badge: u64,
    },
    /// Take the bits that are set without waiting: [`Reply::Number`]. RECEIVE.
    Poll,
}

/// Interface `timer`: of a timer. SEND.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTimer {
    /// Fire at a time, and then again and again.
    Arm {
        /// In ns of the machine's monotonic clock.
        at_ns: u64,
        /// In ns; 0: once.
        every_ns: u64,
        /// By how much later it may fire, in ns, to do so together with others.
        slack_ns: u64,
    },
    /// Do not fire.
    Disarm,
}

/// Interface `region`: of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRegion {
    /// Show it in the caller's memory. READ, and WRITE for writing.
    Map {
        /// From here on: page-aligned, inside the memory.
        address: u64,
        /// For what.
        access: Access,
    },
    /// Take it out of the caller's memory; zeroes stand there then.
    Unmap {
        /// Where it is shown.
        address: u64,
    },
    /// Bytes: [`Reply::Number`].
    Size,
}

/// Interface `cell`: of a cell. MANAGE for all but [`Self::Inspect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnCell {
    /// Put a copy of the capability that comes with the message (TRANSFER) into its space. Only before it is started. Its handle there:
    /// [`Reply::Handle`].
    Grant {
        /// The rights that it has at most.
        rights: Rights,
        /// Its badge; 0 keeps the original's.
        badge: u64,
    },
    /// Start it with the start information behind this. Its life: [`Reply::Life`].
    Start {
        /// Bytes of the start information.
        length: u32,
    },
    /// Kill it.
    Kill,
    /// Start it again after it ended, with the grants it first had. Its life: [`Reply::Life`].
    Restart,
    /// [`Reply::Inspection`]. SEND.
    Inspect,
}

macro_rules! from {
    ($($variant:ident($operation:ty)),*) => {$(
        impl From<$operation> for Operation {
            #[inline]
            fn from(operation: $operation) -> Self {
                Self::$variant(operation)
            }
        }
    )*};
}

from!(
    Object(OnObject),
    Space(OnSpace),
    Endpoint(OnEndpoint),
    Budget(OnBudget),
    Notification(OnNotification),
    Timer(OnTimer),
    Region(OnRegion),
    Cell(OnCell)
);

impl Operation {
    /// How many capabilities come with its message, no more and no fewer.
    #[must_use]
    #[inline]
    pub const fn capabilities(&self) -> usize {
        match *self {
            Self::Endpoint(OnEndpoint::Watch { .. })
            | Self::Endpoint(OnEndpoint::Reassign { to_another: true, .. })
            | Self::Budget(OnBudget::CreateEndpoint { of_another: true, .. })
            | Self::Budget(OnBudget::CreateTimer { .. })
            | Self::Cell(OnCell::Grant { .. }) => 1,
            Self::Budget(OnBudget::CreateCell { with_faults, .. }) => 1 + with_faults as usize,
            _ => 0,
        }
    }

    /// Bytes that stand behind it in its message.
    #[must_use]
    #[inline]
    pub const fn text_bytes(&self) -> usize {
        match *self {
            Self::Space(OnSpace::Log { length }) | Self::Cell(OnCell::Start { length }) => length as usize,
            _ => 0,
        }
    }
}
