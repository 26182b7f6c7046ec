//! What is not lowered, said by its name.
use super::{
    CARRIED_VALUES, RESULTS,
    survey::{Survey, is_exception},
};
use crate::Error;
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::{ExternalKind, FuncType, Parser, Payload, TypeRef, ValType};

/// Refuses a module that does with exceptions what cannot be lowered.
///
/// # Errors
/// [`Error::Unsupported`].
pub(crate) fn check(wasm: &[u8], survey: &Survey) -> Result<(), Error> {
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    let exception = match import.ty {
                        TypeRef::Tag(_) => {
                            let message = format!("the tag `{}` of `{}`", import.name, import.module);
                            return refuse("imported exception tags", offset, message);
                        }
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => mentions_exceptions(survey, ty),
                        TypeRef::Table(ty) => is_exception(ValType::Ref(ty.element_type)),
                        TypeRef::Global(ty) => is_exception(ty.content_type),
                        TypeRef::Memory(_) => false,
                    };
                    if exception {
                        let message = format!("`{}` of `{}` takes or gives one", import.name, import.module);
                        return refuse("references to exceptions in imports", offset, message);
                    }
                }
            }
            Payload::TypeSection(section) => {
                let offset = section.range().start;
                if let Some(ty) = survey.types.iter().find(|ty| ty.results().len() > RESULTS) {
                    let message = format!("one gives {}", ty.results().len());
                    return refuse("exceptions beside types with more than 16 results", offset, message);
                }
                if let Some((exception, other)) = merged(survey) {
                    let message = format!("{exception} and {other}");
                    let what = "references to exceptions in a type that is another's but for them";
                    return refuse(what, offset, message);
                }
            }
            Payload::TagSection(section) => {
                let imported = survey.tags.len() - section.count() as usize;
                let offset = section.range().start;
                for carried in survey.tags.get(imported..).unwrap_or_default() {
                    if carried.len() > CARRIED_VALUES {
                        let message = format!("one carries {}", carried.len());
                        return refuse("exceptions that carry more than 16 values", offset, message);
                    }
                    if survey.uses_references && !matches!(carried.as_slice(), [] | [ValType::I32]) {
                        let message = format!("one carries {carried:?}");
                        let what = "references to exceptions that carry something else than one i32";
                        return refuse(what, offset, message);
                    }
                    if carried.iter().any(|ty| is_exception(*ty)) {
                        return refuse("exceptions that carry exceptions", offset, "a tag".into());
                    }
                }
            }
            Payload::TableSection(section) => {
                for table in section.into_iter_with_offsets() {
                    let (offset, table) = table?;
                    if is_exception(ValType::Ref(table.ty.element_type)) {
                        return refuse("references to exceptions in tables", offset, "a table".into());
                    }
                }
            }
            Payload::ElementSection(section) => {
                for element in section.into_iter_with_offsets() {
                    let (offset, element) = element?;
                    if let wasmparser::ElementItems::Expressions(ty, _) = element.items
                        && is_exception(ValType::Ref(ty))
                    {
                        return refuse("references to exceptions in tables", offset, "a segment".into());
                    }
                }
            }
            Payload::ExportSection(section) => {
                for export in section.into_iter_with_offsets() {
                    let (offset, export) = export?;
                    let function = matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact);
                    let ty = survey.functions.get(export.index as usize).filter(|_| function);
                    if ty.is_some_and(|ty| mentions_exceptions(survey, *ty)) {
                        let message = format!("`{}` takes or gives one", export.name);
                        return refuse("references to exceptions in exports", offset, message);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Two types by which functions are called that are different, and are the same with the numbers that stand for exceptions: an indirect call
/// by the one would reach functions of the other.
fn merged(survey: &Survey) -> Option<(&FuncType, &FuncType)> {
    let indirect = survey.bodies.iter().flat_map(|body| &body.indirect);
    let called: BTreeSet<u32> = survey.functions.iter().chain(indirect).copied().collect();
    let mut lowered = BTreeMap::new();
    for ty in called.into_iter().filter_map(|ty| survey.types.get(ty as usize)) {
        let number = |ty: &ValType| if is_exception(*ty) { "i64".to_owned() } else { ty.to_string() };
        let params: Vec<_> = ty.params().iter().map(number).collect();
        let results: Vec<_> = ty.results().iter().map(number).collect();
        if let Some(other) = lowered.insert((params, results), ty).filter(|other| *other != ty) {
            return Some((ty, other));
        }
    }
    None
}

fn mentions_exceptions(survey: &Survey, ty: u32) -> bool {
    let ty = survey.types.get(ty as usize);
    ty.is_some_and(|ty| ty.params().iter().chain(ty.results()).any(|ty| is_exception(*ty)))
}

fn refuse(features: &str, offset: usize, message: String) -> Result<(), Error> {
    Err(Error::Unsupported { features: features.into(), offset, message })
}
