//! All cells under supervision: who is due next, and whether the system has done what it is there for. Pure.

use alloc::vec::Vec;

use crate::{Asked, End, Life, Verdict, Ward, Wish};

/// One cell.
#[derive(Clone, Debug)]
struct Record {
    life: Life,
    /// Which life it is in, as the kernel counts: reports of earlier ones are old news.
    generation: u32,
    awaited: bool,
    /// Whether its last life ended as it should.
    well: bool,
}

/// Where the system stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is something to wait for, or nothing is awaited at all.
    GoesOn,
    /// All that is awaited is over, and ended as it should.
    Done,
    /// All that is awaited is over, and some of it failed.
    Failed,
}

/// All cells.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    records: Vec<Record>,
}

impl Roster {
    /// Nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { records: Vec::new() }
    }

    /// Adds a cell that runs since then, in this life. Its place is how many there were before.
    pub fn add(&mut self, ward: &Ward, generation: u32, since_ns: u64) {
        let life = Life::new(ward.policy, since_ns);
        self.records.push(Record { life, generation, awaited: ward.awaited, well: true });
    }

    /// A life of a cell ended. `None` for a cell that there is not, and for old news.
    pub fn ended(&mut self, place: usize, generation: u32, end: End, at_ns: u64) -> Option<Verdict> {
        let record = self.records.get_mut(place)?;
        if generation < record.generation || record.life.is_over() {
            return None;
        }
        record.generation = generation;
        record.well = end == End::Done;
        Some(record.life.ended(end, at_ns))
    }

    /// An operator wants something of a cell. `None` for a cell that there is not.
    pub fn wished(&mut self, place: usize, wish: Wish, at_ns: u64) -> Option<Asked> {
        self.records.get_mut(place).map(|record| record.life.wished(wish, at_ns))
    }

    /// A cell was restarted, into this life.
    pub fn restarted(&mut self, place: usize, generation: u32, at_ns: u64) {
        if let Some(record) = self.records.get_mut(place) {
            record.generation = generation;
            record.life.restarted(at_ns);
        }
    }

    /// A cell could not be restarted.
    pub fn restart_failed(&mut self, place: usize, at_ns: u64) -> Option<Verdict> {
        let record = self.records.get_mut(place)?;
        record.well = false;
        Some(record.life.ended(End::Failed, at_ns))
    }

    /// When the next restart is due.
    #[must_use]
    pub fn next_due_ns(&self) -> Option<u64> {
        self.records.iter().filter_map(|record| record.life.due_ns()).min()
    }

    /// A cell whose restart is due.
    #[must_use]
    pub fn due(&self, now_ns: u64) -> Option<usize> {
        self.records.iter().position(|record| record.life.due_ns().is_some_and(|due| due <= now_ns))
    }

    /// Where the system stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let awaited = || self.records.iter().filter(|record| record.awaited);
        if awaited().next().is_none() || !awaited().all(|record| record.life.is_over()) {
            return Standing::GoesOn;
        }
        if awaited().all(|record| record.well) { Standing::Done } else { Standing::Failed }
    }
}

#[cfg(test)]
mod tests {
    use super::{Roster, Standing};
    use crate::{End, Restart, Verdict, Ward};

    const MS: u64 = 1_000_000;

    /// A server, and two clients of which the system waits.
    fn roster() -> Roster {
        let mut roster = Roster::new();
        roster.add(&Ward::new("server"), 1, 0);
        for name in ["one", "two"] {
            roster.add(&Ward { awaited: true, ..Ward::new(name) }, 1, 0);
        }
        roster
    }

    #[test]
    fn the_earliest_restart_is_next() {
        let mut roster = roster();
        assert_eq!(roster.next_due_ns(), None);
        assert_eq!(roster.ended(1, 1, End::Failed, 7 * MS), Some(Verdict::RestartAt(17 * MS)));
        assert_eq!(roster.ended(0, 1, End::Failed, 5 * MS), Some(Verdict::RestartAt(15 * MS)));
        assert_eq!(roster.next_due_ns(), Some(15 * MS));
        assert_eq!(roster.due(14 * MS), None);
        assert_eq!(roster.due(15 * MS), Some(0));
        roster.restarted(0, 2, 15 * MS);
        assert_eq!((roster.next_due_ns(), roster.due(16 * MS)), (Some(17 * MS), None));
    }

    #[test]
    fn news_of_an_earlier_life_change_nothing() {
        let mut roster = roster();
        roster.ended(0, 1, End::Failed, MS);
        roster.restarted(0, 2, 20 * MS);
        assert_eq!(roster.ended(0, 1, End::Failed, 21 * MS), None);
        assert!(roster.ended(0, 2, End::Failed, 21 * MS).is_some());
        assert_eq!(roster.ended(9, 1, End::Failed, MS), None);
    }

    #[test]
    fn the_system_is_done_when_all_that_is_awaited_is_over() {
        let mut roster = roster();
        assert_eq!(roster.ended(1, 1, End::Done, MS), Some(Verdict::Over));
        assert_eq!(roster.standing(), Standing::GoesOn);
        assert_eq!(roster.ended(2, 1, End::Done, MS), Some(Verdict::Over));
        assert_eq!(roster.standing(), Standing::Done);
    }

    #[test]
    fn the_system_has_failed_when_what_is_awaited_was_given_up() {
        let mut roster = Roster::new();
        let policy = crate::Policy { restart: Restart::Never, ..crate::Policy::USUAL };
        roster.add(&Ward { awaited: true, policy, ..Ward::new("one") }, 1, 0);
        assert_eq!(roster.ended(0, 1, End::Failed, MS), Some(Verdict::GiveUp));
        assert_eq!(roster.standing(), Standing::Failed);
    }

    #[test]
    fn a_failure_that_was_made_good_is_forgotten() {
        let mut roster = Roster::new();
        roster.add(&Ward { awaited: true, ..Ward::new("one") }, 1, 0);
        roster.ended(0, 1, End::Failed, MS);
        roster.restarted(0, 2, 20 * MS);
        assert_eq!(roster.ended(0, 2, End::Done, 21 * MS), Some(Verdict::Over));
        assert_eq!(roster.standing(), Standing::Done);
    }

    #[test]
    fn a_system_that_waits_for_nobody_goes_on() {
        let mut roster = Roster::new();
        roster.add(&Ward::new("server"), 1, 0);
        roster.ended(0, 1, End::Done, MS);
        assert_eq!(roster.standing(), Standing::GoesOn);
    }
}
