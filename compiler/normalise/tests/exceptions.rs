//! Lowered exceptions do what exceptions do: wasmtime's own are the reference.
mod common;

use common::{Outcome, Random, Running, TINY, normalised};
use hallows_normalise::{Error, FEATURES, normalise};
use std::{fmt::Write, sync::LazyLock};
use wasmtime::{Config, Engine, Module, Trap, Val};

/// Programs made at random that are compared.
const PROGRAMS: u64 = 300;

/// An engine with exceptions of its own.
static REFERENCE: LazyLock<Engine> = LazyLock::new(|| {
    let mut config = Config::new();
    config.wasm_exceptions(true).wasm_gc(true).wasm_tail_call(true);
    Engine::new(&config).expect("the features are supported")
});

/// How an entry ended, the same for both: an exception that nobody catches is a trap in one and an error in the other.
#[derive(Debug, PartialEq)]
enum Ended {
    Returned(Vec<String>),
    Uncaught,
    Trapped(Trap),
}

fn ended(outcome: Outcome) -> Ended {
    match outcome {
        Outcome::Returned(values) => Ended::Returned(values),
        Outcome::Failed(message) if message.contains("exception") => Ended::Uncaught,
        Outcome::Failed(message) => panic!("{message}"),
        // The programs here have no `unreachable` of their own, and a null reference traps with another code.
        Outcome::Trapped(Trap::UnreachableCodeReached | Trap::NullReference) => Ended::Uncaught,
        Outcome::Trapped(trap) => Ended::Trapped(trap),
    }
}

/// The module lowered and compiled; it is valid without exceptions.
fn lowered(wasm: &[u8]) -> Module {
    let lowered = normalised(wasm, TINY).wasm;
    let mut validator = wasmparser::Validator::new_with_features(FEATURES);
    validator.validate_all(&lowered).unwrap_or_else(|error| {
        panic!("{error}:\n{}", wasmprinter::print_bytes(&lowered).unwrap_or_default())
    });
    Module::new(&common::ENGINE, lowered).expect("it is valid")
}

/// Calls `run` with each argument in both; says how often an exception came out.
fn compare(text: &str, arguments: impl IntoIterator<Item = i32>) -> usize {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let reference = Module::new(&REFERENCE, &wasm).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
    let lowered = lowered(&wasm);
    let mut uncaught = 0;
    for argument in arguments {
        let mut expected = Running::of(&reference).expect("it starts");
        let mut actual = Running::of(&lowered).expect("it starts");
        let wanted = ended(expected.call("run", &[Val::I32(argument)]));
        let got = ended(actual.call("run", &[Val::I32(argument)]));
        assert_eq!(got, wanted, "run({argument}) of {text}");
        assert_eq!(actual.store.data().calls, expected.store.data().calls, "run({argument}) of {text}");
        uncaught += usize::from(wanted == Ended::Uncaught);
    }
    uncaught
}

/// What `run` returns when it is lowered: for the older encoding, which wasmtime has not.
fn run(text: &str, argument: i32) -> Ended {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    ended(Running::of(&lowered(&wasm)).expect("it starts").call("run", &[Val::I32(argument)]))
}

fn returned(value: i32) -> Ended {
    Ended::Returned(vec![format!("I32({value})")])
}

#[test]
fn what_was_thrown_reaches_the_handler_of_its_tag() {
    let text = r#"(module
        (tag $none) (tag $int (param i32)) (tag $many (param i64 f32 f64 i32 i32))
        (func $throw (param i32) (result i64)
            (if (i32.eq (local.get 0) (i32.const 0)) (then (throw $none)))
            (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $int (i32.const 77))))
            (if (i32.eq (local.get 0) (i32.const 2)) (then
                (throw $many (i64.const 5) (f32.const 1.5) (f64.const 2.5) (i32.const 6) (i32.const 7))))
            (i64.const 9))
        (func $between (param i32) (result i64) (i64.add (i64.const 100) (call $throw (local.get 0))))
        (func (export "run") (param i32) (result i32)
            (local i32 i32 f64 f32 i64)
            (block $all
                (block $int (result i32)
                    (block $many (result i64 f32 f64 i32 i32)
                        (try_table (catch $many $many) (catch $int $int) (catch_all $all)
                            ;; What is on the stack at the call is dropped.
                            (i64.const 3) (call $between (local.get 0)) (i64.add)
                            (return (i32.wrap_i64)))
                        (unreachable))
                    (local.set 1) (local.set 2) (local.set 3) (local.set 4) (local.set 5)
                    (return (i32.add (local.get 1) (i32.mul (i32.const 10) (local.get 2)))))
                (return))
            (i32.const -1)))"#;
    assert_eq!(compare(text, 0..4), 0);
}

#[test]
fn handlers_are_tried_from_the_inside_and_in_their_order() {
    let text = r#"(module
        (tag $a (param i32)) (tag $b (param i32))
        (func $f (param i32)
            (if (i32.and (local.get 0) (i32.const 1)) (then (throw $a (i32.const 10))))
            (throw $b (i32.const 20)))
        (func (export "run") (param i32) (result i32)
            (block $outer (result i32)
                (try_table (result i32) (catch $a $outer) (catch $b $outer)
                    (block $inner (result i32)
                        (try_table (result i32) (catch $a $inner) (catch $a $outer)
                            (call $f (local.get 0)) (i32.const 0)))
                    ;; Thrown in a handler: only the outer one is in force.
                    (if (i32.and (local.get 0) (i32.const 2)) (then (throw $a (i32.const 30))))
                    (i32.add (i32.const 1000))))
            (i32.add (i32.const 100000))))"#;
    assert_eq!(compare(text, 0..4), 0);
}

#[test]
fn what_nobody_catches_ends_the_entry() {
    let text = r#"(module
        (tag $a) (tag $b)
        (func $f (param i32) (if (local.get 0) (then (throw $a))))
        (func (export "run") (param i32) (result i32)
            (block $out (try_table (catch $b $out) (call $f (local.get 0))))
            (i32.const 5)))"#;
    assert_eq!(compare(text, 0..2), 1);
    let started = r#"(module (tag $a) (func $main (throw $a)) (start $main))"#;
    let result = Running::of(&lowered(&wat::parse_str(started).unwrap()));
    assert_eq!(result.err(), Some(Outcome::Trapped(Trap::UnreachableCodeReached)));
}

#[test]
fn a_trap_by_an_exception_says_so_in_its_backtrace() {
    let wasm = wat::parse_str(r#"(module (tag $a) (func (export "run") (throw $a)))"#).unwrap();
    let module = lowered(&wasm);
    let mut running = Running::of(&module).unwrap();
    let function = running.instance.get_func(&mut running.store, "run").unwrap();
    let error = function.call(&mut running.store, &[], &mut []).unwrap_err();
    assert!(format!("{error:?}").contains("hallows:uncaught exception"), "{error:?}");
}

#[test]
fn references_to_exceptions_are_values() {
    let text = r#"(module
        (tag $a (param i32)) (tag $b)
        (global $kept (mut exnref) (ref.null exn))
        (func $throw (param i32)
            (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const -8))))
            (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $b))))
        (func $again (param $e exnref) (param i32) (result exnref)
            (if (local.get 1) (then (throw_ref (local.get $e))))
            (local.get $e))
        (func $catch (param i32) (result exnref)
            (block $h (result exnref)
                (try_table (catch_all_ref $h) (call $throw (local.get 0)))
                (ref.null exn)))
        (func (export "run") (param i32) (result i32)
            (local $e exnref)
            (local.set $e (call $catch (i32.and (local.get 0) (i32.const 3))))
            (global.set $kept (local.get $e))
            (if (ref.is_null (global.get $kept)) (then (return (i32.const 1000))))
            (block $b
                (block $a (result i32 exnref)
                    (try_table (catch_ref $a $a) (catch $b $b)
                        (drop (call $again (local.get $e) (i32.and (local.get 0) (i32.const 4)))))
                    (drop (select (result exnref) (local.get $e) (ref.null exn) (local.get 0)))
                    (return (i32.const 2000)))
                (local.set $e)
                (if (i32.and (local.get 0) (i32.const 8)) (then (throw_ref (local.get $e))))
                (return))
            (i32.const 3000)))"#;
    assert_eq!(compare(text, 0..16), 1);
    let null = r#"(module (func (export "run") (param i32) (result i32) (throw_ref (ref.null exn))))"#;
    assert_eq!(compare(null, 0..1), 1);
}

#[test]
fn exceptions_come_through_indirect_calls_and_leave_tail_calls_alone() {
    let text = r#"(module
        (tag $a (param i32))
        (type $f (func (param i32) (result i32)))
        (table funcref (elem $calm $wild $tail))
        (func $calm (type $f) (i32.add (local.get 0) (i32.const 1)))
        (func $wild (type $f) (throw $a (local.get 0)))
        (func $tail (type $f)
            ;; The handler is left before the callee begins.
            (block $h (result i32)
                (try_table (catch $a $h) (return_call $wild (local.get 0)))
                (i32.const 0))
            (drop) (i32.const -5))
        (func (export "run") (param i32) (result i32)
            (block $h (result i32)
                (try_table (result i32) (catch $a $h)
                    (call_indirect (type $f) (i32.const 40) (i32.rem_u (local.get 0) (i32.const 3)))
                    (return)))
            (i32.add (i32.const 500))))"#;
    assert_eq!(compare(text, 0..3), 0);
}

#[test]
fn handlers_lead_back_to_loops_and_blocks_have_parameters() {
    let text = r#"(module
        (tag $a (param i32))
        (import "host" "log" (func $log (param i32)))
        (func $f (param i32) (result i32)
            (if (i32.rem_u (local.get 0) (i32.const 3)) (then (throw $a (i32.sub (local.get 0) (i32.const 1)))))
            (local.get 0))
        (func (export "run") (param i32) (result i32)
            (local.get 0)
            (loop $again (param i32) (result i32)
                (local.set 0)
                (call $log (local.get 0))
                (i32.const 4) (local.get 0)
                (try_table (param i32 i32) (result i32) (catch $a $again)
                    (i32.add (call $f) )))))"#;
    assert_eq!(compare(text, 0..9), 0);
}

#[test]
fn the_older_encoding_means_the_same() {
    let text = |body: &str| {
        format!(
            r#"(module (tag $a (param i32)) (tag $b)
            (func $throw (param i32)
                (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const 7))))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $b))))
            (func (export "run") (param i32) (result i32) {body}))"#
        )
    };
    let catching = text(
        "try (result i32) (call $throw (local.get 0)) (i32.const 1)
        catch $a (i32.const 10) i32.add
        catch_all (i32.const 2) end",
    );
    assert_eq!([0, 1, 2].map(|argument| run(&catching, argument)), [1, 17, 2].map(returned));
    let one = text(
        "try (result i32) (call $throw (local.get 0)) (i32.const 1) catch $a (i32.const 10) i32.add end",
    );
    assert_eq!(run(&one, 1), returned(17));
    assert_eq!(run(&one, 2), Ended::Uncaught);
    // Another exception comes and goes before the one that was caught is thrown again.
    let rethrowing = text(
        "try (result i32)
            try (result i32) (call $throw (local.get 0)) (i32.const 1)
            catch_all
                try (throw $a (i32.const 55)) catch_all end
                rethrow 0
            end
        catch $a
        catch $b (i32.const 8) end",
    );
    assert_eq!([0, 1, 2].map(|argument| run(&rethrowing, argument)), [1, 7, 8].map(returned));
    let outer = text(
        "try (result i32)
            try (result i32) (call $throw (local.get 0)) (i32.const 1)
            catch $a
                (drop)
                try (result i32) (throw $b) catch $b rethrow 1 end
            end
        catch $a (i32.const 200) i32.add
        catch $b (i32.const 9) end",
    );
    assert_eq!([0, 1, 2].map(|argument| run(&outer, argument)), [1, 207, 9].map(returned));
    let delegating = text(
        "try $outer (result i32)
            try (result i32)
                try (result i32) (call $throw (local.get 0)) (i32.const 1) delegate $outer
            catch_all (i32.const 99) end
        catch $a (i32.const 300) i32.add
        catch_all (i32.const 4) end",
    );
    assert_eq!([0, 1, 2].map(|argument| run(&delegating, argument)), [1, 307, 4].map(returned));
    let to_caller = text(
        "try (result i32)
            try (result i32) (call $throw (local.get 0)) (i32.const 1) delegate 1
        catch_all (i32.const 99) end",
    );
    assert_eq!([0, 1].map(|argument| run(&to_caller, argument)), [returned(1), Ended::Uncaught]);
}

#[test]
fn what_is_not_lowered_is_refused_by_its_name() {
    let refused = |text: &str| match normalise(&wat::parse_str(text).unwrap(), common::options(TINY)) {
        Err(Error::Unsupported { features, .. }) => features,
        other => panic!("{other:?}"),
    };
    let many = "i32 ".repeat(17);
    let cases = [
        (r#"(module (import "a" "b" (tag)))"#.to_string(), "imported exception tags"),
        (format!("(module (tag (param {many})))"), "more than 16 values"),
        (
            "(module (tag (param i64)) (func (throw_ref (ref.null exn))))".into(),
            "something else than one i32",
        ),
        ("(module (tag) (table 1 exnref))".into(), "in tables"),
        ("(module (tag) (func (export \"f\") (param exnref)))".into(), "in exports"),
        ("(module (tag) (import \"a\" \"b\" (func (param exnref))))".into(), "in imports"),
        (format!("(module (tag) (func (result {many}) (throw 0)))"), "more than 16 results"),
        ("(module (tag) (func (param exnref)) (func (param i64)))".into(), "another's but for them"),
        (
            "(module (tag) (type $exception (func (result exnref))) (table 1 funcref) (func (result i64) (i64.const 1))
                (func (drop (call_indirect (type $exception) (i32.const 0)))))"
                .into(),
            "another's but for them",
        ),
        ("(module (tag) (func (param externref)))".into(), "externref"),
        ("(module (tag) (memory i64 1))".into(), "memory64"),
    ];
    for (text, name) in cases {
        let features = refused(&text);
        assert!(features.contains(name), "{features} for {text}");
        assert!(!features.split(", ").any(|feature| feature == "exceptions"), "{features}");
    }
}

/// A program of functions that call those behind them, throw, catch and throw on.
struct Program {
    random: Random,
    text: String,
    /// Exceptions are caught by reference and carry at most one `i32`.
    references: bool,
    labels: u32,
}

const FUNCTIONS: u64 = 6;

impl Program {
    fn of(seed: u64) -> String {
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut program =
            Program { random, text: String::new(), references: seed.is_multiple_of(2), labels: 0 };
        let third = if program.references { "i32" } else { "i64 f64 i32" };
        let mut text = format!(
            "(module (import \"host\" \"log\" (func $log (param i32)))
            (type $f (func (param i32) (result i32)))
            (tag $t0) (tag $t1 (param i32)) (tag $t2 (param {third}))
            (table funcref (elem $f0 $f1 $f2 $f3 $f4 $f5))\n"
        );
        for function in 0..FUNCTIONS {
            program.text.clear();
            program.statements(function, 3);
            let export = if function == 0 { "(export \"run\")" } else { "" };
            writeln!(
                text,
                "(func $f{function} {export} (type $f) (local $n i32) (local $e exnref) {} (local.get 0))",
                program.text
            )
            .unwrap();
        }
        text.push(')');
        text
    }

    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn statements(&mut self, function: u64, depth: u32) {
        for _ in 0..2 + self.random.below(3) {
            self.statement(function, depth);
        }
    }

    fn payload(&mut self, tag: u64) -> &'static str {
        match (tag, self.references) {
            (0, _) => "",
            (1, _) | (_, true) => "(i32.add (local.get 0) (i32.const 3))",
            _ => "(i64.extend_i32_s (local.get 0)) (f64.const 2.5) (i32.const 9)",
        }
    }

    fn statement(&mut self, function: u64, depth: u32) {
        let kind = self.random.below(if depth == 0 { 4 } else { 9 });
        let number = self.random.below(97);
        let callee = function + 1 + self.random.below(FUNCTIONS.saturating_sub(function + 1).max(1));
        match kind {
            0 => self.add(&format!(
                "(local.set 0 (i32.add (i32.mul (local.get 0) (i32.const 31)) (i32.const {number})))"
            )),
            1 => self.add("(call $log (local.get 0))"),
            2 | 3 if callee >= FUNCTIONS || number.is_multiple_of(4) => {
                let tag = number % 3;
                let payload = self.payload(tag);
                self.add(&format!(
                    "(if (i32.lt_u (i32.and (local.get 0) (i32.const 7)) (i32.const {})) (then (throw $t{tag} {payload})))",
                    1 + number % 4
                ));
            }
            2 => self.add(&format!(
                "(local.set 0 (i32.xor (i32.const {number}) (call $f{callee} (local.get 0))))"
            )),
            3 => self.add(&format!(
                "(local.set 0 (i32.sub (i32.const {number}) (call_indirect (type $f) (local.get 0) (i32.const {callee}))))"
            )),
            4 => {
                self.add(&format!("(if (i32.rem_u (local.get 0) (i32.const {})) (then", 2 + number % 3));
                self.statements(function, depth - 1);
                self.add(") (else");
                self.statements(function, depth - 1);
                self.add("))");
            }
            5 => {
                let label = self.label();
                // Counted by the log as well, so bounded by a constant and not by the local that inner loops use.
                self.add(&format!("(block $b{label} (loop $l{label}"));
                self.statements(function, depth - 1);
                self.add(&format!(
                    "(local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br_if $b{label} (i32.gt_u (local.get $n) (i32.const 12)))
                    (br_if $l{label} (i32.and (local.get 0) (i32.const 1)))))"
                ));
            }
            _ => self.try_table(function, depth),
        }
    }

    fn label(&mut self) -> u32 {
        self.labels += 1;
        self.labels
    }

    /// A `try_table` with one to three handlers, each a block of its own around it.
    fn try_table(&mut self, function: u64, depth: u32) {
        let label = self.label();
        let count = 1 + self.random.below(3);
        let (mut opening, mut clauses, mut closing) = (String::new(), String::new(), String::new());
        for handler in 0..count {
            let (all, by_reference) =
                (self.random.below(4) == 0, self.references && self.random.below(2) == 0);
            let tag = self.random.below(3);
            let carried = match (all, tag, self.references) {
                (true, ..) | (_, 0, _) => "",
                (_, 1, _) | (_, _, true) => "i32",
                _ => "i64 f64 i32",
            };
            let reference = if by_reference { "exnref" } else { "" };
            let name = format!("$h{label}_{handler}");
            opening = format!("(block {name} (result {carried} {reference})\n{opening}");
            let word = match (all, by_reference) {
                (true, true) => "catch_all_ref".to_string(),
                (true, false) => "catch_all".to_string(),
                (false, true) => format!("catch_ref $t{tag}"),
                (false, false) => format!("catch $t{tag}"),
            };
            write!(clauses, "({word} {name}) ").unwrap();
            let mut handling = String::new();
            if by_reference {
                handling.push_str("(local.set $e) ");
            }
            if !carried.is_empty() {
                handling.push_str("(local.set 0 (i32.add (i32.const 1))) ");
            }
            if carried.starts_with("i64") {
                handling.push_str("(drop) (drop) ");
            }
            handling.push_str("(call $log (local.get 0)) ");
            if by_reference && self.random.below(2) == 0 {
                handling.push_str(
                    "(if (i32.and (local.get 0) (i32.const 1)) (then (throw_ref (local.get $e)))) ",
                );
            }
            writeln!(closing, ") {handling} (br $out{label})").unwrap();
        }
        self.add(&format!("(block $out{label}\n{opening} (try_table {clauses}"));
        self.statements(function, depth - 1);
        self.add(&format!(") (br $out{label})\n{closing})"));
    }
}

#[test]
fn programs_made_at_random_behave_the_same() {
    let mut uncaught = 0;
    for seed in 0..PROGRAMS {
        uncaught += compare(&Program::of(seed), [0, 1, 2, 5, 1000, -7]);
    }
    // It is worth something only if both happen often: exceptions that are caught and such that are not.
    let calls = PROGRAMS as usize * 6;
    assert!((calls / 20..calls * 3 / 4).contains(&uncaught), "{uncaught} of {calls}");
}
