//! What was found, for people and programs.

mod chart;
mod plot;
mod svg;
mod table;
mod text;

pub use chart::{chart, chart_of};
pub use plot::{Curve, Plot, Scale, Unit};
pub use svg::{escaped, svg, svg_in_page};
pub use table::aligned;
pub use text::text;

use crate::sweep::Report;

/// One line of JSON.
///
/// # Panics
/// Never: all that a report has can be written.
#[must_use]
#[expect(clippy::expect_used, reason = "numbers and texts can always be written")]
pub fn json(report: &Report) -> String {
    serde_json::to_string(report).expect("numbers and texts")
}
