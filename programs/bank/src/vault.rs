//! What a bank has: amounts under badges that never come again. Plain data, without a call.

use hallows_protocols::bank::Refusal;

/// How many accounts and cheques there may be at a time: as small as a demonstration is.
const CAPACITY: usize = 32;

/// Badges of accounts and cheques have their kind above their number; those below are clients.
const KIND_SHIFT: u32 = 56;

/// What a badge stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account.
    Account = 1,
    /// A cheque.
    Cheque = 2,
}

impl Kind {
    /// The kind in a badge; `None` for a client's.
    pub const fn of(badge: u64) -> Option<Self> {
        match badge >> KIND_SHIFT {
            0 => None,
            1 => Some(Self::Account),
            _ => Some(Self::Cheque),
        }
    }
}

/// An amount, and whose.
#[derive(Clone, Copy)]
struct Entry {
    badge: u64,
    amount: u64,
}

/// All amounts.
pub struct Vault {
    entries: [Option<Entry>; CAPACITY],
    /// The number of the last badge that was given out.
    last: u64,
}

impl Vault {
    /// With nothing in it.
    pub const fn new() -> Self {
        Self { entries: [None; CAPACITY], last: 0 }
    }

    fn find(&mut self, badge: u64) -> Option<&mut Entry> {
        self.entries.iter_mut().flatten().find(|entry| entry.badge == badge)
    }

    /// Whether there is something under this badge.
    pub fn has(&self, badge: u64) -> bool {
        self.entries.iter().flatten().any(|entry| entry.badge == badge)
    }

    /// How much is under this badge; 0 if nothing is.
    pub fn amount(&mut self, badge: u64) -> u64 {
        self.find(badge).map_or(0, |entry| entry.amount)
    }

    /// Puts an amount under a new badge.
    pub fn put(&mut self, kind: Kind, amount: u64) -> Result<u64, Refusal> {
        let place = self.entries.iter_mut().find(|place| place.is_none()).ok_or(Refusal::TooMuch)?;
        self.last += 1;
        let badge = (kind as u64) << KIND_SHIFT | self.last;
        *place = Some(Entry { badge, amount });
        Ok(badge)
    }

    /// Takes what is under a badge, and the badge out of use.
    pub fn take(&mut self, badge: u64) -> u64 {
        let is_it = |place: &&mut Option<Entry>| place.is_some_and(|entry| entry.badge == badge);
        self.entries.iter_mut().find(is_it).and_then(Option::take).map_or(0, |entry| entry.amount)
    }

    /// Moves an amount between two badges.
    pub fn transfer(&mut self, from: u64, to: u64, amount: u64) -> Result<(), Refusal> {
        let left = self.amount(from).checked_sub(amount).ok_or(Refusal::TooLittle)?;
        if from == to {
            return Ok(());
        }
        let entry = self.find(to).ok_or(Refusal::TooLittle)?;
        entry.amount = entry.amount.checked_add(amount).ok_or(Refusal::TooMuch)?;
        if let Some(entry) = self.find(from) {
            entry.amount = left;
        }
        Ok(())
    }

    /// Moves an amount to a cheque; its badge.
    pub fn split(&mut self, from: u64, amount: u64) -> Result<u64, Refusal> {
        if self.amount(from) < amount {
            return Err(Refusal::TooLittle);
        }
        let cheque = self.put(Kind::Cheque, 0)?;
        self.transfer(from, cheque, amount).map(|()| cheque)
    }

    /// Moves all that is under a badge to another one, and takes the first out of use.
    pub fn merge(&mut self, from: u64, to: u64) -> Result<(), Refusal> {
        let amount = self.amount(from);
        self.transfer(from, to, amount)?;
        self.take(from);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Kind, Vault};
    use hallows_protocols::bank::Refusal;

    #[test]
    fn money_moves_and_none_is_made_or_lost() {
        let mut vault = Vault::new();
        let [one, other] = [70, 30].map(|amount| vault.put(Kind::Account, amount).expect("room"));
        assert_eq!(vault.transfer(one, other, 71), Err(Refusal::TooLittle));
        assert_eq!(vault.transfer(one, other, 20), Ok(()));
        assert_eq!(vault.transfer(one, one, 50), Ok(()));
        assert_eq!(vault.transfer(one, 99, 1), Err(Refusal::TooLittle));
        assert_eq!((vault.amount(one), vault.amount(other)), (50, 50));
        let cheque = vault.split(one, 10).expect("enough");
        assert_eq!(Kind::of(cheque), Some(Kind::Cheque));
        assert_eq!(vault.split(one, 41), Err(Refusal::TooLittle));
        assert_eq!((vault.amount(one), vault.amount(cheque)), (40, 10));
        assert_eq!(vault.merge(cheque, other), Ok(()));
        assert!(!vault.has(cheque));
        assert_eq!((vault.take(one), vault.take(other), vault.take(one)), (40, 60, 0));
    }

    #[test]
    fn no_more_than_fits_is_put_and_no_badge_comes_again() {
        let mut vault = Vault::new();
        let rich = vault.put(Kind::Account, u64::MAX).expect("room");
        let badges: [u64; CAPACITY - 1] =
            core::array::from_fn(|_| vault.put(Kind::Account, 1).expect("room"));
        assert_eq!(vault.put(Kind::Account, 1), Err(Refusal::TooMuch));
        assert_eq!(vault.split(rich, 1), Err(Refusal::TooMuch));
        assert_eq!(vault.transfer(badges[0], rich, 1), Err(Refusal::TooMuch));
        assert_eq!(vault.amount(badges[0]), 1);
        vault.take(badges[0]);
        assert!(vault.put(Kind::Account, 1).is_ok_and(|badge| !badges.contains(&badge)));
    }
}
