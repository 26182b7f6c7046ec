//! Interfaces at random; `write` has the many ways to write each, `change` what a caller can notice.

mod change;
mod write;

use proptest::prelude::*;

pub use change::{CHANGES, change};
pub use write::{Style, style, write};

/// An interface, as a test sees it.
#[derive(Clone, Debug)]
pub struct Model {
    /// Names of the resources that it defines; at least one.
    resources: Vec<String>,
    /// Names of the resources of the other interface that it uses; at least one.
    foreign: Vec<String>,
    /// What the other interface's functions are called: a difference there is one of each type with a resource of it.
    foreign_function: String,
    functions: Vec<Function>,
}

#[derive(Clone, Debug)]
struct Function {
    kind: Kind,
    name: String,
    parameters: Vec<(String, Type)>,
    result: Option<Type>,
}

/// What a function belongs to: the interface, or one of its resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Free,
    Method(usize),
    Static(usize),
    Constructor(usize),
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
    Own(Which),
    /// Only of parameters, as WIT has it.
    Borrow(Which),
}

/// A resource: its own by number, or another interface's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Ours(usize),
    Foreign(usize),
}

fn names(most: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::btree_set("n[a-d]{1,2}", 1..most)
        .prop_map(|names| names.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

/// A resource of those that there are: numbers are taken modulo their count.
fn which() -> impl Strategy<Value = Which> {
    prop_oneof![(0_usize..2).prop_map(Which::Ours), (0_usize..2).prop_map(Which::Foreign)]
}

fn type_() -> impl Strategy<Value = Type> {
    let simple = prop::sample::select(vec![
        "bool", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "char", "string",
    ]);
    let leaf = prop_oneof![
        4 => simple.prop_map(Type::Simple),
        1 => names(4).prop_map(Type::Enum),
        1 => names(4).prop_map(Type::Flags),
        2 => which().prop_map(Type::Own),
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

/// A type, or a resource that is lent, as it is or in a list.
fn parameter() -> impl Strategy<Value = Type> {
    prop_oneof![
        4 => type_(),
        1 => which().prop_map(Type::Borrow),
        1 => which().prop_map(|which| Type::List(Box::new(Type::Borrow(which)))),
    ]
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        3 => Just(Kind::Free),
        1 => (0_usize..2).prop_map(Kind::Method),
        1 => (0_usize..2).prop_map(Kind::Static),
        1 => (0_usize..2).prop_map(Kind::Constructor),
    ]
}

/// Any interface.
pub fn model() -> impl Strategy<Value = Model> {
    let function = (kind(), names(4), prop::collection::vec(parameter(), 4), prop::option::of(type_()));
    (names(3), names(3), "[a-b]", names(6), prop::collection::vec(function, 6)).prop_map(
        |(resources, foreign, foreign_function, names, functions)| {
            let mut made = vec![false; resources.len()];
            let functions = names.into_iter().zip(functions).map(|(name, function)| {
                let (kind, parameters, types, result) = function;
                let kind = kind.among(resources.len());
                // One constructor for each resource.
                let kind = match kind {
                    Kind::Constructor(which) if std::mem::replace(&mut made[which], true) => Kind::Free,
                    kind => kind,
                };
                let parameters: Vec<_> = parameters.into_iter().zip(types).collect();
                let result = if matches!(kind, Kind::Constructor(_)) { None } else { result };
                Function { kind, name: format!("f-{name}"), parameters, result }
            });
            let functions = functions.collect();
            Model { resources, foreign, foreign_function, functions }
        },
    )
}

impl Kind {
    fn among(self, count: usize) -> Self {
        match self {
            Self::Free => Self::Free,
            Self::Method(which) => Self::Method(which % count),
            Self::Static(which) => Self::Static(which % count),
            Self::Constructor(which) => Self::Constructor(which % count),
        }
    }

    fn resource(self) -> Option<usize> {
        match self {
            Self::Free => None,
            Self::Method(which) | Self::Static(which) | Self::Constructor(which) => Some(which),
        }
    }
}
