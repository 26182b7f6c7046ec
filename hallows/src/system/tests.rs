//! Tests of system descriptions: what they mean, and what is said of those that mean nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hallows_abi::Rights;
use hallows_interface::Hash;
use hallows_interface::declared::{Declared, Direction, Malformed};
use hallows_kernel::Class;
use hallows_supervisor::Restart;

use super::{EndpointPlace, HandedOn, PolicySource, Problem, ProgramSource, Programs, Service, System};

const PROGRAMS: Programs<'static> = Programs {
    built_in: &["calculator", "calculator-client", "registry", "spin"],
    native: &["calculator"],
    policies: &["turns", "first-come"],
    declared: &declared,
};

/// What programs of these tests declare.
fn declared(source: &ProgramSource) -> Result<Vec<Declared>, Malformed> {
    let one = |direction| vec![Declared { direction, hash: Hash([7; 32]), name: "calc".to_owned() }];
    match source {
        ProgramSource::BuiltIn(name) | ProgramSource::Native(name) => Ok(match name.as_str() {
            "calculator" => one(Direction::Serves),
            "calculator-client" => one(Direction::Uses),
            "registry" => vec![Declared {
                direction: Direction::Serves,
                hash: Hash(hallows_sdk::registry::protocol::HASH),
                name: "registry".to_owned(),
            }],
            _ => Vec::new(),
        }),
        ProgramSource::File(path) if path.ends_with("later.wasm") => Err(Malformed::Unknown),
        ProgramSource::File(path) if path.ends_with("bells.wasm") => Ok(hallows_abi::INTERFACES
            .map(|(name, hash)| Declared {
                direction: Direction::Uses,
                hash: Hash(hash),
                name: name.to_owned(),
            })
            .to_vec()),
        _ => Ok(Vec::new()),
    }
}

fn parse(text: &str) -> Result<System, Box<Problem>> {
    System::parse(Path::new("systems/sums.toml"), text, PROGRAMS)
}

fn parsed(text: &str) -> System {
    parse(text).unwrap_or_else(|problem| panic!("{problem}"))
}

/// The line, the message and the advice of what is wrong.
fn problem(text: &str) -> (usize, String, String) {
    let problem = parse(text).expect_err("something is wrong");
    assert!(problem.to_string().starts_with(&format!("systems/sums.toml:{}: ", problem.line)));
    (problem.line, problem.message.clone(), problem.advice().expect("there is advice").to_owned())
}

const SUMS: &str = r#"
stop_after = ["client"]

[cells.client]
program = "calculator-client"
arguments = ["rounds=3", 7]
uses = { calc = "server.calc" }
restart = "never"

[cells.server]
program = "calculator"
native = true
memory = "2M"
priority = 5
serves = { calc = { kind = "passive", budget_us = 50 }, other = "passive" }
restart = { back_off_ms = 5, give_up_after = 9 }
"#;

#[test]
fn a_description_means_what_it_says() {
    let system = parsed(SUMS);
    assert_eq!(system.name, "sums");
    let [server, client] = &system.cells[..] else { panic!("two cells") };
    assert_eq!((server.name.as_str(), client.name.as_str()), ("server", "client"), "servers start first");
    assert_eq!(server.program, ProgramSource::Native("calculator".to_owned()));
    assert_eq!((server.memory_bytes, server.priority, server.passive), (Some(2 << 20), 5, true));
    let services: Vec<_> =
        server.serves.iter().map(|served| (served.name.as_str(), served.service)).collect();
    let budget = Some(Duration::from_micros(50));
    assert_eq!(
        services,
        [("calc", Service::Passive { budget }), ("other", Service::Passive { budget: None })]
    );
    assert_eq!(client.arguments, ["rounds=3", "7"]);
    assert_eq!((client.memory_bytes, client.priority, client.passive), (None, 3, false));
    let [used] = &client.uses[..] else { panic!("one use") };
    assert_eq!(used.of, EndpointPlace { cell: 0, endpoint: 0 });
    assert_eq!((used.rights, used.badge), (Rights::SEND | Rights::WATCH, 1));
}

#[test]
fn the_supervisor_gets_a_ward_for_each_cell_and_its_dependents() {
    let system = parsed(SUMS);
    let texts: Vec<_> = system.supervised.iter().map(|supervised| supervised.ward.to_string()).collect();
    assert_eq!(texts, ["client restart=never awaited", "server back_off_ms=5 give_up_after=9 dependents=1"]);
    let [client, server] = &system.supervised[..] else { panic!("two wards") };
    assert_eq!((client.cell, server.cell), (1, 0));
    assert_eq!(server.dependents.len(), 1);
    assert_eq!((server.dependents[0].cell, server.dependents[0].grant.as_str()), (1, "calc.gone"));
}

#[test]
fn a_use_may_have_rights_and_a_badge_of_its_own() {
    let text = SUMS.replace(
        "\"server.calc\"",
        "{ of = \"server.other\", rights = [\"send\", \"transfer\"], badge = 9 }",
    );
    let system = parsed(&text);
    let used = &system.cells[1].uses[0];
    assert_eq!((used.of.endpoint, used.rights, used.badge), (1, Rights::SEND | Rights::TRANSFER, 9));
}

#[test]
fn a_program_may_be_a_file_beside_the_description() {
    let system = parsed("[cells.mine]\nprogram = \"mine.wasm\"\n");
    assert_eq!(system.cells[0].program, ProgramSource::File(PathBuf::from("systems/mine.wasm")));
}

#[test]
fn cells_that_use_each_other_start_as_they_were_written() {
    let pair = |a: &str, b: &str| {
        format!("[cells.{a}]\nprogram = \"spin\"\nserves.x = \"active\"\nuses.y = \"{b}.x\"\n")
    };
    let system = parsed(&[pair("b", "a"), pair("a", "b")].concat());
    // Nothing comes before what it needs, as far as that can be: `b` was first, and needs `a`.
    let names: Vec<_> = system.cells.iter().map(|cell| cell.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn faults_may_go_to_a_cell_of_the_system() {
    let system = parsed(
        "[cells.a]\nprogram = \"spin\"\nfaults = \"b.faults\"\n[cells.b]\nprogram = \"spin\"\nserves.faults = \"active\"\n",
    );
    assert_eq!(system.cells[1].faults, Some(EndpointPlace { cell: 0, endpoint: 0 }));
    let wards: Vec<_> = system.supervised.iter().map(|supervised| supervised.ward.name.as_str()).collect();
    assert_eq!(wards, ["b"]);
}

#[test]
fn one_program_alone_is_a_system() {
    let system = System::of_one("spin", ProgramSource::BuiltIn("spin".to_owned()));
    assert_eq!(system.cells.len(), 1);
    assert_eq!(system.supervised[0].ward.policy.restart, Restart::Never);
    assert_eq!(system.supervised[0].ward.to_string(), "spin restart=never awaited");
}

#[test]
fn what_is_no_toml_is_said_with_its_line() {
    let (line, message, _) = problem("\n\n[cells.a\n");
    assert_eq!(line, 3, "{message}");
}

#[test]
fn a_key_that_there_is_not_is_said_with_those_that_there_are() {
    let (line, message, _) = problem("[cells.a]\nprogram = \"spin\"\nmemroy = \"1M\"\n");
    assert_eq!(line, 3);
    assert!(message.contains("memroy") && message.contains("`memory`"), "{message}");
}

#[test]
fn pools_have_cores_and_cells_have_one_of_them() {
    let pools = "[pools.b]\ncores = 1\nlends = true\n[pools.a]\ncores = 2\n";
    let text = format!("{pools}[cells.x]\nprogram = \"spin\"\npool = \"a\"\n[cells.y]\nprogram = \"spin\"\n");
    let system = parsed(&text);
    let pools: Vec<_> =
        system.pools.iter().map(|pool| (pool.name.as_str(), pool.cores, pool.lends)).collect();
    // As they were written.
    assert_eq!(pools, [("b", 1, true), ("a", 2, false)]);
    assert_eq!(system.cells.iter().map(|cell| cell.pool).collect::<Vec<_>>(), [Some(1), None]);
    for (cell, message, help) in [
        ("pool = \"c\"", "there is no pool `c`", "a, b"),
        ("pool = \"a\"\ncore = 0", "has no `pool`", "leave one"),
    ] {
        let pools = "[pools.a]\ncores = 1\n[pools.b]\ncores = 1\n";
        let (_, said, advice) = problem(&format!("{pools}[cells.x]\nprogram = \"spin\"\n{cell}\n"));
        assert!(said.contains(message) && advice.contains(help), "{said}: {advice}");
    }
    let (line, said, _) = problem("[pools.a]\ncores = 0\n[cells.x]\nprogram = \"spin\"\n");
    assert!(line == 2 && said.contains("at least one core"), "{said}");
}

#[test]
fn policies_are_those_that_there_are() {
    let text = |policies: &str| format!("[policies]\n{policies}\n[cells.x]\nprogram = \"spin\"\n");
    let policies = parsed(&text("latency = \"first-come\"")).policies;
    assert_eq!(policies.latency, Some(PolicySource::Named("first-come".to_owned())));
    assert_eq!(policies.batch, None);
    // A file is named as a program's is, and read by who runs the system.
    for (named, path) in
        [("least.wat", "systems/least.wat"), ("./least", "systems/./least"), ("/a/b.wasm", "/a/b.wasm")]
    {
        let policies = parsed(&text(&format!("batch = \"{named}\""))).policies;
        assert_eq!(policies.batch, Some(PolicySource::File(path.into())));
    }
    let (line, said, advice) = problem(&text("batch = \"fairest\""));
    assert!(line == 2 && said.contains("there is no policy `fairest`"), "{said}");
    assert!(advice.contains("turns, first-come") && advice.contains(".wasm"), "{advice}");
    assert!(parse(&text("real-time = \"turns\"")).is_err());
}

#[test]
fn no_core_is_reserved_for_more_than_its_time() {
    let cell = |name: &str, core: u32, time: &str| {
        format!(
            "[cells.{name}]\nprogram = \"spin\"\nclass = \"real-time\"\ncore = {core}\ntime = \"{time}\"\n"
        )
    };
    let two = cell("a", 0, "600us/1ms") + &cell("b", 1, "600us/1ms");
    let system = parse(&two).unwrap();
    assert!(system.cells.iter().all(|cell| cell.class == Class::RealTime));
    let thirds = ["a", "b", "c"].map(|name| cell(name, 0, "1ms/3ms")).concat();
    assert!(parse(&thirds).is_ok(), "all of it may be");
    let (line, message, advice) = problem(&(two + &cell("c", 0, "401us/1ms")));
    assert_eq!(line, 15);
    assert!(
        message.contains("100.1 % of core 0 would be reserved") && advice.contains("together"),
        "{message} {advice}"
    );
}

#[test]
fn values_are_said_with_what_is_allowed() {
    let cell = |line: &str| format!("[cells.a]\nprogram = \"spin\"\n{line}\n");
    for (line, message_has, advice_has) in [
        ("memory = \"lots\"", "64K", "docs/programs.md"),
        ("memory = -1", "64K", "docs/programs.md"),
        ("memory = \"1K\"", "1024 bytes", "64K"),
        ("memory = \"99999999999G\"", "64K", "docs/programs.md"),
        ("priority = 8", "cannot be 8", "from 0 to 7"),
        ("class = \"urgent\"", "`real-time`, `latency`, `batch`", "docs/programs.md"),
        ("class = \"real-time\"", "needs `core` and `time`", "core = 0 and time"),
        ("class = \"real-time\"\ncore = 0", "needs `core` and `time`", "core = 0 and time"),
        (
            "class = \"batch\"\nserves = { x = \"passive\" }",
            "no class of its own",
            "give the callers a class",
        ),
        ("slots = 7", "cannot be 7", "from 8 to 65536"),
        ("arguments = [true]", "a text or a whole number", "docs/programs.md"),
        ("serves = { x = \"lazy\" }", "\"passive\", \"active\"", "docs/programs.md"),
        ("serves = { x = { kind = \"lazy\" } }", "lazy", "docs/programs.md"),
        ("serves = { x = { kind = \"active\", queue = 0 } }", "cannot wait", "1 to 4096"),
        ("serves = { x = { kind = \"active\", queue = 4097 } }", "cannot wait", "1 to 4096"),
        ("serves = { x = { kind = \"passive\", queue = 1 } }", "no queue", "leave `queue` out"),
        (
            "serves = { x = { kind = \"active\", budget_us = 1 } }",
            "no handler budget",
            "leave `budget_us` out",
        ),
        ("serves = { x = { kind = \"passive\", budget_us = 0 } }", "some time", "at least 1"),
        ("serves = { x = \"active\", y = \"passive\" }", "in the same way", "another cell"),
        ("serves = { X = \"active\" }", "`X` cannot be the name", "a to z"),
        ("restart = \"sometimes\"", "\"on-fault\"", "docs/programs.md"),
        ("restart = { policy = \"sometimes\" }", "on-fault", "docs/programs.md"),
        ("restart = { back_off_ms = 9, back_off_limit_ms = 8 }", "shorter than the first", "at least"),
        ("uses = { x = \"a.x\" }", "no endpoint `a.x`", "none here"),
        ("uses = { x = { of = \"a.x\", right = [] } }", "`right`", "docs/programs.md"),
        ("faults = \"nobody.x\"", "no endpoint", "CELL.ENDPOINT"),
    ] {
        let (at, message, advice) = problem(&cell(line));
        assert_eq!(at, 3, "{line}: {message}");
        assert!(message.contains(message_has), "{line}: {message}");
        assert!(advice.contains(advice_has), "{line}: {advice}");
    }
}

#[test]
fn a_long_pause_alone_lifts_the_limit() {
    let system = parsed("[cells.a]\nprogram = \"spin\"\nrestart = { back_off_ms = 5000 }\n");
    assert_eq!(system.supervised[0].ward.policy.back_off_limit, Duration::from_secs(5));
}

#[test]
fn names_that_stand_for_nothing_are_said_with_those_that_do() {
    let (line, message, advice) = problem("[cells.a]\nprogram = \"sipn\"\n");
    assert_eq!((line, message.as_str()), (2, "there is no built-in program `sipn`"));
    assert!(advice.contains("`calculator`, `calculator-client`, `registry`, `spin`"), "{advice}");
    let (_, message, advice) = problem("[cells.a]\nprogram = \"spin\"\nnative = true\n");
    assert_eq!(message, "there is no native program `spin`");
    assert!(advice.contains("`calculator`"), "{advice}");
    let (line, message, advice) = problem("stop_after = [\"b\"]\n[cells.a]\nprogram = \"spin\"\n");
    assert_eq!((line, message.as_str()), (1, "there is no cell `b`"));
    assert!(advice.contains("`a`"), "{advice}");
    let (line, _, advice) = problem(&SUMS.replace("server.calc", "server.calculator"));
    assert_eq!(line, 7);
    assert!(advice.contains("`server.calc`, `server.other`"), "{advice}");
}

#[test]
fn what_cannot_work_is_refused() {
    let (_, message, _) = problem("[cells.a]\nprogram = \"spin\"\nserves.x = \"active\"\nuses.x = \"a.x\"\n");
    assert!(message.contains("call itself"), "{message}");
    let active = SUMS.replace("restart = \"never\"", "serves.x = \"passive\"").replace(
        "serves = { calc = { kind = \"passive\", budget_us = 50 }, other = \"passive\" }",
        "serves.calc = \"active\"",
    );
    let (line, message, _) = problem(&active);
    assert!(line == 7 && message.contains("passive and cannot call"), "{line}: {message}");
    let (_, message, _) = problem(&SUMS.replace("\"never\"", "\"always\""));
    assert!(message.contains("never end"), "{message}");
    let (_, message, _) = problem("[cells.supervisor]\nprogram = \"spin\"\n");
    assert!(message.contains("supervisor already"), "{message}");
    let (_, message, _) = problem("[cells]\n");
    assert!(message.contains("no cells"), "{message}");
}

/// Every description that ships names programs that ship, and means something.
#[test]
fn the_examples_are_systems() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let programs = root.join("programs");
    let names: Vec<String> = [&programs, &root.join("services")]
        .into_iter()
        .flat_map(|folder| fs::read_dir(folder).expect("a folder of programs"))
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().expect("named").to_string_lossy().into_owned())
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // The machine's own are there as well.
    let natives: Vec<&str> = names.iter().copied().chain(crate::embedded::native_names()).collect();
    let mut examples = 0;
    for entry in fs::read_dir(programs.join("systems")).expect("the folder of examples") {
        let mut path = entry.expect("readable").path();
        // One with files of its own has a folder.
        if path.is_dir() {
            path.push("system.toml");
        }
        let text = fs::read_to_string(&path).expect("readable");
        if let Err(problem) = System::parse(
            &path,
            &text,
            Programs {
                built_in: &names,
                native: &natives,
                policies: &[],
                declared: &crate::embedded::declared,
            },
        ) {
            panic!("{problem}: {:?}", problem.advice());
        }
        examples += 1;
    }
    assert!(examples >= 8, "only {examples} examples");
}

#[test]
fn a_time_budget_is_a_time_and_its_period() {
    let of = |time: &str| {
        let text = format!("[cells.a]\nprogram = \"spin\"\ntime = \"{time}\"\n");
        parsed(&text).cells[0].time.map(|time| (time.budget_ns, time.period_ns))
    };
    assert_eq!(of("200us/1ms"), Some((200_000, 1_000_000)));
    assert_eq!(of("1 s / 2 s"), Some((1_000_000_000, 2_000_000_000)));
    assert_eq!(of("10ms/10ms"), Some((10_000_000, 10_000_000)));
    assert_eq!(parsed("[cells.a]\nprogram = \"spin\"\n").cells[0].time, None);
}

#[test]
fn a_time_budget_that_makes_no_sense_is_refused_with_what_would() {
    let of = |time: &str, more: &str| {
        let (line, message, advice) =
            problem(&format!("[cells.a]\nprogram = \"spin\"\ntime = {time}\n{more}"));
        assert_eq!(line, 3, "{message}");
        format!("{message}: {advice}")
    };
    for nonsense in [
        "\"200us\"",
        "\"200/1000\"",
        "\"us/ms\"",
        "\"20%\"",
        "\"-1us/1ms\"",
        "0.2",
        "\"99999999999999999s/1s\"",
    ] {
        let said = of(nonsense, "");
        assert!(said.contains("200us/1ms"), "{nonsense}: {said}");
    }
    assert!(of("\"0us/1ms\"", "").contains("never runs"));
    assert!(of("\"1us/0ms\"", "").contains("never runs"));
    assert!(of("\"2ms/1ms\"", "").contains("more time than there is"));
    assert!(of("\"1ms/5000s\"", "").contains("too long"));
    assert!(of("\"17s/20s\"", "").contains("more time than a period can have: at most 16 s"));
    // Both: what is to be made shorter first.
    assert!(of("\"17s/5000s\"", "").contains("too long"));
    assert!(of("\"1us/1ms\"", "serves = { calc = \"passive\" }").contains("no time of its own"));
}

/// A client of the interface, and the other cells.
fn with_client(uses: &str, others: &str) -> String {
    format!("[cells.client]\nprogram = \"calculator-client\"\nuses = {{ {uses} }}\n{others}")
}

#[test]
fn a_grant_by_interface_is_of_the_one_cell_that_serves_it() {
    let server =
        "[cells.sums]\nprogram = \"calculator\"\nserves = { other = \"passive\", calc = \"passive\" }\n";
    let hash = Hash([7; 32]).to_string();
    for used in
        ["\"interface:calc\"", "{ interface = \"calc\", badge = 9 }", &format!("\"interface:{hash}\"")]
    {
        let system = parsed(&with_client(&format!("calc = {used}"), server));
        let client = system.cells.iter().find(|cell| cell.name == "client").expect("there");
        let of = client.uses[0].of;
        assert_eq!(system.cells[of.cell].name, "sums");
        assert_eq!(
            system.cells[of.cell].serves[of.endpoint].name, "calc",
            "the endpoint of the interface's name"
        );
    }
    let (line, message, advice) = problem(&with_client("calc = \"interface:clac\"", server));
    assert_eq!((line, message.as_str()), (3, "`client` uses no interface `clac`"));
    assert!(advice.contains("`calc`"), "{advice}");
    let two = format!("{server}[cells.more]\nprogram = \"calculator\"\nserves = {{ calc = \"passive\" }}\n");
    let (_, message, advice) = problem(&with_client("calc = \"interface:calc\"", &two));
    assert_eq!(message, "more than one cell serves the interface `calc`");
    assert!(advice.contains("`sums`") && advice.contains("`more`"), "{advice}");
    let unnamed = "[cells.sums]\nprogram = \"calculator\"\nserves = { a = \"passive\", b = \"passive\" }\n";
    let (_, _, advice) = problem(&with_client("calc = \"interface:calc\"", unnamed));
    assert!(advice.contains("`sums.a`") && advice.contains("`sums.b`"), "{advice}");
    let both = with_client("calc = { of = \"sums.calc\", interface = \"calc\" }", server);
    assert_eq!(problem(&both).1, "what is used is named in one way");
}

#[test]
fn an_interface_that_nobody_serves_is_named_with_who_could() {
    let spin = "[cells.spin]\nprogram = \"spin\"\nserves = { calc = \"active\" }\n";
    for text in [with_client("", ""), with_client("", spin), with_client("calc = \"interface:calc\"", spin)] {
        let (_, message, advice) = problem(&text);
        assert!(message.contains("nobody serves") && message.contains("`calc`"), "{message}");
        assert!(advice.contains("`calculator` serves it"), "{advice}");
    }
    let (line, message, _) = problem(&with_client("", spin));
    assert_eq!(line, 2);
    let hash = Hash([7; 32]);
    assert_eq!(
        message,
        format!("`calculator-client` uses the interface `calc` ({hash}), and nobody serves it here")
    );
    // Who says nothing of itself may serve it.
    parsed(&with_client("calc = \"spin.calc\"", spin));
    let later = "[cells.later]\nprogram = \"later.wasm\"\n";
    let (line, message, _) = problem(later);
    assert_eq!(line, 2);
    assert!(message.contains("of a later version"), "{message}");
}

#[test]
fn what_kernel_objects_answer_is_always_served() {
    parsed("[cells.bells]\nprogram = \"bells.wasm\"\n");
    let granted = "[cells.bells]\nprogram = \"bells.wasm\"\nuses = { bell = \"interface:notification\" }\n";
    let (_, message, advice) = problem(granted);
    assert!(message.contains("nobody serves the interface `notification`"), "{message}");
    assert!(advice.contains("kernel objects answer it"), "{advice}");
}

#[test]
fn what_a_unix_program_is_given_is_read_and_counts_from_the_descriptions_folder() {
    use super::StreamEnd::{Console, Nowhere};
    let text = r#"
[cells.tool]
program = "tool.wasm"
dirs = [".:/here:ro", "/srv"]
env = ["A=1=2", "HOME"]
stdin = "console"
stderr = "null"
stack = "16M"

[cells.plain]
program = "tool.wat"
"#;
    let system = parsed(text);
    assert_eq!(system.folder, Path::new("systems"));
    let [tool, plain] = &system.cells[..] else { panic!("two cells") };
    let directories: Vec<_> = tool
        .unix
        .directories
        .iter()
        .map(|one| (one.host.to_str().unwrap(), one.guest.as_str(), one.read_only))
        .collect();
    assert_eq!(directories, [(".", "/here", true), ("/srv", "/srv", false)]);
    assert_eq!(tool.unix.variables, ["A=1=2", "HOME"]);
    assert_eq!((tool.unix.streams, tool.unix.stack_bytes), ([Console, Console, Nowhere], 16 << 20));
    assert_eq!(tool.unix.named, ["dirs", "env", "stdin", "stderr", "stack"]);
    assert_eq!((plain.unix.streams, plain.unix.stack_bytes), ([Nowhere, Console, Console], 8 << 20));
    assert!(plain.unix.named.is_empty());
    assert_eq!(plain.program, ProgramSource::File(PathBuf::from("systems/tool.wat")));
}

#[test]
fn a_cell_may_be_handed_the_directories_of_the_command() {
    let of = |dirs: &str| {
        let text = format!("[cells.one]\nprogram = \"tool.wasm\"\ndirs = [{dirs}]\n");
        let system = parsed(&text);
        let keys = system.cells[0].unix.clone();
        (keys.handed_on, keys.directories.len(), system.hands_directories_on())
    };
    assert_eq!(of("\".\""), (HandedOn::Nothing, 1, false));
    assert_eq!(of("\"--dir\""), (HandedOn::AsGiven, 0, true));
    assert_eq!(of("\".\", \"--dir:ro\""), (HandedOn::ToRead, 1, true));
    // A directory that is called so.
    assert_eq!(of("\"./--dir\""), (HandedOn::Nothing, 1, false));
}

#[test]
fn what_no_unix_program_can_be_given_is_said_with_its_line() {
    let cell = |keys: &str| format!("[cells.one]\nprogram = \"tool.wasm\"\n{keys}\n");
    for (keys, message, advice) in [
        ("dirs = [\".\", \"a::b\"]", "`a::b` is no directory to give", "HOST:GUEST:ro"),
        ("env = [\"\"]", "`` is no variable", "`NAME=VALUE`"),
        ("stack = \"4K\"", "cannot have a stack of 4096 bytes", "from \"64K\" to \"62M\""),
        (
            "serves = { one = \"passive\" }\nenv = []",
            "a passive server takes no `env`",
            "only programs of Unix",
        ),
    ] {
        let (line, said, help) = problem(&cell(keys));
        assert!(said.contains(message), "{said}");
        assert!(help.contains(advice), "{help}");
        assert_eq!(line, 2 + keys.lines().count(), "{keys}");
    }
    let two = cell("stdin = \"console\"") + "[cells.two]\nprogram = \"tool.wasm\"\nstdin = \"console\"\n";
    let (line, said, _) = problem(&two);
    assert_eq!((line, said.as_str()), (6, "`one` reads the console's input already"));
}

const REGISTRY: &str = "[cells.registry]\nprogram = \"registry\"\nserves = { registry = \"passive\" }\n";

/// A cell that provides `calc` at the registry, and what else is said of it.
fn provider(name: &str, more: &str) -> String {
    format!(
        "[cells.{name}]\nprogram = \"calculator\"\nuses = {{ registry = \"registry.registry\" }}\nprovides = [\"calc\"]\n{more}\n"
    )
}

#[test]
fn the_registry_is_told_who_provides_what_and_where() {
    let text = REGISTRY.to_owned() + &provider("one", "") + &provider("two", "namespace = \"test\"");
    let system = parsed(&text);
    let registry = system.cells.iter().find(|cell| cell.name == "registry").expect("is there");
    let hash = "07".repeat(32);
    // By the badges that the system gives: the cells' numbers in the file.
    assert_eq!(
        registry.arguments,
        [format!("provides=2:{hash}"), format!("provides=3:{hash}"), "namespace=3:test".to_owned()]
    );
    for argument in &registry.arguments {
        argument.parse::<hallows_registry::Rule>().unwrap_or_else(|error| panic!("{error}"));
    }
    // By hash, and a client that provides nothing.
    let text = REGISTRY.to_owned() + &provider("one", "").replace("[\"calc\"]", &format!("[\"{hash}\"]"));
    let client = "[cells.client]\nprogram = \"calculator-client\"\nuses = { registry = \"registry.registry\" }\nnamespace = \"a\"\n";
    let system = parsed(&(text + client));
    let registry = system.cells.iter().find(|cell| cell.name == "registry").expect("is there");
    assert_eq!(registry.arguments, [format!("provides=2:{hash}"), "namespace=3:a".to_owned()]);
}

#[test]
fn what_cannot_be_provided_is_said() {
    let with = |cell: &str| problem(&(REGISTRY.to_owned() + cell));
    let one = provider("one", "");
    let (line, message, advice) = with(&one.replace("uses = { registry = \"registry.registry\" }\n", ""));
    assert_eq!((line, message.as_str()), (6, "`one` uses no registry"));
    assert!(advice.contains("interface:registry"), "{advice}");
    let (line, message, advice) = with(&one.replace("\"calc\"", "\"sums\""));
    assert_eq!((line, message.as_str()), (7, "`calculator` serves no interface `sums`"));
    assert!(advice.contains("declares that it serves `calc`"), "{advice}");
    let (_, message, _) = with(&provider("one", "namespace = \"No\""));
    assert!(message.contains("`No` cannot be the name of a namespace"), "{message}");
    let badged = |badge: u64| {
        one.replace("\"registry.registry\"", &format!("{{ of = \"registry.registry\", badge = {badge} }}"))
    };
    for badge in [1 << 31, 1 << 40] {
        let (_, message, advice) = with(&badged(badge));
        assert!(
            message.contains(&format!("no client {badge}")) && advice.contains("leave `badge` out"),
            "{advice}"
        );
    }
    let twice = "[cells.two]\nprogram = \"spin\"\nuses = { registry = { of = \"registry.registry\", badge = 5 } }\nnamespace = \"a\"\n";
    let (_, message, advice) = with(&(twice.to_owned() + &twice.replace("two", "three")));
    assert!(
        message.contains("client 5 has a namespace already") && advice.contains("badge"),
        "{message} {advice}"
    );
}
