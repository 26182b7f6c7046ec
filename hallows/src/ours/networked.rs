//! Systems of the benches of the network: a device, and who has it, all on one core.

use std::time::Duration;

use hallows_bench::BenchError;
use hallows_bench::wire::{FAR_ADDRESS, NEAR_ADDRESS, PORT};

use super::machine::wrong;
use super::running::{Running, Which};

/// The device looks for 10 ms before it sleeps, and gives way to whoever has something to do.
const CARD: &str = r#"
[cells.card]
program = "packets"
native = true
core = 0
priority = 1
arguments = ["0", "look=10000"]
serves = { card = "active" }
"#;

/// A cell that has the device for itself, with these arguments.
pub fn datagrams(arguments: &str) -> String {
    format!(
        r#"{CARD}
[cells.bench-frames]
program = "bench-frames"
core = 0
priority = 2
memory = "16M"
arguments = [{arguments}]
uses = {{ card = "card.card" }}
"#
    )
}

/// A network service at this address, and a program that has a network of it, under this rule.
fn service(address: &str, rule: &str, program: &str) -> String {
    format!(
        r#"{CARD}
[cells.net]
program = "net"
core = 0
priority = 2
memory = "64M"
slots = 4096
arguments = ["address={address}/24", "allow=7 {rule}"]
serves = {{ net = {{ kind = "active", queue = 256 }} }}
uses = {{ card = "card.card" }}

[cells.program]
core = 0
memory = "16M"
slots = 4096
uses = {{ net = {{ of = "net.net", badge = 7 }} }}
{program}
"#
    )
}

/// A service and a program at the end that answers, which listens on the port of the benches.
pub fn answers(program: &str) -> String {
    service(FAR_ADDRESS, &format!("listen={PORT}"), program)
}

/// A service and a program at the end that asks, which reaches the other.
pub fn asks(program: &str) -> String {
    service(NEAR_ADDRESS, &format!("connect={FAR_ADDRESS}/32"), program)
}

/// A program of a service that says back what it hears.
pub const ECHO: &str = "program = \"echo\"";
/// What that says when it does so.
pub const ECHOES: &str = "echoes on port";
/// A program of a service that reads streams, and counts what comes in this time.
pub fn discard(lasts: Duration) -> String {
    let milliseconds = lasts.as_millis();
    format!("program = \"bench-stream\"\narguments = [\"do=discard\", \"milliseconds={milliseconds}\"]")
}

/// What that says when it does so.
pub const DISCARDS: &str = "bench: discards";

/// What that has counted, once its time is over: nanoseconds, and bytes.
pub fn discarded(running: &mut Running, which: Which) -> Result<(u64, u64), BenchError> {
    let line = running.hear(which, "bench: discarded ")?;
    let mut numbers = line.split_whitespace().map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(bytes)), Some(Ok(nanoseconds))) => Ok((nanoseconds, bytes)),
        _ => Err(wrong(format!("a machine has discarded {line}"))),
    }
}

/// What a cell that answers datagrams says when it does so.
pub const READY: &str = "bench: answers";
