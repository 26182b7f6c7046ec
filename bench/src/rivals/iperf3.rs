//! `iperf3`: streams over TCP between the two ends of a pair of interfaces, from its client to its server.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde::Deserialize;

use crate::contestant::{Contestant, Description};
use crate::cores::{Priority, settle};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::streams::{PIECE_BYTES, per_kib};
use crate::turn::Turn;
use crate::whole_command::find;
use crate::wire::{FAR_ADDRESS, Wire};

/// What the server says when clients may come.
const READY: &str = "Server listening";

/// iperf3 with so many streams, its client on the first core, its server on the second.
#[derive(Debug)]
pub struct Iperf3 {
    streams: usize,
    wire: Option<Wire>,
    version: Option<String>,
}

impl Iperf3 {
    /// With so many streams.
    #[must_use]
    pub const fn new(streams: usize) -> Self {
        Self { streams, wire: None, version: None }
    }
}

impl Contestant for Iperf3 {
    fn describe(&self) -> Description {
        let version = self.version.as_deref().unwrap_or("iperf3");
        Description {
            name: "iperf3".to_owned(),
            configuration: format!(
                "{version}: client on the first core, server on the second, {} streams, {PIECE_BYTES} bytes at a time, over a pair of interfaces (veth) as Linux makes them, which put segments together and take them apart by themselves",
                self.streams
            ),
            cores_used: 2,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let second = turn.cores.second()?;
        let program = find("iperf3", "iperf3")?;
        let wire = match &mut self.wire {
            Some(wire) => wire,
            empty => empty.insert(Wire::make()?),
        };
        // What they start stays where they are. No lines between: nobody would read them.
        let _server = wire.far(|| {
            settle(second, Priority::Ordinary)?;
            let mut server = Command::new(&program);
            server.args(["-s", "-1", "-i", "0", "--forceflush"]).stdin(Stdio::null()).stdout(Stdio::piped());
            Server::start(server)
        })??;
        let done = wire.near(|| {
            settle(turn.cores.first(), Priority::Ordinary)?;
            let mut client = Command::new(&program);
            client.args(["-c", FAR_ADDRESS, "--connect-timeout", "5000", "-J", "-i", "0"]);
            client.args(["-P", &self.streams.to_string(), "-l", &PIECE_BYTES.to_string()]);
            // It counts whole seconds.
            client.args(["-t", &turn.budget.as_secs().max(1).to_string()]).stdin(Stdio::null());
            client.output().map_err(BenchError::system("start iperf3"))
        })??;
        let report = String::from_utf8_lossy(&done.stdout);
        let (version, samples) = read(&report)?;
        self.version = Some(version);
        Ok(samples)
    }
}

/// The server, ended when this is dropped.
struct Server {
    child: Child,
    /// What it says later has room in the pipe, as long as that is open.
    _output: BufReader<ChildStdout>,
}

impl Server {
    /// One that listens.
    fn start(mut command: Command) -> Result<Self, BenchError> {
        let mut child = command.spawn().map_err(BenchError::system("start iperf3"))?;
        let Some(mut output) = child.stdout.take().map(BufReader::new) else {
            return Err(BenchError::Wrong("iperf3 has no output".to_owned()));
        };
        let mut said = String::new();
        while !said.contains(READY) {
            if output.read_line(&mut said).map_err(BenchError::system("listen to iperf3"))? == 0 {
                let _ = child.wait();
                return Err(BenchError::Wrong(format!("the server of iperf3 has ended; it said: {said}")));
            }
        }
        Ok(Self { child, _output: output })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Of its report, what is looked at.
#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    start: Start,
    #[serde(default)]
    end: End,
}

#[derive(Default, Deserialize)]
struct Start {
    #[serde(default)]
    version: String,
}

#[derive(Default, Deserialize)]
struct End {
    sum_received: Option<Sum>,
}

#[derive(Deserialize)]
struct Sum {
    seconds: f64,
    bytes: u64,
}

/// Its version, and the time of a KiB that the server has received.
fn read(report: &str) -> Result<(String, Samples), BenchError> {
    let wrong = |why: &dyn std::fmt::Display| BenchError::Wrong(format!("iperf3 says: {why}"));
    let report: Report =
        serde_json::from_str(report).map_err(|error| wrong(&format!("{error}: {report}")))?;
    if let Some(error) = report.error {
        return Err(wrong(&error));
    }
    let Some(Sum { seconds, bytes }) = report.end.sum_received else {
        return Err(wrong(&"nothing of what was received"));
    };
    Ok((report.start.version, per_kib((seconds * 1e9) as u64, bytes)?))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{has_second_core, refuses_one_core};
    use super::*;
    use crate::clock::Clock;
    use crate::cores::Cores;
    use crate::turn::Sampling;

    #[test]
    fn a_report_is_read_and_an_error_is_told() {
        let report = r#"{"start":{"version":"iperf 3.18","connected":[]},"intervals":[],"end":{"streams":[],
            "sum_sent":{"seconds":1.0,"bytes":3145728},"sum_received":{"start":0,"seconds":1.024,"bytes":1048576}}}"#;
        let (version, samples) = read(report).expect("a report");
        assert_eq!(version, "iperf 3.18");
        assert_eq!(samples.values().collect::<Vec<_>>(), [1_000_000.0]);
        let error =
            read(r#"{"start":{},"intervals":[],"end":{},"error":"unable to connect"}"#).expect_err("no");
        assert!(error.to_string().contains("unable to connect"), "{error}");
        assert!(read(r#"{"start":{"version":"iperf 3.18"},"end":{}}"#).is_err());
        assert!(read("nonsense").is_err());
    }

    #[test]
    fn streams_are_measured_or_it_says_what_is_missing() {
        refuses_one_core(&mut Iperf3::new(1));
        if !has_second_core() {
            return;
        }
        // The turns of other tests last for minutes.
        let (cores, clock) = (Cores::default_pair().unwrap(), Clock::calibrate().unwrap());
        let budget = std::time::Duration::from_secs(1);
        let turn = Turn { cores: &cores, clock: &clock, sampling: Sampling::Single, budget, sample_limit: 1 };
        match Iperf3::new(3).turn(&turn) {
            Ok(samples) => assert!(samples.values().all(|value| value > 0.0) && samples.len() == 1),
            Err(BenchError::Unavailable { remedy, .. }) => {
                assert!(remedy.contains("apt-get install iperf3") || remedy.contains("as root"), "{remedy}");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
