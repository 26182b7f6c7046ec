//! One function without exceptions.
//!
//! A block with handlers becomes two: the inner one's end is the *landing*, where the handlers stand; the outer one's end is where the
//! block ended. A function that may throw is such a block, whose landing returns zeros:
//!
//! ```text
//! try_table (result t) (catch $tag $l) … end        block (result t)
//!                                                     block                       ;; its end is the landing
//!                                                       …  global.get $pending  br_if 0  …
//!                                                       br 1
//!                                                     end
//!                                                     global.get $pending  i32.const tag+1  i32.eq
//!                                                     if  i32.const 0  global.set $pending  global.get $carried  br $l  end
//!                                                     br $landing_of_the_enclosing_block
//!                                                   end
//! ```
use super::{
    module::{EncodingError, Writer},
    survey::is_exception,
};
use wasm_encoder::{BlockType, Function, Instruction, ValType, reencode::Reencode};
use wasmparser::{Catch, FuncValidator, FunctionBody, Operator, ValidatorResources};

/// Bits of a reference to an exception below its tag.
const NUMBER_BITS: i64 = 32;

/// What a block is, as far as handlers are concerned.
#[derive(Clone, Debug)]
enum Kind {
    /// It has no handlers.
    Plain,
    /// A `try_table`, with its handlers.
    Table(Vec<Catch>),
    /// The body of a `try`.
    Body,
    /// A handler of a `try` for one tag, inside of an `if`.
    CatchOne,
    /// The handler of a `try` for all tags.
    CatchAll,
}

/// An open block of the function that goes in.
#[derive(Clone, Debug)]
struct Frame {
    kind: Kind,
    /// Which open block of the function that comes out a branch to its label leads to, counted from the outermost.
    label: u32,
    /// The block whose end is its landing, while its handlers are in force.
    landing: Option<u32>,
    /// The landing in force outside of it. Kept, because looking for it at each call would make deep nesting dear.
    outside: Option<u32>,
    /// How many blocks of the older encoding are around it: by it, the local that keeps what a `try` caught, for `rethrow`.
    tries: u32,
}

impl Frame {
    /// The landing in force inside of it.
    fn in_force(&self) -> Option<u32> {
        self.landing.or(self.outside)
    }
}

/// The walk over one body.
pub(crate) struct Lowered<'a, 'b> {
    writer: &'a mut Writer<'b>,
    code: Function,
    frames: Vec<Frame>,
    /// Open blocks of the function that comes out, itself counted.
    depth: u32,
    /// A local for a reference to an exception that is thrown.
    thrown: u32,
    /// The first local for what a `try` caught, and whether there are any.
    caught: u32,
    rethrows: bool,
}

impl Lowered<'_, '_> {
    /// The function that `body` becomes.
    ///
    /// # Errors
    /// The encoder's and the reader's, which a valid module does not cause.
    pub(crate) fn of(
        writer: &mut Writer<'_>,
        function: u32,
        body: &FunctionBody<'_>,
        validator: &mut FuncValidator<ValidatorResources>,
    ) -> Result<Function, EncodingError> {
        validator.read_locals(&mut body.get_binary_reader())?;
        let needs = Needs::of(body)?;
        let parameters = writer.survey.signature(function).map_or(0, |ty| ty.params().len() as u32);
        let mut locals = Vec::new();
        let mut next = parameters;
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            next += count;
            locals.push((count, writer.val_type(ty)?));
        }
        let added = u32::from(needs.throws_reference) + if needs.rethrows { needs.deepest_try } else { 0 };
        if added > 0 {
            locals.push((added, ValType::I64));
        }
        let throwing = writer.throwing.function(function);
        let mut lowered = Lowered {
            writer,
            code: Function::new(locals),
            // A branch to the function's label returns.
            frames: vec![Frame {
                kind: Kind::Plain,
                label: 0,
                landing: throwing.then_some(1),
                outside: None,
                tries: 0,
            }],
            depth: 1,
            thrown: next,
            caught: next + u32::from(needs.throws_reference),
            rethrows: needs.rethrows,
        };
        if throwing {
            lowered.open(Instruction::Block(BlockType::Empty));
        }
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            let (operator, offset) = reader.read_with_offset()?;
            lowered.operator(&operator, validator)?;
            validator.op(offset, &operator)?;
        }
        if throwing {
            lowered.emit(Instruction::Return);
            lowered.close();
            lowered.zeros(function)?;
        }
        lowered.emit(Instruction::End);
        Ok(lowered.code)
    }

    fn operator(
        &mut self,
        operator: &Operator<'_>,
        validator: &FuncValidator<ValidatorResources>,
    ) -> Result<(), EncodingError> {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => {
                self.push(Kind::Plain, None);
                let instruction = self.writer.instruction(operator.clone())?;
                self.open(instruction);
            }
            Operator::TryTable { try_table } => {
                self.enter(try_table.ty, Kind::Table(try_table.catches.clone()))?;
            }
            Operator::Try { blockty } => self.enter(*blockty, Kind::Body)?,
            Operator::Catch { tag_index } => {
                self.next_handler(Kind::CatchOne);
                self.compare(*tag_index);
                self.take(Some(*tag_index));
            }
            Operator::CatchAll => {
                self.next_handler(Kind::CatchAll);
                self.take(None);
            }
            Operator::Delegate { relative_depth } => {
                self.leave_body();
                self.frames.pop();
                // Counted from outside of the block.
                let outside = self.frames.len().saturating_sub(*relative_depth as usize);
                self.propagate(outside);
                self.close();
            }
            Operator::End => self.end(),
            Operator::Br { relative_depth } => {
                let target = self.relative(*relative_depth);
                self.emit(Instruction::Br(target));
            }
            Operator::BrIf { relative_depth } => {
                let target = self.relative(*relative_depth);
                self.emit(Instruction::BrIf(target));
            }
            Operator::BrTable { targets } => {
                let mut all = Vec::new();
                for target in targets.targets() {
                    all.push(self.relative(target?));
                }
                let default = self.relative(targets.default());
                self.emit(Instruction::BrTable(all.into(), default));
            }
            Operator::Throw { tag_index } => {
                let carried = self.writer.pending.carried.get(*tag_index as usize).cloned();
                for global in carried.into_iter().flatten().rev() {
                    self.emit(Instruction::GlobalSet(global));
                }
                self.emit(Instruction::I32Const(pending(*tag_index)));
                self.emit(Instruction::GlobalSet(self.writer.pending.tag));
                self.propagate(self.frames.len());
            }
            Operator::ThrowRef => {
                self.emit(Instruction::LocalSet(self.thrown));
                self.throw_reference(self.thrown);
            }
            Operator::Rethrow { relative_depth } => {
                let index = self.frames.len().saturating_sub(1 + *relative_depth as usize);
                let tries = self.frames.get(index).map_or(0, |frame| frame.tries);
                self.throw_reference(self.caught + tries);
            }
            Operator::RefIsNull if validator.get_operand_type(0).flatten().is_some_and(is_exception) => {
                self.emit(Instruction::I64Eqz);
            }
            Operator::Call { function_index } => {
                self.emit(Instruction::Call(*function_index));
                if self.writer.throwing.function(*function_index) {
                    self.test();
                }
            }
            Operator::CallIndirect { type_index, table_index } => {
                let (type_index, table_index) = (*type_index, *table_index);
                self.emit(Instruction::CallIndirect { type_index, table_index });
                if self.writer.throwing.types.contains(&type_index) {
                    self.test();
                }
            }
            // Among them `return_call`: what the callee throws leaves this function's handlers aside.
            other => {
                let instruction = self.writer.instruction(other.clone())?;
                self.emit(instruction);
            }
        }
        Ok(())
    }

    fn emit(&mut self, instruction: Instruction<'_>) {
        self.code.instruction(&instruction);
    }

    /// Opens a block of the function that comes out.
    fn open(&mut self, instruction: Instruction<'_>) {
        self.emit(instruction);
        self.depth += 1;
    }

    /// Closes the innermost.
    fn close(&mut self) {
        self.emit(Instruction::End);
        self.depth -= 1;
    }

    /// The distance to an open block.
    fn distance(&self, block: u32) -> u32 {
        self.depth - 1 - block
    }

    /// The distance to the block that a label of the function that goes in stands for.
    fn relative(&self, label: u32) -> u32 {
        let frame =
            self.frames.len().checked_sub(1 + label as usize).and_then(|index| self.frames.get(index));
        self.distance(frame.map_or(0, |frame| frame.label))
    }

    /// Takes note of a block of the function that goes in, before the next one of the function that comes out is opened.
    fn push(&mut self, kind: Kind, landing: Option<u32>) {
        let around = self.frames.last();
        let older = |frame: &Frame| matches!(frame.kind, Kind::Body | Kind::CatchOne | Kind::CatchAll);
        let tries = around.map_or(0, |frame| frame.tries + u32::from(older(frame)));
        let outside = around.and_then(Frame::in_force);
        self.frames.push(Frame { kind, label: self.depth, landing, outside, tries });
    }

    /// Enters a block with handlers.
    fn enter(&mut self, ty: wasmparser::BlockType, kind: Kind) -> Result<(), EncodingError> {
        let landing = self.writer.landing_type(ty);
        let ty = self.writer.block_type(ty)?;
        self.push(kind, Some(self.depth + 1));
        self.open(Instruction::Block(ty));
        self.open(Instruction::Block(landing));
        Ok(())
    }

    /// Ends the body of a block with handlers: from here on its handlers stand.
    fn leave_body(&mut self) {
        self.emit(Instruction::Br(1));
        self.close();
        if let Some(frame) = self.frames.last_mut() {
            frame.landing = None;
        }
    }

    /// Ends the body or the handler before, and begins another handler of a `try`.
    fn next_handler(&mut self, kind: Kind) {
        match self.frames.last().map(|frame| frame.kind.clone()) {
            Some(Kind::Body) => {
                self.leave_body();
                if let (true, Some(tries)) = (self.rethrows, self.frames.last().map(|frame| frame.tries)) {
                    self.reference();
                    self.emit(Instruction::LocalSet(self.caught + tries));
                }
            }
            Some(Kind::CatchOne) => {
                self.emit(Instruction::Br(1));
                self.close();
            }
            _ => {}
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.kind = kind;
        }
    }

    fn end(&mut self) {
        match self.frames.last().map(|frame| frame.kind.clone()) {
            Some(Kind::Plain) if self.frames.len() > 1 => self.close(),
            Some(Kind::Table(catches)) => {
                self.leave_body();
                self.frames.pop();
                for catch in &catches {
                    self.handle(*catch);
                }
                if !catches.iter().any(|catch| matches!(catch, Catch::All { .. } | Catch::AllRef { .. })) {
                    self.propagate(self.frames.len());
                }
                self.close();
                return;
            }
            Some(Kind::Body) => {
                self.leave_body();
                self.propagate(self.frames.len());
                self.close();
            }
            Some(Kind::CatchOne) => {
                self.emit(Instruction::Br(1));
                self.close();
                self.propagate(self.frames.len());
                self.close();
            }
            Some(Kind::CatchAll) => self.close(),
            // The function's own end is written by the caller.
            Some(Kind::Plain) | None => {}
        }
        self.frames.pop();
    }

    /// A handler of a `try_table`.
    fn handle(&mut self, catch: Catch) {
        let (tag, label, by_reference) = match catch {
            Catch::One { tag, label } => (Some(tag), label, false),
            Catch::OneRef { tag, label } => (Some(tag), label, true),
            Catch::All { label } => (None, label, false),
            Catch::AllRef { label } => (None, label, true),
        };
        if let Some(tag) = tag {
            self.compare(tag);
        }
        if by_reference {
            // Before the tag is taken from where it waits.
            self.reference();
            self.emit(Instruction::LocalSet(self.thrown));
        }
        self.take(tag);
        if by_reference {
            self.emit(Instruction::LocalGet(self.thrown));
        }
        let target = self.relative(label);
        self.emit(Instruction::Br(target));
        if tag.is_some() {
            self.close();
        }
    }

    /// Opens an `if` for an exception with this tag.
    fn compare(&mut self, tag: u32) {
        self.emit(Instruction::GlobalGet(self.writer.pending.tag));
        self.emit(Instruction::I32Const(pending(tag)));
        self.emit(Instruction::I32Eq);
        self.open(Instruction::If(BlockType::Empty));
    }

    /// Nothing is under way any more; what a tag carries is on the stack.
    fn take(&mut self, tag: Option<u32>) {
        self.emit(Instruction::I32Const(0));
        self.emit(Instruction::GlobalSet(self.writer.pending.tag));
        let carried = tag.and_then(|tag| self.writer.pending.carried.get(tag as usize)).cloned();
        for global in carried.into_iter().flatten() {
            self.emit(Instruction::GlobalGet(global));
        }
    }

    /// A reference to the exception that is under way, on the stack.
    fn reference(&mut self) {
        self.emit(Instruction::GlobalGet(self.writer.pending.tag));
        self.emit(Instruction::I64ExtendI32U);
        self.emit(Instruction::I64Const(NUMBER_BITS));
        self.emit(Instruction::I64Shl);
        if let Some(number) = self.writer.pending.number {
            self.emit(Instruction::GlobalGet(number));
            self.emit(Instruction::I64ExtendI32U);
            self.emit(Instruction::I64Or);
        }
    }

    /// Throws what a local refers to; a null reference traps.
    fn throw_reference(&mut self, local: u32) {
        self.emit(Instruction::LocalGet(local));
        self.emit(Instruction::I64Eqz);
        self.emit(Instruction::If(BlockType::Empty));
        self.emit(Instruction::Unreachable);
        self.emit(Instruction::End);
        self.emit(Instruction::LocalGet(local));
        self.emit(Instruction::I64Const(NUMBER_BITS));
        self.emit(Instruction::I64ShrU);
        self.emit(Instruction::I32WrapI64);
        self.emit(Instruction::GlobalSet(self.writer.pending.tag));
        if let Some(number) = self.writer.pending.number {
            self.emit(Instruction::LocalGet(local));
            self.emit(Instruction::I32WrapI64);
            self.emit(Instruction::GlobalSet(number));
        }
        self.propagate(self.frames.len());
    }

    /// Goes on to the handlers in force outside of the first `outside` open blocks.
    fn propagate(&mut self, outside: usize) {
        match self.landing(outside) {
            Some(target) => self.emit(Instruction::Br(target)),
            None => self.emit(Instruction::Unreachable),
        }
    }

    /// The distance to the landing in force within the first `within` open blocks; none where nothing can be thrown.
    fn landing(&self, within: usize) -> Option<u32> {
        let frame = within.checked_sub(1).and_then(|innermost| self.frames.get(innermost));
        frame.and_then(Frame::in_force).map(|landing| self.distance(landing))
    }

    /// After a call that may have thrown.
    fn test(&mut self) {
        if let Some(target) = self.landing(self.frames.len()) {
            self.emit(Instruction::GlobalGet(self.writer.pending.tag));
            self.emit(Instruction::BrIf(target));
        }
    }

    /// What a function returns that throws: nobody looks at it.
    fn zeros(&mut self, function: u32) -> Result<(), EncodingError> {
        let results = self.writer.survey.signature(function).map_or(Vec::new(), |ty| ty.results().to_vec());
        for result in results {
            let zero = match self.writer.val_type(result)? {
                ValType::I32 => Instruction::I32Const(0),
                ValType::I64 => Instruction::I64Const(0),
                ValType::F32 => Instruction::F32Const(0.0.into()),
                ValType::F64 => Instruction::F64Const(0.0.into()),
                ValType::V128 => Instruction::V128Const(0),
                ValType::Ref(reference) => Instruction::RefNull(reference.heap_type),
            };
            self.emit(zero);
        }
        Ok(())
    }
}

/// What a tag is while it waits.
fn pending(tag: u32) -> i32 {
    (tag + 1).cast_signed()
}

/// Which locals a body needs.
#[derive(Clone, Copy, Debug, Default)]
struct Needs {
    /// For a reference that is thrown, or made.
    throws_reference: bool,
    /// For what each `try` caught.
    rethrows: bool,
    deepest_try: u32,
}

impl Needs {
    fn of(body: &FunctionBody<'_>) -> Result<Needs, EncodingError> {
        let mut needs = Needs::default();
        let mut open: Vec<bool> = Vec::new();
        let mut tries = 0;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            match reader.read()? {
                Operator::ThrowRef => needs.throws_reference = true,
                Operator::TryTable { try_table } => {
                    let by_reference =
                        |catch: &Catch| matches!(catch, Catch::OneRef { .. } | Catch::AllRef { .. });
                    needs.throws_reference |= try_table.catches.iter().any(by_reference);
                    open.push(false);
                }
                Operator::Rethrow { .. } => needs.rethrows = true,
                Operator::Try { .. } => {
                    open.push(true);
                    tries += 1;
                    needs.deepest_try = needs.deepest_try.max(tries);
                }
                Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(false),
                Operator::End | Operator::Delegate { .. } => {
                    tries -= u32::from(open.pop().unwrap_or(false));
                }
                _ => {}
            }
        }
        Ok(needs)
    }
}
