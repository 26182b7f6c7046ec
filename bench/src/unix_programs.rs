//! What `unix-compute` runs besides coreutils: scripts for Lua, SQLite's shell and QuickJS, and where both builds of these programs are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::coreutils::locate_folder;
use crate::error::BenchError;
use crate::whole_command::output;

/// An environment variable with the folder of the programs for WASI, for who keeps them elsewhere.
pub const WASM_VARIABLE: &str = "HALLOWS_UNIX_PROGRAMS";
/// The same of those for this host.
pub const NATIVE_VARIABLE: &str = "HALLOWS_UNIX_PROGRAMS_NATIVE";

/// The scripts' files, by their names.
const FILES: [(&str, &str); 5] = [
    ("nbody.lua", include_str!("../unix/nbody.lua")),
    ("trees.lua", include_str!("../unix/trees.lua")),
    ("words.lua", include_str!("../unix/words.lua")),
    ("rows.sql", include_str!("../unix/rows.sql")),
    ("objects.js", include_str!("../unix/objects.js")),
];

/// One command. Sizes are such that the native program takes a few tenths of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// Floating-point numbers in Lua's tables.
    LuaNBody,
    /// Allocation and collection in Lua.
    LuaTrees,
    /// Strings, patterns and caught errors in Lua.
    LuaWords,
    /// 200,000 rows of a database in memory.
    SqliteMemory,
    /// The same in a file.
    SqliteFile,
    /// Objects, maps and exceptions in QuickJS.
    QuickJs,
}

impl Script {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::LuaNBody, Self::LuaTrees, Self::LuaWords, Self::SqliteMemory, Self::SqliteFile, Self::QuickJs];

    /// Its name as a bench's variant.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LuaNBody => "lua-n-body",
            Self::LuaTrees => "lua-trees",
            Self::LuaWords => "lua-words",
            Self::SqliteMemory => "sqlite-memory",
            Self::SqliteFile => "sqlite-file",
            Self::QuickJs => "quickjs",
        }
    }

    /// The program that runs it.
    const fn program(self) -> &'static str {
        match self {
            Self::LuaNBody | Self::LuaTrees | Self::LuaWords => "lua",
            Self::SqliteMemory | Self::SqliteFile => "sqlite",
            Self::QuickJs => "quickjs",
        }
    }

    /// The program's arguments; files are in the folder of [`Scripts`].
    #[must_use]
    pub const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::LuaNBody => &["nbody.lua", "100000"],
            Self::LuaTrees => &["trees.lua", "18"],
            Self::LuaWords => &["words.lua", "60000"],
            Self::SqliteMemory => &["-batch", "-bail", ":memory:", ".read rows.sql"],
            Self::SqliteFile => &["-batch", "-bail", "rows.db", ".read rows.sql"],
            Self::QuickJs => &["objects.js", "150000"],
        }
    }

    /// The program for WASI.
    ///
    /// # Errors
    /// [`BenchError::Unavailable`] if it is not there, with how to get it.
    pub fn wasm(self) -> Result<PathBuf, BenchError> {
        let name = format!("{}.wasm", self.program());
        locate_folder("unix/bin", &name, WASM_VARIABLE, &format!("{name}, the program for WASI"))
    }

    /// The program for this host, of the same source by the same compiler.
    ///
    /// # Errors
    /// [`BenchError::Unavailable`] if it is not there, with how to get it.
    pub fn native(self) -> Result<PathBuf, BenchError> {
        let name = self.program();
        locate_folder("unix-native/bin", name, NATIVE_VARIABLE, &format!("{name} for this host"))
    }

    /// Runs a command once, unmeasured, and compares its output with what the native program says.
    ///
    /// # Errors
    /// When it fails, or says something else.
    pub fn rehearse(self, scripts: &Scripts, command: &mut Command) -> Result<(), BenchError> {
        let said = output(command)?;
        let expected = output(&mut scripts.command(&self.native()?, self))?;
        if said == expected && !said.is_empty() {
            return Ok(());
        }
        let (said, expected) = (String::from_utf8_lossy(&said), String::from_utf8_lossy(&expected));
        Err(BenchError::Wrong(format!("{} gave {said:?} instead of {expected:?}", self.name())))
    }
}

/// A folder with the scripts, which a database is written to as well; removed at the end.
#[derive(Debug)]
pub struct Scripts {
    folder: tempfile::TempDir,
}

impl Scripts {
    /// Writes them.
    ///
    /// # Errors
    /// When that fails.
    pub fn new() -> Result<Self, BenchError> {
        let write = || -> std::io::Result<Self> {
            let folder = tempfile::Builder::new().prefix("hallows-bench-scripts-").tempdir()?;
            for (name, text) in FILES {
                fs::write(folder.path().join(name), text)?;
            }
            Ok(Self { folder })
        };
        write().map_err(BenchError::system("write the scripts of the bench"))
    }

    /// Where commands run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The native command of a script.
    #[must_use]
    pub fn command(&self, program: &Path, script: Script) -> Command {
        let mut command = Command::new(program);
        command.args(script.arguments()).current_dir(self.folder());
        command
    }
}
