//! Compiling programs: from the user's cache, or by the embedded compiler in its sandbox.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{IsTerminal, Write};

use hallows_artifact::{Artifact, Platform, Preemption, SealKey, Settings, program_hash};
use hallows_cache::{
    Cache, CompileError, Compiler as Executable, Delivered, Limits, Look, Sink, Undelivered, host_features,
};

use crate::embedded;
use crate::failure::{Failure, SOFTWARE, USAGE};
use crate::unix;

/// Bytes of a key's mark: no two keys have the same by chance.
const MARK_BYTES: usize = 16;

/// The compiler for this machine, with its cache.
pub struct Compiler {
    store: Store,
    settings: Settings,
    /// Whether to say what is being compiled: to people who wait for it.
    shows_progress: bool,
}

/// Where artefacts come from.
enum Store {
    /// The user's cache, and the compiler.
    Cache(Cache),
    /// What was compiled before, for this processor; nothing else can be had.
    Ready(Ready),
}

/// Artefacts that somebody has compiled before.
pub struct Ready {
    /// What they are sealed with.
    pub key: SealKey,
    /// By the hash of what they were compiled from.
    pub artifacts: BTreeMap<[u8; 32], Vec<u8>>,
}

/// A program whose artefact was put where it was wanted.
pub struct Compiled {
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
        let settings = settings()?;
        let cache = Cache::open_default(Executable::from_bytes(embedded::COMPILER))
            .map_err(|error| match error {
                CompileError::Host { .. } => Failure::usage(format!(
                    "compiled programs cannot be kept: {error}; name a folder that you may write to in XDG_CACHE_HOME"
                )),
                error => Failure::other(SOFTWARE, error),
            })?;
        let shows_progress = !quiet && std::io::stderr().is_terminal();
        Ok(Self { store: Store::Cache(cache), settings, shows_progress })
    }

    /// One that has these artefacts and no others: it needs no cache and starts no compiler.
    ///
    /// # Errors
    /// When the processor lacks what programs are compiled for.
    pub fn with(ready: Ready) -> Result<Self, Failure> {
        Ok(Self { store: Store::Ready(ready), settings: settings()?, shows_progress: false })
    }

    /// What artefacts are sealed with.
    pub fn seal_key(&self) -> [u8; 32] {
        match &self.store {
            Store::Cache(cache) => cache.seal_key().to_bytes(),
            Store::Ready(ready) => ready.key.to_bytes(),
        }
    }

    /// A mark of that key, by which two processes know that they have the same.
    pub fn seal_mark(&self) -> String {
        let mark =
            blake3::derive_key("hallows: mark of the key that artefacts are sealed with", &self.seal_key());
        mark.iter().take(MARK_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The artefact of a program, into a sink.
    ///
    /// # Errors
    /// Why it was not compiled.
    pub fn compile<S>(&self, name: &str, program: &[u8], sink: &mut S) -> Result<Compiled, Failure>
    where
        S: Sink<Error: Into<Failure>>,
    {
        self.compile_for(&self.settings, name, program, sink)
    }

    /// [`Compiler::compile`] without checks of the preemption word: to measure what they cost.
    ///
    /// # Errors
    /// As [`Compiler::compile`].
    pub fn compile_without_checks<S>(
        &self,
        name: &str,
        program: &[u8],
        sink: &mut S,
    ) -> Result<Compiled, Failure>
    where
        S: Sink<Error: Into<Failure>>,
    {
        self.compile_for(&Settings { preemption: Preemption::None, ..self.settings }, name, program, sink)
    }

    /// The artefact of the program in a file, if it can be had without reading that.
    ///
    /// # Errors
    /// The sink's.
    pub fn known<S>(&self, file: &File, sink: &mut S) -> Result<Option<Compiled>, Failure>
    where
        S: Sink<Error: Into<Failure>>,
    {
        let Store::Cache(cache) = &self.store else { return Ok(None) };
        let Some(program) = cache.known(file) else { return Ok(None) };
        match cache.deliver_kept(program, &self.settings, sink) {
            Ok(kept) => Ok(kept.as_ref().map(Compiled::of)),
            // It is read then, and what is wrong is said.
            Err(Undelivered::Compile(_)) => Ok(None),
            Err(Undelivered::Sink(error)) => Err(error.into()),
        }
    }

    /// Keeps in mind which program a file has, which looked like this before it was read.
    pub fn remember(&self, file: &File, since: &Look, program: &Compiled) {
        if let Store::Cache(cache) = &self.store {
            cache.remember(file, since, program.program.into());
        }
    }

    fn compile_for<S>(
        &self,
        settings: &Settings,
        name: &str,
        program: &[u8],
        sink: &mut S,
    ) -> Result<Compiled, Failure>
    where
        S: Sink<Error: Into<Failure>>,
    {
        let cache = match &self.store {
            Store::Cache(cache) => cache,
            Store::Ready(ready) => return ready.artifact(settings, name, program, sink),
        };
        if self.shows_progress {
            eprint!("\r\x1b[Kcompiling {name} …");
            let _ = std::io::stderr().flush();
        }
        let delivered = cache.deliver(program, settings, &Limits::DEFAULT, sink);
        if self.shows_progress {
            eprint!("\r\x1b[K");
        }
        match delivered {
            Ok(delivered) => Ok(Compiled::of(&delivered)),
            Err(Undelivered::Sink(error)) => Err(error.into()),
            Err(Undelivered::Compile(error)) => {
                let code = if is_the_programs(&error) { USAGE } else { SOFTWARE };
                Err(Failure::other(code, format!("cannot compile {name}: {error}")))
            }
        }
    }
}

impl Compiled {
    fn of(delivered: &Delivered) -> Self {
        Self { program: *delivered.program.as_bytes(), is_unix: unix::is_unix(&delivered.metadata) }
    }
}

impl Ready {
    fn artifact<S>(
        &self,
        settings: &Settings,
        name: &str,
        program: &[u8],
        sink: &mut S,
    ) -> Result<Compiled, Failure>
    where
        S: Sink<Error: Into<Failure>>,
    {
        let hash = program_hash(program);
        let refused =
            |why: &dyn Display| Failure::other(SOFTWARE, format!("cannot use the compiled {name}: {why}"));
        let artifact =
            self.artifacts.get(hash.as_bytes()).ok_or_else(|| refused(&"it was not compiled before"))?;
        let opened = Artifact::open(artifact, &self.key, hash, settings).map_err(|error| refused(&error))?;
        let is_unix = unix::is_unix(opened.metadata());
        sink.put(artifact).map_err(Into::into)?;
        Ok(Compiled { program: *hash.as_bytes(), is_unix })
    }
}

/// How programs are compiled for the processor that this runs on.
///
/// # Errors
/// When it lacks what all programs need.
pub fn settings() -> Result<Settings, Failure> {
    Settings::new(Platform::Linux, host_features()).map_err(|error| Failure::other(SOFTWARE, error))
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
