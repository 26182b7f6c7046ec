//! `composed-components`: two wasmtime components in one store, measured by a helper process.
//!
//! The helper has Cranelift in it, so it is a workspace of its own (`bench/composed`) and not part of this one.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};

use super::priority_text;
use crate::contestant::{Contestant, Description};
use crate::cores::{Core, Priority, on_core};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// The helper's file name.
pub const HELPER: &str = "hallows-bench-composed";
/// An environment variable with the helper's path, for who keeps it elsewhere.
pub const HELPER_VARIABLE: &str = "HALLOWS_BENCH_COMPOSED";

/// A client and a server as components with a memory each, in one store; 64-byte lists each way.
#[derive(Default)]
pub struct ComposedComponents {
    helper: Option<Helper>,
}

struct Helper {
    process: Child,
    core: Core,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Serialize)]
struct Ask {
    operations: u32,
    budget_ns: u64,
    sample_limit: usize,
}

#[derive(Deserialize)]
struct Answer {
    sample_ns: Vec<u64>,
}

impl Contestant for ComposedComponents {
    fn describe(&self) -> Description {
        Description {
            name: "composed-components".to_owned(),
            configuration: format!(
                "wasmtime 48.0.8, Cranelift at full optimisation, no interruption checks; two composed components, a \
                 memory each, one store; list<u8> of 64 bytes each way; the loop is inside WebAssembly; one thread, \
                 pinned, {}",
                priority_text(Priority::RealtimeIfAllowed)
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let core = turn.cores.first();
        if self.helper.as_ref().is_some_and(|helper| helper.core != core) {
            self.helper = None;
        }
        let helper = match &mut self.helper {
            Some(helper) => helper,
            empty => empty.insert(Helper::start(&locate()?, core)?),
        };
        let operations = turn.sampling.operations();
        let budget_ns = u64::try_from(turn.budget.as_nanos()).unwrap_or(u64::MAX);
        match helper.ask(&Ask { operations, budget_ns, sample_limit: turn.sample_limit }) {
            Ok(answer) => Ok(Samples::scaled(answer.sample_ns, 1.0 / f64::from(operations))),
            Err(error) => {
                self.helper = None;
                Err(error)
            }
        }
    }
}

impl Helper {
    /// Started by a thread that is on the core at the right priority, which the helper inherits.
    fn start(path: &Path, core: Core) -> Result<Self, BenchError> {
        on_core(core, Priority::RealtimeIfAllowed, || {
            let mut process = Command::new(path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .map_err(BenchError::system("start the helper with the composed components"))?;
            match (process.stdin.take(), process.stdout.take()) {
                (Some(asks), Some(answers)) => {
                    Ok(Self { process, core, asks, answers: BufReader::new(answers) })
                }
                _ => Err(BenchError::Wrong("the helper has no standard input or output".to_owned())),
            }
        })?
    }

    fn ask(&mut self, ask: &Ask) -> Result<Answer, BenchError> {
        let failed = "talk to the helper with the composed components";
        let mut line = serde_json::to_string(ask).map_err(BenchError::system(failed))?;
        line.push('\n');
        self.asks.write_all(line.as_bytes()).map_err(BenchError::system(failed))?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(BenchError::system(failed))?;
        serde_json::from_str(&line)
            .map_err(|_| BenchError::Wrong(format!("{HELPER} gave no samples; its error is above")))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It may be gone already; reaping is what matters.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Finds the helper: where [`HELPER_VARIABLE`] says, beside this executable, or where the Makefile's command builds it.
fn locate() -> Result<PathBuf, BenchError> {
    if let Some(path) = std::env::var_os(HELPER_VARIABLE) {
        return Ok(path.into());
    }
    let executable = std::env::current_exe().map_err(BenchError::system("find this executable"))?;
    // `target/release/hallows` or `target/release/examples/rivals`: the helper's own target folder is `target/composed`.
    let built = Path::new("composed/release").join(HELPER);
    let candidates = executable
        .parent()
        .map(|folder| folder.join(HELPER))
        .into_iter()
        .chain(executable.ancestors().skip(2).take(3).map(|folder| folder.join(&built)));
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| BenchError::Unavailable {
        missing: format!("the helper {HELPER}"),
        remedy: format!(
            "build it with: cargo build --release --manifest-path bench/composed/Cargo.toml --target-dir \
             target/composed, or say where it is with {HELPER_VARIABLE}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn it_measures_or_says_how_to_build_it() {
        match play(&mut ComposedComponents::default(), Sampling::BATCH, 5) {
            Ok(samples) => assert!(samples.len() == 5 && samples.values().all(|value| value > 0.0)),
            Err(error) => assert!(error.to_string().contains("bench/composed/Cargo.toml"), "{error}"),
        }
    }
}
