//! Lists of ranges of the program's memory (`iovec`, `ciovec`), which a read fills and a write empties one after the other.

use crate::memory::{self, Memory};
use crate::{Errno, Result};

/// Ranges of one call at most, as on Linux: between two looks at whether the program shall stop there are no more.
pub(crate) const RANGES_MOST: u32 = 1_024;

/// Bytes of a range's form: address and length.
const FORM_BYTES: u64 = 8;

/// A list of ranges, used up from the front.
#[derive(Debug)]
pub(crate) struct Vectors {
    /// Where the next range's form is.
    place: u64,
    /// How many are left behind the current one.
    left: u32,
    /// What is left of the current one.
    address: u64,
    length: u32,
    /// Bytes left in all of them.
    total: u32,
}

impl Vectors {
    /// Those that a write takes bytes from: looked at before anything is written.
    pub fn to_write(memory: &impl Memory, list: u32, count: u32) -> Result<Self> {
        Self::new(memory, list, count, |address, length| memory.check_readable(address, length))
    }

    /// Those that a read puts bytes into: looked at before anything is read, or what was read might be lost.
    pub fn to_read(memory: &impl Memory, list: u32, count: u32) -> Result<Self> {
        Self::new(memory, list, count, |address, length| memory.check_writable(address, length))
    }

    fn new(memory: &impl Memory, list: u32, count: u32, check: impl Fn(u64, u64) -> Result) -> Result<Self> {
        if count > RANGES_MOST {
            return Err(Errno::Inval);
        }
        let mut vectors = Self { place: u64::from(list), left: count, address: 0, length: 0, total: 0 };
        let mut total = 0_u32;
        while vectors.next(memory)? {
            check(vectors.address, u64::from(vectors.length))?;
            total = total.checked_add(vectors.length).ok_or(Errno::Inval)?;
        }
        Ok(Self { place: u64::from(list), left: count, address: 0, length: 0, total })
    }

    /// Bytes left in all of them.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// Goes to the next range; false: there is none.
    fn next(&mut self, memory: &impl Memory) -> Result<bool> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(false) };
        let [a, b, c, d, e, f, g, h] = memory::read(memory, self.place)?;
        self.address = u64::from(u32::from_le_bytes([a, b, c, d]));
        self.length = u32::from_le_bytes([e, f, g, h]);
        self.place += FORM_BYTES;
        self.left = left;
        Ok(true)
    }

    /// The next so many bytes' place, or fewer; `None`: there are no more.
    fn take(&mut self, memory: &impl Memory, most: usize) -> Result<Option<(u64, usize)>> {
        while self.length == 0 {
            if !self.next(memory)? {
                // Whatever was counted at the start: forms may have been overwritten since, by what was read into a range that covers them.
                self.total = 0;
                return Ok(None);
            }
        }
        // No more than was looked at and counted at the start, however long forms have become.
        let taken = u32::try_from(most).map_or(self.length, |most| most.min(self.length)).min(self.total);
        if taken == 0 {
            return Ok(None);
        }
        let address = self.address;
        self.address += u64::from(taken);
        self.length -= taken;
        self.total = self.total.saturating_sub(taken);
        Ok(Some((address, taken as usize)))
    }

    /// Copies the next bytes to the front of `to`; how many.
    pub fn gather(&mut self, memory: &impl Memory, to: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = to.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let Some((address, length)) = self.take(memory, rest.len())? else { break };
            memory.read(address, rest.get_mut(..length).unwrap_or_default())?;
            done += length;
        }
        Ok(done)
    }

    /// Copies bytes into the next ranges. What they have no room for is left out.
    pub fn scatter(&mut self, memory: &mut impl Memory, mut from: &[u8]) -> Result {
        while !from.is_empty() {
            let Some((address, length)) = self.take(memory, from.len())? else { break };
            let (now, rest) = from.split_at_checked(length).unwrap_or((from, &[]));
            memory.write(address, now)?;
            from = rest;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A memory of 4 GiB, all of whose words are these.
    struct Endless(u32);

    impl Memory for Endless {
        fn read(&self, _: u64, to: &mut [u8]) -> Result {
            to.fill_with({
                let mut bytes = self.0.to_le_bytes().into_iter().cycle();
                move || bytes.next().unwrap()
            });
            Ok(())
        }

        fn write(&mut self, _: u64, _: &[u8]) -> Result {
            Ok(())
        }

        fn check_readable(&self, address: u64, length: u64) -> Result {
            if address + length <= 1 << 32 { Ok(()) } else { Err(Errno::Fault) }
        }

        fn check_writable(&self, address: u64, length: u64) -> Result {
            self.check_readable(address, length)
        }
    }

    #[test]
    fn more_bytes_than_can_be_counted_are_refused() {
        let words = 0x4000_0000;
        assert_eq!(Vectors::to_write(&Endless(words), 0, 3).map(|all| all.total()), Ok(3 * words));
        assert_eq!(Vectors::to_write(&Endless(words), 0, 4).map(|all| all.total()), Err(Errno::Inval));
        assert_eq!(Vectors::to_read(&Endless(words), 0, 4).map(|all| all.total()), Err(Errno::Inval));
        assert_eq!(Vectors::to_read(&Endless(0xc000_0000), 0, 1).map(|all| all.total()), Err(Errno::Fault));
    }

    /// A few bytes.
    struct Bytes([u8; 64]);

    impl Memory for Bytes {
        fn read(&self, from: u64, to: &mut [u8]) -> Result {
            to.copy_from_slice(&self.0[from as usize..][..to.len()]);
            Ok(())
        }

        fn write(&mut self, to: u64, from: &[u8]) -> Result {
            self.0[to as usize..][..from.len()].copy_from_slice(from);
            Ok(())
        }

        fn check_readable(&self, address: u64, length: u64) -> Result {
            if address + length > 64 { Err(Errno::Fault) } else { Ok(()) }
        }

        fn check_writable(&self, address: u64, length: u64) -> Result {
            self.check_readable(address, length)
        }
    }

    /// Two ranges of eight bytes, the first of which is the second one's form.
    fn covering_its_own() -> Bytes {
        let mut memory = Bytes([0; 64]);
        for (place, word) in [(0, 8_u32), (4, 8), (8, 32), (12, 8)] {
            memory.0[place..][..4].copy_from_slice(&word.to_le_bytes());
        }
        memory
    }

    #[test]
    fn a_range_that_covers_the_next_ones_form_gives_no_more_than_was_asked_for() {
        // Emptied: there is nothing more to fill.
        let mut memory = covering_its_own();
        let mut vectors = Vectors::to_read(&memory, 0, 2).unwrap();
        vectors.scatter(&mut memory, &[0; 8]).unwrap();
        assert_eq!(vectors.total(), 8);
        vectors.scatter(&mut memory, &[1; 8]).unwrap();
        assert_eq!(vectors.total(), 0);
        // Made longer than memory: as much as was counted.
        let mut memory = covering_its_own();
        let mut vectors = Vectors::to_read(&memory, 0, 2).unwrap();
        vectors.scatter(&mut memory, &[32, 0, 0, 0, 255, 255, 255, 255]).unwrap();
        vectors.scatter(&mut memory, &[7; 30]).unwrap();
        assert_eq!((vectors.total(), &memory.0[30..42]), (0, &[0, 0, 7, 7, 7, 7, 7, 7, 7, 7, 0, 0][..]));
    }

    #[test]
    fn what_is_written_ends_where_ranges_do_though_they_were_longer_before() {
        let mut memory = covering_its_own();
        let mut vectors = Vectors::to_write(&memory, 0, 2).unwrap();
        memory.0[4] = 0;
        memory.0[12] = 0;
        assert_eq!((vectors.gather(&memory, &mut [0; 16]), vectors.total()), (Ok(0), 0));
    }
}
