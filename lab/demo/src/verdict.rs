//! Where a rival is better than ours.

use hallows_load::duration::shown;
use serde::Serialize;

use crate::demonstration::{Participant, Report};
use crate::{PERCENTILES, Part, Point};

/// A figure in which a rival was better.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Loss {
    /// At which load, in requests a second; `None`: it is of no load.
    pub load: Option<f64>,
    /// Which figure.
    pub figure: String,
    /// Who.
    pub rival: String,
    /// His figure, and ours.
    pub theirs: String,
    /// See `theirs`.
    pub ours: String,
}

/// All of them. `None`: ours was not measured, and nothing is compared.
#[must_use]
pub fn losses(report: &Report) -> Option<Vec<Loss>> {
    let own = report.participants.iter().find(|one| one.part == Part::Ours && !one.points.is_empty())?;
    let mut losses = Vec::new();
    for rival in report.participants.iter().filter(|one| one.part == Part::Rival) {
        if let (Some(theirs), Some(ours)) = (rival.capacity_per_second, own.capacity_per_second)
            && theirs > ours
        {
            losses.push(loss(
                None,
                "requests a second at most",
                rival,
                format!("{theirs:.0}"),
                format!("{ours:.0}"),
            ));
        }
        if own.slow_request == rival.slow_request
            && let (Some(theirs), Some(ours)) = (rival.slow_alone_ns, own.slow_alone_ns)
            && theirs < ours
        {
            losses.push(loss(None, "a slow request alone", rival, shown(theirs), shown(ours)));
        }
        for theirs in &rival.points {
            let load = Some(theirs.offered_per_second);
            match own.at(theirs.offered_per_second) {
                None => losses.push(loss(
                    load,
                    "it got that far",
                    rival,
                    format!("{:.0}/s done", theirs.done_per_second),
                    "was not offered it".to_owned(),
                )),
                Some(ours) => at_one_load(&mut losses, rival, theirs, ours),
            }
        }
    }
    Some(losses)
}

fn at_one_load(losses: &mut Vec<Loss>, rival: &Participant, theirs: &Point, ours: &Point) {
    let load = Some(theirs.offered_per_second);
    let same = theirs.classes.iter().filter_map(|class| {
        let own = ours.classes.iter().find(|own| own.class == class.class && own.request == class.request)?;
        Some((class, own))
    });
    if theirs.kept_up && ours.kept_up {
        for (class, own) in same {
            for (name, of) in PERCENTILES {
                if let (Some(theirs_ns), Some(ours_ns)) = (of(&class.latency_ns), of(&own.latency_ns))
                    && theirs_ns < ours_ns
                {
                    losses.push(loss(
                        load,
                        &format!("{}, {name}", class.class),
                        rival,
                        shown(theirs_ns),
                        shown(ours_ns),
                    ));
                }
            }
        }
    }
    if let (Some(theirs), Some(ours)) = (theirs.requests_per_core_second, ours.requests_per_core_second)
        && theirs > ours
    {
        losses.push(loss(
            load,
            "requests for each second of a core",
            rival,
            format!("{theirs:.0}"),
            format!("{ours:.0}"),
        ));
    }
    if theirs.unfinished + theirs.wrong < ours.unfinished + ours.wrong {
        let undone = |point: &Point| format!("{}", point.unfinished + point.wrong);
        losses.push(loss(load, "requests undone or wrong", rival, undone(theirs), undone(ours)));
    }
}

fn loss(load: Option<f64>, figure: &str, rival: &Participant, theirs: String, ours: String) -> Loss {
    Loss { load, figure: figure.to_owned(), rival: rival.name.clone(), theirs, ours }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demonstration::tests::report;

    #[test]
    fn every_figure_in_which_a_rival_is_better_is_found_and_no_other() {
        let report = report();
        let losses = losses(&report).expect("ours is there");
        let found: Vec<_> = losses
            .iter()
            .map(|loss| (loss.load.map(|load| load as u64), loss.figure.as_str(), loss.rival.as_str()))
            .collect();
        // The report's ours is twice as slow at p50 of quick ones at the lower load, and dearer there.
        assert_eq!(
            found,
            [
                (Some(1_000), "quick, p50", "redis"),
                (Some(1_000), "requests for each second of a core", "redis")
            ],
            "{losses:?}"
        );
        assert_eq!((losses[0].theirs.as_str(), losses[0].ours.as_str()), ("50.0 us", "100 us"));
    }

    #[test]
    fn points_of_a_late_generator_and_other_requests_are_not_compared() {
        let mut late = report();
        late.participants[1].points[0].kept_up = false;
        assert!(losses(&late).expect("ours").iter().all(|loss| loss.figure != "quick, p50"));
        let mut other = report();
        other.participants[1].points[0].classes[0].request = "PING".to_owned();
        assert!(losses(&other).expect("ours").iter().all(|loss| loss.figure != "quick, p50"));
    }

    #[test]
    fn without_ours_nothing_is_compared_and_who_gets_further_has_won() {
        let mut report = report();
        let lost = report.participants[0].points.pop();
        assert!(
            lost.is_some()
                && losses(&report).expect("ours").iter().any(|loss| loss.figure == "it got that far")
        );
        report.participants.remove(0);
        assert_eq!(losses(&report), None);
    }
}
