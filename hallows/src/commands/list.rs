//! `hallows list`: the systems and programs that come along.

use std::io::{self, Write};

use hallows_interface::declared::Declared;

use crate::cli::List;
use crate::system::ProgramSource;
use crate::{embedded, systems};

/// Prints them.
///
/// # Errors
/// When nobody reads the output any more.
pub fn list(options: List, output: &mut impl Write) -> io::Result<()> {
    if options.json {
        let systems: Vec<_> = systems::SYSTEMS
            .iter()
            .map(|(name, text)| serde_json::json!({ "name": name, "summary": systems::summary(text) }))
            .collect();
        // Of programs that declare some.
        let interfaces: serde_json::Map<_, _> = embedded::names()
            .into_iter()
            .filter_map(|name| {
                let declared = embedded::declared(&ProgramSource::BuiltIn(name.to_owned())).ok()?;
                let one = |Declared { direction, hash, name }: &Declared| {
                    let (direction, hash) = (direction.to_string(), hash.to_string());
                    serde_json::json!({ "interface": name, "direction": direction, "hash": hash })
                };
                let all: Vec<_> = declared.iter().map(one).collect();
                (!all.is_empty()).then(|| (name.to_owned(), all.into()))
            })
            .collect();
        let all = serde_json::json!({
            "systems": systems,
            "programs": embedded::names(),
            "native": embedded::native_names(),
            "interfaces": interfaces,
        });
        return writeln!(output, "{all}");
    }
    writeln!(output, "Systems (hallows run NAME):")?;
    for (name, text) in systems::SYSTEMS {
        writeln!(output, "  {name:<18} {}", systems::summary(text))?;
    }
    writeln!(output, "\nPrograms (hallows run NAME -- ARGUMENTS, or in a system of your own):")?;
    writeln!(output, "  {}", embedded::names().join(", "))?;
    writeln!(output, "\nLinked in (--native, or native = true in a system):")?;
    writeln!(output, "  {}", embedded::native_names().join(", "))
}
