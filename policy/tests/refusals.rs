//! What is refused, each by its name, with its place and what to do about it.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use hallows_policy::{
    DEEPEST_CALLS, LARGEST_MODULE_BYTES, MOST_CONSTANT_BYTES, MOST_REGISTERS, MOST_STEPS, Module, Reason,
    Refusal, Trap,
};

fn refused(text: &str) -> Refusal {
    refused_bytes(&wat::parse_str(text).unwrap())
}

fn refused_bytes(wasm: &[u8]) -> Refusal {
    Module::verify(wasm).map(drop).unwrap_err()
}

/// A policy whose `order` is written as the inside of a function.
fn policy(fields: &str, body: &str) -> String {
    format!(
        r#"(module (import "candidate" "ran_ns" (func $ran_ns (result i64))) {fields}
           (func $order (export "order") (result i64) {body}))"#
    )
}

fn reason(fields: &str, body: &str) -> Reason {
    let refusal = refused(&policy(fields, body));
    assert!(refusal.reason.help().is_some(), "{refusal}");
    refusal.reason
}

#[test]
fn instructions_that_no_policy_has_are_named_with_their_place_and_why() {
    let fields =
        "(memory 1) (table 1 funcref) (global $g (mut i64) (i64.const 0)) (type $t (func (result i64)))";
    for (body, name, help) in [
        ("(i64.store (i32.const 0) (i64.const 1)) (i64.const 0)", "i64.store", "keeps nothing"),
        ("(global.set $g (i64.const 1)) (i64.const 0)", "global.set", "keeps nothing"),
        ("(i64.extend_i32_u (memory.grow (i32.const 1)))", "memory.grow", "keeps nothing"),
        (
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (i64.const 0)",
            "memory.fill",
            "keeps nothing",
        ),
        ("(i64.trunc_f64_s (f64.const 1))", "f64.const", "whole numbers"),
        ("(i64.trunc_sat_f32_u (f32.convert_i64_u (call $ran_ns)))", "f32.convert_i64_u", "whole numbers"),
        ("(call_indirect (type $t) (i32.const 0))", "call_indirect", "by their names"),
        ("(return_call $order)", "return_call", "by their names"),
        ("(i64.extend_i32_u (ref.is_null (ref.null func)))", "ref.null", "by their names"),
        ("(i64.extend_i32_u (memory.size))", "memory.size", "computes with whole numbers"),
    ] {
        let refusal = refused(&policy(fields, body));
        assert_eq!(refusal.reason, Reason::Instruction { name: name.to_owned() });
        assert!(refusal.reason.help().unwrap().contains(help), "{name}: {:?}", refusal.reason.help());
        let shown = refusal.to_string();
        assert!(
            shown.contains(&format!("`{name}`")) && shown.contains("(at 0x") && shown.contains("in `order`)"),
            "{shown}"
        );
    }
}

#[test]
fn the_offset_is_that_of_the_instruction() {
    let wasm = wat::parse_str(policy("(memory 1)", "(i64.store (i32.const 0) (i64.const 1)) (i64.const 0)"))
        .unwrap();
    let offset = refused_bytes(&wasm).offset.unwrap();
    // `i64.store`, aligned to 8 bytes, without an offset.
    assert_eq!(wasm[offset..offset + 3], [0x37, 3, 0]);
}

#[test]
fn no_way_goes_back() {
    let back = [
        "(loop (br 0)) (unreachable)",
        "(loop (br_if 0 (i32.wrap_i64 (call $ran_ns)))) (i64.const 0)",
        "(loop $back (block (br_table 0 $back (i32.const 0)))) (i64.const 0)",
        "(loop $back (block (block (br $back)))) (unreachable)",
    ];
    for body in back {
        assert!(matches!(reason("", body), Reason::Loop { begins } if begins > 8), "{body}");
    }
}

#[test]
fn no_function_calls_itself() {
    assert_eq!(reason("", "(call $order)"), Reason::Recursion { called: "`order`".into() });
    let round = "(func $a (result i64) (call $b)) (func $b (result i64) (call $a))";
    let refusal = refused(&policy(round, "(call $a)"));
    assert_eq!(refusal.reason, Reason::Recursion { called: "`a`".into() });
    assert_eq!(refusal.function.as_deref(), Some("`b`"));
}

#[test]
fn what_never_has_a_result_is_found() {
    for body in [
        "(i64.div_u (call $ran_ns) (i64.const 0))",
        "(i64.extend_i32_u (i32.rem_s (i32.wrap_i64 (call $ran_ns)) (i32.const 0)))",
    ] {
        assert_eq!(reason("", body), Reason::Traps { trap: Trap::DivisionByZero });
    }
    let least = "(i64.div_s (i64.const 0x8000000000000000) (i64.const -1))";
    assert_eq!(reason("", least), Reason::Traps { trap: Trap::DivisionOverflow });
    assert_eq!(
        reason("(memory 1)", "(i64.load (i32.const 65529))"),
        Reason::Traps { trap: Trap::OutOfBounds }
    );
}

#[test]
fn what_it_exports_and_imports_is_what_there_is() {
    assert_eq!(refused("(module)").reason, Reason::AnswersNothing);
    for (export, name) in [
        (r#"(func (export "order") (param i64) (result i64) (i64.const 0))"#, "order"),
        (r#"(func (export "order") (result i32) (i32.const 0))"#, "order"),
        (r#"(func (export "order") (result i64 i64) (i64.const 0) (i64.const 0))"#, "order"),
        (r#"(func (export "quantum_ns") (result i64) (i64.const 0))"#, "quantum_ns"),
        (r#"(memory (export "quantum_ns") 1)"#, "quantum_ns"),
        (r#"(import "candidate" "ran_ns" (func $f (result i64))) (export "order" (func $f))"#, "order"),
    ] {
        assert_eq!(refused(&format!("(module {export})")).reason, Reason::Export { name }, "{export}");
    }
    for (module, name) in
        [("candidate", "deadline_ns"), ("candidate", "usual_ns"), ("hallows", "call"), ("env", "ran_ns")]
    {
        let refusal = refused(&format!(r#"(module (import "{module}" "{name}" (func (result i64))))"#));
        assert_eq!(refusal.reason, Reason::Import { module: module.into(), name: name.into() });
        assert!(refusal.offset.is_some() && refusal.reason.help().unwrap().contains("expected_ns"));
    }
    for import in [
        r#"(import "candidate" "cell" (func (result i64)))"#,
        r#"(import "candidate" "cell" (func (param i32) (result i32)))"#,
        r#"(import "candidate" "cell" (memory 1))"#,
    ] {
        let refusal = refused(&format!("(module {import})"));
        assert_eq!(refusal.reason, Reason::ImportType { name: "cell", result: "i32" });
    }
}

#[test]
fn nothing_runs_or_is_computed_before_it_is_asked() {
    assert_eq!(reason("(func $begin) (start $begin)", "(i64.const 0)"), Reason::Start);
    let computed = "(memory 1) (data (offset (i32.add (i32.const 1) (i32.const 2))) \"a\")";
    assert_eq!(reason(computed, "(i64.const 0)"), Reason::ConstantsSomewhere);
    let global = "(global $g i64 (i64.add (i64.const 1) (i64.const 2)))";
    assert_eq!(reason(global, "(global.get $g)"), Reason::Global);
    let outside = refused(&policy("(memory 1) (data (i32.const 65535) \"ab\")", "(i64.const 0)"));
    assert_eq!(outside.reason, Reason::ConstantsOutside);
    let apart = "(memory 2) (data (i32.const 0) \"a\") (data (i32.const 65536) \"a\")";
    assert_eq!(
        reason(apart, "(i64.const 0)"),
        Reason::ConstantsApart { bytes: MOST_CONSTANT_BYTES as u64 + 1 }
    );
}

#[test]
fn bounds_are_kept_to_the_last_one() {
    // Each addition is a step, and the answer is another one.
    let adding = |count: u32| format!("(call $ran_ns) {}", "(i64.add (call $ran_ns))".repeat(count as usize));
    assert!(Module::verify(&wat::parse_str(policy("", &adding(MOST_STEPS - 1))).unwrap()).is_ok());
    assert_eq!(reason("", &adding(MOST_STEPS)), Reason::TooLong { steps: MOST_STEPS + 1 });
    let ways = format!(
        "{}(i64.const 0)",
        "(if (i32.wrap_i64 (call $ran_ns)) (then (return (i64.mul (call $ran_ns) (call $ran_ns)))))"
            .repeat(1_500)
    );
    assert_eq!(reason("", &ways), Reason::TooManySteps);
    // Inputs, the constant 0, and what is on the stack.
    let deep = |count: usize| {
        format!("{}{}", "(i64.eqz (call $ran_ns)) ".repeat(count), "(i32.or) ".repeat(count - 1))
            + "(i64.extend_i32_u)"
    };
    let wasm = wat::parse_str(policy("", &deep(100))).unwrap();
    assert!(Module::verify(&wasm).is_ok());
    let high = format!(
        "{}{}(i64.const 0)",
        "(call $ran_ns)".repeat(MOST_REGISTERS + 1),
        "(drop)".repeat(MOST_REGISTERS + 1)
    );
    assert_eq!(reason("", &high), Reason::TooManyRegisters { registers: MOST_REGISTERS + 1 });
    let constants: String = (0..300).map(|number| format!("(drop (i64.const {number}))")).collect();
    assert_eq!(
        reason("", &format!("{constants}(i64.const 0)")),
        Reason::TooManyRegisters { registers: MOST_REGISTERS + 1 }
    );
    let locals = "(local i64)".repeat(MOST_REGISTERS);
    assert!(matches!(reason("", &format!("{locals}(i64.const 0)")), Reason::TooManyRegisters { .. }));
    // Each function calls the next one twice: as text it is short, and as steps it has no end.
    let doubling: String =
        (0..20).map(|number| format!("(func $f{number} (call $f{0}) (call $f{0}))", number + 1)).collect();
    let doubling = format!("{doubling}(func $f20)");
    assert_eq!(reason(&doubling, "(call $f0) (i64.const 0)"), Reason::TooManyInstructions);
    let calls = DEEPEST_CALLS + 1;
    let chain: String =
        (0..calls).map(|number| format!("(func $f{number} (call $f{}))", number + 1)).collect();
    assert_eq!(reason(&format!("{chain}(func $f{calls})"), "(call $f0) (i64.const 0)"), Reason::CallsTooDeep);
}

#[test]
fn what_is_no_module_is_said() {
    let invalid = refused_bytes(b"\0asm\x01\0\0\0\x01");
    assert!(matches!(invalid.reason, Reason::Invalid { .. }), "{invalid}");
    assert!(matches!(refused_bytes(b"").reason, Reason::Invalid { .. }));
    assert_eq!(refused_bytes(b"\0asm\x0d\0\x01\0").reason, Reason::Component);
    let bytes = LARGEST_MODULE_BYTES + 1;
    assert_eq!(refused_bytes(&vec![0; bytes]).reason, Reason::TooLarge { bytes });
    for text in ["(module (memory i64 1))", "(module (memory 1 1 shared))", "(module (memory 1) (memory 1))"]
    {
        assert!(matches!(refused(text).reason, Reason::Invalid { .. }), "{text}");
    }
}

#[test]
fn what_a_stranger_calls_things_cannot_speak_to_a_terminal() {
    let text = r#"(module (import "\1b]0;x\07" "\1b[2J" (func)) (func (export "order") (result i64) (i64.const 0)))"#;
    let refusal = Module::verify(&wat::parse_str(text).unwrap()).unwrap_err().to_string();
    assert!(refusal.contains("there is no import") && !refusal.contains(['\u{1b}', '\u{7}']), "{refusal:?}");
}
