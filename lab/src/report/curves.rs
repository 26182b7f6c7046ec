//! A report as curves: slowdowns over load, on a logarithmic scale.

use crate::sweep::{Kind, Report};

/// One participant's curve.
pub(super) struct Curve<'r> {
    pub name: &'r str,
    pub is_model: bool,
    /// Load and slowdown, where both are known.
    pub points: Vec<(f64, f64)>,
}

/// All curves, and what they span.
pub(super) struct Curves<'r> {
    pub curves: Vec<Curve<'r>>,
    /// Least and most load.
    pub loads: (f64, f64),
    /// Powers of ten that bound the slowdowns.
    pub decades: (i32, i32),
}

impl<'r> Curves<'r> {
    /// `None`: there is nothing to draw.
    pub fn of(report: &'r Report) -> Option<Self> {
        let curve = |participant: &'r crate::sweep::Participant| {
            let points = participant.points.iter().filter_map(|point| Some((point.load, point.slowdown?)));
            Curve {
                name: &participant.name,
                is_model: participant.kind == Kind::Model,
                points: points.collect(),
            }
        };
        let curves: Vec<_> =
            report.participants.iter().map(curve).filter(|curve| !curve.points.is_empty()).collect();
        let points = || curves.iter().flat_map(|curve| curve.points.iter().copied());
        let loads = (
            points().map(|(load, _)| load).reduce(f64::min)?,
            points().map(|(load, _)| load).reduce(f64::max)?,
        );
        let most = points().map(|(_, slowdown)| slowdown).fold(report.bound.slowdown, f64::max);
        // A slowdown is at least about 1.
        let decades = (0, (most.max(1.1).log10().ceil() as i32).clamp(1, 9));
        Some(Self { curves, loads, decades })
    }

    /// Where a load is between left (0) and right (1).
    pub fn across(&self, load: f64) -> f64 {
        let (least, most) = self.loads;
        if most > least { (load - least) / (most - least) } else { 0.5 }
    }

    /// Where a slowdown is between bottom (0) and top (1).
    pub fn up(&self, slowdown: f64) -> f64 {
        let (least, most) = (f64::from(self.decades.0), f64::from(self.decades.1));
        ((slowdown.max(1e-9).log10() - least) / (most - least)).clamp(0.0, 1.0)
    }
}
