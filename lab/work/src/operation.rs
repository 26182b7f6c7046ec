//! What a request asks for, and as bytes of a message: a pure pair.

use hallows_bench_kernels::chain;

use crate::store::{Pin, Store};

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// So many steps of the loop that [`chain()`] is.
    Steps(u64),
    /// The value of the record of this number.
    Get(u32),
    /// Records in the order of their keys.
    Scan {
        /// The number of the first one.
        first: u32,
        /// How many.
        records: u32,
    },
}

/// The first byte says which operation.
const STEPS: u8 = 0;
const GET: u8 = 1;
const SCAN: u8 = 2;

impl Operation {
    /// Bytes of each.
    pub const BYTES: usize = 9;

    /// Its bytes: which, and 8 bytes, little-endian, of what it has.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let (which, operand) = match self {
            Self::Steps(steps) => (STEPS, steps),
            Self::Get(number) => (GET, u64::from(number)),
            Self::Scan { first, records } => (SCAN, u64::from(first) | u64::from(records) << 32),
        };
        let [a, b, c, d, e, f, g, h] = operand.to_le_bytes();
        [which, a, b, c, d, e, f, g, h]
    }

    /// From its bytes; `None` if they are not those of one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (which, operand) = bytes.split_first()?;
        let operand = u64::from_le_bytes(operand.try_into().ok()?);
        let (low, high) = (operand as u32, (operand >> 32) as u32);
        match (*which, high) {
            (STEPS, _) => Some(Self::Steps(operand)),
            (GET, 0) => Some(Self::Get(low)),
            (SCAN, records) => Some(Self::Scan { first: low, records }),
            _ => None,
        }
    }

    /// Does it; what came of it, or `None` if there is no store, or no such record in it.
    ///
    /// A loop gives its last state, the others give checksums of what they got, which [`Answers`](crate::Answers) knows.
    #[inline]
    pub fn perform<P: Pin>(self, store: Option<&Store<P>>) -> Option<u64> {
        match self {
            Self::Steps(steps) => Some(chain(steps)),
            Self::Get(number) => store?.get(number),
            Self::Scan { first, records } => store?.scan(first, records),
        }
    }
}

#[cfg(test)]
mod tests {
    use crossbeam_epoch::LocalHandle;
    use proptest::prelude::*;

    use super::*;

    fn operations() -> impl Strategy<Value = Operation> {
        prop_oneof![
            any::<u64>().prop_map(Operation::Steps),
            any::<u32>().prop_map(Operation::Get),
            any::<(u32, u32)>().prop_map(|(first, records)| Operation::Scan { first, records }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(operation in operations()) {
            prop_assert_eq!(Operation::from_bytes(&operation.to_bytes()), Some(operation));
        }

        #[test]
        fn what_is_read_is_written_as_it_was(bytes in any::<[u8; Operation::BYTES]>()) {
            if let Some(operation) = Operation::from_bytes(&bytes) {
                prop_assert_eq!(operation.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn what_is_no_operation_is_none() {
        for bytes in [&[][..], &[GET], &[3; 9], &[STEPS; 8], &[STEPS; 10], &[GET, 0, 0, 0, 0, 1, 0, 0, 0]] {
            assert_eq!(Operation::from_bytes(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn steps_need_no_store_and_the_others_do() {
        let perform = |operation: Operation| operation.perform(None::<&Store<LocalHandle>>);
        assert!(
            perform(Operation::Steps(3)).is_some_and(|state| Some(state) != perform(Operation::Steps(4)))
        );
        assert_eq!(perform(Operation::Get(0)), None);
        assert_eq!(perform(Operation::Scan { first: 0, records: 1 }), None);
    }
}
