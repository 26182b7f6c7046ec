//! How often a side looks before it sleeps: as often as looking has lately been worth it.

/// The fewest looks: a side that is never served while it looks, as on one core, wastes no more than some 50 ns.
const FEWEST: u32 = 16;
/// The most: some 10 µs, about what waking a sleeping core costs. Looking longer than that can never be worth it (Karlin, Manasse,
/// McGeoch, Owicki: *Competitive randomized algorithms for non-uniform problems*, 1990).
const MOST: u32 = 4_096;
/// Looks of a side that tries whether looking has become worth it: some microseconds, in which a peer on another core has long answered.
const TRIAL: u32 = 1_024;
/// So many times in a row it looked in vain before it tries: a trial's cost is then next to nothing for each.
const BETWEEN_TRIALS: u32 = 64;

/// Looks before sleeping: twice as many as would have done when one of them found something, half as many when all were in vain.
#[derive(Debug)]
pub(super) struct Patience {
    looks: u32,
    in_vain: u32,
}

impl Patience {
    pub const fn new() -> Self {
        Self { looks: TRIAL, in_vain: 0 }
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
                self.in_vain = 0;
                return Ok(true);
            }
        }
        self.in_vain += 1;
        self.looks =
            if self.in_vain.is_multiple_of(BETWEEN_TRIALS) { TRIAL } else { (self.looks / 2).max(FEWEST) };
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{BETWEEN_TRIALS, FEWEST, MOST, Patience, TRIAL};

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

    #[test]
    fn who_has_given_up_tries_again_now_and_then() {
        let mut patience = Patience::new();
        let mut trials = 0;
        for _ in 0..10 * BETWEEN_TRIALS {
            trials += u32::from(looks(&mut patience, u32::MAX).0 > TRIAL);
        }
        // The first one is the start.
        assert_eq!(trials, 10);
        assert!(looks(&mut patience, 700).1, "one more is due");
        assert!(looks(&mut patience, 700).1, "it is worth it, and so it stays");
    }
}
