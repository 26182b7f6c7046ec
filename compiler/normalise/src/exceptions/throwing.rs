//! Which functions may end by an exception: everything else needs no test after its calls.
use super::survey::Survey;
use std::collections::{BTreeMap, BTreeSet};
use wasmparser::FuncType;

/// What may throw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Throwing {
    /// For every function whether it may; imported ones never do.
    pub(crate) functions: Vec<bool>,
    /// Types by whose indirect calls such a function may be reached.
    pub(crate) types: BTreeSet<u32>,
}

impl Throwing {
    /// Whether a function may throw.
    pub(crate) fn function(&self, function: u32) -> bool {
        self.functions.get(function as usize).copied().unwrap_or(false)
    }
}

/// A place that a caller reaches: a function, or whatever an indirect call of a type reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Callee {
    Function(u32),
    /// The first type of the module that is the same.
    Type(u32),
}

/// Follows calls backwards from those that throw.
pub(crate) fn find(survey: &Survey) -> Throwing {
    let same = same_types(&survey.types);
    let first = |ty: u32| same.get(ty as usize).copied().unwrap_or(ty);
    let mut callers: BTreeMap<Callee, Vec<u32>> = BTreeMap::new();
    let mut found = vec![false; survey.functions.len()];
    let mut open = Vec::new();
    for (function, body) in (survey.imported_functions..).zip(&survey.bodies) {
        for callee in &body.calls {
            callers.entry(Callee::Function(*callee)).or_default().push(function);
        }
        for ty in &body.indirect {
            callers.entry(Callee::Type(first(*ty))).or_default().push(function);
        }
        if body.throws {
            open.push(function);
        }
    }
    let mut reached_types = BTreeSet::new();
    while let Some(function) = open.pop() {
        match found.get_mut(function as usize) {
            Some(known) if !*known => *known = true,
            _ => continue,
        }
        open.extend(callers.get(&Callee::Function(function)).into_iter().flatten());
        let Some(ty) = survey.functions.get(function as usize).map(|ty| first(*ty)) else { continue };
        if survey.address_taken.contains(&function) && reached_types.insert(ty) {
            open.extend(callers.get(&Callee::Type(ty)).into_iter().flatten());
        }
    }
    let types = (0..).zip(&same).filter(|(_, same)| reached_types.contains(same)).map(|(ty, _)| ty);
    Throwing { functions: found, types: types.collect() }
}

/// For every type the first one that is the same.
fn same_types(types: &[FuncType]) -> Vec<u32> {
    let mut known = BTreeMap::new();
    (0..).zip(types).map(|(index, ty)| *known.entry(ty).or_insert(index)).collect()
}
