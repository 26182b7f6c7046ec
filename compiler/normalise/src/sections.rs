//! The sections of the module that comes out, collected and then written in the specification's order.
use crate::names::FunctionNames;
use hallows_artifact::{Export, ExternKind};
use wasm_encoder::{
    CodeSection, DataCountSection, DataSection, ElementSection, ExportKind, ExportSection, FunctionSection,
    GlobalSection, ImportSection, MemorySection, Module, StartSection, TableSection, TypeSection,
};

/// The module that comes out, as far as it is known.
#[derive(Default)]
pub(crate) struct Sections {
    pub(crate) types: TypeSection,
    pub(crate) imports: ImportSection,
    pub(crate) functions: FunctionSection,
    pub(crate) tables: TableSection,
    pub(crate) memories: MemorySection,
    pub(crate) globals: GlobalSection,
    pub(crate) exports: ExportSection,
    /// Exports of the pass, for the metadata.
    pub(crate) reserved: Vec<Export>,
    pub(crate) start: Option<u32>,
    pub(crate) elements: ElementSection,
    pub(crate) data_count: Option<u32>,
    pub(crate) code: CodeSection,
    pub(crate) data: DataSection,
    pub(crate) custom: Vec<(String, Vec<u8>)>,
}

impl Sections {
    pub(crate) fn export(&mut self, name: String, kind: ExternKind, index: u32) {
        let encoded = match kind {
            ExternKind::Function => ExportKind::Func,
            ExternKind::Table => ExportKind::Table,
            ExternKind::Memory => ExportKind::Memory,
            ExternKind::Global => ExportKind::Global,
        };
        self.exports.export(&name, encoded, index);
        self.reserved.push(Export { name, kind, index });
    }

    pub(crate) fn module(&self, names: &FunctionNames) -> Vec<u8> {
        let mut module = Module::new();
        module.section(&self.types).section(&self.imports).section(&self.functions).section(&self.tables);
        module.section(&self.memories).section(&self.globals).section(&self.exports);
        if let Some(function_index) = self.start {
            module.section(&StartSection { function_index });
        }
        module.section(&self.elements);
        if let Some(count) = self.data_count {
            module.section(&DataCountSection { count });
        }
        module.section(&self.code).section(&self.data);
        for (name, data) in &self.custom {
            module.section(&wasm_encoder::CustomSection { name: name.into(), data: data.into() });
        }
        if let Some(names) = names.section() {
            module.section(&names);
        }
        module.finish()
    }
}

/// Whether a custom section would be wrong in the rewritten module or is of no use to an engine: DWARF, and all that
/// counts bytes of code (branch hints, relocations).
pub(crate) fn is_stale(name: &str) -> bool {
    name.starts_with(".debug_")
        || name.starts_with("reloc.")
        || name.starts_with("metadata.code.")
        || matches!(name, "linking" | "sourceMappingURL" | "external_debug_info")
}
