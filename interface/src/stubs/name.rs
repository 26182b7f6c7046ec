//! Names in Rust: from `kebab-case`, away from keywords and from what the stubs themselves are called.

/// Words that no function, field or parameter may be.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield", "union",
];

/// What the functions of stubs call their own values.
const OWN_VALUES: [&str; 7] = ["answer_most", "client", "deadline", "later", "request", "room", "server"];

/// What clients and resources call the type that they call through.
pub const GENERIC: &str = "C";

/// The type that says what a message is to.
pub const TARGET: &str = "Target";

/// Its case for the interface itself; the others are named as the resources are.
pub const INTERFACE: &str = "Interface";

/// A server's function that finds out what a message is to.
const FIND_TARGET: &str = "target";

/// Types that stubs use by their short names, and those that they define.
const OWN_TYPES: [&str; 22] = [
    GENERIC,
    TARGET,
    INTERFACE,
    "Client",
    "LaterService",
    "Service",
    "Self",
    "Option",
    "Result",
    "Some",
    "None",
    "Ok",
    "Err",
    "Copy",
    "Clone",
    "Debug",
    "PartialEq",
    "Eq",
    "Hash",
    "Default",
    "Sized",
    "Send",
];

/// A function or a field.
pub fn snake(name: &str) -> String {
    let name = name.replace('-', "_").to_lowercase();
    if KEYWORDS.contains(&name.as_str()) { name + "_" } else { name }
}

/// A function of the interface, in stubs that may have a function of their own beside it.
pub fn free(name: &str, has_target: bool) -> String {
    let name = snake(name);
    if has_target && name == FIND_TARGET { name + "_" } else { name }
}

/// A parameter.
pub fn parameter(name: &str) -> String {
    let name = snake(name);
    if OWN_VALUES.contains(&name.as_str()) { name + "_" } else { name }
}

/// A case of a type.
pub fn camel(name: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase())
    };
    let name: String = name.split('-').filter_map(capital).collect();
    // The one word of this form.
    if name == "Self" { name + "_" } else { name }
}

/// A type.
pub fn type_(name: &str) -> String {
    let name = camel(name);
    if OWN_TYPES.contains(&name.as_str()) { name + "_" } else { name }
}

/// A constant.
pub fn constant(name: &str) -> String {
    name.replace('-', "_").to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rusts_and_never_keywords() {
        assert_eq!(snake("read-all"), "read_all");
        assert_eq!(snake("type"), "type_");
        assert_eq!(parameter("deadline"), "deadline_");
        assert_eq!(type_("HTTP-request"), "HttpRequest");
        assert_eq!(type_("client"), "Client_");
        assert_eq!(camel("client"), "Client");
        assert_eq!(camel("self"), "Self_");
        assert_eq!(constant("division-by-zero"), "DIVISION_BY_ZERO");
    }
}
