//! Scheduling classes: which threads run before which, whatever their priorities.
//!
//! | class | who | in turn with others of the same priority |
//! |---|---|---|
//! | real-time | what has a reservation: a time budget on one core, admitted only if the core can keep it | the earliest deadline first, without quanta |
//! | latency | what answers somebody; all that says nothing | by quanta, who comes before who was preempted |
//! | batch | what may wait | by long quanta |
//!
//! A reservation is a *constant bandwidth server* (Abeni and Buttazzo, "Integrating multimedia applications in hard real-time systems", RTSS
//! 1998), hard: who has used it up stands still until its deadline. So whatever one does with its reservation, all others on the core keep theirs as
//! long as all together are no more than the core: earliest deadline first is optimal (Liu and Layland, "Scheduling algorithms for multiprogramming in a
//! hard-real-time environment", Journal of the ACM 20(1), 1973). Different priorities are fixed priorities above that, for who wants them: then only the
//! highest are sure of theirs.
//!
//! Class and priority are one number to everything else, the *rank*: lending, monitors and queues know no classes.

use hallows_abi::TimeBudget;

use crate::configuration::PRIORITIES;

/// See the module's description.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// Before all others, within a reservation.
    RealTime,
    /// What answers somebody.
    #[default]
    Latency,
    /// Only what nobody else wants. Priorities mean nothing here.
    Batch,
}

/// How many ranks there are.
pub const RANKS: usize = 1 + 2 * PRIORITIES as usize;
/// The rank of all that is of the batch class.
const BATCH: u8 = 0;
/// The lowest rank of the latency class.
const LATENCY: u8 = BATCH + 1;
/// The lowest rank of the real-time class.
const REAL_TIME: u8 = LATENCY + PRIORITIES;

/// All of a core's time, in parts that reservations are counted in.
pub const WHOLE_CORE: u64 = 1_000_000_000;

impl Class {
    /// The rank of a priority in this class. (There are eight; of others it is some high one.)
    pub const fn rank(self, priority: u8) -> u8 {
        match self {
            Self::Batch => BATCH,
            Self::Latency => LATENCY.saturating_add(priority),
            Self::RealTime => REAL_TIME.saturating_add(priority),
        }
    }

    /// The class of a rank.
    pub const fn of(rank: u8) -> Self {
        match rank {
            BATCH => Self::Batch,
            LATENCY..REAL_TIME => Self::Latency,
            _ => Self::RealTime,
        }
    }

    /// The class of what somebody of a class makes: nobody makes anything that others on its core could lose their reservations by.
    pub const fn of_child(self) -> Self {
        match self {
            Self::Batch => Self::Batch,
            Self::Latency | Self::RealTime => Self::Latency,
        }
    }
}

/// Whether a rank is of the real-time class.
pub const fn is_real_time(rank: u8) -> bool {
    rank >= REAL_TIME
}

/// How much of a core a reservation takes, in parts of [`WHOLE_CORE`], rounded down: three thirds are a whole.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a budget is at most its period, and this at most the whole"
)]
pub const fn share(time: TimeBudget) -> u64 {
    let parts = (time.budget_ns as u128 * WHOLE_CORE as u128).checked_div(time.period_ns as u128);
    match parts {
        Some(parts) if parts <= WHOLE_CORE as u128 => parts as u64,
        _ => WHOLE_CORE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_is_of_one_class_and_classes_come_before_priorities() {
        let highest = PRIORITIES - 1;
        assert!(Class::Batch.rank(highest) < Class::Latency.rank(0));
        assert!(Class::Latency.rank(highest) < Class::RealTime.rank(0));
        assert_eq!(usize::from(Class::RealTime.rank(highest)) + 1, RANKS);
        for class in [Class::Batch, Class::Latency, Class::RealTime] {
            for priority in 0..=highest {
                let rank = class.rank(priority);
                assert_eq!(Class::of(rank), class);
                assert_eq!(is_real_time(rank), class == Class::RealTime);
            }
        }
    }

    #[test]
    fn shares_are_parts_of_a_core_and_never_more_than_it() {
        let share = |budget_ns, period_ns| share(TimeBudget { budget_ns, period_ns });
        assert_eq!((share(1, 2), share(1, 3), share(5, 5)), (WHOLE_CORE / 2, WHOLE_CORE / 3, WHOLE_CORE));
        assert!(3 * share(1, 3) <= WHOLE_CORE);
        assert_eq!((share(1, 0), share(2, 1), share(1, u64::MAX)), (WHOLE_CORE, WHOLE_CORE, 0));
    }
}
