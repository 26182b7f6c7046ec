//! The exchange as its user starts it, and the guide that shows it.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use std::process::{Command, Output, Stdio};

fn exchange(arguments: &[&str]) -> (String, String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hallows-order-book"));
    let Output { stdout, stderr, status } = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(stdout), text(stderr), status.code().unwrap())
}

#[test]
fn two_traders_trade_and_main_runs_once() {
    let (output, error, code) = exchange(&[]);
    assert_eq!(code, 0, "{output}{error}");
    let last = output
        .lines()
        .find(|line| line.contains("2 traders done"))
        .unwrap_or_else(|| panic!("{output}{error}"));
    // Each has sent all its orders; both are the same random walk, so much is traded.
    assert!(last.contains("20000 orders"), "{last}");
    let number = |word: &str| -> u64 {
        let before = last.split(word).next().unwrap();
        before.split_whitespace().next_back().unwrap().parse().unwrap()
    };
    assert!(number(" trades,") > 5_000 && number(" traded,") > 100_000, "{last}");
    // The machine process has come by `init` and not by what is behind it.
    assert_eq!(output.matches("exchange: after ").count(), 1, "{output}");
    assert!(output.contains("ended with code 0"), "{output}");
    assert_eq!(error, "", "nobody asked it to tell");
}

#[test]
fn what_is_wrong_is_said_and_nothing_runs() {
    let (output, error, code) = exchange(&["no-core"]);
    assert_eq!((output.as_str(), code), ("", 1), "{error}");
    assert!(error.contains("cores(\"no-core\")"), "{error}");
}

#[test]
fn the_guide_shows_what_is_here() {
    let guide = include_str!("../../../docs/embedding.md");
    for (name, source) in [
        ("src/main.rs", include_str!("../src/main.rs")),
        ("src/order_book.rs", include_str!("../src/order_book.rs")),
        ("Cargo.toml", include_str!("../Cargo.toml")),
    ] {
        let parts = guide.split("```").skip(1).step_by(2);
        let shown: Vec<&str> = parts
            .filter_map(|part| part.split_once('\n'))
            .filter(|(kind, _)| kind.contains(name))
            .map(|(_, text)| text)
            .collect();
        assert!(!shown.is_empty(), "the guide shows nothing of {name}");
        for part in shown.iter().flat_map(|text| text.split("// …\n")) {
            assert!(source.contains(part.trim_end()), "{name} has no longer:\n{part}");
        }
    }
}
