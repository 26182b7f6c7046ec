//! Whose the cache lines are that cores take from each other: transfers by record and field of the kernel.

use std::collections::BTreeMap;

use hallows_counted_kernel::Part;
use serde::Serialize;

use crate::lines::Picoseconds;

/// Who has a line come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A core that has a request, or takes one.
    Busy,
    /// A core that looks for work.
    Idle,
    /// A timekeeper.
    Timekeeper,
}

/// Transfers of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// To cores that have a request, or take one: on its path.
    pub busy: u64,
    /// To cores that look for work.
    pub idle: u64,
    /// To timekeepers.
    pub timekeeper: u64,
    /// How long those to cores that have a request waited for others, in ps.
    pub waited_ps: Picoseconds,
}

/// Records of some kind.
#[derive(Clone, Debug)]
struct Named {
    name: &'static str,
    address: usize,
    stride: usize,
    end: usize,
    /// By their offsets.
    fields: Vec<(usize, &'static str)>,
}

/// All records that have a name, and what was counted.
#[derive(Debug, Default)]
pub struct Names {
    /// By their addresses.
    parts: Vec<Named>,
    counts: BTreeMap<(usize, usize), Count>,
}

impl Names {
    /// The names of those.
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        let mut parts: Vec<_> = parts
            .into_iter()
            .map(|part| {
                let mut fields: Vec<_> = part.fields.iter().map(|(name, offset)| (*offset, *name)).collect();
                fields.sort_unstable();
                let end = part.address + part.stride * part.count;
                Named { name: part.name, address: part.address, stride: part.stride, end, fields }
            })
            .collect();
        parts.sort_unstable_by_key(|part| part.address);
        Self { parts, counts: BTreeMap::new() }
    }

    /// Part and field, or their lengths where there is none.
    fn find(&self, address: usize) -> (usize, usize) {
        let behind = self.parts.partition_point(|part| part.address <= address);
        let Some(place) = behind.checked_sub(1).filter(|place| address < self.parts[*place].end) else {
            return (self.parts.len(), 0);
        };
        let part = &self.parts[place];
        let offset = (address - part.address) % part.stride;
        (place, part.fields.partition_point(|(at, _)| *at <= offset))
    }

    /// Counts a transfer of what is at an address.
    pub fn count(&mut self, address: usize, who: Who, waited: Picoseconds) {
        let place = self.find(address);
        let count = self.counts.entry(place).or_default();
        match who {
            Who::Busy => {
                count.busy += 1;
                count.waited_ps += waited;
            }
            Who::Idle => count.idle += 1,
            Who::Timekeeper => count.timekeeper += 1,
        }
    }

    fn text(&self, (part, field): (usize, usize)) -> String {
        match self.parts.get(part) {
            None => "elsewhere".to_owned(),
            Some(part) => match field.checked_sub(1).and_then(|field| part.fields.get(field)) {
                None => part.name.to_owned(),
                Some((_, field)) => format!("{}.{field}", part.name),
            },
        }
    }

    /// What is at an address, and of which of its kind.
    #[must_use]
    pub fn name(&self, address: usize) -> String {
        let found = self.find(address);
        let text = self.text(found);
        match self.parts.get(found.0) {
            Some(part) if part.stride < part.end - part.address => {
                format!("{text} of {}", (address - part.address) / part.stride)
            }
            _ => text,
        }
    }

    /// All that was counted, by name.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, Count> {
        let mut named = BTreeMap::<String, Count>::new();
        for (place, count) in &self.counts {
            let sum = named.entry(self.text(*place)).or_default();
            sum.busy += count.busy;
            sum.idle += count.idle;
            sum.timekeeper += count.timekeeper;
            sum.waited_ps += count.waited_ps;
        }
        named
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_named_by_record_and_field() {
        let fields: &[_] = &[("late", 64), ("early", 0)];
        let part = |name, address, count| Part { name, address, stride: 128, count, fields };
        let mut names = Names::new([part("far", 10_240, 2), part("near", 1_024, 4)]);
        for (address, name) in [
            (1_024, "near.early of 0"),
            (1_024 + 128 + 70, "near.late of 1"),
            (10_240 + 130, "far.early of 1"),
            (10_240 + 256, "elsewhere"),
            (1_000, "elsewhere"),
        ] {
            assert_eq!(names.name(address), name);
        }
        names.count(1_024, Who::Busy, 5);
        names.count(1_024 + 256, Who::Busy, 6);
        names.count(1_024 + 64, Who::Timekeeper, 7);
        let counts = names.counts();
        assert_eq!(counts["near.early"], Count { busy: 2, waited_ps: 11, ..Count::default() });
        assert_eq!(counts["near.late"], Count { timekeeper: 1, ..Count::default() });
    }
}
