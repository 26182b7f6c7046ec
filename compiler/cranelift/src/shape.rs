//! Checks what a module declares against the limits, before anything is built from it.
use hallows_compiler_protocol::{CompileError, Limit, Limits};
use wasmparser::{
    ConstExpr, DataKind, ElementItems, ElementKind, Encoding, FunctionBody, MemoryType, Operator, Parser,
    Payload, TableType, TypeRef,
};

/// Reads through a module once, in memory that does not depend on it.
///
/// # Errors
/// [`CompileError::TooLarge`] for the first limit exceeded, [`CompileError::Invalid`] where it cannot be
/// read on.
pub(crate) fn check(wasm: &[u8], limits: &Limits) -> Result<(), CompileError> {
    let within = |limit: Limit, found: u64| {
        let allowed = limits.get(limit);
        if found <= allowed { Ok(()) } else { Err(CompileError::TooLarge { limit, allowed, found }) }
    };
    let table = |ty: TableType| within(Limit::TableEntries, ty.initial);
    let memory = |ty: MemoryType| within(Limit::MemoryPages, ty.initial);
    let constant = |expression: &ConstExpr<'_>| {
        let range = expression.get_binary_reader().range();
        within(Limit::ConstantBytes, (range.end - range.start) as u64)
    };
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(invalid)? {
            // Validation refuses components, and says so better.
            Payload::Version { encoding: Encoding::Component, .. } => return Ok(()),
            Payload::TypeSection(section) => within(Limit::Types, section.count().into())?,
            Payload::ImportSection(section) => {
                let mut count = 0;
                for import in section.into_imports() {
                    count += 1;
                    within(Limit::Imports, count)?;
                    match import.map_err(invalid)?.ty {
                        TypeRef::Table(ty) => table(ty)?,
                        TypeRef::Memory(ty) => memory(ty)?,
                        _ => {}
                    }
                }
            }
            Payload::FunctionSection(section) => within(Limit::Functions, section.count().into())?,
            Payload::TableSection(section) => {
                within(Limit::Tables, section.count().into())?;
                for entry in section {
                    table(entry.map_err(invalid)?.ty)?;
                }
            }
            Payload::MemorySection(section) => {
                for entry in section {
                    memory(entry.map_err(invalid)?)?;
                }
            }
            Payload::GlobalSection(section) => {
                within(Limit::Globals, section.count().into())?;
                for entry in section {
                    constant(&entry.map_err(invalid)?.init_expr)?;
                }
            }
            Payload::ExportSection(section) => within(Limit::Exports, section.count().into())?,
            Payload::ElementSection(section) => {
                within(Limit::ElementSegments, section.count().into())?;
                for entry in section {
                    let entry = entry.map_err(invalid)?;
                    if let ElementKind::Active { offset_expr, .. } = &entry.kind {
                        constant(offset_expr)?;
                    }
                    if let ElementItems::Expressions(_, items) = entry.items {
                        for item in items {
                            constant(&item.map_err(invalid)?)?;
                        }
                    }
                }
            }
            Payload::DataSection(section) => {
                within(Limit::DataSegments, section.count().into())?;
                for entry in section {
                    if let DataKind::Active { offset_expr, .. } = &entry.map_err(invalid)?.kind {
                        constant(offset_expr)?;
                    }
                }
            }
            Payload::CodeSectionStart { count, .. } => within(Limit::Functions, count.into())?,
            Payload::CodeSectionEntry(body) => {
                within(Limit::BodyBytes, (body.range().end - body.range().start) as u64)?;
                within(Limit::Locals, locals(&body).map_err(invalid)?)?;
                let (deepest, most_targets) = control(&body).map_err(invalid)?;
                within(Limit::Nesting, deepest)?;
                within(Limit::BranchTargets, most_targets)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn invalid(error: wasmparser::Error) -> CompileError {
    CompileError::Invalid { offset: Some(error.offset() as u64), message: error.message().into() }
}

fn locals(body: &FunctionBody<'_>) -> wasmparser::Result<u64> {
    let groups = body.get_locals_reader()?.into_iter();
    groups.map(|group| group.map(|(count, _)| u64::from(count))).sum()
}

/// The deepest nesting of blocks and the longest branch table.
fn control(body: &FunctionBody<'_>) -> wasmparser::Result<(u64, u64)> {
    let mut reader = body.get_operators_reader()?;
    let (mut depth, mut deepest, mut most_targets) = (0u64, 0, 0);
    while !reader.eof() {
        match reader.read()? {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Operator::End | Operator::Delegate { .. } => depth = depth.saturating_sub(1),
            // The default is a target, too.
            Operator::BrTable { targets } => most_targets = most_targets.max(u64::from(targets.len()) + 1),
            _ => {}
        }
    }
    Ok((deepest, most_targets))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One more than the limit allows is refused by its name, as many as it allows are accepted.
    fn bounded(limit: Limit, allowed: u64, text: impl Fn(u64) -> String) {
        let limits = Limits::DEFAULT.with(limit, allowed);
        let wasm = |count| wat::parse_str(text(count)).expect("the text is right");
        assert_eq!(check(&wasm(allowed), &limits), Ok(()), "{limit}");
        let found = allowed + 1;
        assert_eq!(check(&wasm(found), &limits), Err(CompileError::TooLarge { limit, allowed, found }));
    }

    fn times(count: u64, text: &str) -> String {
        text.repeat(count as usize)
    }

    #[test]
    fn every_limit_is_enforced_exactly() {
        bounded(Limit::Types, 3, |n| format!("(module {})", times(n, "(type (func))")));
        bounded(Limit::Imports, 3, |n| format!("(module {})", times(n, "(import \"a\" \"b\" (func))")));
        bounded(Limit::Functions, 3, |n| format!("(module {})", times(n, "(func)")));
        bounded(Limit::Globals, 3, |n| format!("(module {})", times(n, "(global i32 (i32.const 0))")));
        bounded(Limit::Tables, 3, |n| format!("(module {})", times(n, "(table 1 funcref)")));
        bounded(Limit::TableEntries, 30, |n| format!("(module (table {n} funcref))"));
        bounded(Limit::TableEntries, 30, |n| format!("(module (import \"a\" \"b\" (table {n} funcref)))"));
        bounded(Limit::MemoryPages, 30, |n| format!("(module (memory {n}))"));
        bounded(Limit::MemoryPages, 30, |n| format!("(module (import \"a\" \"b\" (memory {n})))"));
        bounded(Limit::DataSegments, 3, |n| format!("(module (memory 1) {})", times(n, "(data \"\")")));
        bounded(Limit::ElementSegments, 3, |n| format!("(module {})", times(n, "(elem funcref)")));
        for place in ["(global i32 S)", "(memory 1) (data (offset S))", "(table 1 funcref) (elem (offset S))"]
        {
            // Two constants of two bytes, the sum and the end make six; the constant 64 takes a byte more.
            bounded(Limit::ConstantBytes, 6, |n| {
                let constant = if n == 6 { 1 } else { 64 };
                let sum = format!("i32.const 1 i32.const {constant} i32.add");
                format!("(module {})", place.replace('S', &sum))
            });
        }
        bounded(Limit::Locals, 3, |n| format!("(module (func {}))", times(n, "(local i32)")));
        bounded(Limit::Nesting, 3, |n| format!("(module (func {} {}))", times(n, "(block"), times(n, ")")));
        bounded(Limit::BranchTargets, 7, |n| {
            format!("(module (func (br_table {} (i32.const 0))))", times(n, "0 "))
        });
        // Two bytes around the body's instructions: no locals, and the end.
        bounded(Limit::BodyBytes, 9, |n| format!("(module (func {}))", times(n - 2, "(nop)")));
        bounded(Limit::Exports, 3, |n| {
            let exports: String = (0..n).map(|at| format!("(export \"{at}\" (func 0))")).collect();
            format!("(module (func) {exports})")
        });
    }

    #[test]
    fn a_declared_count_without_contents_costs_nothing() {
        // A function section of 199,999 entries that is 4 bytes long.
        let wasm = b"\0asm\x01\0\0\0\x03\x04\xbf\x9a\x0c\x00";
        assert!(matches!(check(wasm, &Limits::DEFAULT), Ok(()) | Err(CompileError::Invalid { .. })));
        let wasm = b"\0asm\x01\0\0\0\x03\x05\xff\xff\xff\xff\x0f";
        assert!(matches!(
            check(wasm, &Limits::DEFAULT),
            Err(CompileError::TooLarge { limit: Limit::Functions, .. })
        ));
    }
}
