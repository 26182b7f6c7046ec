//! How large a program may be and how much its compilation may take.
use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares the limits once: variant, name in arguments and errors, default, reason.
macro_rules! limits {
    ($( $(#[$reason:meta])* $variant:ident $name:literal = $default:expr; )*) => {
        /// Something that is limited. Each exists because a program of a few bytes can ask for a lot of it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Limit {
            $( $(#[$reason])* #[serde(rename = $name)] $variant, )*
        }

        impl Limit {
            /// All limits, in the order of their declaration.
            pub const ALL: &[Limit] = &[$(Limit::$variant),*];

            /// The name in arguments, errors and manifests.
            pub const fn name(self) -> &'static str {
                match self { $(Limit::$variant => $name),* }
            }

            /// What holds if nobody says otherwise.
            pub const fn default_value(self) -> u64 {
                match self { $(Limit::$variant => $default),* }
            }
        }
    };
}

limits! {
    /// Bytes of the program. Six times the largest program we know of (78 Unix utilities in one, 10 MB).
    SourceBytes "source-bytes" = 64 << 20;
    /// Function types.
    Types "types" = 100_000;
    /// Imports of all kinds.
    Imports "imports" = 10_000;
    /// Functions defined; Cranelift takes 30 µs for the smallest, so these take 6 s.
    Functions "functions" = 200_000;
    /// Exports of all kinds.
    Exports "exports" = 100_000;
    /// Globals; each takes 16 bytes of every instance.
    Globals "globals" = 10_000;
    /// Tables.
    Tables "tables" = 100;
    /// Entries of one table at the start; each takes 8 bytes of every instance.
    TableEntries "table-entries" = 1_000_000;
    /// Pages of 64 KiB of the memory at the start.
    MemoryPages "memory-pages" = 65_536;
    /// Bytes of one constant expression; Cranelift takes 300 bytes of memory for each.
    ConstantBytes "constant-bytes" = 10_000;
    /// Data segments.
    DataSegments "data-segments" = 100_000;
    /// Element segments.
    ElementSegments "element-segments" = 100_000;
    /// Bytes of one function's body. Interpreters' main loops have some 200,000.
    BodyBytes "body-bytes" = 1 << 20;
    /// Locals of one function, parameters not counted.
    Locals "locals" = 20_000;
    /// Targets of one branch table; Cranelift takes no more.
    BranchTargets "branch-targets" = 65_520;
    /// Blocks within each other. A `switch` of *n* cases is compiled to *n* nested blocks.
    Nesting "nesting" = 10_000;
    /// Bytes of memory that the compiler process may use: some 100 for each of code, and a reserve.
    CompilerMemoryBytes "compiler-memory-bytes" = 2 << 30;
    /// Seconds of processor time that the compiler process may use, all threads together.
    CompilerSeconds "compiler-seconds" = 60;
    /// Seconds after which its parent kills it, whatever it does.
    WallSeconds "wall-seconds" = 120;
}

impl Limit {
    /// The limit of this name.
    pub fn from_name(name: &str) -> Option<Limit> {
        Limit::ALL.iter().copied().find(|limit| limit.name() == name)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A value for every [`Limit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Those that differ from the default, in no order.
    changed: Vec<(Limit, u64)>,
}

impl Limits {
    /// The defaults.
    pub const DEFAULT: Limits = Limits { changed: Vec::new() };

    /// The value of `limit`.
    pub fn get(&self, limit: Limit) -> u64 {
        let changed = self.changed.iter().find(|(other, _)| *other == limit);
        changed.map_or(limit.default_value(), |(_, value)| *value)
    }

    /// These limits with another value for one.
    #[must_use]
    pub fn with(mut self, limit: Limit, value: u64) -> Limits {
        self.changed.retain(|(other, _)| *other != limit);
        if value != limit.default_value() {
            self.changed.push((limit, value));
        }
        self
    }

    /// Those that differ from the default.
    pub fn changed(&self) -> impl Iterator<Item = (Limit, u64)> {
        self.changed.iter().copied()
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found_again() {
        for limit in Limit::ALL {
            assert_eq!(Limit::from_name(limit.name()), Some(*limit));
        }
        assert_eq!(Limit::from_name("bytes"), None);
    }

    #[test]
    fn the_last_value_given_holds() {
        let limits = Limits::DEFAULT.with(Limit::Locals, 5).with(Limit::Locals, 7);
        assert_eq!(limits.get(Limit::Locals), 7);
        assert_eq!(limits.get(Limit::Types), 100_000);
        assert_eq!(limits.with(Limit::Locals, Limit::Locals.default_value()), Limits::DEFAULT);
    }
}
