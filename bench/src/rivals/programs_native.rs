//! `native`: a script by Lua, SQLite's shell or QuickJS, built for this host from the same source by the same compiler as ours.

use std::path::PathBuf;

use crate::contestant::{Contestant, Description};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::unix_programs::{Script, Scripts};
use crate::whole_command::repeated;

/// Runs one script again and again.
pub struct NativeProgram {
    script: Script,
    prepared: Option<(PathBuf, Scripts)>,
}

impl NativeProgram {
    /// A rival for this script.
    #[must_use]
    pub const fn new(script: Script) -> Self {
        Self { script, prepared: None }
    }
}

impl Contestant for NativeProgram {
    fn describe(&self) -> Description {
        Description {
            name: "native".to_owned(),
            configuration: "the same source by the same clang, `zig cc -O2` for this very processor (ours: `zig cc -O2 -target \
                            wasm32-wasi`); output to /dev/null; ordinary priority"
                .to_owned(),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let script = self.script;
        if self.prepared.is_none() {
            let (program, scripts) = (script.native()?, Scripts::new()?);
            script.rehearse(&scripts, &mut scripts.command(&program, script))?;
            self.prepared = Some((program, scripts));
        }
        let Some((program, scripts)) = &self.prepared else {
            return Err(BenchError::Wrong("no scripts".to_owned()));
        };
        repeated(turn, || scripts.command(program, script))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn every_script_runs_natively_or_it_is_said_how_to_build_its_program() {
        for script in Script::ALL {
            match play(&mut NativeProgram::new(script), Sampling::Single, 1) {
                Ok(samples) => assert!(samples.len() == 1 && samples.values().all(|value| value > 0.0)),
                Err(error) => assert!(error.to_string().contains("`make bench`"), "{error}"),
            }
        }
    }
}
