//! Curves over an axis, on a logarithmic scale: what charts and pictures draw.

use hallows_load::duration::shown;

use crate::sweep::{Kind, Participant, Report};

/// One curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Whose.
    pub name: String,
    /// Whether it was computed, and not measured: it is drawn with dashes.
    pub is_model: bool,
    /// What was offered, and what came of it, in order. A curve without any keeps its letter and its colour.
    pub points: Vec<(f64, f64)>,
}

/// What values are, and how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Multiples, of at least 1.
    Times,
    /// Lengths of time, in ns.
    Nanoseconds,
}

/// How what goes across is spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equally long.
    Linear,
    /// Equal ratios are.
    Logarithmic,
}

/// Curves, and what is written beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    /// Above.
    pub title: String,
    /// Below: what goes from left to right.
    pub across: String,
    /// How it is spread.
    pub scale: Scale,
    /// What goes up.
    pub unit: Unit,
    /// All curves.
    pub curves: Vec<Curve>,
    /// A value that a line is drawn at.
    pub bound: Option<f64>,
}

/// What the curves of a plot span.
pub(super) struct Span {
    /// Least and most of what goes across.
    across: (f64, f64),
    scale: Scale,
    /// Powers of ten that bound the values.
    pub decades: (i32, i32),
}

impl Plot {
    /// The slowdowns of a sweep, over load.
    #[must_use]
    pub fn of_slowdowns(report: &Report) -> Self {
        let curve = |participant: &Participant| Curve {
            name: participant.name.clone(),
            is_model: participant.kind == Kind::Model,
            points: participant
                .points
                .iter()
                .filter_map(|point| Some((point.load, point.slowdown?)))
                .collect(),
        };
        Self {
            title: format!("slowdown, p{}, over load", report.bound.percent),
            across: "load (1: all the time of the core)".to_owned(),
            scale: Scale::Linear,
            unit: Unit::Times,
            curves: report.participants.iter().map(curve).collect(),
            bound: Some(report.bound.slowdown),
        }
    }

    /// `None`: there is nothing to draw.
    pub(super) fn span(&self) -> Option<Span> {
        let points = || self.curves.iter().flat_map(|curve| curve.points.iter().copied());
        let across =
            (points().map(|(at, _)| at).reduce(f64::min)?, points().map(|(at, _)| at).reduce(f64::max)?);
        let values = || points().map(|(_, value)| value).chain(self.bound);
        let decade = |value: f64| value.max(1.1).log10();
        let least = match self.unit {
            Unit::Times => 0,
            Unit::Nanoseconds => (decade(values().reduce(f64::min)?).floor() as i32).clamp(0, 11),
        };
        let most = (decade(values().reduce(f64::max)?).ceil() as i32).clamp(least + 1, 12);
        Some(Span { across, scale: self.scale, decades: (least, most) })
    }
}

impl Unit {
    /// A value at an axis.
    pub(super) fn axis(self, value: f64) -> String {
        match self {
            Self::Times => format!("{value}"),
            Self::Nanoseconds => {
                let text = shown(value);
                text.replace(".00", "").replace(".0", "")
            }
        }
    }

    /// A value that was measured.
    pub(super) fn exact(self, value: f64) -> String {
        match self {
            Self::Times => format!("{value:.2}×"),
            Self::Nanoseconds => shown(value),
        }
    }
}

impl Span {
    /// The least and the most that goes across.
    pub fn ends(&self) -> (f64, f64) {
        self.across
    }

    /// Where something is between left (0) and right (1).
    pub fn across(&self, at: f64) -> f64 {
        let place = |at: f64| if self.scale == Scale::Linear { at } else { at.max(1e-9).log10() };
        let (least, most, at) = (place(self.across.0), place(self.across.1), place(at));
        if most > least { (at - least) / (most - least) } else { 0.5 }
    }

    /// Where a value is between bottom (0) and top (1).
    pub fn up(&self, value: f64) -> f64 {
        let (least, most) = (f64::from(self.decades.0), f64::from(self.decades.1));
        ((value.max(1e-9).log10() - least) / (most - least)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_spans_whole_powers_of_ten_around_all_values() {
        let plot = |unit, values: &[f64], bound| Plot {
            title: String::new(),
            across: String::new(),
            scale: Scale::Logarithmic,
            unit,
            curves: vec![Curve {
                name: "one".to_owned(),
                is_model: false,
                points: values.iter().map(|value| (*value, *value)).collect(),
            }],
            bound,
        };
        let decades = |plot: Plot| plot.span().map(|span| span.decades);
        assert_eq!(decades(plot(Unit::Times, &[2.0, 20.0], Some(50.0))), Some((0, 2)));
        assert_eq!(decades(plot(Unit::Times, &[1.0], None)), Some((0, 1)));
        assert_eq!(decades(plot(Unit::Nanoseconds, &[30_000.0, 4e6], None)), Some((4, 7)));
        assert_eq!(decades(plot(Unit::Nanoseconds, &[1e6], None)), Some((6, 7)));
        assert_eq!(decades(plot(Unit::Nanoseconds, &[], None)), None);
        let span = plot(Unit::Times, &[100.0, 1_000.0, 10_000.0], None).span().expect("values");
        assert_eq!([100.0, 1_000.0, 10_000.0].map(|at| span.across(at)), [0.0, 0.5, 1.0]);
        assert_eq!(Unit::Nanoseconds.axis(1e7), "10 ms");
        assert_eq!(Unit::Times.axis(100.0), "100");
    }
}
