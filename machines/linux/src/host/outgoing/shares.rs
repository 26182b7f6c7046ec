//! Who has how much of what may be under way at a time, so that nobody has all of it.
//!
//! Each may have as many as others leave free (A. Choudhury, E. Hahne, *Dynamic queue length thresholds*, 1998): who is alone has half of all, two have a
//! third each, and whoever comes finds room.

use std::collections::HashMap;

/// What may be under way, and for whom it is.
#[derive(Debug)]
pub(super) struct Shares {
    free: usize,
    taken: HashMap<u64, usize>,
}

impl Shares {
    /// So many, and all of them free.
    pub fn of(most: usize) -> Self {
        Self { free: most, taken: HashMap::new() }
    }

    /// Takes one more for somebody, until it is given back. False: that one has as many as are free.
    #[must_use]
    pub fn take(&mut self, owner: u64) -> bool {
        let taken = self.taken.entry(owner).or_default();
        let may = *taken < self.free;
        if may {
            *taken += 1;
            self.free -= 1;
        }
        self.forget_if_none(owner);
        may
    }

    /// Gives back one that somebody has taken.
    pub fn give_back(&mut self, owner: u64) {
        if let Some(taken) = self.taken.get_mut(&owner) {
            *taken -= 1;
            self.free += 1;
            self.forget_if_none(owner);
        }
    }

    /// Who has none is nobody: owners come and go as long as this is there.
    fn forget_if_none(&mut self, owner: u64) {
        if self.taken.get(&owner) == Some(&0) {
            self.taken.remove(&owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes_all(shares: &mut Shares, owner: u64) -> usize {
        std::iter::from_fn(|| shares.take(owner).then_some(())).count()
    }

    #[test]
    fn who_is_alone_has_half_and_leaves_room_for_others() {
        let mut shares = Shares::of(1_024);
        assert_eq!(takes_all(&mut shares, 1), 512);
        assert_eq!([2, 3, 4].map(|owner| takes_all(&mut shares, owner)), [256, 128, 64]);
        // What one gives back others may have.
        (0..300).for_each(|_| shares.give_back(1));
        assert_eq!([1, 2].map(|owner| takes_all(&mut shares, owner)), [76, 16]);
        assert_eq!(takes_all(&mut Shares::of(1), 1), 1);
        assert_eq!(takes_all(&mut Shares::of(0), 1), 0);
    }

    #[test]
    fn all_that_was_taken_is_free_again_and_nobody_is_remembered() {
        let mut shares = Shares::of(16);
        let taken: Vec<(u64, usize)> = (0..9).map(|owner| (owner, takes_all(&mut shares, owner))).collect();
        assert_eq!(taken.iter().map(|(_, count)| count).sum::<usize>() + shares.free, 16);
        for (owner, count) in taken {
            (0..count).for_each(|_| shares.give_back(owner));
        }
        shares.give_back(7);
        assert_eq!((shares.free, shares.taken.len()), (16, 0));
    }
}
