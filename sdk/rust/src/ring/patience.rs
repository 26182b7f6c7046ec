//! How often a side looks before it sleeps: as often as looking has lately been worth it.

/// The fewest looks: a side that is never served while it looks, as on one core, wastes no more than some 50 ns.
const FEWEST: u32 = 16;
/// The most: some 10 µs, about what waking a sleeping core costs. Looking longer than that can never be worth it (Karlin, Manasse,
/// McGeoch, Owicki: *Competitive randomized algorithms for non-uniform problems*, 1990).
const MOST: u32 = 4_096;
/// Looks of a side that tries whether looking has become worth it: some microseconds, in which a peer on another core has long answered.
const TRIAL: u32 = 1_024;
/// So many times in a row it looked in vain before it tries, and twice as many after each trial in vain: on one core, where none ever finds something, one in a
/// hundred waits would be longer by a trial otherwise.
const BETWEEN_TRIALS: u32 = 64;
/// The most: some tens of milliseconds of work, after which a peer that has moved to another core is looked for again.
const MOST_BETWEEN_TRIALS: u32 = 4_096;

/// Looks before sleeping: twice as many as would have done when one of them found something, half as many when all were in vain.
#[derive(Debug)]
pub(super) struct Patience {
    looks: u32,
    /// Since the last trial, or since something was found.
    in_vain: u32,
    between_trials: u32,
}

impl Patience {
    pub const fn new() -> Self {
        Self { looks: TRIAL, in_vain: 0, between_trials: BETWEEN_TRIALS }
    }

    /// Looks until there is something, or patience is at its end: what the last look gave.
    #[inline]
    pub fn look<E>(&mut self, mut is_there: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
        // What is there at once says nothing about waiting.
        if is_there()? {
            return Ok(true);
        }
        for look in 1..=self.looks {
            core::hint::spin_loop();
            if is_there()? {
                self.looks = self.looks.max(look * 2).min(MOST);
                (self.in_vain, self.between_trials) = (0, BETWEEN_TRIALS);
                return Ok(true);
            }
        }
        self.in_vain += 1;
        if self.in_vain >= self.between_trials {
            (self.looks, self.in_vain) = (TRIAL, 0);
            self.between_trials = (self.between_trials * 2).min(MOST_BETWEEN_TRIALS);
        } else {
            self.looks = (self.looks / 2).max(FEWEST);
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{BETWEEN_TRIALS, FEWEST, MOST, MOST_BETWEEN_TRIALS, Patience, TRIAL};

    /// Looks that a round takes when something is there at the look with this number.
    fn looks(patience: &mut Patience, found_at: u32) -> (u32, bool) {
        let mut looks = 0;
        let found = patience.look(|| {
            looks += 1;
            Ok::<_, ()>(looks > found_at)
        });
        (looks, found == Ok(true))
    }

    #[test]
    fn patience_grows_where_it_pays_and_shrinks_where_it_does_not() {
        let mut patience = Patience::new();
        assert_eq!(looks(&mut patience, 0), (1, true));
        assert_eq!(looks(&mut patience, u32::MAX), (1 + TRIAL, false));
        for _ in 0..20 {
            let _ = looks(&mut patience, u32::MAX);
        }
        assert_eq!(looks(&mut patience, u32::MAX), (1 + FEWEST, false));
        assert_eq!(looks(&mut patience, FEWEST), (1 + FEWEST, true));
        assert_eq!(looks(&mut patience, 2 * FEWEST), (1 + 2 * FEWEST, true));
        for found_at in [64, 128, 256, 512, 1_024, 2_048, 4_096, 4_096] {
            assert_eq!(looks(&mut patience, found_at), (1 + found_at, true));
        }
        assert_eq!(looks(&mut patience, u32::MAX), (1 + MOST, false), "and no further");
    }

    /// Rounds in vain until the next one that is a trial.
    fn until_trial(patience: &mut Patience) -> u32 {
        let mut rounds = 0;
        while looks(patience, u32::MAX).0 <= TRIAL {
            rounds += 1;
        }
        rounds + 1
    }

    #[test]
    fn who_has_given_up_tries_again_now_and_then_and_ever_more_seldom() {
        let mut patience = Patience::new();
        assert_eq!(until_trial(&mut patience), 1, "the start");
        let mut expected = BETWEEN_TRIALS;
        // The first one was in vain before.
        assert_eq!(until_trial(&mut patience), expected);
        while expected < MOST_BETWEEN_TRIALS {
            expected *= 2;
            assert_eq!(until_trial(&mut patience), expected);
        }
        assert_eq!(until_trial(&mut patience), MOST_BETWEEN_TRIALS, "and not more seldom than that");
        for _ in 1..MOST_BETWEEN_TRIALS {
            let _ = looks(&mut patience, u32::MAX);
        }
        assert!(looks(&mut patience, 700).1, "one more is due");
        assert!(looks(&mut patience, 700).1, "it is worth it, and so it stays");
        assert!(!looks(&mut patience, u32::MAX).1);
        assert!(until_trial(&mut patience) <= BETWEEN_TRIALS, "and is tried again soon");
    }
}
