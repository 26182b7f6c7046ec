//! A verified function, and the loop that runs it.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::input::{Input, Seen};
use crate::step::{Operation, Step};

/// `order` or `quantum_ns` of a module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    pub(crate) steps: Box<[Step<u8>]>,
    pub(crate) constants: Box<[u64]>,
    /// How many it has, inputs and constants first.
    pub(crate) registers: usize,
    pub(crate) image: Image,
    pub(crate) longest: u32,
    pub(crate) reads: Box<[Input]>,
    pub(crate) may_trap: Box<[MayTrap]>,
}

/// An instruction that may have no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MayTrap {
    /// Its name, as in WebAssembly's text form.
    pub instruction: String,
    /// Its place in the module, in bytes.
    pub offset: usize,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// `unreachable`: what a panic of a program in Rust comes to.
    Unreachable,
    /// Something was divided by 0.
    DivisionByZero,
    /// The least number was divided by -1.
    DivisionOverflow,
    /// Behind the end of the memory.
    OutOfBounds,
}

impl Trap {
    /// It in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreachable => "`unreachable` was reached, as by a panic",
            Self::DivisionByZero => "a division by 0",
            Self::DivisionOverflow => "a division whose result is too large",
            Self::OutOfBounds => "a load from behind the end of the memory",
        }
    }
}

impl fmt::Display for Trap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl core::error::Error for Trap {}

impl Function {
    /// Steps of the longest way through it.
    #[must_use]
    pub const fn longest(&self) -> u32 {
        self.longest
    }

    /// Steps of all ways together.
    #[must_use]
    pub const fn steps(&self) -> usize {
        self.steps.len()
    }

    /// What it looks at.
    #[must_use]
    pub const fn reads(&self) -> &[Input] {
        &self.reads
    }

    /// Instructions because of which it may have no answer, as they stand in the module.
    #[must_use]
    pub const fn may_trap(&self) -> &[MayTrap] {
        &self.may_trap
    }

    /// Its answer.
    ///
    /// # Errors
    /// It has none.
    pub fn run(&self, seen: &Seen) -> Result<u64, Trap> {
        let Self { steps, constants, image, .. } = self;
        // Registers begin as 0, and clearing many takes longer than most policies.
        match self.registers {
            ..=16 => run::<16>(steps, constants, image, seen),
            17..=64 => run::<64>(steps, constants, image, seen),
            _ => run::<{ crate::MOST_REGISTERS }>(steps, constants, image, seen),
        }
    }
}

/// What a computation makes of two constants.
///
/// # Errors
/// Nothing.
pub fn of_constants(operation: Operation, left: u64, right: u64, image: &Image) -> Result<u64, Trap> {
    // The registers behind those of inputs.
    const LEFT: u8 = 5;
    const { assert!(LEFT as usize == Input::ALL.len()) };
    let step =
        |operation| Step { operation, to: LEFT, left: LEFT, right: LEFT + 1, condition: LEFT, skip: 0 };
    run::<16>(&[step(operation), step(Operation::Return)], &[left, right], image, &Seen::default())
}

/// Runs steps with so many registers, a power of two. One `match`, so that a step costs one jump.
fn run<const REGISTERS: usize>(
    steps: &[Step<u8>],
    constants: &[u64],
    image: &Image,
    seen: &Seen,
) -> Result<u64, Trap> {
    let mut registers = Registers([0; REGISTERS]);
    let inputs = seen.registers();
    for (register, value) in registers.0.iter_mut().zip(inputs.iter().chain(constants)) {
        *register = *value;
    }
    let mut place = 0;
    // Every step goes forward, so this ends.
    while let Some(step) = steps.get(place) {
        place += 1;
        let (left, right) = (registers.get(step.left), registers.get(step.right));
        let (l32, r32) = (narrow(left), narrow(right));
        let value = match step.operation {
            Operation::Move => left,
            Operation::Select => {
                if registers.get(step.condition) != 0 {
                    left
                } else {
                    right
                }
            }
            Operation::Jump => {
                place += usize::from(step.skip);
                continue;
            }
            Operation::JumpIf => {
                if left != 0 {
                    place += usize::from(step.skip);
                }
                continue;
            }
            Operation::JumpUnless => {
                if left == 0 {
                    place += usize::from(step.skip);
                }
                continue;
            }
            Operation::Table => {
                let most = usize::from(step.skip);
                place += usize::try_from(left).map_or(most, |left| left.min(most));
                continue;
            }
            Operation::Return => return Ok(left),
            Operation::Unreachable => return Err(Trap::Unreachable),
            Operation::Add32 => l32.wrapping_add(r32).into(),
            Operation::Add64 => left.wrapping_add(right),
            Operation::Sub32 => l32.wrapping_sub(r32).into(),
            Operation::Sub64 => left.wrapping_sub(right),
            Operation::Mul32 => l32.wrapping_mul(r32).into(),
            Operation::Mul64 => left.wrapping_mul(right),
            Operation::DivS32 => {
                let divisor = not_zero(right).map(|_| r32.cast_signed())?;
                let quotient = l32.cast_signed().checked_div(divisor).ok_or(Trap::DivisionOverflow)?;
                quotient.cast_unsigned().into()
            }
            Operation::DivS64 => {
                let divisor = not_zero(right)?.cast_signed();
                let quotient = left.cast_signed().checked_div(divisor).ok_or(Trap::DivisionOverflow)?;
                quotient.cast_unsigned()
            }
            Operation::DivU => left.checked_div(right).ok_or(Trap::DivisionByZero)?,
            Operation::RemS32 => {
                let divisor = not_zero(right).map(|_| r32.cast_signed())?;
                l32.cast_signed().wrapping_rem(divisor).cast_unsigned().into()
            }
            Operation::RemS64 => {
                left.cast_signed().wrapping_rem(not_zero(right)?.cast_signed()).cast_unsigned()
            }
            Operation::RemU => left.checked_rem(right).ok_or(Trap::DivisionByZero)?,
            Operation::And => left & right,
            Operation::Or => left | right,
            Operation::Xor => left ^ right,
            // Amounts count modulo the width, in WebAssembly as in these.
            Operation::Shl32 => l32.wrapping_shl(r32).into(),
            Operation::Shl64 => left.wrapping_shl(r32),
            Operation::ShrS32 => l32.cast_signed().wrapping_shr(r32).cast_unsigned().into(),
            Operation::ShrS64 => left.cast_signed().wrapping_shr(r32).cast_unsigned(),
            Operation::ShrU32 => l32.wrapping_shr(r32).into(),
            Operation::ShrU64 => left.wrapping_shr(r32),
            Operation::Rotl32 => l32.rotate_left(r32 % u32::BITS).into(),
            Operation::Rotl64 => left.rotate_left(r32 % u64::BITS),
            Operation::Rotr32 => l32.rotate_right(r32 % u32::BITS).into(),
            Operation::Rotr64 => left.rotate_right(r32 % u64::BITS),
            Operation::Eq => (left == right).into(),
            Operation::Ne => (left != right).into(),
            Operation::LtU => (left < right).into(),
            Operation::LtS32 => (l32.cast_signed() < r32.cast_signed()).into(),
            Operation::LtS64 => (left.cast_signed() < right.cast_signed()).into(),
            Operation::LeU => (left <= right).into(),
            Operation::LeS32 => (l32.cast_signed() <= r32.cast_signed()).into(),
            Operation::LeS64 => (left.cast_signed() <= right.cast_signed()).into(),
            Operation::Clz32 => l32.leading_zeros().into(),
            Operation::Clz64 => left.leading_zeros().into(),
            Operation::Ctz32 => l32.trailing_zeros().into(),
            Operation::Ctz64 => left.trailing_zeros().into(),
            Operation::Popcnt => left.count_ones().into(),
            Operation::Wrap => l32.into(),
            Operation::Extend8To32 => narrow(sign_extended::<8>(left)).into(),
            Operation::Extend8To64 => sign_extended::<8>(left),
            Operation::Extend16To32 => narrow(sign_extended::<16>(left)).into(),
            Operation::Extend16To64 => sign_extended::<16>(left),
            Operation::Extend32To64 => sign_extended::<32>(left),
            Operation::Load8 => u8::from_le_bytes(load(image, left, right)?).into(),
            Operation::Load16 => u16::from_le_bytes(load(image, left, right)?).into(),
            Operation::Load32 => u32::from_le_bytes(load(image, left, right)?).into(),
            Operation::Load64 => u64::from_le_bytes(load(image, left, right)?),
        };
        registers.set(step.to, value);
    }
    // The last step of a function returns or traps.
    Err(Trap::Unreachable)
}

/// Registers, a power of two of them: a number behind the last one, which there is not, is another's.
struct Registers<const COUNT: usize>([u64; COUNT]);

impl<const COUNT: usize> Registers<COUNT> {
    const MASK: usize = {
        assert!(COUNT.is_power_of_two());
        COUNT - 1
    };

    #[expect(
        clippy::indexing_slicing,
        reason = "the mask keeps within, and the check would be paid at every step"
    )]
    const fn get(&self, register: u8) -> u64 {
        self.0[register as usize & Self::MASK]
    }

    #[expect(clippy::indexing_slicing, reason = "the mask keeps within")]
    const fn set(&mut self, register: u8, value: u64) {
        self.0[register as usize & Self::MASK] = value;
    }
}

/// From the constants in memory. An address and an offset have 32 bits each, so their sum is exact.
fn load<const BYTES: usize>(image: &Image, address: u64, offset: u64) -> Result<[u8; BYTES], Trap> {
    image.load(address.wrapping_add(offset)).ok_or(Trap::OutOfBounds)
}

/// The lower half.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
const fn narrow(value: u64) -> u32 {
    value as u32
}

/// The lowest bits, with their sign.
const fn sign_extended<const BITS: u32>(value: u64) -> u64 {
    let unused = u64::BITS - BITS;
    (value.cast_signed() << unused >> unused).cast_unsigned()
}

fn not_zero(divisor: u64) -> Result<u64, Trap> {
    if divisor == 0 { Err(Trap::DivisionByZero) } else { Ok(divisor) }
}
