//! A kernel with its input: what is prepared once and then run per sample.

use alloc::vec::Vec;

use crate::hash_table::Table;
use crate::random::Random;
use crate::{json, memory_scan, n_body, sha256};

/// 1 MiB: small enough for the second-level cache of a server core, so hashing is bound by arithmetic.
const SHA256_INPUT_BYTES: usize = 1 << 20;
/// 64 MiB: beyond the last-level cache share of one core, so the scan is bound by memory.
const SCAN_INPUT_BYTES: usize = 64 << 20;
/// About 256 KiB of text: parsing stays in the second-level cache and is bound by branches.
const JSON_RECORDS: u32 = 1_300;
/// A few milliseconds natively: long beside a clock read, short beside a turn.
const N_BODY_STEPS: u32 = 20_000;

/// What the benches `compute` and `preemption-loss` run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kernel {
    /// SHA-256 of 1 MiB in portable Rust: integer arithmetic.
    Sha256 = 0,
    /// Parsing 256 KiB of JSON: branches and byte loads.
    JsonParse = 1,
    /// Newtonian gravity of five bodies: floating point.
    NBody = 2,
    /// Counting values in 64 MiB: memory bandwidth.
    MemoryScan = 3,
    /// Looking keys up in a hash table: loads whose addresses nobody can guess.
    HashTable = 4,
}

impl Kernel {
    /// Every kernel, in the order in which they are reported.
    pub const ALL: [Self; 5] =
        [Self::Sha256, Self::JsonParse, Self::NBody, Self::MemoryScan, Self::HashTable];

    /// The name that reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::JsonParse => "json-parse",
            Self::NBody => "n-body",
            Self::MemoryScan => "memory-scan",
            Self::HashTable => "hash-table",
        }
    }

    /// The kernel with this discriminant, for a program that is told by number what to run.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Sha256),
            1 => Some(Self::JsonParse),
            2 => Some(Self::NBody),
            3 => Some(Self::MemoryScan),
            4 => Some(Self::HashTable),
            _ => None,
        }
    }
}

/// A kernel and its input, ready to run as often as wanted.
pub struct Workload {
    kernel: Kernel,
    bytes: Vec<u8>,
    words: Vec<u64>,
    table: Option<Table>,
}

impl Workload {
    /// Makes the kernel's input; allocates up to 64 MiB and takes up to a tenth of a second.
    #[must_use]
    pub fn prepare(kernel: Kernel) -> Self {
        let mut random = Random::new(kernel as u64 + 1);
        let (bytes, words) = match kernel {
            Kernel::Sha256 => {
                ((0..SHA256_INPUT_BYTES).map(|_| (random.next() >> 56) as u8).collect(), Vec::new())
            }
            Kernel::JsonParse => (json::document(JSON_RECORDS).into_bytes(), Vec::new()),
            Kernel::NBody | Kernel::HashTable => (Vec::new(), Vec::new()),
            Kernel::MemoryScan => {
                (Vec::new(), (0..SCAN_INPUT_BYTES / size_of::<u64>()).map(|_| random.next() >> 56).collect())
            }
        };
        let table = (kernel == Kernel::HashTable).then(Table::prepare);
        Self { kernel, bytes, words, table }
    }

    /// Runs the kernel once; the checksum depends on all of the work and is the same for every run and machine.
    #[must_use]
    pub fn run(&self) -> u64 {
        match self.kernel {
            Kernel::Sha256 => sha256::checksum(&self.bytes),
            // The document is ours and valid, which a test asserts; 0 is no document's checksum.
            Kernel::JsonParse => json::checksum(&self.bytes).unwrap_or(0),
            Kernel::NBody => n_body::checksum(N_BODY_STEPS),
            Kernel::MemoryScan => memory_scan::checksum(&self.words),
            Kernel::HashTable => self.table.as_ref().map_or(0, Table::checksum),
        }
    }

    /// The kernel's input bytes (empty for kernels that have none or work on words).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_names_the_kernel_that_has_it() {
        for kernel in Kernel::ALL {
            assert_eq!(Kernel::from_number(kernel as u32), Some(kernel));
        }
        assert_eq!(Kernel::from_number(Kernel::ALL.len() as u32), None);
    }

    #[test]
    fn a_workload_gives_the_same_checksum_every_time_and_never_zero() {
        for kernel in Kernel::ALL {
            let workload = Workload::prepare(kernel);
            let first = workload.run();
            assert_ne!(first, 0, "{} did not do its work", kernel.name());
            assert_eq!(first, workload.run(), "{} is not deterministic", kernel.name());
            assert_eq!(
                first,
                Workload::prepare(kernel).run(),
                "the input of {} is not deterministic",
                kernel.name()
            );
        }
    }
}
