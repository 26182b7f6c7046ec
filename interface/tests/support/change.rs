//! What a caller can notice: each change makes another interface.

use proptest::sample::Index;

use super::{Kind, Model, Type, Which};

/// How many ways to change an interface there are.
pub const CHANGES: usize = 15;

/// Changes an interface somewhere in a way that a caller can notice; whether there was something to change.
pub fn change(model: &mut Model, place: Index, change: usize) -> bool {
    let (ours, foreign) = (model.resources.len(), model.foreign.len());
    let at = place.index(model.functions.len());
    let function = &mut model.functions[at];
    let is_constructor = matches!(function.kind, Kind::Constructor(_));
    match change {
        0 if is_constructor => return false,
        0 => function.name += "x",
        1 => function.parameters[0].0 += "x",
        2 => function.parameters.push(("last-one".to_owned(), Type::Simple("u8"))),
        3 => drop(function.parameters.pop()),
        4 if is_constructor => return false,
        4 => {
            function.result = match function.result.take() {
                Some(_) => None,
                None => Some(Type::Simple("bool")),
            }
        }
        5 => drop(model.functions.remove(at)),
        6 if is_constructor => return false,
        6 => {
            let mut twin = function.clone();
            twin.name += "-twin";
            model.functions.push(twin);
        }
        7 => {
            if function.parameters.len() < 2 {
                return false;
            }
            function.parameters.swap(0, 1);
        }
        8 => {
            return one(types(model, at), place).is_some_and(|type_| change_inside(type_, place));
        }
        // The names of fields, cases and flags change places.
        9 => return types(model, at).into_iter().any(reorder),
        10 => model.resources[place.index(ours)] += "x",
        11 => model.resources.push("one-more".to_owned()),
        12 => {
            function.kind = match function.kind {
                Kind::Free => Kind::Static(place.index(ours)),
                Kind::Static(which) => Kind::Method(which),
                Kind::Method(_) => Kind::Free,
                Kind::Constructor(_) => return false,
            }
        }
        // Another interface with the same resources, if one of them is in a message.
        13 => {
            model.foreign_function += "x";
            return (0..model.functions.len()).any(|at| types(model, at).into_iter().any(has_foreign));
        }
        // Another resource, or the same in another way.
        _ => {
            let mut resources = types(model, at).into_iter().filter_map(resource);
            return resources.next().is_some_and(|type_| swap_resource(type_, place, (ours, foreign)));
        }
    }
    true
}

/// The types of a function.
fn types(model: &mut Model, at: usize) -> Vec<&mut Type> {
    let function = &mut model.functions[at];
    function.parameters.iter_mut().map(|(_, type_)| type_).chain(&mut function.result).collect()
}

fn one(types: Vec<&mut Type>, place: Index) -> Option<&mut Type> {
    let count = types.len();
    if count == 0 { None } else { types.into_iter().nth(place.index(count)) }
}

/// Everything inside of a type, of which one may be what is looked for.
fn inside(type_: &mut Type) -> Vec<&mut Type> {
    match type_ {
        Type::List(inner) | Type::Option(inner) => vec![&mut **inner],
        Type::Result(ok, error) => ok.iter_mut().chain(error).map(|inner| &mut **inner).collect(),
        Type::Tuple(types) => types.iter_mut().collect(),
        Type::Record(fields) => fields.iter_mut().map(|(_, type_)| type_).collect(),
        Type::Variant(cases) => cases.iter_mut().filter_map(|(_, type_)| type_.as_mut()).collect(),
        _ => Vec::new(),
    }
}

/// Another order of the first parts that have one; whether there were some.
fn reorder(type_: &mut Type) -> bool {
    match type_ {
        Type::Record(fields) if fields.len() > 1 => fields.rotate_left(1),
        Type::Variant(cases) if cases.len() > 1 => cases.rotate_left(1),
        Type::Enum(names) | Type::Flags(names) if names.len() > 1 => names.rotate_left(1),
        other => return inside(other).into_iter().any(reorder),
    }
    true
}

fn has_foreign(type_: &mut Type) -> bool {
    matches!(type_, Type::Own(Which::Foreign(_)) | Type::Borrow(Which::Foreign(_)))
        || inside(type_).into_iter().any(has_foreign)
}

/// The first resource in a type.
fn resource(type_: &mut Type) -> Option<&mut Type> {
    if matches!(type_, Type::Own(_) | Type::Borrow(_)) {
        return Some(type_);
    }
    inside(type_).into_iter().find_map(resource)
}

fn swap_resource(type_: &mut Type, place: Index, (ours, foreign): (usize, usize)) -> bool {
    let (Type::Own(which) | Type::Borrow(which)) = type_ else { return false };
    match (place.index(3), *which) {
        (0, Which::Ours(number)) if ours > 1 => *which = Which::Ours(number + 1),
        (0, Which::Foreign(number)) if foreign > 1 => *which = Which::Foreign(number + 1),
        (1, Which::Ours(number)) => *which = Which::Foreign(number),
        (1, Which::Foreign(number)) => *which = Which::Ours(number),
        (2, which) if matches!(type_, Type::Borrow(_)) => *type_ = Type::Own(which),
        _ => return false,
    }
    true
}

/// Changes a type somewhere inside.
fn change_inside(type_: &mut Type, place: Index) -> bool {
    match type_ {
        Type::Simple(name) => *name = if *name == "u8" { "u16" } else { "u8" },
        Type::List(inner) | Type::Option(inner) => return change_inside(inner, place),
        Type::Result(Some(inner), _) | Type::Result(None, Some(inner)) => return change_inside(inner, place),
        Type::Result(None, None) => *type_ = Type::Result(Some(Box::new(Type::Simple("u8"))), None),
        Type::Tuple(types) => {
            let at = place.index(types.len());
            return change_inside(&mut types[at], place);
        }
        Type::Record(fields) => {
            let at = place.index(fields.len());
            fields[at].0 += "x";
        }
        Type::Variant(cases) => {
            let at = place.index(cases.len());
            match &mut cases[at].1 {
                Some(inner) => return change_inside(inner, place),
                none => *none = Some(Type::Simple("u8")),
            }
        }
        Type::Enum(names) | Type::Flags(names) => {
            let at = place.index(names.len());
            if at == 0 { names.push("last-one".to_owned()) } else { names[at] += "x" }
        }
        Type::Own(_) | Type::Borrow(_) => *type_ = Type::Simple("char"),
    }
    true
}
