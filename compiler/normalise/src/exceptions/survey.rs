//! A first reading: types, tags, and who calls and throws what.
use crate::Error;
use std::collections::BTreeSet;
use wasmparser::{
    ConstExpr, ElementItems, ElementKind, FuncType, FunctionBody, HeapType, Operator, Parser, Payload,
    TypeRef, ValType,
};

/// What a defined function does that matters here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    /// It throws itself.
    pub(crate) throws: bool,
    /// It has handlers.
    pub(crate) catches: bool,
    /// Functions that it calls and comes back from, or ends in.
    pub(crate) calls: BTreeSet<u32>,
    /// Types of its indirect calls.
    pub(crate) indirect: BTreeSet<u32>,
}

/// What the first reading found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Survey {
    /// Every type of the module.
    pub(crate) types: Vec<FuncType>,
    /// The type of every function, imported ones first.
    pub(crate) functions: Vec<u32>,
    pub(crate) imported_functions: u32,
    /// What the tags carry.
    pub(crate) tags: Vec<Vec<ValType>>,
    pub(crate) globals: u32,
    /// The defined functions.
    pub(crate) bodies: Vec<Body>,
    /// Functions that an indirect call may reach.
    pub(crate) address_taken: BTreeSet<u32>,
    /// Functions that are called from outside: exports and the start function.
    pub(crate) entries: BTreeSet<u32>,
    pub(crate) uses_exceptions: bool,
    /// Exceptions are values somewhere: caught by reference, or thrown again.
    pub(crate) uses_references: bool,
}

impl Survey {
    /// A function's type.
    pub(crate) fn signature(&self, function: u32) -> Option<&FuncType> {
        self.types.get(*self.functions.get(function as usize)? as usize)
    }

    fn operator(&mut self, body: &mut Body, operator: &Operator<'_>) {
        match operator {
            Operator::Throw { .. } => body.throws = true,
            Operator::ThrowRef | Operator::Rethrow { .. } => {
                body.throws = true;
                self.uses_references = true;
            }
            Operator::TryTable { try_table } => {
                body.catches = true;
                self.uses_references |= try_table.catches.iter().any(|catch| {
                    matches!(catch, wasmparser::Catch::OneRef { .. } | wasmparser::Catch::AllRef { .. })
                });
            }
            Operator::Try { .. } => body.catches = true,
            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                body.calls.insert(*function_index);
            }
            Operator::CallIndirect { type_index, .. } | Operator::ReturnCallIndirect { type_index, .. } => {
                body.indirect.insert(*type_index);
            }
            Operator::RefFunc { function_index } => {
                self.address_taken.insert(*function_index);
            }
            _ => {}
        }
    }

    fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), Error> {
        let mut found = Body::default();
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            self.operator(&mut found, &reader.read()?);
        }
        self.uses_exceptions |= found.throws || found.catches;
        self.bodies.push(found);
        Ok(())
    }

    fn constant(&mut self, expression: &ConstExpr<'_>) -> Result<(), Error> {
        for operator in expression.get_operators_reader() {
            if let Operator::RefFunc { function_index } = operator? {
                self.address_taken.insert(function_index);
            }
        }
        Ok(())
    }

    fn elements(&mut self, element: wasmparser::Element<'_>) -> Result<(), Error> {
        if let ElementKind::Active { offset_expr, .. } = &element.kind {
            self.constant(offset_expr)?;
        }
        match element.items {
            ElementItems::Functions(items) => {
                for item in items {
                    self.address_taken.insert(item?);
                }
            }
            ElementItems::Expressions(_, items) => {
                for item in items {
                    self.constant(&item?)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a type is that of a reference to an exception.
pub(crate) fn is_exception(ty: ValType) -> bool {
    use wasmparser::AbstractHeapType::{Exn, NoExn};
    let ValType::Ref(reference) = ty else { return false };
    matches!(reference.heap_type(), HeapType::Abstract { ty: Exn | NoExn, .. })
}

/// Reads a module that is valid with exceptions.
pub(crate) fn survey(wasm: &[u8]) -> Result<Survey, Error> {
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::TypeSection(section) => {
                for ty in section.into_iter_err_on_gc_types() {
                    survey.types.push(ty?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    match import?.ty {
                        TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                            survey.functions.push(ty);
                            survey.imported_functions += 1;
                        }
                        TypeRef::Global(_) => survey.globals += 1,
                        // Refused later; what it carries does not matter.
                        TypeRef::Tag(_) => {
                            survey.uses_exceptions = true;
                            survey.tags.push(Vec::new());
                        }
                        TypeRef::Table(_) | TypeRef::Memory(_) => {}
                    }
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    survey.functions.push(ty?);
                }
            }
            Payload::TagSection(section) => {
                survey.uses_exceptions |= section.count() > 0;
                for tag in section {
                    let ty = survey.types.get(tag?.func_type_idx as usize);
                    survey.tags.push(ty.map_or(Vec::new(), |ty| ty.params().to_vec()));
                }
            }
            Payload::TableSection(section) => {
                for table in section {
                    if let wasmparser::TableInit::Expr(expression) = table?.init {
                        survey.constant(&expression)?;
                    }
                }
            }
            Payload::GlobalSection(section) => {
                survey.globals += section.count();
                for global in section {
                    survey.constant(&global?.init_expr)?;
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    if let wasmparser::ExternalKind::Func | wasmparser::ExternalKind::FuncExact = export.kind
                    {
                        survey.entries.insert(export.index);
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                survey.entries.insert(func);
            }
            Payload::ElementSection(section) => {
                for element in section {
                    survey.elements(element?)?;
                }
            }
            Payload::CodeSectionEntry(body) => survey.body(&body)?,
            _ => {}
        }
    }
    Ok(survey)
}
