//! Policies: what one in WebAssembly answers, and the same linked in.

use std::hint::black_box;

use hallows_bench::BenchError;
use hallows_bench::cores::{Priority, on_core};
use hallows_bench::registry::{Place, ours};
use hallows_policy::{MOST_STEPS, Module, Seen};

use super::machine::wrong;

/// A thread as policies see many.
const SEEN: Seen = Seen { cell: 7, is_fresh: false, expected_ns: 0, ran_ns: 120_000, usual_ns: 5_000 };

/// Who has run least goes first, in steps of 50 µs.
pub fn least_attained() -> Place<'static> {
    in_wasm("(i64.div_u (call $ran_ns) (i64.const 50000))")
}

/// As many steps as a policy may have: additions, each of what the one before gives.
pub fn longest() -> Place<'static> {
    let additions = "(i64.add (call $ran_ns))".repeat(MOST_STEPS as usize - 1);
    in_wasm(&format!("(call $ran_ns) {additions}"))
}

/// `order`, as the inside of a function.
fn in_wasm(order: &str) -> Place<'static> {
    let text = format!(
        r#"(module (import "candidate" "ran_ns" (func $ran_ns (result i64)))
                   (func (export "order") (result i64) {order}))"#
    );
    ours("WebAssembly, verified and translated; run as it is at each wake-up", 1, move |turn| {
        let wasm = wat::parse_str(&text).map_err(wrong)?;
        let module = Module::verify(&wasm).map_err(wrong)?;
        let order = module.order().ok_or_else(|| wrong("it has no order"))?;
        on_core(turn.cores.first(), Priority::Ordinary, || {
            turn.measure(|| answered(black_box(order).run(black_box(&SEEN)).ok()))
        })?
    })
}

/// The same as [`least_attained`], linked in.
pub fn linked_in() -> Place<'static> {
    ours("native code, called through a pointer as a policy that is linked in", 1, move |turn| {
        let order: fn(&Seen) -> u64 = black_box(|seen| seen.ran_ns / 50_000);
        on_core(turn.cores.first(), Priority::Ordinary, || {
            turn.measure(|| answered(Some(order(black_box(&SEEN)))))
        })?
    })
}

fn answered(answer: Option<u64>) -> Result<(), BenchError> {
    if black_box(answer).is_some() { Ok(()) } else { Err(wrong("the policy has no answer")) }
}
