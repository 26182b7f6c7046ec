//! Modules that nobody wrote, or that somebody damaged: they are refused, or they answer; nothing panics and all ends.

use std::sync::LazyLock;

use hallows_policy::{MOST_STEPS, Module, Seen};
use proptest::prelude::*;

/// Modules to be damaged: between them they have everything that a policy may have.
static WELL: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let imports = r#"(import "candidate" "cell" (func $cell (result i32))) (import "candidate" "ran_ns" (func $ran_ns (result i64)))"#;
    [
        r#"(func (export "order") (result i64) (i64.div_u (call $ran_ns) (i64.const 50000)))"#,
        r#"(memory 1) (data (i32.const 16) "\01\02\03\04\05\06\07\08")
           (func $weight (param i32) (result i64) (i64.load8_u offset=16 (i32.and (local.get 0) (i32.const 7))))
           (func (export "order") (result i64) (i64.mul (call $weight (call $cell)) (call $ran_ns)))
           (func (export "quantum_ns") (param i64) (result i64) (i64.add (local.get 0) (call $weight (i32.const 3))))"#,
        r#"(func (export "order") (result i64) (local i64)
             (local.set 0 (call $ran_ns))
             (block $c (block $b (block $a (br_table $a $b $c (call $cell)))
               (return (i64.rem_u (local.get 0) (i64.extend_i32_u (call $cell)))))
               (local.set 0 (select (i64.const 5) (local.get 0) (i64.lt_s (local.get 0) (i64.const 9)))))
             (if (result i64) (i64.eqz (local.tee 0 (i64.shl (local.get 0) (i64.const 3))))
               (then (unreachable)) (else (i64.clz (local.get 0)))))"#,
    ]
    .iter()
    .map(|fields| wat::parse_str(format!("(module {imports} {fields})")).unwrap_or_default())
    .collect()
});

/// Verifies, and asks of some threads if it is a policy; whether it is one.
fn bear(wasm: &[u8]) -> bool {
    let Ok(module) = Module::verify(wasm) else { return false };
    for function in module.order().into_iter().chain(module.quantum_ns()) {
        assert!(function.longest() <= MOST_STEPS);
        for number in [0, 1, 2, u64::from(u32::MAX), u64::MAX] {
            let cell = u32::try_from(number % (1 << 32)).unwrap_or(0);
            let seen =
                Seen { cell, is_fresh: number == 1, expected_ns: number, ran_ns: number, usual_ns: number };
            // Asked again it answers the same: it keeps nothing.
            assert_eq!(function.run(&seen), function.run(&seen));
        }
    }
    true
}

#[test]
fn undamaged_ones_are_policies() {
    assert!(WELL.iter().all(|wasm| bear(wasm)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn any_bytes_are_borne(bytes in prop::collection::vec(any::<u8>(), 0..200), is_module: bool) {
        let wasm = if is_module { [b"\0asm\x01\0\0\0".as_slice(), &bytes].concat() } else { bytes };
        bear(&wasm);
    }

    #[test]
    fn damaged_modules_are_borne(
        which in 0_usize..3,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let mut wasm = WELL[which].clone();
        for (place, byte) in damage {
            let place = place.index(wasm.len());
            wasm[place] = byte;
        }
        if let Some(cut) = cut {
            wasm.truncate(cut.index(wasm.len()));
        }
        bear(&wasm);
    }
}
