//! A first reading of a module: what the rewriting must know before it starts.
use crate::{Error, GROWN_TABLE_ENTRIES, RESERVED_PREFIX, helper::SharedCall};
use hallows_artifact::{CustomSection, Export, ExternKind, Import, MemoryShape, Metadata};
use std::collections::BTreeSet;
use wasmparser::{DataKind, ElementItems, ElementKind, Operator, Parser, Payload, TypeRef};

/// Sections whose name begins so are for the engine and the loader.
const OUR_SECTIONS: &str = "hallows";

/// How much of a segment the program can still read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentLength {
    /// Always as much.
    Constant(u32),
    /// What this global says: all of it, or nothing once it was dropped.
    Global(u32),
}

/// A data or element segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// Bytes or entries that `init` can read; none of an active or declared segment.
    pub(crate) readable: u32,
    /// The global that stands for it, if the program drops it.
    pub(crate) left: Option<u32>,
}

/// A table of the module or imported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    minimum: u64,
    maximum: Option<u64>,
    /// An instruction of the module changes it.
    pub(crate) changed: bool,
    /// An instruction of the module grows it.
    pub(crate) grown: bool,
}

/// A function that the module defines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defined {
    /// How many parameters it has: the index of its first local.
    pub(crate) parameters: u32,
    /// It copies or fills memory.
    pub(crate) moves_memory: bool,
}

impl Table {
    /// The maximum that the module that comes out declares.
    pub(crate) fn maximum(self) -> Option<u64> {
        let bound = self.minimum.max(GROWN_TABLE_ENTRIES);
        if self.grown {
            Some(self.maximum.map_or(bound, |declared| declared.min(bound)))
        } else {
            self.maximum
        }
    }
}

/// What the first reading found. Indices are those of the module that went in, except where said.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Parameters of every type.
    type_parameters: Vec<u32>,
    /// The defined functions, in order.
    pub(crate) defined: Vec<Defined>,
    pub(crate) imported_functions: u32,
    pub(crate) functions: u32,
    pub(crate) globals: u32,
    pub(crate) mutable_globals: Vec<u32>,
    pub(crate) tables: Vec<Table>,
    pub(crate) data: Vec<Segment>,
    pub(crate) elements: Vec<Segment>,
    pub(crate) metadata: Metadata,
    shared_calls: BTreeSet<SharedCall>,
    dropped_data: BTreeSet<u32>,
    dropped_elements: BTreeSet<u32>,
}

impl Survey {
    /// The first type that the pass adds: `(i32, i32) -> ()`, for the block around a bulk operation.
    pub(crate) fn guard_type(&self) -> u32 {
        self.type_parameters.len() as u32
    }

    /// How many functions the pass imports.
    pub(crate) fn added_imports(&self) -> u32 {
        self.imported_calls().count() as u32
    }

    /// The atomic calls that become imports: those it makes, if its memory is shared.
    pub(crate) fn imported_calls(&self) -> impl Iterator<Item = SharedCall> {
        let shared = self.metadata.memory.is_some_and(|memory| memory.shared);
        SharedCall::ALL.into_iter().filter(move |call| shared && self.shared_calls.contains(call))
    }

    /// The function index, in the module that comes out, of an atomic call's import.
    pub(crate) fn import_of(&self, call: SharedCall) -> Option<u32> {
        let position = self.imported_calls().position(|imported| imported == call)?;
        Some(self.imported_functions + position as u32)
    }

    /// Where a function of the module that went in is in the one that comes out.
    pub(crate) fn moved_function(&self, function: u32) -> u32 {
        if function < self.imported_functions { function } else { function + self.added_imports() }
    }

    /// How much of a data segment can be read.
    pub(crate) fn data_length(&self, segment: u32) -> SegmentLength {
        length(&self.data, segment)
    }

    /// How much of an element segment can be read.
    pub(crate) fn element_length(&self, segment: u32) -> SegmentLength {
        length(&self.elements, segment)
    }

    /// Entries that a grown table may have; the declared maximum of the module that comes out.
    pub(crate) fn table_maximum(&self, table: u32) -> i64 {
        let maximum = self.tables.get(table as usize).and_then(|table| table.maximum());
        maximum.and_then(|maximum| i64::try_from(maximum).ok()).unwrap_or(i64::from(u32::MAX))
    }

    /// The segments that got a global, in the order of their globals, with their initial lengths.
    pub(crate) fn droppable(&self) -> impl Iterator<Item = u32> {
        self.data.iter().chain(&self.elements).filter(|segment| segment.left.is_some()).map(|s| s.readable)
    }

    /// Gives every segment that the program drops a global behind the program's own.
    fn number_dropped_segments(&mut self) {
        let mut next = self.globals;
        let lists = [(&mut self.data, &self.dropped_data), (&mut self.elements, &self.dropped_elements)];
        for (segments, dropped) in lists {
            for index in dropped {
                // One that is empty anyway can be dropped without anybody noticing.
                let segment = segments.get_mut(*index as usize).filter(|segment| segment.readable > 0);
                if let Some(segment) = segment {
                    segment.left = Some(next);
                    next += 1;
                }
            }
        }
    }

    fn import(&mut self, import: &wasmparser::Import<'_>) {
        let kind = match import.ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) | TypeRef::Tag(_) => {
                self.imported_functions += 1;
                self.functions += 1;
                ExternKind::Function
            }
            TypeRef::Table(ty) => {
                self.table(ty);
                ExternKind::Table
            }
            TypeRef::Memory(ty) => {
                self.memory(ty, true);
                ExternKind::Memory
            }
            TypeRef::Global(ty) => {
                self.global(ty.mutable);
                ExternKind::Global
            }
        };
        self.metadata.imports.push(Import { module: import.module.into(), name: import.name.into(), kind });
    }

    fn table(&mut self, ty: wasmparser::TableType) {
        self.tables.push(Table { minimum: ty.initial, maximum: ty.maximum, changed: false, grown: false });
    }

    fn memory(&mut self, ty: wasmparser::MemoryType, imported: bool) {
        self.metadata.memory = Some(MemoryShape {
            minimum_pages: ty.initial,
            maximum_pages: ty.maximum,
            imported,
            shared: ty.shared,
        });
    }

    fn global(&mut self, mutable: bool) {
        if mutable {
            self.mutable_globals.push(self.globals);
        }
        self.globals += 1;
    }

    fn export(&mut self, export: &wasmparser::Export<'_>) -> Result<(), Error> {
        if export.name.starts_with(RESERVED_PREFIX) {
            return Err(Error::ReservedExport { name: export.name.into() });
        }
        let kind = match export.kind {
            wasmparser::ExternalKind::Table => ExternKind::Table,
            wasmparser::ExternalKind::Memory => ExternKind::Memory,
            wasmparser::ExternalKind::Global => ExternKind::Global,
            _ => ExternKind::Function,
        };
        let index = export.index;
        self.metadata.exports.push(Export { name: export.name.into(), kind, index });
        Ok(())
    }

    fn operator(&mut self, operator: &Operator<'_>) {
        match *operator {
            Operator::DataDrop { data_index } => {
                self.dropped_data.insert(data_index);
            }
            Operator::ElemDrop { elem_index } => {
                self.dropped_elements.insert(elem_index);
            }
            Operator::TableSet { table }
            | Operator::TableFill { table }
            | Operator::TableInit { table, .. }
            | Operator::TableCopy { dst_table: table, .. } => {
                if let Some(table) = self.tables.get_mut(table as usize) {
                    table.changed = true;
                }
            }
            Operator::TableGrow { table } => {
                if let Some(table) = self.tables.get_mut(table as usize) {
                    (table.changed, table.grown) = (true, true);
                }
            }
            Operator::MemoryAtomicWait32 { .. } => {
                self.shared_calls.insert(SharedCall::Wait32);
            }
            Operator::MemoryAtomicWait64 { .. } => {
                self.shared_calls.insert(SharedCall::Wait64);
            }
            Operator::MemoryAtomicNotify { .. } => {
                self.shared_calls.insert(SharedCall::Notify);
            }
            Operator::MemoryGrow { .. } => {
                self.shared_calls.insert(SharedCall::Grow);
            }
            _ => {}
        }
    }
}

fn length(segments: &[Segment], index: u32) -> SegmentLength {
    match segments.get(index as usize) {
        Some(Segment { left: Some(global), .. }) => SegmentLength::Global(*global),
        Some(segment) => SegmentLength::Constant(segment.readable),
        None => SegmentLength::Constant(0),
    }
}

/// Reads a valid module.
pub(crate) fn survey(wasm: &[u8]) -> Result<Survey, Error> {
    let mut survey = Survey::default();
    let mut bodies = 0;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    // The validator allows a thousand.
                    survey.type_parameters.push(ty?.params().len() as u32);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    survey.import(&import?);
                }
            }
            Payload::FunctionSection(section) => {
                survey.functions += section.count();
                for ty in section {
                    let parameters = survey.type_parameters.get(ty? as usize).copied().unwrap_or(0);
                    survey.defined.push(Defined { parameters, moves_memory: false });
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    survey.table(table?.ty);
                }
            }
            Payload::MemorySection(section) => {
                for memory in section {
                    survey.memory(memory?, false);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    survey.global(global?.ty.mutable);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    survey.export(&export?)?;
                }
            }
            Payload::StartSection { .. } => survey.metadata.has_start = true,
            Payload::ElementSection(section) => {
                for element in section {
                    let element = element?;
                    let entries = match &element.items {
                        ElementItems::Functions(items) => items.count(),
                        ElementItems::Expressions(_, items) => items.count(),
                    };
                    let passive = matches!(element.kind, ElementKind::Passive);
                    survey.elements.push(Segment { readable: if passive { entries } else { 0 }, left: None });
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data?;
                    let passive = matches!(data.kind, DataKind::Passive);
                    // A section's length is a 32-bit number.
                    let bytes = u32::try_from(data.data.len()).unwrap_or(u32::MAX);
                    survey.data.push(Segment { readable: if passive { bytes } else { 0 }, left: None });
                }
            }
            Payload::CodeSectionEntry(body) => {
                let mut reader = body.get_operators_reader()?;
                let mut moves_memory = false;
                while !reader.eof() {
                    let operator = reader.read()?;
                    survey.operator(&operator);
                    moves_memory |=
                        matches!(operator, Operator::MemoryFill { .. } | Operator::MemoryCopy { .. });
                }
                if let Some(function) = survey.defined.get_mut(bodies) {
                    function.moves_memory = moves_memory;
                }
                bodies += 1;
            }
            Payload::CustomSection(section) if section.name().starts_with(OUR_SECTIONS) => {
                let (name, bytes) = (section.name().into(), section.data().into());
                survey.metadata.custom_sections.push(CustomSection { name, bytes });
            }
            _ => {}
        }
    }
    survey.number_dropped_segments();
    Ok(survey)
}
