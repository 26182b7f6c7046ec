//! What goes to the machine for its Unix programs: descriptors, each once, and what becomes of them.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use hallows_linux::host::parent::Streams;
use hallows_linux::machine::plan::{DirectoryPlan, StreamPlan, StreamWay, UnixPlan};
use rustix::fs::{FileType, Mode, OFlags};

use super::Directory;
use crate::failure::{Failure, USAGE};
use crate::system::StreamEnd;

/// What Linux knows `/dev/null` by: major and minor number of a character device.
const NULL_DEVICE: (u32, u32) = (1, 3);
/// Directories of one program.
const MOST_DIRECTORIES: usize = 32;
/// Descriptors of all programs: as many as come along with a machine, but for its artefacts.
const MOST_DESCRIPTORS: usize = 63;
/// Programs of Unix in one machine: each has two threads of Linux that serve it.
const MOST_PROGRAMS: usize = 16;
/// What the start information has room for, beside the rest.
const MOST_NAME_BYTES: usize = 8_192;

/// What one program is given, as a person says it.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// Its file, whose name is its first argument.
    pub program: &'a Path,
    /// Arguments, without the program's name.
    pub arguments: Vec<&'a OsStr>,
    /// `NAME=value`, or `NAME` for the value that it has here. Of two with one name, the last holds.
    pub variables: &'a [OsString],
    /// Directories.
    pub directories: &'a [Directory],
    /// Where relative paths of theirs count from.
    pub folder: &'a Path,
    /// Input, output, errors.
    pub streams: [StreamEnd; 3],
}

/// What all programs are given.
#[derive(Debug, Default)]
pub struct Given {
    /// The plan's part: each program's.
    pub plans: Vec<UnixPlan>,
    /// Directories for programs that come later.
    pub lends: Vec<DirectoryPlan>,
    /// The descriptors that all name.
    pub descriptors: Vec<OwnedFd>,
    /// Places of streams of this process, and of `/dev/null`, that are among them.
    streams: [Option<usize>; 3],
    null: Option<usize>,
    /// Directories that are among them.
    directories: Vec<(PathBuf, usize)>,
}

impl Given {
    /// Opens what one more program is given.
    ///
    /// # Errors
    /// When a directory is not there, or may not be opened; when there are too many of anything.
    pub fn add(&mut self, wanted: &Wanted<'_>) -> Result<(), Failure> {
        check_names(wanted.directories.iter().map(|directory| directory.guest.as_str()))?;
        if self.plans.len() == MOST_PROGRAMS {
            return Err(Failure::usage(format!(
                "more than {MOST_PROGRAMS} programs of Unix do not run in one machine: start another one"
            )));
        }
        let mut streams = [StreamPlan::default(); 3];
        for (number, (stream, end)) in streams.iter_mut().zip(wanted.streams).enumerate() {
            *stream = self.stream(number, end).map_err(|error| {
                Failure::other(USAGE, format!("cannot pass the standard streams on: {error}"))
            })?;
        }
        let mut directories = Vec::with_capacity(wanted.directories.len());
        for directory in wanted.directories {
            let descriptor = self.directory(wanted.folder, directory)?;
            let (name, read_only) = (directory.guest.clone(), directory.read_only);
            directories.push(DirectoryPlan { descriptor, name, read_only });
        }
        self.check_descriptors()?;
        let name = wanted.program.file_name().unwrap_or(wanted.program.as_os_str());
        let arguments = std::iter::once(name).chain(wanted.arguments.iter().copied());
        let arguments = arguments.map(|argument| argument.as_bytes().to_vec()).collect();
        self.plans.push(UnixPlan { arguments, variables: variables(wanted.variables), streams, directories });
        Ok(())
    }

    /// Opens a directory that programs may be given which come later.
    ///
    /// # Errors
    /// As [`Given::add`].
    pub fn lend(&mut self, directory: &Directory) -> Result<(), Failure> {
        let descriptor = self.directory(Path::new(""), directory)?;
        let (name, read_only) = (directory.host.display().to_string(), directory.read_only);
        self.lends.push(DirectoryPlan { descriptor, name, read_only });
        self.check_descriptors()
    }

    fn check_descriptors(&self) -> Result<(), Failure> {
        if self.descriptors.len() > MOST_DESCRIPTORS {
            return Err(Failure::usage(format!(
                "{} directories and streams are more than the {MOST_DESCRIPTORS} that one machine can be given; give one directory above \
                 several, or start another machine",
                self.descriptors.len()
            )));
        }
        Ok(())
    }

    fn stream(&mut self, number: usize, end: StreamEnd) -> std::io::Result<StreamPlan> {
        if end == StreamEnd::Nowhere {
            return Ok(StreamPlan { descriptor: self.null()?, way: StreamWay::Nowhere });
        }
        let known = self.streams.get(number).copied().flatten();
        let descriptor = match known {
            Some(place) => place,
            None => {
                let own = match number {
                    0 => stream(&std::io::stdin(), OFlags::RDONLY),
                    1 => stream(&std::io::stdout(), OFlags::WRONLY),
                    _ => stream(&std::io::stderr(), OFlags::WRONLY),
                };
                self.descriptors.push(own?);
                self.descriptors.len() - 1
            }
        };
        if let Some(stream) = self.streams.get_mut(number) {
            *stream = Some(descriptor);
        }
        let is_terminal = || rustix::termios::isatty(std::io::stdin());
        let goes_nowhere = || self.descriptors.get(descriptor).is_some_and(takes_everything);
        let way = match number {
            0 if is_terminal() => StreamWay::Carried,
            1 | 2 if goes_nowhere() => StreamWay::Nowhere,
            _ => StreamWay::Direct,
        };
        Ok(StreamPlan { descriptor, way })
    }

    fn null(&mut self) -> std::io::Result<usize> {
        if let Some(place) = self.null {
            return Ok(place);
        }
        self.descriptors.push(rustix::fs::open(c"/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?);
        self.null = Some(self.descriptors.len() - 1);
        Ok(self.descriptors.len() - 1)
    }

    fn directory(&mut self, folder: &Path, directory: &Directory) -> Result<usize, Failure> {
        let path = folder.join(&directory.host);
        if let Some((_, place)) = self.directories.iter().find(|(known, _)| *known == path) {
            return Ok(*place);
        }
        self.descriptors.push(directory.open(&path)?);
        self.directories.push((path, self.descriptors.len() - 1));
        Ok(self.descriptors.len() - 1)
    }

    /// Who uses the standard streams of this process, if one program has the machine for itself.
    pub fn streams_alone(&self) -> Streams {
        Streams::Program { carries_input: self.reads(StreamWay::Carried) }
    }

    /// The same, of a system.
    pub fn streams_in_a_system(&self) -> Streams {
        if self.reads(StreamWay::Carried) || self.reads(StreamWay::Direct) {
            Streams::System { carries_input: self.reads(StreamWay::Carried) }
        } else {
            Streams::Console
        }
    }

    fn reads(&self, way: StreamWay) -> bool {
        self.plans.iter().any(|plan| plan.streams[0].way == way)
    }

    /// Whether the null console is needed: something goes to nowhere.
    pub fn needs_null(&self) -> bool {
        let mut streams = self.plans.iter().flat_map(|plan| plan.streams);
        streams.any(|stream| stream.way == StreamWay::Nowhere)
    }
}

/// Checks the names of the directories that a program is given, or will be.
///
/// # Errors
/// When there are too many, two are the same, or they are too long together.
pub fn check_names<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Failure> {
    let (mut seen, mut bytes) = (std::collections::BTreeSet::new(), 0);
    for name in names {
        bytes += name.len();
        if !seen.insert(name) {
            return Err(Failure::usage(format!(
                "two directories have the name {name} for the program: give one of them another, HOST:GUEST"
            )));
        }
    }
    if seen.len() > MOST_DIRECTORIES {
        return Err(Failure::usage(format!(
            "{} directories are more than the {MOST_DIRECTORIES} that a program can be given; give one above them",
            seen.len()
        )));
    }
    if bytes > MOST_NAME_BYTES {
        return Err(Failure::usage(format!(
            "the program's names for its directories are longer than {MOST_NAME_BYTES} bytes together: give shorter ones, HOST:GUEST"
        )));
    }
    Ok(())
}

/// A stream of one's own; one that is closed reads as empty and takes everything.
fn stream(stream: &impl AsFd, direction: OFlags) -> std::io::Result<OwnedFd> {
    match stream.as_fd().try_clone_to_owned() {
        Ok(own) => Ok(own),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::BADF.raw_os_error()) => {
            Ok(rustix::fs::open(c"/dev/null", direction | OFlags::CLOEXEC, Mode::empty())?)
        }
        Err(error) => Err(error),
    }
}

/// Whether it is `/dev/null`, under whatever name, and open for writing.
fn takes_everything(descriptor: &OwnedFd) -> bool {
    let is_null = rustix::fs::fstat(descriptor).is_ok_and(|status| {
        let device = (rustix::fs::major(status.st_rdev), rustix::fs::minor(status.st_rdev));
        FileType::from_raw_mode(status.st_mode) == FileType::CharacterDevice && device == NULL_DEVICE
    });
    let is_writable =
        |flags: OFlags| flags & OFlags::RWMODE != OFlags::RDONLY && !flags.contains(OFlags::PATH);
    is_null && rustix::fs::fcntl_getfl(descriptor).is_ok_and(is_writable)
}

/// An environment: of two variables with one name, the last, at the place of the first.
pub fn variables(wanted: &[OsString]) -> Vec<Vec<u8>> {
    let mut environment: Vec<Vec<u8>> = Vec::with_capacity(wanted.len());
    for variable in wanted.iter().filter_map(variable) {
        let name = |variable: &[u8]| variable.split(|byte| *byte == b'=').next().map(<[u8]>::to_vec);
        match environment.iter_mut().find(|known| name(known) == name(&variable)) {
            Some(known) => *known = variable,
            None => environment.push(variable),
        }
    }
    environment
}

/// `NAME=value`; of a name alone, what it is here, or nothing.
fn variable(variable: &OsString) -> Option<Vec<u8>> {
    let bytes = variable.as_bytes();
    if bytes.contains(&b'=') {
        return Some(bytes.to_vec());
    }
    let value = std::env::var_os(variable)?;
    Some([bytes, b"=", value.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(path: &str, flags: OFlags) -> OwnedFd {
        rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).expect("every Linux has it")
    }

    #[test]
    fn only_the_null_device_open_for_writing_takes_everything() {
        assert!(takes_everything(&device("/dev/null", OFlags::WRONLY)));
        assert!(takes_everything(&device("/dev/null", OFlags::RDWR)));
        assert!(!takes_everything(&device("/dev/null", OFlags::RDONLY)));
        assert!(!takes_everything(&device("/dev/null", OFlags::PATH)));
        assert!(!takes_everything(&device("/dev/zero", OFlags::WRONLY)));
        assert!(!takes_everything(&device("/dev/full", OFlags::WRONLY)));
        assert!(!takes_everything(&tempfile::tempfile().expect("a file").into()));
    }

    #[test]
    fn a_variable_may_be_taken_over_and_the_last_of_a_name_holds() {
        let wanted = ["A=1", "B=2=3", "HALLOWS_IS_NOT_SET", "A=4", "PATH"].map(OsString::from);
        let path = std::env::var_os("PATH").expect("a path");
        let path = [b"PATH=", path.as_bytes()].concat();
        assert_eq!(variables(&wanted), [b"A=4".to_vec(), b"B=2=3".to_vec(), path]);
    }

    #[test]
    fn what_several_programs_are_given_comes_along_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let directories: Vec<Directory> =
            ["one", "one:/other:ro", "two"].map(|text| text.parse().expect("well")).into();
        for name in ["one", "two"] {
            std::fs::create_dir(folder.path().join(name)).expect("is new");
        }
        let wanted = |streams| Wanted {
            program: Path::new("a/tool.wasm"),
            arguments: vec![OsStr::new("x")],
            variables: &[],
            directories: &directories,
            folder: folder.path(),
            streams,
        };
        let (console, nowhere) = (StreamEnd::Console, StreamEnd::Nowhere);
        let mut given = Given::default();
        given.add(&wanted([nowhere, console, nowhere])).expect("is there");
        given.add(&wanted([nowhere, console, console])).expect("is there");
        // Nowhere, the output, two directories, the errors.
        assert_eq!(given.descriptors.len(), 5);
        let [first, second] = &given.plans[..] else { panic!("two") };
        assert_eq!(first.arguments, [b"tool.wasm".to_vec(), b"x".to_vec()]);
        assert_eq!(first.directories, second.directories);
        let places: Vec<_> = first.directories.iter().map(|directory| directory.descriptor).collect();
        assert_eq!(places, [2, 2, 3]);
        assert_eq!(first.streams[0], first.streams[2]);
        assert_eq!((first.streams[1], second.streams[1].descriptor), (second.streams[1], 1));
        assert_eq!((second.streams[2].descriptor, given.needs_null()), (4, true));
        assert_eq!(given.streams_in_a_system(), Streams::Console);
    }
}
