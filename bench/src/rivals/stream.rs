//! What the rivals of rings have in common: entries that are numbered, put in batches, and checked when they come back.

use crate::error::BenchError;

/// What is exchanged: as many bytes as an entry of a ring.
pub(super) type Entry = [u64; 4];
/// Entries of a batch.
pub(super) const BATCH: usize = 32;
/// Entries that stay under way in a stream: three batches, as ours.
pub(super) const UNDER_WAY: u64 = 96;

/// An exchange is two entries, one there and one back, and a figure is one side's share of one of them. Across cores both sides work at the same time.
pub(super) const CROSS_CORE_PARTS: u32 = 2;
/// On one core they take turns.
pub(super) const SAME_CORE_PARTS: u32 = 4;

/// The asking side's books.
pub(super) struct Stream {
    batch: [Entry; BATCH],
    filled: usize,
    submitted: u64,
    completed: u64,
}

impl Default for Stream {
    fn default() -> Self {
        Self { batch: [[0; 4]; BATCH], filled: 0, submitted: 0, completed: 0 }
    }
}

impl Stream {
    /// One more entry; with the last of a batch, puts it and takes what comes back until no more than so many are under way.
    #[inline]
    pub(super) fn entry(
        &mut self,
        stay: u64,
        put: impl FnOnce(&[Entry]) -> Result<(), BenchError>,
        mut take: impl FnMut(&mut Taken<'_>) -> Result<(), BenchError>,
    ) -> Result<(), BenchError> {
        self.batch[self.filled] = [self.submitted, !self.submitted, 0, 0];
        self.filled += 1;
        self.submitted += 1;
        if self.filled < BATCH {
            return Ok(());
        }
        self.filled = 0;
        put(&self.batch)?;
        while self.submitted - self.completed > stay {
            let wanted = usize::try_from(self.submitted - self.completed - stay).unwrap_or(usize::MAX);
            let mut taken = Taken { completed: &mut self.completed, wanted, wrong: false };
            take(&mut taken)?;
            if taken.wrong {
                return Err(BenchError::Wrong("an answer is not that of its question".to_owned()));
            }
        }
        Ok(())
    }
}

/// What comes back.
pub(super) struct Taken<'a> {
    completed: &'a mut u64,
    /// How many belong to this batch: one that takes what the next one would makes that one look free.
    pub(super) wanted: usize,
    wrong: bool,
}

impl Taken<'_> {
    /// One entry; they come in order.
    #[inline]
    pub(super) fn entry(&mut self, [token, _, detail, _]: Entry) {
        self.wrong |= token != *self.completed || detail != !token;
        *self.completed += 1;
    }
}
