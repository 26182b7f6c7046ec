//! Waiting, notifying, growing: what threads that share a memory call the engine for.
use super::SharedCall;
use crate::survey::Survey;
use wasm_encoder::{Function, MemArg};

/// The address is the first parameter of all of them.
const ADDRESS: u32 = 0;

/// `memory.atomic.wait32`, `wait64` or `notify` at `address + offset`.
///
/// An atomic load makes the instruction's checks: alignment and bounds, with its traps. On a memory that the
/// program did not declare `shared`, nobody can be waiting: `notify` wakes none and waiting traps.
pub(super) fn body(call: SharedCall, offset: u32, survey: &Survey) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    let memory_argument = |align| MemArg { offset: u64::from(offset), align, memory_index: 0 };
    code.local_get(ADDRESS);
    match call {
        SharedCall::Wait32 | SharedCall::Notify | SharedCall::Grow => {
            code.i32_atomic_load(memory_argument(2)).drop()
        }
        SharedCall::Wait64 => code.i64_atomic_load(memory_argument(3)).drop(),
    };
    match survey.import_of(call) {
        Some(import) => {
            // Within bounds, so the sum does not wrap.
            code.local_get(ADDRESS).i32_const(offset.cast_signed()).i32_add();
            for parameter in 1..call.signature().0.len() {
                code.local_get(parameter as u32);
            }
            code.call(import);
        }
        None if call == SharedCall::Notify => {
            code.i32_const(0);
        }
        None => {
            code.unreachable();
        }
    }
    code.end();
    function
}

/// `memory.grow` of a memory that is shared: each instance of the program must know of it.
pub(super) fn grow(survey: &Survey) -> Function {
    let mut function = Function::new([]);
    let mut code = function.instructions();
    match survey.import_of(SharedCall::Grow) {
        Some(import) => code.local_get(0).call(import),
        // Only asked for where it is imported.
        None => code.unreachable(),
    };
    code.end();
    function
}
