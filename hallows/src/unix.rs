//! Unix programs: those that import WASI preview 1. What they are given of this host, and the cells of the service that hands it to them.
//!
//! | file | what it has |
//! |---|---|
//! | `directory` | a directory as a person says it |
//! | `given` | what is opened for programs, and comes along with the machine |
//! | `cells` | the cells that serve them, in the plan |

mod cells;
mod directory;
mod given;

use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::Path;

use hallows_artifact::Metadata;
use hallows_linux::machine::plan::LARGEST_STACK_BYTES;

use crate::failure::Failure;
use crate::network::Networks;
use crate::system::StreamEnd;

pub use cells::{PROGRAM_SLOTS, Served, Service, Services, Sockets};
pub use directory::Directory;
pub use given::{Given, Wanted, check_names, variables};

/// The module that programs import WASI preview 1 from.
pub const WASI: &str = "wasi_snapshot_preview1";
/// The service's name among the programs that are linked in.
pub const SERVICE: &str = "hallows-host";
/// The null console's name among them.
pub const NULL: &str = "hallows-null";
/// Memory of a Unix program beside others, in bytes, if nobody says another.
pub const USUAL_BYTES: u64 = 64 << 20;
/// The key of a description that gives directories, and with it what the host service has for every program.
pub const DIRS: &str = "dirs";
/// What a Unix program may use of its stack if nobody says otherwise: what it has on Linux.
pub const USUAL_STACK_BYTES: u64 = 8 << 20;
/// Stacks that it can be given: with less than the lower bound no library starts.
pub const STACKS: RangeInclusive<u64> = 64 << 10..=LARGEST_STACK_BYTES;

/// Whether a grant of the host service is one that a program of hallows is given, too: not streams, and not how it was invoked.
#[must_use]
pub fn is_of_host(grant: &str) -> bool {
    matches!(grant, "clock" | "random") || grant.starts_with("dir:")
}

/// How a person starts a program.
#[derive(Debug, Default)]
pub struct Invocation {
    /// Arguments, without the program's name.
    pub arguments: Vec<OsString>,
    /// `NAME=value`, or `NAME` for the value that it has here.
    pub variables: Vec<OsString>,
    /// Directories.
    pub directories: Vec<Directory>,
    /// What a Unix program may use of its stack, in bytes.
    pub stack_bytes: Option<u64>,
    /// What the machine is given of this host's network.
    pub networks: Networks,
}

/// Whether a program is one of Unix.
#[must_use]
pub fn is_unix(program: &Metadata) -> bool {
    let exports = |name: &str| program.exports.iter().any(|export| export.name == name);
    program.imports.iter().any(|import| import.module == WASI)
        || exports("_start") && !exports(hallows_abi::MAIN_EXPORT)
}

impl Invocation {
    /// Whether something is given that only Unix programs take.
    fn is_for_unix(&self) -> bool {
        !self.directories.is_empty() || !self.variables.is_empty() || self.stack_bytes.is_some()
    }

    /// Arguments of a program that is not one of Unix, which all are texts, and which nothing else can be given to.
    ///
    /// # Errors
    /// When they are not, or something else is given.
    pub fn texts(&self, program: &str) -> Result<Vec<String>, Failure> {
        if self.is_for_unix() {
            return Err(Failure::usage(format!(
                "{program} is not a program of Unix (it imports nothing of {WASI}): it takes no --dir, no --env and no --stack; a system says \
                 what a program of hallows may use"
            )));
        }
        self.utf8()
    }

    /// Arguments that all are texts.
    ///
    /// # Errors
    /// When one is not.
    pub fn utf8(&self) -> Result<Vec<String>, Failure> {
        let text = |argument: &OsString| {
            argument.clone().into_string().map_err(|argument| {
                Failure::usage(format!(
                    "the argument {} is not UTF-8; only programs of Unix take such",
                    argument.display()
                ))
            })
        };
        self.arguments.iter().map(text).collect()
    }

    /// Nothing may be given to a system: its description says it.
    ///
    /// # Errors
    /// When something is.
    pub fn nothing(&self, system: &str) -> Result<(), Failure> {
        if self.arguments.is_empty() && !self.is_for_unix() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{system} is a system, which takes no arguments, directories and variables: its description has what its cells are given (`arguments`, and for programs of Unix `dirs`, `env`, `stack`)"
        )))
    }

    /// The same, but directories: a system lends them to programs that are started in it later.
    ///
    /// # Errors
    /// When something else is given.
    pub fn nothing_but_directories(&self, system: &str) -> Result<(), Failure> {
        if self.arguments.is_empty() && self.variables.is_empty() && self.stack_bytes.is_none() {
            return Ok(());
        }
        self.nothing(system)
    }

    /// What a Unix program that runs alone is given.
    #[must_use]
    pub fn wanted<'a>(&'a self, program: &'a Path) -> Wanted<'a> {
        Wanted {
            program,
            arguments: self.arguments.iter().map(OsString::as_os_str).collect(),
            variables: &self.variables,
            directories: &self.directories,
            folder: Path::new(""),
            streams: [StreamEnd::Console; 3],
        }
    }
}
