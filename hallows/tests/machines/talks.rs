//! Commands that talk to machines: with none, with several, with one that is gone.

use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::host::topology;
use crate::running::{Running, ps, say};
use crate::{test, two_core_test};

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_program_alone_says_what_it_lacks_as_web_assembly_and_linked_in", alone),
        test("without_a_machine_every_command_says_so", without),
        test("a_machine_is_seen_its_cells_are_killed_and_it_is_stopped", one),
        test("a_time_budget_is_shown_with_what_has_become_of_it", budget),
        two_core_test("with_two_machines_the_commands_ask_which", two),
        test("a_machine_that_was_killed_is_gone_for_every_command", dead),
    ]
}

const SYSTEM: &str = "[cells.one]\nprogram = \"spin\"\n[cells.two]\nprogram = \"spin\"\n";

fn alone() {
    // Who cannot do without others ends, and says what it was not given.
    for (client, capability) in [("counter-client", "counter"), ("file-drop-giver", "drop")] {
        for native in [&[][..], &["--native"]] {
            let (output, error, code) = say(&[&["run", client, "--tier", "shared"], native].concat());
            let expected = format!("{client}: needs a capability called `{capability}`");
            assert!(output.contains(&expected), "{client} {native:?}: {output}{error}");
            assert_eq!(code, 1, "{client} {native:?}");
        }
    }
    // Who declares which interface it needs does not even start.
    for native in [&[][..], &["--native"]] {
        let (_, error, code) = say(&[&["run", "calculator-client", "--tier", "shared"], native].concat());
        for part in
            ["`calculator-client` uses the interface `calc`", "nobody serves it", "`calculator` serves it"]
        {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(code, 64, "{native:?}");
    }
    // Who only answers others waits, and that is said.
    for arguments in
        [&["calculator", "--native"][..], &["worker", "--native"], &["worker"], &["bench-server"]]
    {
        let mut running = Running::start(&[&["run", "--tier", "shared"], arguments].concat(), None);
        running.hear(&format!("{} only answers others", arguments[0]));
        running.signal(Signal::INT);
        assert_eq!(running.code(), 0, "{arguments:?}");
    }
    let (_, error, code) = say(&["run", "no-such", "--native"]);
    assert!(
        error.contains("hog") && error.contains("calculator"),
        "it names those that are linked in: {error}"
    );
    assert_eq!(code, 64);
}

fn without() {
    assert_eq!(say(&["ps", "--json"]), (String::new(), String::new(), 0));
    let (output, _, code) = say(&["ps"]);
    assert!(output.contains("no machine is running") && code == 0, "{output}");
    for arguments in [
        &["stop"][..],
        &["kill", "1"],
        &["restart", "1"],
        &["top", "--once"],
        &["attach"],
        &["detach"],
        &["ps", "--machine", "1"],
        &["stop", "--machine", "1"],
    ] {
        let (_, error, code) = say(arguments);
        assert!(error.contains("no machine of yours is running"), "{arguments:?}: {error}");
        assert_eq!(code, 64, "{arguments:?}");
    }
    let (output, _, code) = say(&["restore"]);
    assert!(output.contains("nothing to put back") && code == 0, "{output}");
}

fn one() {
    let mut running = Running::of(SYSTEM, &["--tier", "shared"]);
    running.placed();
    let (output, _, code) = say(&["ps"]);
    assert_eq!(code, 0);
    for part in [&format!("machine {}: tier ", running.pid()), "NAME", "one", "two", "running"] {
        assert!(output.contains(part), "{part}: {output}");
    }
    let (_, error, code) = say(&["kill", "nobody"]);
    assert!(error.contains("no such cell") && error.contains("hallows ps"), "{error}");
    assert_eq!(code, 64);
    assert_eq!(say(&["kill", "one"]), (String::new(), String::new(), 0));
    running.hear("(one)");
    assert_eq!(say(&["stop"]), (String::new(), String::new(), 0));
    assert_eq!(running.code(), 0);
    assert!(running.heard.contains("the machine ended with code 0"), "{}", running.heard);
}

fn budget() {
    let system = "[cells.capped]\nprogram = \"spin\"\ntime = \"100ms/1000s\"\n";
    let mut running = Running::of(system, &["--tier", "shared"]);
    running.placed();
    // It has used it all up after a tenth of a second; each question takes half of that.
    let mut asked = 0;
    let cell = loop {
        let status = ps(running.pid());
        let cell = status["cells"].as_array().unwrap().iter().find(|cell| cell["name"] == "capped").unwrap();
        if cell["state"] == "throttled" {
            break cell.clone();
        }
        asked += 1;
        assert!(asked < 1_000, "{status}");
    };
    let time = &cell["time"];
    assert_eq!((&time["budget_ns"], &time["used_ns"]), (&100_000_000.into(), &100_000_000.into()), "{cell}");
    assert_eq!((&time["throttled"], &time["throttlings"]), (&true.into(), &1.into()), "{cell}");
    let (shown, _, _) = say(&["ps"]);
    assert!(shown.contains("throttled") && shown.contains("time 100ms of 100ms in 1000s"), "{shown}");
    assert_eq!(say(&["stop"]), (String::new(), String::new(), 0));
    assert_eq!(running.code(), 0);
}

fn two() {
    let allowed = topology().allowed;
    let on = |core: String| {
        let mut running =
            Running::of(SYSTEM, &["--tier", "shared", "--cores", &core, "--housekeeping", &core]);
        running.placed();
        running
    };
    let mut first = on(allowed.first().unwrap().to_string());
    let mut second = on(allowed.last().unwrap().to_string());
    let (output, _, _) = say(&["ps", "--json"]);
    for (running, line) in [&first, &second].into_iter().zip({
        let mut lines: Vec<&str> = output.lines().collect();
        lines.sort_by_key(|line| !line.contains(&format!("\"pid\":{}}}", first.pid())));
        lines
    }) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["pid"], running.pid(), "{output}");
    }
    assert_eq!(output.lines().count(), 2, "{output}");
    for arguments in [&["stop"][..], &["kill", "one"]] {
        let (_, error, code) = say(arguments);
        assert!(error.contains("several machines are running") && error.contains("--machine PID"), "{error}");
        assert_eq!(code, 64);
    }
    let (_, error, code) = say(&["stop", "--machine", "1"]);
    assert!(error.contains("no machine with pid 1"), "{error}");
    assert_eq!(code, 64);
    // The cores of one are refused to another, which names it.
    let core = allowed.first().unwrap().to_string();
    let (_, error, code) = say(&["run", "calculator", "--cores", &core]);
    assert!(error.contains(&format!("in use by process {}", first.pid())), "{error}");
    assert_eq!(code, 69);
    assert_eq!(say(&["stop", "--machine", &first.pid().to_string()]).2, 0);
    assert_eq!(first.code(), 0);
    assert_eq!(say(&["stop"]).2, 0);
    assert_eq!(second.code(), 0);
}

fn dead() {
    let mut running = Running::of(SYSTEM, &["--tier", "shared"]);
    running.placed();
    running.signal(Signal::KILL);
    assert_eq!(running.code(), 137);
    without();
}
