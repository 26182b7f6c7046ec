//! The templates: files with a few words to be filled in.

use crate::Name;

/// What kind of program a project begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One that runs from start to end.
    Main,
    /// A server, and a client that asks it.
    Server,
}

/// The workspace of the SDK's sources.
pub const SDK_WORKSPACE: &str = include_str!("../templates/sdk.toml");

macro_rules! files {
    ($folder:literal: $($path:literal from $file:literal),* $(,)?) => {
        &[
            (".gitignore", include_str!("../templates/gitignore")),
            (".cargo/config.toml", include_str!("../templates/config.toml")),
            $(($path, include_str!(concat!("../templates/", $folder, "/", $file)))),*
        ]
    };
}

/// Paths and texts.
pub const fn files(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Main => files!["main":
            "Cargo.toml" from "project.toml",
            "README.md" from "README.md",
            "src/lib.rs" from "lib.rs",
            "system.toml" from "system.toml",
        ],
        Kind::Server => files!["server":
            "Cargo.toml" from "project.toml",
            "README.md" from "README.md",
            "src/lib.rs" from "lib.rs",
            "client/Cargo.toml" from "client.toml",
            "client/src/lib.rs" from "client.rs",
            "system.toml" from "system.toml",
        ],
    }
}

/// A text with everything filled in.
pub fn filled(text: &str, name: &Name) -> String {
    text.replace("@name@", name.as_str())
        .replace("@crate@", &name.crate_name())
        .replace("@version@", env!("CARGO_PKG_VERSION"))
}
