//! An interface as everything here sees it: types written out, aliases gone.
//!
//! Names of types and comments are kept for stubs; no identity and no comparison looks at them.

use crate::Hash;

/// An interface.
#[derive(Clone, Debug)]
pub struct Interface {
    /// Its name in its package.
    pub name: String,
    /// Its comment.
    pub docs: String,
    /// The resources that it defines.
    pub resources: Vec<Resource>,
    /// Its functions, those of its resources among them.
    pub functions: Vec<Function>,
}

/// A kind of thing that capabilities stand for.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub docs: String,
}

/// A function.
#[derive(Clone, Debug)]
pub struct Function {
    /// What it belongs to.
    pub kind: Kind,
    /// Its name; a constructor's is empty.
    pub name: String,
    /// Its comment.
    pub docs: String,
    /// What it is called with; not the resource that a method is called on.
    pub parameters: Vec<Parameter>,
    /// What it gives back.
    pub result: Option<Type>,
}

/// What a function belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The interface.
    Free,
    /// A resource of this name, and is called on one.
    Method(String),
    /// A resource of this name.
    Static(String),
    /// A resource of this name, and makes one.
    Constructor(String),
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_: Type,
}

/// A type.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names are WIT's own")]
pub enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    S8,
    S16,
    S32,
    S64,
    F32,
    F64,
    Char,
    String,
    List(Box<Self>),
    Option(Box<Self>),
    Result { ok: Option<Box<Self>>, error: Option<Box<Self>> },
    Tuple(Vec<Self>),
    Record(Named<Field>),
    Variant(Named<Case>),
    Enum(Named<Label>),
    Flags(Named<Label>),
    Own(ResourceName),
    Borrow(ResourceName),
}

impl Type {
    /// Whether a resource that the interface itself defines is in it.
    #[must_use]
    pub fn has_own_resources(&self) -> bool {
        match self {
            Self::Own(resource) | Self::Borrow(resource) => resource.interface.is_none(),
            Self::List(inner) | Self::Option(inner) => inner.has_own_resources(),
            Self::Result { ok, error } => ok.iter().chain(error).any(|inner| inner.has_own_resources()),
            Self::Tuple(values) => values.iter().any(Self::has_own_resources),
            Self::Record(record) => record.parts.iter().any(|field| field.type_.has_own_resources()),
            Self::Variant(variant) => {
                variant.parts.iter().filter_map(|case| case.payload.as_ref()).any(Self::has_own_resources)
            }
            _ => false,
        }
    }
}

/// A type that has a name of its own.
#[derive(Clone, Debug)]
pub struct Named<T> {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub docs: String,
    /// What it is made of.
    pub parts: Vec<T>,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub docs: String,
    /// Its type.
    pub type_: Type,
}

/// A case of a variant.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub docs: String,
    /// What it carries.
    pub payload: Option<Type>,
}

/// A case of an enum, or a flag.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub docs: String,
}

/// Which resource a capability stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceName {
    /// Its name in the interface that defines it.
    pub name: String,
    /// That interface, if it is another one.
    pub interface: Option<Hash>,
    /// Its name in the interface that has it in a type: what that one uses it by. No part of any identity.
    pub local: String,
}
