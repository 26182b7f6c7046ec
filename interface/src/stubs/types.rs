//! An interface's own types in Rust.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::name;
use super::size::{self, case_bytes, flag_bytes};
use super::text::{Lifetime, docs, in_rust};
use crate::model::{Case, Field, Interface, Label, Named, ResourceName, Type};
use crate::{Hash, Problem};

/// A type that gets a name in Rust, by that name.
pub enum Declared<'a> {
    /// Of the interface.
    Type(&'a Type),
    /// A resource by its name in the interface that defines it, and that interface if it is another one.
    Resource(&'a str, Option<Hash>),
}

impl Declared<'_> {
    /// What two of the same name must have in common.
    fn identity(&self) -> String {
        match self {
            Self::Type(type_) => type_.to_string(),
            Self::Resource(name, interface) => format!("resource {name} {interface:?}"),
        }
    }
}

/// All types of an interface that get names.
pub fn collect(interface: &Interface) -> Result<BTreeMap<String, Declared<'_>>, Problem> {
    let mut found = Collector { interface, declared: BTreeMap::new() };
    for resource in &interface.resources {
        found.declare(&resource.name, Declared::Resource(&resource.name, None))?;
    }
    for function in &interface.functions {
        let parameters = function.parameters.iter().map(|parameter| &parameter.type_);
        parameters.chain(&function.result).try_for_each(|type_| found.type_(type_))?;
    }
    Ok(found.declared)
}

struct Collector<'a> {
    interface: &'a Interface,
    declared: BTreeMap<String, Declared<'a>>,
}

impl<'a> Collector<'a> {
    fn declare(&mut self, name: &str, declared: Declared<'a>) -> Result<(), Problem> {
        let stub = name::type_(name);
        let same_name = || Problem::SameName {
            interface: self.interface.name.clone(),
            name: name.to_owned(),
            stub: stub.clone(),
        };
        if let Some(other) = self.declared.get(&stub)
            && other.identity() != declared.identity()
        {
            return Err(same_name());
        }
        self.declared.insert(stub, declared);
        Ok(())
    }

    fn type_(&mut self, type_: &'a Type) -> Result<(), Problem> {
        match type_ {
            Type::List(inner) | Type::Option(inner) => self.type_(inner),
            Type::Result { ok, error } => ok.iter().chain(error).try_for_each(|inner| self.type_(inner)),
            Type::Tuple(values) if values.len() > MOST_VALUES => Err(Problem::Unsupported {
                interface: self.interface.name.clone(),
                place: type_.to_string(),
                what: "a tuple of stubs has at most twelve values; use a record",
            }),
            Type::Tuple(values) => values.iter().try_for_each(|inner| self.type_(inner)),
            Type::Record(record) => {
                record.parts.iter().try_for_each(|field| self.type_(&field.type_))?;
                unique(self.interface, record.parts.iter().map(|field| &field.name), name::snake)?;
                self.declare(&record.name, Declared::Type(type_))
            }
            Type::Variant(variant) => {
                variant
                    .parts
                    .iter()
                    .filter_map(|case| case.payload.as_ref())
                    .try_for_each(|inner| self.type_(inner))?;
                unique(self.interface, variant.parts.iter().map(|case| &case.name), name::camel)?;
                self.declare(&variant.name, Declared::Type(type_))
            }
            Type::Enum(named) => {
                unique(self.interface, named.parts.iter().map(|case| &case.name), name::camel)?;
                self.declare(&named.name, Declared::Type(type_))
            }
            Type::Flags(named) => {
                unique(self.interface, named.parts.iter().map(|flag| &flag.name), name::constant)?;
                self.declare(&named.name, Declared::Type(type_))
            }
            Type::Own(ResourceName { name, interface, local })
            | Type::Borrow(ResourceName { name, interface, local }) => {
                self.declare(local, Declared::Resource(name, *interface))
            }
            _ => Ok(()),
        }
    }
}

/// The longest tuple that has an encoding of its own.
pub const MOST_VALUES: usize = 12;

/// That no two names become one.
pub fn unique<'a>(
    interface: &Interface,
    names: impl Iterator<Item = &'a String>,
    in_rust: impl Fn(&str) -> String,
) -> Result<(), Problem> {
    let mut known = BTreeMap::new();
    for name in names {
        let stub = in_rust(name);
        if known.insert(stub.clone(), name).is_some() {
            return Err(Problem::SameName { interface: interface.name.clone(), name: name.clone(), stub });
        }
    }
    Ok(())
}

/// The Rust of a type with a name.
pub fn declare(name: &str, type_: &Type) -> String {
    match type_ {
        Type::Record(record) => self::record(name, record, size::of(type_).is_view),
        Type::Variant(variant) => self::variant(name, variant, size::of(type_).is_view),
        Type::Enum(named) => enumeration(name, named),
        Type::Flags(named) => flags(name, named),
        // Nothing else is declared.
        _ => String::new(),
    }
}

/// The implementation of `Value`.
fn value(name: &str, is_view: bool, put: &str, take: &str) -> String {
    let view = if is_view { "<'m>" } else { "" };
    format!(
        "impl<'m> stub::Value<'m> for {name}{view} {{
            #[inline(always)]
            fn put(&self, encoder: &mut stub::Encoder<'_>) -> Option<()> {{ {put} }}
            #[inline(always)]
            fn take(decoder: &mut stub::Decoder<'m>) -> Option<Self> {{ {take} }}
        }}\n"
    )
}

fn record(name: &str, record: &Named<Field>, is_view: bool) -> String {
    let (mut fields, mut put, mut take) = (String::new(), String::new(), String::new());
    for Field { name, docs: text, type_ } in &record.parts {
        let field = name::snake(name);
        let _ = writeln!(
            fields,
            "{} pub {field}: {},",
            docs(text, || format!("The field `{name}`.")),
            in_rust(type_, Lifetime::Message)
        );
        let _ = writeln!(put, "stub::Value::put(&self.{field}, encoder)?;");
        let _ = writeln!(take, "{field}: stub::Value::take(decoder)?,");
    }
    let view = if is_view { "<'m>" } else { "" };
    format!(
        "{}
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct {name}{view} {{ {fields} }}\n",
        docs(&record.docs, || format!("The record `{}`.", record.name)),
    ) + &value(name, is_view, &format!("{put} Some(())"), &format!("Some(Self {{ {take} }})"))
}

/// The type of a case's number.
fn number(cases: usize) -> &'static str {
    if case_bytes(cases) == 1 { "u8" } else { "u16" }
}

fn variant(name: &str, variant: &Named<Case>, is_view: bool) -> String {
    let (mut cases, mut put, mut take) = (String::new(), String::new(), String::new());
    let number = number(variant.parts.len());
    for (place, case) in variant.parts.iter().enumerate() {
        let rust = name::camel(&case.name);
        let text = docs(&case.docs, || format!("The case `{}`.", case.name));
        if let Some(payload) = &case.payload {
            let _ = writeln!(cases, "{text} {rust}({}),", in_rust(payload, Lifetime::Message));
            let _ = writeln!(
                put,
                "Self::{rust}(value) => {{ stub::Value::put(&{place}{number}, encoder)?; stub::Value::put(value, encoder) }}"
            );
            let _ = writeln!(take, "{place} => stub::Value::take(decoder).map(Self::{rust}),");
        } else {
            let _ = writeln!(cases, "{text} {rust},");
            let _ = writeln!(put, "Self::{rust} => stub::Value::put(&{place}{number}, encoder),");
            let _ = writeln!(take, "{place} => Some(Self::{rust}),");
        }
    }
    let view = if is_view { "<'m>" } else { "" };
    let exhaustive =
        if variant.parts.len() == 256 || variant.parts.len() == 1 << 16 { "" } else { "_ => None," };
    format!(
        "{}
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub enum {name}{view} {{ {cases} }}\n",
        docs(&variant.docs, || format!("The variant `{}`.", variant.name)),
    ) + &value(
        name,
        is_view,
        &format!("match self {{ {put} }}"),
        &format!("match <{number} as stub::Value>::take(decoder)? {{ {take} {exhaustive} }}"),
    )
}

fn enumeration(name: &str, named: &Named<Label>) -> String {
    let (mut cases, mut all) = (String::new(), String::new());
    let number = number(named.parts.len());
    for (place, case) in named.parts.iter().enumerate() {
        let rust = name::camel(&case.name);
        let _ = writeln!(
            cases,
            "{} {rust} = {place},",
            docs(&case.docs, || format!("The case `{}`.", case.name))
        );
        let _ = write!(all, "Self::{rust},");
    }
    let count = named.parts.len();
    format!(
        "{}
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr({number})]
        pub enum {name} {{ {cases} }}
        impl {name} {{
            /// Every case, in order.
            pub const ALL: [Self; {count}] = [{all}];
        }}\n",
        docs(&named.docs, || format!("The enum `{}`.", named.name)),
    ) + &value(
        name,
        false,
        &format!("stub::Value::put(&(*self as {number}), encoder)"),
        // A look into a table of cases: a match is a table of jumps.
        &format!(
            "<{number} as stub::Value>::take(decoder).and_then(|number| Self::ALL.get(usize::from(number)).copied())"
        ),
    )
}

fn flags(name: &str, named: &Named<Label>) -> String {
    let number = format!("u{}", 8 * flag_bytes(named.parts.len()));
    let mut constants = String::new();
    for (place, flag) in named.parts.iter().enumerate() {
        let text = docs(&flag.docs, || format!("The flag `{}`.", flag.name));
        let _ = writeln!(
            constants,
            "{text} pub const {}: Self = Self(1 << {place});",
            name::constant(&flag.name)
        );
    }
    // Bits that stand for no flag are refused, or one value would have many encodings.
    let known = u32::MAX >> 32_usize.saturating_sub(named.parts.len());
    let take = if named.parts.len() == 8 * flag_bytes(named.parts.len()) {
        format!("<{number} as stub::Value>::take(decoder).map(Self)")
    } else {
        format!(
            "let bits = <{number} as stub::Value>::take(decoder)?; (bits <= {known:#x}).then_some(Self(bits))"
        )
    };
    format!(
        "{}
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub struct {name}({number});
        impl {name} {{
            {constants}
            /// Whether every flag of `other` is here too.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {{ self.0 & other.0 == other.0 }}
        }}
        impl ::core::ops::BitOr for {name} {{
            type Output = Self;
            fn bitor(self, other: Self) -> Self {{ Self(self.0 | other.0) }}
        }}\n",
        docs(&named.docs, || format!("The flags `{}`.", named.name)),
    ) + &value(name, false, "stub::Value::put(&self.0, encoder)", &take)
}
