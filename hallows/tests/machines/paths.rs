//! Which paths the services of a machine took, as the command tells it, and machines that were told what they need.

use libtest_mimic::Trial;

use crate::running::{Running, say};
use crate::{root_test, test};

/// Runs until it is stopped.
const WAITS: &str = "[cells.counter]\nprogram = \"counter\"\nserves = { counter = \"active\" }\n";

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_running_machine_says_which_path_each_service_took", told),
        test("a_machine_that_needs_more_than_it_gets_does_not_start", required),
        root_test("a_machine_that_needs_its_cores_for_itself_gets_them", isolated),
        test("paths_that_there_are_are_listed_and_others_refused", listed),
    ]
}

fn told() {
    let mut running = Running::of(WAITS, &["--tier", "shared", "--memory", "64M"]);
    running.placed();
    // The machine says it on its console, the parent the tier: whichever comes first.
    if !running.heard.contains("jailed:") {
        running.hear("jailed:");
    }
    let pid = running.pid().to_string();
    let (output, error, code) = say(&["paths", "--json", "--machine", &pid]);
    assert_eq!(code, 0, "{error}");
    let value: serde_json::Value = serde_json::from_str(&output).unwrap();
    let rows = value["paths"].as_array().unwrap();
    let row = |name: &str| {
        rows.iter().find(|row| row["service"] == name).unwrap_or_else(|| panic!("no {name} in {output}"))
    };
    assert_eq!(row("tier")["path"], "shared");
    assert!(
        row("tier")["why"].as_str().is_some_and(|why| why.contains("tier shared was asked for")),
        "{output}"
    );
    assert_eq!(row("preemption")["path"], "checks");
    // What the machine says of itself elsewhere is what it says here.
    let status = crate::running::ps(running.pid());
    assert_eq!(row("memory")["path"] != "unlocked", status["memory"]["is_locked"].as_bool().unwrap());
    let own_core = status["timekeeper"]["place"] == "OwnCore" || status["timekeeper"]["place"] == "own_core";
    assert_eq!(row("timekeeper")["path"], if own_core { "spinning" } else { "sleeping" }, "{status}");
    let jailed = running.heard.lines().any(|line| line.contains("no Landlock"));
    assert_eq!(row("jail")["path"] == "seccomp", jailed, "{output}");
    // It runs no Unix program.
    assert!(!rows.iter().any(|row| row["service"] == "files" || row["service"] == "output"), "{output}");
    let (text, _, code) = say(&["paths", "--machine", &pid]);
    assert!(
        code == 0 && text.contains("tier         shared") && text.contains("not booted, isolated:"),
        "{text}"
    );
    let (_, error, code) =
        say(&["paths", "--machine", &pid, "--require", "tier=shared", "--require", "tier=isolated"]);
    assert!(code == 72 && error.contains("tier=isolated is required"), "{code} {error}");
    assert_eq!(say(&["paths", "--machine", &pid, "--require", "tier=shared"]).2, 0);
    running.signal(rustix::process::Signal::TERM);
    assert_eq!(running.code(), 0);
}

fn required() {
    // Nobody has huge pages for programs.
    let arguments = ["run", "calculator", "--tier", "shared", "--memory", "64M", "--require", "pages=huge"];
    let (output, error, code) = say(&arguments);
    assert!(
        code == 72 && error.contains("pages=huge is required, and pages takes the path small"),
        "{code} {error}"
    );
    assert_eq!(output, "", "no program has run");
    let arguments =
        ["run", "calculator", "--tier", "shared", "--memory", "64M", "--require", "tier=isolated"];
    let (output, error, code) = say(&arguments);
    assert!(
        code == 72 && error.contains("tier=isolated is required, and tier takes the path shared"),
        "{code} {error}"
    );
    assert_eq!(output, "");
    let arguments = [
        "run",
        "calculator",
        "--tier",
        "shared",
        "--memory",
        "64M",
        "--require",
        "tier=shared",
        "--require",
        "jail=seccomp",
    ];
    let (_, error, code) = say(&arguments);
    assert_eq!(code, 0, "{error}");
}

fn isolated() {
    let arguments = ["run", "calculator", "--memory", "64M", "--require", "tier=isolated"];
    let (output, error, code) = say(&arguments);
    // A host whose cores cannot be taken says so instead of running.
    if error.contains("tier isolated") || error.contains("tier booted") {
        assert_eq!(code, 0, "{error}");
    } else {
        assert!(code == 72 && output.is_empty(), "{code} {output}{error}");
    }
}

fn listed() {
    let (text, _, code) = say(&["paths", "--list"]);
    assert!(code == 0 && text.contains("files: ") && text.contains("openat2-landlock"), "{text}");
    let (json, _, _) = say(&["paths", "--list", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let services = value["services"].as_array().unwrap();
    // What is listed is what a requirement takes: this machine has no such pages, and the name is known.
    for service in services {
        for path in service["paths"].as_array().unwrap() {
            let required =
                format!("{}={}", service["service"].as_str().unwrap(), path["path"].as_str().unwrap());
            let (_, error, _) = say(&["run", "no-such-system", "--require", &required]);
            assert!(error.contains("no system and no program"), "{required}: {error}");
        }
    }
    let (_, error, code) = say(&["run", "calculator", "--require", "tier=golden"]);
    assert!(code == 64 && error.contains("booted, isolated, shared"), "{error}");
    let (_, error, code) = say(&["paths", "--require", "teir=shared"]);
    assert!(code == 64 && error.contains("there is no service `teir`"), "{error}");
}
