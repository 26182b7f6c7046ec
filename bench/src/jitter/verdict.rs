//! What ours must reach beside its rival.
//!
//! Sleeping: each figure below the rival's. Spinning: as late as a thread of Linux that spins, within what turns of one and the same contestant differ by, or
//! by one look at the clock, which from WebAssembly takes longer; and as much time lost in gaps, within the same. (Where about 1 % of the time is lost, p99 is at an edge, and
//! that sum says more.)

use super::case::{How, Row, Turn, rival};
use super::distribution::Distribution;
use crate::requirement::{State, Verdict};
use crate::samples::smallest_and_largest;

/// The figures that are compared, by name and share of the samples; the last is the worst.
pub(super) const FIGURES: [(&str, Option<f64>); 4] =
    [("p50", Some(0.5)), ("p99", Some(0.99)), ("p99.99", Some(0.9999)), ("max", None)];

/// A figure of a distribution, in ns; `None` where there are too few samples.
pub(super) fn figure_of(late: &Distribution, share: Option<f64>) -> Option<f64> {
    match share {
        Some(share) => late.at(share),
        None => (late.total() > 0).then(|| late.max_ns()),
    }
}

/// A verdict for each figure, and of who spins for the time lost in gaps.
pub(super) fn verdicts(how: How, ours: Option<&Row>, other: Option<&Row>) -> Vec<Verdict> {
    let name = rival(how);
    let mut verdicts: Vec<Verdict> = FIGURES
        .into_iter()
        .map(|(figure, share)| {
            let (requirement, reached) = match how {
                How::Sleeping => (format!("{figure} below {name}"), below(ours, other, share)),
                How::Spinning => {
                    (format!("{figure} as {name}, within their turns"), as_late(ours, other, share))
                }
            };
            verdict(requirement, reached)
        })
        .collect();
    if how == How::Spinning {
        let requirement = format!("time lost in gaps as {name}, within their turns");
        verdicts.push(verdict(requirement, as_much_lost(ours, other)));
    }
    verdicts
}

/// `reached`: a figure, and whether it is good enough; `None` if there is none.
fn verdict(requirement: String, reached: Option<(f64, bool)>) -> Verdict {
    Verdict {
        requirement,
        reached: reached.map(|(value, _)| value),
        state: match reached {
            Some((_, true)) => State::Met,
            Some((_, false)) => State::Missed,
            None => State::Unverified,
        },
    }
}

/// How many times the rival's figure ours is, of all turns, and whether it is below.
fn below(ours: Option<&Row>, other: Option<&Row>, share: Option<f64>) -> Option<(f64, bool)> {
    let ours = figure_of(&ours?.late(), share)?;
    let other = figure_of(&other?.late(), share)?;
    Some((if other > 0.0 { ours / other } else { f64::INFINITY }, ours < other))
}

/// The same ratio, and whether a turn of ours is no later than a turn of the rival's, or by one look at most.
fn as_late(ours: Option<&Row>, other: Option<&Row>, share: Option<f64>) -> Option<(f64, bool)> {
    let (ours, other) = (ours?, other?);
    let ratio = below(Some(ours), Some(other), share)?.0;
    let (best, _) = spread(ours, share)?;
    let (_, worst) = spread(other, share)?;
    let look_ns = ours.gaps().and_then(|gaps| gaps.look_ns).unwrap_or(0) as f64;
    Some((ratio, best <= worst + look_ns))
}

/// How many times what the rival loses in gaps ours loses, and whether a turn of ours loses no more than one of its.
fn as_much_lost(ours: Option<&Row>, other: Option<&Row>) -> Option<(f64, bool)> {
    let (ours, other) = (lost(ours?)?, lost(other?)?);
    let mean = |lost: &[f64]| lost.iter().sum::<f64>() / lost.len() as f64;
    let (best, _) = smallest_and_largest(ours.iter().copied());
    let (_, worst) = smallest_and_largest(other.iter().copied());
    let ratio = if mean(&other) > 0.0 { mean(&ours) / mean(&other) } else { f64::INFINITY };
    Some((ratio, best <= worst))
}

/// What each turn has lost in gaps, in ns of a period; `None` if one of them does not say.
fn lost(row: &Row) -> Option<Vec<f64>> {
    let of_turn = |turn: &Turn| {
        let lost_ns = turn.gaps.as_ref()?.lost_ns?;
        (turn.periods > 0).then(|| lost_ns as f64 / turn.periods as f64)
    };
    let lost: Option<Vec<f64>> = row.turns().iter().map(of_turn).collect();
    lost.filter(|lost| !lost.is_empty())
}

/// The lowest and the highest figure of a turn. A percentile that a turn has too few samples for is that of all turns.
pub(super) fn spread(row: &Row, share: Option<f64>) -> Option<(f64, f64)> {
    let of_turn = |turn: &Turn| figure_of(&turn.late, share);
    let of_turns: Option<Vec<f64>> = row.turns().iter().map(of_turn).collect();
    let figures = match of_turns.filter(|figures| !figures.is_empty()) {
        Some(figures) => figures,
        None => vec![figure_of(&row.late(), share)?],
    };
    Some(smallest_and_largest(figures.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::super::case::tests::{case, row};
    use super::*;

    fn states(verdicts: &[Verdict]) -> Vec<State> {
        verdicts.iter().map(|verdict| verdict.state).collect()
    }

    #[test]
    fn who_sleeps_must_be_below_in_each_figure() {
        let verdicts = case().verdicts();
        assert_eq!(states(&verdicts), [State::Met, State::Met, State::Met, State::Missed]);
        assert_eq!(verdicts[0].requirement, "p50 below cyclictest");
        assert!((verdicts[3].reached.expect("figures") - 2.25).abs() < 0.01, "{verdicts:?}");
    }

    #[test]
    fn who_spins_must_be_within_the_rivals_turns_or_a_look() {
        let ours = row("ours", Ok(&[&[(60, 10_000), (9_000, 200)], &[(61, 10_000), (20_000, 200)]]));
        let other = row("linux-thread", Ok(&[&[(25, 10_000), (5_000, 200)], &[(26, 10_000), (10_000, 200)]]));
        let verdicts = verdicts(How::Spinning, Some(&ours), Some(&other));
        // Its p50 is later by less than a look of 40 ns; its best turn's p99 and worst are within the rival's turns; for p99.99 there are too few. Both lost as much.
        assert_eq!(states(&verdicts), [State::Met, State::Met, State::Unverified, State::Met, State::Met]);
        let mut busier = ours.clone();
        if let Ok(turns) = &mut busier.turns {
            turns.iter_mut().for_each(|turn| turn.periods /= 2);
        }
        let lost =
            super::verdicts(How::Spinning, Some(&busier), Some(&other)).pop().expect("the sum of gaps");
        assert_eq!(lost.state, State::Missed);
        assert!((lost.reached.expect("a ratio") - 2.0).abs() < 0.01, "{lost:?}");
        let late = row("ours", Ok(&[&[(120, 10_000), (11_000, 200)]]));
        let verdicts = super::verdicts(How::Spinning, Some(&late), Some(&other));
        assert_eq!(states(&verdicts)[..2], [State::Missed, State::Missed]);
    }

    #[test]
    fn without_a_rival_nothing_is_verified() {
        let mut case = case();
        case.rows[1].turns = Err("not installed".to_owned());
        assert_eq!(states(&case.verdicts()), [State::Unverified; 4]);
        assert!(!case.is_met());
        case.rows.pop();
        assert_eq!(states(&case.verdicts()), [State::Unverified; 4]);
    }
}
