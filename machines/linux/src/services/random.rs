//! `random`: Linux's generator.

use hallows_sdk::stub::Client;
use hallows_system::random::Service;

use crate::host::random::fill;

/// Bytes of one answer: with what is around them, they fit into a message.
const MOST_BYTES: usize = 60 * 1024;

/// Serves `random`.
#[derive(Debug, Default)]
pub(super) struct Random {
    /// The last bytes that were given: where an answer lies until it is sent. Its length is the longest one's.
    bytes: Vec<u8>,
}

impl Service for Random {
    fn bytes(&mut self, _: Client, most: u32) -> &[u8] {
        let count = usize::try_from(most).map_or(MOST_BYTES, |most| most.min(MOST_BYTES));
        if self.bytes.len() < count {
            self.bytes.resize(count, 0);
        }
        let bytes = &mut self.bytes[..count];
        fill(bytes);
        bytes
    }

    fn number(&mut self, _: Client) -> u64 {
        let mut bytes = [0; 8];
        fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hallows_sdk::stub::Client;
    use hallows_system::random::Service;

    use super::{MOST_BYTES, Random};

    const CLIENT: Client = Client { badge: 0 };

    #[test]
    fn as_many_bytes_come_as_were_asked_for_or_fit() {
        let mut random = Random::default();
        for most in [0, 1, 17, 4_096, 3] {
            assert_eq!(random.bytes(CLIENT, most).len(), most as usize);
        }
        assert_eq!(random.bytes(CLIENT, u32::MAX).len(), MOST_BYTES);
    }

    #[test]
    fn what_comes_never_comes_again() {
        let mut random = Random::default();
        // Of a thousand numbers of 64 bits, two are the same once in 10^13 times.
        let numbers: BTreeSet<u64> = (0..1_000).map(|_| random.number(CLIENT)).collect();
        assert_eq!(numbers.len(), 1_000);
        let parts: BTreeSet<Vec<u8>> = (0..100)
            .flat_map(|_| random.bytes(CLIENT, 160).chunks(16).map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect();
        assert_eq!(parts.len(), 1_000);
    }
}
