//! What was found, for people and programs.

mod chart;
mod curves;
mod svg;
mod text;

pub use chart::chart;
pub use svg::svg;
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
