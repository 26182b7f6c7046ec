//! The canonical form: one text for everything in which a caller can notice a difference, and nothing else.

use std::fmt::{self, Display, Formatter};

use crate::{Function, Interface, Kind, Label, ResourceName, Type};

/// The first line: another form would have another number.
const FIRST_LINE: &str = "interface 1\n";

impl Interface {
    /// Its canonical form.
    #[must_use]
    pub fn canonical(&self) -> String {
        let resources = self.resources.iter().map(|resource| format!("resource {}\n", resource.name));
        let functions = self.functions.iter().map(|function| function.canonical() + "\n");
        let mut lines: Vec<String> = resources.chain(functions).collect();
        lines.sort_unstable();
        lines.insert(0, FIRST_LINE.to_owned());
        lines.concat()
    }
}

impl Function {
    /// Its line of the canonical form, without the line's end.
    #[must_use]
    pub fn canonical(&self) -> String {
        let parameters =
            self.parameters.iter().map(|parameter| format!("{}: {}", parameter.name, parameter.type_));
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        let result = self.result.as_ref().map(|result| format!(" -> {result}")).unwrap_or_default();
        format!("{} {}({parameters}){result}", self.kind.word(), self.full_name())
    }

    /// Its name, with that of the resource that it belongs to.
    #[must_use]
    pub fn full_name(&self) -> String {
        match &self.kind {
            Kind::Free => self.name.clone(),
            Kind::Method(resource) | Kind::Static(resource) => format!("{resource}.{}", self.name),
            Kind::Constructor(resource) => resource.clone(),
        }
    }
}

impl Kind {
    /// What its line begins with.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Free => "func",
            Self::Method(_) => "method",
            Self::Static(_) => "static",
            Self::Constructor(_) => "constructor",
        }
    }
}

impl Display for Type {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => formatter.write_str("bool"),
            Self::U8 => formatter.write_str("u8"),
            Self::U16 => formatter.write_str("u16"),
            Self::U32 => formatter.write_str("u32"),
            Self::U64 => formatter.write_str("u64"),
            Self::S8 => formatter.write_str("s8"),
            Self::S16 => formatter.write_str("s16"),
            Self::S32 => formatter.write_str("s32"),
            Self::S64 => formatter.write_str("s64"),
            Self::F32 => formatter.write_str("f32"),
            Self::F64 => formatter.write_str("f64"),
            Self::Char => formatter.write_str("char"),
            Self::String => formatter.write_str("string"),
            Self::List(element) => write!(formatter, "list<{element}>"),
            Self::Option(value) => write!(formatter, "option<{value}>"),
            Self::Result { ok, error } => {
                write!(formatter, "result<{}, {}>", OrNone(ok.as_deref()), OrNone(error.as_deref()))
            }
            Self::Tuple(values) => {
                formatter.write_str("tuple<")?;
                list(formatter, values, |formatter, value| value.fmt(formatter))?;
                formatter.write_str(">")
            }
            Self::Record(record) => {
                formatter.write_str("record{")?;
                list(formatter, &record.parts, |formatter, field| {
                    write!(formatter, "{}: {}", field.name, field.type_)
                })?;
                formatter.write_str("}")
            }
            Self::Variant(variant) => {
                formatter.write_str("variant{")?;
                list(formatter, &variant.parts, |formatter, case| match &case.payload {
                    Some(payload) => write!(formatter, "{}({payload})", case.name),
                    None => formatter.write_str(&case.name),
                })?;
                formatter.write_str("}")
            }
            Self::Enum(named) => labels(formatter, "enum", &named.parts),
            Self::Flags(named) => labels(formatter, "flags", &named.parts),
            Self::Own(resource) => write!(formatter, "own<{resource}>"),
            Self::Borrow(resource) => write!(formatter, "borrow<{resource}>"),
        }
    }
}

impl Display for ResourceName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match &self.interface {
            Some(interface) => write!(formatter, "{}@{interface}", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

struct OrNone<'a>(Option<&'a Type>);

impl Display for OrNone<'_> {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(type_) => type_.fmt(formatter),
            None => formatter.write_str("_"),
        }
    }
}

fn labels(formatter: &mut Formatter<'_>, word: &str, labels: &[Label]) -> fmt::Result {
    write!(formatter, "{word}{{")?;
    list(formatter, labels, |formatter, label| formatter.write_str(&label.name))?;
    formatter.write_str("}")
}

fn list<T>(
    formatter: &mut Formatter<'_>,
    items: &[T],
    write: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (place, item) in items.iter().enumerate() {
        if place > 0 {
            formatter.write_str(", ")?;
        }
        write(formatter, item)?;
    }
    Ok(())
}
