//! What is to be looked at when.

use alloc::collections::{BTreeMap, BTreeSet};

use smoltcp::time::Instant;

/// Times, at most one for each key. One that turns out to be too early costs a look, so a later one is not put in its place: most timers of TCP are put off
/// with each segment and never ring.
#[derive(Debug)]
pub(super) struct Timers<K> {
    due: BTreeSet<(Instant, K)>,
    of: BTreeMap<K, Instant>,
}

impl<K: Copy + Ord> Timers<K> {
    pub const fn new() -> Self {
        Self { due: BTreeSet::new(), of: BTreeMap::new() }
    }

    /// Rings for this one at the latest then.
    pub fn ring(&mut self, key: K, at: Instant) {
        if self.of.get(&key).is_some_and(|before| *before <= at) {
            return;
        }
        self.forget(key);
        self.due.insert((at, key));
        self.of.insert(key, at);
    }

    /// Does not ring for this one.
    pub fn forget(&mut self, key: K) {
        if let Some(at) = self.of.remove(&key) {
            self.due.remove(&(at, key));
        }
    }

    /// When it rings next.
    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The next one for which it rings now.
    pub fn take(&mut self, now: Instant) -> Option<K> {
        let (at, key) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.forget(key);
        Some(key)
    }

    /// All for which it rings until then.
    pub fn until(&self, until: Instant) -> impl Iterator<Item = K> {
        self.due.iter().take_while(move |(at, _)| *at <= until).map(|(_, key)| *key)
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn it_rings_once_for_each_and_never_late() {
        let at = Instant::from_millis;
        let mut timers = Timers::new();
        for (key, time) in [(1, 30), (2, 20), (1, 10), (2, 40), (3, 50), (4, 5)] {
            timers.ring(key, at(time));
        }
        timers.forget(4);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.take(at(9)), None);
        assert_eq!(timers.until(at(20)).collect::<Vec<_>>(), [1, 2]);
        assert_eq!([timers.take(at(45)), timers.take(at(45)), timers.take(at(45))], [Some(1), Some(2), None]);
        timers.ring(1, at(60));
        assert_eq!([timers.take(at(60)), timers.take(at(60)), timers.take(at(60))], [Some(3), Some(1), None]);
        assert_eq!(timers.next(), None);
    }
}
