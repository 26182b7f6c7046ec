//! What a machine takes of the host: cores, the timekeeper's share, memory; and that it says so.

use std::time::{Duration, Instant};

use hallows_linux::host::core_set::{CoreId, CoreSet};
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::host::{statuses, threads, topology};
use crate::running::{Running, ps, say};
use crate::{test, two_core_test};

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_whole_machine_runs_on_one_core_and_says_what_that_means", one_core),
        test("no_thread_is_on_a_core_that_was_not_given", only_given_cores),
        two_core_test("the_timekeeper_takes_its_core_only_while_programs_compete", timekeeper),
        two_core_test("a_pools_core_is_lent_to_programs_of_another", pools),
        test("an_idle_machine_makes_no_wake_ups", idle),
        test("a_budget_that_the_host_does_not_have_is_refused_at_the_start", too_much_memory),
        test("the_budget_is_taken_from_linux_in_the_background", budget),
        two_core_test("a_program_that_is_started_again_takes_no_page_fault_at_first_touch", no_faults),
    ]
}

/// The cores that a default choice takes: the lowest for housekeeping, the highest for programs.
fn cores() -> (CoreId, CoreId) {
    let allowed = topology().allowed;
    (allowed.first().unwrap(), allowed.last().unwrap())
}

const SPINNER: &str = "[cells.one]\nprogram = \"spin\"\n";

fn one_core() {
    let (core, _) = cores();
    let core = core.to_string();
    let on_it = ["--cores", &core, "--housekeeping", &core, "--tier", "shared"];
    let (output, error, code) = say(&[&["run", "calculator"], &on_it[..]].concat());
    assert!(output.contains("7000 answers, all of them right"), "{output}{error}");
    assert!(
        error.contains(&format!("shares core {core}")) && error.contains("quanta are at least 1 ms"),
        "{error}"
    );
    assert_eq!(code, 0, "{error}");
    // Two that never give way, and the answer to a question: the timekeeper gets its turn without spinning.
    let mut running = Running::of(&format!("{SPINNER}[cells.two]\nprogram = \"spin\"\n"), &on_it);
    running.placed();
    for (_, status) in statuses(running.machine()) {
        assert_eq!(status.cores(), core, "{}", status.name());
    }
    let status = ps(running.pid());
    assert_eq!(status["timekeeper"]["place"], "with_programs", "{status}");
    assert_ne!(status["timekeeper"]["state"], "spinning", "{status}");
    // Whoever takes the core from it for a while makes one of them large.
    let percents = (0..5).map(|_| ps(running.pid())["timekeeper"]["percent_now"].as_f64().unwrap());
    let percent = percents.fold(f64::MAX, f64::min);
    assert!(percent < 50.0, "{percent} % of the only core");
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
}

/// Two programs of a pool with one core, beside a pool that lends its own and has nothing to do.
const POOLS: &str = "[pools.idle]\ncores = 1\nlends = true\n[pools.short]\ncores = 1\n\
                     [cells.one]\nprogram = \"spin\"\npool = \"short\"\n[cells.two]\nprogram = \"spin\"\npool = \"short\"\n";

fn pools() {
    let (first, last) = cores();
    let (one, both) = (first.to_string(), format!("{first},{last}"));
    let mut running = Running::of(POOLS, &["--cores", &both, "--tier", "shared"]);
    running.placed();
    let on_both = || {
        let machine = ps(running.pid());
        let cores = machine["cells"].as_array().unwrap().iter().filter(|cell| cell["name"] != "supervisor");
        let cores: Vec<_> = cores.map(|cell| cell["core"].clone()).collect();
        cores.len() == 2 && cores[0] != cores[1]
    };
    let began = Instant::now();
    while !on_both() {
        assert!(began.elapsed() < Duration::from_secs(60), "{}", ps(running.pid()));
    }
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
    let mut refused = Running::of(POOLS, &["--cores", &one, "--tier", "shared"]);
    refused.hear("want 2 cores, the machine has 1");
    assert_eq!(refused.code(), 64);
}

fn only_given_cores() {
    let (housekeeping, programs) = cores();
    let given: CoreSet = [housekeeping, programs].into_iter().collect();
    let options =
        ["--cores", &programs.to_string(), "--housekeeping", &housekeeping.to_string(), "--tier", "shared"];
    let mut running = Running::of(SPINNER, &options);
    running.placed();
    let mut seen = 0;
    for process in [running.pid(), running.machine()] {
        for (_, status) in statuses(process) {
            seen += 1;
            let (name, on) = (status.name(), CoreSet::parse_list(status.cores()).unwrap());
            assert!(on.is_subset(&given), "{name} of {process} may run on {on}");
            let expected = if name == format!("core-{programs}") { programs } else { housekeeping };
            assert_eq!(on, CoreSet::from(expected), "{name} of {process}");
        }
    }
    assert!(seen >= 7, "parent, main thread, listener, core, timekeeper, cleaner, console: {seen}");
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
}

fn timekeeper() {
    let (housekeeping, programs) = cores();
    let measured = |system: &str| {
        let mut running = Running::of(system, &["--tier", "shared", "--cores", &programs.to_string()]);
        let costs = format!("takes all of core {housekeeping} while they compete");
        running.hear(&costs);
        running.placed();
        let (_, shown) = (ps(running.pid()), say(&["ps", "--machine", &running.pid().to_string()]).0);
        assert!(shown.contains(&format!("timekeeper on core {housekeeping} (Linux's)")), "{shown}");
        let samples: Vec<_> = (0..10).map(|_| ps(running.pid())["timekeeper"].clone()).collect();
        running.signal(Signal::INT);
        assert_eq!(running.code(), 0);
        samples
    };
    let percents = |samples: &[serde_json::Value]| -> Vec<f64> {
        samples.iter().map(|sample| sample["percent_now"].as_f64().unwrap()).collect()
    };
    let alone = percents(&measured(SPINNER)).into_iter().fold(f64::MAX, f64::min);
    let competing = measured(&format!("{SPINNER}[cells.two]\nprogram = \"spin\"\n"));
    assert!(competing.iter().any(|sample| sample["state"] == "spinning"), "{competing:?}");
    let competing = percents(&competing).into_iter().fold(0.0, f64::max);
    // Whoever else is on its core takes a share of it, so neither is exact.
    assert!(alone < 20.0, "{alone} % for one program");
    assert!(competing > 2.0 * alone && competing > 4.0, "{competing} % for two, {alone} % for one");
}

/// How often the threads that drive a machine have been switched away from, by themselves or by Linux, as often as they were woken.
fn switches(machine: i32) -> u64 {
    let drivers =
        threads(machine).into_iter().filter(|(_, name)| name.starts_with("core-") || name == "timekeeper");
    let mut seen = 0;
    let sum = drivers.map(|(thread, _)| {
        seen += 1;
        let status = std::fs::read_to_string(format!("/proc/{machine}/task/{thread}/status")).unwrap();
        let lines = status.lines().filter_map(|line| line.split_once("ctxt_switches:"));
        lines.map(|(_, count)| count.trim().parse::<u64>().unwrap()).sum::<u64>()
    });
    let sum = sum.sum();
    assert!(seen >= 2, "a core and the timekeeper: {seen}");
    sum
}

fn idle() {
    // A server that nobody calls, one with a budget that it has not used up, and the supervisor.
    let system = "[cells.calculator]\nprogram = \"calculator\"\nserves = { calc = \"active\" }\n\
        [cells.capped]\nprogram = \"calculator\"\nserves = { calc = \"active\" }\ntime = \"10ms/100ms\"\n";
    let mut running = Running::of(system, &["--tier", "shared"]);
    running.placed();
    let machine = running.machine();
    // Each question takes 50 ms, and is none of the threads' that drive the machine.
    let watched = |questions: u32| {
        let before = switches(machine);
        (0..questions).for_each(|_| drop(ps(running.pid())));
        switches(machine) - before
    };
    // It comes to rest when it has booted.
    let rested = (0..100).any(|_| watched(2) == 0);
    assert!(rested, "it does not come to rest");
    assert_eq!(watched(10), 0, "wake-ups in half a second");
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
}

fn too_much_memory() {
    let (_, error, code) = say(&["run", "calculator", "--memory", "4096G"]);
    assert!(error.contains("4 TiB asked for") && error.contains("available"), "{error}");
    assert_eq!(code, 64);
}

fn budget() {
    const BYTES: u64 = 64 << 20;
    let mut running = Running::of(SPINNER, &["--tier", "shared", "--memory", "64M"]);
    running.hear("64 MiB of memory, taken from Linux in the background");
    running.placed();
    // The cleaner needs some 40 ms for it; each question takes it 50.
    let mut asked = 0;
    while ps(running.pid())["memory"]["populated_bytes"].as_u64().unwrap() < BYTES - (1 << 20) {
        asked += 1;
        assert!(asked < 1_000, "{}", ps(running.pid()));
    }
    let memory = ps(running.pid())["memory"].clone();
    assert_eq!(memory["budget_bytes"], BYTES);
    assert!(memory["populated_bytes"].as_u64().unwrap() <= BYTES + (1 << 20), "{memory}");
    // It is the host's memory: pages of a file that nobody has mapped.
    let machine = running.machine();
    let held: u64 = std::fs::read_dir(format!("/proc/{machine}/fd"))
        .unwrap()
        .flatten()
        .filter(|entry| {
            std::fs::read_link(entry.path())
                .is_ok_and(|path| path.to_string_lossy().contains("hallows-budget"))
        })
        .map(|entry| std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(entry.path()).unwrap()) * 512)
        .sum();
    assert!(held > BYTES / 2 && held <= BYTES, "{held} bytes are held");
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
}

fn no_faults() {
    /// Lives until the allocator, the supervisor and the code have had their first faults.
    const WARM: u32 = 10;
    const LIVES: u32 = 40;
    const ROUNDS: u32 = 5;
    /// What a client's heap grows by: a page of WebAssembly.
    const GROWTH_BYTES: u64 = 65_536;
    let (_, programs) = cores();
    let system = r#"
        [cells.server]
        program = "calculator"
        serves = { calc = "passive" }
        [cells.client]
        program = "calculator-client"
        uses = { calc = "server.calc" }
        restart = { policy = "always", give_up_after = 0, back_off_ms = 1, back_off_limit_ms = 1 }"#;
    let mut running = Running::of(system, &["--tier", "shared", "--cores", &programs.to_string()]);
    running.placed();
    for _ in 0..WARM {
        running.hear("all of them right");
    }
    // The fewest of some rounds: what a host takes back of a program's memory meanwhile is no first touch.
    let mut round = || {
        let before = running.faults(programs);
        for _ in 0..LIVES {
            running.hear("all of them right");
        }
        running.faults(programs) - before
    };
    let faults = (0..ROUNDS).map(|_| round()).min().unwrap();
    // Its heap grows once a life; the kernel takes those pages in one call, which Linux counts by the page all the same.
    let populated = u64::from(LIVES) * GROWTH_BYTES / 4096;
    assert!(faults <= populated + u64::from(LIVES) / 4, "{faults} page faults in {LIVES} lives");
    running.signal(Signal::INT);
    assert_eq!(running.code(), 0);
}
