//! What was found, for people and programs.

mod curves;
mod svg;
mod text;

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

/// Requests in a second as people read them: `102 M/s`.
fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate >= 9.95e6 => format!("{:.0} M/s", rate / 1e6),
        rate if rate >= 1e6 => format!("{:.1} M/s", rate / 1e6),
        rate => format!("{:.0} k/s", rate / 1e3),
    }
}

/// Machines, from small to large.
fn machines(report: &Report) -> Vec<u32> {
    let mut cores: Vec<u32> = report.points.iter().map(|point| point.cores).collect();
    cores.sort_unstable();
    cores.dedup();
    cores
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::calibrate::Calibration;
    use crate::sweep::Point;

    pub fn report() -> Report {
        let point = |cores: u32, load: f64, done: f64| Point {
            cores,
            load,
            offered_per_second: f64::from(cores) * load * 1e6,
            done_per_second: done * f64::from(cores) * load * 1e6,
            ideal_per_second: f64::from(cores) * load * 1e6,
            efficiency: done,
            unfinished: u64::from(done < 0.9),
            latency_ns: [Some(1_500.0), Some(4_000.0), None],
            slowdown: [Some(1.5), Some(4.0), (load < 0.9).then_some(9.0)],
            ideal_slowdown: [Some(1.0), Some(1.5), Some(2.0)],
            kernel_ns: 200.0,
            transfers_ns: 120.0,
            queues_ns: 30.0,
            locks_ns: 1.0,
            transfers_per_request: 2.0,
            by_field: [("core.waiting".to_owned(), [1.5, 0.5, 0.0]), ("plan".to_owned(), [0.5, 0.0, 0.1])]
                .into(),
            busiest_line: "plan".to_owned(),
            busiest_line_busy: 0.95,
            look_ns: Some(80_000.0),
            switches_per_request: 1.1,
        };
        Report {
            service: "exponential:8us".to_owned(),
            arrivals: "poisson".to_owned(),
            skew: "zipf:0.5".to_owned(),
            requests: 100_000,
            quantum_ns: 5_000,
            seed: 1,
            calibration: Calibration::with_transfer(60.0),
            points: vec![
                point(64, 0.5, 1.0),
                point(64, 0.9, 0.99),
                point(256, 0.5, 0.97),
                point(256, 0.9, 0.8),
            ],
        }
    }

    #[test]
    fn json_has_the_same_in_one_line() {
        let line = json(&report());
        let value: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["points"][3]["efficiency"], 0.8);
        assert_eq!(value["calibration"]["costs"]["transfer_ps"], 60_000);
        assert_eq!(value["points"][0]["by_field"]["core.waiting"][0], 1.5);
        assert!(!line.contains('\n'));
    }

    #[test]
    fn rates_are_written_with_what_can_be_told() {
        let rates = [850_000.0, 8_512_345.0, 102_400_000.0].map(rate);
        assert_eq!(rates, ["850 k/s", "8.5 M/s", "102 M/s"]);
    }
}
