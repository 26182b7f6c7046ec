//! Trace records: what the kernel notes of what happens on a core, 32 bytes each.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum TraceKind {
    /// A thread was resumed. `object`: thread.
    Resume = 1,
    /// A thread stopped running. `object`: thread; `value`: why.
    Suspend = 2,
    /// A protected call entered a passive server. `object`: endpoint; `value`: badge.
    Enter = 3,
    /// The handler returned. `object`: endpoint; `value`: error number, 0 for none.
    Leave = 4,
    /// A message was accepted for an active server. `object`: endpoint; `value`: token.
    Send = 5,
    /// A message was answered. `object`: message; `value`: error number, 0 for none.
    Answer = 6,
    /// A thread was asked to stop by the timekeeper. `object`: thread.
    Preempt = 7,
    /// A thread was taken from another core's queue. `object`: thread; `value`: that core.
    Steal = 8,
    /// A cell faulted. `object`: cell; `value`: fault kind.
    Fault = 9,
    /// A cell was killed. `object`: cell.
    Kill = 10,
    /// A cell started (again). `object`: cell; `value`: generation.
    Start = 11,
    /// A capability and what was derived from it were revoked. `object`: slot; `value`: how many.
    Revoke = 12,
    /// The core became idle.
    Idle = 13,
    /// A message or an answer went straight to a thread that waits on another core. `object`: that thread; `value`: the call's ticket.
    Post = 14,
    /// A call's deadline passed in a circle of calls that wait for each other. `object`: a cell of it; `value`: how many cells.
    Circle = 15,
}

/// One record: no clock is read on the call path; `sequence` orders the records of a core and the timekeeper's stamp of the
/// core's last switch places them in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRecord {
    /// Number of this record on its core.
    pub sequence: u64,
    /// Nanoseconds of the last clock reading that this core's timekeeper published.
    pub stamp_ns: u64,
    /// What happened.
    pub kind: TraceKind,
    /// The thread that was running.
    pub thread: u32,
    /// The object concerned: its index in its table.
    pub object: u32,
    /// More about it, cut to 48 bits.
    pub value: u64,
}
