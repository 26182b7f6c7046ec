//! Interfaces at random, and the many ways to write each.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;

/// An interface, as a test sees it.
#[derive(Clone, Debug)]
pub struct Model {
    functions: Vec<Function>,
}

#[derive(Clone, Debug)]
struct Function {
    name: String,
    parameters: Vec<(String, Type)>,
    result: Option<Type>,
}

#[derive(Clone, Debug)]
enum Type {
    Simple(&'static str),
    List(Box<Type>),
    Option(Box<Type>),
    Result(Option<Box<Type>>, Option<Box<Type>>),
    Tuple(Vec<Type>),
    Record(Vec<(String, Type)>),
    Variant(Vec<(String, Option<Type>)>),
    Enum(Vec<String>),
    Flags(Vec<String>),
}

/// How an interface is written.
#[derive(Clone, Debug)]
pub struct Style {
    package: String,
    prefix: String,
    has_comments: bool,
    is_reversed: bool,
    has_aliases: bool,
    is_elsewhere: bool,
}

/// Any style.
pub fn style() -> impl Strategy<Value = Style> {
    let package = prop_oneof![Just("a:b"), Just("other:name@1.2.3"), Just("x:y@0.0.1-alpha")];
    let prefix = prop_oneof![Just("t"), Just("named-"), Just("z-z")];
    let flag = any::<bool>;
    (package, prefix, flag(), flag(), flag(), flag()).prop_map(
        |(package, prefix, has_comments, is_reversed, has_aliases, is_elsewhere)| Style {
            package: package.to_owned(),
            prefix: prefix.to_owned(),
            has_comments,
            is_reversed,
            has_aliases,
            is_elsewhere,
        },
    )
}

fn names(most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set("n[a-d]{1,2}", 1..most)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn type_() -> impl Strategy<Value = Type> {
    let simple = prop::sample::select(vec![
        "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string",
    ]);
    let leaf = prop_oneof![
        4 => simple.prop_map(Type::Simple),
        1 => names(4).prop_map(Type::Enum),
        1 => names(4).prop_map(Type::Flags),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let maybe = || prop::option::of(inner.clone().prop_map(Box::new));
        let named = |types: Vec<Type>, names: Vec<String>| names.into_iter().zip(types).collect::<Vec<_>>();
        let several = || (prop::collection::vec(inner.clone(), 4), names(4));
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            boxed.prop_map(Type::Option),
            (maybe(), maybe()).prop_map(|(ok, error)| Type::Result(ok, error)),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Type::Tuple),
            several().prop_map(move |(types, names)| Type::Record(named(types, names))),
            several().prop_map(move |(types, names)| {
                let cases = named(types, names).into_iter().enumerate();
                Type::Variant(
                    cases.map(|(place, (name, type_))| (name, (place % 2 == 0).then_some(type_))).collect(),
                )
            }),
        ]
    })
}

/// Any interface.
pub fn model() -> impl Strategy<Value = Model> {
    let function = (names(4), prop::collection::vec(type_(), 4), prop::option::of(type_()));
    (names(5), prop::collection::vec(function, 5)).prop_map(|(names, functions)| Model {
        functions: names
            .into_iter()
            .zip(functions)
            .map(|(name, (parameters, types, result))| Function {
                name: format!("f-{name}"),
                parameters: parameters.into_iter().zip(types).collect(),
                result,
            })
            .collect(),
    })
}

/// Writes an interface as WIT.
pub fn write(model: &Model, style: &Style) -> String {
    let mut writer = Writer { style, types: Vec::new() };
    let mut items: Vec<String> = model.functions.iter().map(|function| writer.function(function)).collect();
    let types = writer.types.clone();
    let names: Vec<&str> = types.iter().map(|(name, _)| name.as_str()).collect();
    let mut others = String::new();
    if style.is_elsewhere && !types.is_empty() {
        let all: String = types.iter().map(|(_, text)| text.as_str()).collect();
        others = format!("interface elsewhere {{ {all} }}\n");
        items.insert(0, format!("use elsewhere.{{{}}};\n", names.join(", ")));
    } else {
        items.extend(types.iter().map(|(_, text)| text.clone()));
    }
    if style.is_reversed {
        items.reverse();
    }
    let body: String = items.concat();
    let unused = if style.has_aliases { "type unused = u8; record idle { x: u8 }\n" } else { "" };
    let comment = if style.has_comments { "/// What it is.\n" } else { "" };
    format!("package {};\n{others}{comment}interface main {{\n{unused}{body}}}\n", style.package)
}

struct Writer<'a> {
    style: &'a Style,
    types: Vec<(String, String)>,
}

impl Writer<'_> {
    fn comment(&self) -> &'static str {
        if self.style.has_comments { "/// A comment. /* and */\n// another\n" } else { "" }
    }

    fn function(&mut self, function: &Function) -> String {
        let parameters: Vec<String> = function
            .parameters
            .iter()
            .map(|(name, type_)| format!("%{name}: {}", self.type_(type_)))
            .collect();
        let result =
            function.result.as_ref().map(|type_| format!(" -> {}", self.type_(type_))).unwrap_or_default();
        format!("{}{}: func({}){result};\n", self.comment(), function.name, parameters.join(", "))
    }

    fn declare(&mut self, word: &str, body: &str) -> String {
        let name = format!("{}{}", self.style.prefix, self.types.len());
        self.types.push((name.clone(), format!("{}{word} {name} {{ {body} }}\n", self.comment())));
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
                format!(
                    "tuple<{}>",
                    types.iter().map(|type_| self.type_(type_)).collect::<Vec<_>>().join(", ")
                )
            }
            Type::Record(fields) => {
                let mut body = String::new();
                for (name, type_) in fields {
                    let type_ = self.type_(type_);
                    let _ = write!(body, "{name}: {type_}, ");
                }
                return self.declare("record", &body);
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
                return self.declare("variant", &body);
            }
            Type::Enum(names) => return self.declare("enum", &names.join(", ")),
            Type::Flags(names) => return self.declare("flags", &names.join(", ")),
        };
        if !self.style.has_aliases {
            return text;
        }
        let name = format!("{}{}", self.style.prefix, self.types.len());
        self.types.push((name.clone(), format!("type {name} = {text};\n")));
        name
    }
}

/// How many ways to change an interface there are.
pub const CHANGES: usize = 9;

/// Changes an interface somewhere in a way that a caller can notice; whether there was something to change.
pub fn change(model: &mut Model, place: Index, change: usize) -> bool {
    let count = model.functions.len();
    let at = place.index(count);
    let function = &mut model.functions[at];
    match change {
        0 => function.name += "x",
        1 => function.parameters[0].0 += "x",
        2 => function.parameters.push(("last-one".to_owned(), Type::Simple("u8"))),
        3 => drop(function.parameters.pop()),
        4 => {
            function.result = match function.result.take() {
                Some(_) => None,
                None => Some(Type::Simple("bool")),
            }
        }
        5 => drop(model.functions.remove(at)),
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
        _ => {
            let parameters = function.parameters.iter_mut().map(|(_, type_)| type_);
            let types: Vec<&mut Type> = parameters.chain(&mut function.result).collect();
            let count = types.len();
            return types
                .into_iter()
                .nth(place.index(count))
                .is_some_and(|type_| change_inside(type_, place));
        }
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
            if at.is_multiple_of(2) {
                fields[at].0 += "x";
            } else {
                fields.swap(0, at);
            }
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
            if at == 0 { names.push("last-one".to_owned()) } else { names.swap(0, at) }
        }
    }
    true
}
