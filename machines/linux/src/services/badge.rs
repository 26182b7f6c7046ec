//! Badges: which resource of the host a capability of the service stands for. A pure pair.

/// What a badge stands for. Its number has the kind in the top byte, so no number stands for two things, and 0, the badge of a capability that has
/// none, stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Badge {
    /// A `console`: stream 0 (input), 1 (output) or 2 (errors).
    Stream(u8),
    /// A `file`: the granted directory at this place.
    Directory(u32),
    /// The `invocation`.
    Invocation,
    /// The `clock`.
    Clock,
    /// The `random` numbers.
    Random,
    /// A `file` that was opened. Only the service itself makes these.
    Opened(OpenedNumber),
    /// Who says that the program has ended, whose files nobody closes: the supervisor. Any message says it.
    Ended,
}

/// Which opened file: its place in the table of the cell that opened it, and a serial number that no other file of the process has, ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedNumber {
    serial: u64,
    place: u16,
}

/// Bits of a place in a cell's table of files.
const PLACE_BITS: u32 = 14;
const KIND_SHIFT: u32 = 56;

/// How many files one cell can have open.
pub(super) const MOST_PLACES: usize = 1 << PLACE_BITS;
/// Serial numbers end here. At a million files opened in a second, that is fifty days; then no file can be opened any more.
pub(super) const SERIAL_END: u64 = 1 << (KIND_SHIFT - PLACE_BITS);

impl OpenedNumber {
    /// `None` if one of them is too large.
    pub(super) fn new(serial: u64, place: usize) -> Option<Self> {
        let place = u16::try_from(place).ok().filter(|place| usize::from(*place) < MOST_PLACES)?;
        (serial < SERIAL_END).then_some(Self { serial, place })
    }

    pub(super) const fn serial(self) -> u64 {
        self.serial
    }

    pub(super) fn place(self) -> usize {
        usize::from(self.place)
    }
}

impl Badge {
    /// The number that a capability with this badge carries.
    #[must_use]
    pub fn number(self) -> u64 {
        let (kind, rest) = match self {
            Self::Stream(number) => (1, u64::from(number)),
            Self::Directory(place) => (2, u64::from(place)),
            Self::Invocation => (3, 0),
            Self::Clock => (4, 0),
            Self::Random => (6, 0),
            Self::Ended => (7, 0),
            Self::Opened(OpenedNumber { serial, place }) => (5, serial << PLACE_BITS | u64::from(place)),
        };
        kind << KIND_SHIFT | rest
    }

    /// What a number stands for, if it does. (Whether there is such a directory, or the file is still open, is another question.)
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        let rest = number & ((1 << KIND_SHIFT) - 1);
        match (number >> KIND_SHIFT, rest) {
            (1, 0..=2) => u8::try_from(rest).ok().map(Self::Stream),
            (2, _) => u32::try_from(rest).ok().map(Self::Directory),
            (3, 0) => Some(Self::Invocation),
            (4, 0) => Some(Self::Clock),
            (6, 0) => Some(Self::Random),
            (7, 0) => Some(Self::Ended),
            (5, _) => {
                let place = usize::try_from(rest & ((1 << PLACE_BITS) - 1)).ok()?;
                OpenedNumber::new(rest >> PLACE_BITS, place).map(Self::Opened)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Badge, MOST_PLACES, OpenedNumber, SERIAL_END};

    fn badges() -> impl Strategy<Value = Badge> {
        let opened = (0..SERIAL_END, 0..MOST_PLACES);
        prop_oneof![
            (0..3_u8).prop_map(Badge::Stream),
            any::<u32>().prop_map(Badge::Directory),
            Just(Badge::Invocation),
            Just(Badge::Clock),
            Just(Badge::Ended),
            Just(Badge::Random),
            opened.prop_map(|(serial, place)| Badge::Opened(
                OpenedNumber::new(serial, place).expect("both in range")
            )),
        ]
    }

    proptest! {
        #[test]
        fn a_badge_comes_back_from_its_number(badge in badges()) {
            prop_assert_ne!(badge.number(), 0);
            prop_assert_eq!(Badge::from_number(badge.number()), Some(badge));
        }

        #[test]
        fn what_a_number_stands_for_has_that_number(kind in 0..8_u64, rest in prop_oneof![0..5_u64, any::<u64>()]) {
            let number = kind << 56 | rest & ((1 << 56) - 1);
            if let Some(badge) = Badge::from_number(number) {
                prop_assert_eq!(badge.number(), number);
            }
        }
    }

    #[test]
    fn numbers_of_nothing_stand_for_nothing() {
        for number in [
            0,
            5,
            1 << 56 | 3,
            2 << 56 | 1 << 32,
            3 << 56 | 1,
            4 << 56 | 1,
            6 << 56 | 1,
            7 << 56 | 1,
            8 << 56,
            u64::MAX,
        ] {
            assert_eq!(Badge::from_number(number), None, "{number:#x}");
        }
        assert_eq!(OpenedNumber::new(SERIAL_END, 0), None);
        assert_eq!(OpenedNumber::new(0, MOST_PLACES), None);
    }
}
