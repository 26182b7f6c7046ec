//! A module's parts that matter to a policy, validated.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use wasmparser::{
    BinaryReaderError, ConstExpr, Data, DataKind, Encoding, ExternalKind, FuncType, FunctionBody, Imports,
    KnownCustom, Name, Operator, Parser, Payload, TypeRef, Validator, WasmFeatures,
};

use crate::image::Image;
use crate::input::Input;
use crate::refusal::{Reason, Refusal};
use crate::{IMPORT_MODULE, LARGEST_MODULE_BYTES, MOST_CONSTANT_BYTES, ORDER, QUANTUM_NS};

/// What compilers make; most of it is refused where a policy reaches it, by its name. One memory of 32 bits, nothing shared.
const FEATURES: WasmFeatures =
    WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST).union(WasmFeatures::TAIL_CALL);
/// Bytes of a page of memory.
const PAGE_BYTES: u64 = 1 << 16;

/// A module's parts.
#[derive(Default)]
pub struct Sections<'w> {
    /// Types of functions.
    pub types: Vec<FuncType>,
    /// What imported functions give, by their numbers; they come first.
    pub imported: Vec<Input>,
    /// The others' types, by numbers in `types`.
    pub declared: Vec<u32>,
    /// Their bodies.
    pub bodies: Vec<FunctionBody<'w>>,
    /// Initial values of globals; nothing where one is no constant number.
    pub globals: Vec<Option<u64>>,
    /// The exported function `order`, by its number.
    pub order: Option<u32>,
    /// The exported function `quantum_ns`.
    pub quantum_ns: Option<u32>,
    /// The memory at the start.
    pub image: Image,
    /// Names of functions, for people.
    names: Vec<(u32, &'w str)>,
}

impl<'w> Sections<'w> {
    /// Reads a module and checks that it is valid.
    pub fn read(wasm: &'w [u8]) -> Result<Self, Refusal> {
        if wasm.len() > LARGEST_MODULE_BYTES {
            return Err(Reason::TooLarge { bytes: wasm.len() }.somewhere());
        }
        if Parser::is_component(wasm) {
            return Err(Reason::Component.somewhere());
        }
        Validator::new_with_features(FEATURES).validate_all(wasm).map_err(invalid)?;
        let mut sections = Self::default();
        let (mut memory_bytes, mut data) = (0, Vec::new());
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.map_err(invalid)? {
                Payload::Version { encoding: Encoding::Component, .. } => {
                    return Err(Reason::Component.somewhere());
                }
                Payload::TypeSection(types) => {
                    sections.types =
                        types.into_iter_err_on_gc_types().collect::<Result<_, _>>().map_err(invalid)?;
                }
                Payload::ImportSection(imports) => {
                    for group in imports.into_iter_with_offsets() {
                        let (offset, imports) = group.map_err(invalid)?;
                        sections.import(offset, &imports)?;
                    }
                }
                Payload::FunctionSection(functions) => {
                    sections.declared = functions.into_iter().collect::<Result<_, _>>().map_err(invalid)?;
                }
                Payload::MemorySection(memories) => {
                    for memory in memories {
                        memory_bytes = memory.map_err(invalid)?.initial.saturating_mul(PAGE_BYTES);
                    }
                }
                Payload::GlobalSection(globals) => {
                    for global in globals {
                        sections.globals.push(constant(&global.map_err(invalid)?.init_expr));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export.map_err(invalid)?;
                        let (name, place) = match export.name {
                            ORDER => (ORDER, &mut sections.order),
                            QUANTUM_NS => (QUANTUM_NS, &mut sections.quantum_ns),
                            _ => continue,
                        };
                        if export.kind != ExternalKind::Func {
                            return Err(Reason::Export { name }.somewhere());
                        }
                        *place = Some(export.index);
                    }
                }
                Payload::StartSection { range, .. } => return Err(Reason::Start.at(range.start)),
                Payload::DataSection(segments) => {
                    data = segments.into_iter().collect::<Result<_, _>>().map_err(invalid)?;
                }
                Payload::CodeSectionEntry(body) => sections.bodies.push(body),
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        // A module without names, or with nonsense in their place, is as good.
                        sections.names = names.into_iter().flatten().flat_map(functions).collect();
                    }
                }
                _ => {}
            }
        }
        sections.image = image(memory_bytes, &data)?;
        Ok(sections)
    }

    fn import(&mut self, offset: usize, imports: &Imports<'_>) -> Result<(), Refusal> {
        let Imports::Single(_, import) = imports else {
            return Err(invalid_at(offset, "imports in a group"));
        };
        let found = Input::imported(import.name).filter(|_| import.module == IMPORT_MODULE);
        let unknown = || Reason::Import { module: import.module.into(), name: import.name.into() }.at(offset);
        let input = found.ok_or_else(unknown)?;
        let wanted = [input.value_type()];
        let has_type = match import.ty {
            TypeRef::Func(number) => self
                .types
                .get(number as usize)
                .is_some_and(|function| function.params().is_empty() && *function.results() == wanted),
            _ => false,
        };
        if !has_type {
            let result = if input.value_type() == wasmparser::ValType::I32 { "i32" } else { "i64" };
            return Err(Reason::ImportType { name: input.name(), result }.at(offset));
        }
        self.imported.push(input);
        Ok(())
    }

    /// A function of the module itself: its place among them, its type and its body.
    pub fn function(&self, number: u32) -> Option<(&FuncType, &FunctionBody<'w>)> {
        let place = (number as usize).checked_sub(self.imported.len())?;
        let function = self.types.get(*self.declared.get(place)? as usize)?;
        Some((function, self.bodies.get(place)?))
    }

    /// What a function is called, for people.
    pub fn name(&self, number: u32) -> Box<str> {
        let named = self.names.iter().find(|(named, _)| *named == number);
        named.map_or_else(
            || format!("function {number}").into(),
            |(_, name)| format!("`{}`", name.escape_debug()).into(),
        )
    }
}

/// Names of functions, of a part of the section of names.
fn functions(names: Name<'_>) -> Vec<(u32, &str)> {
    match names {
        Name::Function(names) => {
            names.into_iter().flatten().map(|naming| (naming.index, naming.name)).collect()
        }
        _ => Vec::new(),
    }
}

/// The number that an expression is, as a register has it.
fn constant(expression: &ConstExpr<'_>) -> Option<u64> {
    let mut operators = expression.get_operators_reader();
    let value = match operators.read().ok()? {
        Operator::I32Const { value } => value.cast_unsigned().into(),
        Operator::I64Const { value } => value.cast_unsigned(),
        _ => return None,
    };
    matches!(operators.read(), Ok(Operator::End)).then_some(value)
}

/// A memory of so many bytes, with what is put there before anything runs.
fn image(memory_bytes: u64, segments: &[Data<'_>]) -> Result<Image, Refusal> {
    let mut active = Vec::new();
    for segment in segments {
        let DataKind::Active { offset_expr, .. } = &segment.kind else { continue };
        let somewhere = || Reason::ConstantsSomewhere.at(segment.range.start);
        let begin = constant(offset_expr).ok_or_else(somewhere)?;
        let end = begin + segment.data.len() as u64;
        if end > memory_bytes {
            return Err(Reason::ConstantsOutside.at(segment.range.start));
        }
        active.push((begin, end, segment));
    }
    let begin = active.iter().map(|(begin, ..)| *begin).min().unwrap_or(0);
    let end = active.iter().map(|(_, end, _)| *end).max().unwrap_or(0);
    let apart = || Reason::ConstantsApart { bytes: end - begin }.somewhere();
    let length = usize::try_from(end - begin)
        .ok()
        .filter(|length| *length <= MOST_CONSTANT_BYTES)
        .ok_or_else(apart)?;
    let mut bytes = vec![0; length];
    for (first, _, segment) in active {
        let place = usize::try_from(first - begin).unwrap_or(usize::MAX);
        for (byte, data) in bytes.iter_mut().skip(place).zip(segment.data) {
            *byte = *data;
        }
    }
    Ok(Image::new(memory_bytes, begin, bytes.into()))
}

pub fn invalid(error: BinaryReaderError) -> Refusal {
    invalid_at(error.offset(), error.message())
}

pub fn invalid_at(offset: usize, message: &str) -> Refusal {
    Reason::Invalid { message: message.to_string() }.at(offset)
}
