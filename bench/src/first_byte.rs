//! Time from starting a process to its first byte of output: what `boot` compares.

use std::io::{ErrorKind, Read};
use std::process::{Command, Stdio};

use crate::clock;
use crate::error::BenchError;

/// Starts `command` with its standard output piped and gives the ticks until its first byte arrived; then ends it.
///
/// The program should write its byte in its first call and end by itself soon; it is killed either way.
///
/// # Errors
/// [`BenchError::System`] if it cannot be started, [`BenchError::Wrong`] if it ended without writing anything.
pub fn ticks_to_first_byte(command: &mut Command) -> Result<u64, BenchError> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let begin = clock::begin();
    let mut child = command.spawn().map_err(BenchError::system("start a process"))?;
    let Some(mut output) = child.stdout.take() else {
        return Err(BenchError::Wrong("the process has no standard output".to_owned()));
    };
    let arrived = output.read_exact(&mut [0]);
    let ticks = clock::end() - begin;

    let status = child.kill().and_then(|()| child.wait()).map_err(BenchError::system("end a process"))?;
    match arrived {
        Ok(()) => Ok(ticks),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            let program = command.get_program().to_string_lossy().into_owned();
            Err(BenchError::Wrong(format!("{program} wrote nothing ({status}); run it by hand to see why")))
        }
        Err(error) => Err(BenchError::system("read a process's output")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_of_a_program_that_never_ends_is_enough() {
        assert!(ticks_to_first_byte(&mut Command::new("yes")).expect("it writes") > 0);
    }

    #[test]
    fn silence_and_absence_are_errors() {
        let silent =
            ticks_to_first_byte(&mut Command::new("true")).expect_err("it writes nothing").to_string();
        assert!(silent.contains("true wrote nothing"), "{silent}");
        assert!(ticks_to_first_byte(&mut Command::new("/nonexistent")).is_err());
    }
}
