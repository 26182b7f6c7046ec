//! What a description says of its registry: which cells provide which interfaces while they run, and whose namespace is not the first one.
//! It becomes arguments of the registry's cell.

use hallows_interface::declared::{Declared, Direction};
use hallows_registry::{Client, Policy, Rule};
use hallows_sdk::registry::protocol;
use toml::Spanned;

use super::Cell;
use super::resolve::{Checked, Entry, Source, check_name, list};

/// Clients' numbers end here: the registry has those above for namespaces that it makes.
const CLIENTS_END: u64 = 1 << 31;

/// Tells the registries that cells use what those provide, and where.
pub fn instruct(
    source: Source<'_>,
    entries: &[Entry],
    cells: &mut [Cell],
    declared: &[Vec<Declared>],
) -> Checked<()> {
    let mut policies = vec![Policy::default(); cells.len()];
    for (number, entry) in entries.iter().enumerate() {
        let (provides, namespace) = (&entry.table.provides, &entry.table.namespace);
        let Some(first) = provides.iter().chain(namespace).next() else { continue };
        let (registry, client) = registry(source, cells, declared, number, first)?;
        let mut rules = Vec::new();
        for interface in provides {
            rules.push(Rule::Provides(client, provided(source, entry, &declared[number], interface)?));
        }
        if let Some(namespace) = namespace {
            check_name(source, "a namespace", namespace)?;
            rules.push(Rule::Namespace(client, namespace.get_ref().clone()));
        }
        for rule in rules {
            policies[registry].add(rule.clone()).map_err(|error| {
                source.problem(first.span(), error).help(
                    "clients are told apart by the `badge` of what they use: give each cell one of its own",
                )
            })?;
            cells[registry].arguments.push(rule.to_string());
        }
    }
    Ok(())
}

/// The registry that a cell uses, and the number by which it knows the cell.
fn registry(
    source: Source<'_>,
    cells: &[Cell],
    declared: &[Vec<Declared>],
    number: usize,
    why: &Spanned<String>,
) -> Checked<(usize, Client)> {
    let is_registry = |one: &Declared| one.direction == Direction::Serves && one.hash.0 == protocol::HASH;
    let used = cells[number].uses.iter().find(|used| declared[used.of.cell].iter().any(is_registry));
    let Some(used) = used else {
        return Err(source
            .problem(why.span(), format!("`{}` uses no registry", cells[number].name))
            .help("add a cell with the program `registry`, and `uses = { registry = \"interface:registry\" }` to this one"));
    };
    match u32::try_from(used.badge) {
        Ok(client @ 1..) if used.badge < CLIENTS_END => Ok((used.of.cell, Client(client))),
        _ => Err(source
            .problem(why.span(), format!("the registry knows no client {}", used.badge))
            .help(format!("its clients' badges are from 1 to {}; leave `badge` out", CLIENTS_END - 1))),
    }
}

/// The hash of an interface that a cell is to provide.
fn provided(
    source: Source<'_>,
    entry: &Entry,
    declared: &[Declared],
    interface: &Spanned<String>,
) -> Checked<[u8; 32]> {
    let served = || declared.iter().filter(|one| one.direction == Direction::Serves);
    let named = interface.get_ref();
    let by_name = served().find(|one| one.name == *named).map(|one| one.hash);
    // A program that says nothing of itself may serve anything.
    let by_hash =
        || named.parse().ok().filter(|hash| declared.is_empty() || served().any(|one| one.hash == *hash));
    by_name.or_else(by_hash).map(|hash| hash.0).ok_or_else(|| {
        let names: Vec<_> = served().map(|one| one.name.as_str()).collect();
        source
            .problem(interface.span(), format!("`{}` serves no interface `{named}`", entry.table.program.get_ref()))
            .help(format!(
                "its program declares that it serves {}; an interface can also be named by the 64 digits of its hash",
                list(&names)
            ))
    })
}
