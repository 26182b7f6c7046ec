//! Load generators that others made: a closed loop of GETs without slow ones, to check ours by.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hallows_load::{Protocol, Server, installed};
use serde::Serialize;

use crate::{DemoError, Plan};

/// Requests of redis-benchmark, which takes no time for an end: a second or less.
const REQUESTS: u32 = 50_000;
/// Seconds of memtier_benchmark, which takes whole ones.
const SECONDS: u32 = 1;
/// Longer than this none of them runs.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a tool said of a contender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// Its name.
    pub tool: String,
    /// The command.
    pub command: String,
    /// Its line, or why there is none.
    pub said: Result<String, String>,
}

/// The tools' names, and how to get them.
const TOOLS: [(&str, &str); 2] =
    [("redis-benchmark", "redis-tools"), ("memtier_benchmark", "memtier-benchmark")];

/// The tools that are not installed, each with how to get it.
pub(crate) fn absent() -> Vec<String> {
    let absent = TOOLS.iter().filter(|(tool, _)| installed(tool).is_none());
    absent
        .map(|(tool, package)| {
            format!("{tool} is not installed; to see its line here: apt-get install {package}")
        })
        .collect()
}

/// Has every tool that is installed and speaks a server's protocol measure it.
///
/// # Errors
/// [`DemoError::Stopped`] if somebody wants an end.
pub(crate) fn measure(server: &Server, plan: &Plan, stop: &dyn Fn() -> bool) -> Result<Vec<Tool>, DemoError> {
    let mut lines = Vec::new();
    for (tool, _) in TOOLS {
        let Some(program) = installed(tool) else { continue };
        let Some(arguments) = arguments(tool, server, plan) else { continue };
        let mut command = Command::new(program);
        command.args(&arguments);
        let said = match run(&mut command, stop)? {
            Ok(output) => line(tool, &output).ok_or_else(|| {
                format!("no line of it was understood: {}", output.chars().take(200).collect::<String>())
            }),
            Err(why) => Err(why),
        };
        lines.push(Tool { tool: tool.to_owned(), command: format!("{tool} {}", arguments.join(" ")), said });
    }
    Ok(lines)
}

/// `None`: it does not speak this.
fn arguments(tool: &str, server: &Server, plan: &Plan) -> Option<Vec<String>> {
    let (host, port) = (server.address.ip(), server.address.port());
    let (keys, bytes, connections, depth) =
        (plan.data.keys, plan.data.value_bytes, plan.connections, plan.depth);
    let text = match (tool, server.protocol) {
        // Its keys are numbered as ours are.
        ("redis-benchmark", Protocol::Resp) => {
            format!(
                "-h {host} -p {port} -t get -n {REQUESTS} -r {keys} -c {connections} -P {depth} -d {bytes} --csv"
            )
        }
        ("redis-benchmark", Protocol::Memcached) => return None,
        (_, protocol) => {
            let protocol = if protocol == Protocol::Resp { "redis" } else { "memcache_text" };
            // It writes no zeros before numbers, so nothing is stored of its keys: all it gets are misses, and its line says so.
            format!(
                "-s {host} -p {port} --protocol={protocol} --test-time={SECONDS} -t 1 -c {connections} --pipeline={depth} --ratio=0:1 \
                 --key-prefix=key: --key-minimum=1 --key-maximum={keys} -d {bytes} --hide-histogram"
            )
        }
    };
    Some(text.split_whitespace().map(str::to_owned).collect())
}

/// Runs a tool to its end; what it said, or why it failed.
fn run(command: &mut Command, stop: &dyn Fn() -> bool) -> Result<Result<String, String>, DemoError> {
    let mut output = match tempfile::tempfile() {
        Ok(file) => file,
        Err(error) => return Ok(Err(format!("cannot make a temporary file: {error}"))),
    };
    let Ok(said) = output.try_clone() else { return Ok(Err("cannot share a temporary file".to_owned())) };
    let mut child = match command.stdin(Stdio::null()).stdout(said).stderr(Stdio::null()).spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Err(format!("cannot start it: {error}"))),
    };
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if !stop() && begin.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10))
            }
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return if stop() {
                    Err(DemoError::Stopped)
                } else {
                    Ok(Err(format!("it took longer than {} s", PATIENCE.as_secs())))
                };
            }
        }
    };
    let mut text = String::new();
    let read = std::io::Seek::rewind(&mut output).and_then(|()| output.read_to_string(&mut text));
    Ok(match read {
        Ok(_) if status.success() => Ok(text),
        Ok(_) => {
            Err(format!("it ended with {status}: {}", text.chars().take(200).collect::<String>().trim()))
        }
        Err(error) => Err(format!("what it said cannot be read: {error}")),
    })
}

/// A tool's figures as one line.
fn line(tool: &str, output: &str) -> Option<String> {
    if tool == "redis-benchmark" {
        return csv(output);
    }
    // Its table's head and its sums.
    let words = |begins: &str| {
        let line = output.lines().find(|line| line.starts_with(begins))?;
        Some(line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>())
    };
    let (head, sums) = (words("Type")?, words("Totals")?);
    // `Avg. Latency` and `p50 Latency` are two words each.
    let head = head.join(" ").replace(". ", ".").replace(" Latency", "-latency");
    let pairs: Vec<_> =
        head.split_whitespace().zip(&sums).map(|(name, value)| format!("{name} {value}")).collect();
    (pairs.len() == sums.len()).then(|| pairs.join(", "))
}

/// redis-benchmark's `--csv`: a line of names, a line of figures, latencies in ms.
fn csv(output: &str) -> Option<String> {
    let mut lines = output
        .lines()
        .map(|line| line.split(',').map(|word| word.trim().trim_matches('"')).collect::<Vec<_>>());
    let names = lines.find(|words| words.first() == Some(&"test"))?;
    let figures = lines.next()?;
    let figure = |name: &str| {
        let place = names.iter().position(|found| *found == name)?;
        figures.get(place)?.parse::<f64>().ok()
    };
    Some(format!(
        "{:.0} GETs/s, p50 {} ms, p99 {} ms, max {} ms",
        figure("rps")?,
        figure("p50_latency_ms")?,
        figure("p99_latency_ms")?,
        figure("max_latency_ms")?
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

    #[test]
    fn lines_of_tools_are_understood() {
        let said = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n\
                    \"GET\",\"98039.22\",\"0.269\",\"0.080\",\"0.263\",\"0.375\",\"0.455\",\"1.263\"\n";
        assert_eq!(
            line("redis-benchmark", said).expect("understood"),
            "98039 GETs/s, p50 0.263 ms, p99 0.455 ms, max 1.263 ms"
        );
        let said = "ALL STATS\n===\nType         Ops/sec     Hits/sec   Misses/sec    Avg. Latency     p50 Latency     p99 Latency   p99.9 Latency       KB/sec\n---\n\
                    Gets        90000.00     90000.00         0.00         0.50000         0.40000         1.00000         2.00000      9000.00\n\
                    Totals      90000.00     90000.00         0.00         0.50000         0.40000         1.00000         2.00000      9000.00\n";
        let totals = line("memtier_benchmark", said).expect("understood");
        assert!(
            totals.starts_with("Ops/sec 90000.00, ")
                && totals.contains("p99.9-latency 2.00000")
                && totals.ends_with("KB/sec 9000.00"),
            "{totals}"
        );
        for tool in ["redis-benchmark", "memtier_benchmark"] {
            assert_eq!(line(tool, "nonsense\n"), None);
        }
    }

    #[test]
    fn a_tool_that_fails_or_is_interrupted_is_said() {
        let run = |script: &str, stop: bool| run(Command::new("sh").args(["-c", script]), &|| stop);
        assert_eq!(run("echo well", false).expect("no stop"), Ok("well\n".to_owned()));
        assert!(run("echo bad; exit 3", false).expect("no stop").expect_err("3").contains("bad"));
        assert!(matches!(run("sleep 1000", true), Err(DemoError::Stopped)));
    }

    #[test]
    fn redis_benchmark_is_not_asked_about_memcached() {
        let server = |protocol| Server {
            name: "one".to_owned(),
            program: "one".into(),
            arguments: Vec::new(),
            address: ([127, 0, 0, 1], 7).into(),
            protocol,
            cores: vec![0],
            patience: Duration::ZERO,
        };
        assert!(arguments("redis-benchmark", &server(Protocol::Memcached), &plan()).is_none());
        let words = arguments("redis-benchmark", &server(Protocol::Resp), &plan()).expect("it speaks it");
        assert!(words.windows(2).any(|pair| pair == ["-p", "7"]) && words.contains(&"--csv".to_owned()));
        assert!(arguments("memtier_benchmark", &server(Protocol::Memcached), &plan()).is_some());
    }
}
