//! From the parser's picture of an interface to ours: aliases followed, types written out, what cannot be a message refused.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use wit_parser::{
    FunctionKind, Handle, InterfaceId, Resolve, Type as Wit, TypeDef, TypeDefKind, TypeId, TypeOwner,
};

use crate::model::{
    Case, Field, Function, Interface, Kind, Label, Named, Parameter, Resource, ResourceName, Type,
};
use crate::{Hash, Problem};

/// Types can double with every line of their definition; a hundred thousand parts are more than anybody writes by hand.
const MOST_PARTS: usize = 100_000;
/// Types nest; deeper than that nobody thinks, and everything that walks a type does so on its stack.
const MOST_DEPTH: usize = 100;
/// Flags are one number of at most four bytes.
const MOST_FLAGS: usize = 32;
/// The number of a case has two bytes.
const MOST_CASES: usize = 1 << 16;

/// The hashes of interfaces whose resources were met, so that each is worked out once.
type Hashes = RefCell<HashMap<InterfaceId, Hash>>;

/// Converts one interface.
pub fn interface(resolve: &Resolve, id: InterfaceId) -> Result<Interface, Problem> {
    convert(resolve, id, &Hashes::default())
}

fn convert(resolve: &Resolve, id: InterfaceId, hashes: &Hashes) -> Result<Interface, Problem> {
    let from = &resolve.interfaces[id];
    let name = from.name.clone().unwrap_or_default();
    let converter = Converter { resolve, id, name: &name, parts: Cell::new(0), hashes };
    let resources = from
        .types
        .iter()
        .filter(|(_, id)| matches!(resolve.types[**id].kind, TypeDefKind::Resource))
        .map(|(name, id)| Resource { name: name.clone(), docs: docs(&resolve.types[*id].docs) })
        .collect();
    let functions =
        from.functions.values().map(|function| converter.function(function)).collect::<Result<_, _>>()?;
    Ok(Interface { docs: docs(&from.docs), resources, functions, name })
}

struct Converter<'a> {
    resolve: &'a Resolve,
    id: InterfaceId,
    name: &'a str,
    parts: Cell<usize>,
    hashes: &'a Hashes,
}

impl Converter<'_> {
    fn function(&self, function: &wit_parser::Function) -> Result<Function, Problem> {
        let place = Place { name: &function.name, depth: 0 };
        let resource = |id: &TypeId| self.resolve.types[*id].name.clone().unwrap_or_default();
        let (kind, implied) = match &function.kind {
            FunctionKind::Freestanding => (Kind::Free, 0),
            FunctionKind::Method(id) => (Kind::Method(resource(id)), 1),
            FunctionKind::Static(id) => (Kind::Static(resource(id)), 0),
            FunctionKind::Constructor(id) => (Kind::Constructor(resource(id)), 0),
            FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) | FunctionKind::AsyncStatic(_) => {
                return Err(self
                    .unsupported(place, "there are no async functions; every call has a deadline instead"));
            }
            _ => return Err(self.unsupported(place, "there are no getters and setters; they are functions")),
        };
        let parameters = function.params.iter().skip(implied).map(|parameter| {
            Ok(Parameter { name: parameter.name.clone(), type_: self.type_(&parameter.ty, place)? })
        });
        let name = function.name.rsplit_once(['.', ']']).map_or(&*function.name, |(_, name)| name);
        Ok(Function {
            name: if matches!(kind, Kind::Constructor(_)) { String::new() } else { name.to_owned() },
            kind,
            docs: docs(&function.docs),
            parameters: parameters.collect::<Result<_, _>>()?,
            result: function.result.as_ref().map(|result| self.type_(result, place)).transpose()?,
        })
    }

    fn type_(&self, type_: &Wit, place: Place<'_>) -> Result<Type, Problem> {
        let place = Place { depth: place.depth + 1, ..place };
        self.parts.set(self.parts.get() + 1);
        if self.parts.get() > MOST_PARTS {
            return Err(Problem::TooLarge { interface: self.name.to_owned(), most: MOST_PARTS });
        }
        if place.depth > MOST_DEPTH {
            return Err(self.unsupported(place, "types may be nested a hundred deep"));
        }
        Ok(match type_ {
            Wit::Bool => Type::Bool,
            Wit::U8 => Type::U8,
            Wit::U16 => Type::U16,
            Wit::U32 => Type::U32,
            Wit::U64 => Type::U64,
            Wit::S8 => Type::S8,
            Wit::S16 => Type::S16,
            Wit::S32 => Type::S32,
            Wit::S64 => Type::S64,
            Wit::F32 => Type::F32,
            Wit::F64 => Type::F64,
            Wit::Char => Type::Char,
            Wit::String => Type::String,
            Wit::ErrorContext => return Err(self.unsupported(place, "there is no error-context")),
            Wit::Id(id) => self.defined(&self.resolve.types[*id], place)?,
        })
    }

    fn defined(&self, defined: &TypeDef, place: Place<'_>) -> Result<Type, Problem> {
        let boxed = |type_: &Wit| self.type_(type_, place).map(Box::new);
        Ok(match &defined.kind {
            // An alias, or a type of another interface: whatever it stands for.
            TypeDefKind::Type(type_) => self.named_here(self.type_(type_, place)?, type_, defined),
            TypeDefKind::List(element) => Type::List(boxed(element)?),
            TypeDefKind::Option(value) => Type::Option(boxed(value)?),
            TypeDefKind::Result(result) => Type::Result {
                ok: result.ok.as_ref().map(boxed).transpose()?,
                error: result.err.as_ref().map(boxed).transpose()?,
            },
            TypeDefKind::Tuple(tuple) => {
                let values =
                    tuple.types.iter().map(|type_| self.type_(type_, place)).collect::<Result<_, _>>()?;
                Type::Tuple(self.some(values, place)?)
            }
            TypeDefKind::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    let type_ = self.type_(&field.ty, place)?;
                    Ok(Field { name: field.name.clone(), docs: docs(&field.docs), type_ })
                });
                Type::Record(named(defined, self.some(fields.collect::<Result<_, _>>()?, place)?))
            }
            TypeDefKind::Variant(variant) => {
                let cases = variant.cases.iter().map(|case| {
                    let payload = case.ty.as_ref().map(|type_| self.type_(type_, place)).transpose()?;
                    Ok(Case { name: case.name.clone(), docs: docs(&case.docs), payload })
                });
                let cases: Vec<_> = cases.collect::<Result<_, _>>()?;
                if cases.len() > MOST_CASES {
                    return Err(self.unsupported(place, "a variant may have 65,536 cases"));
                }
                Type::Variant(named(defined, self.some(cases, place)?))
            }
            TypeDefKind::Enum(enumeration) => {
                let cases: Vec<_> =
                    enumeration.cases.iter().map(|case| label(&case.name, &case.docs)).collect();
                if cases.len() > MOST_CASES {
                    return Err(self.unsupported(place, "an enum may have 65,536 cases"));
                }
                Type::Enum(named(defined, self.some(cases, place)?))
            }
            TypeDefKind::Flags(flags) => {
                let flags: Vec<_> = flags.flags.iter().map(|flag| label(&flag.name, &flag.docs)).collect();
                if flags.len() > MOST_FLAGS {
                    return Err(self.unsupported(place, "there may be 32 flags"));
                }
                Type::Flags(named(defined, self.some(flags, place)?))
            }
            TypeDefKind::Handle(Handle::Own(id)) => Type::Own(self.resource(*id)?),
            TypeDefKind::Handle(Handle::Borrow(id)) => Type::Borrow(self.resource(*id)?),
            TypeDefKind::Resource => {
                return Err(self.unsupported(place, "a resource is given as `own` or `borrow`"));
            }
            TypeDefKind::Future(_) | TypeDefKind::Stream(_) => {
                return Err(self.unsupported(place, "there are no futures and streams in messages"));
            }
            TypeDefKind::Map(..) => {
                return Err(self.unsupported(place, "there are no maps; use a list of pairs"));
            }
            TypeDefKind::FixedLengthList(..) => {
                return Err(self.unsupported(place, "there are no lists of fixed length; use a tuple"));
            }
            TypeDefKind::Unknown => return Err(self.unsupported(place, "this type is not known")),
        })
    }

    /// A type of another interface has the name that this one uses it by.
    fn named_here(&self, mut type_: Type, of: &Wit, alias: &TypeDef) -> Type {
        let Wit::Id(of) = of else { return type_ };
        let is_ours = |owner| matches!(owner, TypeOwner::Interface(id) if id == self.id);
        if !is_ours(self.resolve.types[*of].owner) && is_ours(alias.owner) {
            let name = match &mut type_ {
                Type::Record(named) => &mut named.name,
                Type::Variant(named) => &mut named.name,
                Type::Enum(named) | Type::Flags(named) => &mut named.name,
                _ => return type_,
            };
            *name = alias.name.clone().unwrap_or_default();
        }
        type_
    }

    /// The resource that a handle's type stands for, through all aliases.
    fn resource(&self, mut id: TypeId) -> Result<ResourceName, Problem> {
        while let TypeDefKind::Type(Wit::Id(next)) = self.resolve.types[id].kind {
            id = next;
        }
        let defined = &self.resolve.types[id];
        let interface = match defined.owner {
            TypeOwner::Interface(owner) if owner != self.id => Some(self.hash_of(owner)?),
            _ => None,
        };
        Ok(ResourceName { name: defined.name.clone().unwrap_or_default(), interface })
    }

    /// Interfaces do not use each other in circles; the parser refuses that.
    fn hash_of(&self, id: InterfaceId) -> Result<Hash, Problem> {
        let known = self.hashes.borrow().get(&id).copied();
        if let Some(hash) = known {
            return Ok(hash);
        }
        let hash = convert(self.resolve, id, self.hashes)?.hash();
        self.hashes.borrow_mut().insert(id, hash);
        Ok(hash)
    }

    /// A value that takes no room in a message would let a short message name an endless list of them.
    fn some<T>(&self, parts: Vec<T>, place: Place<'_>) -> Result<Vec<T>, Problem> {
        if parts.is_empty() {
            Err(self.unsupported(place, "a type has at least one part"))
        } else {
            Ok(parts)
        }
    }

    fn unsupported(&self, place: Place<'_>, what: &'static str) -> Problem {
        Problem::Unsupported { interface: self.name.to_owned(), place: place.name.to_owned(), what }
    }
}

/// Where a type is used.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    depth: usize,
}

fn named<T>(defined: &TypeDef, parts: Vec<T>) -> Named<T> {
    Named { name: defined.name.clone().unwrap_or_default(), docs: docs(&defined.docs), parts }
}

fn label(name: &str, comment: &wit_parser::Docs) -> Label {
    Label { name: name.to_owned(), docs: docs(comment) }
}

fn docs(docs: &wit_parser::Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}
