//! What capabilities of the registry stand for. A pure pair.
//!
//! Below 2^32 a badge is the number of a client, as systems give it: its namespace is what the system says. Above, the registry has made it:
//! kind in the top byte, then the life that it was made in, then a number that never comes again in that life.

use crate::{Client, SpaceId};

const KIND_SHIFT: u32 = 56;
const LIFE_SHIFT: u32 = 40;
/// Numbers of namespaces and registrations are smaller.
pub(crate) const SERIAL_END: u64 = 1 << LIFE_SHIFT;

/// Tells one life of a registry from others: what was made in an earlier one stands for nothing. Drawn by lot, so that two lives in a row are
/// the same once in 65,536 times; then a capability that was kept from the one may stand for something of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life(pub u16);

/// What a capability of the registry stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// The namespace that the system has given this client.
    Client(Client),
    /// A namespace that the registry has made.
    Space(SpaceId),
    /// A registration.
    Registration(u64),
}

impl Badge {
    /// The number that a capability with this badge carries.
    #[must_use]
    pub const fn number(self, life: Life) -> u64 {
        let (kind, serial) = match self {
            Self::Client(Client(number)) => return number as u64,
            Self::Space(SpaceId(number)) => (1, number as u64),
            Self::Registration(serial) => (2, serial),
        };
        kind << KIND_SHIFT | (life.0 as u64) << LIFE_SHIFT | serial
    }

    /// What a number stands for, if it does in this life. Whether it is still there is another question.
    #[must_use]
    pub fn from_number(number: u64, life: Life) -> Option<Self> {
        if number == 0 {
            return None;
        }
        if let Ok(client) = u32::try_from(number) {
            return Some(Self::Client(Client(client)));
        }
        let serial = number & (SERIAL_END - 1);
        if number >> LIFE_SHIFT & 0xffff != u64::from(life.0) {
            return None;
        }
        match number >> KIND_SHIFT {
            1 => u32::try_from(serial).ok().map(|number| Self::Space(SpaceId(number))),
            2 => Some(Self::Registration(serial)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Badge, Life, SERIAL_END};
    use crate::{Client, SpaceId};

    proptest! {
        #[test]
        fn a_badge_comes_back_from_its_number_in_its_life_only(serial in 0..SERIAL_END, life: u16, other: u16) {
            let short = serial as u32;
            for badge in [Badge::Space(SpaceId(short)), Badge::Registration(serial)] {
                let number = badge.number(Life(life));
                prop_assert_eq!(Badge::from_number(number, Life(life)), Some(badge));
                prop_assert_eq!(Badge::from_number(number, Life(other)).is_some(), life == other);
            }
            let client = Badge::Client(Client(short.max(1)));
            prop_assert_eq!(Badge::from_number(client.number(Life(life)), Life(other)), Some(client));
        }

        #[test]
        fn what_a_number_stands_for_has_that_number(kind in 0..4_u64, rest in 0..1_u64 << 56, life: u16) {
            let number = kind << 56 | rest;
            if let Some(badge) = Badge::from_number(number, Life(life)) {
                prop_assert_eq!(badge.number(Life(life)), number);
            }
        }
    }

    #[test]
    fn no_badge_is_nothing() {
        assert_eq!(Badge::from_number(0, Life(0)), None);
        assert_eq!(Badge::from_number(u64::MAX, Life(0xffff)), None);
    }
}
