//! One cell's lives: what happens when one ends. Pure; times are nanoseconds of the machine's clock.

use core::time::Duration;

use hallows_sdk::FaultKind;

use crate::{Policy, Restart, Wish};

/// How a life ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was done: it returned, or exited with status 0.
    Done,
    /// Somebody killed it.
    Killed,
    /// It faulted, exited with another status, or could not even start.
    Failed,
}

impl End {
    /// From what a fault report says.
    #[must_use]
    pub const fn of(kind: FaultKind, detail: u32) -> Self {
        match kind {
            FaultKind::Returned => Self::Done,
            FaultKind::Exited if detail == 0 => Self::Done,
            FaultKind::Killed => Self::Killed,
            _ => Self::Failed,
        }
    }
}

/// What is to be done after an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Restart it at this time.
    RestartAt(u64),
    /// It is over, as it should be: nothing is to be done.
    Over,
    /// It stays down: tell those who depend on it.
    GiveUp,
}

/// What is to be done for a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// End its present life; what follows is decided when that is over.
    Kill,
    /// This.
    Now(Verdict),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running { since_ns: u64 },
    Pausing { until_ns: u64 },
    Down,
}

/// The pause after a restart that failed, whatever the policy says: trying again at once would find the same machine.
const AFTER_FAILED_RESTART: Duration = Duration::from_millis(1);

/// One cell's lives.
#[derive(Clone, Debug)]
pub struct Life {
    policy: Policy,
    phase: Phase,
    /// Short lives in a row.
    failures: u32,
    /// What is to follow the present life, whatever the policy says.
    wish: Option<Wish>,
}

impl Life {
    /// Of a cell that runs since then.
    #[must_use]
    pub const fn new(policy: Policy, since_ns: u64) -> Self {
        Self { policy, phase: Phase::Running { since_ns }, failures: 0, wish: None }
    }

    /// A life ended (or a restart failed, which is a life that did not last at all).
    pub fn ended(&mut self, end: End, at_ns: u64) -> Verdict {
        if let Some(wish) = self.wish.take() {
            return self.follow(wish, at_ns);
        }
        let (since_ns, least_pause) = match self.phase {
            Phase::Running { since_ns } => (since_ns, Duration::ZERO),
            // A failed restart: nothing ran since the pause ended.
            Phase::Pausing { .. } => (at_ns, AFTER_FAILED_RESTART),
            Phase::Down => return Verdict::Over,
        };
        let wanted = match self.policy.restart {
            Restart::Never => false,
            Restart::OnFault => end == End::Failed,
            Restart::Always => true,
        };
        if !wanted {
            self.phase = Phase::Down;
            // A failure that nobody wants restarted is bad news all the same.
            return if end == End::Failed { Verdict::GiveUp } else { Verdict::Over };
        }
        let lasted = Duration::from_nanos(at_ns.saturating_sub(since_ns));
        let pause = if lasted >= self.policy.minimum_run {
            self.failures = 0;
            Duration::ZERO
        } else {
            self.failures = self.failures.saturating_add(1);
            if self.policy.give_up_after != 0 && self.failures >= self.policy.give_up_after {
                self.phase = Phase::Down;
                return Verdict::GiveUp;
            }
            self.pause()
        };
        let pause = pause.max(least_pause);
        let until_ns = at_ns.saturating_add(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX));
        self.phase = Phase::Pausing { until_ns };
        Verdict::RestartAt(until_ns)
    }

    /// An operator wants something of it.
    pub fn wished(&mut self, wish: Wish, at_ns: u64) -> Asked {
        match (self.phase, wish) {
            (Phase::Running { .. }, _) => {
                self.wish = Some(wish);
                Asked::Kill
            }
            (Phase::Down, Wish::Stop) => Asked::Now(Verdict::Over),
            (Phase::Pausing { .. } | Phase::Down, _) => Asked::Now(self.follow(wish, at_ns)),
        }
    }

    fn follow(&mut self, wish: Wish, at_ns: u64) -> Verdict {
        self.failures = 0;
        match wish {
            Wish::Restart => {
                self.phase = Phase::Pausing { until_ns: at_ns };
                Verdict::RestartAt(at_ns)
            }
            Wish::Stop => {
                self.phase = Phase::Down;
                Verdict::GiveUp
            }
        }
    }

    /// The pause after the last of some short lives in a row: it doubles with each.
    fn pause(&self) -> Duration {
        let doublings = self.failures.saturating_sub(1);
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        self.policy.back_off.saturating_mul(factor).min(self.policy.back_off_limit)
    }

    /// It was restarted.
    pub fn restarted(&mut self, at_ns: u64) {
        self.phase = Phase::Running { since_ns: at_ns };
    }

    /// When it is to be restarted, if it is.
    #[must_use]
    pub const fn due_ns(&self) -> Option<u64> {
        match self.phase {
            Phase::Pausing { until_ns } => Some(until_ns),
            Phase::Running { .. } | Phase::Down => None,
        }
    }

    /// Whether it stays down.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Down)
    }
}

#[cfg(test)]
mod tests {
    use std::prelude::v1::*;

    use core::time::Duration;

    use proptest::prelude::*;

    use super::{Asked, End, Life, Verdict};
    use crate::{Policy, Restart, Wish};
    use hallows_sdk::FaultKind;

    const MS: u64 = 1_000_000;

    fn policy(restart: Restart, give_up_after: u32) -> Policy {
        Policy { restart, give_up_after, ..Policy::USUAL }
    }

    /// Lives of these lengths, each followed by a failure; the verdicts, and how long each pause was.
    fn history(policy: Policy, lengths_ns: &[u64]) -> Vec<(Verdict, u64)> {
        let mut life = Life::new(policy, 0);
        let mut now = 0;
        let mut verdicts = Vec::new();
        for length in lengths_ns {
            now += length;
            let verdict = life.ended(End::Failed, now);
            let pause = match verdict {
                Verdict::RestartAt(at) => at - now,
                _ => 0,
            };
            verdicts.push((verdict, pause));
            now += pause;
            if life.is_over() {
                break;
            }
            assert_eq!(life.due_ns(), Some(now));
            life.restarted(now);
        }
        verdicts
    }

    #[test]
    fn pauses_double_up_to_their_limit() {
        let pauses: Vec<_> =
            history(policy(Restart::OnFault, 0), &[0; 10]).iter().map(|(_, pause)| pause / MS).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1_000, 1_000, 1_000]);
    }

    #[test]
    fn the_last_of_too_many_short_lives_ends_its_patience() {
        let verdicts = history(policy(Restart::OnFault, 3), &[0; 10]);
        assert_eq!(verdicts.len(), 3);
        assert_eq!(verdicts[2].0, Verdict::GiveUp);
    }

    #[test]
    fn a_long_life_is_followed_by_the_next_at_once_and_starts_the_count_again() {
        let verdicts = history(policy(Restart::OnFault, 3), &[0, 0, 100 * MS, 0, 0, 100 * MS, 0, 0, 0, 0]);
        let pauses: Vec<_> = verdicts.iter().map(|(_, pause)| pause / MS).collect();
        assert_eq!(pauses, [10, 20, 0, 10, 20, 0, 10, 20, 0]);
        assert_eq!(verdicts.last().map(|(verdict, _)| *verdict), Some(Verdict::GiveUp));
    }

    #[test]
    fn each_policy_restarts_after_the_ends_that_it_names() {
        let after = |restart, end| match Life::new(policy(restart, 5), 0).ended(end, MS) {
            Verdict::RestartAt(_) => "restart",
            Verdict::Over => "over",
            Verdict::GiveUp => "give up",
        };
        let row = |restart| [End::Done, End::Killed, End::Failed].map(|end| after(restart, end));
        assert_eq!(row(Restart::Never), ["over", "over", "give up"]);
        assert_eq!(row(Restart::OnFault), ["over", "over", "restart"]);
        assert_eq!(row(Restart::Always), ["restart", "restart", "restart"]);
    }

    #[test]
    fn a_status_tells_a_failure_from_being_done() {
        assert_eq!(End::of(FaultKind::Exited, 0), End::Done);
        assert_eq!(End::of(FaultKind::Exited, 1), End::Failed);
        for kind in FaultKind::ALL.into_iter().filter(|kind| kind.is_end()) {
            assert_eq!(End::of(kind, 0) == End::Failed, !kind.is_orderly(), "{kind:?}");
        }
    }

    #[test]
    fn a_restart_that_fails_is_a_life_that_did_not_last() {
        let mut life = Life::new(policy(Restart::OnFault, 3), 0);
        assert_eq!(life.ended(End::Failed, 5 * MS), Verdict::RestartAt(15 * MS));
        assert_eq!(life.ended(End::Failed, 500 * MS), Verdict::RestartAt(520 * MS));
        assert_eq!(life.ended(End::Failed, 900 * MS), Verdict::GiveUp);
        assert!(life.is_over());
        assert_eq!(life.ended(End::Failed, 901 * MS), Verdict::Over);
    }

    #[test]
    fn a_restart_that_fails_is_never_tried_again_at_once() {
        let hasty = Policy {
            restart: Restart::Always,
            minimum_run: Duration::ZERO,
            back_off: Duration::ZERO,
            give_up_after: 0,
            ..Policy::USUAL
        };
        let mut life = Life::new(hasty, 0);
        assert_eq!(life.ended(End::Failed, 5 * MS), Verdict::RestartAt(5 * MS));
        assert_eq!(life.ended(End::Failed, 5 * MS), Verdict::RestartAt(6 * MS));
    }

    proptest! {
        #[test]
        fn no_history_of_failures_makes_a_storm(
            lengths in proptest::collection::vec(prop_oneof![0..200 * MS, Just(0), Just(100 * MS)], 1..200),
            give_up_after in 0..10_u32,
        ) {
            let policy = policy(Restart::OnFault, give_up_after);
            let minimum = policy.minimum_run.as_nanos() as u64;
            let (mut row, mut last_pause) = (0, 0);
            for ((verdict, pause), length) in history(policy, &lengths).into_iter().zip(&lengths) {
                if *length >= minimum {
                    prop_assert_eq!((verdict == Verdict::GiveUp, pause), (false, 0));
                    (row, last_pause) = (0, 0);
                    continue;
                }
                row += 1;
                // It gives up at the count and not before, and until then each pause is at least as long as the last.
                prop_assert_eq!(verdict == Verdict::GiveUp, give_up_after != 0 && row == give_up_after);
                if verdict != Verdict::GiveUp {
                    prop_assert!(pause >= last_pause && (10 * MS..=1_000 * MS).contains(&pause));
                    last_pause = pause;
                }
            }
        }

        #[test]
        fn no_time_and_no_policy_overflows(
            since: u64, at: u64, minimum: u64, back_off: u64, limit: u64, rounds in 1..80_u32,
        ) {
            let policy = Policy {
                restart: Restart::Always,
                minimum_run: Duration::from_millis(minimum),
                back_off: Duration::from_millis(back_off),
                back_off_limit: Duration::from_millis(limit),
                give_up_after: 0,
                missed_deadlines: 0,
            };
            let mut life = Life::new(policy, since);
            for _ in 0..rounds {
                match life.ended(End::Failed, at) {
                    Verdict::RestartAt(due) => prop_assert!(due >= at),
                    verdict => prop_assert!(false, "{verdict:?}"),
                }
                life.restarted(at);
            }
        }
    }

    #[test]
    fn a_wish_counts_more_than_the_policy() {
        for restart in Restart::ALL {
            let mut life = Life::new(policy(restart, 1), 0);
            assert_eq!(life.wished(Wish::Restart, 5 * MS), Asked::Kill);
            assert_eq!(life.ended(End::Killed, 6 * MS), Verdict::RestartAt(6 * MS));
            life.restarted(6 * MS);
            assert_eq!(life.wished(Wish::Stop, 7 * MS), Asked::Kill);
            assert_eq!(life.ended(End::Killed, 8 * MS), Verdict::GiveUp);
            assert!(life.is_over());
            assert_eq!(life.wished(Wish::Stop, 8 * MS), Asked::Now(Verdict::Over));
            // Down for good, and yet.
            assert_eq!(life.wished(Wish::Restart, 9 * MS), Asked::Now(Verdict::RestartAt(9 * MS)));
            assert_eq!(life.due_ns(), Some(9 * MS));
            life.restarted(9 * MS);
            assert!(!life.is_over());
        }
    }

    #[test]
    fn a_wish_ends_a_pause_and_is_fulfilled_once() {
        let mut life = Life::new(policy(Restart::Always, 0), 0);
        assert_eq!(life.ended(End::Failed, MS), Verdict::RestartAt(11 * MS));
        assert_eq!(life.wished(Wish::Restart, 2 * MS), Asked::Now(Verdict::RestartAt(2 * MS)));
        life.restarted(2 * MS);
        // The next end is the policy's again, and its failures begin anew.
        assert_eq!(life.ended(End::Failed, 3 * MS), Verdict::RestartAt(13 * MS));
        assert_eq!(life.wished(Wish::Stop, 4 * MS), Asked::Now(Verdict::GiveUp));
        assert!(life.is_over());
    }
}
