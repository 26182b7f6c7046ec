//! How long the answers took.

use core::fmt;

use alloc::vec::Vec;

/// More than that are not kept: half a megabyte of them.
const MOST: usize = 1 << 16;

/// Times in ns.
#[derive(Default)]
pub struct Times(Vec<u64>);

impl Times {
    /// Keeps one.
    pub fn keep(&mut self, ns: u64) {
        if self.0.len() < MOST {
            self.0.push(ns);
        }
    }
}

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |hundredths: usize| sorted.get(sorted.len() * hundredths / 100);
        match (at(50), at(99), sorted.last()) {
            (Some(half), Some(most), Some(all)) => {
                write!(
                    formatter,
                    "half of the answers came within {half} ns, 99 of 100 within {most} ns, all within {all} ns"
                )
            }
            _ => formatter.write_str("no answers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn of_a_hundred_times_the_hundredth_is_the_slowest() {
        let mut times = Times::default();
        (1..=100).rev().for_each(|ns| times.keep(ns));
        let text = times.to_string();
        assert_eq!(text, "half of the answers came within 51 ns, 99 of 100 within 100 ns, all within 100 ns");
    }

    #[test]
    fn none_is_said_to_be_none() {
        assert_eq!(Times::default().to_string(), "no answers");
    }
}
