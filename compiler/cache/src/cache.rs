//! From a program to a verified artefact.
use crate::{
    Artifact, CompileError, Compiler, Limit, Limits, Look, SealKey, Settings, Sink, Undelivered,
    directory::Directory, key_file, known::Known, sink::Broken,
};
use hallows_artifact::{Header, Metadata, PAGE_BYTES, Refusal, Stream, program_hash, seal};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Where an artefact came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was in the cache.
    Cache,
    /// It was compiled just now, in this time.
    Compiled(Duration),
}

/// A sealed artefact in memory.
#[derive(Clone, Debug)]
pub struct Compiled {
    bytes: Vec<u8>,
    settings: Settings,
    program: blake3::Hash,
    metadata: Metadata,
    /// Where it came from.
    pub origin: Origin,
}

impl Compiled {
    /// The artefact: header page, code, metadata.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The artefact, for who keeps it.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What the program imports, exports and needs.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The program's name: the hash of its bytes.
    pub fn program(&self) -> blake3::Hash {
        self.program
    }

    /// Verifies the artefact and gives access to its parts; the engine does the same before it maps it.
    ///
    /// # Errors
    /// [`Refusal`], if `key` is not the key it was sealed with.
    pub fn open(&self, key: &SealKey) -> Result<Artifact<'_>, Refusal> {
        Artifact::open(&self.bytes, key, self.program, &self.settings)
    }
}

/// An artefact that was put into a sink.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The program's name: the hash of its bytes.
    pub program: blake3::Hash,
    /// What the program imports, exports and needs.
    pub metadata: Metadata,
    /// Where it came from.
    pub origin: Origin,
}

/// A user's cache of compiled programs. Several processes may use one directory at the same time.
#[derive(Debug)]
pub struct Cache {
    directory: Directory,
    known: Known,
    key: SealKey,
    compiler: Compiler,
    threads: u32,
}

impl Cache {
    /// The cache at `$XDG_CACHE_HOME/hallows`, or `~/.cache/hallows`.
    ///
    /// # Errors
    /// [`CompileError::Host`] if there is no home directory, or as in [`Cache::open`].
    pub fn open_default(compiler: Compiler) -> Result<Cache, CompileError> {
        Cache::open(&default_path()?, compiler)
    }

    /// The cache in this directory, which is created if need be, for its user only.
    ///
    /// # Errors
    /// [`CompileError::Host`] if the directory or the key in it cannot be made or read.
    pub fn open(path: &Path, compiler: Compiler) -> Result<Cache, CompileError> {
        let directory = Directory::open(path)?;
        let key = key_file::load_or_create(path)?;
        let known = Known::new(path, &key);
        Ok(Cache { directory, known, key, compiler, threads: 1 })
    }

    /// Lets the cache grow to `bytes`; the least recently used artefacts go first. The default is
    /// [`crate::DEFAULT_BOUND_BYTES`].
    #[must_use]
    pub fn with_bound(mut self, bytes: u64) -> Cache {
        self.directory.bound_bytes = bytes;
        self
    }

    /// Compiles with this many threads; the default is one. The artefact does not depend on it.
    #[must_use]
    pub fn with_threads(mut self, threads: u32) -> Cache {
        self.threads = threads.max(1);
        self
    }

    /// The key that this user's artefacts are sealed with: for the machine process, which opens them. Who
    /// has it can make the engine run any machine code.
    pub fn seal_key(&self) -> SealKey {
        self.key.clone()
    }

    /// The artefact of `program` (binary or text) for `settings`: from the cache, or compiled and then kept.
    ///
    /// A cache that cannot be written to (a full disk) is no error; the next call compiles again.
    ///
    /// # Errors
    /// [`CompileError`]: what is wrong with the program, or what went wrong compiling it.
    pub fn artifact(
        &self,
        program: &[u8],
        settings: &Settings,
        limits: &Limits,
    ) -> Result<Compiled, CompileError> {
        let mut bytes = Vec::new();
        match self.deliver(program, settings, limits, &mut bytes) {
            Ok(Delivered { program, metadata, origin }) => {
                Ok(Compiled { bytes, settings: *settings, program, metadata, origin })
            }
            Err(Undelivered::Compile(error)) => Err(error),
            Err(Undelivered::Sink(never)) => match never {},
        }
    }

    /// [`Cache::artifact`], put into `sink`.
    ///
    /// # Errors
    /// As [`Cache::artifact`], and the sink's.
    pub fn deliver<S: Sink>(
        &self,
        program: &[u8],
        settings: &Settings,
        limits: &Limits,
        sink: &mut S,
    ) -> Result<Delivered, Undelivered<S::Error>> {
        let (allowed, found) = (limits.get(Limit::SourceBytes), program.len() as u64);
        if found > allowed {
            return Err(CompileError::TooLarge { limit: Limit::SourceBytes, allowed, found }.into());
        }
        let hash = program_hash(program);
        if let Some(delivered) = self.deliver_kept(hash, settings, sink)? {
            return Ok(delivered);
        }
        let started = Instant::now();
        let mut bytes = self.compiler.compile(program, settings, limits, self.threads)?;
        let metadata = accept(&mut bytes, &self.key, hash, settings)?;
        self.directory.write(&entry_name(hash, settings), &bytes);
        sink.put(&bytes).map_err(Undelivered::Sink)?;
        Ok(Delivered { program: hash, metadata, origin: Origin::Compiled(started.elapsed()) })
    }

    /// [`Cache::deliver`] for the program of this hash, if its artefact is in the cache.
    ///
    /// # Errors
    /// The sink's.
    pub fn deliver_kept<S: Sink>(
        &self,
        program: blake3::Hash,
        settings: &Settings,
        sink: &mut S,
    ) -> Result<Option<Delivered>, Undelivered<S::Error>> {
        let name = entry_name(program, settings);
        let Some((file, length)) = self.directory.open_entry(&name) else { return Ok(None) };
        match pass_on(file, length, &self.key, program, settings, sink) {
            Ok(metadata) => Ok(Some(Delivered { program, metadata, origin: Origin::Cache })),
            // Whatever it is, it is not what stood here.
            Err(Broken::Entry) => {
                self.directory.discard(&name);
                sink.take_back().map_err(Undelivered::Sink)?;
                Ok(None)
            }
            Err(Broken::Sink(error)) => Err(Undelivered::Sink(error)),
        }
    }

    /// The program that a file is known to have, by [`Cache::remember`].
    pub fn known(&self, file: &File) -> Option<blake3::Hash> {
        self.known.program(file)
    }

    /// Keeps in mind which program a file has, until it is changed. `since` is how it [looked](Look::at) before it was read.
    pub fn remember(&self, file: &File, since: &Look, program: blake3::Hash) {
        self.known.remember(file, since, program);
    }
}

/// So much of an artefact is read at a time: it stays in the processor's cache until it is passed on.
const PART_BYTES: usize = 256 << 10;

/// Verifies an entry on its way into a sink.
fn pass_on<S: Sink>(
    mut file: File,
    length: u64,
    key: &SealKey,
    program: blake3::Hash,
    settings: &Settings,
    sink: &mut S,
) -> Result<Metadata, Broken<S::Error>> {
    let mut page = [0; PAGE_BYTES];
    file.read_exact(&mut page)?;
    let mut stream = Stream::begin(&page, length, key, program, settings).map_err(|_| Broken::Entry)?;
    sink.put(&page).map_err(Broken::Sink)?;
    let mut part = vec![0; PART_BYTES];
    let mut left = length.saturating_sub(page.len() as u64);
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(part.len());
        let part = &mut part[..most];
        file.read_exact(part)?;
        stream.put(part);
        sink.put(part).map_err(Broken::Sink)?;
        left -= part.len() as u64;
    }
    stream.end().map_err(|_| Broken::Entry)
}

/// Seals what the compiler returned, if it is what was asked for; its metadata.
fn accept(
    bytes: &mut [u8],
    key: &SealKey,
    program: blake3::Hash,
    settings: &Settings,
) -> Result<Metadata, CompileError> {
    let crashed =
        |what: &dyn std::fmt::Display| CompileError::Crashed { how: format!("its output is wrong: {what}") };
    let header = Header::parse(bytes).map_err(|refusal| crashed(&refusal))?;
    if header.program != program {
        return Err(crashed(&Refusal::OtherProgram));
    }
    if header.settings != settings.fingerprint() {
        return Err(crashed(&Refusal::OtherSettings));
    }
    let metadata = Artifact::inspect(bytes).map_err(|refusal| crashed(&refusal))?.metadata().clone();
    seal(bytes, key).map_err(|refusal| crashed(&refusal))?;
    Ok(metadata)
}

/// The name of an entry: one hash over the program's and the settings', which name engine, platform, processor
/// features and all else that changes the code.
fn entry_name(program: blake3::Hash, settings: &Settings) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(program.as_bytes());
    hasher.update(settings.fingerprint().as_bytes());
    hasher.finalize().to_hex().to_string()
}

fn default_path() -> Result<PathBuf, CompileError> {
    // The specification of base directories ignores relative paths.
    let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")));
    base.map(|base| base.join("hallows")).ok_or_else(|| CompileError::Host {
        what: "finding the cache directory".into(),
        message: "set HOME or XDG_CACHE_HOME to an absolute path".into(),
    })
}
