//! The second reading: the module is written anew, section by section.
//!
//! Sections are collected and written in the specification's order at the end, because helpers that a body needs add
//! types and functions to sections that stand before it.
use crate::{
    Checks, Error, GLOBAL_EXPORT_PREFIX, MEMORY_EXPORT, Normalised, Options, TABLE_EXPORT_PREFIX,
    flow::{Check, Flow},
    helper::Helper,
    names::FunctionNames,
    replacement::Replacement,
    sections::{Sections, is_stale},
    survey::{Defined, Survey},
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
        Rewriter { survey, options, helpers: BTreeMap::new(), names: FunctionNames::default(), bodies: 0 };
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
    for call in rewriter.survey.imported_calls() {
        let (module, name) = (crate::CALL_MODULE.into(), call.import_name().into());
        metadata.imports.push(hallows_artifact::Import { module, name, kind: ExternKind::Function });
    }
    metadata.exports.append(&mut sections.reserved);
    Ok(Normalised { wasm: sections.module(&rewriter.names), metadata })
}

/// The state of the second reading.
pub(crate) struct Rewriter<'a> {
    pub(crate) survey: Survey,
    pub(crate) options: Options<'a>,
    /// The function index of every helper that is needed.
    pub(crate) helpers: BTreeMap<Helper, u32>,
    names: FunctionNames,
    /// Function bodies read so far.
    bodies: usize,
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
                    let survey = &self.survey;
                    let moved = |index| (index < survey.functions).then(|| survey.moved_function(index));
                    self.names.read(names, &moved, self.options.rename_function);
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
        let mut type_index = survey.guard_type();
        let mut define = |types: &mut TypeSection, (parameters, results): (&[ValType], &[ValType])| {
            types.ty().function(parameters.iter().copied(), results.iter().copied());
            type_index += 1;
            type_index - 1
        };
        define(&mut out.types, (&[ValType::I32, ValType::I32], &[]));
        for call in survey.imported_calls() {
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

    fn function(&mut self, body: &FunctionBody<'_>) -> Result<Function, EncodingError> {
        let (mut function, length) = self.new_function(body)?;
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
                Replacement::Guarded { step, function: helper } => {
                    let guard = BlockType::FunctionType(self.survey.guard_type());
                    let mut code = function.instructions();
                    code.local_tee(length)
                        .i32_const(step.cast_signed())
                        .i32_le_u()
                        .if_(guard)
                        .local_get(length);
                    match operator {
                        Operator::MemoryFill { .. } => code.memory_fill(0),
                        _ => code.memory_copy(0, 0),
                    };
                    code.else_().local_get(length).call(helper).end();
                }
                Replacement::Drop { left } => {
                    function.instruction(&Instruction::I32Const(0));
                    function.instruction(&Instruction::GlobalSet(left));
                }
            }
        }
        Ok(function)
    }

    /// A function with the locals of `body` and, if it moves memory, one more for the length; and its index.
    fn new_function(&mut self, body: &FunctionBody<'_>) -> Result<(Function, u32), EncodingError> {
        let defined = self.survey.defined.get(self.bodies).copied();
        self.bodies += 1;
        let Some(Defined { parameters, moves_memory: true }) = defined else {
            return Ok((self.new_function_with_parsed_locals(body)?, 0));
        };
        let mut locals = Vec::new();
        let mut length = parameters;
        for group in body.get_locals_reader()? {
            let (count, ty) = group?;
            length += count;
            locals.push((count, self.val_type(ty)?));
        }
        locals.push((1, ValType::I32));
        Ok((Function::new(locals), length))
    }
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
