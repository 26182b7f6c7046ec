//! The second reading: the module is written anew, section by section.
//!
//! Sections are collected and written in the specification's order at the end, because helpers that a body needs add
//! types and functions to sections that stand before it.
use crate::{
    Checks, Error, GLOBAL_EXPORT_PREFIX, MEMORY_EXPORT, Normalised, Options, TABLE_EXPORT_PREFIX, cost,
    flow::{After, Check, Flow},
    helper::{AtomicCall, Helper},
    names::FunctionNames,
    sections::{Sections, is_stale},
    survey::{SegmentLength, Survey},
};
use hallows_artifact::ExternKind;
use std::{collections::BTreeMap, convert::Infallible};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, Function, GlobalType, Instruction, TableSection,
    TypeSection, ValType,
    reencode::{self, Reencode, utils},
};
use wasmparser::{CodeSectionReader, FunctionBody, Operator, Parser, Payload};

type EncodingError = reencode::Error<Infallible>;

/// Writes the module that `survey` was made of.
pub(crate) fn rewrite(wasm: &[u8], survey: Survey, options: Options<'_>) -> Result<Normalised, Error> {
    let mut rewriter =
        Rewriter { survey, options, helpers: BTreeMap::new(), names: FunctionNames::default() };
    let mut sections = Sections::default();
    for payload in Parser::new(0).parse_all(wasm) {
        rewriter.section(&mut sections, wasm, payload?)?;
    }
    rewriter.finish(&mut sections);
    let mut metadata = rewriter.survey.metadata.clone();
    for export in &mut metadata.exports {
        if export.kind == ExternKind::Function {
            export.index = rewriter.survey.moved_function(export.index);
        }
    }
    for call in rewriter.survey.imported_atomic_calls() {
        let (module, name) = (crate::CALL_MODULE.into(), call.import_name().into());
        metadata.imports.push(hallows_artifact::Import { module, name, kind: ExternKind::Function });
    }
    metadata.exports.append(&mut sections.reserved);
    Ok(Normalised { wasm: sections.module(&rewriter.names), metadata })
}

struct Rewriter<'a> {
    survey: Survey,
    options: Options<'a>,
    /// The function index of every helper that is needed.
    helpers: BTreeMap<Helper, u32>,
    names: FunctionNames,
}

impl Rewriter<'_> {
    fn section(
        &mut self,
        out: &mut Sections,
        wasm: &[u8],
        payload: Payload<'_>,
    ) -> Result<(), EncodingError> {
        match payload {
            Payload::TypeSection(section) => self.parse_type_section(&mut out.types, section)?,
            Payload::ImportSection(section) => self.parse_import_section(&mut out.imports, section)?,
            Payload::FunctionSection(section) => self.parse_function_section(&mut out.functions, section)?,
            Payload::TableSection(section) => self.parse_table_section(&mut out.tables, section)?,
            Payload::MemorySection(section) => self.parse_memory_section(&mut out.memories, section)?,
            Payload::GlobalSection(section) => self.parse_global_section(&mut out.globals, section)?,
            Payload::ExportSection(section) => self.parse_export_section(&mut out.exports, section)?,
            Payload::StartSection { func, .. } => out.start = Some(self.function_index(func)?),
            Payload::ElementSection(section) => self.parse_element_section(&mut out.elements, section)?,
            Payload::DataCountSection { count, .. } => out.data_count = Some(count),
            Payload::DataSection(section) => self.parse_data_section(&mut out.data, section)?,
            Payload::CodeSectionStart { range, .. } => {
                let bytes = wasm.get(range.clone()).ok_or(EncodingError::InvalidCodeSectionSize)?;
                let reader = wasmparser::BinaryReader::new(bytes, range.start);
                self.parse_code_section(&mut out.code, CodeSectionReader::new(reader)?)?;
            }
            Payload::CustomSection(section) => match section.as_known() {
                wasmparser::KnownCustom::Name(names) => {
                    self.names.read(names, &self.survey, self.options.rename_function);
                }
                _ if is_stale(section.name()) => {}
                _ => out.custom.push((section.name().into(), section.data().into())),
            },
            _ => {}
        }
        Ok(())
    }

    /// Adds what the pass itself brings: imports, globals, helper functions, reserved exports.
    fn finish(&mut self, out: &mut Sections) {
        let survey = &self.survey;
        let mut type_index = survey.types;
        let mut define = |types: &mut TypeSection, (parameters, results): (&[ValType], &[ValType])| {
            types.ty().function(parameters.iter().copied(), results.iter().copied());
            type_index += 1;
            type_index - 1
        };
        for call in survey.imported_atomic_calls() {
            let ty = define(&mut out.types, call.signature());
            out.imports.import(crate::CALL_MODULE, call.import_name(), EntityType::Function(ty));
        }
        let mut in_order: Vec<(u32, Helper)> =
            self.helpers.iter().map(|(helper, at)| (*at, *helper)).collect();
        in_order.sort_unstable();
        let bounds = match self.options.checks {
            Checks::Bounded(bounds) => bounds,
            // Steps so large that there is only one.
            Checks::None => hallows_artifact::Bounds {
                straight_line_units: u32::MAX,
                tail_units: u32::MAX,
                bulk_bytes: u32::MAX,
                bulk_elements: u32::MAX,
            },
        };
        for (index, helper) in in_order {
            let ty = define(&mut out.types, helper.signature());
            out.functions.function(ty);
            out.code.function(&helper.body(survey, bounds));
            self.names.name(index, helper.name());
        }
        let mut globals = survey.mutable_globals.clone();
        for (global, length) in (survey.globals..).zip(survey.droppable()) {
            let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
            out.globals.global(ty, &ConstExpr::i32_const(length.cast_signed()));
            globals.push(global);
        }
        if survey.metadata.memory.is_some() {
            out.export(MEMORY_EXPORT.into(), ExternKind::Memory, 0);
        }
        for global in globals {
            out.export(format!("{GLOBAL_EXPORT_PREFIX}{global}"), ExternKind::Global, global);
        }
        for (index, _) in (0..).zip(&survey.tables).filter(|(_, table)| table.changed) {
            out.export(format!("{TABLE_EXPORT_PREFIX}{index}"), ExternKind::Table, index);
        }
    }

    /// The index of a helper, which is appended if it is not there yet.
    fn helper(&mut self, helper: Helper) -> u32 {
        let next = self.survey.functions + self.survey.added_imports() + self.helpers.len() as u32;
        *self.helpers.entry(helper).or_insert(next)
    }

    /// What an instruction becomes, if not itself. `length` is the constant before it.
    fn replacement(&mut self, operator: &Operator<'_>, length: Option<u32>) -> Replacement {
        let Checks::Bounded(bounds) = self.options.checks else {
            return self.necessary_replacement(operator);
        };
        let short = |step: u32, unit_bytes: u32| {
            let units =
                length.filter(|length| *length <= step).map(|length| length.saturating_mul(unit_bytes));
            units.map(|bytes| Replacement::Itself { units: cost::bulk(bytes) })
        };
        // An entry of a table is a pointer, and copying it takes a handful of instructions.
        let (memory, table) = (short(bounds.bulk_bytes, 1), short(bounds.bulk_elements, 64));
        let (kept, helper) = match *operator {
            Operator::MemoryFill { .. } => (memory, Helper::MemoryFill),
            Operator::MemoryCopy { .. } => (memory, Helper::MemoryCopy),
            Operator::MemoryInit { data_index: segment, .. } => {
                let droppable = matches!(self.survey.data_length(segment), SegmentLength::Global(_));
                (if droppable { None } else { memory }, Helper::MemoryInit { segment })
            }
            Operator::TableInit { elem_index: segment, table: to } => {
                let droppable = matches!(self.survey.element_length(segment), SegmentLength::Global(_));
                (if droppable { None } else { table }, Helper::TableInit { segment, table: to })
            }
            Operator::TableFill { table: to } => (table, Helper::TableFill { table: to }),
            Operator::TableCopy { dst_table: to, src_table: from } => (table, Helper::TableCopy { to, from }),
            Operator::TableGrow { table } => (None, Helper::TableGrow { table }),
            _ => return self.necessary_replacement(operator),
        };
        kept.unwrap_or_else(|| Replacement::Call { function: self.helper(helper) })
    }

    /// The replacements that the engine relies on, checks or not.
    fn necessary_replacement(&mut self, operator: &Operator<'_>) -> Replacement {
        let atomic = |call, memory: &wasmparser::MemArg| {
            // Offsets into a 32-bit memory are 32-bit numbers.
            Helper::Atomic { call, offset: u32::try_from(memory.offset).unwrap_or(u32::MAX) }
        };
        let helper = match operator {
            Operator::DataDrop { data_index } => match self.survey.data_length(*data_index) {
                SegmentLength::Global(left) => return Replacement::Drop { left },
                SegmentLength::Constant(_) => return Replacement::Itself { units: 1 },
            },
            Operator::ElemDrop { elem_index } => match self.survey.element_length(*elem_index) {
                SegmentLength::Global(left) => return Replacement::Drop { left },
                SegmentLength::Constant(_) => return Replacement::Itself { units: 1 },
            },
            Operator::MemoryInit { data_index, .. }
                if matches!(self.survey.data_length(*data_index), SegmentLength::Global(_)) =>
            {
                Helper::MemoryInit { segment: *data_index }
            }
            Operator::TableInit { elem_index, table }
                if matches!(self.survey.element_length(*elem_index), SegmentLength::Global(_)) =>
            {
                Helper::TableInit { segment: *elem_index, table: *table }
            }
            Operator::MemoryAtomicWait32 { memarg } => atomic(AtomicCall::Wait32, memarg),
            Operator::MemoryAtomicWait64 { memarg } => atomic(AtomicCall::Wait64, memarg),
            Operator::MemoryAtomicNotify { memarg } => atomic(AtomicCall::Notify, memarg),
            _ => return Replacement::Itself { units: cost::of(operator) },
        };
        Replacement::Call { function: self.helper(helper) }
    }

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<Function, EncodingError> {
        let mut function = self.new_function_with_parsed_locals(body)?;
        let mut flow = match self.options.checks {
            Checks::Bounded(bounds) => Some(Flow::new(bounds)),
            Checks::None => None,
        };
        let mut reader = body.get_operators_reader()?;
        let mut constant = None;
        while !reader.eof() {
            let operator = reader.read()?;
            let replacement = self.replacement(&operator, constant);
            let (units, after) = self.weigh(&operator, &replacement);
            if let Some(flow) = &mut flow
                && flow.operator(&operator, units, after) == Check::Insert
            {
                function.instruction(&Instruction::Loop(BlockType::Empty));
                function.instruction(&Instruction::End);
            }
            constant = match operator {
                Operator::I32Const { value } => Some(value.cast_unsigned()),
                _ => None,
            };
            match replacement {
                Replacement::Itself { .. } => {
                    function.instruction(&self.instruction(operator)?);
                }
                Replacement::Call { function: index } => {
                    function.instruction(&Instruction::Call(index));
                }
                Replacement::Drop { left } => {
                    function.instruction(&Instruction::I32Const(0));
                    function.instruction(&Instruction::GlobalSet(left));
                }
            }
        }
        Ok(function)
    }

    /// What an instruction weighs and calls.
    fn weigh(&self, operator: &Operator<'_>, replacement: &Replacement) -> (u32, After) {
        match (replacement, operator) {
            (Replacement::Call { .. }, _) => (cost::HOST_CALL, After::DefinedCall),
            (Replacement::Drop { .. }, _) => (2, After::Continue),
            (Replacement::Itself { units }, Operator::Call { function_index })
                if *function_index >= self.survey.imported_functions =>
            {
                (*units, After::DefinedCall)
            }
            (Replacement::Itself { units }, Operator::CallIndirect { .. }) => (*units, After::EitherCall),
            (Replacement::Itself { units }, _) => (*units, After::Continue),
        }
    }
}

/// What an instruction becomes.
enum Replacement {
    /// What it was, with its weight.
    Itself { units: u32 },
    /// A call to a helper.
    Call { function: u32 },
    /// A segment is dropped: its global says so.
    Drop { left: u32 },
}

impl Reencode for Rewriter<'_> {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, EncodingError> {
        Ok(self.survey.moved_function(function))
    }

    fn memory_type(&mut self, ty: wasmparser::MemoryType) -> Result<wasm_encoder::MemoryType, EncodingError> {
        Ok(wasm_encoder::MemoryType { shared: false, ..utils::memory_type(self, ty) })
    }

    fn parse_table_section(
        &mut self,
        tables: &mut TableSection,
        section: wasmparser::TableSectionReader<'_>,
    ) -> Result<(), EncodingError> {
        let imported = self.survey.tables.len() - section.count() as usize;
        for (index, table) in (imported..).zip(section) {
            let mut ty = self.table_type(table?.ty)?;
            ty.maximum = self.survey.tables.get(index).and_then(|table| table.maximum());
            tables.table(ty);
        }
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        body: FunctionBody<'_>,
    ) -> Result<(), EncodingError> {
        let function = self.function(&body)?;
        code.function(&function);
        Ok(())
    }
}
