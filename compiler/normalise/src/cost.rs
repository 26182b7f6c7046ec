//! What an instruction weighs, in units of about a cycle of a 3 GHz core (0.3 ns).
//!
//! Rough on purpose: the weights are throughputs of dependent instructions on Skylake-class cores, rounded up;
//! they decide only where a check of 1 ns is put. A load weighs 4, the latency of the first-level cache: one that misses
//! every cache costs 100 times that, which no weight could bound without a check beside every load.
use wasmparser::Operator;

/// A call that leaves compiled code for the engine or the kernel.
pub(crate) const HOST_CALL: u32 = 20;
/// Calling into a runtime routine that does a bounded piece of work.
const RUNTIME_ROUTINE: u32 = 30;
/// Bytes that a bulk operation moves in a unit, in the first-level cache.
const BULK_BYTES_PER_UNIT: u32 = 32;

/// The weight of a bulk operation of known length that stays as it is.
pub(crate) fn bulk(bytes: u32) -> u32 {
    RUNTIME_ROUTINE.saturating_add(bytes / BULK_BYTES_PER_UNIT)
}

/// The weight of `operator`, at least 1. A macro visits every instruction wasmparser knows, so memory
/// accesses are recognised by having a memory operand, the dear ones by name.
pub(crate) fn of(operator: &Operator<'_>) -> u32 {
    use Operator::*;
    match operator {
        I64DivS | I64DivU | I64RemS | I64RemU => 30,
        I32DivS | I32DivU | I32RemS | I32RemU => 20,
        F32Sqrt | F64Sqrt | F32x4Sqrt | F64x2Sqrt => 20,
        F32Div | F64Div | F32x4Div | F64x2Div => 15,
        // Several instructions each: a saturation, a rounding, a shuffle from constants.
        I32TruncF32S
        | I32TruncF32U
        | I32TruncF64S
        | I32TruncF64U
        | I64TruncF32S
        | I64TruncF32U
        | I64TruncF64S
        | I64TruncF64U
        | I32TruncSatF32S
        | I32TruncSatF32U
        | I32TruncSatF64S
        | I32TruncSatF64U
        | I64TruncSatF32S
        | I64TruncSatF32U
        | I64TruncSatF64S
        | I64TruncSatF64U
        | F32ConvertI64U
        | F64ConvertI64U
        | F32Ceil
        | F32Floor
        | F32Trunc
        | F32Nearest
        | F64Ceil
        | F64Floor
        | F64Trunc
        | F64Nearest
        | F32Min
        | F32Max
        | F64Min
        | F64Max
        | F32x4Min
        | F32x4Max
        | F64x2Min
        | F64x2Max
        | F32x4Ceil
        | F32x4Floor
        | F32x4Trunc
        | F32x4Nearest
        | F64x2Ceil
        | F64x2Floor
        | F64x2Trunc
        | F64x2Nearest
        | I32x4TruncSatF32x4S
        | I32x4TruncSatF32x4U
        | I32x4TruncSatF64x2SZero
        | I32x4TruncSatF64x2UZero
        | F32x4ConvertI32x4U
        | F64x2ConvertLowI32x4U
        | I64x2Mul
        | I8x16Shl
        | I8x16ShrS
        | I8x16ShrU
        | I64x2ShrS
        | I8x16Popcnt
        | I32Popcnt
        | I64Popcnt => 8,
        I8x16Shuffle { .. }
        | I8x16Swizzle
        | I32Mul
        | I64Mul
        | F32Add
        | F64Add
        | F32Sub
        | F64Sub
        | F32Mul
        | F64Mul
        | BrTable { .. } => 4,
        MemoryGrow { .. } | TableGrow { .. } | RefFunc { .. } | TableGet { .. } | TableSet { .. } => {
            RUNTIME_ROUTINE
        }
        Call { .. } | CallIndirect { .. } | ReturnCall { .. } | ReturnCallIndirect { .. } => HOST_CALL,
        AtomicFence => 20,
        _ => memory_access(operator).unwrap_or(1),
    }
}

/// Defines [`memory_access`]: of all instructions, those with a memory operand.
macro_rules! define_memory_access {
    ($( @$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        fn memory_access(operator: &Operator<'_>) -> Option<u32> {
            match operator {
                $( Operator::$op { .. } => weight_of_operands!($proposal $($($arg)*)?), )*
                _ => None,
            }
        }
    };
}

/// The weight of an instruction with these operands, if one of them is in memory.
macro_rules! weight_of_operands {
    // A locked instruction, or a loop around one.
    (threads memarg) => {
        Some(20)
    };
    ($proposal:ident memarg $(lane)?) => {
        Some(4)
    };
    ($($other:tt)*) => {
        None
    };
}
wasmparser::for_each_operator!(define_memory_access);

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::MemArg;

    #[test]
    fn memory_accesses_divisions_and_arithmetic_are_told_apart() {
        let memarg = MemArg { align: 0, max_align: 0, offset: 0, memory: 0 };
        assert_eq!(of(&Operator::I32Load8U { memarg }), 4);
        assert_eq!(of(&Operator::V128Load32Lane { memarg, lane: 1 }), 4);
        assert_eq!(of(&Operator::I64AtomicRmwAdd { memarg }), 20);
        assert_eq!(of(&Operator::I64DivU), 30);
        assert_eq!(of(&Operator::I32Add), 1);
        assert_eq!(of(&Operator::LocalGet { local_index: 3 }), 1);
    }
}
