//! Which other interfaces one depends on: those whose resources its functions have in their types.

use std::collections::HashSet;

use wit_parser::{Handle, InterfaceId, Resolve, Type as Wit, TypeDefKind, TypeId, TypeOwner};

/// The interfaces, each once, in the order in which they are met. Looks at each type once, and walks on the heap: types may be nested
/// more deeply here than is allowed later.
pub fn interfaces(resolve: &Resolve, id: InterfaceId) -> Vec<InterfaceId> {
    let mut walk = Walk { seen: HashSet::new(), next: Vec::new() };
    for function in resolve.interfaces[id].functions.values() {
        function.params.iter().map(|parameter| &parameter.ty).for_each(|type_| walk.meet(type_));
        walk.maybe(function.result.as_ref());
    }
    let (mut known, mut found) = (HashSet::new(), Vec::new());
    while let Some(type_) = walk.next.pop() {
        let defined = &resolve.types[type_];
        match (&defined.kind, defined.owner) {
            (TypeDefKind::Resource, TypeOwner::Interface(owner)) if owner != id => {
                if known.insert(owner) {
                    found.push(owner);
                }
            }
            (kind, _) => walk.inside(kind),
        }
    }
    found
}

/// The definition that a name of a type stands for, through all aliases.
pub fn definition(resolve: &Resolve, mut id: TypeId) -> TypeId {
    while let TypeDefKind::Type(Wit::Id(next)) = resolve.types[id].kind {
        id = next;
    }
    id
}

struct Walk {
    seen: HashSet<TypeId>,
    next: Vec<TypeId>,
}

impl Walk {
    fn meet(&mut self, type_: &Wit) {
        if let Wit::Id(id) = type_
            && self.seen.insert(*id)
        {
            self.next.push(*id);
        }
    }

    fn maybe(&mut self, type_: Option<&Wit>) {
        if let Some(type_) = type_ {
            self.meet(type_);
        }
    }

    fn inside(&mut self, kind: &TypeDefKind) {
        match kind {
            TypeDefKind::Type(type_) | TypeDefKind::List(type_) | TypeDefKind::Option(type_) => {
                self.meet(type_);
            }
            TypeDefKind::Result(result) => {
                self.maybe(result.ok.as_ref());
                self.maybe(result.err.as_ref());
            }
            TypeDefKind::Tuple(tuple) => tuple.types.iter().for_each(|type_| self.meet(type_)),
            TypeDefKind::Record(record) => record.fields.iter().for_each(|field| self.meet(&field.ty)),
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().for_each(|case| self.maybe(case.ty.as_ref()));
            }
            TypeDefKind::Handle(Handle::Own(id) | Handle::Borrow(id)) => self.meet(&Wit::Id(*id)),
            // What is in none of these, or is refused when the interface is converted.
            _ => {}
        }
    }
}
