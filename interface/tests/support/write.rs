//! The many ways to write an interface: everything here is what no caller can notice.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::{Function, Kind, Model, Type, Which};

/// How an interface is written.
#[derive(Clone, Debug)]
pub struct Style {
    package: String,
    prefix: String,
    /// What the other interface is called.
    other: String,
    has_comments: bool,
    is_reversed: bool,
    has_aliases: bool,
    is_elsewhere: bool,
    /// Whether resources of the other interface keep their names, where those are free.
    keeps_names: bool,
    /// Whether everything is marked as unstable.
    is_unstable: bool,
}

/// Any style.
pub fn style() -> impl Strategy<Value = Style> {
    let package = prop_oneof![Just("a:b@3.0.0"), Just("other:name@1.2.3"), Just("x:y@0.0.1-alpha")];
    let prefix = prop_oneof![Just("t"), Just("named-"), Just("z-z")];
    let other = prop_oneof![Just("abroad"), Just("zoo")];
    let flag = any::<bool>;
    let flags = (flag(), flag(), flag(), flag(), flag(), flag());
    (package, prefix, other, flags).prop_map(|(package, prefix, other, flags)| {
        let (has_comments, is_reversed, has_aliases, is_elsewhere, keeps_names, is_unstable) = flags;
        Style {
            package: package.to_owned(),
            prefix: prefix.to_owned(),
            other: other.to_owned(),
            has_comments,
            is_reversed,
            has_aliases,
            is_elsewhere,
            keeps_names,
            is_unstable,
        }
    })
}

/// Writes an interface as WIT.
pub fn write(model: &Model, style: &Style) -> String {
    let mut writer = Writer { model, style, types: Vec::new() };
    let written: Vec<(Kind, String)> =
        model.functions.iter().map(|function| (function.kind, writer.function(function))).collect();
    let free = written.iter().filter(|(kind, _)| *kind == Kind::Free).map(|(_, text)| text.clone());
    let mut items: Vec<String> = free.collect();
    for (number, name) in model.resources.iter().enumerate() {
        let mut functions: Vec<&str> = written
            .iter()
            .filter(|(kind, _)| kind.resource() == Some(number))
            .map(|(_, text)| text.as_str())
            .collect();
        if style.is_reversed {
            functions.reverse();
        }
        items.push(format!("{}resource {name} {{ {} }}\n", writer.comment(), functions.concat()));
    }
    let types = &writer.types;
    // What has a resource of this interface somewhere inside cannot be defined in another one.
    let can_move = style.is_elsewhere && !types.iter().any(|type_| type_.has_ours) && !types.is_empty();
    let all: String = types.iter().map(|type_| type_.text.as_str()).collect();
    let used = writer.uses();
    let mut others = writer.other();
    if can_move {
        let names: Vec<&str> = types.iter().map(|type_| type_.name.as_str()).collect();
        let _ = writeln!(others, "interface elsewhere {{ {used} {all} }}");
        items.insert(0, format!("use elsewhere.{{{}}};\n", names.join(", ")));
    } else {
        items.extend(types.iter().map(|type_| type_.text.clone()));
    }
    if style.is_reversed {
        items.reverse();
    }
    items.insert(if style.is_reversed { items.len() } else { 0 }, used);
    let body: String = items.concat();
    let unused = if style.has_aliases { "type unused = u8; record idle { x: u8 }\n" } else { "" };
    let comment = if style.has_comments { "/// What it is.\n" } else { "" };
    format!("package {};\n{others}{comment}interface main {{\n{unused}{body}}}\n", style.package)
}

struct Writer<'a> {
    model: &'a Model,
    style: &'a Style,
    types: Vec<Declared>,
}

/// A type with a name.
struct Declared {
    name: String,
    text: String,
    has_ours: bool,
}

impl Writer<'_> {
    fn comment(&self) -> String {
        let comment = if self.style.has_comments { "/// A comment. /* and */\n// another\n" } else { "" };
        let gate = if self.style.is_unstable { "@unstable(feature = fancy)\n" } else { "" };
        format!("{comment}{gate}")
    }

    /// The interface whose resources this one uses.
    fn other(&self) -> String {
        let mut resources: Vec<String> =
            self.model.foreign.iter().map(|name| format!("resource {name};\n")).collect();
        if self.style.is_reversed {
            resources.reverse();
        }
        let Model { foreign_function, .. } = self.model;
        format!("interface {} {{ {} {foreign_function}: func(); }}\n", self.style.other, resources.concat())
    }

    /// What a resource of the other interface is called here.
    fn alias(&self, number: usize) -> String {
        let name = &self.model.foreign[number % self.model.foreign.len()];
        if self.style.keeps_names && !self.model.resources.contains(name) {
            name.clone()
        } else {
            format!("{}other-{name}", self.style.prefix)
        }
    }

    fn uses(&self) -> String {
        let names: Vec<String> = (0..self.model.foreign.len())
            .map(|number| match (&self.model.foreign[number], self.alias(number)) {
                (name, alias) if *name == alias => alias,
                (name, alias) => format!("{name} as {alias}"),
            })
            .collect();
        format!("use {}.{{{}}};\n", self.style.other, names.join(", "))
    }

    fn resource(&self, which: Which) -> String {
        match which {
            Which::Ours(number) => self.model.resources[number % self.model.resources.len()].clone(),
            Which::Foreign(number) => self.alias(number),
        }
    }

    fn function(&mut self, function: &Function) -> String {
        let parameters: Vec<String> = function
            .parameters
            .iter()
            .map(|(name, type_)| format!("%{name}: {}", self.type_(type_)))
            .collect();
        let parameters = parameters.join(", ");
        let result =
            function.result.as_ref().map(|type_| format!(" -> {}", self.type_(type_))).unwrap_or_default();
        let (comment, name) = (self.comment(), &function.name);
        match function.kind {
            Kind::Free | Kind::Method(_) => format!("{comment}{name}: func({parameters}){result};\n"),
            Kind::Static(_) => format!("{comment}{name}: static func({parameters}){result};\n"),
            Kind::Constructor(_) => format!("{comment}constructor({parameters});\n"),
        }
    }

    fn declare(&mut self, type_: &Type, text: impl FnOnce(&str) -> String) -> String {
        let name = format!("{}{}", self.style.prefix, self.types.len());
        let text = format!("{}{}\n", self.comment(), text(&name));
        self.types.push(Declared { name: name.clone(), text, has_ours: has_ours(type_) });
        name
    }

    fn type_(&mut self, type_: &Type) -> String {
        let text = match type_ {
            Type::Simple(name) => (*name).to_owned(),
            Type::List(inner) => format!("list<{}>", self.type_(inner)),
            Type::Option(inner) => format!("option<{}>", self.type_(inner)),
            Type::Result(None, None) => "result".to_owned(),
            Type::Result(Some(ok), None) => format!("result<{}>", self.type_(ok)),
            Type::Result(None, Some(error)) => format!("result<_, {}>", self.type_(error)),
            Type::Result(Some(ok), Some(error)) => {
                format!("result<{}, {}>", self.type_(ok), self.type_(error))
            }
            Type::Tuple(types) => {
                let types: Vec<String> = types.iter().map(|type_| self.type_(type_)).collect();
                format!("tuple<{}>", types.join(", "))
            }
            Type::Own(which) if self.style.is_reversed => self.resource(*which),
            Type::Own(which) => format!("own<{}>", self.resource(*which)),
            Type::Borrow(which) => format!("borrow<{}>", self.resource(*which)),
            Type::Record(fields) => {
                let mut body = String::new();
                for (name, type_) in fields {
                    let type_ = self.type_(type_);
                    let _ = write!(body, "{name}: {type_}, ");
                }
                return self.declare(type_, |name| format!("record {name} {{ {body} }}"));
            }
            Type::Variant(cases) => {
                let mut body = String::new();
                for (name, type_) in cases {
                    match type_ {
                        Some(type_) => {
                            let type_ = self.type_(type_);
                            let _ = write!(body, "{name}({type_}), ");
                        }
                        None => body += &format!("{name}, "),
                    }
                }
                return self.declare(type_, |name| format!("variant {name} {{ {body} }}"));
            }
            Type::Enum(names) => {
                return self.declare(type_, |name| format!("enum {name} {{ {} }}", names.join(", ")));
            }
            Type::Flags(names) => {
                return self.declare(type_, |name| format!("flags {name} {{ {} }}", names.join(", ")));
            }
        };
        if !self.style.has_aliases {
            return text;
        }
        self.declare(type_, |name| format!("type {name} = {text};"))
    }
}

/// Whether a resource of this interface is somewhere inside.
fn has_ours(type_: &Type) -> bool {
    match type_ {
        Type::Own(which) | Type::Borrow(which) => matches!(which, Which::Ours(_)),
        Type::List(inner) | Type::Option(inner) => has_ours(inner),
        Type::Result(ok, error) => ok.iter().chain(error).any(|type_| has_ours(type_)),
        Type::Tuple(types) => types.iter().any(has_ours),
        Type::Record(fields) => fields.iter().any(|(_, type_)| has_ours(type_)),
        Type::Variant(cases) => cases.iter().filter_map(|(_, type_)| type_.as_ref()).any(has_ours),
        Type::Simple(_) | Type::Enum(_) | Type::Flags(_) => false,
    }
}
