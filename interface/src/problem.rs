//! Why an interface cannot be had.

use thiserror::Error;

/// What is wrong with an interface or where it was looked for.
#[derive(Debug, Error)]
pub enum Problem {
    /// The text is no WIT, or there is none.
    #[error("{0}")]
    Wit(String),
    /// There is no interface of this name.
    #[error("there is no interface `{name}`; there {} {}", if known.len() == 1 { "is" } else { "are" }, list(known))]
    NoInterface {
        /// The name asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
    /// There are none at all.
    #[error("the package `{package}` has no interfaces (what stands in worlds is not looked at)")]
    Empty {
        /// The package.
        package: String,
    },
    /// It uses something of WIT that cannot be a message.
    #[error("`{place}` in `{interface}`: {what}")]
    Unsupported {
        /// The interface.
        interface: String,
        /// The function or type.
        place: String,
        /// What it uses, and why it cannot.
        what: &'static str,
    },
    /// Its types, written out, are endless for all practical purposes.
    #[error("the types of `{interface}`, written out, have more than {most} parts")]
    TooLarge {
        /// The interface.
        interface: String,
        /// How many parts there may be.
        most: usize,
    },
    /// Its names and comments, written out with its types, are endless for all practical purposes.
    #[error("the types of `{interface}` and of what it uses, written out with their names and comments, take more than {} MiB", most >> 20)]
    TooLong {
        /// The interface.
        interface: String,
        /// How many bytes there may be.
        most: usize,
    },
    /// Too many interfaces use resources of each other.
    #[error(
        "`{interface}` is one of a chain of more than {most} interfaces, each with resources of the next; a shorter one is needed"
    )]
    Chain {
        /// The interface.
        interface: String,
        /// How many there may be.
        most: usize,
    },
    /// Two interfaces that it uses have the same identity, so that nobody could tell a resource of one from a resource of the other.
    #[error(
        "`{interface}` uses resources of `{one}` and of `{other}`, which have the same form and so are the same interface; use one of them for both, or let them differ in a name"
    )]
    Twins {
        /// The interface.
        interface: String,
        /// The one that it uses.
        one: String,
        /// The other.
        other: String,
    },
    /// What the generator wrote is no Rust: its mistake.
    #[error("the stubs of `{interface}` would be no Rust, which is a mistake of hallows: {what}")]
    Generator {
        /// The interface.
        interface: String,
        /// What the parser says.
        what: String,
    },
    /// Two of its names are one name in the language that stubs are asked for.
    #[error(
        "`{name}` in `{interface}` would be a second `{stub}` in the stubs; give one of the two another name (`use … as …` if it is of another interface)"
    )]
    SameName {
        /// The interface.
        interface: String,
        /// The name in the interface.
        name: String,
        /// Its name in the stubs.
        stub: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
