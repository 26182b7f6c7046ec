//! Runs the compiler's executable on one program.

use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use hallows_artifact::Settings;
use hallows_compiler_protocol::{Limits, Request};

/// Why there is no artefact.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The executable did not run.
    #[error("the compiler {compiler} does not run: {error}; `make artifacts` builds it")]
    Start {
        /// The executable.
        compiler: String,
        /// Why.
        error: io::Error,
    },
    /// It refused the program; its own words.
    #[error("{0}")]
    Refused(String),
}

/// Compiles a program; the artefact is not sealed.
///
/// # Errors
/// [`Error`].
pub fn compile(compiler: &Path, program: &[u8], settings: Settings) -> Result<Vec<u8>, Error> {
    let request = Request { settings, limits: Limits::DEFAULT, threads: 1 };
    let started = Command::new(compiler)
        .args(request.to_arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let start_error = |error| Error::Start { compiler: compiler.display().to_string(), error };
    let mut child = started.map_err(start_error)?;
    let input = child.stdin.take();
    // Written beside the reading: a pipe that nobody empties would stop both sides.
    let Output { status, stdout, stderr } = thread::scope(|scope| {
        scope.spawn(move || {
            // A compiler that stops reading says why on its standard error.
            let _ = input.map(|mut input| input.write_all(program));
        });
        child.wait_with_output()
    })
    .map_err(start_error)?;
    if status.success() {
        Ok(stdout)
    } else {
        Err(Error::Refused(format!("{status}: {}", String::from_utf8_lossy(&stderr).trim())))
    }
}
