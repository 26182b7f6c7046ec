//! Compiling programs: from the user's cache, or by the embedded compiler in its sandbox.

use std::io::{IsTerminal, Write};

use hallows_artifact::{Platform, Preemption, Settings};
use hallows_cache::{Cache, CompileError, Compiler as Executable, Limits, host_features};

use crate::embedded;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::unix;

/// The compiler for this machine, with its cache.
pub struct Compiler {
    cache: Cache,
    settings: Settings,
    /// Whether to say what is being compiled: to people who wait for it.
    shows_progress: bool,
}

/// A compiled program.
pub struct Compiled {
    /// The artefact.
    pub artifact: Vec<u8>,
    /// The hash of what it was compiled from.
    pub program: [u8; 32],
    /// Whether it is a program of Unix.
    pub is_unix: bool,
}

impl Compiler {
    /// For the processor that this runs on.
    ///
    /// # Errors
    /// When the processor lacks what programs are compiled for, or the cache cannot be opened.
    pub fn open(quiet: bool) -> Result<Self, Failure> {
        let settings = Settings::new(Platform::Linux, host_features())
            .map_err(|error| Failure::other(SOFTWARE, error))?;
        let cache = Cache::open_default(Executable::from_bytes(embedded::COMPILER))
            .map_err(|error| Failure::other(SOFTWARE, error))?;
        Ok(Self { cache, settings, shows_progress: !quiet && std::io::stderr().is_terminal() })
    }

    /// What artefacts are sealed with.
    pub fn seal_key(&self) -> [u8; 32] {
        self.cache.seal_key().to_bytes()
    }

    /// The artefact of a program.
    ///
    /// # Errors
    /// Why it was not compiled.
    pub fn compile(&self, name: &str, program: &[u8]) -> Result<Compiled, Failure> {
        self.compile_for(&self.settings, name, program)
    }

    /// [`Compiler::compile`] without checks of the preemption word: to measure what they cost.
    ///
    /// # Errors
    /// As [`Compiler::compile`].
    pub fn compile_without_checks(&self, name: &str, program: &[u8]) -> Result<Compiled, Failure> {
        self.compile_for(&Settings { preemption: Preemption::None, ..self.settings }, name, program)
    }

    fn compile_for(&self, settings: &Settings, name: &str, program: &[u8]) -> Result<Compiled, Failure> {
        if self.shows_progress {
            eprint!("\r\x1b[Kcompiling {name} …");
            let _ = std::io::stderr().flush();
        }
        let compiled = self.cache.artifact(program, settings, &Limits::DEFAULT);
        if self.shows_progress {
            eprint!("\r\x1b[K");
        }
        let compiled = compiled.map_err(|error| {
            let code = if is_the_programs(&error) { USAGE } else { SOFTWARE };
            Failure::other(code, format!("cannot compile {name}: {error}"))
        })?;
        let (program, is_unix) = (*compiled.program().as_bytes(), unix::is_unix(compiled.metadata()));
        Ok(Compiled { artifact: compiled.into_bytes(), program, is_unix })
    }
}

/// Whether the program is to blame, and not this host.
const fn is_the_programs(error: &CompileError) -> bool {
    matches!(
        error,
        CompileError::Invalid { .. }
            | CompileError::Unsupported { .. }
            | CompileError::TooLarge { .. }
            | CompileError::TimedOut { .. }
            | CompileError::OutOfMemory { .. }
    )
}
