//! Policies in WebAssembly, as a user loads them: the example's, written as text and in Rust; those that are none, and those that talk nonsense.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;

use crate::running::{say, say_in};
use crate::test;

pub fn tests() -> Vec<Trial> {
    vec![
        test("a_policy_in_a_file_says_who_goes_first", order),
        test("a_policy_in_rust_says_who_goes_first", in_rust),
        test("a_policy_in_a_file_says_how_long_turns_are", turns),
        test("an_executable_that_was_built_carries_its_policy", built),
        test("nonsense_of_a_policy_is_told_of_and_programs_go_on", nonsense),
        test("what_is_no_policy_is_refused_before_anything_starts", refused),
        test("a_policy_is_looked_at_without_a_machine", looked_at),
    ]
}

/// The example's folder.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/policy-wasm")
}

/// What `make artifacts` has made of the example's source.
fn feedback() -> PathBuf {
    let artifacts = std::env::var_os("HALLOWS_ARTIFACTS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/artifacts"), PathBuf::from);
    let policy = artifacts.join("policies/feedback.wasm");
    assert!(policy.is_file(), "there is no {}: `make artifacts` makes it", policy.display());
    policy
}

/// A folder with the example's programs, and a system of them with this policy.
struct Folder(tempfile::TempDir);

impl Folder {
    /// With the example's own system, in which a long program comes before short ones.
    fn of_example(policy: &str) -> Self {
        let text = fs::read_to_string(example().join("system.toml")).unwrap();
        let system = text.replace("\"least-attained.wat\"", &format!("{policy:?}"));
        assert!(system.contains(policy), "the example chooses its policy in other words");
        Self::of(&system)
    }

    fn of(system: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for name in ["long.wat", "short.wat", "least-attained.wat"] {
            fs::copy(example().join(name), folder.at(name)).unwrap();
        }
        fs::write(folder.at("system.toml"), system).unwrap();
        folder
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a policy of these exports.
    fn write(self, name: &str, exports: &str) -> Self {
        fs::write(self.at(name), policy(exports)).unwrap();
        self
    }

    /// Runs its system; what it says, with its errors, and the exit code.
    fn run(&self) -> (String, i32) {
        let folder = self.0.path().to_str().unwrap();
        let (output, error, code) = say_in(folder, &["run", "system.toml", "--tier", "shared", "--quiet"]);
        (output + &error, code)
    }
}

/// A policy as text.
fn policy(exports: &str) -> String {
    format!(
        r#"(module (import "candidate" "cell" (func $cell (result i32)))
                   (import "candidate" "ran_ns" (func $ran_ns (result i64))) {exports})"#
    )
}

/// Who was done, one after another.
fn done(said: &str) -> Vec<String> {
    let name = |line: &str| Some(line.split_once(" is done")?.0.rsplit(' ').next()?.to_owned());
    said.lines().filter_map(name).collect()
}

/// Systems of as many long programs, of which the log shows the cells.
fn long_ones(count: u32, policy: &str) -> String {
    let names: Vec<_> = (0..count).map(|number| format!("\"cell-{number}\"")).collect();
    let cells = (0..count).map(|number| {
        format!("[cells.cell-{number}]\nprogram = \"long.wat\"\nrestart = \"never\"\ncore = 0\n")
    });
    format!("stop_after = [{}]\n[policies]\nlatency = {policy:?}\n", names.join(", "))
        + &cells.collect::<String>()
}

fn order() {
    let (said, code) = Folder::of_example("least-attained.wat").run();
    assert_eq!(
        (done(&said), code),
        (["short", "short", "short", "short", "long"].map(String::from).to_vec(), 0),
        "{said}"
    );
    // The other way round: the later a cell, the sooner its turn. Without it they would end as they came.
    let backwards =
        r#"(func (export "order") (result i64) (i64.sub (i64.const 1000) (i64.extend_i32_u (call $cell))))"#;
    let folder = Folder::of(&long_ones(3, "backwards.wat")).write("backwards.wat", backwards);
    let (said, code) = folder.run();
    let cells: Vec<_> = said.lines().filter(|line| line.contains("is done")).collect();
    assert!(code == 0 && cells.len() == 3, "{said}");
    for (line, name) in cells.iter().zip(["cell-2", "cell-1", "cell-0"]) {
        assert!(line.contains(name), "{said}");
    }
}

fn in_rust() {
    let (said, code) = Folder::of_example(feedback().to_str().unwrap()).run();
    assert_eq!(
        (done(&said), code),
        (["short", "short", "short", "short", "long"].map(String::from).to_vec(), 0),
        "{said}"
    );
}

fn turns() {
    // Each runs to its end, and the machine ends with the first one.
    let endless = r#"(func (export "quantum_ns") (param i64) (result i64) (i64.const -1))"#;
    let (said, code) = Folder::of_example("endless.wat").write("endless.wat", endless).run();
    assert!(code == 0 && done(&said).first().is_some_and(|first| first == "long"), "{said}");
}

fn built() {
    let folder = Folder::of_example("least-attained.wat");
    let place = folder.0.path().to_str().unwrap();
    let (_, error, code) = say_in(place, &["build", "system.toml", "-o", "application", "--tier", "shared"]);
    assert_eq!(code, 0, "{error}");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::rename(folder.at("application"), elsewhere.path().join("application")).unwrap();
    drop(folder);
    let mut command = std::process::Command::new(elsewhere.path().join("application"));
    let output = command.arg("--hallows-quiet").current_dir(elsewhere.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        done(&said),
        ["short", "short", "short", "short", "long"],
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn nonsense() {
    for (exports, told) in [
        (
            r#"(func (export "quantum_ns") (param i64) (result i64) (i64.const 7))"#,
            "policy mine: a quantum of 7 ns: the least is 1000 ns",
        ),
        (
            r#"(func (export "order") (result i64) (i64.div_u (i64.const 1) (i64.and (call $ran_ns) (i64.const 0))))"#,
            "policy mine: `order` had no answer: a division by 0",
        ),
        (
            r#"(func (export "quantum_ns") (param i64) (result i64) (unreachable))"#,
            "policy mine: `quantum_ns` had no answer: `unreachable` was reached",
        ),
    ] {
        let (said, code) = Folder::of(&long_ones(2, "mine.wat")).write("mine.wat", exports).run();
        assert_eq!((done(&said).len(), code), (2, 0), "{said}");
        assert_eq!(said.matches(told).count(), 1, "{said}");
    }
}

fn refused() {
    let folder = Folder::of_example("mine.wat");
    for (text, what, help) in [
        (
            policy(r#"(func (export "order") (result i64) (loop (br 0)) (unreachable))"#),
            "a jump back to the loop",
            "has no loops",
        ),
        (
            policy(
                r#"(memory 1) (func (export "order") (result i64) (i64.store (i32.const 0) (call $ran_ns)) (i64.const 0))"#,
            ),
            "`i64.store` is nothing that a policy may do",
            "keeps nothing",
        ),
        (policy(""), "exports neither `order` nor `quantum_ns`", "a policy exports"),
        ("(module (func".to_owned(), "mine.wat is no policy: expected", ""),
        ("\0asm".to_owned(), "mine.wat is no policy", ""),
    ] {
        fs::write(folder.at("mine.wat"), text).unwrap();
        let (said, code) = folder.run();
        // As one line, however wide the message is.
        let said: String = said.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(said.contains(what) && said.contains(help) && code == 64, "{code}: {said}");
    }
    fs::remove_file(folder.at("mine.wat")).unwrap();
    let (said, code) = folder.run();
    assert!(said.contains("there is no file") && said.contains("mine.wat") && code == 64, "{said}");
}

fn looked_at() {
    let path = |name: &str| example().join(name).to_str().unwrap().to_owned();
    let (output, error, code) = say(&["policy", "check", &path("least-attained.wat")]);
    assert_eq!(code, 0, "{error}");
    assert!(
        output.contains("is a policy") && output.contains("2 steps at most, of 2; looks at ran_ns"),
        "{output}"
    );
    assert!(output.contains("not said: the class's quantum"), "{output}");
    let (output, _, code) = say(&["policy", "check", "--json", feedback().to_str().unwrap()]);
    let facts: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!((code, facts["policy"].as_str()), (0, Some("feedback")));
    for question in ["order", "quantum_ns"] {
        assert_eq!(facts["answers"][question]["looks_at"], serde_json::json!(["ran_ns"]), "{facts}");
    }
    for (ran_ns, order, quantum_ns) in [("0", 0, 5_000), ("50000", 1, 20_000), ("1000000", 2, 80_000)] {
        let (output, _, code) = say(&["policy", "ask", feedback().to_str().unwrap(), "--ran-ns", ran_ns]);
        assert_eq!((output, code), (format!("order  {order}\nquantum_ns  {quantum_ns}\n"), 0));
    }
    let (_, error, code) = say(&["policy", "check", &path("long.wat")]);
    assert!(code == 64 && error.contains("is no policy"), "{error}");
    let (_, error, code) = say(&["policy", "check", &path("there-is-none.wat")]);
    assert!(code == 64 && error.contains("there is no file"), "{error}");
}
