//! Time of a whole command, from before its start until it has ended: what the benches of Unix programs compare.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use hallows_load::installed;

use crate::clock;
use crate::cores::on_cores;
use crate::error::BenchError;
use crate::samples::Samples;
use crate::turn::Turn;

/// Where a program of the host's is.
///
/// # Errors
/// [`BenchError::Unavailable`] with the package that has it.
pub fn find(program: &str, package: &str) -> Result<PathBuf, BenchError> {
    installed(program).ok_or_else(|| BenchError::Unavailable {
        missing: format!("{program} is not installed"),
        remedy: format!("`apt-get install {package}`"),
    })
}

/// Runs `command` without input, its output and errors to `/dev/null`, and gives the ticks until it has ended.
///
/// # Errors
/// [`BenchError::System`] if it cannot be started, [`BenchError::Wrong`] if its status is not 0.
pub fn ticks_to_end(command: &mut Command) -> Result<u64, BenchError> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = clock::begin();
    let status = command.status().map_err(BenchError::system("start a process"))?;
    let ticks = clock::end() - begin;
    if status.success() { Ok(ticks) } else { Err(failed(command, &status.to_string())) }
}

/// Runs `command` without input and gives its whole output: for a look at whether it does what it shall, unmeasured.
///
/// # Errors
/// As [`ticks_to_end`], with what the command said.
pub fn output(command: &mut Command) -> Result<Vec<u8>, BenchError> {
    let output = command.stdin(Stdio::null()).output().map_err(BenchError::system("start a process"))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(failed(command, &format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim())))
}

/// One run of the command after another on all cores of the turn, which its children inherit, until the turn is over.
///
/// # Errors
/// The first one of a run.
pub fn repeated(turn: &Turn<'_>, mut command: impl FnMut() -> Command + Send) -> Result<Samples, BenchError> {
    on_cores(turn.cores, || {
        let mut ticks = Vec::new();
        let until = clock::glance() + turn.clock.ticks(turn.budget);
        loop {
            ticks.push(ticks_to_end(&mut command())?);
            if ticks.len() >= turn.sample_limit || clock::glance() >= until {
                return Ok(turn.single(ticks));
            }
        }
    })?
}

fn failed(command: &Command, why: &str) -> BenchError {
    let program = command.get_program().to_string_lossy();
    BenchError::Wrong(format!("{program} failed ({why}); run it by hand to see more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_life_is_timed() {
        let ticks = ticks_to_end(Command::new("sleep").arg("0.02")).expect("it ends well");
        let clock = clock::Clock::calibrate().expect("clock");
        assert!(clock.nanoseconds(ticks) >= 20e6);
    }

    #[test]
    fn failure_and_absence_are_errors() {
        let failed = ticks_to_end(&mut Command::new("false")).expect_err("it fails").to_string();
        assert!(failed.contains("false failed"), "{failed}");
        assert!(ticks_to_end(&mut Command::new("/nonexistent")).is_err());
        let told = output(Command::new("ls").arg("/nonexistent")).expect_err("it fails").to_string();
        assert!(told.contains("/nonexistent"), "{told}");
        assert_eq!(output(Command::new("echo").arg("a")).expect("it ends well"), b"a\n");
    }
}
