//! From WebAssembly's stack to steps on registers: what a function reaches is followed once, verified, and inlined.
//!
//! Where a value is on the stack is known at every instruction, since the module is valid; so the stack is a list of the registers that its values are
//! in, and `local.get` or a constant puts a register there without a step. Two rules keep that right. Whoever sets a local first copies its old value for
//! those entries that mean it. And where ways part (a block begins), no entry means a local, so that no way can change what another one sees.
//! Where ways meet, values are in the registers of their places on the stack (*slots*).

use alloc::vec::Vec;

use wasmparser::{BlockType, BrTable, FunctionBody, MemArg, Operator};

use crate::builder::Builder;
use crate::decode::{Decoded, decode};
use crate::function::{Function, MayTrap, Trap, of_constants};
use crate::input::Input;
use crate::names::name;
use crate::refusal::{Reason, Refusal};
use crate::sections::{Sections, invalid, invalid_at};
use crate::step::{Operation, Place, Step};
use crate::{DEEPEST_CALLS, MOST_INSTRUCTIONS};

/// Translates an exported function.
pub fn translate(sections: &Sections<'_>, number: u32) -> Result<Function, Refusal> {
    let mut builder = Builder::default();
    let (function, body) = sections.function(number).ok_or_else(missing)?;
    // The only parameter that an exported function has.
    let mut locals = Vec::new();
    if !function.params().is_empty() {
        locals.push(builder.input(Input::UsualNs)?);
    }
    let root = Frame::new(Kind::Root, 0, function.results().len());
    let mut translator = Translator {
        sections,
        builder,
        operands: Vec::new(),
        frames: Vec::from([root]),
        inlined: Inlined { locals, ..Inlined::default() },
        callers: Vec::from([number]),
        read: 0,
    };
    translator.body(number, body)?;
    translator.builder.finish(&sections.image)
}

struct Translator<'s, 'w> {
    sections: &'s Sections<'w>,
    builder: Builder,
    /// The registers of the values on the stack, of all functions that were called and have not returned.
    operands: Vec<Place>,
    /// Blocks inside of each other, of those functions alike.
    frames: Vec<Frame>,
    inlined: Inlined,
    /// Those functions, by their numbers.
    callers: Vec<u32>,
    /// Instructions that were read.
    read: u32,
}

/// The function that is being read.
#[derive(Default)]
struct Inlined {
    locals: Vec<Place>,
    /// Where its values begin on the stack.
    base: usize,
    /// Its frame.
    frame: usize,
}

/// A block.
struct Frame {
    kind: Kind,
    /// Where its parameters begin on the stack, and its results will.
    base: usize,
    results: usize,
    /// Jumps to its end.
    exits: Vec<usize>,
    /// Nothing comes to the next instruction.
    is_dead: bool,
}

enum Kind {
    /// The exported function.
    Root,
    /// A block, the second arm of an `if`, or a function that is called.
    Block,
    /// At this place in the module.
    Loop { begins: usize },
    /// The first arm of an `if`: the jump to the second one, and what is on the stack there.
    If { otherwise: usize, parameters: Vec<Place> },
}

impl Frame {
    const fn new(kind: Kind, base: usize, results: usize) -> Self {
        Self { kind, base, results, exits: Vec::new(), is_dead: false }
    }
}

impl<'w> Translator<'_, 'w> {
    /// Reads a function to its end.
    fn body(&mut self, number: u32, body: &FunctionBody<'w>) -> Result<(), Refusal> {
        self.locals(body).and_then(|()| self.instructions(body)).map_err(|refusal| Refusal {
            function: refusal.function.or_else(|| Some(self.sections.name(number))),
            ..refusal
        })
    }

    /// Behind its parameters.
    fn locals(&mut self, body: &FunctionBody<'w>) -> Result<(), Refusal> {
        for locals in body.get_locals_reader().map_err(invalid)? {
            let (count, _) = locals.map_err(invalid)?;
            for _ in 0..count {
                self.inlined.locals.push(self.builder.local()?);
            }
        }
        Ok(())
    }

    fn instructions(&mut self, body: &FunctionBody<'w>) -> Result<(), Refusal> {
        let mut reader = body.get_operators_reader().map_err(invalid)?;
        // Blocks that nothing comes to.
        let mut dead_blocks = 0_usize;
        while !reader.eof() {
            let (operator, offset) = reader.read_with_offset().map_err(invalid)?;
            self.read += 1;
            if self.read > MOST_INSTRUCTIONS {
                return Err(Reason::TooManyInstructions.at(offset));
            }
            let is_dead = self.frames.last().is_some_and(|frame| frame.is_dead);
            let done = match operator {
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } if is_dead => {
                    dead_blocks += 1;
                    Ok(())
                }
                Operator::End if dead_blocks > 0 => {
                    dead_blocks -= 1;
                    Ok(())
                }
                Operator::Else if dead_blocks == 0 => self.otherwise(),
                Operator::End => self.end(),
                _ if is_dead => Ok(()),
                _ => self.instruction(&operator, offset),
            };
            done.map_err(|refusal| Refusal { offset: refusal.offset.or(Some(offset)), ..refusal })?;
        }
        Ok(())
    }

    fn instruction(&mut self, operator: &Operator<'w>, offset: usize) -> Result<(), Refusal> {
        match operator {
            Operator::Nop => Ok(()),
            Operator::Unreachable => {
                self.may_trap(operator, offset);
                self.builder.step(Step::of(Operation::Unreachable))?;
                self.die()
            }
            Operator::Block { blockty } => self.enter(*blockty, Kind::Block),
            Operator::Loop { blockty } => self.enter(*blockty, Kind::Loop { begins: offset }),
            Operator::If { blockty } => {
                let condition = self.pop()?;
                self.part()?;
                let otherwise = self.builder.jump(Operation::JumpUnless, condition)?;
                self.enter(*blockty, Kind::If { otherwise, parameters: Vec::new() })
            }
            Operator::Br { relative_depth } => {
                self.jump(*relative_depth as usize)?;
                self.die()
            }
            Operator::BrIf { relative_depth } => self.jump_if(*relative_depth as usize),
            Operator::BrTable { targets } => self.jump_by(targets),
            Operator::Return => {
                self.jump(self.depth_of_function())?;
                self.die()
            }
            Operator::Call { function_index } => self.call(*function_index),
            Operator::Drop => self.pop().map(drop),
            Operator::Select | Operator::TypedSelect { .. } => {
                let (condition, right, left) = (self.pop()?, self.pop()?, self.pop()?);
                self.push_result(Step { left, right, condition, ..Step::of(Operation::Select) })
            }
            Operator::LocalGet { local_index } => {
                let local = self.local(*local_index)?;
                self.operands.push(local);
                Ok(())
            }
            Operator::LocalSet { local_index } => self.set(*local_index).map(drop),
            Operator::LocalTee { local_index } => {
                let value = self.set(*local_index)?;
                self.operands.push(value);
                Ok(())
            }
            Operator::GlobalGet { global_index } => {
                let global = self.sections.globals.get(*global_index as usize).copied().flatten();
                self.push_constant(global.ok_or_else(|| Reason::Global.at(offset))?)
            }
            Operator::I32Const { value } => self.push_constant(value.cast_unsigned().into()),
            Operator::I64Const { value } => self.push_constant(value.cast_unsigned()),
            operator => match decode(operator) {
                Some(decoded) => self.compute(operator, decoded, offset),
                None => Err(Reason::Instruction { name: name(operator) }.at(offset)),
            },
        }
    }

    fn pop(&mut self) -> Result<Place, Refusal> {
        self.operands.pop().ok_or_else(missing)
    }

    fn local(&self, number: u32) -> Result<Place, Refusal> {
        self.inlined.locals.get(number as usize).copied().ok_or_else(missing)
    }

    fn push_constant(&mut self, value: u64) -> Result<(), Refusal> {
        let constant = self.builder.constant(value)?;
        self.operands.push(constant);
        Ok(())
    }

    /// Puts a step whose result is on the stack.
    fn push_result(&mut self, step: Step<Place>) -> Result<(), Refusal> {
        let to = self.builder.slot(self.operands.len())?;
        self.operands.push(to);
        self.builder.step(Step { to, ..step })
    }

    fn may_trap(&mut self, operator: &Operator<'_>, offset: usize) {
        self.builder.may_trap(MayTrap { instruction: name(operator), offset });
    }

    /// Sets a local to the value on the stack; the register that has that value then.
    fn set(&mut self, local: u32) -> Result<Place, Refusal> {
        let (value, local) = (self.pop()?, self.local(local)?);
        if value == local {
            return Ok(value);
        }
        let mut is_meant = false;
        for place in self.inlined.base..self.operands.len() {
            is_meant |= self.keep(place, local)?;
        }
        if !is_meant && self.builder.redirect(value, local) {
            return Ok(local);
        }
        self.builder.copy(local, value)?;
        Ok(value)
    }

    /// Copies a value on the stack that is a local's, so that it stays when the local is set; whether it was.
    fn keep(&mut self, place: usize, local: Place) -> Result<bool, Refusal> {
        if self.operands.get(place) != Some(&local) {
            return Ok(false);
        }
        let slot = self.builder.slot(place)?;
        self.builder.copy(slot, local)?;
        if let Some(operand) = self.operands.get_mut(place) {
            *operand = slot;
        }
        Ok(true)
    }

    /// Before ways part: no value on the stack is a local's.
    fn part(&mut self) -> Result<(), Refusal> {
        for place in self.inlined.base..self.operands.len() {
            let operand = self.operands.get(place).copied();
            if let Some(local) = operand.filter(|operand| self.inlined.locals.contains(operand)) {
                self.keep(place, local)?;
            }
        }
        Ok(())
    }

    fn compute(&mut self, operator: &Operator<'_>, decoded: Decoded, offset: usize) -> Result<(), Refusal> {
        let operation = match decoded {
            Decoded::Same => return Ok(()),
            Decoded::Load(place, load, extension) => {
                return self.load(operator, place, load, extension, offset);
            }
            Decoded::One(operation) => {
                let value = self.pop()?;
                return self.push_computed(operation, value, value, offset);
            }
            Decoded::WithZero(operation) => {
                let (zero, value) = (self.builder.constant(0)?, self.pop()?);
                return self.push_computed(operation, value, zero, offset);
            }
            Decoded::Swapped(operation) => {
                let (left, right) = (self.pop()?, self.pop()?);
                return self.push_computed(operation, left, right, offset);
            }
            Decoded::Two(operation) => operation,
        };
        let (right, left) = (self.pop()?, self.pop()?);
        let divisor = self.builder.value(right);
        let may_trap = match operation {
            Operation::DivS32 => divisor.is_none_or(|divisor| divisor == u32::MAX.into()),
            Operation::DivS64 => divisor.is_none_or(|divisor| divisor == u64::MAX),
            Operation::DivU | Operation::RemU | Operation::RemS32 | Operation::RemS64 => divisor.is_none(),
            _ => return self.push_computed(operation, left, right, offset),
        };
        if divisor == Some(0) {
            return Err(Reason::Traps { trap: Trap::DivisionByZero }.at(offset));
        }
        if may_trap {
            self.may_trap(operator, offset);
        }
        self.push_computed(operation, left, right, offset)
    }

    /// Computes now what is made of constants, and puts a step for all else.
    fn push_computed(
        &mut self,
        operation: Operation,
        left: Place,
        right: Place,
        offset: usize,
    ) -> Result<(), Refusal> {
        match (self.builder.value(left), self.builder.value(right)) {
            (Some(left), Some(right)) => {
                let value = of_constants(operation, left, right, &self.sections.image);
                self.push_constant(value.map_err(|trap| Reason::Traps { trap }.at(offset))?)
            }
            _ => self.push_result(Step { left, right, ..Step::of(operation) }),
        }
    }

    fn load(
        &mut self,
        operator: &Operator<'_>,
        place: MemArg,
        load: Operation,
        extension: Option<Operation>,
        offset: usize,
    ) -> Result<(), Refusal> {
        let (address, distance) = (self.pop()?, self.builder.constant(place.offset)?);
        if self.builder.value(address).is_none() {
            self.may_trap(operator, offset);
        }
        self.push_computed(load, address, distance, offset)?;
        let Some(extension) = extension else { return Ok(()) };
        let loaded = self.pop()?;
        self.push_computed(extension, loaded, loaded, offset)
    }

    /// Calls a function: it is read in the place of the call.
    fn call(&mut self, number: u32) -> Result<(), Refusal> {
        if let Some(input) = self.sections.imported.get(number as usize) {
            let input = self.builder.input(*input)?;
            self.operands.push(input);
            return Ok(());
        }
        if self.callers.contains(&number) {
            return Err(Reason::Recursion { called: self.sections.name(number) }.somewhere());
        }
        if self.callers.len() > DEEPEST_CALLS {
            return Err(Reason::CallsTooDeep.somewhere());
        }
        let (function, body) = self.sections.function(number).ok_or_else(missing)?;
        let base = self.operands.len().checked_sub(function.params().len()).ok_or_else(missing)?;
        let mut locals = Vec::new();
        for argument in self.operands.split_off(base) {
            let local = self.builder.local()?;
            self.builder.copy(local, argument)?;
            locals.push(local);
        }
        let inlined = Inlined { locals, base, frame: self.frames.len() };
        let caller = core::mem::replace(&mut self.inlined, inlined);
        self.frames.push(Frame::new(Kind::Block, base, function.results().len()));
        self.callers.push(number);
        self.body(number, body)?;
        self.callers.pop();
        self.inlined = caller;
        Ok(())
    }

    fn enter(&mut self, block: BlockType, kind: Kind) -> Result<(), Refusal> {
        self.part()?;
        let (parameters, results) = match block {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(number) => {
                let block = self.sections.types.get(number as usize).ok_or_else(missing)?;
                (block.params().len(), block.results().len())
            }
        };
        let base = self.operands.len().checked_sub(parameters).ok_or_else(missing)?;
        let kind = match kind {
            Kind::If { otherwise, .. } => {
                Kind::If { otherwise, parameters: self.operands.get(base..).unwrap_or_default().to_vec() }
            }
            kind => kind,
        };
        self.frames.push(Frame::new(kind, base, results));
        Ok(())
    }

    /// Begins the second arm of an `if`.
    fn otherwise(&mut self) -> Result<(), Refusal> {
        let frame = self.frames.len().checked_sub(1).ok_or_else(missing)?;
        if self.frames.get(frame).is_some_and(|frame| !frame.is_dead) {
            self.jump(0)?;
        }
        let frame = self.frames.get_mut(frame).ok_or_else(missing)?;
        if let Kind::If { otherwise, parameters } = core::mem::replace(&mut frame.kind, Kind::Block) {
            frame.is_dead = false;
            self.operands.truncate(frame.base);
            self.operands.extend(parameters);
            self.builder.land(&[otherwise]);
        }
        Ok(())
    }

    /// Ends a block.
    fn end(&mut self) -> Result<(), Refusal> {
        if matches!(self.frames.last(), Some(Frame { kind: Kind::If { .. }, .. })) {
            // An arm that is not there gives what it takes.
            self.otherwise()?;
        }
        let Some(Frame { kind, base, results, mut exits, is_dead }) = self.frames.pop() else {
            return Err(missing());
        };
        if matches!(kind, Kind::Root) {
            return if is_dead { Ok(()) } else { self.answer() };
        }
        if exits.is_empty() {
            return if is_dead { self.die() } else { Ok(()) };
        }
        if is_dead {
            self.builder.take_back(&mut exits);
        } else {
            self.place_results(base, results)?;
        }
        self.builder.land(&exits);
        self.operands.truncate(base);
        for place in base..base + results {
            let slot = self.builder.slot(place)?;
            self.operands.push(slot);
        }
        Ok(())
    }

    /// The frame that a jump goes to the end of.
    fn target(&self, depth: usize) -> Result<(usize, &Frame), Refusal> {
        let place = self.frames.len().checked_sub(depth + 1).ok_or_else(missing)?;
        let frame = self.frames.get(place).ok_or_else(missing)?;
        match frame.kind {
            Kind::Loop { begins } => Err(Reason::Loop { begins }.somewhere()),
            _ => Ok((place, frame)),
        }
    }

    /// The frame that a jump goes to the end of, if its results are where they belong already.
    fn target_as_it_is(&self, depth: usize) -> Result<Option<usize>, Refusal> {
        let (place, frame) = self.target(depth)?;
        let results = self.operands.len().checked_sub(frame.results).ok_or_else(missing)?;
        let in_place = results == frame.base
            && self
                .operands
                .iter()
                .skip(results)
                .zip(frame.base..)
                .all(|(operand, place)| is_slot(*operand, place));
        let is_root = matches!(frame.kind, Kind::Root);
        Ok((!is_root && (frame.results == 0 || in_place)).then_some(place))
    }

    fn exit(&mut self, frame: usize, jump: usize) -> Result<(), Refusal> {
        self.frames.get_mut(frame).map(|frame| frame.exits.push(jump)).ok_or_else(missing)
    }

    /// Jumps to the end of a frame.
    fn jump(&mut self, depth: usize) -> Result<(), Refusal> {
        let (place, frame) = self.target(depth)?;
        if matches!(frame.kind, Kind::Root) {
            return self.answer();
        }
        let (base, results) = (frame.base, frame.results);
        self.place_results(base, results)?;
        let jump = self.builder.jump(Operation::Jump, ANY)?;
        self.exit(place, jump)
    }

    fn jump_if(&mut self, depth: usize) -> Result<(), Refusal> {
        let condition = self.pop()?;
        if let Some(frame) = self.target_as_it_is(depth)? {
            let jump = self.builder.jump(Operation::JumpIf, condition)?;
            return self.exit(frame, jump);
        }
        let over = self.builder.jump(Operation::JumpUnless, condition)?;
        self.jump(depth)?;
        self.builder.land(&[over]);
        Ok(())
    }

    /// Jumps to one of several frames, by a number.
    fn jump_by(&mut self, targets: &BrTable<'_>) -> Result<(), Refusal> {
        let left = self.pop()?;
        let skip = u16::try_from(targets.len()).map_err(|_| Reason::TooManySteps.somewhere())?;
        self.builder.step(Step { left, skip, ..Step::of(Operation::Table) })?;
        let mut jumps = Vec::new();
        for depth in targets.targets().chain([Ok(targets.default())]) {
            let jump = self.builder.jump(Operation::Jump, ANY)?;
            jumps.push((depth.map_err(invalid)? as usize, jump));
        }
        self.builder.settle();
        // To where results are put in their places first, if they are not there: once for each frame.
        jumps.sort_by_key(|(depth, _)| *depth);
        for same in jumps.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((depth, _)) = same.first() else { continue };
            match self.target_as_it_is(*depth)? {
                Some(frame) => same.iter().try_for_each(|(_, jump)| self.exit(frame, *jump))?,
                None => {
                    let all: Vec<usize> = same.iter().map(|(_, jump)| *jump).collect();
                    self.builder.land(&all);
                    self.jump(*depth)?;
                }
            }
        }
        self.die()
    }

    /// Copies the results of a frame, which are the last values on the stack, to where they belong. Each goes down or stays, so none is
    /// overwritten before it is copied.
    fn place_results(&mut self, base: usize, results: usize) -> Result<(), Refusal> {
        let first = self.operands.len().checked_sub(results).ok_or_else(missing)?;
        for number in 0..results {
            let from = self.operands.get(first + number).copied().ok_or_else(missing)?;
            let to = self.builder.slot(base + number)?;
            if from != to {
                self.builder.copy(to, from)?;
            }
        }
        Ok(())
    }

    /// Nothing comes to what is behind.
    fn die(&mut self) -> Result<(), Refusal> {
        self.frames.last_mut().map(|frame| frame.is_dead = true).ok_or_else(missing)
    }

    /// The answer is the value on the stack.
    fn answer(&mut self) -> Result<(), Refusal> {
        let left = self.operands.last().copied().ok_or_else(missing)?;
        self.builder.step(Step { left, ..Step::of(Operation::Return) })
    }

    /// How far out the frame of the function is.
    fn depth_of_function(&self) -> usize {
        self.frames.len().saturating_sub(self.inlined.frame + 1)
    }
}

/// A register that nobody looks at.
const ANY: Place = Place::Input(0);

fn is_slot(operand: Place, place: usize) -> bool {
    matches!(operand, Place::Slot(slot) if usize::from(slot) == place)
}

/// What a valid module has.
fn missing() -> Refusal {
    invalid_at(0, "it is not as its validator found it")
}
