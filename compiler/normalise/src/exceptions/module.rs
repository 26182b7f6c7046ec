//! The second reading: the module is written anew without exceptions.
use super::{
    UNCAUGHT,
    body::Lowered,
    survey::{Survey, is_exception},
    throwing::Throwing,
};
use crate::{
    Error, features,
    names::FunctionNames,
    sections::{Sections, is_stale},
};
use std::{collections::BTreeMap, convert::Infallible};
use wasm_encoder::{
    BlockType, ConstExpr, ExportSection, Function, GlobalType, Instruction, ValType,
    reencode::{self, Reencode, utils},
};
use wasmparser::{ExternalKind, Operator, Parser, Payload, ValidPayload, Validator};

pub(crate) type EncodingError = reencode::Error<Infallible>;

/// The globals in which what was thrown waits.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    /// Zero, or one more than the tag.
    pub(crate) tag: u32,
    /// For every tag the globals of what it carries.
    pub(crate) carried: Vec<Vec<u32>>,
    /// The global of the one `i32` that a reference may carry, if a tag carries one.
    pub(crate) number: Option<u32>,
    /// The types of the globals after the first.
    types: Vec<ValType>,
}

impl Pending {
    /// Tags that carry the same types share globals: only one exception is under way at a time.
    fn new(survey: &Survey) -> Result<Pending, EncodingError> {
        let tag = survey.globals;
        let mut types: Vec<ValType> = Vec::new();
        let mut carried = Vec::new();
        for values in &survey.tags {
            let mut globals: Vec<u32> = Vec::new();
            for value in values {
                let ty = utils::val_type(&mut reencode::RoundtripReencoder, *value)?;
                let free = (0..)
                    .zip(&types)
                    .find(|(index, known)| **known == ty && !globals.contains(&(tag + 1 + index)));
                let index = free.map_or(types.len() as u32, |(index, _)| index);
                if index == types.len() as u32 {
                    types.push(ty);
                }
                globals.push(tag + 1 + index);
            }
            carried.push(globals);
        }
        let number = types.iter().position(|ty| *ty == ValType::I32).map(|index| tag + 1 + index as u32);
        Ok(Pending { tag, carried, number, types })
    }
}

/// The state of the second reading.
pub(crate) struct Writer<'a> {
    pub(crate) survey: &'a Survey,
    pub(crate) throwing: &'a Throwing,
    pub(crate) pending: Pending,
    /// By the type of a block with parameters, the type `(those parameters) -> ()`.
    landing_types: BTreeMap<u32, u32>,
    /// By a function that is called from outside and may throw, the one that is called in its place.
    entries: BTreeMap<u32, u32>,
}

/// Writes the module that `survey` was made of.
///
/// # Errors
/// The encoder's own, which a valid module does not cause.
pub(crate) fn write(wasm: &[u8], survey: &Survey, throwing: &Throwing) -> Result<Vec<u8>, Error> {
    let throwing_entries = survey.entries.iter().filter(|entry| throwing.function(**entry));
    let entries = throwing_entries.copied().zip(survey.functions.len() as u32..).collect();
    let mut writer =
        Writer { survey, throwing, pending: Pending::new(survey)?, landing_types: BTreeMap::new(), entries };
    let mut out = Sections::default();
    let mut names = FunctionNames::default();
    let mut validator = Validator::new_with_features(features::WITH_EXCEPTIONS);
    let mut function = survey.imported_functions;
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload?;
        if let ValidPayload::Func(to_validate, body) = validator.payload(&payload)? {
            let mut validator = to_validate.into_validator(Default::default());
            let lowered = Lowered::of(&mut writer, function, &body, &mut validator)?;
            out.code.function(&lowered);
            function += 1;
        } else {
            writer.section(&mut out, &mut names, payload)?;
        }
    }
    writer.finish(&mut out, &mut names)?;
    Ok(out.module(&names))
}

impl Writer<'_> {
    fn section(
        &mut self,
        out: &mut Sections,
        names: &mut FunctionNames,
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
            Payload::StartSection { func, .. } => out.start = Some(self.entry(func)),
            Payload::ElementSection(section) => self.parse_element_section(&mut out.elements, section)?,
            Payload::DataCountSection { count, .. } => out.data_count = Some(count),
            Payload::DataSection(section) => self.parse_data_section(&mut out.data, section)?,
            Payload::CustomSection(section) => match section.as_known() {
                wasmparser::KnownCustom::Name(section) => {
                    let count = self.survey.functions.len() as u32;
                    let known = |index| (index < count).then_some(index);
                    names.read(section, &known, &|name| name.into());
                }
                _ if is_stale(section.name()) => {}
                _ => out.custom.push((section.name().into(), section.data().into())),
            },
            _ => {}
        }
        Ok(())
    }

    /// Adds what the lowering itself brings: types, globals, the functions that are called from outside.
    fn finish(&mut self, out: &mut Sections, names: &mut FunctionNames) -> Result<(), EncodingError> {
        let survey = self.survey;
        let mut in_order: Vec<(u32, u32)> =
            self.landing_types.iter().map(|(block, ty)| (*ty, *block)).collect();
        in_order.sort_unstable();
        for (_, block) in in_order {
            let parameters = self.val_types(survey.types[block as usize].params().to_vec())?;
            out.types.ty().function(parameters, []);
        }
        let mutable = |val_type| GlobalType { val_type, mutable: true, shared: false };
        out.globals.global(mutable(ValType::I32), &ConstExpr::i32_const(0));
        for ty in &self.pending.types {
            out.globals.global(mutable(*ty), &zero(*ty));
        }
        if self.entries.is_empty() {
            return Ok(());
        }
        let uncaught = survey.functions.len() as u32 + self.entries.len() as u32;
        for (function, entry) in &self.entries {
            out.functions.function(survey.functions[*function as usize]);
            let parameters = survey.signature(*function).map_or(0, |ty| ty.params().len() as u32);
            let mut code = Function::new([]);
            for parameter in 0..parameters {
                code.instruction(&Instruction::LocalGet(parameter));
            }
            code.instruction(&Instruction::Call(*function));
            code.instruction(&Instruction::GlobalGet(self.pending.tag));
            code.instruction(&Instruction::If(BlockType::Empty));
            code.instruction(&Instruction::Call(uncaught));
            code.instruction(&Instruction::End).instruction(&Instruction::End);
            out.code.function(&code);
            names.name(*entry, format!("hallows:entry {function}"));
        }
        let empty = self.empty_type(out);
        out.functions.function(empty);
        let mut code = Function::new([]);
        code.instruction(&Instruction::Unreachable).instruction(&Instruction::End);
        out.code.function(&code);
        names.name(uncaught, UNCAUGHT.into());
        Ok(())
    }

    /// The type `() -> ()`, behind all others.
    fn empty_type(&self, out: &mut Sections) -> u32 {
        out.types.ty().function([], []);
        (self.survey.types.len() + self.landing_types.len()) as u32
    }

    /// What is called from outside in place of a function.
    fn entry(&self, function: u32) -> u32 {
        self.entries.get(&function).copied().unwrap_or(function)
    }

    /// The type of the block from whose end a handler starts: the parameters of the block with handlers, and no results.
    pub(crate) fn landing_type(&mut self, block: wasmparser::BlockType) -> BlockType {
        let wasmparser::BlockType::FuncType(ty) = block else { return BlockType::Empty };
        if self.survey.types.get(ty as usize).is_none_or(|ty| ty.params().is_empty()) {
            return BlockType::Empty;
        }
        let next = (self.survey.types.len() + self.landing_types.len()) as u32;
        BlockType::FunctionType(*self.landing_types.entry(ty).or_insert(next))
    }
}

/// The constant that a global starts from.
fn zero(ty: ValType) -> ConstExpr {
    match ty {
        ValType::I32 => ConstExpr::i32_const(0),
        ValType::I64 => ConstExpr::i64_const(0),
        ValType::F32 => ConstExpr::f32_const(0.0.into()),
        ValType::F64 => ConstExpr::f64_const(0.0.into()),
        ValType::V128 => ConstExpr::v128_const(0),
        ValType::Ref(reference) => ConstExpr::ref_null(reference.heap_type),
    }
}

impl Reencode for Writer<'_> {
    type Error = Infallible;

    fn val_type(&mut self, ty: wasmparser::ValType) -> Result<ValType, EncodingError> {
        if is_exception(ty) { Ok(ValType::I64) } else { utils::val_type(self, ty) }
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Result<Instruction<'a>, EncodingError> {
        match operator {
            Operator::RefNull { hty } if is_exception(exception_or_other(hty)) => {
                Ok(Instruction::I64Const(0))
            }
            other => utils::instruction(self, other),
        }
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: wasmparser::ExportSectionReader<'_>,
    ) -> Result<(), EncodingError> {
        for export in section {
            let mut export = export?;
            match export.kind {
                // Nobody could throw or catch it outside.
                ExternalKind::Tag => continue,
                ExternalKind::Func | ExternalKind::FuncExact => export.index = self.entry(export.index),
                _ => {}
            }
            self.parse_export(exports, export)?;
        }
        Ok(())
    }
}

/// The type of a null reference.
fn exception_or_other(hty: wasmparser::HeapType) -> wasmparser::ValType {
    let reference = wasmparser::RefType::new(true, hty);
    reference.map_or(wasmparser::ValType::FUNCREF, wasmparser::ValType::Ref)
}
