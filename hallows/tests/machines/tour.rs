//! The README's tour: every command of it is run as it stands there, so that what a newcomer types works.

use libtest_mimic::Trial;

use crate::running::{Running, say_in};
use crate::{test, two_core_test};

const README: &str = include_str!("../../../README.md");
const TOUR: &str = "## A tour of five minutes";
/// Where a newcomer types.
const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

pub fn tests() -> Vec<Trial> {
    vec![
        two_core_test("the_commands_of_the_readmes_tour_do_what_it_says", first_terminal),
        test("a_second_terminal_looks_at_the_readmes_own_system_ends_a_cell_and_stops_it", second_terminal),
    ]
}

fn first_terminal() {
    let commands = commands(block("sh", 0));
    assert!(commands.len() > 8, "{commands:?}");
    for arguments in commands {
        // Figures are for an optimised build. Rivals of `bench` are built by `make bench`; those of `demo` need not be installed, and `tests/demo.rs` runs it.
        if matches!(arguments[0], "bench" | "demo") {
            continue;
        }
        let (output, error, code) = say_in(CHECKOUT, &arguments);
        assert_eq!(code, 0, "hallows {}: {output}{error}", arguments.join(" "));
        assert!(!output.is_empty(), "hallows {} says nothing", arguments.join(" "));
    }
}

fn second_terminal() {
    let mut machine = Running::of(block("toml", 0), &[]);
    machine.placed();
    let commands = commands(block("sh", 1));
    let names: Vec<&str> = commands.iter().map(|arguments| arguments[0]).collect();
    assert_eq!(names, ["ps", "paths", "top", "restart", "kill", "stop"]);
    for arguments in commands {
        let (output, error, code) = say_in(CHECKOUT, &arguments);
        assert_eq!(code, 0, "hallows {}: {output}{error}", arguments.join(" "));
        if arguments[0] == "ps" {
            assert!(output.contains("loop") && output.contains("calculator"), "{output}");
        }
    }
    assert_eq!(machine.code(), 0, "{}", machine.heard);
}

/// The n-th block of a language in the tour.
fn block(language: &str, number: usize) -> &'static str {
    let (_, tour) = README.split_once(TOUR).unwrap();
    let (tour, _) = tour.split_once("\n## ").unwrap();
    let opening = format!("```{language}\n");
    let begun = tour.split(&opening).nth(number + 1).unwrap();
    begun.split_once("```").unwrap().0
}

/// What follows `hallows` on its lines, without the comments.
fn commands(block: &'static str) -> Vec<Vec<&'static str>> {
    let code = |line: &'static str| line.split('#').next().unwrap_or_default();
    let words = |line| code(line).split_whitespace().collect::<Vec<_>>();
    let calls = block.lines().map(words).filter(|words| words.first() == Some(&"hallows"));
    calls.map(|words| words[1..].to_vec()).collect()
}
