//! Which of two settings is better, by what was seen of each.

use alloc::vec::Vec;
use core::fmt;

use crate::objective::{ALL, Objective};
use crate::window::Window;

/// What a comparison says of the other setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is better.
    Better(Why),
    /// It is not.
    Worse(Why),
    /// More has to be seen.
    Open,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It keeps the objective, as the present one does, and costs less.
    Cheaper,
    /// It breaks the objective, which the present one keeps.
    Breaks,
    /// It keeps the objective, which the present one breaks.
    Keeps,
    /// More calls are answered.
    Faster,
    /// Fewer calls are answered.
    Slower,
    /// Nothing differs, and it costs more.
    Dearer,
    /// Calls take too long by less.
    Nearer,
    /// Calls take too long by more.
    Farther,
    /// Too few calls were seen to tell.
    Unseen,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cheaper => "it does as well and costs less",
            Self::Breaks => "it breaks the objective",
            Self::Keeps => "it keeps the objective",
            Self::Faster => "more calls are answered",
            Self::Slower => "fewer calls are answered",
            Self::Dearer => "it does no better and costs more",
            Self::Nearer => "calls take too long by less",
            Self::Farther => "calls take too long by more",
            Self::Unseen => "too few calls are seen",
        })
    }
}

/// Whether a window keeps an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeps {
    Surely,
    SoFar,
    NotSoFar,
    SurelyNot,
}

/// So many calls are looked at before few that took too long say that few do.
const SOME: u64 = 100;

fn keeps(window: &Window, beyond: u64) -> Keeps {
    // How many may take too long, and three standard deviations of a Poisson variable around that, all times ALL.
    let may = u128::from(window.timed) * u128::from(beyond);
    let are = u128::from(window.beyond) * u128::from(ALL);
    let all = u128::from(ALL);
    let spread = 3 * (may * all).isqrt().max(all / 3);
    if are > may + spread {
        Keeps::SurelyNot
    } else if are > may {
        Keeps::NotSoFar
    } else if are + spread <= may || window.beyond == 0 && window.timed >= SOME {
        Keeps::Surely
    } else {
        Keeps::SoFar
    }
}

/// Whether a window keeps an objective, as far as is known.
#[must_use]
pub fn is_kept(objective: Objective, window: &Window) -> bool {
    match objective {
        Objective::Throughput => true,
        Objective::Tail { beyond, .. } => keeps(window, beyond) != Keeps::SurelyNot,
    }
}

/// What was seen of two settings in turns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pairs {
    /// All windows of the present one.
    pub own: Window,
    /// All windows of the other one.
    pub other: Window,
    /// By which part the other one has answered more calls, pair by pair.
    gains: Vec<f64>,
}

impl Pairs {
    /// One more window of each.
    pub fn add(&mut self, own: Window, other: Window) {
        (self.own, self.other) = (self.own.and(own), self.other.and(other));
        let [one, two] = [own, other].map(|window| window.rate() as f64);
        self.gains.push(if one + two > 0.0 { 2.0 * (two - one) / (one + two) } else { 0.0 });
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.gains.len()
    }

    /// Whether none was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.gains.is_empty()
    }

    /// The mean gain, if it differs from none by more than three standard errors.
    fn clear_gain(&self) -> Option<f64> {
        let count = self.gains.len() as f64;
        let mean = self.gains.iter().sum::<f64>() / count;
        let squares: f64 = self.gains.iter().map(|gain| (gain - mean) * (gain - mean)).sum();
        let is_clear = self.len() >= FEWEST_PAIRS && mean * mean * count * (count - 1.0) > 9.0 * squares;
        is_clear.then_some(mean)
    }
}

/// Two of a kind may be alike by chance.
const FEWEST_PAIRS: usize = 3;
/// A gain that is worth a dearer setting.
const SOME_GAIN: f64 = 0.005;

/// Compares. `is_cheaper`: the other setting costs less. `is_last`: no more will be seen. Settings cost less the longer their times are.
#[must_use]
pub fn compare(objective: Objective, pairs: &Pairs, is_cheaper: bool, is_last: bool) -> Verdict {
    match objective {
        Objective::Throughput => by_rate(pairs, is_cheaper, is_last),
        Objective::Tail { beyond, .. } => by_tail(beyond, pairs, is_cheaper, is_last),
    }
}

fn by_rate(pairs: &Pairs, is_cheaper: bool, is_last: bool) -> Verdict {
    match pairs.clear_gain() {
        Some(gain) if gain > SOME_GAIN => return Verdict::Better(Why::Faster),
        Some(gain) if gain < -SOME_GAIN => return Verdict::Worse(Why::Slower),
        _ if !is_last => return Verdict::Open,
        _ => {}
    }
    if pairs.own.answered.max(pairs.other.answered) == 0 {
        Verdict::Worse(Why::Unseen)
    } else if is_cheaper {
        Verdict::Better(Why::Cheaper)
    } else {
        Verdict::Worse(Why::Dearer)
    }
}

fn by_tail(beyond: u64, pairs: &Pairs, is_cheaper: bool, is_last: bool) -> Verdict {
    let Pairs { own, other, .. } = pairs;
    let [one, two] = [own, other].map(|window| keeps(window, beyond));
    let keeps = |what| matches!(what, Keeps::Surely | Keeps::SoFar);
    let is_sure = |what| matches!(what, Keeps::Surely | Keeps::SurelyNot);
    if keeps(one) && two == Keeps::SurelyNot {
        return Verdict::Worse(Why::Breaks);
    }
    if one == Keeps::SurelyNot && own.beyond + other.beyond >= FEWEST_LATE {
        // What takes too long says most by how much: of nearly all calls the parts differ little.
        let share = if is_last { NEARER } else { MUCH_NEARER };
        if is_nearer(other, own, share) {
            return Verdict::Better(if keeps(two) { Why::Keeps } else { Why::Nearer });
        }
        if is_nearer(own, other, share) {
            return Verdict::Worse(Why::Farther);
        }
    }
    if !(is_last || is_sure(one) && is_sure(two) && keeps(one)) {
        return Verdict::Open;
    }
    if own.timed.min(other.timed) < SOME {
        return Verdict::Worse(Why::Unseen);
    }
    match (keeps(one), keeps(two)) {
        (true, true) if is_cheaper => Verdict::Better(Why::Cheaper),
        (false, true) => Verdict::Better(Why::Keeps),
        (true, false) => Verdict::Worse(Why::Breaks),
        (true, true) | (false, false) => Verdict::Worse(Why::Dearer),
    }
}

/// So many calls that took too long tell by how much they do.
const FEWEST_LATE: u64 = 10;
/// Less by so much is more than chance, among as many as are seen in the end, and after a window, in percent.
const NEARER: u64 = 90;
const MUCH_NEARER: u64 = 70;

/// Whether calls took too long by less than so many percent of what they did in another window.
pub(crate) fn is_nearer(near: &Window, far: &Window, percent: u64) -> bool {
    let product =
        |excess: u64, timed: u64, by: u64| u128::from(excess) * u128::from(timed.max(1)) * u128::from(by);
    product(near.excess, far.timed, 100) < product(far.excess, near.timed, percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: Objective = Objective::Tail { beyond: 10_000, bound_ns: 1 };

    fn tail(timed: u64, beyond: u64) -> Window {
        Window { span_ns: 1_000_000_000, answered: timed, timed, beyond, excess: beyond * 4 }
    }

    fn rate(answered: u64) -> Window {
        Window { span_ns: 1_000_000_000, answered, ..Window::default() }
    }

    fn pairs(all: &[(Window, Window)]) -> Pairs {
        let mut pairs = Pairs::default();
        all.iter().for_each(|(own, other)| pairs.add(*own, *other));
        pairs
    }

    #[test]
    fn tails_are_compared_by_whether_they_keep_the_objective_then_by_cost() {
        for (own, other, is_cheaper, verdict) in [
            (tail(1_000, 0), tail(1_000, 0), true, Verdict::Better(Why::Cheaper)),
            (tail(1_000, 0), tail(1_000, 0), false, Verdict::Worse(Why::Dearer)),
            (tail(1_000, 0), tail(1_000, 300), true, Verdict::Worse(Why::Breaks)),
            (tail(1_000, 300), tail(1_000, 0), false, Verdict::Better(Why::Keeps)),
            (tail(1_000, 300), tail(1_000, 100), false, Verdict::Better(Why::Nearer)),
            (tail(1_000, 100), tail(1_000, 300), true, Verdict::Worse(Why::Farther)),
            // Three of a hundred instead of one may be chance.
            (tail(100, 0), tail(100, 3), true, Verdict::Open),
            (tail(1_000, 300), tail(1_000, 305), false, Verdict::Open),
            (tail(10, 0), tail(10, 0), true, Verdict::Open),
            (tail(1_600, 80), tail(1_600, 10), false, Verdict::Better(Why::Keeps)),
        ] {
            let found = compare(TAIL, &pairs(&[(own, other)]), is_cheaper, false);
            assert_eq!(found, verdict, "{own:?} {other:?}");
        }
        let last = |own, other, is_cheaper| compare(TAIL, &pairs(&[(own, other)]), is_cheaper, true);
        for is_cheaper in [false, true] {
            assert_eq!(last(tail(1_000, 300), tail(1_000, 305), is_cheaper), Verdict::Worse(Why::Dearer));
            let later = Window { excess: 2_000, ..tail(1_000, 300) };
            assert_eq!(last(later, tail(1_000, 300), is_cheaper), Verdict::Better(Why::Nearer));
            assert_eq!(last(tail(1_000, 300), later, is_cheaper), Verdict::Worse(Why::Farther));
        }
        assert_eq!(last(tail(100, 0), tail(100, 3), true), Verdict::Worse(Why::Breaks));
    }

    #[test]
    fn rates_are_compared_by_more_than_chance_then_by_cost() {
        let seen = |rates: &[(u64, u64)], is_cheaper, is_last| {
            let all: Vec<_> = rates.iter().map(|(own, other)| (rate(*own), rate(*other))).collect();
            compare(Objective::Throughput, &pairs(&all), is_cheaper, is_last)
        };
        let faster = [(1_000, 1_100), (1_010, 1_100), (1_000, 1_090)];
        assert_eq!(seen(&faster, false, false), Verdict::Better(Why::Faster));
        assert_eq!(seen(&faster[..2], false, false), Verdict::Open, "two may be chance");
        let slower = faster.map(|(own, other)| (other, own));
        assert_eq!(seen(&slower, true, false), Verdict::Worse(Why::Slower));
        // More on the average, but here and there.
        let varied = [(1_000, 1_500), (1_500, 1_000), (1_000, 1_400), (1_300, 1_200)];
        assert_eq!(seen(&varied, false, false), Verdict::Open);
        assert_eq!(seen(&varied, true, true), Verdict::Better(Why::Cheaper));
        assert_eq!(seen(&varied, false, true), Verdict::Worse(Why::Dearer));
        assert_eq!(seen(&[(0, 0); 8], true, true), Verdict::Worse(Why::Unseen));
    }

    #[test]
    fn nothing_seen_is_nothing_known() {
        let nothing = Pairs::default();
        for objective in [TAIL, Objective::Throughput] {
            assert_eq!(compare(objective, &nothing, true, false), Verdict::Open);
            assert_eq!(compare(objective, &nothing, true, true), Verdict::Worse(Why::Unseen));
        }
    }
}
