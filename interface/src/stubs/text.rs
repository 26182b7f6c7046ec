//! Pieces of Rust: types and comments.

use super::name;
use crate::model::Type;

/// What a view is a view of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Whatever the compiler finds.
    Elided,
    /// A message that somebody holds.
    Message,
}

impl Lifetime {
    const fn of_reference(self) -> &'static str {
        match self {
            Self::Elided => "",
            Self::Message => "'m ",
        }
    }

    const fn of_type(self) -> &'static str {
        match self {
            Self::Elided => "'_",
            Self::Message => "'m",
        }
    }
}

/// A type in Rust.
pub fn in_rust(type_: &Type, lifetime: Lifetime) -> String {
    let inner = |type_: &Type| in_rust(type_, lifetime);
    let named = |name: &str| {
        let view = super::size::of(type_).is_view;
        name::type_(name) + &if view { format!("<{}>", lifetime.of_type()) } else { String::new() }
    };
    match type_ {
        Type::Bool => "bool".to_owned(),
        Type::U8 => "u8".to_owned(),
        Type::U16 => "u16".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::S8 => "i8".to_owned(),
        Type::S16 => "i16".to_owned(),
        Type::S32 => "i32".to_owned(),
        Type::S64 => "i64".to_owned(),
        Type::F32 => "f32".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::Char => "char".to_owned(),
        Type::String => format!("&{}str", lifetime.of_reference()),
        Type::List(element) if matches!(**element, Type::U8) => format!("&{}[u8]", lifetime.of_reference()),
        Type::List(element) => format!("stub::List<{}, {}>", lifetime.of_type(), inner(element)),
        Type::Option(value) => format!("Option<{}>", inner(value)),
        Type::Result { ok, error } => {
            let part = |part: &Option<Box<Type>>| {
                part.as_ref().map_or_else(|| "()".to_owned(), |type_| inner(type_))
            };
            format!("Result<{}, {}>", part(ok), part(error))
        }
        Type::Tuple(values) => tuple(values.iter().map(inner)),
        Type::Record(record) => named(&record.name),
        Type::Variant(variant) => named(&variant.name),
        Type::Enum(labels) | Type::Flags(labels) => named(&labels.name),
        Type::Own(resource) => format!("stub::Own<{}>", name::type_(&resource.local)),
        Type::Borrow(resource) => format!("stub::Borrow<{}>", name::type_(&resource.local)),
    }
}

/// A tuple of these pieces.
pub fn tuple(parts: impl IntoIterator<Item = String>) -> String {
    format!("({})", parts.into_iter().map(|part| part + ",").collect::<String>())
}

/// A comment, or what is said without one.
pub fn docs(text: &str, without: impl FnOnce() -> String) -> String {
    let text = if text.is_empty() { without() } else { text.to_owned() };
    text.lines().map(|line| format!("#[doc = {:?}]\n", format!(" {line}"))).collect()
}
