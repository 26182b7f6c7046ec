//! The steps towards cores of one's own, each as a finding. What they need is known to [`tier`](crate::host::tier) alone: this only
//! compares what this process would reach with what root would.

use super::finding::{Finding, Thing};
use crate::host::tier::{Outcome, StepName, TierReport};

/// What this process would reach, and what root would, as far as that can be known.
#[derive(Clone, Debug)]
pub(super) struct Forecasts {
    /// As whoever asks.
    pub(super) own: TierReport,
    /// As root; the same if root asks.
    pub(super) root: TierReport,
}

impl Forecasts {
    /// A step as a finding; `found` is told in front of what the step says. `None` for a step that does not exist here.
    pub(super) fn finding(&self, name: StepName, thing: Thing, found: &str) -> Option<Finding> {
        let all = |parts: &[&str]| {
            let parts = parts.iter().filter(|part| !part.is_empty());
            parts.copied().collect::<Vec<_>>().join("; ")
        };
        Some(match (self.own.outcome(name)?, self.root.outcome(name)?) {
            (Outcome::Done { how }, _) => thing.pass(all(&[found, how])),
            // It makes no difference to anybody.
            (Outcome::NotNeeded { why }, _) | (_, Outcome::NotNeeded { why }) => {
                thing.pass(all(&[found, why]))
            }
            (Outcome::Missing { why, remedy }, Outcome::Done { how }) => {
                thing.warn(all(&[found, why, &format!("as root: {how}")]), remedy)
            }
            (own @ Outcome::Missing { why, remedy }, root) if own == root => {
                thing.warn(all(&[found, why]), remedy)
            }
            (Outcome::Missing { why, remedy }, Outcome::Missing { why: too, remedy: more }) => {
                thing.warn(all(&[found, why, &format!("as root: {too}")]), format!("{remedy}; and {more}"))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::{Topic, Verdict};
    use super::*;
    use crate::host::tier::Tier;

    const THING: Thing = Thing::new(Topic::Tier, "thing", "Why.");

    fn report(outcome: Outcome) -> TierReport {
        let mut report = TierReport {
            tier: Tier::Shared,
            programs: "1".parse().unwrap(),
            housekeeping: "0".parse().unwrap(),
            steps: Vec::new(),
            took_ns: 0,
        };
        report.set(StepName::Interrupts, outcome);
        report
    }

    fn finding(own: Outcome, root: Outcome) -> Finding {
        let forecasts = Forecasts { own: report(own), root: report(root) };
        forecasts.finding(StepName::Interrupts, THING, "three").unwrap()
    }

    #[test]
    fn what_root_would_reach_is_told_to_others() {
        let missing = || Outcome::missing("only root may", "use sudo");
        let done = finding(missing(), Outcome::done("it works"));
        assert_eq!(
            (done.verdict, done.found.as_str()),
            (Verdict::Warn, "three; only root may; as root: it works")
        );
        let closed = finding(missing(), Outcome::missing("read-only", "mount it"));
        assert_eq!(closed.fix.unwrap(), "use sudo; and mount it");
        assert_eq!(finding(missing(), missing()).found, "three; only root may");
    }

    #[test]
    fn what_makes_no_difference_to_root_makes_none() {
        let finding = finding(Outcome::missing("only root may", "use sudo"), Outcome::not_needed("harmless"));
        assert_eq!((finding.verdict, finding.found.as_str()), (Verdict::Pass, "three; harmless"));
    }

    #[test]
    fn a_step_that_does_not_exist_is_no_finding() {
        let forecasts = Forecasts { own: report(Outcome::done("")), root: report(Outcome::done("")) };
        assert_eq!(forecasts.finding(StepName::Watchdog, THING, ""), None);
    }
}
