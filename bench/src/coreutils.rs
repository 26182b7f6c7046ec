//! What `unix-files` and `unix-compute` do: commands of coreutils on files that are made once, and where the two builds of coreutils are.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::error::BenchError;
use crate::whole_command::output;

/// An environment variable with the path of coreutils for WASI, for who keeps it elsewhere.
pub const WASM_VARIABLE: &str = "HALLOWS_COREUTILS";
/// The same of coreutils for this host.
pub const NATIVE_VARIABLE: &str = "HALLOWS_COREUTILS_NATIVE";
/// From the folder of all that is built, where `make bench` puts them.
const WASM: &str = "unix/bin/coreutils.wasm";
const NATIVE: &str = "unix-native/bin/coreutils";

/// How many small files there are.
const SMALL_FILES: usize = 10_000;
/// Bytes of each.
const SMALL_BYTES: usize = 2_048;
/// An environment variable with the MiB of the large file.
pub const LARGE_VARIABLE: &str = "HALLOWS_BENCH_LARGE_MB";
/// MiB of the large file, if the variable does not say otherwise.
const LARGE_BLOCKS: usize = if cfg!(test) { 5 } else { 1_024 };
/// An environment variable with the millions of bytes of numbers that are sorted.
pub const SORT_VARIABLE: &str = "HALLOWS_BENCH_SORT_MB";
/// Millions of bytes of the file of numbers, which ends with the line that reaches them, if the variable does not say otherwise.
const NUMBERS_MEGABYTES: usize = if cfg!(test) { 5 } else { 100 };

/// One command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Lines, words and bytes of 10,000 files.
    WcSmall,
    /// All lines of 10,000 files, sorted.
    SortSmall,
    /// SHA-256 of each of 10,000 files.
    Sha256Small,
    /// Lines, words and bytes of one file.
    WcLarge,
    /// SHA-256 of one file.
    Sha256Large,
    /// Lines sorted by their numbers.
    Sort,
}

impl Task {
    /// Its name as a bench's variant.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WcSmall => "wc-small",
            Self::SortSmall => "sort-small",
            Self::Sha256Small => "sha256sum-small",
            Self::WcLarge => "wc-large",
            Self::Sha256Large => "sha256sum-large",
            Self::Sort => "sort",
        }
    }

    /// What it needs, made if nobody else has it at the moment.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn input(self) -> Result<Arc<Input>, BenchError> {
        let kind = match self {
            Self::WcSmall | Self::SortSmall | Self::Sha256Small => Kind::Small,
            Self::WcLarge | Self::Sha256Large => Kind::Large,
            Self::Sort => Kind::Numbers,
        };
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let place = &mut made[kind as usize];
        if let Some(input) = place.upgrade() {
            return Ok(input);
        }
        let input = Arc::new(Input::new(kind).map_err(BenchError::system("write the files of the bench"))?);
        *place = Arc::downgrade(&input);
        Ok(input)
    }

    /// Coreutils' arguments, with files as they are named from the input's folder.
    #[must_use]
    pub fn arguments(self) -> Vec<String> {
        let small = || (0..SMALL_FILES).map(small_name);
        let (words, files): (&[&str], Vec<String>) = match self {
            Self::WcSmall => (&["wc"], small().collect()),
            Self::SortSmall => (&["sort"], small().collect()),
            Self::Sha256Small => (&["sha256sum"], small().collect()),
            Self::WcLarge => (&["wc"], vec!["large".to_owned()]),
            Self::Sha256Large => (&["sha256sum"], vec!["large".to_owned()]),
            Self::Sort => (&["sort", "-n"], vec!["numbers".to_owned()]),
        };
        words.iter().map(|word| (*word).to_owned()).chain(files).collect()
    }

    /// Runs a command once, unmeasured, and looks whether its output has the lines that it must have: caches are warm then.
    ///
    /// # Errors
    /// When it fails, or has done something else.
    pub fn rehearse(self, input: &Input, command: &mut Command) -> Result<(), BenchError> {
        let expected = match self {
            // And the total.
            Self::WcSmall => SMALL_FILES + 1,
            Self::Sha256Small => SMALL_FILES,
            Self::WcLarge | Self::Sha256Large => 1,
            Self::SortSmall | Self::Sort => input.lines,
        };
        let lines = output(command)?.iter().filter(|byte| **byte == b'\n').count();
        if lines == expected {
            return Ok(());
        }
        let name = self.name();
        Err(BenchError::Wrong(format!("{name} gave {lines} lines of output instead of {expected}")))
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Small,
    Large,
    Numbers,
}

/// What is there at the moment, for ours and rivals alike.
static MADE: Mutex<[Weak<Input>; 3]> = Mutex::new([Weak::new(), Weak::new(), Weak::new()]);

/// A folder of files, removed with the last contestant that has it.
#[derive(Debug)]
pub struct Input {
    folder: PathBuf,
    lines: usize,
}

impl Input {
    fn new(kind: Kind) -> std::io::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("hallows-bench-files-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let mut input = Self { folder, lines: 0 };
        match kind {
            Kind::Small => {
                fs::create_dir(input.folder.join("small"))?;
                for number in 0..SMALL_FILES {
                    let text = text(number as u64, SMALL_BYTES);
                    input.lines += text.iter().filter(|byte| **byte == b'\n').count();
                    fs::write(input.folder.join(small_name(number)), text)?;
                }
            }
            Kind::Large => {
                let mut file = File::create(input.folder.join("large"))?;
                for number in 0..told(LARGE_VARIABLE).unwrap_or(LARGE_BLOCKS) {
                    file.write_all(&text(number as u64, 1 << 20))?;
                }
            }
            Kind::Numbers => {
                let mut file = BufWriter::new(File::create(input.folder.join("numbers"))?);
                let (mut random, mut bytes, length) = (Random(1), 0, numbers_bytes());
                while bytes < length {
                    let line = format!("{}\n", random.next() % 1_000_000_000);
                    file.write_all(line.as_bytes())?;
                    bytes += line.len();
                    input.lines += 1;
                }
                file.flush()?;
            }
        }
        Ok(input)
    }

    /// Where commands run.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        // A folder left behind in the temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Bytes of the file of numbers.
fn numbers_bytes() -> usize {
    told(SORT_VARIABLE).unwrap_or(NUMBERS_MEGABYTES) * 1_000_000
}

/// A number that an environment variable says.
fn told(variable: &str) -> Option<usize> {
    std::env::var(variable).ok()?.parse().ok()
}

fn small_name(number: usize) -> String {
    format!("small/{number:04}")
}

/// Text of words and whole lines.
fn text(seed: u64, bytes: usize) -> Vec<u8> {
    let mut random = Random(seed);
    let mut text: Vec<u8> = (0..bytes)
        .map(|_| match random.next() % 32 {
            letter @ 0..26 => b'a' + letter as u8,
            26..31 => b' ',
            _ => b'\n',
        })
        .collect();
    if let Some(last) = text.last_mut() {
        *last = b'\n';
    }
    text
}

/// Numbers that look random and are always the same (SplitMix64).
struct Random(u64);

impl Random {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// Coreutils for WASI.
///
/// # Errors
/// [`BenchError::Unavailable`] if it is not there, with how to get it.
pub fn wasm() -> Result<PathBuf, BenchError> {
    locate(WASM, WASM_VARIABLE, "coreutils for WASI")
}

/// Coreutils for this host, of the same version.
///
/// # Errors
/// [`BenchError::Unavailable`] if it is not there, with how to get it.
pub fn native() -> Result<PathBuf, BenchError> {
    locate(NATIVE, NATIVE_VARIABLE, "coreutils for this host")
}

/// A file that the variable names, or that is beside what is built.
///
/// # Errors
/// [`BenchError::Unavailable`] if it is not there, with how to get it.
pub(crate) fn locate(built: &str, variable: &str, what: &str) -> Result<PathBuf, BenchError> {
    if let Some(path) = std::env::var_os(variable) {
        return Ok(path.into());
    }
    beside_executable(built, variable, what)
}

/// A file of a folder that the variable names, or that is beside what is built.
///
/// # Errors
/// [`BenchError::Unavailable`] if it is not there, with how to get it.
pub(crate) fn locate_folder(
    folder: &str,
    name: &str,
    variable: &str,
    what: &str,
) -> Result<PathBuf, BenchError> {
    if let Some(folder) = std::env::var_os(variable) {
        return Ok(Path::new(&folder).join(name));
    }
    beside_executable(&format!("{folder}/{name}"), variable, what)
}

fn beside_executable(built: &str, variable: &str, what: &str) -> Result<PathBuf, BenchError> {
    let executable = std::env::current_exe().map_err(BenchError::system("find this executable"))?;
    // `target/release/hallows` or `target/release/examples/rivals`: both are built beside `target/release`.
    let candidates = executable.ancestors().skip(2).take(3).map(|folder| folder.join(built));
    candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| BenchError::Unavailable {
        missing: what.to_owned(),
        remedy: format!("`make bench` builds it, or say where it is with {variable}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// This host's own program in the place of coreutils, with a task's files.
    fn stand_in(program: &str, task: Task, input: &Input) -> Command {
        let mut command = Command::new(program);
        command.args(&task.arguments()[1..]).current_dir(input.folder());
        command
    }

    #[test]
    fn small_files_are_shared_counted_and_removed_with_the_last_who_has_them() {
        let input = Task::WcSmall.input().expect("written");
        assert!(Arc::ptr_eq(&input, &Task::Sha256Small.input().expect("there")));
        let folder = input.folder().to_owned();
        for name in Task::WcSmall.arguments().iter().skip(1) {
            assert_eq!(fs::metadata(folder.join(name)).expect("there").len(), SMALL_BYTES as u64);
        }
        let mut command = stand_in("wc", Task::WcSmall, &input);
        Task::WcSmall.rehearse(&input, &mut command).expect("a line for each file, and the total");
        let error =
            Task::Sha256Small.rehearse(&input, &mut command).expect_err("there is a total").to_string();
        assert!(error.contains("10001 lines of output instead of 10000"), "{error}");
        Task::SortSmall
            .rehearse(&input, &mut stand_in("sort", Task::SortSmall, &input))
            .expect("all lines of all files");
        drop(input);
        assert!(!folder.exists());
    }

    #[test]
    fn all_numbers_come_out_of_a_sort() {
        let input = Task::Sort.input().expect("written");
        let length = fs::metadata(input.folder().join("numbers")).expect("there").len();
        let asked = numbers_bytes() as u64;
        assert!((asked..asked + 11).contains(&length), "{length}");
        Task::Sort.rehearse(&input, &mut stand_in("sort", Task::Sort, &input)).expect("all lines");
        let mut head = Command::new("head");
        head.arg("numbers").current_dir(input.folder());
        Task::Sort.rehearse(&input, &mut head).expect_err("ten lines");
    }

    #[test]
    fn a_build_that_is_missing_is_told_with_how_to_get_it() {
        let missing = locate("unix/bin/no-such", "HALLOWS_NO_SUCH", "no such").expect_err("it is not there");
        assert_eq!(
            missing.to_string(),
            "not available: no such; `make bench` builds it, or say where it is with HALLOWS_NO_SUCH"
        );
    }
}
