//! The cells of the host service that serve Unix programs, and what those are granted of them.

use hallows_abi::Rights;
use hallows_linux::machine::plan::{
    CellPlan, ClassPlan, PlacePlan, Plan, ServiceKind, ServicePlan, StreamWay, UnixPlan, UseKind, UsePlan,
};
use hallows_linux::services::{
    Badge, ENDPOINT_GRANT, ENDPOINT_RIGHTS, GRANT_RIGHTS, GRANTS, PASSIVELY, directory_grant,
};

use super::Given;

/// Memory of each of the service's cells, counted in its budget.
const SERVICE_BYTES: u64 = 2 << 20;
/// What a program leaves of the machine's memory to the service, the supervisor, and the kernel's objects.
const OTHERS_BYTES: u64 = 16 << 20;
/// Messages that may wait for the service: each program asks for one thing at a time.
const SERVICE_QUEUE: u32 = 64;
/// The service answers before anything else runs on its core.
const SERVICE_PRIORITY: u8 = 7;
/// Memory of the cell of the host's ports.
const SOCKETS_BYTES: u64 = 8 << 20;
/// Below its client.
const SOCKETS_PRIORITY: u8 = 1;
/// Its client's.
const SOCKETS_BADGE: u64 = 1;
/// What the names of grants begin with by which a Unix program listens on a port, which follows.
const PORT_GRANT: &str = "listen-";
/// Capabilities of a program's space: one for each file that it may have open, and some.
pub const PROGRAM_SLOTS: u32 = 4_096;
/// As the service: it holds the files.
const SERVICE_SLOTS: u32 = 4_096;

/// Places, in a plan's programs, of those that serve a Unix program.
#[derive(Clone, Copy, Debug)]
pub struct Services {
    /// Of [`super::SERVICE`].
    pub host: usize,
    /// Of [`super::NULL`], if [`Given::needs_null`].
    pub null: Option<usize>,
}

/// What serves the ports of the host that a program listens on.
#[derive(Clone, Debug)]
pub struct Sockets {
    /// Its place in a plan's programs.
    pub program: usize,
    /// The numbers that the machine knows them by.
    pub ports: Vec<u16>,
}

/// Cells that stand in a plan from some place on, and serve some of its Unix programs.
#[derive(Debug)]
pub struct Served {
    services: Services,
    /// The place of the first one.
    first: usize,
    /// The cells.
    pub cells: Vec<CellPlan>,
    /// The place of the null console.
    null: Option<usize>,
    /// Service cores that are taken.
    cores: u32,
}

/// How a program is served.
#[derive(Debug)]
pub struct Service {
    /// What it is granted.
    pub uses: Vec<UsePlan>,
    /// The capability by which the service is told that the program has ended.
    pub keeper: UseKind,
}

impl Served {
    /// Nobody yet; the first cell shall stand there.
    pub const fn from(first: usize, services: Services) -> Self {
        Self { services, first, cells: Vec::new(), null: None, cores: 0 }
    }

    /// Adds the null console, for all programs.
    pub fn add_null(&mut self, name: &str) {
        if let Some(program) = self.services.null {
            self.null = Some(self.add(null_cell(name, program)));
        }
    }

    fn add(&mut self, cell: CellPlan) -> usize {
        self.cells.push(cell);
        self.first + self.cells.len() - 1
    }

    /// Adds a cell of the service with a core of its own.
    fn add_service(&mut self, name: &str, number: usize) -> usize {
        let place = self.first + self.cells.len();
        let on = PlacePlan::ServiceCore(self.cores);
        self.cores += 1;
        let kind = ServiceKind::Active { limit: SERVICE_QUEUE };
        self.add(service_cell(name, place, self.services.host, (on, kind), vec![number.to_string()]))
    }

    /// Adds a cell of the service that runs on its program's thread.
    fn add_passive(&mut self, name: &str, number: usize) -> usize {
        let place = self.first + self.cells.len();
        let how = (PlacePlan::Anywhere, ServiceKind::Passive { handler_budget_ns: 0 });
        let arguments = vec![number.to_string(), PASSIVELY.to_owned()];
        self.add(service_cell(name, place, self.services.host, how, arguments))
    }

    /// Adds the cells that serve the program of that number, which shares its core with others, under these names: a cell for files and output,
    /// and one that only waits for input.
    pub fn serve(&mut self, unix: &UnixPlan, number: usize, [host, input]: [&str; 2]) -> Service {
        let host = self.add_service(host, number);
        let input = self.nowhere(unix, 0).unwrap_or_else(|| self.add_service(input, number));
        self.service(unix, [host, input, host])
    }

    /// Adds the cells that serve a program that has its core for itself: it waits for its files in any case, so they are served on its own
    /// thread, which is quicker, and takes no other core. Who reads its output or writes its input may keep it waiting without an end: those have
    /// threads of their own, and the machine can be stopped meanwhile.
    fn serve_alone(&mut self, unix: &UnixPlan, number: usize) -> Service {
        let host = self.add_passive("host", number);
        let input = self.nowhere(unix, 0).unwrap_or_else(|| self.add_service("host-input", number));
        let is_heard = self.nowhere(unix, 1).is_none() || self.nowhere(unix, 2).is_none();
        let output = if is_heard { self.add_service("host-output", number) } else { host };
        self.service(unix, [host, input, output])
    }

    /// The null console, if a stream goes to nowhere.
    fn nowhere(&self, unix: &UnixPlan, stream: usize) -> Option<usize> {
        self.null.filter(|_| unix.streams[stream].way == StreamWay::Nowhere)
    }

    /// What a program is granted of the cells that serve its files, its input, and its output.
    fn service(&self, unix: &UnixPlan, [host, input, output]: [usize; 3]) -> Service {
        let endpoint = |cell: usize, rights: Rights, badge: Badge| UseKind::Endpoint {
            cell,
            service: 0,
            rights: rights.0,
            badge: badge.number(),
        };
        let mut uses = Vec::with_capacity(GRANTS.len() + unix.directories.len());
        let mut use_of = |name: &str, cell: usize, badge: Badge| {
            let what = endpoint(cell, GRANT_RIGHTS, badge);
            uses.push(UsePlan { name: name.to_owned(), what });
        };
        for (name, badge) in GRANTS {
            let cell = match badge {
                Badge::Stream(0) => input,
                Badge::Stream(number) => self.nowhere(unix, number.into()).unwrap_or(output),
                _ => host,
            };
            use_of(name, cell, badge);
        }
        for (number, directory) in (0..).zip(&unix.directories) {
            use_of(&directory_grant(&directory.name), host, Badge::Directory(number));
        }
        Service { uses, keeper: endpoint(host, Rights::SEND, Badge::Ended) }
    }
}

impl Given {
    /// The plan of one program that has the machine for itself: the cells that serve it, and itself behind them. Nobody supervises: the machine
    /// ends with the program. Memory is the machine's.
    pub fn alone(
        &self,
        services: Services,
        sockets: Option<Sockets>,
        mut program: CellPlan,
        memory_bytes: u64,
    ) -> Plan {
        let mut served = Served::from(0, services);
        served.add_null("null");
        for (number, unix) in self.plans.iter().enumerate() {
            program.uses.extend(served.serve_alone(unix, number).uses);
        }
        let mut others_bytes = OTHERS_BYTES;
        if let Some(Sockets { program: sockets, ports }) = sockets {
            others_bytes += SOCKETS_BYTES;
            let net = served.add(sockets_cell(sockets, &ports));
            // It asks, and hears when the service has ended.
            let rights = Rights(Rights::SEND.0 | Rights::WATCH.0).0;
            let what = UseKind::Endpoint { cell: net, service: 0, rights, badge: SOCKETS_BADGE };
            let uses = ports.iter().map(|port| UsePlan { name: format!("{PORT_GRANT}{port}"), what });
            program.uses.extend(uses);
        }
        let mut cells = served.cells;
        cells.push(CellPlan {
            slots: PROGRAM_SLOTS,
            memory_bytes: memory_bytes.saturating_sub(others_bytes).max(SERVICE_BYTES),
            faults: None,
            ..program
        });
        Plan {
            ends_with: Some(cells.len() - 1),
            code_of: Some(cells.len() - 1),
            system: (0..cells.len() - 1).collect(),
            unix: self.plans.clone(),
            cells,
            ..Plan::default()
        }
    }
}

/// A cell of the service, at this place of the plan, which runs there and serves so.
fn service_cell(
    name: &str,
    place: usize,
    program: usize,
    (on, kind): (PlacePlan, ServiceKind),
    arguments: Vec<String>,
) -> CellPlan {
    CellPlan {
        name: name.to_owned(),
        program,
        memory_bytes: SERVICE_BYTES,
        slots: SERVICE_SLOTS,
        class: ClassPlan::Latency,
        priority: SERVICE_PRIORITY,
        place: on,
        time: None,
        arguments,
        serves: vec![ServicePlan { name: "host".to_owned(), kind }],
        // It makes capabilities of its own endpoint: the files that it has opened.
        uses: vec![UsePlan {
            name: ENDPOINT_GRANT.to_owned(),
            what: UseKind::Endpoint { cell: place, service: 0, rights: ENDPOINT_RIGHTS.0, badge: 0 },
        }],
        faults: None,
    }
}

/// The cell of the host's ports, beside its one client, which goes first: what that has written in its turn goes to Linux at once.
fn sockets_cell(program: usize, ports: &[u16]) -> CellPlan {
    let ports: Vec<_> = ports.iter().map(ToString::to_string).collect();
    CellPlan {
        name: "net".to_owned(),
        program,
        memory_bytes: SOCKETS_BYTES,
        slots: PROGRAM_SLOTS,
        class: ClassPlan::Latency,
        priority: SOCKETS_PRIORITY,
        place: PlacePlan::Core(0),
        time: None,
        arguments: vec![format!("allow={SOCKETS_BADGE} listen={}", ports.join(","))],
        serves: vec![ServicePlan {
            name: "net".to_owned(),
            kind: ServiceKind::Active { limit: SERVICE_QUEUE },
        }],
        uses: Vec::new(),
        faults: None,
    }
}

/// The null console's cell. It has no core of its own: it runs on its callers' threads.
fn null_cell(name: &str, program: usize) -> CellPlan {
    CellPlan {
        name: name.to_owned(),
        program,
        memory_bytes: SERVICE_BYTES,
        slots: 0,
        class: ClassPlan::Latency,
        priority: SERVICE_PRIORITY,
        place: PlacePlan::Anywhere,
        time: None,
        arguments: Vec::new(),
        serves: vec![ServicePlan {
            name: "null".to_owned(),
            kind: ServiceKind::Passive { handler_budget_ns: 0 },
        }],
        uses: Vec::new(),
        faults: None,
    }
}

#[cfg(test)]
mod tests {
    use hallows_linux::machine::plan::StreamPlan;

    use super::*;

    /// A program whose streams go these ways.
    fn unix(ways: [StreamWay; 3]) -> UnixPlan {
        UnixPlan { streams: ways.map(|way| StreamPlan { descriptor: 0, way }), ..UnixPlan::default() }
    }

    /// The names of the cells that serve a program's consoles.
    fn consoles(uses: &[UsePlan], cells: &[CellPlan], first: usize) -> Vec<String> {
        let consoles = uses.iter().filter(|used| used.name.starts_with("console."));
        let cell = |used: &UsePlan| match used.what {
            UseKind::Endpoint { cell, .. } => cells[cell - first].name.clone(),
            _ => panic!("an endpoint"),
        };
        consoles.map(cell).collect()
    }

    #[test]
    fn what_goes_to_nowhere_goes_to_the_null_console_on_the_programs_own_thread() {
        use StreamWay::{Direct, Nowhere};
        for (ways, expected) in [
            ([Direct, Direct, Direct], ["host-input", "host-output", "host-output"]),
            ([Direct, Nowhere, Direct], ["host-input", "null", "host-output"]),
            ([Direct, Direct, Nowhere], ["host-input", "host-output", "null"]),
            ([Direct, Nowhere, Nowhere], ["host-input", "null", "null"]),
        ] {
            let mut given = Given::default();
            given.plans.push(unix(ways));
            let services = Services { host: 1, null: given.needs_null().then_some(2) };
            let program = CellPlan { name: "program".to_owned(), ..null_cell("", 0) };
            let plan = given.alone(services, None, program, 64 << 20);
            let cells = &plan.cells;
            assert_eq!(consoles(&cells.last().expect("the program").uses, cells, 0), expected);
            assert_eq!((plan.ends_with, plan.code_of), (Some(cells.len() - 1), Some(cells.len() - 1)));
            // Files are served where the program runs, streams that may make it wait are not.
            for cell in cells.iter().filter(|cell| cell.name.starts_with("host")) {
                let is_passive = matches!(cell.serves[0].kind, ServiceKind::Passive { .. });
                assert_eq!(is_passive, cell.name == "host", "{}", cell.name);
                assert_eq!(is_passive, cell.place == PlacePlan::Anywhere, "{}", cell.name);
                assert_eq!(is_passive, cell.arguments.len() == 2, "{}", cell.name);
            }
            let null = cells.iter().find(|cell| cell.name == "null");
            assert_eq!(null.is_some(), ways.contains(&Nowhere));
            if let Some(null) = null {
                assert!(
                    matches!(null.serves[0].kind, ServiceKind::Passive { .. })
                        && null.place == PlacePlan::Anywhere
                );
                assert_eq!(null.program, 2);
            }
        }
    }

    #[test]
    fn each_program_of_a_system_has_service_cores_of_its_own_and_all_share_the_null_console() {
        use StreamWay::{Direct, Nowhere};
        let mut served = Served::from(1, Services { host: 7, null: Some(8) });
        served.add_null("null");
        let first = served.serve(&unix([Nowhere, Direct, Direct]), 0, ["a.host", "a.input"]);
        let second = served.serve(&unix([Direct, Nowhere, Direct]), 1, ["b.host", "b.input"]);
        assert_eq!(consoles(&first.uses, &served.cells, 1), ["null", "a.host", "a.host"]);
        assert_eq!(consoles(&second.uses, &served.cells, 1), ["b.input", "null", "b.host"]);
        let places: Vec<_> = served.cells.iter().map(|cell| (cell.name.as_str(), cell.place)).collect();
        let core = PlacePlan::ServiceCore;
        assert_eq!(
            places,
            [("null", PlacePlan::Anywhere), ("a.host", core(0)), ("b.host", core(1)), ("b.input", core(2))]
        );
        assert_eq!([1, 2, 3].map(|cell: usize| served.cells[cell].arguments[0].as_str()), ["0", "1", "1"]);
        // Each makes capabilities of its own endpoint, and the supervisor tells the one that holds the files.
        for (place, cell) in (1..).zip(&served.cells).skip(1) {
            assert!(matches!(cell.uses[0].what, UseKind::Endpoint { cell, .. } if cell == place));
        }
        assert!(
            matches!(second.keeper, UseKind::Endpoint { cell: 3, badge, .. } if badge == Badge::Ended.number())
        );
    }
}
