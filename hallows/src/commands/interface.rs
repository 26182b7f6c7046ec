//! `hallows interface`: identity, canonical form, differences and stubs of interfaces.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use hallows_interface::declared::{Declared, declared};
use hallows_interface::{Breaks, Difference, Interface, Package, Problem, differences, stubs};

use crate::cli::{
    self, InterfaceDiff, InterfaceHash, InterfaceShow, InterfaceSource, InterfaceStubs, Language,
};
use crate::failure::{Failure, SOFTWARE};

/// Exit code when somebody is broken by a difference.
const BROKEN: u8 = 1;

/// Does what was asked; the exit code.
///
/// # Errors
/// When there is no such interface, or it cannot be what was asked; when nobody reads the output.
pub fn interface(command: &cli::Interface, output: &mut impl Write) -> Result<u8, Failure> {
    match command {
        cli::Interface::Hash(options) => hash(options, output).map(|()| 0),
        cli::Interface::Show(options) => show(options, output).map(|()| 0),
        cli::Interface::Diff(options) => diff(options, output),
        cli::Interface::Stubs(options) => stubs(options, output).map(|()| 0),
    }
}

fn hash(options: &InterfaceHash, output: &mut impl Write) -> Result<(), Failure> {
    for interface in chosen(&options.source)? {
        let (hash, name) = (interface.hash(), &interface.name);
        let written = if options.json {
            let hash = hash.to_string();
            writeln!(output, "{}", serde_json::json!({ "interface": name, "hash": hash }))
        } else if options.short {
            writeln!(output, "{}  {name}", hash.short())
        } else {
            writeln!(output, "{hash}  {name}")
        };
        written.map_err(broken)?;
    }
    Ok(())
}

/// What a program declares.
fn show_program(options: &InterfaceShow, output: &mut impl Write) -> Result<(), Failure> {
    let shown = options.source.path.display();
    let wasm = fs::read(&options.source.path)
        .map_err(|error| Failure::usage(format!("cannot read the program {shown}: {error}")))?;
    let declared = declared(&wasm).map_err(|malformed| Failure::usage(format!("{shown}: {malformed}")))?;
    let wanted = |one: &&Declared| options.source.interface.as_ref().is_none_or(|name| *name == one.name);
    for one in declared.iter().filter(wanted) {
        let Declared { direction, hash, name } = one;
        let written = if options.json {
            let (direction, hash) = (direction.to_string(), hash.to_string());
            writeln!(
                output,
                "{}",
                serde_json::json!({ "interface": name, "direction": direction, "hash": hash })
            )
        } else {
            writeln!(output, "{direction:<6} {hash}  {name}")
        };
        written.map_err(broken)?;
    }
    Ok(())
}

fn show(options: &InterfaceShow, output: &mut impl Write) -> Result<(), Failure> {
    if options.source.path.extension().is_some_and(|extension| extension == "wasm") {
        return show_program(options, output);
    }
    for (place, interface) in chosen(&options.source)?.iter().enumerate() {
        let (hash, canonical) = (interface.hash(), interface.canonical());
        let written = if options.json {
            let functions = interface.functions.iter().map(|function| {
                let (name, tag) = (function.full_name(), function.tag());
                serde_json::json!({ "name": name, "tag": tag, "canonical": function.canonical() })
            });
            let object = serde_json::json!({
                "interface": interface.name,
                "hash": hash.to_string(),
                "canonical": canonical,
                "functions": functions.collect::<Vec<_>>(),
            });
            writeln!(output, "{object}")
        } else {
            let gap = if place > 0 { "\n" } else { "" };
            write!(output, "{gap}# {} {hash}\n{canonical}", interface.name)
        };
        written.map_err(broken)?;
    }
    Ok(())
}

fn diff(options: &InterfaceDiff, output: &mut impl Write) -> Result<u8, Failure> {
    let source =
        |path: &Path| InterfaceSource { path: path.to_owned(), interface: options.interface.clone() };
    let (before, after) = (chosen(&source(&options.before))?, chosen(&source(&options.after))?);
    let mut found: Vec<(&str, Difference)> = Vec::new();
    for (name, before, after) in pairs(&before, &after) {
        let differences = match (before, after) {
            (Some(before), Some(after)) => differences(before, after),
            (Some(_), None) => vec![whole("removed", Breaks::Callers)],
            _ => vec![whole("added", Breaks::Servers)],
        };
        found.extend(differences.into_iter().map(|difference| (name, difference)));
    }
    for (name, difference) in &found {
        let written = if options.json {
            let mut object = serde_json::json!(difference);
            object["interface"] = serde_json::json!(name);
            writeln!(output, "{object}")
        } else {
            writeln!(output, "{name}: {difference}")
        };
        written.map_err(broken)?;
    }
    Ok(if found.is_empty() { 0 } else { BROKEN })
}

/// An interface that is only on one side.
fn whole(what: &str, breaks: Breaks) -> Difference {
    Difference { place: "the interface".to_owned(), what: what.to_owned(), breaks }
}

/// What is compared with what. One interface on each side are a pair, whatever they are called, since names are no part of an identity.
fn pairs<'a>(
    before: &'a [Interface],
    after: &'a [Interface],
) -> Vec<(&'a str, Option<&'a Interface>, Option<&'a Interface>)> {
    if let ([before], [after]) = (before, after) {
        return vec![(&before.name, Some(before), Some(after))];
    }
    let by_name = |interfaces: &'a [Interface]| -> HashMap<&'a str, &'a Interface> {
        interfaces.iter().map(|interface| (&*interface.name, interface)).collect()
    };
    let (old, new) = (by_name(before), by_name(after));
    let pairs = before
        .iter()
        .map(|interface| (&*interface.name, Some(interface), new.get(&*interface.name).copied()));
    let added = after.iter().filter(|interface| !old.contains_key(&*interface.name));
    pairs.chain(added.map(|interface| (&*interface.name, None, Some(interface)))).collect()
}

fn stubs(options: &InterfaceStubs, output: &mut impl Write) -> Result<(), Failure> {
    let interfaces = chosen(&options.source)?;
    let [interface] = &*interfaces else {
        let names: Vec<_> = interfaces.iter().map(|interface| &*interface.name).collect();
        return Err(Failure::usage(format!(
            "one file has the stubs of one interface; name it with --interface: {}",
            names.join(", ")
        )));
    };
    let text = match options.lang {
        Language::Rust => stubs::rust(interface).map_err(wrong)?,
    };
    let Some(path) = &options.output else { return output.write_all(text.as_bytes()).map_err(broken) };
    // A build that looks at the time of a file shall not start anew for nothing.
    if fs::read(path).is_ok_and(|known| known == text.as_bytes()) {
        return Ok(());
    }
    fs::write(path, text).map_err(|error| Failure::usage(format!("cannot write {}: {error}", path.display())))
}

/// The interfaces that are meant.
fn chosen(source: &InterfaceSource) -> Result<Vec<Interface>, Failure> {
    let package = Package::open(&source.path).map_err(wrong)?;
    match &source.interface {
        Some(name) => package.interface(name).map(|interface| vec![interface]),
        None => package.interfaces(),
    }
    .map_err(wrong)
}

fn wrong(problem: Problem) -> Failure {
    Failure::usage(problem)
}

fn broken(error: io::Error) -> Failure {
    Failure::other(SOFTWARE, format!("cannot write: {error}"))
}
