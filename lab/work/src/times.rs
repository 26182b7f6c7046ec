//! How long operations take: what a program may say of its work before it begins.

use crate::Operation;

/// What operations take natively; 0: it is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// A step of the loop, in ps.
    pub step_ps: u64,
    /// A GET, in ns.
    pub get_ns: u64,
    /// A SCAN, in ns: all of them have as many records.
    pub scan_ns: u64,
}

impl Times {
    /// How long an operation takes, in ns; `None` if that is not known.
    #[inline]
    #[must_use]
    pub fn of(&self, operation: Operation) -> Option<u64> {
        let (one, ns) = match operation {
            Operation::Steps(steps) => (self.step_ps, steps.saturating_mul(self.step_ps) / 1_000),
            Operation::Get(_) => (self.get_ns, self.get_ns),
            Operation::Scan { .. } => (self.scan_ns, self.scan_ns),
        };
        // What takes no nanosecond takes one: no time at all would mean that it is not known.
        (one > 0).then_some(ns.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_own_time() {
        let times = Times { step_ps: 2_300, get_ns: 700, scan_ns: 500_000 };
        assert_eq!(times.of(Operation::Steps(1_000)), Some(2_300));
        assert_eq!(times.of(Operation::Steps(0)), Some(1));
        assert_eq!(times.of(Operation::Steps(u64::MAX)), Some(u64::MAX / 1_000));
        assert_eq!(times.of(Operation::Get(7)), Some(700));
        assert_eq!(times.of(Operation::Scan { first: 1, records: 2 }), Some(500_000));
    }

    #[test]
    fn of_what_is_not_known_nothing_is_said() {
        for operation in [Operation::Steps(5), Operation::Get(1), Operation::Scan { first: 0, records: 9 }] {
            assert_eq!(Times::default().of(operation), None);
        }
    }
}
