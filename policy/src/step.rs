//! The form that policies run in: steps on registers, each of which goes forward.
//!
//! A register has 64 bits; an `i32` stands in it with zeros above. So what has the same result for both widths is one operation.

use serde::{Deserialize, Serialize};

/// What a step does. `left` and `right` are the values of the registers of that name, and results go to `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// `left`.
    Move,
    /// `left` if `condition` is not 0, else `right`.
    Select,
    /// Goes on behind the next `skip` steps.
    Jump,
    /// The same if `left` is not 0.
    JumpIf,
    /// The same if `left` is 0.
    JumpUnless,
    /// Goes on behind the next `left` steps, at most `skip`: jumps stand there.
    Table,
    /// The answer is `left`.
    Return,
    /// There is no answer.
    Unreachable,
    // What WebAssembly's instructions of these names make of `left` and `right`.
    Add32,
    Add64,
    Sub32,
    Sub64,
    Mul32,
    Mul64,
    DivS32,
    DivS64,
    DivU,
    RemS32,
    RemS64,
    RemU,
    And,
    Or,
    Xor,
    Shl32,
    Shl64,
    ShrS32,
    ShrS64,
    ShrU32,
    ShrU64,
    Rotl32,
    Rotl64,
    Rotr32,
    Rotr64,
    Eq,
    Ne,
    LtU,
    LtS32,
    LtS64,
    LeU,
    LeS32,
    LeS64,
    Clz32,
    Clz64,
    Ctz32,
    Ctz64,
    Popcnt,
    /// The lower half.
    Wrap,
    /// The lowest byte with its sign, as 32 bits. The others alike: from, to.
    Extend8To32,
    Extend8To64,
    Extend16To32,
    Extend16To64,
    Extend32To64,
    /// So many bits from the constants in memory, at `left` + `right`.
    Load8,
    Load16,
    Load32,
    Load64,
}

/// A step. `R` names registers: [`Place`] while a function is translated, their numbers afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<R> {
    pub operation: Operation,
    pub to: R,
    pub left: R,
    pub right: R,
    pub condition: R,
    /// Steps that a jump goes over, in addition to itself. There is no way to say one that goes back.
    pub skip: u16,
}

impl<R> Step<R> {
    /// Whether it writes to `to`.
    pub const fn has_result(&self) -> bool {
        !matches!(
            self.operation,
            Operation::Jump
                | Operation::JumpIf
                | Operation::JumpUnless
                | Operation::Table
                | Operation::Return
                | Operation::Unreachable
        )
    }
}

impl Step<Place> {
    /// One that has to do with no register yet.
    pub const fn of(operation: Operation) -> Self {
        let none = Place::Input(0);
        Self { operation, to: none, left: none, right: none, condition: none, skip: 0 }
    }
}

/// A register before it has a number: how many there are of each kind is known at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The n-th of [`Input::ALL`](crate::Input::ALL).
    Input(u16),
    /// The n-th constant.
    Constant(u16),
    /// The n-th local. No two functions that are inlined have one in common, so each of them is 0 when its function begins.
    Local(u16),
    /// The n-th from the bottom of WebAssembly's stack.
    Slot(u16),
}
