//! Steps as they are put one behind another, and what they become: registers get numbers, and the longest way is measured.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::function::{Function, MayTrap};
use crate::image::Image;
use crate::input::Input;
use crate::refusal::{Reason, Refusal};
use crate::step::{Operation, Place, Step};
use crate::{MOST_REGISTERS, MOST_STEPS, MOST_STEPS_TOGETHER};

/// A function that is being made.
#[derive(Default)]
pub struct Builder {
    steps: Vec<Step<Place>>,
    constants: Vec<u64>,
    locals: usize,
    slots: usize,
    /// Steps before this one are not changed any more: something jumps over them.
    settled: usize,
    reads: Vec<Input>,
    may_trap: Vec<MayTrap>,
}

impl Builder {
    /// The register of a constant.
    pub fn constant(&mut self, value: u64) -> Result<Place, Refusal> {
        let known = self.constants.iter().position(|known| *known == value);
        let place = known.unwrap_or(self.constants.len());
        if known.is_none() {
            self.constants.push(value);
        }
        Ok(Place::Constant(number(place)?))
    }

    /// The value of a register, if it is a constant's.
    pub fn value(&self, place: Place) -> Option<u64> {
        match place {
            Place::Constant(place) => self.constants.get(usize::from(place)).copied(),
            _ => None,
        }
    }

    /// A register for a local, which is 0.
    pub fn local(&mut self) -> Result<Place, Refusal> {
        self.locals += 1;
        Ok(Place::Local(number(self.locals - 1)?))
    }

    /// The register of the n-th value on the stack.
    pub fn slot(&mut self, place: usize) -> Result<Place, Refusal> {
        self.slots = self.slots.max(place + 1);
        Ok(Place::Slot(number(place)?))
    }

    /// The register of an input.
    pub fn input(&mut self, input: Input) -> Result<Place, Refusal> {
        if !self.reads.contains(&input) {
            self.reads.push(input);
        }
        let place = Input::ALL.iter().position(|known| *known == input);
        Ok(Place::Input(number(place.unwrap_or(0))?))
    }

    /// Notes that an instruction may have no result.
    pub fn may_trap(&mut self, found: MayTrap) {
        if !self.may_trap.contains(&found) {
            self.may_trap.push(found);
        }
    }

    /// Puts a step.
    pub fn step(&mut self, step: Step<Place>) -> Result<(), Refusal> {
        if self.steps.len() == MOST_STEPS_TOGETHER {
            return Err(Reason::TooManySteps.somewhere());
        }
        self.steps.push(step);
        Ok(())
    }

    /// Puts a step that copies a value.
    pub fn copy(&mut self, to: Place, from: Place) -> Result<(), Refusal> {
        self.step(Step { to, left: from, ..Step::of(Operation::Move) })
    }

    /// Puts a jump to where it will [`land`](Self::land); its number.
    pub fn jump(&mut self, operation: Operation, left: Place) -> Result<usize, Refusal> {
        self.step(Step { left, ..Step::of(operation) })?;
        Ok(self.steps.len() - 1)
    }

    /// Lets jumps land before the next step.
    pub fn land(&mut self, jumps: &[usize]) {
        let here = self.steps.len();
        for jump in jumps {
            if let Some(step) = self.steps.get_mut(*jump) {
                // Within bounds: there are fewer steps than 16 bits can count.
                step.skip = u16::try_from(here - jump - 1).unwrap_or(u16::MAX);
            }
        }
        self.settle();
    }

    /// Lets the steps so far be as they are.
    pub fn settle(&mut self) {
        self.settled = self.steps.len();
    }

    /// Takes a jump back that was put last, and would go nowhere.
    pub fn take_back(&mut self, jumps: &mut Vec<usize>) {
        let last = self.steps.len().wrapping_sub(1);
        if self.settled < self.steps.len() && jumps.last() == Some(&last) {
            jumps.pop();
            self.steps.pop();
        }
    }

    /// Lets the last step write to `to` what it has written to `from`, if it has, and nobody can come by without it.
    pub fn redirect(&mut self, from: Place, to: Place) -> bool {
        let is_free = self.settled < self.steps.len() && matches!(from, Place::Slot(_));
        let last = self.steps.last_mut().filter(|last| is_free && last.to == from && last.has_result());
        last.map(|last| last.to = to).is_some()
    }

    /// What was made.
    pub fn finish(self, image: &Image) -> Result<Function, Refusal> {
        let longest = self.longest();
        if longest > MOST_STEPS {
            return Err(Reason::TooLong { steps: longest }.somewhere());
        }
        let constants = Input::ALL.len();
        let locals = constants + self.constants.len();
        let slots = locals + self.locals;
        let registers = slots + self.slots;
        if registers > MOST_REGISTERS {
            return Err(Reason::TooManyRegisters { registers }.somewhere());
        }
        let register = |place| {
            let (first, place) = match place {
                Place::Input(place) => (0, place),
                Place::Constant(place) => (constants, place),
                Place::Local(place) => (locals, place),
                Place::Slot(place) => (slots, place),
            };
            u8::try_from(first + usize::from(place))
                .map_err(|_| Reason::TooManyRegisters { registers }.somewhere())
        };
        let numbered = |step: Step<Place>| {
            let Step { operation, to, left, right, condition, skip } = step;
            let (to, left) = (register(to)?, register(left)?);
            Ok(Step { operation, to, left, right: register(right)?, condition: register(condition)?, skip })
        };
        Ok(Function {
            steps: self.steps.into_iter().map(numbered).collect::<Result<Box<[_]>, Refusal>>()?,
            constants: self.constants.into(),
            registers,
            image: image.clone(),
            longest,
            reads: self.reads.into(),
            may_trap: self.may_trap.into(),
        })
    }

    /// Steps of the longest way: from the last step, whose successors are none, to the first.
    fn longest(&self) -> u32 {
        let mut from = Vec::with_capacity(self.steps.len());
        for step in self.steps.iter().rev() {
            // What is n steps further is the n-th from the end of what was measured.
            let after = |steps: usize| {
                from.len().checked_sub(steps + 1).and_then(|place| from.get(place)).copied().unwrap_or(0)
            };
            let skip = usize::from(step.skip);
            let rest: u32 = match step.operation {
                Operation::Return | Operation::Unreachable => 0,
                Operation::Jump => after(skip),
                Operation::JumpIf | Operation::JumpUnless => after(0).max(after(skip)),
                Operation::Table => (0..=skip).map(after).max().unwrap_or(0),
                _ => after(0),
            };
            from.push(rest + 1);
        }
        from.last().copied().unwrap_or(0)
    }
}

/// The number of a register among those of its kind.
fn number(place: usize) -> Result<u16, Refusal> {
    u16::try_from(place).map_err(|_| Reason::TooManyRegisters { registers: place }.somewhere())
}
