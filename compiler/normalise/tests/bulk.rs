//! Bulk operations in steps do exactly what the original instructions do.
mod common;

use common::{Outcome, Random, Running, TINY, normalised};
use hallows_normalise::Bounds;
use wasmtime::Val;

/// Every bulk instruction as an export, over one memory, two tables and passive segments; 4 bytes and 3 entries
/// are one step in these tests, so that these segments are several long.
const ALL: &str = r#"(module
    (memory (export "memory") 1 3)
    (table $t (export "t") 20 40 funcref)
    (table $u (export "u") 15 funcref)
    (table $unbounded (export "unbounded") 1 funcref)
    (data $a "abcdefghijklmnopqrstuvwxyz")
    (data $b "0123456789")
    (data $active (i32.const 100) "active")
    (elem $e funcref (ref.func $one) (ref.null func) (ref.func $two) (ref.func $one) (ref.null func)
        (ref.null func) (ref.func $two) (ref.func $one) (ref.func $one) (ref.func $two))
    (elem $f (table $u) (i32.const 2) func $two $one $two)
    (func $one (export "one") (result i32) i32.const 1)
    (func $two (export "two") (result i32) i32.const 2)
    (type $number (func (result i32)))
    (func (export "memory.fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "memory.copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "memory.init a") (param i32 i32 i32) (memory.init $a (local.get 0) (local.get 1) (local.get 2)))
    (func (export "memory.init b") (param i32 i32 i32) (memory.init $b (local.get 0) (local.get 1) (local.get 2)))
    (func (export "memory.init active") (param i32 i32 i32)
        (memory.init $active (local.get 0) (local.get 1) (local.get 2)))
    (func (export "data.drop a") (param i32 i32 i32) (data.drop $a))
    (func (export "data.drop active") (param i32 i32 i32) (data.drop $active))
    (func (export "table.fill") (param i32 i32 i32)
        (table.fill $t (local.get 0) (select (result funcref) (ref.func $one) (ref.null func) (local.get 1)) (local.get 2)))
    (func (export "table.copy tt") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
    (func (export "table.copy tu") (param i32 i32 i32) (table.copy $t $u (local.get 0) (local.get 1) (local.get 2)))
    (func (export "table.copy ut") (param i32 i32 i32) (table.copy $u $t (local.get 0) (local.get 1) (local.get 2)))
    (func (export "table.init e") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
    (func (export "table.init f") (param i32 i32 i32) (table.init $u $f (local.get 0) (local.get 1) (local.get 2)))
    (func (export "elem.drop e") (param i32 i32 i32) (elem.drop $e))
    (func (export "table.grow") (param i32 i32 i32) (result i32)
        (table.grow $t (select (result funcref) (ref.func $two) (ref.null func) (local.get 1)) (local.get 2)))
    (func (export "table.grow unbounded") (param i32 i32 i32) (result i32)
        (table.grow $unbounded (ref.func $two) (local.get 2)))
    (func (export "memory.grow") (param i32 i32 i32) (result i32) (memory.grow (i32.and (local.get 2) (i32.const 1))))
    (func (export "call t") (param i32 i32 i32) (result i32) (call_indirect $t (type $number) (local.get 0)))
    (func (export "constant lengths") (param i32 i32 i32)
        (memory.fill (local.get 0) (local.get 1) (i32.const 3))
        (memory.fill (local.get 1) (local.get 0) (i32.const 9))
        (memory.copy (local.get 1) (local.get 2) (i32.const 4))
        (memory.copy (local.get 0) (local.get 1) (i32.const 11)))
)"#;

/// Operations whose arguments are table entries rather than bytes.
const TABLE: [&str; 9] = [
    "table.fill",
    "table.copy tt",
    "table.copy tu",
    "table.copy ut",
    "table.init e",
    "table.init f",
    "table.grow",
    "table.grow unbounded",
    "call t",
];
const MEMORY: [&str; 7] = [
    "memory.fill",
    "memory.copy",
    "memory.init a",
    "memory.init b",
    "memory.init active",
    "memory.grow",
    "constant lengths",
];
const DROPS: [&str; 3] = ["data.drop a", "data.drop active", "elem.drop e"];

struct Pair {
    original: Running,
    normalised: Running,
    exports: Vec<String>,
}

impl Pair {
    fn new(text: &str, bounds: Bounds) -> Pair {
        let wasm = wat::parse_str(text).expect("the text is right");
        let mut original = Running::new(&wasm).expect("it instantiates");
        let normalised = Running::new(&normalised(&wasm, bounds).wasm).expect("it instantiates");
        let exports =
            original.instance.exports(&mut original.store).map(|export| export.name().to_string()).collect();
        Pair { original, normalised, exports }
    }

    /// Calls both, compares how the call ended and everything that can be seen afterwards.
    fn call(&mut self, name: &str, [a, b, c]: [u32; 3]) -> Outcome {
        let arguments = [a, b, c].map(|value| Val::I32(value.cast_signed()));
        let expected = self.original.call(name, &arguments);
        assert_eq!(self.normalised.call(name, &arguments), expected, "{name} {a} {b} {c}");
        assert_eq!(
            self.normalised.state(&self.exports),
            self.original.state(&self.exports),
            "after {name} {a} {b} {c}"
        );
        expected
    }
}

#[test]
fn copies_overlapping_in_every_way_are_exact() {
    let mut pair = Pair::new(ALL, TINY);
    pair.call("memory.init a", [30, 0, 26]);
    for to in 20..45 {
        for from in [25, 30, 33] {
            for count in [0, 1, 3, 4, 5, 8, 9, 13] {
                assert_eq!(pair.call("memory.copy", [to, from, count]), Outcome::Returned(vec![]));
            }
        }
    }
    pair.call("table.init e", [5, 0, 10]);
    for to in 0..10 {
        for from in [2, 4, 7] {
            for count in [0, 2, 3, 4, 6, 7, 10] {
                assert_eq!(pair.call("table.copy tt", [to, from, count]), Outcome::Returned(vec![]));
            }
        }
    }
}

#[test]
fn ranges_at_and_past_the_edge_trap_before_anything_is_written() {
    let mut pair = Pair::new(ALL, TINY);
    let edge = 65_536;
    for (to, count) in [
        (edge, 0),
        (edge, 1),
        (edge + 1, 0),
        (edge - 4, 4),
        (edge - 4, 5),
        (edge - 9, 9),
        (edge - 9, 10),
        (edge - 100, 101),
        (0, edge + 1),
        (1, edge),
        (u32::MAX, 0),
        (u32::MAX, 1),
        (u32::MAX, u32::MAX),
        (5, u32::MAX),
        (edge - 1, u32::MAX - edge + 2),
    ] {
        pair.call("memory.fill", [to, 7, count]);
        pair.call("memory.copy", [to, 3, count]);
        pair.call("memory.copy", [3, to, count]);
        pair.call("memory.init a", [to, 0, count]);
        pair.call("memory.init a", [to, 20, count]);
    }
    for (to, count) in
        [(20, 0), (20, 1), (21, 0), (17, 3), (17, 4), (13, 7), (13, 8), (0, 21), (u32::MAX, 9), (3, u32::MAX)]
    {
        pair.call("table.fill", [to, 1, count]);
        pair.call("table.copy tt", [to, 1, count]);
        pair.call("table.copy tt", [1, to, count]);
        pair.call("table.copy tu", [to, 0, count]);
        pair.call("table.copy ut", [0, to, count]);
        pair.call("table.init e", [to, 0, count]);
        pair.call("table.init e", [0, to, count]);
        pair.call("table.grow", [0, 1, count]);
    }
}

#[test]
fn dropped_segments_are_empty_and_others_are_whole() {
    let mut pair = Pair::new(ALL, TINY);
    for round in 0..2 {
        for (at, from, count) in [(0, 0, 0), (0, 0, 3), (9, 1, 9), (9, 26, 0), (9, 27, 0), (70_000, 0, 0)] {
            for name in
                ["memory.init a", "memory.init b", "memory.init active", "table.init e", "table.init f"]
            {
                let outcome = pair.call(name, [at, from, count]);
                if round == 1 && name == "memory.init a" && (from, count) == (0, 3) {
                    assert_eq!(outcome, Outcome::Trapped(wasmtime::Trap::MemoryOutOfBounds));
                }
            }
        }
        for name in DROPS {
            pair.call(name, [0, 0, 0]);
        }
    }
}

#[test]
fn long_random_histories_agree() {
    for seed in 1..=12 {
        let mut random = Random(u64::wrapping_mul(seed, 0x9e37_79b9_7f4a_7c15));
        let mut pair = Pair::new(ALL, TINY);
        for _ in 0..250 {
            let kind = random.below(40);
            if kind == 0 {
                pair.call(DROPS[random.below(3) as usize], [0, 0, 0]);
            } else if kind < 20 {
                let name = TABLE[random.below(9) as usize];
                let arguments = [random.below(24) as u32, random.below(12) as u32, random.below(12) as u32];
                pair.call(name, arguments);
            } else {
                let name = MEMORY[random.below(7) as usize];
                // Mostly near each other, sometimes at the edge of the first or second page.
                let base = [0, 0, 65_500, 131_040][random.below(4) as usize];
                let place = |random: &mut Random| (base + random.below(64)) as u32;
                let (to, from) = (place(&mut random), place(&mut random));
                let from = if name.starts_with("memory.init") { from % 32 } else { from };
                pair.call(name, [to, from, random.below(40) as u32]);
            }
        }
    }
}

#[test]
fn operations_of_long_steps_agree() {
    // Three steps fit the one page that the memory begins with.
    let step = 16 << 10;
    let mut pair = Pair::new(ALL, Bounds { bulk_bytes: step, ..Bounds::DEFAULT });
    for count in [step - 1, step, step + 1, 2 * step, 3 * step + 5] {
        pair.call("memory.init a", [1, 0, 26]);
        pair.call("memory.fill", [500, 9, count]);
        pair.call("memory.copy", [3, 0, count]);
        pair.call("memory.copy", [0, 5, count]);
        pair.call("memory.copy", [65_536 - count, 0, count]);
        pair.call("memory.copy", [65_536 - count + 1, 0, count]);
    }
}

#[test]
fn every_step_of_a_long_operation_is_preceded_by_a_check() {
    let text = "(module (memory 64)
        (func (export \"fill\") (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x400000)))
        (func (export \"up\") (memory.copy (i32.const 0) (i32.const 1) (i32.const 0x3fffff)))
        (func (export \"down\") (memory.copy (i32.const 1) (i32.const 0) (i32.const 0x3fffff))))";
    let wasm = wat::parse_str(text).unwrap();
    let steps = u64::from(0x40_0000 / Bounds::DEFAULT.bulk_bytes);
    for name in ["fill", "up", "down"] {
        let mut original = Running::new(&wasm).unwrap();
        original.call(name, &[]);
        assert!(
            original.store.data().checks < 5,
            "wasmtime itself does not split: {}",
            original.store.data().checks
        );
        let mut running = Running::new(&normalised(&wasm, Bounds::DEFAULT).wasm).unwrap();
        running.call(name, &[]);
        assert!(running.store.data().checks >= steps, "{name}: {} checks", running.store.data().checks);
        // And it can be stopped in the middle.
        running.store.data_mut().checks = 0;
        running.store.data_mut().most_checks = steps / 2;
        assert_eq!(running.call(name, &[]), Outcome::Trapped(wasmtime::Trap::Interrupt));
    }
}

#[test]
fn a_snapshot_taken_by_the_reserved_names_continues_like_the_original() {
    let wasm = normalised(&wat::parse_str(ALL).unwrap(), TINY).wasm;
    let script: [(&str, [u32; 3]); 10] = [
        ("memory.init a", [10, 0, 26]),
        ("data.drop a", [0, 0, 0]),
        ("table.init e", [3, 1, 8]),
        ("elem.drop e", [0, 0, 0]),
        ("memory.grow", [0, 0, 1]),
        ("table.grow", [0, 1, 5]),
        ("memory.init a", [0, 0, 1]),
        ("table.init e", [0, 0, 1]),
        ("call t", [5, 0, 0]),
        ("memory.copy", [65_540, 10, 20]),
    ];
    let names = ["memory", "t", "u"].map(String::from);
    for cut in 0..script.len() {
        let mut whole = Running::new(&wasm).unwrap();
        let mut resumed = Running::new(&wasm).unwrap();
        for (at, (name, arguments)) in script.iter().enumerate() {
            if at == cut {
                resumed.restore(&mut whole);
            }
            let arguments = arguments.map(|value| Val::I32(value.cast_signed()));
            let outcome = whole.call(name, &arguments);
            if at >= cut {
                assert_eq!(
                    resumed.call(name, &arguments),
                    outcome,
                    "{name} after a snapshot before step {cut}"
                );
            }
        }
        assert_eq!(resumed.state(&names), whole.state(&names));
    }
}
