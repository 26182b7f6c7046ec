//! What policies answer, written in WebAssembly's text form.
#![expect(clippy::unwrap_used, reason = "a test's panic is its failure")]

use hallows_policy::{Input, Module, Seen, Trap};

fn module(text: &str) -> Module {
    Module::verify(&wat::parse_str(text).unwrap()).unwrap_or_else(|refusal| panic!("{refusal}: {text}"))
}

const IMPORTS: &str = r#"
    (import "candidate" "cell" (func $cell (result i32)))
    (import "candidate" "is_fresh" (func $is_fresh (result i32)))
    (import "candidate" "expected_ns" (func $expected_ns (result i64)))
    (import "candidate" "ran_ns" (func $ran_ns (result i64)))"#;

/// What `order` answers, written as the inside of a function, of a thread of cell 7 that has run for 120 µs and expected 500 µs.
fn order(body: &str) -> Result<u64, Trap> {
    order_with("", body)
}

fn order_with(fields: &str, body: &str) -> Result<u64, Trap> {
    let module =
        module(&format!("(module {IMPORTS} {fields} (func (export \"order\") (result i64) {body}))"));
    module.order().unwrap().run(&SEEN)
}

const SEEN: Seen = Seen { cell: 7, is_fresh: true, expected_ns: 500_000, ran_ns: 120_000, usual_ns: 5_000 };

#[test]
fn the_least_attained_service_is_two_steps() {
    let module = module(
        r#"(module (import "candidate" "ran_ns" (func $ran_ns (result i64)))
           (func (export "order") (result i64) (i64.div_u (call $ran_ns) (i64.const 50000))))"#,
    );
    let order = module.order().unwrap();
    assert_eq!(order.run(&SEEN), Ok(2));
    assert_eq!((order.longest(), order.steps(), order.reads()), (2, 2, &[Input::RanNs][..]));
    assert!(order.may_trap().is_empty() && module.quantum_ns().is_none());
}

#[test]
fn every_input_is_what_it_says() {
    assert_eq!(order("(i64.extend_i32_u (call $cell))"), Ok(7));
    assert_eq!(order("(i64.extend_i32_u (call $is_fresh))"), Ok(1));
    assert_eq!(order("(call $expected_ns)"), Ok(500_000));
    assert_eq!(order("(call $ran_ns)"), Ok(120_000));
    let module = module(
        r#"(module (func (export "quantum_ns") (param i64) (result i64) (i64.mul (local.get 0) (i64.const 3))))"#,
    );
    assert_eq!(module.quantum_ns().unwrap().run(&SEEN), Ok(15_000));
    assert!(module.order().is_none());
}

#[test]
fn a_value_on_the_stack_stays_when_its_local_is_set() {
    // The old value, and the new one: in a row, in a block that may be left before, and by `tee`.
    let text = "(local $x i64) (local.set $x (i64.const 5)) (local.get $x) (local.set $x (i64.const 7)) (local.get $x) (i64.sub)";
    assert_eq!(order(text), Ok(2_u64.wrapping_neg()));
    for condition in ["(call $is_fresh)", "(i32.eqz (call $is_fresh))"] {
        let text = format!(
            "(local $x i64) (local.set $x (i64.const 10)) (local.get $x)
             (block (br_if 0 {condition}) (local.set $x (i64.const 20)))"
        );
        assert_eq!(order(&text), Ok(10), "{condition}");
    }
    assert_eq!(
        order("(local $x i64) (i64.sub (local.tee $x (call $ran_ns)) (local.tee $x (i64.const 1)))"),
        Ok(119_999)
    );
}

#[test]
fn ways_that_meet_bring_their_values() {
    let either = "(if (result i64) (call $is_fresh) (then (i64.const 3)) (else (call $ran_ns)))";
    assert_eq!(order(either), Ok(3));
    // Without a second arm, with parameters, out of several blocks with a value, with more below it.
    assert_eq!(
        order("(local $x i64) (if (call $is_fresh) (then (local.set $x (i64.const 9)))) (local.get $x)"),
        Ok(9)
    );
    let text = "(i64.const 1) (call $is_fresh) (if (param i64) (result i64) (then (i64.const 4) (i64.add)))";
    assert_eq!(order(text), Ok(5));
    let text = "(block $out (result i64)
        (i64.const 100)
        (block $in (result i64) (i64.const 1) (i64.const 2) (br_if $out (call $is_fresh)) (i64.add))
        (i64.add))";
    assert_eq!(order(text), Ok(2));
    assert_eq!(order("(i64.const 1) (i64.const 2) (return (i64.const 8))"), Ok(8));
    assert_eq!(order("(block (br_if 1 (i64.const 6) (call $is_fresh)) (drop)) (i64.const 4)"), Ok(6));
    assert_eq!(order("(loop (result i64) (call $ran_ns))"), Ok(120_000), "a loop that nothing goes back to");
}

#[test]
fn a_table_of_jumps_goes_where_the_number_says() {
    for (number, result) in [(0, 100), (1, 101), (2, 102), (3, 103), (u32::MAX, 103)] {
        let text = format!(
            "(block $three (block $two (block $one (block $zero
                (br_table $zero $one $two $three (i32.const {number})))
               (return (i64.const 100))) (return (i64.const 101))) (return (i64.const 102))) (i64.const 103)"
        );
        assert_eq!(order(&text), Ok(result), "{number}");
        let text = format!(
            "(i64.const 1000) (block $in (result i64) (i64.const 5) (i64.const 6)
               (br_table $in 1 (i32.add (call $cell) (i32.const {number})))) (i64.add)"
        );
        let expected = if number == u32::MAX - 6 { 1_006 } else { 6 };
        assert_eq!(order(&text), Ok(expected), "{number}");
    }
}

#[test]
fn functions_are_inlined_and_their_locals_begin_as_zero_each_time() {
    let fields = "(func $count (param $by i64) (result i64) (local $sum i64)
            (local.set $sum (i64.add (local.get $sum) (local.get $by)))
            (if (i64.eqz (local.get $by)) (then (return (i64.const 50))))
            (local.get $sum))
        (func $both (param i64 i64) (result i64 i64) (local.get 1) (local.get 0))";
    let text = "(i64.add (call $count (i64.const 2)) (i64.add (call $count (i64.const 0)) (call $count (i64.const 3))))";
    assert_eq!(order_with(fields, text), Ok(55));
    assert_eq!(order_with(fields, "(call $both (i64.const 1) (i64.const 9)) (i64.sub)"), Ok(8));
}

#[test]
fn constants_are_looked_up_in_memory_and_in_globals() {
    let fields = r#"(memory 1) (data (i32.const 1024) "\01\02\ff\80\00\00\00\00\07") (global $g i64 (i64.const 40))
        (global $mutable (mut i32) (i32.const 2))"#;
    assert_eq!(order_with(fields, "(i64.load8_u offset=1023 (call $is_fresh))"), Ok(1));
    assert_eq!(order_with(fields, "(i64.load8_s (i32.add (call $cell) (i32.const 1019)))"), Ok(u64::MAX));
    assert_eq!(
        order_with(fields, "(i64.load16_s (i32.add (call $cell) (i32.const 1019)))"),
        Ok((-0x7f01_i64).cast_unsigned())
    );
    assert_eq!(
        order_with(fields, "(i64.extend_i32_u (i32.load8_s (i32.add (call $cell) (i32.const 1019))))"),
        Ok(u32::MAX.into())
    );
    assert_eq!(order_with(fields, "(i64.load32_u (i32.const 1024))"), Ok(0x80ff_0201));
    assert_eq!(order_with(fields, "(i64.load (i32.const 0))"), Ok(0));
    assert_eq!(
        order_with(fields, "(i64.add (global.get $g) (i64.extend_i32_u (global.get $mutable)))"),
        Ok(42)
    );
    // The last byte that there is, and the first that there is not.
    assert_eq!(order_with(fields, "(i64.load8_u offset=65528 (call $cell))"), Ok(0));
    assert_eq!(order_with(fields, "(i64.load8_u offset=65529 (call $cell))"), Err(Trap::OutOfBounds));
    assert_eq!(
        order_with(fields, "(i64.load offset=4294967295 (i32.sub (i32.const 0) (call $cell)))"),
        Err(Trap::OutOfBounds)
    );
}

#[test]
fn what_has_no_result_has_no_answer() {
    let zero = "(i64.sub (call $ran_ns) (i64.const 120000))";
    assert_eq!(order(&format!("(i64.div_u (i64.const 1) {zero})")), Err(Trap::DivisionByZero));
    assert_eq!(order(&format!("(i64.rem_s (i64.const 1) {zero})")), Err(Trap::DivisionByZero));
    let least = "(i64.sub (i64.const 0x8000000000000000) (i64.const 0))";
    assert_eq!(
        order(&format!("(i64.div_s {least} (i64.sub {zero} (i64.const 1)))")),
        Err(Trap::DivisionOverflow)
    );
    assert_eq!(order(&format!("(i64.rem_s {least} (i64.sub {zero} (i64.const 1)))")), Ok(0));
    assert_eq!(order("(if (call $is_fresh) (then (unreachable))) (i64.const 1)"), Err(Trap::Unreachable));
    let module = module(&format!(
        "(module {IMPORTS} (func (export \"order\") (result i64)
            (if (call $is_fresh) (then (unreachable))) (i64.div_u (i64.const 1) (call $ran_ns))))"
    ));
    let may_trap: Vec<_> =
        module.order().unwrap().may_trap().iter().map(|found| found.instruction.as_str()).collect();
    assert_eq!(may_trap, ["unreachable", "i64.div_u"]);
}

#[test]
fn the_longest_way_is_measured() {
    // Four steps one way (the condition, a multiplication, another one, the answer), three the other.
    let module = module(&format!(
        "(module {IMPORTS} (func (export \"order\") (result i64)
            (if (call $is_fresh) (then (return (i64.mul (i64.mul (call $ran_ns) (i64.const 3)) (call $ran_ns)))))
            (i64.add (call $ran_ns) (i64.const 1))))"
    ));
    let order = module.order().unwrap();
    assert_eq!((order.longest(), order.steps()), (4, 6));
}

#[test]
fn what_is_not_reached_may_be_anything_valid() {
    let fields = r#"(memory 2) (table 1 funcref) (func $unused (loop (br 0)) (i32.store (i32.const 0) (i32.const 1))
        (drop (f64.sqrt (f64.const 2))))"#;
    assert_eq!(order_with(fields, "(return (i64.const 3)) (call $unused) (loop (br 0))"), Ok(3));
}
