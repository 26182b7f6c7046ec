//! How long the encoding of a type can be, and how many capabilities it can have.

use crate::model::{Field, Type};

/// The most that a value takes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes; `None` if only the longest message bounds them.
    pub bytes: Option<usize>,
    /// Capabilities; `None` if only the most of a message bounds them.
    pub capabilities: Option<usize>,
    /// Whether a value is a view of what it was taken from.
    pub is_view: bool,
}

impl Size {
    /// So many bytes and nothing else.
    pub const fn bytes(bytes: usize) -> Self {
        Self { bytes: Some(bytes), capabilities: Some(0), is_view: false }
    }

    const CAPABILITY: Self = Self { bytes: Some(0), capabilities: Some(1), is_view: false };

    /// One after the other.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        let sum = |one: Option<usize>, other: Option<usize>| one?.checked_add(other?);
        Self {
            bytes: sum(self.bytes, next.bytes),
            capabilities: sum(self.capabilities, next.capabilities),
            is_view: self.is_view || next.is_view,
        }
    }

    /// One or the other.
    fn or(self, other: Self) -> Self {
        let most = |one: Option<usize>, other: Option<usize>| Some(one?.max(other?));
        Self {
            bytes: most(self.bytes, other.bytes),
            capabilities: most(self.capabilities, other.capabilities),
            is_view: self.is_view || other.is_view,
        }
    }
}

/// Bytes of the number of one of so many cases.
pub const fn case_bytes(cases: usize) -> usize {
    if cases <= 256 { 1 } else { 2 }
}

/// Bytes of so many flags.
pub const fn flag_bytes(flags: usize) -> usize {
    match flags {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

/// Of a type.
pub fn of(type_: &Type) -> Size {
    match type_ {
        Type::Bool | Type::U8 | Type::S8 => Size::bytes(1),
        Type::U16 | Type::S16 => Size::bytes(2),
        Type::U32 | Type::S32 | Type::F32 | Type::Char => Size::bytes(4),
        Type::U64 | Type::S64 | Type::F64 => Size::bytes(8),
        Type::String => Size { bytes: None, capabilities: Some(0), is_view: true },
        Type::List(element) => {
            let has_none = of(element).capabilities == Some(0);
            Size { bytes: None, capabilities: has_none.then_some(0), is_view: true }
        }
        Type::Option(value) => Size::bytes(1).then(of(value)),
        Type::Result { ok, error } => Size::bytes(1).then(maybe(ok.as_deref()).or(maybe(error.as_deref()))),
        Type::Tuple(values) => all(values),
        Type::Record(record) => all(record.parts.iter().map(|Field { type_, .. }| type_)),
        Type::Variant(variant) => {
            let cases = variant.parts.iter().map(|case| maybe(case.payload.as_ref()));
            Size::bytes(case_bytes(variant.parts.len())).then(cases.fold(Size::bytes(0), Size::or))
        }
        Type::Enum(cases) => Size::bytes(case_bytes(cases.parts.len())),
        Type::Flags(flags) => Size::bytes(flag_bytes(flags.parts.len())),
        Type::Own(_) | Type::Borrow(_) => Size::CAPABILITY,
    }
}

/// Of types one after the other.
pub fn all<'a>(types: impl IntoIterator<Item = &'a Type>) -> Size {
    types.into_iter().map(of).fold(Size::bytes(0), Size::then)
}

/// Of a type that may be absent.
pub fn maybe(type_: Option<&Type>) -> Size {
    type_.map_or(Size::bytes(0), of)
}
