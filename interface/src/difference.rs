//! What differs between two interfaces, and whom it breaks.
//!
//! A function is its name and its signature: one whose signature changed is another one. So a function that is gone breaks who calls it, one
//! that came breaks who served the interface without it, and one that changed breaks both.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::Serialize;

use crate::{Case, Field, Function, Interface, Kind, Label, Parameter, Type};

/// Whom a difference breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Breaks {
    /// Callers made for the first interface, at a server of the second.
    Callers,
    /// Servers made for the first interface, called by who knows the second.
    Servers,
    /// Both of them.
    Both,
}

impl fmt::Display for Breaks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Callers => "breaks callers",
            Self::Servers => "breaks servers",
            Self::Both => "breaks callers and servers",
        })
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Where: `write: parameter 2`.
    pub place: String,
    /// What: `list<u8> -> string`.
    pub what: String,
    /// Whom it breaks.
    pub breaks: Breaks,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} ({})", self.place, self.what, self.breaks)
    }
}

/// All differences from one interface to another, by name; none exactly if their hashes are the same.
#[must_use]
pub fn differences(before: &Interface, after: &Interface) -> Vec<Difference> {
    let mut found = Found::default();
    let resources = |interface: &'_ Interface| -> HashSet<String> {
        interface.resources.iter().map(|resource| resource.name.clone()).collect()
    };
    let (old, new) = (resources(before), resources(after));
    for name in old.difference(&new) {
        found.add(format!("resource {name}"), "removed", Breaks::Callers);
    }
    for name in new.difference(&old) {
        found.add(format!("resource {name}"), "added", Breaks::Servers);
    }
    let mut rest: HashMap<String, &Function> =
        after.functions.iter().map(|function| (function.described(), function)).collect();
    for function in &before.functions {
        let name = function.described();
        match rest.remove(&name) {
            Some(twin) => found.function(function, twin),
            None => found.add(name, "removed", Breaks::Callers),
        }
    }
    for name in rest.into_keys() {
        found.add(name, "added", Breaks::Servers);
    }
    found.0.sort_by(|one, other| one.place.cmp(&other.place));
    found.0
}

impl Function {
    /// Its name for people.
    fn described(&self) -> String {
        if matches!(self.kind, Kind::Constructor(_)) {
            format!("{} (constructor)", self.full_name())
        } else {
            self.full_name()
        }
    }
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>, breaks: Breaks) {
        self.0.push(Difference { place: place.into(), what: what.into(), breaks });
    }

    fn changed(&mut self, place: &str, what: impl Into<String>) {
        self.add(place, what, Breaks::Both);
    }

    fn function(&mut self, before: &Function, after: &Function) {
        let place = before.described();
        if before.kind != after.kind {
            self.changed(&place, format!("{} -> {}", before.kind.word(), after.kind.word()));
        }
        let most = before.parameters.len().max(after.parameters.len());
        for number in 0..most {
            let place = format!("{place}: parameter {}", number + 1);
            match (before.parameters.get(number), after.parameters.get(number)) {
                (Some(one), Some(other)) => self.parameter(&place, one, other),
                (Some(one), None) => self.changed(&place, format!("{}: {} removed", one.name, one.type_)),
                (None, Some(other)) => self.changed(&place, format!("{}: {} added", other.name, other.type_)),
                (None, None) => {}
            }
        }
        self.maybe(&format!("{place}: result"), before.result.as_ref(), after.result.as_ref());
    }

    fn parameter(&mut self, place: &str, before: &Parameter, after: &Parameter) {
        if before.name != after.name {
            self.changed(place, format!("renamed {} -> {}", before.name, after.name));
        }
        self.type_(place, &before.type_, &after.type_);
    }

    /// Types that may be absent.
    fn maybe(&mut self, place: &str, before: Option<&Type>, after: Option<&Type>) {
        match (before, after) {
            (Some(before), Some(after)) => self.type_(place, before, after),
            (None, None) => {}
            (before, after) => {
                let text = |type_: Option<&Type>| type_.map_or_else(|| "nothing".to_owned(), Type::to_string);
                self.changed(place, format!("{} -> {}", text(before), text(after)));
            }
        }
    }

    fn type_(&mut self, place: &str, before: &Type, after: &Type) {
        match (before, after) {
            (Type::List(one), Type::List(other)) => self.type_(&format!("{place}: element"), one, other),
            (Type::Option(one), Type::Option(other)) => self.type_(&format!("{place}: value"), one, other),
            (Type::Result { ok, error }, Type::Result { ok: other_ok, error: other_error }) => {
                self.maybe(&format!("{place}: ok"), ok.as_deref(), other_ok.as_deref());
                self.maybe(&format!("{place}: error"), error.as_deref(), other_error.as_deref());
            }
            (Type::Tuple(one), Type::Tuple(other)) if one.len() == other.len() => {
                for (number, (one, other)) in one.iter().zip(other).enumerate() {
                    self.type_(&format!("{place}: value {}", number + 1), one, other);
                }
            }
            (Type::Record(one), Type::Record(other)) => self.parts(place, "field", &one.parts, &other.parts),
            (Type::Variant(one), Type::Variant(other)) => self.parts(place, "case", &one.parts, &other.parts),
            (Type::Enum(one), Type::Enum(other)) => self.parts(place, "case", &one.parts, &other.parts),
            (Type::Flags(one), Type::Flags(other)) => self.parts(place, "flag", &one.parts, &other.parts),
            _ => {
                let (before, after) = (before.to_string(), after.to_string());
                if before != after {
                    self.changed(place, format!("{before} -> {after}"));
                }
            }
        }
    }

    /// Fields, cases or flags, which have names and an order.
    fn parts<P: Part>(&mut self, place: &str, word: &str, before: &[P], after: &[P]) {
        let by_name = |parts: &'_ [P]| -> HashMap<String, usize> {
            let names = parts.iter().map(|part| part.name().to_owned());
            names.enumerate().map(|(number, name)| (name, number)).collect()
        };
        let (old, new) = (by_name(before), by_name(after));
        for part in before.iter().filter(|part| !new.contains_key(part.name())) {
            self.changed(place, format!("{word} {} removed", part.name()));
        }
        for (number, part) in after.iter().enumerate() {
            match old.get(part.name()).and_then(|number| before.get(*number)) {
                None => self.changed(place, format!("{word} {} added as number {}", part.name(), number + 1)),
                Some(old) => {
                    self.maybe(&format!("{place}: {word} {}", part.name()), old.type_(), part.type_());
                }
            }
        }
        let kept = |parts: &'_ [P], others: &HashMap<String, usize>| -> Vec<String> {
            let names = parts.iter().map(|part| part.name().to_owned());
            names.filter(|name| others.contains_key(name)).collect()
        };
        let (one, other) = (kept(before, &new), kept(after, &old));
        if one != other {
            self.changed(place, format!("order of {word}s {} -> {}", one.join(", "), other.join(", ")));
        }
    }
}

/// What records, variants, enums and flags are made of.
trait Part {
    fn name(&self) -> &str;
    fn type_(&self) -> Option<&Type>;
}

impl Part for Field {
    fn name(&self) -> &str {
        &self.name
    }

    fn type_(&self) -> Option<&Type> {
        Some(&self.type_)
    }
}

impl Part for Case {
    fn name(&self) -> &str {
        &self.name
    }

    fn type_(&self) -> Option<&Type> {
        self.payload.as_ref()
    }
}

impl Part for Label {
    fn name(&self) -> &str {
        &self.name
    }

    fn type_(&self) -> Option<&Type> {
        None
    }
}
