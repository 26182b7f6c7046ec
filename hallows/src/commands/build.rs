//! `hallows build`: one executable that is this system and an application.

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use hallows_artifact::{SealKey, seal};
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::tier::TierLimit;
use hallows_linux::machine::plan::ProgramPlan;

use crate::cli::Build;
use crate::compile::{self, Compiler};
use crate::failure::{Failure, SOFTWARE};
use crate::network::Networks;
use crate::payload::{self, Artifact, Contents, Existing, File, Granted, Options, What};
use crate::planner::{self, Description, Found, Planned};
use crate::policies;
use crate::system::{PolicySource, ProgramSource, System};
use crate::unix::{self, Invocation};

/// Builds it, and says what to do with it.
///
/// # Errors
/// Those of `hallows run` for what it shall carry, and when the file is there already or cannot be written.
pub fn build(options: &Build, output: &mut impl Write) -> Result<(), Failure> {
    let existing = if options.force { Existing::Replace } else { Existing::Keep };
    if existing == Existing::Keep && options.output.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!(
            "{} is there already; --force replaces it",
            options.output.display()
        )));
    }
    let found = planner::find(&options.what, !options.arguments.is_empty(), options.native)?;
    let gives = !options.directories.is_empty() || !options.asked.is_empty();
    if !found.system.is_of_one && (gives || !options.arguments.is_empty()) {
        return Err(Failure::usage(
            "a system takes no arguments, no --dir and no --ask-dir: its description has those of its cells (`arguments`, `dirs`)",
        ));
    }
    let compiler = Compiler::open(options.quiet)?;
    let contents = contents(options, found, &compiler)?;
    let name = contents.name.clone();
    let bytes = payload::write(&contents, &options.output, existing)?;
    if options.quiet {
        return Ok(());
    }
    let shown = options.output.display();
    let size = ByteSize(bytes);
    let text = format!(
        "{shown}: {name} and the system that runs it, {bytes} bytes ({size}); copy it and start it, --hallows-help shows its options"
    );
    writeln!(output, "{text}").map_err(|error| Failure::other(SOFTWARE, format!("cannot write: {error}")))
}

/// All that the executable shall carry.
fn contents(options: &Build, found: Found, compiler: &Compiler) -> Result<Contents, Failure> {
    let Found { mut system, description } = found;
    let machine = &options.machine;
    let mut contents = Contents {
        name: system.name.clone(),
        settings: compile::settings()?.fingerprint().to_string(),
        seal_key: fresh_key()?,
        options: Options {
            cores: machine.cores.clone(),
            housekeeping: machine.housekeeping.clone(),
            memory: Some(machine.memory),
            only_shared: machine.tier.map(|limit| limit == TierLimit::SharedOnly),
            quantum_us: Some(machine.quantum_us),
            stack: options.stack,
            requires: options.requires.clone(),
            networks: options.networks.clone(),
        },
        arguments: options.arguments.iter().map(|argument| argument.as_bytes().to_vec()).collect(),
        variables: options.variables.iter().map(|variable| variable.as_bytes().to_vec()).collect(),
        asked: options.asked.clone(),
        ..Contents::default()
    };
    for directory in &options.directories {
        contents.directories.push(Granted {
            host: directory.host.as_os_str().as_bytes().to_vec(),
            guest: directory.guest.clone(),
            read_only: directory.read_only,
        });
    }
    contents.what = what(&system, description);
    // What the program will be given at the start, as far as it is known now.
    let asked = options.asked.iter().map(|asked| asked.guest.as_str());
    unix::check_names(options.directories.iter().map(|directory| directory.guest.as_str()).chain(asked))?;
    carry_files(&mut contents, &mut system)?;
    // As `run` does it, with what is known now: what it refuses then, it refuses here. Directories are those of where it is started.
    system.cells.iter_mut().for_each(|cell| cell.unix.directories.clear());
    let gives = !options.directories.is_empty() || !options.asked.is_empty();
    let invocation = Invocation {
        arguments: options.arguments.clone(),
        variables: options.variables.clone(),
        directories: Vec::new(),
        stack_bytes: options.stack.map(|stack| stack.0),
        networks: Networks::Later,
    };
    let Planned { plan, artifacts, given, .. } =
        planner::plan(&system, compiler, &invocation, machine.memory.0)?;
    if given.is_none() && gives {
        return Err(Failure::usage(format!(
            "{} is not a program of Unix: it takes no --dir and no --ask-dir; a system says what a program of hallows may use",
            contents.name
        )));
    }
    for program in &plan.programs {
        let ProgramPlan::Artifact { name, offset, length, program, .. } = program else { continue };
        let mut artifact = artifacts.copy(*offset, *length)?;
        // The user's own key stays where it is.
        seal(&mut artifact, &SealKey::from_bytes(contents.seal_key))
            .map_err(|error| Failure::other(SOFTWARE, format!("cannot seal the compiled {name}: {error}")))?;
        let place = contents.add(&artifact);
        contents.artifacts.push(Artifact { program: *program, place });
    }
    Ok(contents)
}

/// What it runs.
fn what(system: &System, description: Option<Description>) -> What {
    if let Some(Description { file, text }) = description {
        return What::System { file, text };
    }
    match system.cells.first().map(|cell| &cell.program) {
        Some(ProgramSource::BuiltIn(name)) => What::BuiltIn(name.clone()),
        Some(ProgramSource::Native(name)) => What::Native(name.clone()),
        Some(ProgramSource::File(_) | ProgramSource::Carried { .. }) | None => What::File,
    }
}

/// Reads the files of a system, once each, and puts what was read in their place: what is compiled is what is carried.
fn carry_files(contents: &mut Contents, system: &mut System) -> Result<(), Failure> {
    let mut read: Vec<(std::path::PathBuf, ProgramSource)> = Vec::new();
    for cell in &system.cells {
        let ProgramSource::File(path) = &cell.program else { continue };
        if read.iter().any(|(known, _)| known == path) {
            continue;
        }
        let shown = path.display().to_string();
        let wasm = std::fs::read(path).map_err(|error| planner::unreadable("the program", path, &error))?;
        let place = contents.add(&wasm);
        // Of one program only its name matters: a Unix program's argument 0, as with `run`.
        let name =
            path.file_name().filter(|_| system.is_of_one).map(|name| name.to_string_lossy().into_owned());
        contents
            .files
            .push(File { path: name.unwrap_or_else(|| path.to_string_lossy().into_owned()), place });
        read.push((path.clone(), ProgramSource::Carried { name: shown, wasm: wasm.into() }));
    }
    system.replace_sources(|source| {
        let ProgramSource::File(path) = source else { return None };
        read.iter().find(|(known, _)| known == path).map(|(_, carried)| carried.clone())
    });
    carry_policies(contents, system)
}

/// The same of its policies, in their binary form.
fn carry_policies(contents: &mut Contents, system: &mut System) -> Result<(), Failure> {
    let mut read: Vec<(std::path::PathBuf, PolicySource)> = Vec::new();
    for policy in system.policies.chosen() {
        let PolicySource::File(path) = policy else { continue };
        if read.iter().any(|(known, _)| known == path) {
            continue;
        }
        let wasm = policies::of_file(path)?.wasm;
        let place = contents.add(&wasm);
        contents.files.push(File { path: path.to_string_lossy().into_owned(), place });
        read.push((path.clone(), PolicySource::Carried { name: policies::name(path), wasm: wasm.into() }));
    }
    system.replace_policies(|source| {
        let PolicySource::File(path) = source else { return None };
        read.iter().find(|(known, _)| known == path).map(|(_, carried)| carried.clone())
    });
    Ok(())
}

/// A key for the artefacts of one executable.
fn fresh_key() -> Result<[u8; 32], Failure> {
    let mut key = [0; 32];
    let mut filled = 0;
    while filled < key.len() {
        match rustix::rand::getrandom(&mut key[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(bytes) => filled += bytes,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                return Err(Failure::other(SOFTWARE, format!("this host has no random numbers: {error}")));
            }
        }
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_checked_is_what_is_carried() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mine.toml");
        let text = "[cells.counter]\nprogram = \"counter\"\nserves = { counter = \"active\" }\n";
        std::fs::write(&path, text).expect("is written");
        let shown = path.to_str().expect("text").to_owned();
        let Found { system, description } = planner::find(&shown, false, false).expect("is well");
        // Whatever becomes of the file meanwhile.
        std::fs::remove_file(&path).expect("was there");
        assert_eq!(what(&system, description), What::System { file: shown, text: text.to_owned() });
        let Found { system, description } = planner::find("counter", true, false).expect("is well");
        assert_eq!(what(&system, description), What::BuiltIn("counter".to_owned()));
    }
}
