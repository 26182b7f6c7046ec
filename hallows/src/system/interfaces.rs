//! Interfaces that a system's programs declare: a grant may name an interface instead of a cell, and one that nobody serves is named
//! before anything starts.

use hallows_interface::Hash;
use hallows_interface::declared::{Declared, Direction};

use super::resolve::{Checked, Entry, Source, list};
use super::{Cell, EndpointPlace, ProgramSource, Programs};

/// What the programs of all cells declare, in the order of the cells. A program that declares nothing may serve anything.
pub fn read(
    source: Source<'_>,
    programs: Programs<'_>,
    entries: &[Entry],
    cells: &[Cell],
) -> Checked<Vec<Vec<Declared>>> {
    let of = |(entry, cell): (&Entry, &Cell)| {
        (programs.declared)(&cell.program).map_err(|malformed| {
            source
                .problem(
                    entry.table.program.span(),
                    format!("what `{}` declares cannot be read: {malformed}", entry.table.program.get_ref()),
                )
                .help("build it again with the `uses!` and `serves!` of this version's SDK")
        })
    };
    entries.iter().zip(cells).map(of).collect()
}

/// The endpoint of the one cell that serves an interface, which a cell's program knows by this name, or by its hash.
pub fn endpoint(
    source: Source<'_>,
    programs: Programs<'_>,
    (cells, declared): (&[Cell], &[Vec<Declared>]),
    user: usize,
    (named, place): (&str, std::ops::Range<usize>),
) -> Checked<EndpointPlace> {
    let used = || declared[user].iter().filter(|one| one.direction == Direction::Uses);
    let by_name = || used().find(|one| one.name == named).map(|one| one.hash);
    let Some(hash) = by_name().or_else(|| named.parse().ok()) else {
        let names: Vec<_> = used().map(|one| one.name.as_str()).collect();
        return Err(source
            .problem(place, format!("`{}` uses no interface `{named}`", cells[user].name))
            .help(format!("its program declares that it uses {}; an interface can also be named by the 64 digits of its hash", list(&names))));
    };
    let serving: Vec<(usize, &Declared)> = (0..cells.len())
        .filter(|cell| *cell != user && !cells[*cell].serves.is_empty())
        .filter_map(|cell| Some((cell, serves(&declared[cell], hash)?)))
        .collect();
    let [(cell, served)] = &serving[..] else {
        if serving.is_empty() {
            return Err(source
                .problem(place, format!("nobody serves the interface `{named}` here"))
                .help(who_could(programs, hash)));
        }
        let names: Vec<_> = serving.iter().map(|(cell, _)| cells[*cell].name.as_str()).collect();
        return Err(source
            .problem(place, format!("more than one cell serves the interface `{named}`"))
            .help(format!("say which, as CELL.ENDPOINT: {}", list(&names))));
    };
    let endpoints = &cells[*cell].serves;
    let number = match &endpoints[..] {
        [_] => Some(0),
        several => several.iter().position(|endpoint| endpoint.name == served.name),
    };
    let Some(endpoint) = number else {
        let names: Vec<_> =
            endpoints.iter().map(|endpoint| format!("{}.{}", cells[*cell].name, endpoint.name)).collect();
        return Err(source
            .problem(
                place,
                format!(
                    "`{}` serves several endpoints, and none is called `{}`",
                    cells[*cell].name, served.name
                ),
            )
            .help(format!("say which: {}", list(&names))));
    };
    Ok(EndpointPlace { cell: *cell, endpoint })
}

/// Refuses a system in which a program uses an interface that nobody serves.
pub fn check(
    source: Source<'_>,
    programs: Programs<'_>,
    entries: &[Entry],
    cells: &[Cell],
    declared: &[Vec<Declared>],
) -> Checked<()> {
    for (number, cell) in cells.iter().enumerate() {
        // Who is called and says nothing may serve it.
        if cell.uses.iter().any(|used| declared[used.of.cell].is_empty()) {
            continue;
        }
        let is_served =
            |hash| (0..cells.len()).any(|other| other != number && serves(&declared[other], hash).is_some());
        if let Some(missing) = missing(&declared[number], is_served) {
            let program = &entries[number].table.program;
            return Err(source
                .problem(program.span(), says(program.get_ref(), missing))
                .help(who_could(programs, missing.hash)));
        }
    }
    Ok(())
}

/// The first interface that is used and not served. Those of kernel objects always are, by the kernel.
pub fn missing(declared: &[Declared], is_served: impl Fn(Hash) -> bool) -> Option<&Declared> {
    declared
        .iter()
        .find(|one| one.direction == Direction::Uses && !is_of_kernel(one.hash) && !is_served(one.hash))
}

/// Whether kernel objects answer an interface.
fn is_of_kernel(hash: Hash) -> bool {
    hallows_abi::INTERFACES.iter().any(|(_, known)| *known == hash.0)
}

/// That nobody serves what a program uses.
pub fn says(program: &str, missing: &Declared) -> String {
    format!("`{program}` uses the interface `{}` ({}), and nobody serves it here", missing.name, missing.hash)
}

/// Who could serve an interface, of the programs that come along.
pub fn who_could(programs: Programs<'_>, hash: Hash) -> String {
    let could: Vec<&str> = programs
        .built_in
        .iter()
        .copied()
        .filter(|name| {
            let declared = (programs.declared)(&ProgramSource::BuiltIn((*name).to_owned()));
            declared.is_ok_and(|declared| serves(&declared, hash).is_some())
        })
        .collect();
    if is_of_kernel(hash) {
        return "kernel objects answer it: no grant brings one, a program makes them of its budget or is given them".to_owned();
    }
    if could.is_empty() {
        return "no program that comes with hallows serves it; add a cell with one that does, and let this one use it".to_owned();
    }
    format!(
        "of the programs that come with hallows, {} serves it; add a cell with it to the system, and let this one use it",
        list(&could)
    )
}

fn serves(declared: &[Declared], hash: Hash) -> Option<&Declared> {
    declared.iter().find(|one| one.direction == Direction::Serves && one.hash == hash)
}
