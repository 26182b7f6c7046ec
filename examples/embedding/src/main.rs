//! An exchange that is its own operating system: two traders that nobody trusts, and an order book that all depend on.

mod order_book;

use hallows::{Ended, Machine};

/// A trader: any WebAssembly would do, binary or text, also one that comes from somewhere else at the start.
const TRADER: &str = include_str!("trader.wat");

/// Who there is, and who may call whom. The exchange closes when both traders are done.
const SYSTEM: &str = r#"
name = "exchange"
stop_after = ["alice", "bob"]

[cells.order-book]
program = "order-book"
native = true
memory = "16M"
serves = { book = "passive" }

[cells.alice]
program = "trader"
uses = { book = "order-book.book" }
restart = "never"

[cells.bob]
program = "trader"
uses = { book = "order-book.book" }
restart = "never"
"#;

fn main() -> Result<Ended, hallows::Error> {
    // First of all: the machine is this executable again, and begins here. The order book comes along.
    hallows::init(&[&order_book::PROGRAM]);
    // `exchange [CORES]`
    let cores = std::env::args().nth(1);
    let machine = Machine::linux().memory("64M").wasm("trader", TRADER).system(SYSTEM);
    let ended = match cores {
        Some(cores) => machine.cores(&cores).run()?,
        None => machine.run()?,
    };
    println!("exchange: {ended}");
    Ok(ended)
}
