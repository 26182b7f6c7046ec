//! A case: a tier, a way to be there in time, what runs beside, and what everybody reached.

use std::fmt;

use serde::Serialize;

use super::NAME;
use super::advice::{Culprit, Seen, culprits};
use super::counters::Change;
use super::distribution::Distribution;
use super::verdict::verdicts;
use crate::contestant::Description;
use crate::cores::Core;
use crate::requirement::{State, Verdict};

/// How a program is there in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// It sleeps, and is woken.
    Sleeping,
    /// It looks at the clock all the time.
    Spinning,
}

impl How {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sleeping, Self::Spinning];

    /// As programs are told it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sleeping => "sleeping",
            Self::Spinning => "spinning",
        }
    }
}

/// What runs beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Beside {
    /// Nothing of ours.
    Alone,
    /// A memory-bandwidth antagonist ([`super::antagonist`]).
    Antagonist,
}

impl Beside {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Alone, Self::Antagonist];

    /// As in a title.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alone => "alone",
            Self::Antagonist => "antagonist",
        }
    }
}

/// Which case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title {
    /// `shared`, `isolated` or `booted`.
    pub tier: String,
    /// How they are there in time.
    pub how: How,
    /// What runs beside.
    pub beside: Beside,
}

impl Title {
    /// `isolated/sleeping/alone`.
    #[must_use]
    pub fn variant(&self) -> String {
        format!("{}/{}/{}", self.tier, self.how.name(), self.beside.name())
    }

    /// Whether a name means this case: `jitter` means all, `jitter/sleeping` some, `jitter/shared/alone` fewer. `best` is whatever tier is above `shared`.
    #[must_use]
    pub fn is_meant(&self, name: &str) -> bool {
        let mut parts = name.split('/');
        parts.next() == Some(NAME)
            && parts.all(|part| {
                [self.tier.as_str(), self.how.name(), self.beside.name()].contains(&part)
                    || part != "shared" && self.tier != "shared" && TIERS.contains(&part)
            })
    }
}

/// Words for tiers in a name.
const TIERS: [&str; 4] = ["shared", "isolated", "booted", "best"];

/// Whether a name is one of jitter, whatever cases it means.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let words = How::ALL.map(How::name).into_iter().chain(Beside::ALL.map(Beside::name)).chain(TIERS);
    let words: Vec<&str> = words.collect();
    let mut parts = name.split('/');
    parts.next() == Some(NAME) && parts.all(|part| words.contains(&part))
}

impl fmt::Display for Title {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{NAME}/{}", self.variant())
    }
}

/// What one contestant measured in one turn.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// How late it was; of a contestant that only spins, nothing.
    pub late: Distribution,
    /// How many times it was to be there.
    pub periods: u64,
    /// Gaps of the time-stamp counter while it spun.
    pub gaps: Option<Gaps>,
    /// What Linux counted meanwhile.
    pub change: Change,
}

/// Stretches that were taken away from who spins.
#[derive(Clone, Debug, Default)]
pub struct Gaps {
    /// Their lengths.
    pub lengths: Distribution,
    /// How long they were together, in ns; `None` of a contestant that does not say.
    pub lost_ns: Option<u64>,
    /// The mean time between two looks at the clock otherwise, in ns.
    pub look_ns: Option<u64>,
}

/// A contestant and its turns, or why it has none.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who.
    pub description: Description,
    /// The turns in their order.
    pub turns: Result<Vec<Turn>, String>,
}

impl Row {
    /// Its turns; none if it has no figures.
    #[must_use]
    pub fn turns(&self) -> &[Turn] {
        self.turns.as_deref().unwrap_or_default()
    }

    /// How late it was in all turns.
    #[must_use]
    pub fn late(&self) -> Distribution {
        self.turns().iter().fold(Distribution::default(), |mut all, turn| {
            all.merge(&turn.late);
            all
        })
    }

    /// Its gaps in all turns, if it spun.
    #[must_use]
    pub fn gaps(&self) -> Option<Gaps> {
        let mut gaps = self.turns().iter().filter_map(|turn| turn.gaps.as_ref());
        let mut all = gaps.next()?.clone();
        for more in gaps {
            all.lengths.merge(&more.lengths);
            all.lost_ns = all.lost_ns.zip(more.lost_ns).map(|(one, other)| one + other);
            all.look_ns = all.look_ns.max(more.look_ns);
        }
        Some(all)
    }

    /// What Linux counted in all turns.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        let mut changes = self.turns().iter().map(|turn| &turn.change);
        let mut all = changes.next()?.clone();
        changes.for_each(|change| all.add(change));
        Some(all)
    }

    /// How many times it was to be there, and was not: the time had passed before it got there.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.turns().iter().map(|turn| turn.periods.saturating_sub(turn.late.total())).sum()
    }
}

/// A case with all that is to be said of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Which.
    pub title: Title,
    /// The period, in ns.
    pub period_ns: u64,
    /// The core that everybody is measured on.
    pub core: Core,
    /// The core of timekeeper and everything else.
    pub other_core: Core,
    /// The antagonist's core, if there is one.
    pub antagonist: Option<Core>,
    /// Why the tier is no better, or is not there: reasons with remedies.
    pub tier: Vec<String>,
    /// Turns of each.
    pub rounds: u32,
    /// Ours first.
    pub rows: Vec<Row>,
}

/// The rival of each way, by name.
pub(super) const fn rival(how: How) -> &'static str {
    match how {
        How::Sleeping => "cyclictest",
        How::Spinning => "linux-thread",
    }
}

impl Case {
    /// Whether ours reached what it must, figure by figure.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        let find = |name| self.rows.iter().find(|row| row.description.name == name);
        verdicts(self.title.how, find("ours"), find(rival(self.title.how)))
    }

    /// Whether it reached all of it.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.verdicts().iter().all(|verdict| verdict.state == State::Met)
    }

    /// The culprits that Linux's counters show in the turns of a row.
    #[must_use]
    pub fn culprits(&self, row: &Row) -> Vec<Culprit> {
        let Some(change) = row.change() else { return Vec::new() };
        let gaps = row.gaps().map(|gaps| (gaps.lengths.total(), gaps.lost_ns.unwrap_or(0)));
        culprits(&Seen {
            how: self.title.how,
            core: self.core.0,
            other_core: self.other_core.0,
            gaps,
            change: &change,
        })
    }

    /// One operation, in a sentence.
    #[must_use]
    pub fn what(&self) -> String {
        let how = match self.title.how {
            How::Sleeping => "sleeps until each",
            How::Spinning => "looks at the clock until each",
        };
        let beside = self.antagonist.map_or("alone".to_owned(), |core| {
            let shares = if core == self.other_core { ", the timekeeper's, which it shares" } else { "" };
            format!("beside a memory-bandwidth antagonist on core {core}{shares}")
        });
        let period_us = self.period_ns as f64 / 1e3;
        format!("how late a program is that {how} {period_us} µs, at tier {}, {beside}", self.title.tier)
    }

    /// What is and what is not on the measured path.
    #[must_use]
    pub const fn path(&self) -> &'static str {
        match self.title.how {
            How::Sleeping => {
                "on it, ours: a look of the idle core at the clock and at what is due, the kernel's switch to the cell, a reading of the clock \
                 from WebAssembly. The program's core itself looks for work for some hundred microseconds before it sleeps (20,000 looks): with shorter periods it never does, \
                 and is busy all the time; with longer ones it sleeps until shortly before, so a timer of Linux is on the path where that is later than ever before; what it leaves for 20 us the timekeeper sees to. cyclictest: a timer of Linux on its own core, \
                 the way out of its sleep, the scheduler, a reading of the clock. Not on it: any work of the program, and periods that had passed when it got there (missed)"
            }
            How::Spinning => {
                "on it: whatever takes the core between two readings of the clock, and a reading. Not on it: any sleep or wake-up; isolation by cells, which is not at work \
                 while a program computes. Ours runs on the same cores under the same Linux as a thread of it would: equal is what is to be expected"
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn row(name: &str, turns: Result<&[&[(u64, u64)]], &str>) -> Row {
        let description =
            Description { name: name.to_owned(), configuration: "as it is".to_owned(), cores_used: 1 };
        let turn = |counts: &&[(u64, u64)]| {
            let late = Distribution::of(counts.iter().copied());
            let periods = late.total() + 2;
            let gaps =
                Gaps { lengths: Distribution::of([(5_000, 10)]), lost_ns: Some(50_000), look_ns: Some(40) };
            Turn { late, periods, gaps: Some(gaps), change: Change { seconds: 1.0, ..Change::default() } }
        };
        Row { description, turns: turns.map(|turns| turns.iter().map(turn).collect()).map_err(str::to_owned) }
    }

    /// Ours is earlier than cyclictest but for its worst.
    pub(crate) fn case() -> Case {
        Case {
            title: Title { tier: "isolated".to_owned(), how: How::Sleeping, beside: Beside::Antagonist },
            period_ns: 100_000,
            core: Core(1),
            other_core: Core(0),
            antagonist: Some(Core(0)),
            tier: vec!["no tick: the kernel has one; boot with nohz_full=1".to_owned()],
            rounds: 2,
            rows: vec![
                row("ours", Ok(&[&[(9_000, 49_100), (30_000, 900)], &[(10_000, 50_000), (90_000, 1)]])),
                row("cyclictest", Ok(&[&[(20_000, 50_000)], &[(21_000, 49_900), (40_000, 100)]])),
            ],
        }
    }

    #[test]
    fn turns_add_up() {
        let case = case();
        let ours = &case.rows[0];
        assert_eq!((ours.late().total(), ours.missed()), (100_001, 4));
        let gaps = ours.gaps().expect("it spun");
        assert_eq!((gaps.lengths.total(), gaps.lost_ns, gaps.look_ns), (20, Some(100_000), Some(40)));
        assert_eq!(ours.change().map(|change| change.seconds), Some(2.0));
        let absent = row("cyclictest", Err("not installed"));
        assert!(absent.change().is_none() && absent.gaps().is_none() && absent.missed() == 0);
    }

    #[test]
    fn names_mean_cases() {
        let title = case().title;
        for name in [
            "jitter",
            "jitter/isolated",
            "jitter/best",
            "jitter/sleeping",
            "jitter/antagonist/isolated/sleeping",
        ] {
            assert!(is_name(name) && title.is_meant(name), "{name}");
        }
        for name in ["jitter/shared", "jitter/alone", "jitter/isolated/spinning"] {
            assert!(is_name(name) && !title.is_meant(name), "{name}");
        }
        for name in ["jitters", "jitter/", "jitter/asleep", "null-call"] {
            assert!(!is_name(name), "{name}");
        }
        assert_eq!(title.to_string(), "jitter/isolated/sleeping/antagonist");
    }
}
