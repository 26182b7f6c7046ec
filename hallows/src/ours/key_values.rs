//! A key-value server: a machine of this executable with a port of the host.

use hallows_bench::key_values::{Command, KeyValues};

use super::machine::wrong;

/// The system.
pub const SYSTEM: &str = "kv-host";

/// Arguments of a machine that serves keys on a port of this host, its programs on some cores, what looks after time on another.
pub fn arguments(port: &str, programs: &str, housekeeping: &str) -> Vec<String> {
    let words = [
        "run",
        SYSTEM,
        "--net",
        &format!("host:{port}=6379"),
        // It gives way by itself every 20 µs; shorter quanta would have the timekeeper take its core from whoever else is there.
        "--quantum-us",
        "500",
        "--tier",
        "shared",
        "--cores",
        programs,
        "--housekeeping",
        housekeeping,
    ];
    words.map(str::to_owned).to_vec()
}

/// One with its programs on the second core and its timekeeper on the first.
pub fn key_values() -> KeyValues<'static> {
    KeyValues::ours(
        "`hallows run kv-host --net host:PORT=6379 --quantum-us 500 --tier shared`, programs on the second core, timekeeper on the first",
        |port, cores| {
            let (first, second) = (cores.first().0, cores.second()?.0);
            Ok(Command {
                program: std::env::current_exe().map_err(wrong)?,
                arguments: arguments(&port.to_string(), &second.to_string(), &first.to_string()),
                cores: vec![first, second],
            })
        },
    )
}
