//! oslat of rt-tests, which measures what is taken away from a thread that spins: its options, and its report as JSON.

use std::path::Path;

use serde::Deserialize;

use super::case::{Gaps, Turn};
use super::distribution::Distribution;
use crate::cores::Core;
use crate::error::BenchError;

/// The program.
pub const PROGRAM: &str = "oslat";
/// Classes of a microsecond each, the most that it takes; the last one has all that is longer.
const CLASSES: u64 = 1_024;

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The core that it spins on.
    pub core: Core,
    /// The core of its first thread, which waits for the end.
    pub first_thread: Core,
    /// How long, in seconds: it takes whole ones only.
    pub seconds: u64,
    /// Whether real-time priority is permitted.
    pub is_realtime: bool,
    /// Where the report goes.
    pub report: &'a Path,
}

impl Run<'_> {
    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let Self { core, first_thread, seconds, report, .. } = self;
        let mut arguments = vec![
            "-q".to_owned(),
            format!("-c{core}"),
            format!("-C{first_thread}"),
            format!("-D{seconds}"),
            format!("-b{CLASSES}"),
            format!("--json={}", report.display()),
        ];
        if self.is_realtime {
            arguments.push("-f1".to_owned());
        }
        arguments
    }

    /// The same for people.
    #[must_use]
    pub fn configuration(&self) -> String {
        // Where the report was is nobody's concern.
        let arguments = Self { report: Path::new("FILE"), ..*self }.arguments().join(" ");
        format!(
            "`{PROGRAM} {arguments}` of rt-tests: gaps only, in steps of 1 µs, those of a millisecond and more as one length"
        )
    }
}

#[derive(Deserialize)]
struct Report {
    return_code: i64,
    thread: std::collections::BTreeMap<String, Thread>,
}

#[derive(Deserialize)]
struct Thread {
    histogram: std::collections::BTreeMap<String, u64>,
    max: u64,
}

/// The gaps that a report has. Its class N has what took less than N µs and no less than N - 1: the first one is no gap.
///
/// # Errors
/// [`BenchError::Wrong`] if it is no such report.
pub fn read(report: &str) -> Result<Turn, BenchError> {
    let wrong = |what: String| BenchError::Wrong(format!("the report of {PROGRAM}: {what}"));
    let report: Report = serde_json::from_str(report).map_err(|error| wrong(error.to_string()))?;
    if report.return_code != 0 {
        return Err(wrong(format!("it failed with code {}", report.return_code)));
    }
    let thread = report.thread.into_values().next().ok_or_else(|| wrong("there is no thread".to_owned()))?;
    let mut lengths = Distribution::default();
    for (class, count) in &thread.histogram {
        let class: u64 = class.parse().map_err(|_| wrong(format!("`{class}` is no time")))?;
        if class > 1 && *count > 0 {
            // One of the last class is the worst, which is known.
            let is_open = class == CLASSES;
            let known = u64::from(is_open);
            lengths.add(class * 1_000, count - known);
            lengths.add(thread.max.max(class) * 1_000, known);
        }
    }
    Ok(Turn { gaps: Some(Gaps { lengths, lost_ns: None, look_ns: None }), ..Turn::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `oslat -c1 -C0 -D1 -q -b1024 -f1`, version 2.40, shortened.
    const REPORT: &str = r#"{
  "file_version": 1,
  "cmdline:": "oslat -c1 -C0 -D1 -q -b1024 -f1 --json=/tmp/os.json",
  "rt_test_version:": "2.40",
  "return_code": 0,
  "sysinfo": { "sysname": "Linux", "nodename": "vm", "release": "6.18.44", "realtime": 0 },
  "num_threads": 1,
  "thread": {
    "0": {
      "cpu": 1,
      "freq": 2298,
      "min": 1,
      "avg": 1.000260,
      "max": 9430,
      "duration": 1.000,
      "histogram": {
        "1": 38766752,
        "2": 62,
        "22": 93,
        "1024": 4
      }
    }
  }
}"#;

    #[test]
    fn gaps_are_what_took_a_microsecond_and_more() {
        let gaps = read(REPORT).expect("a report").gaps.expect("gaps");
        assert_eq!(gaps.lengths.total(), 62 + 93 + 4);
        assert_eq!(gaps.lengths.count_between(21_000, 22_100), 93);
        assert_eq!(gaps.lengths.count_between(1_000_000, 1_030_000), 3);
        assert!((gaps.lengths.max_ns() / 9_430_000.0 - 1.0).abs() < 1e-3);
    }

    #[test]
    fn a_quiet_core_has_none_and_what_is_no_report_is_said() {
        let quiet =
            REPORT.replace("\"2\": 62,", "").replace("\"22\": 93,", "").replace("\"1024\": 4", "\"3\": 0");
        assert_eq!(read(&quiet).expect("a report").gaps.expect("gaps").lengths.total(), 0);
        assert!(read("{}").is_err());
        let failed = REPORT.replace("\"return_code\": 0", "\"return_code\": 3");
        assert!(read(&failed).expect_err("failed").to_string().contains("code 3"));
    }
}
