//! Bulk operations in steps.
//!
//! The specification wants the whole range checked before anything is written, and a copy to behave as if
//! it went through a buffer. So: a short operation is the original instruction; a long one that would trap is
//! the original instruction, which traps before it writes; any other is steps of the original instruction,
//! each after a loop header, which checks. Copies go up when the destination lies below the source and
//! down otherwise, so that no step overwrites what a later one reads.
use crate::survey::{SegmentLength, Survey};
use hallows_artifact::Bounds;
use wasm_encoder::{BlockType, Function, InstructionSink, ValType};

/// The parameters of all of these but `table.grow`, in the instruction's order.
const TO: u32 = 0;
const FROM_OR_VALUE: u32 = 1;
const COUNT: u32 = 2;

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// The memory.
    Memory,
    /// This table.
    Table(u32),
}

/// What is read.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// The memory.
    Memory,
    /// This table.
    Table(u32),
    /// A data or element segment and how much of it is left.
    Segment { index: u32, length: SegmentLength },
}

/// `memory.fill` or `table.fill`.
pub(super) fn fill(destination: Destination, bounds: Bounds) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let operation = |code: &mut InstructionSink<'_>| {
        match destination {
            Destination::Memory => code.memory_fill(0),
            Destination::Table(table) => code.table_fill(table),
        };
    };
    let step = destination.step(bounds);
    short(&mut code, step, operation);
    range_exceeds_destination(&mut code, destination);
    as_original_if(&mut code, operation);
    code.loop_(BlockType::Empty);
    code.local_get(TO).local_get(FROM_OR_VALUE).i32_const(step);
    operation(&mut code);
    advance(&mut code, TO, step);
    next_step_up(&mut code, step);
    code.end();
    code.local_get(TO).local_get(FROM_OR_VALUE).local_get(COUNT);
    operation(&mut code);
    code.end();
    function
}

/// `memory.copy`, `memory.init`, `table.copy` or `table.init`.
pub(super) fn copy(destination: Destination, source: Source, bounds: Bounds) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let operation = |code: &mut InstructionSink<'_>| {
        match (destination, source) {
            (Destination::Memory, Source::Segment { index, .. }) => code.memory_init(0, index),
            (Destination::Memory, _) => code.memory_copy(0, 0),
            (Destination::Table(table), Source::Segment { index, .. }) => code.table_init(table, index),
            (Destination::Table(to), Source::Table(from)) => code.table_copy(to, from),
            (Destination::Table(table), Source::Memory) => code.table_copy(table, table),
        };
    };
    if let Source::Segment { length: SegmentLength::Global(left), .. } = source {
        // The real segment is still whole: what the program dropped must not be read from it, and the trap
        // must be of the original's kind. Reading one element at the end of all numbers is out of bounds for sure.
        range_exceeds(&mut code, FROM_OR_VALUE, |code| {
            code.global_get(left).i64_extend_i32_u();
        });
        code.if_(BlockType::Empty);
        code.local_get(TO).i32_const(-1).i32_const(1);
        operation(&mut code);
        code.end();
    }
    let step = destination.step(bounds);
    short(&mut code, step, operation);
    range_exceeds_destination(&mut code, destination);
    range_exceeds(&mut code, FROM_OR_VALUE, |code| match source {
        Source::Memory => memory_bytes(code),
        Source::Table(table) => table_entries(code, table),
        Source::Segment { length: SegmentLength::Constant(length), .. } => {
            code.i64_const(i64::from(length));
        }
        Source::Segment { length: SegmentLength::Global(left), .. } => {
            code.global_get(left).i64_extend_i32_u();
        }
    });
    code.i32_or();
    as_original_if(&mut code, operation);
    let overlapping = match (destination, source) {
        (Destination::Memory, Source::Memory) => true,
        (Destination::Table(to), Source::Table(from)) => to == from,
        _ => false,
    };
    if overlapping {
        code.local_get(TO).local_get(FROM_OR_VALUE).i32_gt_u().if_(BlockType::Empty);
        copy_down(&mut code, step, operation);
        code.return_().end();
    }
    code.loop_(BlockType::Empty);
    code.local_get(TO).local_get(FROM_OR_VALUE).i32_const(step);
    operation(&mut code);
    advance(&mut code, TO, step);
    advance(&mut code, FROM_OR_VALUE, step);
    next_step_up(&mut code, step);
    code.end();
    code.local_get(TO).local_get(FROM_OR_VALUE).local_get(COUNT);
    operation(&mut code);
    code.end();
    function
}

/// `table.grow`: the room in steps, each filled with the value. The declared maximum is checked first, so that
/// it fails as a whole; the engine does not refuse growth below the maximum.
pub(super) fn grow(table: u32, survey: &Survey, bounds: Bounds) -> Function {
    const VALUE: u32 = 0;
    const COUNT: u32 = 1;
    const OLD_SIZE: u32 = 2;
    let mut function = Function::new([(1, ValType::I32)]);
    let mut code = function.instructions();
    let step = Destination::Table(table).step(bounds);
    code.local_get(COUNT).i32_const(step).i32_le_u().if_(BlockType::Empty);
    code.local_get(VALUE).local_get(COUNT).table_grow(table).return_().end();
    code.table_size(table).local_tee(OLD_SIZE).i64_extend_i32_u();
    code.local_get(COUNT).i64_extend_i32_u().i64_add();
    code.i64_const(survey.table_maximum(table)).i64_gt_u().if_(BlockType::Empty);
    code.i32_const(-1).return_().end();
    code.loop_(BlockType::Empty);
    code.local_get(VALUE).i32_const(step).table_grow(table);
    code.i32_const(-1).i32_eq().if_(BlockType::Empty).i32_const(-1).return_().end();
    code.local_get(COUNT).i32_const(step).i32_sub().local_tee(COUNT);
    code.i32_const(step).i32_gt_u().br_if(0).end();
    code.local_get(VALUE).local_get(COUNT).table_grow(table);
    code.i32_const(-1).i32_eq().if_(BlockType::Empty).i32_const(-1).return_().end();
    code.local_get(OLD_SIZE).end();
    function
}

impl Destination {
    /// How much one step does. A step is at most 2 GiB, so that it is positive as a constant.
    fn step(self, bounds: Bounds) -> i32 {
        let step = match self {
            Destination::Memory => bounds.bulk_bytes,
            Destination::Table(_) => bounds.bulk_elements,
        };
        i32::try_from(step.max(1)).unwrap_or(i32::MAX)
    }
}

/// `if COUNT <= step { original; return }`.
fn short(code: &mut InstructionSink<'_>, step: i32, operation: impl Fn(&mut InstructionSink<'_>)) {
    code.local_get(COUNT).i32_const(step).i32_le_u();
    as_original_if(code, operation);
}

/// Takes a condition: `if … { original; return }`.
fn as_original_if(code: &mut InstructionSink<'_>, operation: impl Fn(&mut InstructionSink<'_>)) {
    code.if_(BlockType::Empty);
    code.local_get(TO).local_get(FROM_OR_VALUE).local_get(COUNT);
    operation(code);
    code.return_().end();
}

/// From the end: `loop { COUNT -= step; step at +COUNT; if COUNT > step continue }; the rest at +0`.
fn copy_down(code: &mut InstructionSink<'_>, step: i32, operation: impl Fn(&mut InstructionSink<'_>)) {
    code.loop_(BlockType::Empty);
    code.local_get(COUNT).i32_const(step).i32_sub().local_set(COUNT);
    code.local_get(TO).local_get(COUNT).i32_add();
    code.local_get(FROM_OR_VALUE).local_get(COUNT).i32_add();
    code.i32_const(step);
    operation(code);
    code.local_get(COUNT).i32_const(step).i32_gt_u().br_if(0).end();
    code.local_get(TO).local_get(FROM_OR_VALUE).local_get(COUNT);
    operation(code);
}

/// `local += step`.
fn advance(code: &mut InstructionSink<'_>, local: u32, step: i32) {
    code.local_get(local).i32_const(step).i32_add().local_set(local);
}

/// `COUNT -= step; if COUNT > step continue`.
fn next_step_up(code: &mut InstructionSink<'_>, step: i32) {
    code.local_get(COUNT).i32_const(step).i32_sub().local_tee(COUNT);
    code.i32_const(step).i32_gt_u().br_if(0);
}

/// Leaves `TO + COUNT > size of the destination`, without wrapping.
fn range_exceeds_destination(code: &mut InstructionSink<'_>, destination: Destination) {
    range_exceeds(code, TO, |code| match destination {
        Destination::Memory => memory_bytes(code),
        Destination::Table(table) => table_entries(code, table),
    });
}

/// Leaves `start + COUNT > size`, without wrapping; `size` leaves a 64-bit number.
fn range_exceeds(code: &mut InstructionSink<'_>, start: u32, size: impl FnOnce(&mut InstructionSink<'_>)) {
    code.local_get(start).i64_extend_i32_u().local_get(COUNT).i64_extend_i32_u().i64_add();
    size(code);
    code.i64_gt_u();
}

/// Leaves the memory's size; a page has 2^16 bytes.
fn memory_bytes(code: &mut InstructionSink<'_>) {
    code.memory_size(0).i64_extend_i32_u().i64_const(16).i64_shl();
}

/// Leaves the table's size.
fn table_entries(code: &mut InstructionSink<'_>, table: u32) {
    code.table_size(table).i64_extend_i32_u();
}
