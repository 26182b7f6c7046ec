//! What the engine needs to know of a program besides its code.
use crate::{
    Refusal,
    wire::{Reader, put_bytes, put_u32, put_u64},
};
use alloc::{string::String, vec::Vec};

/// What an import or export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternKind {
    /// A function.
    Function,
    /// A table.
    Table,
    /// A linear memory.
    Memory,
    /// A global.
    Global,
}

/// Something the program asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The namespace, `hallows` for calls of ours.
    pub module: String,
    /// The name within it.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
}

/// Something the program offers, the names that the normalising pass reserved included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: ExternKind,
    /// Its index among its kind, imports counted first.
    pub index: u32,
}

/// The program's one linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryShape {
    /// Pages of 64 KiB at the start.
    pub minimum_pages: u64,
    /// Pages of 64 KiB that it may grow to, if the program says.
    pub maximum_pages: Option<u64>,
    /// It is handed in rather than the program's own.
    pub imported: bool,
    /// The program declared it `shared`: several instances may be made over the same pages.
    pub shared: bool,
}

/// A custom section that is meant for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomSection {
    /// Its name; begins with `hallows`.
    pub name: String,
    /// Its bytes, as the program's author wrote them: not to be trusted.
    pub bytes: Vec<u8>,
}

/// What the engine, the loader and tools need of a program without reading WebAssembly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// In the program's order.
    pub imports: Vec<Import>,
    /// In the program's order; the reserved ones last.
    pub exports: Vec<Export>,
    /// The linear memory, if it has one.
    pub memory: Option<MemoryShape>,
    /// Instantiating the program runs code of it.
    pub has_start: bool,
    /// Sections whose name begins with `hallows`, in the program's order.
    pub custom_sections: Vec<CustomSection>,
}

impl ExternKind {
    fn emit(self) -> u8 {
        match self {
            ExternKind::Function => 0,
            ExternKind::Table => 1,
            ExternKind::Memory => 2,
            ExternKind::Global => 3,
        }
    }

    fn parse(reader: &mut Reader<'_>) -> Result<ExternKind, Refusal> {
        match reader.byte()? {
            0 => Ok(ExternKind::Function),
            1 => Ok(ExternKind::Table),
            2 => Ok(ExternKind::Memory),
            3 => Ok(ExternKind::Global),
            _ => Err(Refusal::Malformed("kind of an import or export")),
        }
    }
}

/// Reads a byte that is 0 or 1.
fn flag(reader: &mut Reader<'_>) -> Result<bool, Refusal> {
    match reader.byte()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Refusal::Malformed("a flag is neither 0 nor 1")),
    }
}

impl MemoryShape {
    fn emit(self, out: &mut Vec<u8>) {
        put_u64(out, self.minimum_pages);
        out.push(u8::from(self.maximum_pages.is_some()));
        if let Some(maximum) = self.maximum_pages {
            put_u64(out, maximum);
        }
        out.push(u8::from(self.imported));
        out.push(u8::from(self.shared));
    }

    fn parse(reader: &mut Reader<'_>) -> Result<MemoryShape, Refusal> {
        Ok(MemoryShape {
            minimum_pages: reader.u64()?,
            maximum_pages: if flag(reader)? { Some(reader.u64()?) } else { None },
            imported: flag(reader)?,
            shared: flag(reader)?,
        })
    }
}

impl Metadata {
    /// The byte form; [`Metadata::parse`] reads it.
    pub fn emit(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_u64(&mut out, self.imports.len() as u64);
        for import in &self.imports {
            put_bytes(&mut out, import.module.as_bytes());
            put_bytes(&mut out, import.name.as_bytes());
            out.push(import.kind.emit());
        }
        put_u64(&mut out, self.exports.len() as u64);
        for export in &self.exports {
            put_bytes(&mut out, export.name.as_bytes());
            out.push(export.kind.emit());
            put_u32(&mut out, export.index);
        }
        out.push(u8::from(self.memory.is_some()));
        if let Some(memory) = self.memory {
            memory.emit(&mut out);
        }
        out.push(u8::from(self.has_start));
        put_u64(&mut out, self.custom_sections.len() as u64);
        for section in &self.custom_sections {
            put_bytes(&mut out, section.name.as_bytes());
            put_bytes(&mut out, &section.bytes);
        }
        out
    }

    /// Reads what [`Metadata::emit`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`Refusal::Truncated`] or [`Refusal::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Metadata, Refusal> {
        let mut reader = Reader::new(bytes);
        let metadata = Metadata {
            imports: reader.list(|reader| {
                Ok(Import {
                    module: reader.string()?,
                    name: reader.string()?,
                    kind: ExternKind::parse(reader)?,
                })
            })?,
            exports: reader.list(|reader| {
                Ok(Export { name: reader.string()?, kind: ExternKind::parse(reader)?, index: reader.u32()? })
            })?,
            memory: if flag(&mut reader)? { Some(MemoryShape::parse(&mut reader)?) } else { None },
            has_start: flag(&mut reader)?,
            custom_sections: reader
                .list(|reader| Ok(CustomSection { name: reader.string()?, bytes: reader.bytes()?.into() }))?,
        };
        reader.end()?;
        Ok(metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn kind() -> impl Strategy<Value = ExternKind> {
        prop_oneof![
            Just(ExternKind::Function),
            Just(ExternKind::Table),
            Just(ExternKind::Memory),
            Just(ExternKind::Global)
        ]
    }

    fn metadata() -> impl Strategy<Value = Metadata> {
        let import =
            (".{0,9}", ".{0,9}", kind()).prop_map(|(module, name, kind)| Import { module, name, kind });
        let export =
            (".{0,9}", kind(), any::<u32>()).prop_map(|(name, kind, index)| Export { name, kind, index });
        let memory = (any::<u64>(), any::<Option<u64>>(), any::<bool>(), any::<bool>()).prop_map(
            |(minimum_pages, maximum_pages, imported, shared)| MemoryShape {
                minimum_pages,
                maximum_pages,
                imported,
                shared,
            },
        );
        let section =
            (".{0,9}", vec(any::<u8>(), 0..20)).prop_map(|(name, bytes)| CustomSection { name, bytes });
        (
            vec(import, 0..5),
            vec(export, 0..5),
            proptest::option::of(memory),
            any::<bool>(),
            vec(section, 0..3),
        )
            .prop_map(|(imports, exports, memory, has_start, custom_sections)| Metadata {
                imports,
                exports,
                memory,
                has_start,
                custom_sections,
            })
    }

    proptest! {
        #[test]
        fn metadata_round_trips(metadata in metadata()) {
            prop_assert_eq!(Metadata::parse(&metadata.emit()), Ok(metadata));
        }

        #[test]
        fn what_parses_is_what_would_be_written(bytes in vec(any::<u8>(), 0..200)) {
            if let Ok(parsed) = Metadata::parse(&bytes) {
                prop_assert_eq!(parsed.emit(), bytes);
            }
        }

        #[test]
        fn every_cut_is_refused(metadata in metadata(), at: prop::sample::Index) {
            let bytes = metadata.emit();
            prop_assert!(Metadata::parse(&bytes[..at.index(bytes.len())]).is_err());
        }

        #[test]
        fn a_changed_byte_is_refused_or_read_as_what_it_says(metadata in metadata(), at: prop::sample::Index, flip in 1u8..) {
            let mut bytes = metadata.emit();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(parsed) = Metadata::parse(&bytes) {
                prop_assert_eq!(parsed.emit(), bytes);
            }
        }
    }
}
