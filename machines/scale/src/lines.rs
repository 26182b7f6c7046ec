//! Cache lines: who has which, what it costs to touch one, and who waits for whom at it.
//!
//! A line is shared by any number of cores, or changed by one that has it alone (MESI without its fine points: Papamarcos and Patel, "A low-overhead
//! coherence solution for multiprocessors with private cache memories", ISCA 1984). A core that reads a line that it has not, or writes one that others
//! have too, gets it from them: a *transfer*. Transfers of a line that somebody has changed, or that somebody is about to change, follow one
//! another: that is what saturates. Reads of an unchanged line do not wait for each other. Caches are without end: a line that a core has had is there
//! until another writes it.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Bytes of a line.
pub const LINE: usize = 64;
/// Lines that are kept together in the table.
const GROUP: usize = 64;
/// As many sharers are kept in place; of more, a bit for each core.
const FEW: usize = 6;

/// Virtual time, in picoseconds.
pub type Picoseconds = u64;

/// How a line is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Read.
    Read,
    /// Written.
    Write,
}

/// What a touch came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The line was there.
    Hit,
    /// It came from others.
    Transfer {
        /// When it is there.
        at: Picoseconds,
        /// How long it waited for other transfers of the same line.
        waited: Picoseconds,
    },
}

/// Who has a line.
#[derive(Clone, Debug)]
enum Sharers {
    Few { who: [u16; FEW], count: u8 },
    Many(Box<[u64]>),
}

impl Sharers {
    const NOBODY: Self = Self::Few { who: [0; FEW], count: 0 };

    fn only(core: u16) -> Self {
        let mut who = [0; FEW];
        who[0] = core;
        Self::Few { who, count: 1 }
    }

    fn has(&self, core: u16) -> bool {
        match self {
            Self::Few { who, count } => who[..usize::from(*count)].contains(&core),
            Self::Many(bits) => {
                bits.get(usize::from(core / 64)).is_some_and(|word| word >> (core % 64) & 1 == 1)
            }
        }
    }

    fn is_only(&self, core: u16) -> bool {
        matches!(self, Self::Few { who, count: 1 } if who[0] == core)
    }

    fn is_nobody(&self) -> bool {
        matches!(self, Self::Few { count: 0, .. })
    }

    fn add(&mut self, core: u16) {
        match self {
            Self::Few { who, count } if usize::from(*count) < FEW => {
                who[usize::from(*count)] = core;
                *count += 1;
            }
            Self::Few { who, .. } => {
                let mut bits = vec![0_u64; 32].into_boxed_slice();
                for one in who.iter().copied().chain([core]) {
                    bits[usize::from(one / 64)] |= 1 << (one % 64);
                }
                *self = Self::Many(bits);
            }
            Self::Many(bits) => bits[usize::from(core / 64)] |= 1 << (core % 64),
        }
    }
}

/// The most cores, with those that keep time: bits of [`Sharers::Many`].
pub const MOST_CORES: u16 = 32 * 64;

#[derive(Clone, Debug)]
struct Line {
    sharers: Sharers,
    /// Its only sharer has written it since it came.
    changed: bool,
    /// When the last transfer that others wait for is over.
    free_at: Picoseconds,
    /// How long all of those took.
    occupied: Picoseconds,
}

const UNTOUCHED: Line = Line { sharers: Sharers::NOBODY, changed: false, free_at: 0, occupied: 0 };

/// Addresses spread by a multiplication: they are multiples of something large.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are looked up");
    }

    fn write_usize(&mut self, number: usize) {
        self.0 = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// All lines that were ever touched.
#[derive(Default)]
pub struct Lines {
    groups: HashMap<usize, u32, BuildHasherDefault<Spread>>,
    lines: Vec<[Line; GROUP]>,
    /// The group of the last touch.
    last: (usize, u32),
}

impl Lines {
    /// None was touched.
    #[must_use]
    pub fn new() -> Self {
        Self { last: (usize::MAX, 0), ..Self::default() }
    }

    fn line(&mut self, number: usize) -> &mut Line {
        let group = number / GROUP;
        if self.last.0 != group {
            let place = *self.groups.entry(group).or_insert_with(|| {
                self.lines.push([UNTOUCHED; GROUP]);
                self.lines.len() as u32 - 1
            });
            self.last = (group, place);
        }
        &mut self.lines[self.last.1 as usize][number % GROUP]
    }

    /// The line that was on its way for longest, and how long.
    #[must_use]
    pub fn busiest(&self) -> Option<(usize, Picoseconds)> {
        let place = |group: usize, place: u32| {
            let lines = self.lines.get(place as usize)?.iter().zip(group * GROUP..);
            lines.map(|(line, number)| (line.occupied, number)).max()
        };
        let most = self.groups.iter().filter_map(|(group, at)| place(*group, *at)).max();
        most.map(|(occupied, number)| (number, occupied))
    }

    /// A core touches the line of that number (an address by [`LINE`]) at a time; a transfer takes `transfer`.
    pub fn touch(
        &mut self,
        core: u16,
        number: usize,
        how: Use,
        now: Picoseconds,
        transfer: Picoseconds,
    ) -> Outcome {
        let line = self.line(number);
        match how {
            Use::Read => {
                if line.sharers.has(core) {
                    return Outcome::Hit;
                }
                // Nobody had it: it is this core's from the start.
                if line.sharers.is_nobody() {
                    line.sharers = Sharers::only(core);
                    return Outcome::Hit;
                }
                let begins = now.max(line.free_at);
                let at = begins + transfer;
                if line.changed {
                    line.changed = false;
                    line.free_at = at;
                    line.occupied += transfer;
                }
                line.sharers.add(core);
                Outcome::Transfer { at, waited: begins - now }
            }
            Use::Write => {
                if line.sharers.is_only(core) || line.sharers.is_nobody() {
                    line.sharers = Sharers::only(core);
                    line.changed = true;
                    return Outcome::Hit;
                }
                let begins = now.max(line.free_at);
                let at = begins + transfer;
                line.changed = true;
                line.free_at = at;
                line.occupied += transfer;
                line.sharers = Sharers::only(core);
                Outcome::Transfer { at, waited: begins - now }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Picoseconds = 60_000;
    const HERE: usize = 7;

    fn moved(at: Picoseconds, waited: Picoseconds) -> Outcome {
        Outcome::Transfer { at, waited }
    }

    #[test]
    fn what_one_core_alone_touches_never_moves() {
        let mut lines = Lines::new();
        for (time, how) in [Use::Read, Use::Write, Use::Read, Use::Write].into_iter().enumerate() {
            assert_eq!(lines.touch(1, HERE, how, time as u64, T), Outcome::Hit);
        }
    }

    #[test]
    fn a_line_that_is_written_by_one_and_read_by_another_moves_each_time() {
        let mut lines = Lines::new();
        assert_eq!(lines.touch(1, HERE, Use::Write, 0, T), Outcome::Hit);
        assert_eq!(lines.touch(2, HERE, Use::Read, 100, T), moved(100 + T, 0));
        assert_eq!(lines.touch(2, HERE, Use::Read, 100 + T, T), Outcome::Hit);
        // Both have it now: who writes it takes it away from the other.
        assert_eq!(lines.touch(1, HERE, Use::Read, 100 + T, T), Outcome::Hit);
        assert_eq!(lines.touch(1, HERE, Use::Write, 100 + T, T), moved(100 + 2 * T, 0));
        assert_eq!(lines.touch(1, HERE, Use::Write, 100 + 2 * T, T), Outcome::Hit);
        assert_eq!(lines.touch(2, HERE, Use::Read, 100 + 2 * T, T), moved(100 + 3 * T, 0));
    }

    #[test]
    fn those_that_write_one_line_follow_one_another() {
        let mut lines = Lines::new();
        lines.touch(0, HERE, Use::Write, 0, T);
        for core in 1..=5 {
            let number = u64::from(core);
            assert_eq!(
                lines.touch(core, HERE, Use::Write, 1_000, T),
                moved(1_000 + number * T, (number - 1) * T)
            );
        }
        assert_eq!(lines.busiest(), Some((HERE, 5 * T)));
        // Another line is nobody's concern.
        assert_eq!(lines.touch(9, HERE + 1, Use::Write, 1_000, T), Outcome::Hit);
    }

    #[test]
    fn those_that_read_an_unchanged_line_do_not_wait_for_each_other() {
        let mut lines = Lines::new();
        lines.touch(0, HERE, Use::Write, 0, T);
        // The first takes it out of the cache that has changed it; the others come while that goes on.
        assert_eq!(lines.touch(1, HERE, Use::Read, 0, T), moved(T, 0));
        assert_eq!(lines.touch(2, HERE, Use::Read, 0, T), moved(2 * T, T));
        assert_eq!(lines.touch(3, HERE, Use::Read, 0, T), moved(2 * T, T));
        assert_eq!(lines.touch(4, HERE, Use::Read, 5 * T, T), moved(6 * T, 0));
    }

    #[test]
    fn any_number_of_cores_may_share_a_line_and_one_write_takes_it_from_all() {
        let mut lines = Lines::new();
        let cores = 0..1_025;
        for core in cores.clone() {
            lines.touch(core, HERE, Use::Read, 0, T);
        }
        assert!(cores.clone().all(|core| lines.touch(core, HERE, Use::Read, 0, T) == Outcome::Hit));
        assert_eq!(lines.touch(1_024, HERE, Use::Write, 9 * T, T), moved(10 * T, 0));
        assert!(
            cores
                .clone()
                .filter(|core| *core != 1_024)
                .all(|core| { lines.touch(core, HERE, Use::Read, 90 * T, T) != Outcome::Hit })
        );
    }
}
