//! cyclictest of rt-tests, which measures how late Linux wakes a thread: its options, and its report as JSON.

use std::path::Path;

use serde::Deserialize;

use super::case::Turn;
use super::distribution::Distribution;
use crate::cores::Core;
use crate::error::BenchError;

/// The program.
pub const PROGRAM: &str = "cyclictest";
/// Classes of a nanosecond each, the most that it takes. What is later falls out of the histogram, and is counted as this late; the worst is known.
const HISTOGRAM_NS: u64 = 1_000_000;
/// The priority that its manual has.
const PRIORITY: u32 = 95;

/// How a run is set up.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The core of the thread that is measured.
    pub core: Core,
    /// The core of its first thread, which waits for the end; `None` if somebody else sees to that.
    pub first_thread: Option<Core>,
    /// In microseconds.
    pub period_us: u64,
    /// How many wake-ups.
    pub count: u64,
    /// Whether real-time priority is permitted.
    pub is_realtime: bool,
    /// Where the report goes.
    pub report: &'a Path,
}

impl Run<'_> {
    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let mut arguments: Vec<String> = ["-q", "-m", "-N", "-t1"].map(str::to_owned).to_vec();
        if self.is_realtime {
            arguments.push(format!("-p{PRIORITY}"));
        } else {
            arguments.push("--policy=other".to_owned());
        }
        arguments.extend([
            format!("-a{}", self.core),
            format!("-i{}", self.period_us),
            format!("-l{}", self.count),
            format!("-h{HISTOGRAM_NS}"),
            format!("--json={}", self.report.display()),
        ]);
        arguments.extend(self.first_thread.map(|core| format!("--mainaffinity={core}")));
        arguments
    }

    /// The same for people.
    #[must_use]
    pub fn configuration(&self) -> String {
        // Where the report was is nobody's concern.
        let arguments = Self { report: Path::new("FILE"), ..*self }.arguments().join(" ");
        let priority = if self.is_realtime { "" } else { " (SCHED_FIFO not permitted)" };
        format!("`{PROGRAM} {arguments}` of rt-tests{priority}; its first thread on a core of Linux's")
    }
}

#[derive(Deserialize)]
struct Report {
    return_code: i64,
    resolution_in_ns: u32,
    thread: std::collections::BTreeMap<String, Thread>,
}

#[derive(Deserialize)]
struct Thread {
    #[serde(default)]
    histogram: std::collections::BTreeMap<String, u64>,
    cycles: u64,
    max: u64,
}

/// What a report says of its one thread. It leaves periods out that have passed when it wakes, and goes on until it has as many as it was told to have.
///
/// # Errors
/// [`BenchError::Wrong`] if it is no such report.
pub fn read(report: &str) -> Result<Turn, BenchError> {
    let wrong = |what: String| BenchError::Wrong(format!("the report of {PROGRAM}: {what}"));
    let report: Report = serde_json::from_str(report).map_err(|error| wrong(error.to_string()))?;
    if report.return_code != 0 {
        return Err(wrong(format!("it failed with code {}", report.return_code)));
    }
    let [thread] =
        report.thread.into_values().collect::<Vec<_>>().try_into().map_err(|threads: Vec<Thread>| {
            wrong(format!("there are {} threads, and one was asked for", threads.len()))
        })?;
    let scale = if report.resolution_in_ns == 1 { 1 } else { 1_000 };
    let mut late = Distribution::default();
    for (time, count) in &thread.histogram {
        let time: u64 = time.parse().map_err(|_| wrong(format!("`{time}` is no time")))?;
        late.add(time * scale, *count);
    }
    // What did not fit: the worst is known.
    let beyond = thread.cycles.saturating_sub(late.total());
    if beyond > 0 {
        late.add(thread.max * scale, 1);
        late.add(HISTOGRAM_NS, beyond - 1);
    }
    if late.total() == 0 {
        return Err(wrong("it has no samples".to_owned()));
    }
    Ok(Turn { periods: late.total(), late, ..Turn::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `cyclictest -t1 -p95 -i100 -a 1 -m -q -N -l… -h1000000`, version 2.40; the histogram is shortened.
    const REPORT: &str = r##"{
  "file_version": 1,
  "cmdline:": "cyclictest -t1 -p95 -i100 -a 1 -m -q -D 1s -N -h 1000000 --json=/tmp/ct2.json",
  "rt_test_version:": "2.40",
  "start_time": "Mon, 30 Nov 2026 15:12:12 +0000",
  "end_time": "Mon, 30 Nov 2026 15:12:13 +0000",
  "return_code": 0,
  "sysinfo": { "sysname": "Linux", "nodename": "vm", "release": "6.18.44", "version": "#1 SMP PREEMPT_DYNAMIC @0",
    "machine": "x86_64", "realtime": 0 },
  "num_threads": 1,
  "resolution_in_ns": 1,
  "thread": {
    "0": {
      "histogram": {
        "9803": 1,
        "10062": 3,
        "529206": 1
      },
      "cycles": 8,
      "min": 9803,
      "max": 5292060,
      "avg": 22169.31,
      "cpu": 1,
      "node": 0
    }
  }
}"##;

    #[test]
    fn a_report_is_read_and_what_did_not_fit_its_histogram_is_late_all_the_same() {
        let turn = read(REPORT).expect("a report");
        assert_eq!((turn.late.total(), turn.periods), (8, 8));
        assert!((turn.late.max_ns() / 5_292_060.0 - 1.0).abs() < 1e-3);
        assert_eq!(turn.late.count_between(0, 9_999), 1);
        assert_eq!(turn.late.count_between(990_000, 1_010_000), 2);
    }

    #[test]
    fn microseconds_are_microseconds() {
        let report = REPORT.replace("\"resolution_in_ns\": 1", "\"resolution_in_ns\": 0");
        let report = report.replace("\"cycles\": 8", "\"cycles\": 5");
        let turn = read(&report).expect("a report");
        assert_eq!(turn.late.count_between(9_000_000, 10_000_000), 1);
    }

    #[test]
    fn what_is_no_report_is_said() {
        for (report, part) in [
            ("nonsense".to_owned(), "expected"),
            (REPORT.replace("\"return_code\": 0", "\"return_code\": 1"), "failed with code 1"),
            (REPORT.replace("\"9803\"", "\"x\""), "`x` is no time"),
            (REPORT.replace("\"0\": {", "\"1\": { \"cycles\": 1, \"max\": 1 }, \"0\": {"), "2 threads"),
        ] {
            let error = read(&report).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn it_is_asked_for_what_is_compared() {
        let run = Run {
            core: Core(3),
            first_thread: Some(Core(0)),
            period_us: 100,
            count: 5_000,
            is_realtime: true,
            report: Path::new("/tmp/x/report.json"),
        };
        let configuration = run.configuration();
        for part in ["-p95 -a3 -i100 -l5000", "--json=FILE", "--mainaffinity=0"] {
            assert!(configuration.contains(part), "{configuration}");
        }
        let ordinary = Run { is_realtime: false, first_thread: None, ..run }.configuration();
        assert!(ordinary.contains("--policy=other") && !ordinary.contains("affinity"), "{ordinary}");
    }
}
