//! `wasmtime-run`: the `wasmtime` command starting a program that was compiled ahead of time.

use std::path::PathBuf;
use std::process::Command;

use crate::contestant::{Contestant, Description};
use crate::cores::on_cores;
use crate::coreutils::locate;
use crate::error::BenchError;
use crate::first_byte::ticks_to_first_byte;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::whole_command::{output, ticks_to_end};

/// From the folder of all that is built, where `make bench` puts it.
const BUILT: &str = "wasmtime/bin/wasmtime";
/// An environment variable with another one's path.
const VARIABLE: &str = "HALLOWS_WASMTIME";

/// A WASI program whose first call writes one byte.
const PROGRAM: &str = include_str!("first_byte.wat");

/// Until when the command is timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Until {
    #[default]
    FirstByte,
    End,
}

/// Time from starting the command to the program's first byte, or until the command has ended.
#[derive(Default)]
pub struct WasmtimeRun {
    until: Until,
    prepared: Option<Prepared>,
}

struct Prepared {
    wasmtime: PathBuf,
    folder: PathBuf,
    compiled: PathBuf,
    version: String,
}

impl WasmtimeRun {
    /// Times the whole command, of a program that says hello.
    #[must_use]
    pub const fn until_end() -> Self {
        Self { until: Until::End, prepared: None }
    }
}

impl Contestant for WasmtimeRun {
    fn describe(&self) -> Description {
        let version = self.prepared.as_ref().map_or("wasmtime", |prepared| &prepared.version);
        Description {
            name: "wasmtime-run".to_owned(),
            configuration: format!(
                "{version}: wasmtime run --allow-precompiled of a program compiled before; files in the page cache; on \
                 all cores of the run, ordinary priority; until {}",
                match self.until {
                    Until::FirstByte => "its first byte arrives",
                    Until::End => "it has ended, output to /dev/null",
                }
            ),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let prepared: &Prepared = match &mut self.prepared {
            Some(prepared) => prepared,
            empty => empty.insert(Prepared::new(self.until)?),
        };
        // Children inherit the cores of the thread that starts them.
        on_cores(turn.cores, || {
            let mut ticks = Vec::new();
            let begin = crate::clock::glance();
            // The first one warms the page cache.
            let timed = match self.until {
                Until::FirstByte => ticks_to_first_byte,
                Until::End => ticks_to_end,
            };
            timed(&mut prepared.command())?;
            loop {
                ticks.push(timed(&mut prepared.command())?);
                let used = crate::clock::glance() - begin;
                if ticks.len() == turn.sample_limit || used >= turn.clock.ticks(turn.budget) {
                    return Ok(turn.single(ticks));
                }
            }
        })?
    }
}

impl Prepared {
    fn new(until: Until) -> Result<Self, BenchError> {
        let wasmtime = locate(BUILT, VARIABLE, "the wasmtime command")?;
        let version = output(Command::new(&wasmtime).arg("--version"))?;
        let folder = std::env::temp_dir().join(format!("hallows-bench-{}-{until:?}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(BenchError::system("make a temporary folder"))?;
        let prepared = Self {
            compiled: folder.join("first-byte.cwasm"),
            folder,
            version: String::from_utf8_lossy(&version).trim().to_owned(),
            wasmtime,
        };
        let source = prepared.folder.join("first-byte.wat");
        let program = match until {
            Until::FirstByte => PROGRAM,
            Until::End => crate::HELLO,
        };
        std::fs::write(&source, program).map_err(BenchError::system("write a temporary file"))?;
        let mut compile = Command::new(&prepared.wasmtime);
        output(compile.arg("compile").arg(&source).arg("--output").arg(&prepared.compiled))?;
        Ok(prepared)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.wasmtime);
        command.arg("run").arg("--allow-precompiled").arg(&self.compiled);
        command
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // A folder left behind in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn it_starts_or_says_how_to_install_it() {
        for mut rival in [WasmtimeRun::default(), WasmtimeRun::until_end()] {
            match play(&mut rival, Sampling::Single, 2) {
                Ok(samples) => assert!(samples.len() == 2 && samples.values().all(|value| value > 0.0)),
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains("`make bench` builds it"), "{text}");
                }
            }
        }
    }
}
