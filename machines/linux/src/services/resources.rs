//! What the process was granted: directories, three streams, arguments, variables.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::fs::{FileType, Mode, OFlags, fstat};
use rustix::process::{Resource, getrlimit};
use rustix::termios::isatty;

use super::files::open_beneath;

/// What the host service may reach.
#[derive(Debug)]
pub struct HostResources {
    /// Directories; [`Badge::Directory`](super::Badge::Directory) counts them from 0.
    pub directories: Vec<GrantedDirectory>,
    /// Input, output, errors. Each is used in its one direction only, whatever the descriptor can do.
    pub streams: [OwnedFd; 3],
    /// Where input is read in place of the first stream, which then only says whether a person sits there: a process in the background may
    /// not read its terminal.
    pub carried_input: Option<OwnedFd>,
    /// The arguments, the program's name first. No zero bytes.
    pub arguments: Vec<Vec<u8>>,
    /// The environment: `NAME=value`. No zero bytes.
    pub variables: Vec<Vec<u8>>,
}

/// A directory that was granted, with all that lies below it.
#[derive(Debug)]
pub struct GrantedDirectory {
    /// The directory: opened with `O_PATH` or for reading.
    pub descriptor: OwnedFd,
    /// Nothing below it is changed.
    pub read_only: bool,
    /// What people call it, for messages.
    pub name: String,
}

/// Why resources were not taken.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// It was done before.
    #[error("this process has its resources already: install them once, before the machine starts")]
    InstalledAlready,
    /// A directory cannot be used.
    #[error("cannot grant the directory `{name}`: {source}")]
    Directory {
        /// Which.
        name: String,
        /// What Linux says.
        source: std::io::Error,
    },
    /// Linux has no `openat2`, or a filter of system calls hides it.
    #[error(
        "cannot grant the directory `{name}`: paths are kept inside of it by openat2, which this Linux does not have or does not allow; use Linux 5.6 or newer"
    )]
    NoOpenat2 {
        /// Which.
        name: String,
    },
    /// An argument or a variable is none.
    #[error(
        "argument or variable number {number} has a zero byte, which ends it for every program: take it out"
    )]
    ZeroByte {
        /// Which, from 0.
        number: usize,
    },
    /// There are more than can be counted.
    #[error(
        "arguments and variables take {bytes} bytes, more than the 1073741824 that can be read: shorten them"
    )]
    TooLong {
        /// How many bytes.
        bytes: usize,
    },
}

/// What [`install`] took.
static INSTALLED: OnceLock<Arc<Installed>> = OnceLock::new();

/// Takes what the host service of this process may reach, once.
///
/// Call it before the jail is sealed (it asks for limits and for terminals, which the jail refuses) and before a cell of [`HOST`](super::HOST)
/// starts.
///
/// # Errors
///
/// [`InstallError`]; nothing is taken then.
pub fn install(resources: HostResources) -> Result<(), InstallError> {
    let checked = Installed::check(resources)?;
    INSTALLED.set(Arc::new(checked)).map_err(|_| InstallError::InstalledAlready)
}

/// What was installed.
pub(super) fn installed() -> Option<Arc<Installed>> {
    INSTALLED.get().cloned()
}

/// Resources that were checked.
#[derive(Debug)]
pub(super) struct Installed {
    pub directories: Vec<GrantedDirectory>,
    pub streams: [Stream; 3],
    pub arguments: Texts,
    pub variables: Texts,
    open_files: AtomicUsize,
    most_open_files: usize,
}

/// One of the three streams.
#[derive(Debug)]
pub(super) struct Stream {
    pub descriptor: OwnedFd,
    /// Asked at the start: the system call for it (`ioctl`) can do much else, so the jail has none.
    pub is_terminal: bool,
    /// What is written there may be part of a file that others read.
    pub may_be_file: bool,
}

/// Texts, each with a zero byte behind it.
#[derive(Debug)]
pub(super) struct Texts {
    bytes: Vec<u8>,
    count: u32,
}

/// Descriptors that opened files leave to the rest of the process.
const RESERVED_DESCRIPTORS: u64 = 256;
/// Files are open at most at once in the whole process, also where descriptors have no limit.
const MOST_OPEN_FILES: u64 = 16_384;
/// Arguments and variables have at most so many bytes each (Linux's own bound is far below).
const MOST_TEXT_BYTES: usize = 1 << 30;

impl Installed {
    /// Checks resources.
    pub fn check(resources: HostResources) -> Result<Self, InstallError> {
        let HostResources { directories, streams, carried_input, arguments, variables } = resources;
        directories.iter().try_for_each(GrantedDirectory::check)?;
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let most = limit.saturating_sub(RESERVED_DESCRIPTORS).min(MOST_OPEN_FILES);
        let mut streams = streams.map(|descriptor| Stream {
            is_terminal: isatty(&descriptor),
            may_be_file: may_be_file(&descriptor),
            descriptor,
        });
        if let Some(carried) = carried_input {
            streams[0].descriptor = carried;
        }
        Ok(Self {
            directories,
            streams,
            arguments: Texts::new(&arguments)?,
            variables: Texts::new(&variables)?,
            open_files: AtomicUsize::new(0),
            most_open_files: usize::try_from(most).unwrap_or(usize::MAX),
        })
    }

    /// Counts one more open file. `None`: there are too many. Descriptors are the whole machine's, so that no program may have all.
    pub fn permit(self: &Arc<Self>) -> Option<Permit> {
        let more = |open: usize| (open < self.most_open_files).then_some(open + 1);
        // Only a count: nothing is published by it.
        self.open_files.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Permit(Arc::clone(self)))
    }

    #[cfg(test)]
    pub fn set_most_open_files(&mut self, most: usize) {
        self.most_open_files = most;
    }
}

/// Whether bytes that are written there may be read elsewhere as a file's.
fn may_be_file(stream: &OwnedFd) -> bool {
    let kind = fstat(stream).map(|stat| FileType::from_raw_mode(stat.st_mode));
    !matches!(kind, Ok(FileType::Fifo | FileType::Socket | FileType::CharacterDevice))
}

/// One of the open files that the process may have; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit(Arc<Installed>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.open_files.fetch_sub(1, Ordering::Relaxed);
    }
}

impl GrantedDirectory {
    fn check(&self) -> Result<(), InstallError> {
        use rustix::io::Errno;
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match open_beneath(&self.descriptor, b".", flags, Mode::empty()) {
            Ok(_) => Ok(()),
            Err(Errno::NOSYS | Errno::PERM) => Err(InstallError::NoOpenat2 { name: self.name.clone() }),
            Err(error) => Err(InstallError::Directory { name: self.name.clone(), source: error.into() }),
        }
    }
}

impl Texts {
    fn new(texts: &[Vec<u8>]) -> Result<Self, InstallError> {
        if let Some(number) = texts.iter().position(|text| text.contains(&0)) {
            return Err(InstallError::ZeroByte { number });
        }
        let mut bytes = Vec::with_capacity(texts.iter().map(|text| text.len() + 1).sum());
        for text in texts {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
        if bytes.len() > MOST_TEXT_BYTES {
            return Err(InstallError::TooLong { bytes: bytes.len() });
        }
        // Each text takes a byte at least.
        let count = u32::try_from(texts.len()).map_err(|_| InstallError::TooLong { bytes: bytes.len() })?;
        Ok(Self { bytes, count })
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub const fn count(&self) -> u32 {
        self.count
    }

    pub fn length(&self) -> u32 {
        u32::try_from(self.bytes.len()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use super::{GrantedDirectory, InstallError, Installed, install};
    use crate::host::test_support::Scratch;
    use crate::services::tests::{installed_with, resources};

    #[test]
    fn what_is_no_directory_is_not_granted() {
        let scratch = Scratch::new("services-resources");
        let path = scratch.path().join("file");
        std::fs::write(&path, "").unwrap();
        let mut resources = resources();
        resources.directories.push(GrantedDirectory {
            descriptor: File::open(path).unwrap().into(),
            read_only: false,
            name: "data".to_owned(),
        });
        let error = Installed::check(resources).expect_err("a file");
        assert_eq!(error.to_string(), "cannot grant the directory `data`: Not a directory (os error 20)");
    }

    #[test]
    fn texts_with_zero_bytes_are_refused() {
        let mut resources = resources();
        resources.variables = vec![b"A=1".to_vec(), b"B=\0".to_vec()];
        assert!(matches!(Installed::check(resources), Err(InstallError::ZeroByte { number: 1 })));
    }

    #[test]
    fn resources_are_installed_once() {
        install(resources()).expect("the first time");
        assert!(super::installed().is_some());
        assert!(matches!(install(resources()), Err(InstallError::InstalledAlready)));
    }

    #[test]
    fn so_many_files_are_open_at_once_and_one_that_is_closed_makes_room() {
        let mut installed = installed_with(|_| {});
        Arc::get_mut(&mut installed).expect("is held once").set_most_open_files(2);
        let (one, two) = (installed.permit(), installed.permit());
        assert!(one.is_some() && two.is_some() && installed.permit().is_none());
        drop(one);
        assert!(installed.permit().is_some());
    }
}
