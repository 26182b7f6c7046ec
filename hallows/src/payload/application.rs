//! Starting what an executable carries.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{CommandFactory, Parser};
use hallows_artifact::SealKey;
use hallows_linux::host::core_set::CoreSet;
use hallows_linux::host::quantity::ByteSize;
use hallows_linux::host::tier::TierLimit;
use hallows_linux::machine::paths::Requirement;

use super::contents::{Contents, What};
use super::{file, mark};
use crate::cli::{DEFAULT_MEMORY, DEFAULT_QUANTUM_US, MachineOptions, stack, tier_limit};
use crate::commands::run::{Place, Settings, boot};
use crate::compile::{self, Compiler, Ready};
use crate::embedded;
use crate::failure::{Failure, USAGE};
use crate::network::{Network, Networks};
use crate::policies;
use crate::process::NOT_STARTED;
use crate::system::{PolicySource, ProgramSource, Programs, System};
use crate::unix::{Directory, Invocation};

/// What the machine's own options begin with; all other arguments are the application's.
const PREFIX: &str = "--hallows-";

/// An application that this executable carries.
#[derive(Debug)]
pub struct Application {
    contents: Contents,
}

/// Options of the machine, in front of the application's arguments.
#[derive(Debug, Default, Parser)]
#[command(disable_help_flag = true, disable_version_flag = true, no_binary_name = true)]
struct Start {
    /// Show these options, and what this executable carries.
    #[arg(long = "hallows-help")]
    help: bool,
    /// Check all bytes of this executable, and start nothing.
    #[arg(long = "hallows-verify")]
    verify: bool,
    /// Cores that belong to programs.
    #[arg(long = "hallows-cores", value_name = "LIST")]
    cores: Option<CoreSet>,
    /// Cores of timekeeper and cleaner.
    #[arg(long = "hallows-housekeeping", value_name = "LIST")]
    housekeeping: Option<CoreSet>,
    /// Memory of all cells together.
    #[arg(long = "hallows-memory", value_name = "SIZE")]
    memory: Option<ByteSize>,
    /// How far to take the cores from Linux: `shared` or `best`.
    #[arg(long = "hallows-tier", value_name = "TIER", value_parser = tier_limit)]
    tier: Option<TierLimit>,
    /// How long a program runs while another waits for its core, in microseconds.
    #[arg(long = "hallows-quantum-us", value_name = "US", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    quantum_us: Option<u64>,
    /// A directory for a Unix program, in place of one that it was built with or asks for under the same name.
    #[arg(long = "hallows-dir", value_name = "HOST[:GUEST][:ro]")]
    directories: Vec<Directory>,
    /// A variable of a Unix program's environment.
    #[arg(long = "hallows-env", value_name = "NAME[=VALUE]")]
    variables: Vec<OsString>,
    /// What a Unix program may use of its stack.
    #[arg(long = "hallows-stack", value_name = "SIZE", value_parser = stack)]
    stack: Option<ByteSize>,
    /// A part of this host's network, in place of all that it was built with: `host:PORT`, `host:to=ADDRESS`, `tap:NAME`, `xdp:NAME` or `wire:NAME`.
    #[arg(long = "hallows-net", value_name = "host:PORT|host:to=ADDRESS|tap:NAME|xdp:NAME|wire:NAME")]
    networks: Vec<Network>,
    /// Fail instead of falling back.
    #[arg(long = "hallows-require", value_name = "SERVICE=PATH")]
    requires: Vec<Requirement>,
    /// Say nothing about the machine.
    #[arg(long = "hallows-quiet", conflicts_with = "verbose")]
    quiet: bool,
    /// Say what the machine is set up with.
    #[arg(long = "hallows-verbose")]
    verbose: bool,
}

impl Application {
    /// What a payload says.
    pub const fn new(contents: Contents) -> Self {
        Self { contents }
    }

    /// Runs it with the command line, the executable's name first; the exit code.
    ///
    /// # Errors
    /// As `hallows run`.
    pub fn run(self, arguments: impl Iterator<Item = OsString>) -> Result<u8, Failure> {
        let (options, arguments) = split(arguments.skip(1));
        let start = Start::try_parse_from(options).map_err(|error| {
            let text = error.render().to_string();
            let text = text.trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
            Failure::other(USAGE, format!("{text} (--hallows-help shows the machine's options)"))
        })?;
        if start.help {
            print!("{}", self.help());
            return Ok(0);
        }
        if start.verify {
            return self.verify();
        }
        let directories = self.directories(&start.directories)?;
        let Contents { options, .. } = &self.contents;
        let place_options = MachineOptions {
            cores: start.cores.or_else(|| options.cores.clone()),
            housekeeping: start.housekeeping.or_else(|| options.housekeeping.clone()),
            memory: start.memory.or(options.memory).unwrap_or(DEFAULT_MEMORY),
            tier: start.tier.or_else(|| options.only_shared.map(limit)),
            quantum_us: start.quantum_us.or(options.quantum_us).unwrap_or(DEFAULT_QUANTUM_US),
        };
        let given = self.contents.arguments.iter().map(|bytes| OsString::from_vec(bytes.clone()));
        let variables = self.contents.variables.iter().map(|bytes| OsString::from_vec(bytes.clone()));
        let invocation = Invocation {
            arguments: given.chain(arguments).collect(),
            variables: variables.chain(start.variables).collect(),
            directories,
            stack_bytes: start.stack.or(options.stack).map(|stack| stack.0),
            networks: Networks::Now(if start.networks.is_empty() {
                options.networks.clone()
            } else {
                start.networks
            }),
        };
        let settings = Settings {
            machine: place_options,
            chaos: false,
            quiet: start.quiet,
            verbose: start.verbose,
            requires: options.requires.iter().cloned().chain(start.requires).collect(),
            background: None,
        };
        let place = Place::take(&settings.machine)?;
        let system = self.system()?;
        if !system.is_of_one && !system.hands_directories_on() {
            invocation.nothing(&self.contents.name)?;
        }
        let compiler = self.compiler(settings.quiet)?;
        boot(place, &system, &invocation, &compiler, settings).map(|finished| finished.exit_code())
    }

    /// What was compiled before, if it was for a processor like this one; else the compiler.
    fn compiler(&self, quiet: bool) -> Result<Compiler, Failure> {
        let is_for_this = compile::settings()?.fingerprint().to_string() == self.contents.settings;
        if !is_for_this {
            return Compiler::open(quiet);
        }
        let artifacts = self.contents.artifacts.iter();
        let artifacts =
            artifacts.map(|artifact| (artifact.program, self.contents.at(&artifact.place).to_vec()));
        Compiler::with(Ready {
            key: SealKey::from_bytes(self.contents.seal_key),
            artifacts: artifacts.collect(),
        })
    }

    /// The system that it is.
    fn system(&self) -> Result<System, Failure> {
        let bytes = |path: &str| -> Option<Arc<[u8]>> {
            let file = self.contents.files.iter().find(|file| file.path == path)?;
            Some(self.contents.at(&file.place).into())
        };
        let carried = |path: &str| Some(ProgramSource::Carried { name: path.to_owned(), wasm: bytes(path)? });
        let name = &self.contents.name;
        Ok(match &self.contents.what {
            What::BuiltIn(program) => System::of_one(name, ProgramSource::BuiltIn(program.clone())),
            What::Native(program) => System::of_one(name, ProgramSource::Native(program.clone())),
            What::File => {
                let file = self.contents.files.first().and_then(|file| carried(&file.path));
                let missing = || Failure::other(NOT_STARTED, "this executable carries no program");
                System::of_one(name, file.ok_or_else(missing)?)
            }
            What::System { file, text } => {
                let (built_in, native, policy_names) =
                    (embedded::names(), embedded::native_names(), embedded::policy_names());
                let carried_as = |source: &ProgramSource| match source {
                    ProgramSource::File(path) => carried(&path.to_string_lossy()),
                    _ => None,
                };
                let declared = |source: &ProgramSource| {
                    embedded::declared(&carried_as(source).unwrap_or_else(|| source.clone()))
                };
                let programs = Programs {
                    built_in: &built_in,
                    native: &native,
                    policies: &policy_names,
                    declared: &declared,
                };
                let mut system = System::parse(Path::new(file), text, programs)
                    .map_err(|problem| Failure::system(*problem))?;
                system.replace_sources(carried_as);
                system.replace_policies(|source| match source {
                    PolicySource::File(path) => {
                        let wasm = bytes(&path.to_string_lossy())?;
                        Some(PolicySource::Carried { name: policies::name(path), wasm })
                    }
                    _ => None,
                });
                // What it does not carry is not looked for where it is started.
                let programs = system.cells.iter().filter_map(|cell| match &cell.program {
                    ProgramSource::File(path) => Some(path.display()),
                    _ => None,
                });
                let policies = system.policies.chosen().filter_map(|policy| match policy {
                    PolicySource::File(path) => Some(path.display()),
                    _ => None,
                });
                let lacks = programs.chain(policies).next();
                if let Some(path) = lacks {
                    return Err(Failure::other(
                        NOT_STARTED,
                        format!("this executable does not carry {path}"),
                    ));
                }
                // Who starts it somewhere means directories there.
                system.folder = PathBuf::new();
                system
            }
        })
    }

    /// The directories of the payload, with those of the start in their places.
    fn directories(&self, given: &[Directory]) -> Result<Vec<Directory>, Failure> {
        let contents = &self.contents;
        let mut directories: Vec<Directory> = Vec::new();
        for granted in &contents.directories {
            if given.iter().all(|given| given.guest != granted.guest) {
                let host = PathBuf::from(OsString::from_vec(granted.host.clone()));
                let (guest, read_only) = (granted.guest.clone(), granted.read_only);
                directories.push(Directory { host, guest, read_only });
            }
        }
        for asked in &contents.asked {
            let Some(given) = given.iter().find(|given| given.guest == asked.guest) else {
                return Err(Failure::usage(format!(
                    "{} needs a directory that it knows as {guest}: say which with {PREFIX}dir HOST:{guest}",
                    contents.name,
                    guest = asked.guest
                )));
            };
            directories.push(Directory { read_only: asked.read_only || given.read_only, ..given.clone() });
        }
        let is_asked = |guest: &str| contents.asked.iter().any(|asked| asked.guest == guest);
        directories.extend(given.iter().filter(|given| !is_asked(&given.guest)).cloned());
        Ok(directories)
    }

    fn verify(&self) -> Result<u8, Failure> {
        let damaged = |why: String| {
            Failure::other(NOT_STARTED, format!("this executable is damaged: {why}; copy it again"))
        };
        let mark = mark::own().map_err(damaged)?;
        mark.map_or(Ok(()), |mark| file::verify(&mark)).map_err(damaged)?;
        println!("{}: all bytes are as they were built", self.contents.name);
        Ok(0)
    }

    /// The options, and what is carried.
    fn help(&self) -> String {
        let contents = &self.contents;
        let kind = match &contents.what {
            What::System { .. } => "a system".to_owned(),
            What::Native(_) => "a program that is linked in".to_owned(),
            What::BuiltIn(_) | What::File => "a program".to_owned(),
        };
        let mut text = format!(
            "{}: {kind} and hallows {}, which runs it on cores taken from this host.\n\nUsage: FILE [{PREFIX}OPTION]… [ARGUMENT]…\n\n\
             Arguments are the application's; the machine's options stand in front of them.\n",
            contents.name,
            env!("CARGO_PKG_VERSION")
        );
        for granted in &contents.directories {
            let host = OsString::from_vec(granted.host.clone());
            let access = if granted.read_only { ", only to read" } else { "" };
            text += &format!("It is given the directory {} as {}{access}.\n", host.display(), granted.guest);
        }
        for asked in &contents.asked {
            text += &format!("It needs a directory: {PREFIX}dir HOST:{}\n", asked.guest);
        }
        let options = Start::command().help_template("{options}").term_width(100).render_help();
        text + "\nOptions:\n" + &options.to_string()
    }
}

const fn limit(only_shared: bool) -> TierLimit {
    if only_shared { TierLimit::SharedOnly } else { TierLimit::Best }
}

/// The machine's options, which stand in front, and the application's arguments.
fn split(arguments: impl Iterator<Item = OsString>) -> (Vec<OsString>, Vec<OsString>) {
    let command = Start::command();
    let takes_value = |option: &OsStr| {
        let name = option.to_str().and_then(|option| option.strip_prefix("--"));
        let known = command.get_arguments().find(|known| known.get_long() == name && name.is_some());
        known.is_some_and(|known| known.get_action().takes_values())
    };
    let mut arguments = arguments.peekable();
    let mut options = Vec::new();
    while let Some(option) = arguments.next_if(|next| next.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
    {
        let value = if takes_value(&option) { arguments.next() } else { None };
        options.push(option);
        options.extend(value);
    }
    (options, arguments.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::contents::{Asked, Granted};

    fn parts(line: &[&str]) -> (Vec<String>, Vec<String>) {
        let (options, rest) = split(line.iter().map(OsString::from));
        let text =
            |list: Vec<OsString>| list.into_iter().map(|text| text.into_string().expect("text")).collect();
        (text(options), text(rest))
    }

    #[test]
    fn options_of_the_machine_stand_in_front_and_all_else_is_the_applications() {
        let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            parts(&["-n", "--help", "--hallows-cores"]),
            (vec![], strings(&["-n", "--help", "--hallows-cores"]))
        );
        assert_eq!(
            parts(&[
                "--hallows-cores",
                "1",
                "--hallows-quiet",
                "--hallows-memory=1G",
                "machine-process",
                "--",
                "x"
            ]),
            (
                strings(&["--hallows-cores", "1", "--hallows-quiet", "--hallows-memory=1G"]),
                strings(&["machine-process", "--", "x"])
            )
        );
        // An option without its value, and one that is none, are clap's to explain.
        assert_eq!(parts(&["--hallows-cores"]).0, strings(&["--hallows-cores"]));
        assert!(Start::try_parse_from(["--hallows-cores"]).is_err());
        assert!(Start::try_parse_from(["--hallows-nothing"]).is_err());
    }

    #[test]
    fn a_file_that_is_not_carried_is_not_taken_from_where_it_is_started() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("there.wasm");
        std::fs::write(&path, r#"(module (memory (export "memory") 1) (func (export "hallows_main")))"#)
            .expect("is written");
        let text = format!("[cells.one]\nprogram = {:?}\n", path.to_str().expect("text"));
        let what = What::System { file: "mine.toml".to_owned(), text };
        let refused = Application::new(Contents { what, ..Contents::default() }).system();
        let Err(refused) = refused else { panic!("it carries no file") };
        assert!(refused.code == NOT_STARTED && refused.message().contains("does not carry"), "{refused}");
    }

    #[test]
    fn directories_of_the_start_take_the_places_of_those_of_the_same_name() {
        let contents = Contents {
            name: "app".to_owned(),
            directories: vec![Granted { host: b"/srv".to_vec(), guest: "/a".to_owned(), read_only: true }],
            asked: vec![Asked { guest: "/b".to_owned(), read_only: true }],
            ..Contents::default()
        };
        let application = Application::new(contents);
        let missing = application.directories(&[]).expect_err("asks").message();
        assert!(missing.contains("--hallows-dir HOST:/b"), "{missing}");
        let given: Vec<Directory> = ["x:/b", "y:/a", "z:/c"].map(|text| text.parse().expect("well")).into();
        let all: Vec<_> = application.directories(&given).expect("are given");
        let all: Vec<_> = all
            .iter()
            .map(|one| (one.host.to_str().expect("text"), one.guest.as_str(), one.read_only))
            .collect();
        assert_eq!(all, [("x", "/b", true), ("y", "/a", false), ("z", "/c", false)]);
    }
}
