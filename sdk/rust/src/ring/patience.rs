//! How often a side looks before it sleeps: as often as looking has lately been worth it.

/// The fewest looks: a side that is never served while it looks wastes no more than some 50 ns.
const FEWEST: u32 = 16;
/// The most: some 10 µs, about what waking a sleeping core costs. Looking longer than that can never be worth it (Karlin, Manasse,
/// McGeoch, Owicki: *Competitive randomized algorithms for non-uniform problems*, 1990).
const MOST: u32 = 4_096;

/// Looks before sleeping: doubled when one of them found something, halved when all were in vain.
#[derive(Debug)]
pub(super) struct Patience(u32);

impl Patience {
    pub const fn new() -> Self {
        Self(FEWEST)
    }

    /// Looks until there is something, or patience is at its end: what the last look gave.
    pub fn look<E>(&mut self, mut is_there: impl FnMut() -> Result<bool, E>) -> Result<bool, E> {
        // What is there at once says nothing about waiting.
        if is_there()? {
            return Ok(true);
        }
        for _ in 0..self.0 {
            core::hint::spin_loop();
            if is_there()? {
                self.0 = (self.0 * 2).min(MOST);
                return Ok(true);
            }
        }
        self.0 = (self.0 / 2).max(FEWEST);
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{FEWEST, MOST, Patience};

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
        assert_eq!(looks(&mut patience, u32::MAX), (1 + FEWEST, false));
        for _ in 0..20 {
            assert_eq!(looks(&mut patience, FEWEST), (1 + FEWEST, true));
        }
        assert_eq!(looks(&mut patience, u32::MAX), (1 + MOST, false));
        for _ in 0..20 {
            let _ = looks(&mut patience, u32::MAX);
        }
        assert_eq!(looks(&mut patience, u32::MAX), (1 + FEWEST, false));
    }
}
