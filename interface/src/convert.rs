//! From the parser's picture of an interface to ours: aliases followed, types written out, what cannot be a message refused.

use std::cell::Cell;
use std::collections::HashMap;

use wit_parser::{
    FunctionKind, Handle, InterfaceId, Resolve, Type as Wit, TypeDef, TypeDefKind, TypeId, TypeOwner,
};

use crate::conversion::Known;
use crate::limits::{Bytes, MOST_CASES, MOST_DEPTH, MOST_FLAGS, MOST_PARTS};
use crate::model::{
    Case, Field, Function, Interface, Kind, Label, Named, Parameter, Resource, ResourceName, Type,
};
use crate::{Problem, used};

/// The conversion of one interface.
pub struct Converter<'a> {
    resolve: &'a Resolve,
    id: InterfaceId,
    name: &'a str,
    parts: Cell<usize>,
    known: &'a HashMap<InterfaceId, Known>,
    bytes: &'a Bytes,
    /// What it uses resources of others by, by their definitions.
    aliases: HashMap<TypeId, &'a str>,
}

impl<'a> Converter<'a> {
    /// Of an interface of that name, when all that it uses are known.
    pub fn new(
        resolve: &'a Resolve,
        (id, name): (InterfaceId, &'a str),
        known: &'a HashMap<InterfaceId, Known>,
        bytes: &'a Bytes,
    ) -> Self {
        let mut aliases = HashMap::new();
        for (alias, type_) in &resolve.interfaces[id].types {
            aliases.entry(used::definition(resolve, *type_)).or_insert(alias.as_str());
        }
        Self { resolve, id, name, parts: Cell::new(0), known, bytes, aliases }
    }

    /// Converts it.
    ///
    /// # Errors
    ///
    /// [`Problem::TooLarge`], [`Problem::TooLong`]; [`Problem::Unsupported`] for what cannot be a message.
    pub fn interface(&self) -> Result<Interface, Problem> {
        let from = &self.resolve.interfaces[self.id];
        let resources = from
            .types
            .iter()
            .filter(|(_, id)| matches!(self.resolve.types[**id].kind, TypeDefKind::Resource))
            .map(|(name, id)| {
                let (name, docs) = self.texts(name, &self.resolve.types[*id].docs)?;
                Ok(Resource { name, docs })
            })
            .collect::<Result<_, _>>()?;
        let functions =
            from.functions.values().map(|function| self.function(function)).collect::<Result<_, _>>()?;
        let (name, docs) = self.texts(self.name, &from.docs)?;
        Ok(Interface { name, docs, resources, functions })
    }

    fn function(&self, function: &wit_parser::Function) -> Result<Function, Problem> {
        let place = Place { name: &function.name, depth: 0 };
        let resource = |id: &TypeId| {
            let (name, _) =
                self.texts(self.resolve.types[*id].name.as_deref().unwrap_or_default(), &NO_DOCS)?;
            Ok::<_, Problem>(name)
        };
        let (kind, implied) = match &function.kind {
            FunctionKind::Freestanding => (Kind::Free, 0),
            FunctionKind::Method(id) => (Kind::Method(resource(id)?), 1),
            FunctionKind::Static(id) => (Kind::Static(resource(id)?), 0),
            FunctionKind::Constructor(id) => (Kind::Constructor(resource(id)?), 0),
            FunctionKind::AsyncFreestanding | FunctionKind::AsyncMethod(_) | FunctionKind::AsyncStatic(_) => {
                return Err(self
                    .unsupported(place, "there are no async functions; every call has a deadline instead"));
            }
            _ => return Err(self.unsupported(place, "there are no getters and setters; they are functions")),
        };
        let parameters = function.params.iter().skip(implied).map(|parameter| {
            let (name, _) = self.texts(&parameter.name, &NO_DOCS)?;
            Ok(Parameter { name, type_: self.type_(&parameter.ty, place)? })
        });
        let name = match function.name.rsplit_once(['.', ']']) {
            _ if matches!(kind, Kind::Constructor(_)) => "",
            Some((_, name)) => name,
            None => &function.name,
        };
        let (name, docs) = self.texts(name, &function.docs)?;
        Ok(Function {
            name,
            kind,
            docs,
            parameters: parameters.collect::<Result<_, _>>()?,
            result: function.result.as_ref().map(|result| self.type_(result, place)).transpose()?,
        })
    }

    fn type_(&self, type_: &Wit, place: Place<'_>) -> Result<Type, Problem> {
        let (type_, name) = self.meant(*type_);
        let place = Place { depth: place.depth + 1, ..place };
        self.parts.set(self.parts.get() + 1);
        if self.parts.get() > MOST_PARTS {
            return Err(Problem::TooLarge { interface: self.name.to_owned(), most: MOST_PARTS });
        }
        self.bytes.charge(self.name, &[])?;
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
            Wit::Id(id) => {
                let defined = &self.resolve.types[id];
                self.defined(defined, name.or(defined.name.as_deref()).unwrap_or_default(), place)?
            }
        })
    }

    /// What a type's name stands for, through all aliases; and the name that this interface uses it by, if it is of another. Aliases are no parts
    /// and nest nothing: nobody can notice them.
    fn meant(&self, mut type_: Wit) -> (Wit, Option<&str>) {
        let is_ours = |id: TypeId| matches!(self.resolve.types[id].owner, TypeOwner::Interface(owner) if owner == self.id);
        let mut name = None;
        while let Wit::Id(alias) = type_
            && let TypeDefKind::Type(of) = self.resolve.types[alias].kind
        {
            if is_ours(alias) && matches!(of, Wit::Id(of) if !is_ours(of)) {
                name = self.resolve.types[alias].name.as_deref();
            }
            type_ = of;
        }
        (type_, name)
    }

    fn defined(&self, defined: &TypeDef, name: &str, place: Place<'_>) -> Result<Type, Problem> {
        let boxed = |type_: &Wit| self.type_(type_, place).map(Box::new);
        Ok(match &defined.kind {
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
                    let (name, docs) = self.texts(&field.name, &field.docs)?;
                    Ok(Field { name, docs, type_: self.type_(&field.ty, place)? })
                });
                Type::Record(self.named((name, &defined.docs), fields.collect::<Result<_, _>>()?, place)?)
            }
            TypeDefKind::Variant(variant) => {
                if variant.cases.len() > MOST_CASES {
                    return Err(self.unsupported(place, "a variant may have 65,536 cases"));
                }
                let cases = variant.cases.iter().map(|case| {
                    let (name, docs) = self.texts(&case.name, &case.docs)?;
                    let payload = case.ty.as_ref().map(|type_| self.type_(type_, place)).transpose()?;
                    Ok(Case { name, docs, payload })
                });
                Type::Variant(self.named((name, &defined.docs), cases.collect::<Result<_, _>>()?, place)?)
            }
            TypeDefKind::Enum(enumeration) => {
                if enumeration.cases.len() > MOST_CASES {
                    return Err(self.unsupported(place, "an enum may have 65,536 cases"));
                }
                let cases = enumeration.cases.iter().map(|case| self.label(&case.name, &case.docs));
                Type::Enum(self.named((name, &defined.docs), cases.collect::<Result<_, _>>()?, place)?)
            }
            TypeDefKind::Flags(flags) => {
                if flags.flags.len() > MOST_FLAGS {
                    return Err(self.unsupported(place, "there may be 32 flags"));
                }
                let flags = flags.flags.iter().map(|flag| self.label(&flag.name, &flag.docs));
                Type::Flags(self.named((name, &defined.docs), flags.collect::<Result<_, _>>()?, place)?)
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
            TypeDefKind::Type(_) | TypeDefKind::Unknown => {
                return Err(self.unsupported(place, "this type is not known"));
            }
        })
    }

    /// The resource that a handle's type stands for, through all aliases.
    fn resource(&self, id: TypeId) -> Result<ResourceName, Problem> {
        let id = used::definition(self.resolve, id);
        let defined = &self.resolve.types[id];
        let interface = match defined.owner {
            TypeOwner::Interface(owner) if owner != self.id => self.known.get(&owner).map(|known| known.hash),
            _ => None,
        };
        let (name, _) = self.texts(defined.name.as_deref().unwrap_or_default(), &NO_DOCS)?;
        let local = self.aliases.get(&id).filter(|_| interface.is_some()).copied().unwrap_or(&name);
        let (local, _) = self.texts(local, &NO_DOCS)?;
        Ok(ResourceName { name, interface, local })
    }

    /// A value that takes no room in a message would let a short message name an endless list of them.
    fn some<T>(&self, parts: Vec<T>, place: Place<'_>) -> Result<Vec<T>, Problem> {
        if parts.is_empty() {
            Err(self.unsupported(place, "a type has at least one part"))
        } else {
            Ok(parts)
        }
    }

    fn named<T>(
        &self,
        (name, docs): (&str, &wit_parser::Docs),
        parts: Vec<T>,
        place: Place<'_>,
    ) -> Result<Named<T>, Problem> {
        let (name, docs) = self.texts(name, docs)?;
        Ok(Named { name, docs, parts: self.some(parts, place)? })
    }

    fn label(&self, name: &str, docs: &wit_parser::Docs) -> Result<Label, Problem> {
        let (name, docs) = self.texts(name, docs)?;
        Ok(Label { name, docs })
    }

    /// A name and a comment of a part, which counts from now on.
    fn texts(&self, name: &str, docs: &wit_parser::Docs) -> Result<(String, String), Problem> {
        let docs = docs.contents.as_deref().unwrap_or_default().trim();
        self.bytes.charge(self.name, &[name, docs])?;
        Ok((name.to_owned(), docs.to_owned()))
    }

    fn unsupported(&self, place: Place<'_>, what: &'static str) -> Problem {
        Problem::Unsupported { interface: self.name.to_owned(), place: place.name.to_owned(), what }
    }
}

/// Of what has no comment, or none that is of use.
const NO_DOCS: wit_parser::Docs = wit_parser::Docs { contents: None };

/// Where a type is used.
#[derive(Clone, Copy)]
struct Place<'a> {
    name: &'a str,
    depth: usize,
}
