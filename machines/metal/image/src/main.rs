//! Makes the archive of programs that a bare machine boots with: compiles each for the bare machine, seals it, packs it.
//!
//! The archive holds `seal.key`, made anew each time, and `programs/NAME` for each program. The key is no secret from who has
//! the archive: whoever chooses a machine's programs is trusted with them. It lets the machine notice what was damaged or mixed up.
#![forbid(unsafe_code)]

mod compiler;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Parser;
use hallows_artifact::{CpuFeatures, Platform, SealKey, Settings, SettingsError};

/// Compiles and seals programs for the bare machine and packs them into an archive.
#[derive(Debug, Parser)]
struct Arguments {
    /// The compiler's executable.
    #[arg(long)]
    compiler: PathBuf,
    /// Where the archive goes.
    #[arg(long)]
    output: PathBuf,
    /// Programs, as WebAssembly modules or their text form. Each is named as its file without the extension.
    #[arg(required = true)]
    programs: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read {path}: {error}")]
    Read { path: PathBuf, error: io::Error },
    #[error("cannot write {path}: {error}")]
    Write { path: PathBuf, error: io::Error },
    #[error("{path} has no name that is UTF-8")]
    Name { path: PathBuf },
    #[error("cannot compile {path}: {error}")]
    Compile { path: PathBuf, error: compiler::Error },
    #[error("the compiler made no artefact of {path}: {refusal}")]
    Refused { path: PathBuf, refusal: hallows_artifact::Refusal },
    #[error("{0}")]
    Settings(#[from] SettingsError),
    #[error("this system has no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error leaves nobody to tell.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    // The baseline, so that one archive runs on every machine; the machine expects the same.
    let settings = Settings::new(Platform::Metal, CpuFeatures::BASELINE)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key)?;
    let write_error = |error| Error::Write { path: arguments.output.clone(), error };
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, "seal.key", &key).map_err(write_error)?;
    for path in &arguments.programs {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .ok_or_else(|| Error::Name { path: path.clone() })?;
        let artifact = artifact(path, &arguments.compiler, settings, &SealKey::from_bytes(key))?;
        append(&mut archive, &format!("programs/{name}"), &artifact).map_err(write_error)?;
    }
    let bytes = archive.into_inner().map_err(write_error)?;
    fs::write(&arguments.output, bytes).map_err(write_error)
}

fn artifact(path: &Path, compiler: &Path, settings: Settings, key: &SealKey) -> Result<Vec<u8>, Error> {
    let program = fs::read(path).map_err(|error| Error::Read { path: path.to_owned(), error })?;
    let compiled = compiler::compile(compiler, &program, settings);
    let mut artifact = compiled.map_err(|error| Error::Compile { path: path.to_owned(), error })?;
    hallows_artifact::seal(&mut artifact, key)
        .map_err(|refusal| Error::Refused { path: path.to_owned(), refusal })?;
    Ok(artifact)
}

/// Adds a file. Names are short and the machine reads only the oldest form of headers, so that is what is written.
fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    // Read by everybody; nobody looks.
    header.set_mode(0o644);
    archive.append_data(&mut header, name, bytes)
}

#[cfg(test)]
mod tests {
    use tar_no_std::TarArchiveRef;

    use super::append;

    #[test]
    fn the_machine_reads_what_is_written_here() {
        let files =
            [("seal.key", vec![7; 32]), ("programs/empty", vec![]), ("programs/large", vec![9; 70_001])];
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in &files {
            append(&mut archive, name, bytes).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        let read: Vec<_> = TarArchiveRef::new(&bytes)
            .unwrap()
            .entries()
            .map(|entry| (entry.filename().as_str().unwrap().to_owned(), entry.data().to_vec()))
            .collect();
        assert_eq!(read, files.map(|(name, bytes)| (name.to_owned(), bytes)));
    }
}
