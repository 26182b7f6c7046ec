//! The systems that come with hallows: descriptions by name.

macro_rules! systems {
    ($($name:literal),* $(,)?) => {
        /// Their names and texts.
        pub static SYSTEMS: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../programs/systems/", $name, ".toml")))),*];
    };
}

systems![
    "bank",
    "budget",
    "calculator",
    "calculator-active",
    "counter",
    "deadlines",
    "default",
    "echo",
    "echo-host",
    "fan-out",
    "file-drop",
    "flood",
    "fuzz",
    "give-up",
    "http",
    "http-host",
    "kv",
    "kv-host",
    "native",
    "native-neighbours",
    "neighbours",
    "network",
    "rings",
    "scatter",
    "succession",
    "threads",
    "tuned",
];

/// The system that `hallows` boots when it is not told otherwise.
pub const DEFAULT: &str = "default";

/// The description of a system.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    SYSTEMS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The first sentence of a description: what the system shows.
#[must_use]
pub fn summary(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix('#'));
    let said = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    match said.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => said,
    }
}
