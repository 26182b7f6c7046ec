//! What a server says of itself and of its machine, as JSON (RFC 8259).

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::Status;

/// What a server counts, since its life began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// How long ago that was, in nanoseconds.
    pub uptime_ns: u64,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Of them, those that are open.
    pub open: u64,
    /// Of them, those that were ended because a limit of time was over.
    pub timed_out: u64,
    /// Of them, those that had nothing under way and made room for others.
    pub displaced: u64,
    /// Answers by their status.
    pub answers: BTreeMap<u16, u64>,
    /// Bytes that were read from connections.
    pub bytes_in: u64,
    /// Bytes that were written to them.
    pub bytes_out: u64,
    /// Files that are kept in memory.
    pub cached_files: u64,
    /// Their bytes.
    pub cached_bytes: u64,
    /// Files that were given from memory.
    pub cache_hits: u64,
    /// Files that were read.
    pub cache_misses: u64,
}

/// A cell of the machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CellMetrics {
    /// Its name in the system.
    pub name: String,
    /// Where it is in its life: `created`, `starting`, `running`, `dying`, `dead`.
    pub state: &'static str,
    /// How often it was started, from 1.
    pub life: u32,
    /// How many lives ended otherwise than in an orderly way.
    pub faults: u32,
    /// Processor time that it was seen to use.
    pub cpu_ns: u64,
    /// Linear memory in use.
    pub memory_bytes: u64,
    /// What it and its objects may have, and have.
    pub budget_bytes: u64,
    /// Of that, what is in use.
    pub budget_used_bytes: u64,
    /// Calls that it has made.
    pub calls_made: u64,
    /// Calls that it has answered.
    pub calls_answered: u64,
}

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MachineMetrics {
    /// Cores that programs run on.
    pub cores: u32,
    /// Switches to a thread, on all of them.
    pub switches: u64,
    /// Memory of all cells.
    pub memory_bytes: u64,
    /// Of that, what is in use.
    pub memory_used_bytes: u64,
    /// The cells.
    pub cells: Vec<CellMetrics>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Metrics<'m> {
    /// The server.
    pub server: &'m Counters,
    /// The machine, if the server may see it.
    pub machine: Option<MachineMetrics>,
}

impl Counters {
    /// An answer was given.
    pub fn count(&mut self, status: Status) {
        *self.answers.entry(status.code()).or_default() += 1;
    }
}

impl Metrics<'_> {
    /// As JSON. Nothing here can fail to be written: no key is anything but a text or a number.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_json() {
        let mut counters = Counters { accepted: 3, ..Counters::default() };
        counters.count(Status::Ok);
        counters.count(Status::Ok);
        counters.count(Status::NotFound);
        let cell = CellMetrics {
            name: "\"http\"\n".into(),
            state: "running",
            life: 2,
            faults: 1,
            cpu_ns: 5,
            memory_bytes: 65_536,
            budget_bytes: 1 << 20,
            budget_used_bytes: 70_000,
            calls_made: 7,
            calls_answered: 0,
        };
        let machine = MachineMetrics {
            cores: 1,
            switches: 4,
            memory_bytes: 2,
            memory_used_bytes: 1,
            cells: [cell].into(),
        };
        let json = Metrics { server: &counters, machine: Some(machine) }.to_json();
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(json["server"]["answers"]["200"], 2);
        assert_eq!(json["server"]["answers"]["404"], 1);
        assert_eq!(json["machine"]["cells"][0]["name"], "\"http\"\n");
        assert_eq!(json["machine"]["cells"][0]["life"], 2);
        let alone = Metrics { server: &counters, machine: None }.to_json();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&alone).expect("JSON")["machine"],
            serde_json::Value::Null
        );
    }
}
