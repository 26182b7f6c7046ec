//! `coreutils-native`: a whole command of coreutils, built for this host from the same source as ours.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use crate::contestant::{Contestant, Description};
use crate::coreutils::{self, Input, Task};
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;
use crate::whole_command::repeated;

/// Runs one task after another.
pub struct NativeCoreutils {
    task: Task,
    prepared: Option<(PathBuf, Arc<Input>)>,
}

impl NativeCoreutils {
    /// A rival for this task.
    #[must_use]
    pub const fn new(task: Task) -> Self {
        Self { task, prepared: None }
    }
}

impl Contestant for NativeCoreutils {
    fn describe(&self) -> Description {
        Description {
            name: "coreutils-native".to_owned(),
            configuration: "uutils' coreutils of the same version for this host, optimised; files in the page cache; output to \
                            /dev/null; on all cores of the run, ordinary priority"
                .to_owned(),
            cores_used: 1,
        }
    }

    fn turn(&mut self, turn: &Turn<'_>) -> Result<Samples, BenchError> {
        let task = self.task;
        let command = |program: &PathBuf, input: &Input| {
            let mut command = Command::new(program);
            command.args(task.arguments()).current_dir(input.folder());
            command
        };
        if self.prepared.is_none() {
            let (program, input) = (coreutils::native()?, task.input()?);
            task.rehearse(&input, &mut command(&program, &input))?;
            self.prepared = Some((program, input));
        }
        let Some((program, input)) = &self.prepared else {
            return Err(BenchError::Wrong("no input".to_owned()));
        };
        repeated(turn, || command(program, input))
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_support::play;
    use super::*;
    use crate::turn::Sampling;

    #[test]
    fn it_measures_or_says_how_to_build_it() {
        match play(&mut NativeCoreutils::new(Task::WcSmall), Sampling::Single, 2) {
            Ok(samples) => assert!(samples.len() == 2 && samples.values().all(|value| value > 0.0)),
            Err(error) => assert!(error.to_string().contains("`make bench`"), "{error}"),
        }
    }
}
