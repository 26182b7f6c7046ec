//! The name section of the module that comes out.
use std::collections::BTreeMap;
use wasm_encoder::{NameMap, NameSection};

/// Function names, from the program's name section and the pass's helpers. Other names (locals, labels, globals) serve debuggers
/// that never see an artefact, and are left out.
#[derive(Default)]
pub(crate) struct FunctionNames {
    names: BTreeMap<u32, String>,
}

impl FunctionNames {
    /// Reads a program's name section. It is not part of a module's validity: one that is broken names
    /// as many functions as can be read. `moved` says where a function is in the module that comes out, if there is one.
    pub(crate) fn read(
        &mut self,
        section: wasmparser::NameSectionReader<'_>,
        moved: &dyn Fn(u32) -> Option<u32>,
        rename: &dyn Fn(&str) -> String,
    ) {
        for subsection in section {
            let Ok(subsection) = subsection else { return };
            let wasmparser::Name::Function(names) = subsection else { continue };
            for naming in names {
                let Ok(naming) = naming else { return };
                if let Some(index) = moved(naming.index) {
                    self.names.insert(index, rename(naming.name));
                }
            }
        }
    }

    /// Names a function of the module that comes out.
    pub(crate) fn name(&mut self, function: u32, name: String) {
        self.names.insert(function, name);
    }

    /// The section, or nothing if there is no name.
    pub(crate) fn section(&self) -> Option<NameSection> {
        let mut map = NameMap::new();
        for (function, name) in &self.names {
            map.append(*function, name);
        }
        let mut section = NameSection::new();
        section.functions(&map);
        (!self.names.is_empty()).then_some(section)
    }
}
