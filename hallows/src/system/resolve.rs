//! What a system description means: names become places, wishes become policies, and what cannot work is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use hallows_abi::{Rights, TimeBudget};
use hallows_interface::declared::Declared;
use hallows_kernel::{Class, WHOLE_CORE, share};
use hallows_linux::machine::plan::{ClassPlan, PoolPlan};
use hallows_supervisor::{Policy, Restart, Ward};
use toml::Spanned;

use super::document::{
    Bytes, CellTable, Document, Named, PoliciesTable, PoolTable, RestartName, RestartValue, RightName,
    ServiceKind, ServiceValue, TimeText, USUAL_PRIORITY, USUAL_QUEUE, UseValue,
};
use super::unix::{self, UnixKeys};
use super::{
    Cell, Dependent, Endpoint, EndpointPlace, Policies, PolicySource, Problem, ProgramSource, Programs,
    Service, Supervised, System, Use,
};
use super::{interfaces, registry};

/// The supervisor's name, which is nobody else's.
const SUPERVISOR: &str = "supervisor";
/// A page of linear memory: with less, no program starts.
const LEAST_MEMORY_BYTES: u64 = 1 << 16;
/// All the memory that a 32-bit program can address.
const MOST_MEMORY_BYTES: u64 = 1 << 32;
/// The kernel's bounds of a capability space.
const SLOTS: std::ops::RangeInclusive<u32> = 8..=65_536;
/// The kernel's priorities.
const HIGHEST_PRIORITY: u8 = 7;
/// The kernel's bound of a queue.
const LONGEST_QUEUE: u16 = 4_096;
/// The longest name, in bytes: a start information has names of all grants.
const LONGEST_NAME: usize = 64;

pub type Checked<T> = Result<T, Box<Problem>>;

/// The text that problems are shown in.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    file: &'a Path,
    text: &'a str,
}

impl Source<'_> {
    pub fn problem(self, place: Range<usize>, message: impl Display) -> Box<Problem> {
        Problem::new(self.file, self.text, place, message)
    }
}

/// A cell of the document with its name.
pub struct Entry {
    pub name: Spanned<String>,
    pub table: CellTable,
}

/// The whole of it.
pub fn resolve(file: &Path, text: &str, programs: Programs<'_>, document: Document) -> Checked<System> {
    let source = Source { file, text };
    let mut entries: Vec<Entry> =
        document.cells.into_iter().map(|(name, table)| Entry { name, table }).collect();
    // As they were written: the document's map has sorted them by name.
    entries.sort_by_key(|entry| entry.name.span().start);
    if entries.is_empty() {
        return Err(source.problem(0..0, "there are no cells").help("write [cells.NAME] with a program"));
    }
    let mut cells = Vec::new();
    for entry in &entries {
        cells.push(cell(source, programs, entry)?);
    }
    let declared = interfaces::read(source, programs, &entries, &cells)?;
    for (number, entry) in entries.iter().enumerate() {
        let uses = uses(source, programs, (&cells, &declared), number, entry)?;
        cells[number].uses = uses;
        if let Some(faults) = &entry.table.faults {
            cells[number].faults = Some(faults_place(source, &cells, number, faults)?);
        }
    }
    interfaces::check(source, programs, &entries, &cells, &declared)?;
    reservations(source, &entries, &cells)?;
    unix::one_reads_the_console(source, &entries, &cells)?;
    registry::instruct(source, &entries, &mut cells, &declared)?;
    let awaited = awaited(source, &entries, &document.stop_after)?;
    let mut supervised = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        if entry.table.faults.is_none() {
            supervised.push(supervise(source, &cells, number, entry, awaited.contains(&number))?);
        } else if awaited.contains(&number) {
            return Err(source
                .problem(entry.name.span(), format!("`{}` cannot be in stop_after", cells[number].name))
                .help(
                    "the supervisor waits for the cells in stop_after, and this one's faults go elsewhere",
                ));
        }
    }
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let name = document.name.or(stem).unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let policies = policies(source, programs, &document.policies)?;
    let pools = pools(source, document.pools)?;
    for (entry, cell) in entries.iter().zip(&mut cells) {
        cell.pool = pool_of(source, &pools, entry)?;
    }
    Ok(in_starting_order(System { name, cells, supervised, pools, policies, is_of_one: false, folder }))
}

/// Pools, as they were written.
fn pools(source: Source<'_>, pools: Named<PoolTable>) -> Checked<Vec<PoolPlan>> {
    let mut pools: Vec<_> = pools.into_iter().collect();
    pools.sort_by_key(|(name, _)| name.span().start);
    let pool = |(name, table): (Spanned<String>, PoolTable)| {
        check_name(source, "a pool", &name)?;
        if *table.cores.get_ref() == 0 {
            let problem = source.problem(table.cores.span(), "a pool has at least one core");
            return Err(
                problem.help("pools get the machine's cores in their order; what is left is the last one's")
            );
        }
        Ok(PoolPlan { name: name.into_inner(), cores: table.cores.into_inner(), lends: table.lends })
    };
    pools.into_iter().map(pool).collect()
}

/// The pool that a cell says.
fn pool_of(source: Source<'_>, pools: &[PoolPlan], entry: &Entry) -> Checked<Option<u32>> {
    let Some(name) = &entry.table.pool else { return Ok(None) };
    if entry.table.core.is_some() {
        return Err(source
            .problem(name.span(), "a cell with a `core` has no `pool`")
            .help("a core says more than a pool: leave one of them out"));
    }
    let place = (0..).zip(pools).find(|(_, pool)| pool.name == *name.get_ref());
    let known = || pools.iter().map(|pool| pool.name.as_str()).collect::<Vec<_>>().join(", ");
    match place {
        Some((place, _)) => Ok(Some(place)),
        None => Err(source
            .problem(name.span(), format!("there is no pool `{}`", name.get_ref()))
            .help(format!("pools are written as [pools.NAME] with their cores; there are: {}", known()))),
    }
}

/// Policies that there are. A file is read, and verified, by who carries the system out.
fn policies(source: Source<'_>, programs: Programs<'_>, table: &PoliciesTable) -> Checked<Policies> {
    let check = |name: &Option<Spanned<String>>| -> Checked<Option<PolicySource>> {
        let Some(name) = name else { return Ok(None) };
        let (text, known) = (name.get_ref(), programs.policies);
        if crate::planner::is_file(text) {
            return Ok(Some(PolicySource::File(source.file.parent().unwrap_or(Path::new("")).join(text))));
        }
        if known.contains(&text.as_str()) {
            return Ok(Some(PolicySource::Named(text.clone())));
        }
        Err(source.problem(name.span(), format!("there is no policy `{text}`")).help(format!(
            "there are {}; one of your own is a file of WebAssembly (.wasm or .wat), or linked in: docs/policies.md",
            known.join(", ")
        )))
    };
    Ok(Policies { latency: check(&table.latency)?, batch: check(&table.batch)? })
}

/// A name of a cell, an endpoint or a grant.
pub fn check_name(source: Source<'_>, what: &str, name: &Spanned<String>) -> Checked<()> {
    let text = name.get_ref();
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if text.is_empty() || text.len() > LONGEST_NAME || !text.bytes().all(allowed) {
        return Err(source
            .problem(name.span(), format!("`{text}` cannot be the name of {what}"))
            .help(format!("a name has 1 to {LONGEST_NAME} of a to z, 0 to 9, - and _")));
    }
    Ok(())
}

fn cell(source: Source<'_>, programs: Programs<'_>, entry: &Entry) -> Checked<Cell> {
    let Entry { name, table } = entry;
    check_name(source, "a cell", name)?;
    if name.get_ref() == SUPERVISOR {
        return Err(source
            .problem(name.span(), "there is a supervisor already")
            .help("choose another name; its wishes are the `restart` of the other cells"));
    }
    let serves = serves(source, &table.serves)?;
    let passive = serves.iter().any(|endpoint| matches!(endpoint.service, Service::Passive { .. }));
    Ok(Cell {
        name: name.get_ref().clone(),
        program: program(source, programs, table)?,
        memory_bytes: memory(source, table.memory.as_ref())?,
        slots: within(source, "slots", table.slots.as_ref(), SLOTS, 0)?,
        class: class(source, entry, passive)?,
        priority: within(source, "priority", table.priority.as_ref(), 0..=HIGHEST_PRIORITY, USUAL_PRIORITY)?,
        core: table.core,
        pool: None,
        arguments: table.arguments.iter().map(|argument| argument.0.clone()).collect(),
        unix: UnixKeys::of(source, table, passive)?,
        time: time(source, table.time.as_ref(), passive)?,
        passive,
        serves,
        uses: Vec::new(),
        faults: None,
    })
}

fn program(source: Source<'_>, programs: Programs<'_>, table: &CellTable) -> Checked<ProgramSource> {
    let (name, place) = (table.program.get_ref(), table.program.span());
    let is_file = crate::planner::is_file(name);
    let (known, kind) =
        if table.native { (programs.native, "native") } else { (programs.built_in, "built-in") };
    match (is_file, table.native) {
        (true, true) => Err(source
            .problem(place, "a native program is part of the machine and not a file")
            .help("leave `native` out, or name one of the machine's own programs")),
        (true, false) => Ok(ProgramSource::File(source.file.parent().unwrap_or(Path::new("")).join(name))),
        (false, _) if !known.contains(&name.as_str()) => Err(source
            .problem(place, format!("there is no {kind} program `{name}`"))
            .help(format!("{kind} programs are {}; a path to a file ends with .wasm or .wat", list(known)))),
        (false, true) => Ok(ProgramSource::Native(name.clone())),
        (false, false) => Ok(ProgramSource::BuiltIn(name.clone())),
    }
}

/// Names for people.
pub fn list(names: &[impl AsRef<str>]) -> String {
    if names.is_empty() {
        return "none here".to_owned();
    }
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

fn memory(source: Source<'_>, memory: Option<&Spanned<Bytes>>) -> Checked<Option<u64>> {
    let Some(memory) = memory else { return Ok(None) };
    let bytes = memory.get_ref().0;
    if !(LEAST_MEMORY_BYTES..=MOST_MEMORY_BYTES).contains(&bytes) {
        return Err(source
            .problem(memory.span(), format!("a cell cannot have {bytes} bytes of memory"))
            .help("from \"64K\" to \"4G\""));
    }
    Ok(Some(bytes))
}

fn time(source: Source<'_>, time: Option<&Spanned<TimeText>>, passive: bool) -> Checked<Option<TimeBudget>> {
    let Some(time) = time else { return Ok(None) };
    let (budget, place) = (time.get_ref().0, time.span());
    let problem = |message: &str, help: &str| Err(source.problem(place.clone(), message).help(help));
    if passive {
        return problem(
            "a passive cell has no time of its own",
            "its handlers run on their callers' time, each within the `budget_us` of its endpoint; give `time` to the callers",
        );
    }
    if budget.budget_ns == 0 || budget.period_ns == 0 {
        return problem("without any time a cell never runs", "some time and its period, as \"200us/1ms\"");
    }
    if budget.budget_ns > budget.period_ns {
        return problem(
            "this is more time than there is in the period",
            "a cell has one thread: the time is at most the period; leave `time` out for all that nobody else wants",
        );
    }
    if budget.period_ns > TimeBudget::MOST_PERIOD_NS {
        return problem("this period is too long", "at most 71 minutes, or 4294 s");
    }
    if budget.budget_ns > TimeBudget::MOST_BUDGET_NS {
        return problem(
            "this is more time than a period can have",
            "at most 16 s; the same share in a shorter period, as \"1s/2s\" for \"30s/60s\"",
        );
    }
    Ok(Some(budget))
}

/// A cell's class. The real-time class has to be told where, and how much.
fn class(source: Source<'_>, entry: &Entry, passive: bool) -> Checked<Class> {
    let table = &entry.table;
    let Some(class) = &table.class else { return Ok(Class::default()) };
    let problem = |message: &str, help: &str| Err(source.problem(class.span(), message).help(help));
    if passive {
        return problem(
            "a passive cell has no class of its own",
            "its handlers run on their callers' threads, and are as urgent as those; give the callers a class",
        );
    }
    if *class.get_ref() == ClassPlan::RealTime && (table.core.is_none() || table.time.is_none()) {
        return problem(
            "a cell of the real-time class needs `core` and `time`",
            "say where it runs and what is reserved for it there, for example core = 0 and time = \"200us/1ms\"",
        );
    }
    Ok((*class.get_ref()).into())
}

/// No core can be reserved for more than all of its time.
fn reservations(source: Source<'_>, entries: &[Entry], cells: &[Cell]) -> Checked<()> {
    let mut reserved = BTreeMap::<u32, u64>::new();
    for (entry, cell) in entries.iter().zip(cells).filter(|(_, cell)| cell.class == Class::RealTime) {
        let (Some(core), Some(time), Some(place)) = (cell.core, cell.time, &entry.table.time) else {
            continue;
        };
        let sum = reserved.entry(core).or_default();
        *sum += share(time);
        if *sum > WHOLE_CORE {
            let percent = *sum as f64 / WHOLE_CORE as f64 * 100.0;
            return Err(source
                .problem(place.span(), format!("with this, {percent:.1} % of core {core} would be reserved"))
                .help("the times of all cells of the real-time class on one core are at most their periods, together"));
        }
    }
    Ok(())
}

fn within<T: Copy + PartialOrd + Display>(
    source: Source<'_>,
    key: &str,
    value: Option<&Spanned<T>>,
    allowed: std::ops::RangeInclusive<T>,
    usual: T,
) -> Checked<T> {
    let Some(value) = value else { return Ok(usual) };
    if allowed.contains(value.get_ref()) {
        return Ok(*value.get_ref());
    }
    Err(source.problem(value.span(), format!("{key} cannot be {value}")).help(format!(
        "from {} to {}",
        allowed.start(),
        allowed.end()
    )))
}

fn serves(source: Source<'_>, table: &Named<Spanned<ServiceValue>>) -> Checked<Vec<Endpoint>> {
    let mut endpoints = Vec::new();
    let mut first: Option<ServiceKind> = None;
    for (name, value) in table {
        check_name(source, "an endpoint", name)?;
        let service = service(source, value)?;
        if *first.get_or_insert(value.get_ref().kind) != value.get_ref().kind {
            return Err(source
                .problem(value.span(), "a cell serves all its endpoints in the same way")
                .help("make all of them passive, or all active, or make another cell"));
        }
        endpoints.push(Endpoint { name: name.get_ref().clone(), service });
    }
    Ok(endpoints)
}

fn service(source: Source<'_>, value: &Spanned<ServiceValue>) -> Checked<Service> {
    let (ServiceValue { kind, queue, budget_us }, place) = (*value.get_ref(), value.span());
    match (kind, queue, budget_us) {
        (ServiceKind::Passive, Some(_), _) => Err(source
            .problem(place, "a passive endpoint has no queue")
            .help("its handler runs on its callers' time; leave `queue` out")),
        (ServiceKind::Active, _, Some(_)) => Err(source
            .problem(place, "an active endpoint has no handler budget")
            .help("it runs on its own time; leave `budget_us` out")),
        (ServiceKind::Active, Some(0), _) | (ServiceKind::Active, Some(4_097..), _) => Err(source
            .problem(place, "this many messages cannot wait")
            .help(format!("`queue` is from 1 to {LONGEST_QUEUE}"))),
        (ServiceKind::Passive, _, Some(0)) => Err(source
            .problem(place, "a handler needs some time")
            .help("`budget_us` is at least 1; without it the machine's default holds")),
        (ServiceKind::Active, queue, None) => Ok(Service::Active { queue: queue.unwrap_or(USUAL_QUEUE) }),
        (ServiceKind::Passive, None, budget) => {
            Ok(Service::Passive { budget: budget.map(Duration::from_micros) })
        }
    }
}

/// The endpoint of a text `CELL.ENDPOINT`.
fn endpoint_place(
    source: Source<'_>,
    cells: &[Cell],
    text: &str,
    place: Range<usize>,
) -> Checked<EndpointPlace> {
    let served = || {
        let all = cells.iter().flat_map(|cell| cell.serves.iter().map(move |served| (cell, served)));
        list(&all.map(|(cell, served)| format!("{}.{}", cell.name, served.name)).collect::<Vec<_>>())
    };
    let found = text.split_once('.').and_then(|(cell, endpoint)| {
        let number = cells.iter().position(|other| other.name == cell)?;
        let endpoint = cells[number].serves.iter().position(|served| served.name == endpoint)?;
        Some(EndpointPlace { cell: number, endpoint })
    });
    found.ok_or_else(|| {
        let message = format!("there is no endpoint `{text}`");
        source.problem(place, message).help(format!("as CELL.ENDPOINT there are {}", served()))
    })
}

fn uses(
    source: Source<'_>,
    programs: Programs<'_>,
    (cells, declared): (&[Cell], &[Vec<Declared>]),
    number: usize,
    entry: &Entry,
) -> Checked<Vec<Use>> {
    let mut uses = Vec::new();
    for (name, value) in &entry.table.uses {
        check_name(source, "what a cell uses", name)?;
        let UseValue { of, interface, rights, badge } = value.get_ref();
        let of = match (of, interface) {
            (Some(of), None) => endpoint_place(source, cells, of, value.span())?,
            (None, Some(named)) => {
                interfaces::endpoint(source, programs, (cells, declared), number, (named, value.span()))?
            }
            _ => {
                return Err(source
                    .problem(value.span(), "what is used is named in one way")
                    .help("either `of`, a CELL.ENDPOINT, or `interface`, which one cell serves"));
            }
        };
        if of.cell == number {
            return Err(source
                .problem(value.span(), "a cell cannot call itself")
                .help("a call to its own endpoint would wait for itself"));
        }
        if cells[number].passive && !cells[of.cell].passive {
            return Err(source
                .problem(
                    value.span(),
                    format!("`{}` is passive and cannot call an active server", cells[number].name),
                )
                .help(
                    "a passive handler may not wait; make this cell active, or the one that it uses passive",
                ));
        }
        if *badge == Some(0) {
            return Err(source
                .problem(value.span(), "a badge of 0 is none")
                .help("who has a capability without a badge can make one with any; say another number"));
        }
        uses.push(Use {
            name: name.get_ref().clone(),
            of,
            rights: rights.as_deref().map_or(Rights::SEND | Rights::WATCH, rights_of),
            // Different for each client, so that a server can tell them apart.
            badge: badge.unwrap_or(number as u64 + 1),
        });
    }
    Ok(uses)
}

fn rights_of(names: &[RightName]) -> Rights {
    names.iter().fold(Rights::NONE, |rights, name| {
        rights
            | match name {
                RightName::Send => Rights::SEND,
                RightName::Watch => Rights::WATCH,
                RightName::Transfer => Rights::TRANSFER,
            }
    })
}

fn faults_place(
    source: Source<'_>,
    cells: &[Cell],
    number: usize,
    faults: &Spanned<String>,
) -> Checked<EndpointPlace> {
    let place = endpoint_place(source, cells, faults.get_ref(), faults.span())?;
    if place.cell == number {
        return Err(source
            .problem(faults.span(), "a cell cannot be told of its own fault")
            .help("name another cell's endpoint, or leave `faults` out"));
    }
    if cells[place.cell].passive {
        return Err(source
            .problem(faults.span(), "faults can only be told to an active server")
            .help("there is no caller on whose time a passive one could run"));
    }
    Ok(place)
}

fn awaited(source: Source<'_>, entries: &[Entry], names: &[Spanned<String>]) -> Checked<BTreeSet<usize>> {
    let mut awaited = BTreeSet::new();
    for name in names {
        let known = entries.iter().position(|entry| entry.name.get_ref() == name.get_ref());
        let Some(number) = known else {
            let all: Vec<_> = entries.iter().map(|entry| entry.name.get_ref()).collect();
            return Err(source
                .problem(name.span(), format!("there is no cell `{name}`"))
                .help(format!("the cells are {}", list(&all))));
        };
        awaited.insert(number);
    }
    Ok(awaited)
}

fn supervise(
    source: Source<'_>,
    cells: &[Cell],
    number: usize,
    entry: &Entry,
    awaited: bool,
) -> Checked<Supervised> {
    let mut ward = Ward::new(entry.name.get_ref());
    ward.awaited = awaited;
    if let Some(restart) = &entry.table.restart {
        ward.policy = policy(source, restart)?;
        if awaited && ward.policy.restart == Restart::Always {
            return Err(source
                .problem(restart.span(), format!("`{}` is in stop_after and would never end", ward.name))
                .help("restart it \"on-fault\" or \"never\", or take it out of stop_after"));
        }
    }
    let mut dependents = Vec::new();
    for (client, cell) in cells.iter().enumerate() {
        // A passive cell waits for nothing, so it cannot be told.
        for used in cell.uses.iter().filter(|used| used.of.cell == number && !cell.passive) {
            dependents.push(Dependent { cell: client, grant: format!("{}.gone", used.name) });
        }
    }
    ward.dependents = u32::try_from(dependents.len()).unwrap_or(u32::MAX);
    Ok(Supervised { cell: number, ward, dependents })
}

fn policy(source: Source<'_>, restart: &Spanned<RestartValue>) -> Checked<Policy> {
    let (value, usual) = (restart.get_ref(), Policy::USUAL);
    let duration = |ms: Option<u64>, usual| ms.map_or(usual, Duration::from_millis);
    let policy = Policy {
        restart: match value.policy {
            None => usual.restart,
            Some(RestartName::Never) => Restart::Never,
            Some(RestartName::OnFault) => Restart::OnFault,
            Some(RestartName::Always) => Restart::Always,
        },
        minimum_run: duration(value.minimum_run_ms, usual.minimum_run),
        back_off: duration(value.back_off_ms, usual.back_off),
        back_off_limit: duration(value.back_off_limit_ms, usual.back_off_limit),
        give_up_after: value.give_up_after.unwrap_or(usual.give_up_after),
        missed_deadlines: value.missed_deadlines.unwrap_or(usual.missed_deadlines),
    };
    // Only one that was written: a long pause alone lifts the usual limit.
    if value.back_off_limit_ms.is_some() && policy.back_off_limit < policy.back_off {
        return Err(source
            .problem(restart.span(), "the longest pause is shorter than the first")
            .help("back_off_limit_ms is at least back_off_ms"));
    }
    let back_off_limit = policy.back_off_limit.max(policy.back_off);
    Ok(Policy { back_off_limit, ..policy })
}

/// Puts servers before who uses them, else in the order given. Who uses each other stays in that order.
fn in_starting_order(system: System) -> System {
    let mut order: Vec<usize> = Vec::new();
    let mut visited = vec![false; system.cells.len()];
    for number in 0..system.cells.len() {
        visit(&system.cells, number, &mut visited, &mut order);
    }
    let mut place_of = vec![0; order.len()];
    for (place, number) in order.iter().enumerate() {
        place_of[*number] = place;
    }
    let moved = |place: EndpointPlace| EndpointPlace { cell: place_of[place.cell], ..place };
    let mut cells = Vec::new();
    for number in &order {
        let mut cell = system.cells[*number].clone();
        cell.uses.iter_mut().for_each(|used| used.of = moved(used.of));
        cell.faults = cell.faults.map(moved);
        cells.push(cell);
    }
    let mut supervised = system.supervised;
    for record in &mut supervised {
        record.cell = place_of[record.cell];
        record.dependents.iter_mut().for_each(|dependent| dependent.cell = place_of[dependent.cell]);
    }
    System { cells, supervised, ..system }
}

/// Adds a cell to the order, after everything that it uses.
fn visit(cells: &[Cell], number: usize, visited: &mut [bool], order: &mut Vec<usize>) {
    if std::mem::replace(&mut visited[number], true) {
        return;
    }
    let needs = cells[number].uses.iter().map(|used| used.of.cell);
    for needed in needs.chain(cells[number].faults.map(|faults| faults.cell)) {
        visit(cells, needed, visited, order);
    }
    order.push(number);
}
