//! Memory, its limits, and huge pages.

use super::files::Files;
use crate::host::memory::Available;
use crate::host::probe::asked::Asked;
use crate::host::probe::memory::{HugePool, MemoryFacts};
use crate::host::quantity::ByteSize;

pub(super) fn read(files: &Files<'_>, asked: &Asked) -> MemoryFacts {
    MemoryFacts {
        available: Available::read(files.root()).map_err(|error| error.to_string()),
        budget: asked.budget,
        address_space: asked.address_space,
        overcommit: files.number("proc/sys/vm/overcommit_memory"),
        pools: pools(files),
        transparent: files.text("sys/kernel/mm/transparent_hugepage/enabled").and_then(|text| chosen(&text)),
    }
}

fn pools(files: &Files<'_>) -> Vec<HugePool> {
    let directory = "sys/kernel/mm/hugepages";
    let pool = |name: &String| {
        let kibibytes: u64 = name.strip_prefix("hugepages-")?.strip_suffix("kB")?.parse().ok()?;
        let number = |file: &str| files.number(&format!("{directory}/{name}/{file}"));
        Some(HugePool {
            page: ByteSize(kibibytes.checked_mul(1024)?),
            total: number("nr_hugepages")?,
            free: number("free_hugepages")?,
        })
    };
    let mut pools: Vec<_> = files.names(directory).iter().filter_map(pool).collect();
    pools.sort();
    pools
}

/// The choice that is made, of a list with brackets around it.
fn chosen(text: &str) -> Option<String> {
    let word = text.split_whitespace().find_map(|word| word.strip_prefix('[')?.strip_suffix(']'));
    word.map(str::to_owned)
}
