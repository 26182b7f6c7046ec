//! One long and four short programs on one core, and whose turn it is.

mod least_attained;

use std::fmt::Write;

use hallows::{Ended, Machine};
use least_attained::LeastAttained;

/// Steps of a short program: a millisecond or so.
const SHORT: u64 = 1_000_000;
/// Of the long one.
const LONG: u64 = 300 * SHORT;

/// A program that computes for so many steps, says that it is done, and ends. It makes no call while it computes.
fn program(says: &str, steps: u64) -> String {
    let length = says.len();
    // A message to `SELF`, 1: the tag of `space.log`, the text's length, the text.
    format!(
        r#"(module
          (import "hallows" "call" (func $call (param i32 i64 i64 i64 i64 i64) (result i64)))
          (memory (export "memory") 1 1)
          (data (i32.const 0) "\b4\ce\18\9a\{length:02x}\00\00\00{says}")
          (global $state (mut i64) (i64.const 1))
          (func (export "hallows_main") (local $left i64)
            (local.set $left (i64.const {steps}))
            (loop $again
              (global.set $state (i64.mul (global.get $state) (i64.const 6364136223846793005)))
              (local.set $left (i64.sub (local.get $left) (i64.const 1)))
              (br_if $again (i64.ne (local.get $left) (i64.const 0))))
            (drop (call $call (i32.const 1) (i64.const {range}) (i64.const 0)
              (i64.const {reply}) (i64.const 0) (i64.const 0x7fffffffffffffff)))))"#,
        range = (8 + length as u64) << 32,
        reply = 1024_u64 | 64 << 32,
    )
}

fn main() -> Result<Ended, hallows::Error> {
    // The machine is this executable again, and begins here. The policy comes along.
    hallows::init_with(&[], &[&LeastAttained]);
    let policy = std::env::args().nth(1).unwrap_or_else(|| "least-attained".to_owned());
    let mut system = format!("stop_after = [\"long\"]\n[policies]\nlatency = \"{policy}\"\n");
    let mut machine = Machine::linux().memory("64M");
    let names = (1..=4).map(|number| (format!("short-{number}"), SHORT));
    for (name, steps) in std::iter::once(("long".to_owned(), LONG)).chain(names) {
        machine = machine.wasm(&name, program(&format!("{name} is done"), steps));
        // All on one core, so that they are in each other's way.
        let _ = write!(system, "[cells.{name}]\nprogram = \"{name}\"\nrestart = \"never\"\ncore = 0\n");
    }
    machine.system(system).run()
}
