//! Names of projects: of a folder, a package, a crate and a cell at once.

use std::fmt;

/// The longest name: a folder and a cell may have longer ones, a table on a terminal has no room.
const LONGEST: usize = 64;

/// Words that no crate can be called, or that mean another one in a program.
const TAKEN: [&str; 56] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "core",
    "crate",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "hallows",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "proc_macro",
    "pub",
    "ref",
    "return",
    "self",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "unsized",
    "use",
    "where",
    "while",
];

/// What names of the SDK's packages begin with, which a project has beside itself: as packages and as crates.
const OURS: [&str; 2] = ["hallows-", "hallows_"];

/// The name of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

/// Why a text is no name of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It has none.
    #[error("a project needs a name")]
    Empty,
    /// It begins with something else.
    #[error("a name begins with a letter from a to z")]
    Begins,
    /// It has another character.
    #[error("a name has a to z, 0 to 9, `-` and `_`, and not {0:?}; for another folder, go there first")]
    Character(char),
    /// It is too long.
    #[error("a name has at most {LONGEST} characters")]
    TooLong,
    /// It looks like one of ours.
    #[error("names that begin with `hallows-` are those of the SDK")]
    Ours,
    /// It means something else.
    #[error("Rust, or the SDK, has something of this name already")]
    Taken,
}

impl Name {
    /// From what a user typed.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let is_allowed = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
        if let Some(other) = text.chars().find(|letter| !is_allowed(*letter)) {
            return Err(NameError::Character(other));
        }
        match text.chars().next() {
            None => Err(NameError::Empty),
            Some(first) if !first.is_ascii_lowercase() => Err(NameError::Begins),
            Some(_) if text.len() > LONGEST => Err(NameError::TooLong),
            Some(_) if OURS.iter().any(|ours| text.starts_with(ours)) => Err(NameError::Ours),
            Some(_) if TAKEN.contains(&text) => Err(NameError::Taken),
            Some(_) => Ok(Self(text.to_owned())),
        }
    }

    /// As it was typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the compiler calls its crate and its files.
    #[must_use]
    pub fn crate_name(&self) -> String {
        self.0.replace('-', "_")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Name, NameError};

    #[test]
    fn a_name_is_one_for_folders_crates_and_cells() {
        for good in ["a", "greeter", "my-first_program2", "hallowsabi", "my-hallows-abi"] {
            assert_eq!(Name::new(good).map(|name| name.as_str().to_owned()), Ok(good.to_owned()));
        }
        for (bad, error) in [
            ("", NameError::Empty),
            ("2fast", NameError::Begins),
            ("-x", NameError::Begins),
            ("Greeter", NameError::Character('G')),
            ("a/b", NameError::Character('/')),
            ("..", NameError::Character('.')),
            ("grüßer", NameError::Character('ü')),
            ("a b", NameError::Character(' ')),
            ("fn", NameError::Taken),
            ("hallows", NameError::Taken),
            ("core", NameError::Taken),
            ("hallows-sdk", NameError::Ours),
            ("hallows-abi", NameError::Ours),
            ("hallows_wire", NameError::Ours),
            ("hallows-", NameError::Ours),
        ] {
            assert_eq!(Name::new(bad), Err(error), "{bad}");
        }
        assert_eq!(Name::new(&"x".repeat(65)), Err(NameError::TooLong));
        assert!(Name::new(&"x".repeat(64)).is_ok());
    }
}
