//! The functions that the pass appends: what the program's bulk operations and waits become.
mod atomic;
mod bulk;

use crate::survey::Survey;
use hallows_artifact::Bounds;
use wasm_encoder::{Function, ValType};

/// An appended function. Indices are those of the module that comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Helper {
    /// `memory.fill`.
    MemoryFill,
    /// `memory.copy`.
    MemoryCopy,
    /// `memory.init` from a data segment.
    MemoryInit { segment: u32 },
    /// `table.fill`.
    TableFill { table: u32 },
    /// `table.copy`.
    TableCopy { to: u32, from: u32 },
    /// `table.init` from an element segment.
    TableInit { segment: u32, table: u32 },
    /// `table.grow`.
    TableGrow { table: u32 },
    /// `memory.atomic.wait32`, `wait64` or `notify` with the constant part of its address.
    Atomic { call: SharedCall, offset: u32 },
    /// `memory.grow` of a shared memory.
    MemoryGrow,
}

/// An instruction on a shared memory that concerns other threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SharedCall {
    /// `memory.atomic.wait32`.
    Wait32,
    /// `memory.atomic.wait64`.
    Wait64,
    /// `memory.atomic.notify`.
    Notify,
    /// `memory.grow`.
    Grow,
}

impl SharedCall {
    /// All of them, in the order in which their imports are added.
    pub(crate) const ALL: [SharedCall; 4] =
        [SharedCall::Wait32, SharedCall::Wait64, SharedCall::Notify, SharedCall::Grow];

    /// The name it is imported under.
    pub(crate) fn import_name(self) -> &'static str {
        match self {
            SharedCall::Wait32 => "atomic_wait32",
            SharedCall::Wait64 => "atomic_wait64",
            SharedCall::Notify => "atomic_notify",
            SharedCall::Grow => "memory_grow",
        }
    }

    /// Address, then: expected value and timeout in nanoseconds, or the most waiters to wake; of growth, the pages. The result
    /// is the instruction's.
    pub(crate) fn signature(self) -> (&'static [ValType], &'static [ValType]) {
        use ValType::{I32, I64};
        match self {
            SharedCall::Wait32 => (&[I32, I32, I64], &[I32]),
            SharedCall::Wait64 => (&[I32, I64, I64], &[I32]),
            SharedCall::Notify => (&[I32, I32], &[I32]),
            SharedCall::Grow => (&[I32], &[I32]),
        }
    }
}

impl Helper {
    /// Parameters and results, those of the instruction it replaces.
    pub(crate) fn signature(self) -> (&'static [ValType], &'static [ValType]) {
        use ValType::I32;
        const FUNCREF: ValType = ValType::Ref(wasm_encoder::RefType::FUNCREF);
        match self {
            Helper::MemoryFill
            | Helper::MemoryCopy
            | Helper::MemoryInit { .. }
            | Helper::TableCopy { .. }
            | Helper::TableInit { .. } => (&[I32, I32, I32], &[]),
            Helper::TableFill { .. } => (&[I32, FUNCREF, I32], &[]),
            Helper::TableGrow { .. } => (&[FUNCREF, I32], &[I32]),
            Helper::Atomic { call, .. } => call.signature(),
            Helper::MemoryGrow => SharedCall::Grow.signature(),
        }
    }

    /// What backtraces call it.
    pub(crate) fn name(self) -> String {
        match self {
            Helper::MemoryFill => "hallows:memory.fill".into(),
            Helper::MemoryCopy => "hallows:memory.copy".into(),
            Helper::MemoryInit { segment } => format!("hallows:memory.init {segment}"),
            Helper::TableFill { table } => format!("hallows:table.fill {table}"),
            Helper::TableCopy { to, from } => format!("hallows:table.copy {to} {from}"),
            Helper::TableInit { segment, table } => format!("hallows:table.init {table} {segment}"),
            Helper::TableGrow { table } => format!("hallows:table.grow {table}"),
            Helper::MemoryGrow => "hallows:memory.grow".into(),
            Helper::Atomic { call, offset } => format!("hallows:{} offset={offset}", call.import_name()),
        }
    }

    /// Its code.
    pub(crate) fn body(self, survey: &Survey, bounds: Bounds) -> Function {
        match self {
            Helper::Atomic { call, offset } => atomic::body(call, offset, survey),
            Helper::MemoryGrow => atomic::grow(survey),
            Helper::TableGrow { table } => bulk::grow(table, survey, bounds),
            Helper::MemoryFill => bulk::fill(bulk::Destination::Memory, bounds),
            Helper::TableFill { table } => bulk::fill(bulk::Destination::Table(table), bounds),
            Helper::MemoryCopy => bulk::copy(bulk::Destination::Memory, bulk::Source::Memory, bounds),
            Helper::TableCopy { to, from } => {
                bulk::copy(bulk::Destination::Table(to), bulk::Source::Table(from), bounds)
            }
            Helper::MemoryInit { segment } => {
                let source = bulk::Source::Segment { index: segment, length: survey.data_length(segment) };
                bulk::copy(bulk::Destination::Memory, source, bounds)
            }
            Helper::TableInit { segment, table } => {
                let source = bulk::Source::Segment { index: segment, length: survey.element_length(segment) };
                bulk::copy(bulk::Destination::Table(table), source, bounds)
            }
        }
    }
}
