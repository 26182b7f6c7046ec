//! Instructions that compute: which computation they are, and of what.

use wasmparser::{MemArg, Operator};

use crate::step::Operation::{self, *};

/// An instruction as a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// Of one value.
    One(Operation),
    /// Of two.
    Two(Operation),
    /// Of two, the second one first.
    Swapped(Operation),
    /// Of one and 0.
    WithZero(Operation),
    /// A load, and what is made of what was loaded.
    Load(MemArg, Operation, Option<Operation>),
    /// The value as it is: an `i32` has zeros above already.
    Same,
}

/// What an instruction computes; nothing of one that does something else, or that no policy has.
pub fn decode(operator: &Operator<'_>) -> Option<Decoded> {
    use Decoded::{Load, One, Same, Swapped, Two, WithZero};
    Some(match operator {
        Operator::I32Eqz | Operator::I64Eqz => WithZero(Eq),
        Operator::I32Eq | Operator::I64Eq => Two(Eq),
        Operator::I32Ne | Operator::I64Ne => Two(Ne),
        Operator::I32LtU | Operator::I64LtU => Two(LtU),
        Operator::I32GtU | Operator::I64GtU => Swapped(LtU),
        Operator::I32LeU | Operator::I64LeU => Two(LeU),
        Operator::I32GeU | Operator::I64GeU => Swapped(LeU),
        Operator::I32LtS => Two(LtS32),
        Operator::I32GtS => Swapped(LtS32),
        Operator::I32LeS => Two(LeS32),
        Operator::I32GeS => Swapped(LeS32),
        Operator::I64LtS => Two(LtS64),
        Operator::I64GtS => Swapped(LtS64),
        Operator::I64LeS => Two(LeS64),
        Operator::I64GeS => Swapped(LeS64),
        Operator::I32Clz => One(Clz32),
        Operator::I64Clz => One(Clz64),
        Operator::I32Ctz => One(Ctz32),
        Operator::I64Ctz => One(Ctz64),
        Operator::I32Popcnt | Operator::I64Popcnt => One(Popcnt),
        Operator::I32Add => Two(Add32),
        Operator::I64Add => Two(Add64),
        Operator::I32Sub => Two(Sub32),
        Operator::I64Sub => Two(Sub64),
        Operator::I32Mul => Two(Mul32),
        Operator::I64Mul => Two(Mul64),
        Operator::I32DivS => Two(DivS32),
        Operator::I64DivS => Two(DivS64),
        Operator::I32DivU | Operator::I64DivU => Two(DivU),
        Operator::I32RemS => Two(RemS32),
        Operator::I64RemS => Two(RemS64),
        Operator::I32RemU | Operator::I64RemU => Two(RemU),
        Operator::I32And | Operator::I64And => Two(And),
        Operator::I32Or | Operator::I64Or => Two(Or),
        Operator::I32Xor | Operator::I64Xor => Two(Xor),
        Operator::I32Shl => Two(Shl32),
        Operator::I64Shl => Two(Shl64),
        Operator::I32ShrS => Two(ShrS32),
        Operator::I64ShrS => Two(ShrS64),
        Operator::I32ShrU => Two(ShrU32),
        Operator::I64ShrU => Two(ShrU64),
        Operator::I32Rotl => Two(Rotl32),
        Operator::I64Rotl => Two(Rotl64),
        Operator::I32Rotr => Two(Rotr32),
        Operator::I64Rotr => Two(Rotr64),
        Operator::I32WrapI64 => One(Wrap),
        Operator::I64ExtendI32U => Same,
        Operator::I64ExtendI32S | Operator::I64Extend32S => One(Extend32To64),
        Operator::I32Extend8S => One(Extend8To32),
        Operator::I32Extend16S => One(Extend16To32),
        Operator::I64Extend8S => One(Extend8To64),
        Operator::I64Extend16S => One(Extend16To64),
        Operator::I32Load { memarg } | Operator::I64Load32U { memarg } => Load(*memarg, Load32, None),
        Operator::I64Load { memarg } => Load(*memarg, Load64, None),
        Operator::I32Load8U { memarg } | Operator::I64Load8U { memarg } => Load(*memarg, Load8, None),
        Operator::I32Load16U { memarg } | Operator::I64Load16U { memarg } => Load(*memarg, Load16, None),
        Operator::I32Load8S { memarg } => Load(*memarg, Load8, Some(Extend8To32)),
        Operator::I32Load16S { memarg } => Load(*memarg, Load16, Some(Extend16To32)),
        Operator::I64Load8S { memarg } => Load(*memarg, Load8, Some(Extend8To64)),
        Operator::I64Load16S { memarg } => Load(*memarg, Load16, Some(Extend16To64)),
        Operator::I64Load32S { memarg } => Load(*memarg, Load32, Some(Extend32To64)),
        _ => return None,
    })
}
